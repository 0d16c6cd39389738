//! All changes, worked out before anything is written.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rayon::prelude::*;

use super::fixing::{Fixed, Fixing, Scope};
use crate::commands::say::{advise, complain};
use crate::document::splice::Edit;
use crate::finding::{Finding, Level, Remedy};
use crate::fix::stage::Operation;
use crate::fix::{Change, Refusal, config, diff, encrypt, obstacle};
use crate::git::Repo;
use crate::host::Host;
use crate::judge::{Context, Scope as Judging};
use crate::keys::PublicKeys;
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::session::{Examined, Session};
use crate::settings::Settings;
use crate::source::{Source, View};
use crate::text::printable::{clean, clean_path};
use crate::tree::{Tree, read_config};

/// The file that gets a line for each decrypted copy.
const GITIGNORE: &str = ".gitignore";

/// Changes, and what is not changed.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Files and their new content.
    pub(super) changes: Vec<Change>,
    /// Files and their new names.
    renames: Vec<(RepoPath, RepoPath)>,
    /// Files that git is to ignore.
    ignores: Vec<RepoPath>,
    /// Files that are left unchanged, and why.
    pub(super) refusals: Vec<Refusal>,
    /// Numbers of findings that are not fixed.
    pub(super) rest: Fixed,
}

/// Inputs of a plan.
pub(in crate::commands) struct Scene<'s> {
    /// The files.
    pub(in crate::commands) source: &'s Source,
    /// The findings in them.
    pub(in crate::commands) examined: &'s Examined<'s>,
    /// The settings of the run.
    pub(in crate::commands) settings: &'s Settings<'s>,
    /// The run.
    pub(in crate::commands) session: &'s Session<'s>,
}

impl Plan {
    /// Works out what fixes the findings.
    pub(super) fn of(scene: &Scene<'_>, fixing: Fixing, repo: Option<&Repo>) -> Self {
        let Scene { source, examined, settings, .. } = *scene;
        let allowed = Some(&settings.file.fix_allow).filter(|_| fixing.scope == Scope::Allowed);
        let mut plan = Self::default();
        let mut plaintext: Vec<&RepoPath> = Vec::new();
        let mut edits: BTreeMap<&RepoPath, Vec<Edit>> = BTreeMap::new();
        for finding in &examined.finished.report.findings {
            let Some(fix) = &finding.fix else {
                plan.leave(finding);
                continue;
            };
            let path = &finding.place.path;
            match &fix.remedy {
                Remedy::Encrypt => {
                    if allowed.is_none_or(|allowed| allowed.covers(path.as_str())) {
                        plaintext.push(path);
                    }
                }
                // The work tree may differ from the index, where the finding is.
                _ if settings.options.view != View::WorkTree => {}
                _ if !(fix.is_safe() || fixing.takes_unsafe) => plan.rest.only_unsafe += 1,
                Remedy::Edit(edit) => edits.entry(path).or_default().push(edit.clone()),
                Remedy::Rename(to) if !source.exists(to) => {
                    plan.renames.push((path.clone(), to.clone()));
                }
                Remedy::Ignore if !is_ignored(source, path) => plan.ignores.push(path.clone()),
                Remedy::Rename(_) | Remedy::Ignore => plan.leave(finding),
            }
        }
        plaintext.dedup();
        plan.ignores.dedup();
        plan.leave_inexact(&mut plaintext, &mut edits);
        plan.leave_to_git(&mut plaintext, scene, repo);
        plan.configs(examined, edits);
        plan.encrypt(scene, &plaintext);
        plan
    }

    /// Leaves out files whose names are not exact.
    fn leave_inexact(
        &mut self,
        plaintext: &mut Vec<&RepoPath>,
        edits: &mut BTreeMap<&RepoPath, Vec<Edit>>,
    ) {
        let renamed = self.renames.iter().map(|(from, _)| from);
        let all = plaintext.iter().copied().chain(edits.keys().copied());
        let refused: BTreeMap<RepoPath, Refusal> = all
            .chain(renamed)
            .chain(&self.ignores)
            .filter_map(|path| Some((path.clone(), obstacle::in_name(path)?)))
            .collect();
        plaintext.retain(|path| path.is_exact());
        edits.retain(|path, _| path.is_exact());
        self.renames.retain(|(from, _)| from.is_exact());
        self.ignores.retain(RepoPath::is_exact);
        self.refusals.extend(refused.into_values());
    }

    /// Leaves out files that git changes, or does not have in the work tree.
    fn leave_to_git(
        &mut self,
        plaintext: &mut Vec<&RepoPath>,
        scene: &Scene<'_>,
        repo: Option<&Repo>,
    ) {
        let Some(repo) = repo else { return };
        let is_staged = scene.settings.options.view == View::Staged;
        let index = if is_staged { repo.index().ok() } else { None };
        let refused = obstacle::in_git(plaintext, repo, index.as_ref());
        plaintext.retain(|path| refused.iter().all(|refusal| refusal.path != **path));
        self.refusals.extend(refused);
    }

    /// Counts a finding that a person has to fix.
    fn leave(&mut self, finding: &Finding) {
        self.rest.left += 1;
        self.rest.errors += usize::from(finding.level == Level::Error);
    }

    /// Returns true if configs are corrected or renamed.
    pub(super) fn corrects_configs(&self) -> bool {
        !self.renames.is_empty() || self.changes.iter().any(|change| !change.was_plaintext)
    }

    /// Keeps the configs alone: once they are corrected, other rules may govern the files.
    pub(super) fn leave_files_for_later(&mut self) {
        self.changes.retain(|change| !change.was_plaintext);
        self.refusals.clear();
        self.ignores.clear();
        self.rest.is_halfway = true;
    }

    /// Adds the corrected configs.
    fn configs(&mut self, examined: &Examined<'_>, edits: BTreeMap<&RepoPath, Vec<Edit>>) {
        for (path, mut edits) in edits {
            edits.sort_by_key(|edit| edit.span);
            edits.dedup();
            let Some(config) = examined.policy.config(path) else { continue };
            match config::correct(path, &config.bytes, edits) {
                Ok(change) => self.changes.push(change),
                Err(refusal) => self.refusals.push(refusal),
            }
        }
    }

    /// Adds the encrypted files. The corrected configs govern them.
    fn encrypt(&mut self, scene: &Scene<'_>, paths: &[&RepoPath]) {
        let Scene { source, examined, settings, session } = *scene;
        let files = &examined.files;
        let directories = files.listing.config_directories.iter().map(String::as_str);
        let policy = Policy::load(directories, |path| {
            let corrected = self.changes.iter().find(|change| change.path == *path);
            corrected.map(|change| change.new.0.clone()).or_else(|| read_config(source, path))
        });
        let public_keys = PublicKeys::new(session.host.clone());
        for path in &examined.with_certificates {
            if let Some(input) = files.input(path) {
                public_keys.add(input.bytes());
            }
        }
        let means = encrypt::Means {
            context: Context {
                policy: &policy,
                tree: files,
                encrypted_names: settings.file.encrypted_names.as_ref(),
                scope: Judging::FileAlone,
                ring: None,
                today: session.today,
            },
            public_keys: &public_keys,
            now: session.host.now(),
            random: &Host::random,
        };
        let results: Vec<Result<Change, Refusal>> = session.in_parallel(|| {
            let inputs = paths.par_iter().filter_map(|path| files.input(path));
            inputs.map(|input| encrypt::encrypt(&input, means)).collect()
        });
        for result in results {
            match result {
                Ok(change) => self.changes.push(change),
                Err(refusal) => self.refusals.push(refusal),
            }
        }
    }

    /// Returns the number of files that change.
    pub(super) fn size(&self) -> usize {
        self.changes.len() + self.renames.len() + self.ignores.len()
    }

    /// Returns what a transaction has to write.
    pub(super) fn operations(&self, is_staged: bool) -> Vec<Operation<'_>> {
        let kind = if is_staged { Operation::Stage } else { Operation::Replace };
        let renames = self.renames.iter().map(|(from, to)| Operation::Rename { from, to });
        let mut operations: Vec<_> = self.changes.iter().map(kind).chain(renames).collect();
        if !self.ignores.is_empty() {
            let lines = self.ignores.iter().map(ignore_line).collect();
            operations.push(Operation::Append { path: RepoPath::from(GITIGNORE), lines });
        }
        operations
    }

    /// Leaves out what could not be written.
    pub(super) fn leave_out(&mut self, failed: &[RepoPath]) {
        self.changes.retain(|change| !failed.contains(&change.path));
        self.renames.retain(|(_, to)| !failed.contains(to));
        if failed.contains(&RepoPath::from(GITIGNORE)) {
            self.ignores.clear();
        }
    }

    /// Writes a line for each change that was made, or `would have` been.
    pub(super) fn list(&self, out: &mut dyn Write, mood: &str) -> io::Result<()> {
        for Change { path, done, was_plaintext, .. } in &self.changes {
            let verb = if *was_plaintext { format!("{mood}encrypted ") } else { mood.to_owned() };
            writeln!(out, "{path}: {verb}{}", clean_path(done))?;
        }
        for (from, to) in &self.renames {
            writeln!(out, "{from}: {mood}renamed to {to}")?;
        }
        for path in &self.ignores {
            writeln!(
                out,
                "{path}: {mood}added to .gitignore; `git rm --cached` removes it from git"
            )?;
        }
        Ok(())
    }

    /// Writes all changes as a diff.
    pub(super) fn show(&self, out: &mut dyn Write) -> io::Result<()> {
        for change in &self.changes {
            writeln!(out, "--- a/{0}\n+++ b/{0}", change.path)?;
            let lines = diff::lines(change);
            if lines.is_empty() {
                writeln!(out, "the whole file is replaced")?;
            }
            for line in lines {
                match line {
                    diff::Line::Hunk(text) => writeln!(out, "{text}")?,
                    diff::Line::Same(text) => writeln!(out, " {text}")?,
                    diff::Line::Old(text) => writeln!(out, "-{text}")?,
                    diff::Line::New(text) => writeln!(out, "+{text}")?,
                }
            }
        }
        for (from, to) in &self.renames {
            writeln!(out, "rename {from}\nrename to {to}")?;
        }
        for path in &self.ignores {
            writeln!(out, "+++ b/.gitignore\n+{}", clean(&ignore_line(path)))?;
        }
        Ok(())
    }

    /// Says which files are left unchanged, and why.
    pub(super) fn report_refusals(&self) {
        for Refusal { path, line, reason, help } in &self.refusals {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            complain(&format!("{path}{line} was left as it is: {reason}"));
            advise(help);
        }
    }
}

/// Reports whether `.gitignore` has the line for a file, or cannot have one.
fn is_ignored(source: &Source, path: &RepoPath) -> bool {
    let line = ignore_line(path);
    let text = read_config(source, &RepoPath::from(GITIGNORE)).unwrap_or_default();
    line.contains(['\n', '\r'])
        || text.split(|byte| *byte == b'\n').any(|one| one == line.as_bytes())
}

/// Returns the pattern that matches one file only.
fn ignore_line(path: &RepoPath) -> String {
    let escaped: String = path
        .as_str()
        .chars()
        .flat_map(|c| if "*?[]\\!# ".contains(c) { vec!['\\', c] } else { vec![c] })
        .collect();
    format!("/{escaped}")
}
