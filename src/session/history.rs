//! `scan --history`: every file that a commit added or changed.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::conclude::conclude;
use super::examine::Finished;
use super::progress::Progress;
use super::run::Session;
use crate::finding::{Finding, Origin, RuleId};
use crate::git::{Brought, Change, Commit, File, Newcomer, ObjectId, Repo};
use crate::input::{Content, Input};
use crate::judge::{self, Context, Scope, Tally};
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Policy};
use crate::report::Report;
use crate::settings::Settings;
use crate::source::{Snapshot, Source, SourceError};
use crate::tree::Tree;

impl Session<'_> {
    /// Judges everything that the commits added: each file for leaks, by the configs of its own commit,
    /// and what is still there at the end of the range again, as a change.
    pub fn examine_history(
        &self,
        end: &Snapshot,
        settings: &Settings<'_>,
    ) -> Result<Finished, SourceError> {
        let heads = end.heads()?;
        let brought = self.in_parallel(|| end.repo.brought(&end.range, CONFIG_NAME))?;
        let newcomers = self.wanted(&brought, end, settings)?;
        let past = Past {
            repo: &end.repo,
            heads: &heads,
            brought: &brought,
            policies: brought.states.iter().map(|_| OnceLock::new()).collect(),
            settings,
            today: self.today,
        };
        let progress = Progress::start(newcomers.len(), self.options.progress);
        let mut tally = self.in_parallel(|| past.judge(&newcomers, &progress));
        drop(progress);
        let errors = std::mem::take(&mut tally.errors);
        let report = conclude(tally, newcomers.len(), settings, self.host.elapsed_ms());
        let notes = end.notes().to_vec();
        let mut finished = Finished { report, errors, help: None, notes };
        for head in heads {
            finished = join(self.present(head, &brought)?, finished);
        }
        finished.report.summary.duration_ms = self.host.elapsed_ms();
        if finished.report.summary.encrypted_files > 0 && !self.options.style.quiet {
            finished.notes.push("the MACs of files in the history were not compared".to_owned());
        }
        Ok(finished)
    }

    /// Returns the files that the options and settings ask for.
    fn wanted<'b>(
        &self,
        brought: &'b Brought,
        end: &Snapshot,
        settings: &Settings<'_>,
    ) -> Result<Vec<&'b Newcomer>, SourceError> {
        let directories = end.wanted(&self.options.directory, &self.options.paths)?;
        let is_wanted = |newcomer: &&Newcomer| {
            let path = &newcomer.file.path;
            let is_inside = |directory: &String| path.below(directory).is_some();
            (directories.is_empty() || directories.iter().any(is_inside))
                && !settings.file.exclude.covers(path.as_str())
                && self.options.shard.is_none_or(|shard| shard.holds(path))
        };
        Ok(brought.newcomers.iter().filter(is_wanted).collect())
    }

    /// Judges what commits added and is still there at one head, by the settings of that head.
    fn present(&self, head: Snapshot, brought: &Brought) -> Result<Finished, SourceError> {
        let newcomers = brought.newcomers.iter();
        let present: Vec<&Newcomer> = newcomers.filter(|one| head.has(&one.file)).collect();
        let changes = present.iter().map(|newcomer| {
            let File { path, blob } = newcomer.file.clone();
            Change { path, now: Some(blob) }
        });
        let source = Source::Snapshot(Box::new(head.with_changes(changes.collect())));
        let settings = self.settings(&source);
        let mut finished = self.examine(&source, &settings, None)?.finished;
        let commits: HashMap<&RepoPath, usize> =
            present.iter().map(|newcomer| (&newcomer.file.path, newcomer.commit)).collect();
        for finding in &mut finished.report.findings {
            // The file itself, or what changed about it: its config, a source of its generator.
            let related = finding.related.iter().map(|label| &label.place.path);
            let mut files =
                std::iter::once(&finding.place.path).chain(related).chain(&finding.about);
            let commit = files.find_map(|path| commits.get(path));
            let commit = commit.map(|commit| Arc::new(origin(&brought.commits[*commit], true)));
            finding.origin = commit;
        }
        Ok(finished)
    }
}

/// Adds the findings of one head. A finding that both have is reported once, as the head has it; the
/// numbers are those of all commits.
fn join(head: Finished, all: Finished) -> Finished {
    let mut findings = head.report.findings;
    let known: HashSet<_> = findings.iter().map(statement).collect();
    let past = all.report.findings.into_iter().filter(|one| !known.contains(&statement(one)));
    let past: Vec<Finding> = past.collect();
    findings.extend(past);
    let mut summary = all.report.summary;
    summary.ignored = summary.ignored.max(head.report.summary.ignored);
    let mut errors = head.errors;
    errors.extend(all.errors);
    errors.sort_unstable();
    errors.dedup();
    let notes = all.notes.into_iter().chain(head.notes).collect();
    let report = Report::new(findings, all.report.skipped, summary);
    Finished { report, errors, help: head.help.or(all.help), notes }
}

/// Rule, path, offset, document, key path and commit of a finding.
type Statement<'f> = (RuleId, &'f str, usize, usize, Option<&'f str>, Option<&'f str>);

/// Returns what is the same in two findings about the same content. Their fingerprints need not be: each
/// report numbers its own findings.
fn statement(finding: &Finding) -> Statement<'_> {
    let Finding { rule, place, document, key_path, origin, .. } = finding;
    let commit = origin.as_deref().map(|origin| origin.commit.as_str());
    (rule.id, place.path.as_str(), place.start.offset, *document, key_path.as_deref(), commit)
}

/// The commits of the range.
struct Past<'p> {
    repo: &'p Repo,
    /// The files of today.
    heads: &'p [Snapshot],
    brought: &'p Brought,
    /// One for each state of the configs, made when it is needed.
    policies: Vec<OnceLock<Policy>>,
    settings: &'p Settings<'p>,
    today: u32,
}

impl Past<'_> {
    fn judge(&self, newcomers: &[&Newcomer], progress: &Progress) -> Tally {
        let judge = |mut tally: Tally, newcomer: &&Newcomer| {
            self.look(newcomer, &mut tally);
            progress.advance();
            tally
        };
        let newcomers = newcomers.par_iter();
        let mut tally = newcomers.fold(Tally::default, judge).reduce(Tally::default, Tally::join);
        let policies: Vec<&Policy> = self.policies.iter().filter_map(OnceLock::get).collect();
        judge::openers(&mut tally, &policies);
        tally
    }

    fn look(&self, newcomer: &Newcomer, tally: &mut Tally) {
        let Newcomer { file, commit } = newcomer;
        let commit = &self.brought.commits[*commit];
        let content = match self.repo.read(file.blob) {
            Ok(content) => content,
            Err(error) => {
                tally.errors.push(format!("cannot read {} in {}: {error}", file.path, commit.id));
                return;
            }
        };
        let input = Input { path: file.path.clone(), content };
        let context = Context {
            policy: self.policies[commit.state].get_or_init(|| self.policy(commit.state)),
            tree: &CommitTree { repo: self.repo, tree: commit.tree },
            encrypted_names: self.settings.file.encrypted_names.as_ref(),
            scope: Scope::Leaks,
            ring: None,
            today: self.today,
        };
        let mut outcome = judge::file(&input, context);
        outcome.verification = None;
        if !outcome.findings.is_empty() {
            let is_at_head = self.heads.iter().any(|head| head.has(file));
            let origin = Arc::new(origin(commit, is_at_head));
            for finding in &mut outcome.findings {
                finding.origin = Some(Arc::clone(&origin));
                if is_at_head {
                    continue;
                }
                finding.fix = None;
                let help = "it is no longer at HEAD, but it stays in history: change the secret";
                finding.help = Some(help.into());
            }
        }
        tally.add_without_facts(&input, outcome);
    }

    fn policy(&self, state: usize) -> Policy {
        let configs = &self.brought.states[state];
        let directories: Vec<RepoPath> = configs.iter().map(|file| file.path.parent()).collect();
        let read = |path: &RepoPath| {
            let file = configs.iter().find(|file| file.path == *path)?;
            self.repo.read(file.blob).ok().and_then(Content::into_bytes)
        };
        Policy::load(directories.iter().map(RepoPath::as_str), read)
    }
}

/// The files of one commit, looked up one by one: to list them all for every commit would take long.
struct CommitTree<'r> {
    repo: &'r Repo,
    tree: ObjectId,
}

impl Tree for CommitTree<'_> {
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        let blob = self.repo.file(self.tree, path).ok_or(io::ErrorKind::NotFound)?;
        self.repo.read(blob)
    }

    fn exists(&self, path: &RepoPath) -> bool {
        self.repo.has_file(self.tree, path)
    }
}

fn origin(commit: &Commit, is_at_head: bool) -> Origin {
    Origin { commit: commit.id.to_string(), day: commit.day(), is_at_head }
}
