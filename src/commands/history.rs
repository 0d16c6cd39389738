//! `sops-lint scan --history`: every file that a commit ever brought.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::CommandError;
use super::progress::Progress;
use super::scan::{self, Finished, JudgedFiles, in_parallel};
use crate::finding::{Finding, Origin};
use crate::git::{Brought, Change, Commit, File, Newcomer, Repo};
use crate::host::Host;
use crate::input::{Content, Input};
use crate::inspect::{Surroundings, inspect};
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Policy};
use crate::report::Report;
use crate::settings::{Settings, Verify};
use crate::source::{Snapshot, Source};

/// Judges all that the commits brought: each file by the configs of its own commit for what it gives
/// away, and what stands at the end of the range once more, as a change of what was there before.
pub(super) fn examine(
    source: &Source,
    end: &Snapshot,
    settings: &mut Settings,
    host: &Host,
) -> Result<Finished, CommandError> {
    // What is wrong with them is said of each head.
    let _ = settings.read_files(source);
    let wanted = end.wanted(&settings.directory, &settings.paths)?;
    let heads = end.heads()?;
    let threads = settings.threads;
    let read = || end.repo.brought(&end.range, CONFIG_NAME);
    let brought = in_parallel(threads, read)?;
    let (files, mut judged) = in_parallel(threads, || {
        let settings = &*settings;
        let is_wanted = |newcomer: &&Newcomer| {
            let path = &newcomer.file.path;
            let is_inside = |directory: &String| path.below(directory).is_some();
            (wanted.is_empty() || wanted.iter().any(is_inside))
                && !settings.file.exclude.covers(path.as_str())
                && settings.shard.is_none_or(|shard| shard.holds(path))
        };
        let newcomers: Vec<&Newcomer> = brought.newcomers.iter().filter(is_wanted).collect();
        let past = Past {
            repo: &end.repo,
            heads: &heads,
            brought: &brought,
            policies: brought.states.iter().map(|_| OnceLock::new()).collect(),
            settings,
            today: host.today(),
        };
        (newcomers.len(), past.judge(&newcomers))
    });
    let errors = std::mem::take(&mut judged.errors);
    let report = judged.into_report(files, settings, host.elapsed_ms());
    let notes = end.notes().to_vec();
    let mut finished = Finished { report, errors, help: None, notes };
    for head in heads {
        finished = join(present(head, &brought, settings, host)?, finished);
    }
    finished.report.summary.duration_ms = host.elapsed_ms();
    if finished.report.summary.encrypted_files > 0 && !settings.style.quiet {
        finished.notes.push("the MACs of files in the history were not compared".to_owned());
    }
    Ok(finished)
}

/// What commits brought and still stands at one head.
fn present(
    head: Snapshot,
    brought: &Brought,
    settings: &mut Settings,
    host: &Host,
) -> Result<Finished, CommandError> {
    let stands: Vec<&Newcomer> =
        brought.newcomers.iter().filter(|newcomer| head.has(&newcomer.file)).collect();
    let changes = stands.iter().map(|newcomer| {
        let File { path, blob } = newcomer.file.clone();
        Change { path, now: Some(blob) }
    });
    let source = Source::Snapshot(Box::new(head.with_changes(changes.collect())));
    let verify = settings.verify.replace(Verify::Never);
    let examined = scan::examine(&source, settings, host);
    settings.verify = verify;
    let mut finished = examined?.finished;
    let commits: HashMap<&RepoPath, usize> =
        stands.iter().map(|newcomer| (&newcomer.file.path, newcomer.commit)).collect();
    for finding in &mut finished.report.findings {
        // The file itself, or what changed about it: its config, a source of its generator.
        let related = finding.related.iter().map(|label| &label.place.path);
        let mut files = std::iter::once(&finding.place.path).chain(related).chain(&finding.about);
        let commit = files.find_map(|path| commits.get(path));
        let commit = commit.map(|commit| Arc::new(origin(&brought.commits[*commit], true)));
        finding.origin = commit;
    }
    Ok(finished)
}

/// Adds the findings of one head to those of history. A finding that both have is reported once, as the
/// head has it; the summary is that of history.
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
type Statement<'f> = (&'static str, &'f str, usize, usize, Option<&'f str>, Option<&'f str>);

/// Returns what is the same in two findings about the same content. Their fingerprints need not be: each
/// report numbers its own findings.
fn statement(finding: &Finding) -> Statement<'_> {
    let Finding { rule, place, document, key_path, origin, .. } = finding;
    let commit = origin.as_deref().map(|origin| origin.commit.as_str());
    (rule.id, place.path.as_str(), place.start.offset, *document, key_path.as_deref(), commit)
}

struct Past<'p> {
    repo: &'p Repo,
    /// The files of today.
    heads: &'p [Snapshot],
    brought: &'p Brought,
    /// One for each state of the configs, made when it is needed.
    policies: Vec<OnceLock<Policy>>,
    settings: &'p Settings,
    today: u32,
}

impl Past<'_> {
    fn judge(&self, newcomers: &[&Newcomer]) -> JudgedFiles {
        let progress = Progress::start(newcomers.len(), self.settings.progress);
        newcomers
            .par_iter()
            .fold(JudgedFiles::default, |mut all, newcomer| {
                self.look(newcomer, &mut all);
                progress.advance();
                all
            })
            .reduce(JudgedFiles::default, JudgedFiles::join)
    }

    fn look(&self, newcomer: &Newcomer, all: &mut JudgedFiles) {
        let Newcomer { file, commit } = newcomer;
        let commit = &self.brought.commits[*commit];
        let repo = self.repo;
        let content = match repo.read(file.blob) {
            Ok(content) => content,
            Err(error) => {
                all.errors.push(format!("cannot read {} in {}: {error}", file.path, commit.id));
                return;
            }
        };
        let input = Input { path: file.path.clone(), content };
        let policy = self.policies[commit.state].get_or_init(|| self.policy(commit.state));
        let exists = |path: &RepoPath| repo.has_file(commit.tree, path);
        let surroundings = Surroundings {
            policy,
            exists: &exists,
            encrypted_names: self.settings.file.encrypted_names.as_ref(),
            twins: &HashSet::new(),
            before: None,
            is_gone: true,
            // What stood in a file once is judged for what it gives away, not for whether it is whole.
            ring: None,
            today: self.today,
        };
        let mut outcome = inspect(&input, surroundings);
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
                finding.help = Some(help.to_owned());
            }
        }
        all.add_without_facts(&input, outcome);
    }

    fn policy(&self, state: usize) -> Policy {
        let configs = &self.brought.states[state];
        let directories: Vec<RepoPath> = configs.iter().map(|file| file.path.parent()).collect();
        let read = |path: &RepoPath| {
            let file = configs.iter().find(|file| file.path == *path)?;
            match self.repo.read(file.blob) {
                Ok(Content::Bytes(bytes) | Content::Utf16(bytes)) => Some(bytes),
                _ => None,
            }
        };
        Policy::load(directories.iter().map(RepoPath::as_str), read)
    }
}

fn origin(commit: &Commit, is_at_head: bool) -> Origin {
    Origin { commit: commit.id.to_string(), day: commit.day(), is_at_head }
}
