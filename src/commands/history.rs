//! `sops-lint scan --history`: every file that a commit ever brought.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::CommandError;
use super::progress::Progress;
use super::scan::{Finished, JudgedFiles, in_parallel};
use crate::finding::{Finding, Origin};
use crate::git::{Brought, Newcomer};
use crate::host::Host;
use crate::input::{Content, Input};
use crate::inspect::{Surroundings, inspect};
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Policy};
use crate::settings::Settings;
use crate::source::{Snapshot, Source};

/// Judges all that the commits brought, each by the configs of its own commit. Rules about the
/// repository are left out: there is no one repository that they could speak of.
pub(super) fn examine(
    source: &Source,
    end: &Snapshot,
    settings: &mut Settings,
    host: &Host,
) -> Result<Finished, CommandError> {
    let mut errors: Vec<String> =
        settings.read_files(source).iter().map(ToString::to_string).collect();
    let wanted = end.wanted(&settings.directory, &settings.paths)?;
    let settings = &*settings;
    let today = host.today();
    let (files, mut judged) = in_parallel(settings.threads, || {
        let brought = end.repo.brought(&end.range, CONFIG_NAME)?;
        let is_wanted = |newcomer: &&Newcomer| {
            let path = &newcomer.file.path;
            let is_inside = |directory: &String| path.below(directory).is_some();
            (wanted.is_empty() || wanted.iter().any(is_inside))
                && !settings.file.exclude.covers(path.as_str())
                && settings.shard.is_none_or(|shard| shard.holds(path))
        };
        let newcomers: Vec<&Newcomer> = brought.newcomers.iter().filter(is_wanted).collect();
        let past = Past {
            end,
            brought: &brought,
            policies: brought.states.iter().map(|_| OnceLock::new()).collect(),
            settings,
            today,
        };
        Ok::<_, CommandError>((newcomers.len(), past.judge(&newcomers)))
    })?;
    errors.append(&mut judged.errors);
    let report = judged.into_report(files, settings, host.elapsed_ms());
    let mut notes = end.notes().to_vec();
    if report.summary.encrypted_files > 0 && !settings.style.quiet {
        notes.push("the MACs of files in the history were not compared".to_owned());
    }
    Ok(Finished { report, errors, help: None, notes })
}

struct Past<'p> {
    end: &'p Snapshot,
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
        let repo = &self.end.repo;
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
        let is_at_head = self.end.has(file);
        let surroundings = Surroundings {
            policy,
            exists: &exists,
            encrypted_names: self.settings.file.encrypted_names.as_ref(),
            twins: &HashSet::new(),
            before: None,
            is_gone: !is_at_head,
            // What stood in a file once is judged for what it gives away, not for whether it is whole.
            ring: None,
            today: self.today,
        };
        let mut outcome = inspect(&input, surroundings);
        outcome.verification = None;
        if !outcome.findings.is_empty() {
            let origin =
                Arc::new(Origin { commit: commit.id.to_string(), day: commit.day(), is_at_head });
            outcome.findings.iter_mut().for_each(|finding| attribute(finding, &origin));
        }
        all.add_without_facts(&input, outcome);
    }

    fn policy(&self, state: usize) -> Policy {
        let configs = &self.brought.states[state];
        let directories: Vec<RepoPath> = configs.iter().map(|file| file.path.parent()).collect();
        let read = |path: &RepoPath| {
            let file = configs.iter().find(|file| file.path == *path)?;
            match self.end.repo.read(file.blob) {
                Ok(Content::Bytes(bytes) | Content::Utf16(bytes)) => Some(bytes),
                _ => None,
            }
        };
        Policy::load(directories.iter().map(RepoPath::as_str), read)
    }
}

/// Writes down where a finding comes from.
fn attribute(finding: &mut Finding, origin: &Arc<Origin>) {
    if !origin.is_at_head {
        finding.fix = None;
        finding.help =
            Some("it is no longer at HEAD, but it stays in history: change the secret".to_owned());
    }
    finding.origin = Some(Arc::clone(origin));
}
