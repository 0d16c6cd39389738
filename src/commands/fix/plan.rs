//! All changes, worked out before anything is written.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use rayon::prelude::*;

use super::fixing::{Fixing, Scope};
use crate::document::splice::Edit;
use crate::finding::Remedy;
use crate::fix::stage::{self, Operation, StageError};
use crate::fix::{Change, Refusal, config, encrypt, obstacle};
use crate::git::Repo;
use crate::host::Host;
use crate::input::{Content, Input};
use crate::judge::{Context, Scope as Judging};
use crate::keys::PublicKeys;
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::session::{Examined, Session};
use crate::settings::Settings;
use crate::source::{Source, View, config_above};
use crate::tree::{Tree, read_config};

/// The file that gets a line for each decrypted copy.
const GITIGNORE: &str = ".gitignore";

/// Changes, and what is not changed.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Files and their new content.
    pub(super) changes: Vec<Change>,
    /// Files and their new names.
    pub(super) renames: Vec<(RepoPath, RepoPath)>,
    /// Files that git is to ignore.
    pub(super) ignores: Vec<RepoPath>,
    /// Files that are left unchanged, and why.
    pub(super) refusals: Vec<Refusal>,
    /// True if one of them cannot be written.
    pub(super) is_unwritable: bool,
    /// True if the files of the index are changed, too.
    is_staged: bool,
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
        let is_staged = settings.options.view == View::Staged;
        let mut plan = Self { is_staged, ..Self::default() };
        let mut plaintext: Vec<&RepoPath> = Vec::new();
        let mut edits: BTreeMap<&RepoPath, Vec<Edit>> = BTreeMap::new();
        for finding in &examined.finished.report.findings {
            let Some(fix) = &finding.fix else { continue };
            let path = &finding.place.path;
            match &fix.remedy {
                _ if !(fix.is_safe() || fixing.takes_unsafe) => {}
                Remedy::Encrypt => {
                    if allowed.is_none_or(|allowed| allowed.covers(path.as_str())) {
                        plaintext.push(path);
                    }
                }
                // The work tree may differ from the index, where the finding is.
                _ if settings.options.view != View::WorkTree => {}
                Remedy::Edit(edit) => edits.entry(path).or_default().push(edit.clone()),
                Remedy::AddSelector(rule) => {
                    let config = examined.policy.config(path);
                    let edit = config.and_then(|config| config::selector(&config.bytes, *rule));
                    edits.entry(path).or_default().extend(edit);
                }
                Remedy::Rename(to) if !source.exists(to) => {
                    plan.renames.push((path.clone(), to.clone()));
                }
                Remedy::Ignore if !is_ignored(source, path) => plan.ignores.push(path.clone()),
                Remedy::Rename(_) | Remedy::Ignore => {}
            }
        }
        plaintext.dedup();
        plan.ignores.dedup();
        plan.leave_inexact(&mut plaintext, &mut edits);
        plan.leave_to_git(&mut plaintext, scene, repo);
        plan.configs(examined, edits);
        plan.encrypt(scene, &plaintext);
        if settings.options.view == View::WorkTree {
            plan.leave_unwritable(source.root());
        }
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

    /// Leaves out files that cannot be written, so that they stop no other file.
    fn leave_unwritable(&mut self, root: &Path) {
        let failed: Vec<(RepoPath, StageError)> = self
            .operations()
            .chunks(1)
            .filter_map(|one| Some((one[0].target().clone(), stage::check(one, root, None).err()?)))
            .collect();
        self.leave_out(failed.iter().map(|(path, _)| path));
        for (path, error) in failed {
            self.refusals.push(Refusal::new(&path, error.reason(), error.help()));
            self.is_unwritable = true;
        }
    }

    /// Returns true if it does more than to give new content to files that no other file depends on.
    pub(super) fn changes_surroundings(&self) -> bool {
        self.corrects_configs() || !self.ignores.is_empty()
    }

    /// Returns true if it gives other names to files, or hides files from the next scan.
    pub(super) fn changes_names(&self) -> bool {
        !self.renames.is_empty() || !self.ignores.is_empty()
    }

    /// Returns the changed files with their new content.
    pub(super) fn contents(&self) -> Vec<Input> {
        let content = |change: &Change| Content::new(change.new.0.clone());
        let changes = self.changes.iter();
        changes.map(|one| Input { path: one.path.clone(), content: content(one) }).collect()
    }

    /// Returns true if configs are corrected or renamed.
    pub(super) fn corrects_configs(&self) -> bool {
        !self.renames.is_empty() || self.changes.iter().any(|change| change.encryption.is_none())
    }

    /// Keeps the configs alone: once they are corrected, other rules may govern the files.
    pub(super) fn leave_files_for_later(&mut self) {
        self.changes.retain(|change| change.encryption.is_none());
        self.refusals.clear();
        self.ignores.clear();
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
        let policy = policy.below(config_above(source.root()));
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

    /// Returns true if a file changes, or is refused.
    pub(super) fn is_about(&self, path: &RepoPath) -> bool {
        self.changes.iter().any(|change| change.path == *path)
            || self.renames.iter().any(|(from, _)| from == path)
            || self.ignores.contains(path)
            || self.refusals.iter().any(|refusal| refusal.path == *path)
    }

    /// Returns the number of files that change.
    pub(super) fn size(&self) -> usize {
        self.changes.len() + self.renames.len() + self.ignores.len()
    }

    /// Returns what a transaction has to write.
    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let kind = if self.is_staged { Operation::Stage } else { Operation::Replace };
        let renames = self.renames.iter().map(|(from, to)| Operation::Rename { from, to });
        let mut operations: Vec<_> = self.changes.iter().map(kind).chain(renames).collect();
        if !self.ignores.is_empty() {
            let lines = self.ignores.iter().map(ignore_line).collect();
            operations.push(Operation::Append { path: RepoPath::from(GITIGNORE), lines });
        }
        operations
    }

    /// Leaves out what could not be written.
    pub(super) fn leave_out<'p>(&mut self, failed: impl Iterator<Item = &'p RepoPath>) {
        let failed: HashSet<&RepoPath> = failed.collect();
        self.changes.retain(|change| !failed.contains(&change.path));
        self.renames.retain(|(_, to)| !failed.contains(to));
        if failed.contains(&RepoPath::from(GITIGNORE)) {
            self.ignores.clear();
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
pub(super) fn ignore_line(path: &RepoPath) -> String {
    let escaped: String = path
        .as_str()
        .chars()
        .flat_map(|c| if "*?[]\\!# ".contains(c) { vec!['\\', c] } else { vec![c] })
        .collect();
    format!("/{escaped}")
}
