//! The index: the content of the next commit.
#![expect(clippy::disallowed_methods, reason = "git names its index in the environment")]

use std::collections::HashMap;
use std::path::Path;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::index::entry::{Flags, Mode};
use gix::index::{Entry, State, extension};
use gix::objs::TreeRefIter;
use gix::objs::tree::EntryRef;

use super::error::GitError;
use super::objects::Objects;
use super::repo::Repo;
use super::tree::{self, Change, File};
use super::write;
use crate::path::RepoPath;

/// A snapshot of the index.
pub struct Index {
    state: Box<gix::index::File>,
    /// Reads the directories that are one entry in a sparse index.
    repo: Repo,
}

impl Repo {
    /// Reads the index that `GIT_INDEX_FILE` names, or the repository's own. It is empty before the first
    /// `git add`.
    pub fn index(&self) -> Result<Index, GitError> {
        let repo = self.shared.to_thread_local();
        let own = repo.index_path();
        // For git, the name is relative to the top of the work tree; for gix it is not.
        let named = std::env::var_os("GIT_INDEX_FILE").filter(|name| !name.is_empty());
        let top = self.work_tree().unwrap_or(repo.git_dir());
        let path = named.map_or(own, |name| top.join(name));
        let hash = repo.object_hash();
        if !path.exists() {
            let empty = State::new(hash);
            let state = Box::new(gix::index::File::from_state(empty, path));
            return Ok(Index { state, repo: self.clone() });
        }
        let index = gix::index::File::at(path, hash, false, gix::index::decode::Options::default());
        index
            .map(|state| Index { state: Box::new(state), repo: self.clone() })
            .map_err(|error| GitError::unreadable("the index", error))
    }

    /// Returns the regular files that the next commit would add or change, and those with one of these names
    /// that it would remove.
    pub fn staged(&self, index: &Index, decisive: &[&str]) -> Result<Vec<Change>, GitError> {
        let head = self.head()?.map(|commit| self.tree_of(commit)).transpose()?;
        let state: &State = &index.state;
        // The cached trees of a split index describe only the shared part.
        let cache = state.tree().filter(|_| state.link().is_none());
        self.with(|objects| {
            let mut walk = Walk { objects, state, decisive, changes: Vec::new() };
            walk.compare(state.entries(), 0, head, cache)?;
            Ok(walk.changes)
        })
    }
}

impl Index {
    /// Returns the regular file at a path.
    pub fn blob(&self, path: &str) -> Option<ObjectId> {
        if let Some(entry) = self.state.entry_by_path(BStr::new(path)) {
            return is_file(entry).then_some(entry.id);
        }
        let (tree, rest) = self.sparse(path)?;
        self.repo.file(tree, &RepoPath::from(rest))
    }

    /// Returns the tree of the sparse directory that contains a path, and the rest of the path.
    fn sparse<'p>(&self, path: &'p str) -> Option<(ObjectId, &'p str)> {
        if !self.state.is_sparse() {
            return None;
        }
        let slashes = path.match_indices('/').map(|(at, _)| at + 1);
        let mut directories = slashes.map(|end| path.split_at(end));
        directories.find_map(|(directory, rest)| {
            let entry = self.state.entry_by_path(BStr::new(directory))?;
            (entry.mode == Mode::DIR).then_some((entry.id, rest))
        })
    }

    /// Returns the regular file at a path, with its mode.
    pub fn entry(&self, path: &str) -> Option<write::Entry> {
        let found = self.state.entry_by_path(BStr::new(path));
        let entry = found.filter(|entry| is_file(entry))?;
        Some(write::Entry {
            path: RepoPath::from(path),
            blob: entry.id,
            is_executable: entry.mode == Mode::FILE_EXECUTABLE,
            skips_work_tree: entry.flags.contains(Flags::SKIP_WORKTREE),
            is_assumed_unchanged: entry.flags.contains(Flags::ASSUME_VALID),
        })
    }

    /// Returns true if git does not look for the file in the work tree: it is marked `skip-worktree`, or
    /// below a directory that is one entry of a sparse index.
    pub fn skips(&self, path: &str) -> bool {
        match self.state.entry_by_path(BStr::new(path)) {
            Some(entry) => entry.flags.contains(Flags::SKIP_WORKTREE),
            None => self.sparse(path).is_some(),
        }
    }

    /// Returns true if there is anything at or below a path.
    pub fn holds(&self, path: &str) -> bool {
        path.is_empty() || self.blob(path).is_some() || self.below(path).next().is_some()
    }

    /// Returns the regular files below a directory in order; `""` is the root.
    pub fn below(&self, directory: &str) -> Box<dyn Iterator<Item = File> + '_> {
        let state: &State = &self.state;
        if let Some((tree, rest)) = self.sparse(&format!("{directory}/")) {
            let files =
                self.files_in(tree, &format!("{directory}/")[..directory.len() + 1 - rest.len()]);
            let directory = directory.to_owned();
            return Box::new(files.filter(move |file| file.path.below(&directory).is_some()));
        }
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let from = |entry: &Entry| entry.path(state).as_bytes() < prefix.as_bytes();
        let entries = &state.entries()[state.entries().partition_point(from)..];
        let end = entries.partition_point(|entry| entry.path(state).starts_with(prefix.as_bytes()));
        Box::new(entries[..end].iter().flat_map(move |entry| {
            let is_directory = entry.mode == Mode::DIR;
            let own = is_file(entry).then(|| file(state, entry));
            let prefix = || entry.path(state).to_str_lossy();
            let inner = is_directory.then(|| self.files_in(entry.id, &prefix()));
            own.into_iter().chain(inner.into_iter().flatten())
        }))
    }

    /// Returns the files of a sparse directory, whose name ends with `/`; none if its tree is missing.
    fn files_in(&self, tree: ObjectId, directory: &str) -> impl Iterator<Item = File> + use<> {
        let files = self.repo.files(tree).unwrap_or_default();
        let directory = directory.to_owned();
        files.into_iter().map(move |File { path, blob }| {
            let path = RepoPath::from(&*format!("{directory}{path}"));
            File { path, blob }
        })
    }

    /// Returns the number of paths in conflict, which cannot be committed.
    pub fn unmerged(&self) -> usize {
        let entries = self.state.entries().iter().filter(|entry| entry.stage_raw() != 0);
        let mut paths: Vec<&BStr> = entries.map(|entry| entry.path(&self.state)).collect();
        paths.dedup();
        paths.len()
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} entries)", self.state.entries().len())
    }
}

/// Returns the paths of all regular files that git tracks in the work tree at `root`, sorted, without
/// those that are not UTF-8; `None` if there is no index.
pub fn tracked(root: &Path) -> Option<Vec<RepoPath>> {
    let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
    let repo = options.open(root).ok()?.to_thread_local();
    let index = repo.try_index().ok()??;
    let entries = index.entries().iter().filter(|entry| is_file(entry));
    let paths = entries.filter_map(|entry| entry.path(&index).to_str().ok());
    Some(paths.map(RepoPath::from).collect())
}

/// Returns true if the entry is a regular file that can be committed: not a link, a submodule, a
/// conflict, or a file that `git add --intent-to-add` only announced.
fn is_file(entry: &Entry) -> bool {
    matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE)
        && entry.stage_raw() == 0
        && !entry.flags.contains(Flags::INTENT_TO_ADD)
}

fn file(state: &State, entry: &Entry) -> File {
    File { path: path_of(entry.path(state)), blob: entry.id }
}

fn path_of(path: &BStr) -> RepoPath {
    RepoPath::from(&*path.to_str_lossy())
}

struct Walk<'w> {
    objects: &'w mut Objects,
    state: &'w State,
    decisive: &'w [&'w str],
    changes: Vec<Change>,
}

impl<'w> Walk<'w> {
    /// Compares the entries of a directory with its tree before. Its name, with the `/`, is `prefix` bytes
    /// long.
    fn compare(
        &mut self,
        entries: &'w [Entry],
        prefix: usize,
        before: Option<ObjectId>,
        cache: Option<&extension::Tree>,
    ) -> Result<(), GitError> {
        // The tree that git would commit for these entries, if it is cached. If it is the one of HEAD,
        // nothing changed. Otherwise it may not exist yet, so it is not read.
        let known =
            cache.filter(|tree| tree.num_entries.map(|n| n as usize) == Some(entries.len()));
        if known.is_some_and(|tree| Some(tree.id) == before) {
            return Ok(());
        }
        let bytes = before.map(|id| self.objects.tree(id)).transpose()?.unwrap_or_default();
        let old = entries_of(&bytes, self.objects)?;
        let mut present: Vec<&str> = Vec::new();
        let mut rest = entries;
        while let Some(entry) = rest.first() {
            let path = entry.path(self.state);
            let name = &path[prefix..];
            let Some(slash) = name.find_byte(b'/') else {
                rest = &rest[1..];
                let is_it = |one: &&str| name == one.as_bytes() && is_file(entry);
                present.extend(self.decisive.iter().copied().find(is_it));
                self.file(entry, old.get(&(name.as_bytes(), false)));
                continue;
            };
            let group = &path[..=prefix + slash];
            let end = rest.partition_point(|entry| entry.path(self.state).starts_with(group));
            let (inside, behind) = rest.split_at(end.max(1));
            let name = name[..slash].as_bytes();
            let before = old.get(&(name, true)).map(|entry| ObjectId::from(entry.oid));
            if entry.mode == Mode::DIR {
                self.sparse(group, before, entry.id)?;
            } else {
                let mut children = cache.into_iter().flat_map(|tree| &tree.children);
                let child = children.find(|child| child.name.as_slice() == name);
                self.compare(inside, group.len(), before, child)?;
            }
            rest = behind;
        }
        let directory = entries.first().map(|entry| &entry.path(self.state)[..prefix]);
        let directory = directory.unwrap_or_default().to_str_lossy();
        let was_there = |name: &&&str| {
            old.get(&(name.as_bytes(), false)).is_some_and(|entry| entry.mode.is_blob())
        };
        let removed = self.decisive.iter().filter(was_there).filter(|name| !present.contains(name));
        self.changes.extend(removed.map(|name| {
            let path = RepoPath::from(&*format!("{directory}{name}"));
            Change { path, now: None }
        }));
        Ok(())
    }

    fn file(&mut self, entry: &Entry, old: Option<&EntryRef<'_>>) {
        let is_old = old.is_some_and(|old| old.mode.is_blob() && old.oid == entry.id);
        if is_file(entry) && !is_old {
            let File { path, blob } = file(self.state, entry);
            self.changes.push(Change { path, now: Some(blob) });
        }
    }

    /// Compares a directory outside of a sparse checkout, which is one entry of a sparse index.
    fn sparse(
        &mut self,
        directory: &BStr,
        before: Option<ObjectId>,
        now: ObjectId,
    ) -> Result<(), GitError> {
        let directory = directory.to_str_lossy();
        for change in tree::changes(self.objects, before, Some(now))? {
            let path = RepoPath::from(&*format!("{directory}{}", change.path.as_str()));
            if change.now.is_some() || self.decisive.contains(&path.file_name()) {
                self.changes.push(Change { path, now: change.now });
            }
        }
        Ok(())
    }
}

/// Returns the entries of a tree, by name and by whether they are directories.
fn entries_of<'t>(
    bytes: &'t [u8],
    objects: &Objects,
) -> Result<HashMap<(&'t [u8], bool), EntryRef<'t>>, GitError> {
    let entries = TreeRefIter::from_bytes(bytes, objects.hash());
    let entries = entries
        .map(|entry| entry.map(|entry| ((entry.filename.as_bytes(), entry.mode.is_tree()), entry)));
    entries.collect::<Result<_, _>>().map_err(|error| GitError::unreadable("a tree", error))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::git::samples::{self, Numbers};

    const FILE: u32 = 0o100_644;

    /// Returns an index of version 2 with these files and with a cached tree, but without its checksum.
    fn sample(files: &[(&str, u32)]) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
        let mut index = [b"DIRC", &number(2)[..], &number(files.len())].concat();
        for (at, (path, mode)) in files.iter().enumerate() {
            let start = index.len();
            index.extend([0; 24]);
            index.extend(mode.to_be_bytes());
            index.extend([0; 12]);
            index.extend(samples::id(at).as_slice());
            index.extend(u16::try_from(path.len()).unwrap().to_be_bytes());
            index.extend(path.as_bytes());
            // One to eight NUL bytes end an entry at a multiple of eight.
            index.resize(start + (index.len() - start) / 8 * 8 + 8, 0);
        }
        let (root, directory) = (samples::id(1), samples::id(2));
        let root = [b"\x003 1\n", root.as_slice()].concat();
        let tree = [&root, &b"a\x001 0\n"[..], directory.as_slice()].concat();
        index.extend([b"TREE", &number(tree.len())[..], &tree].concat());
        index
    }

    #[test]
    fn damaged_indexes_are_errors_and_no_panics() {
        let directory = samples::repository();
        let repo = Repo::discover(directory.path()).unwrap();
        // Without a checksum, as `index.skipHash` writes it.
        let read = |index: &[u8]| {
            let index = [index, &[0; 20]].concat();
            fs::write(directory.path().join(".git/index"), index).unwrap();
            let index = repo.index().ok()?;
            let _ = (index.unmerged(), index.blob("a/b.yaml"), index.holds("a"));
            let _ = repo.staged(&index, &["c.yaml"]);
            Some(index.below("").count())
        };
        let whole = sample(&[("a/b.yaml", FILE), ("c.yaml", FILE), ("d.yaml", FILE)]);
        assert_eq!(read(&whole), Some(3));
        let mut numbers = Numbers(0x5eed);
        let mut survived = 0;
        for _ in 0..3000 {
            let mut index = whole.clone();
            for _ in 0..=numbers.below(3) {
                samples::damage(&mut index, &mut numbers);
            }
            survived += usize::from(read(&index).is_some());
        }
        assert!((100..2900).contains(&survived), "{survived}");
    }
}
