//! Earlier versions of encrypted files that have the same data key, from the history of a commit.
//!
//! Only versions of the file itself count: those at its path, and those at paths that the commit no longer
//! has, from which it may have been moved. A copy whose original is still there is another file: its
//! recipients were chosen, and none was removed from it.

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use crate::git::{File, GitError, Range, Repo};
use crate::input::Input;
use crate::judge::{self, Version};
use crate::path::RepoPath;
use crate::policy::CONFIG_NAME;
use crate::sops::signs::Sign;
use crate::source::Snapshot;

/// The maximum number of commits that are searched for earlier versions, if not all of the history is read
/// anyway.
pub(super) const MAX_COMMITS: usize = 10_000;

/// The maximum number of versions of one file that are kept. Each has other recipients.
const MAX_VERSIONS: usize = 100;

/// Finds the earlier versions of these files of a snapshot, and adds them to it. `limit`: the maximum number
/// of commits.
pub(super) fn with_same_key(
    snapshot: Snapshot,
    files: &[File],
    limit: Option<usize>,
) -> Result<Snapshot, GitError> {
    let Some(commit) = snapshot.commit else { return Ok(snapshot) };
    let repo = &snapshot.repo;
    let now: Vec<(&File, Version)> =
        files.par_iter().filter_map(|file| Some((file, read(repo, file)?))).collect();
    if now.is_empty() {
        return Ok(snapshot);
    }
    let range = Range { tips: vec![commit], limit, ..Range::default() };
    let brought = repo.brought(&range, CONFIG_NAME)?;
    let paths: HashSet<&RepoPath> = now.iter().map(|(file, _)| &file.path).collect();
    let may_be_earlier = |file: &File| {
        !snapshot.has(file) && (paths.contains(&file.path) || !snapshot.holds(&file.path))
    };
    let newcomers: Vec<&File> =
        brought.newcomers.iter().map(|one| &one.file).filter(|file| may_be_earlier(file)).collect();
    let earlier: Vec<(&File, Version)> =
        newcomers.into_par_iter().filter_map(|file| Some((file, read(repo, file)?))).collect();
    let earlier = Earlier::new(earlier, &paths);
    let found = now.iter().map(|(file, version)| (file.path.clone(), earlier.of(file, version)));
    let found: HashMap<RepoPath, Vec<File>> = found.filter(|(_, all)| !all.is_empty()).collect();
    let mut notes = Vec::new();
    if repo.is_shallow() {
        notes.push("the clone is shallow, so recipients who were removed without `sops rotate` before its oldest commit are not found".to_owned());
    } else if limit.is_some_and(|limit| brought.commits.len() >= limit) {
        notes.push(format!("only the last {MAX_COMMITS} commits were searched for recipients who were removed without `sops rotate`; `sops-lint scan --history` searches all"));
    }
    Ok(snapshot.with_same_key(found, notes))
}

/// Reads a version of a file; `None` if it is not encrypted or cannot be read.
fn read(repo: &Repo, file: &File) -> Option<Version> {
    let content = repo.read(file.blob).ok()?;
    judge::version(&Input { path: file.path.clone(), content })
}

/// All earlier versions of encrypted files.
struct Earlier<'e> {
    versions: Vec<(&'e File, Version)>,
    /// The versions that have a sign.
    by_sign: HashMap<Sign, Vec<usize>>,
    /// The paths of the files whose versions are wanted.
    paths: &'e HashSet<&'e RepoPath>,
}

impl<'e> Earlier<'e> {
    fn new(versions: Vec<(&'e File, Version)>, paths: &'e HashSet<&'e RepoPath>) -> Self {
        let mut by_sign: HashMap<Sign, Vec<usize>> = HashMap::new();
        for (at, (_, version)) in versions.iter().enumerate() {
            for sign in &version.signs {
                by_sign.entry(*sign).or_default().push(at);
            }
        }
        Self { versions, by_sign, paths }
    }

    /// Returns the versions of a file with the same data key and with recipients that it no longer has: one
    /// for each set of recipients.
    fn of(&self, file: &File, now: &Version) -> Vec<File> {
        let mut is_seen = vec![false; self.versions.len()];
        let mut waiting = vec![now];
        let mut signs: HashSet<Sign> = HashSet::new();
        let mut known: HashSet<&BTreeSet<String>> = HashSet::new();
        let mut found = Vec::new();
        // Two versions may share no sign, and each may share one with a third.
        while let Some(version) = waiting.pop() {
            for sign in version.signs.iter().filter(|sign| signs.insert(**sign)) {
                for at in self.by_sign.get(sign).into_iter().flatten() {
                    let (earlier, version) = &self.versions[*at];
                    let is_own = earlier.path == file.path || !self.paths.contains(&earlier.path);
                    if is_own && !std::mem::replace(&mut is_seen[*at], true) {
                        waiting.push(version);
                        let has_left = !version.recipients.is_subset(&now.recipients);
                        let is_other = known.insert(&version.recipients);
                        if has_left && is_other && found.len() < MAX_VERSIONS {
                            found.push((*earlier).clone());
                        }
                    }
                }
            }
        }
        found.sort_by(|one, other| (&one.path, one.blob).cmp(&(&other.path, other.blob)));
        found
    }
}
