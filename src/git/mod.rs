//! The one door to git: the index, commits, trees and blobs, read with gix.
//!
//! What little is written, the git program writes. Objects are read as they are: replacements (`git replace`) are not followed,
//! since what is committed and pushed is the object that was replaced.

mod history;
mod index;
mod objects;
mod packs;
mod program;
mod range;
mod tree;
mod write;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::ThreadId;

use gix::discover::upwards;
use gix::sec::Trust;

pub use gix::ObjectId;
pub use history::{Brought, Commit, Newcomer};
pub use index::{Index, tracked};
pub use range::Range;
pub use tree::{Change, File};
pub use write::{Entry, InPlaintext};

use crate::input::Content;
use crate::path::RepoPath;
use objects::{Objects, Stores};

/// Why git could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository.
    #[error("no git repository holds {}", .0.display())]
    NoRepository(PathBuf),
    /// Something in the repository cannot be read.
    #[error("cannot read {what} of the git repository: {reason}")]
    Unreadable {
        /// What was to be read.
        what: String,
        /// What gix says.
        reason: String,
    },
    /// A tree that stands for more files than are read.
    #[error("a tree of the git repository has more than {0} files and directories")]
    TooManyFiles(usize),
    /// Something in the repository cannot be written.
    #[error("cannot write {what} of the git repository: {reason}")]
    Unwritable {
        /// What was to be written.
        what: String,
        /// What stands in the way.
        reason: String,
    },
    /// Nothing has this name.
    #[error("git knows no commit {0}")]
    UnknownCommit(String),
    /// Two commits have no common ancestor.
    #[error("{base} and {head} have no commit in common")]
    NoMergeBase {
        /// One.
        base: String,
        /// The other.
        head: String,
    },
    /// A range of commits that cannot be understood.
    #[error("{0} is no range of commits")]
    BadRange(String),
    /// A history that ends before its beginning.
    #[error("the clone is shallow: most of its history is missing")]
    Shallow,
}

impl GitError {
    /// The next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoRepository(_) => "change to a directory of the repository",
            Self::Unreadable { .. } => "run `git fsck`",
            Self::TooManyFiles(_) => "check out the part that matters, and scan it as files",
            Self::Unwritable { .. } => {
                "wait for other git programs to end; if there are none, and index.lock is still there, remove it"
            }
            Self::UnknownCommit(_) => {
                "name a branch, a tag or a commit that was fetched; paths come behind `--`"
            }
            Self::NoMergeBase { .. } => "name the commit that the changes began with",
            Self::BadRange(_) => "write it as in `git log`: main..feature, or \"NEW --not --all\"",
            Self::Shallow => "fetch the rest with `git fetch --unshallow`",
        }
    }

    fn unreadable(what: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Unreadable { what: what.into(), reason: reason.to_string() }
    }
}

/// A repository that was opened. A clone has readers of its own.
pub struct Repo {
    shared: gix::ThreadSafeRepository,
    /// Where the search began, for what only the git program can answer.
    start: PathBuf,
    stores: Stores,
    /// The readers of threads, while they are not at it: what one remembers serves the same thread best.
    idle: Mutex<HashMap<ThreadId, Objects>>,
}

impl Repo {
    /// The repository that `GIT_DIR` names, or the one that holds `start`.
    ///
    /// Whose it is does not matter: to read it runs nothing that its configuration names. Where `fix` writes
    /// what is staged, the git program does, with the filters of the repository.
    pub fn discover(start: &Path) -> Result<Self, GitError> {
        let options = upwards::Options {
            trust: upwards::TrustPolicy::Assume(Trust::Full),
            ..upwards::Options::default()
        };
        let found = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
            start,
            options,
            gix::sec::trust::Mapping::default(),
        );
        let shared = found.map_err(|error| {
            if error.downcast_any_ref::<upwards::Error>().is_some() {
                GitError::NoRepository(start.to_path_buf())
            } else {
                GitError::unreadable("the configuration", error)
            }
        })?;
        let stores = Stores::open(&shared)?;
        Ok(Self { shared, start: start.to_path_buf(), stores, idle: Mutex::default() })
    }

    /// The top of the work tree; `None` of a bare repository.
    pub fn work_tree(&self) -> Option<&Path> {
        self.shared.work_tree.as_deref()
    }

    /// The directory in which git looks for hooks.
    pub fn hooks(&self) -> Result<PathBuf, GitError> {
        program::hooks(&self.start)
            .ok_or_else(|| GitError::unreadable("the place of the hooks", "git gave no answer"))
    }

    /// Whether a directory belongs to this repository alone: its own, or part of its work tree.
    pub fn is_own(&self, directory: &Path) -> bool {
        let repo = self.shared.to_thread_local();
        let homes = [Some(repo.common_dir()), self.work_tree()];
        let mut homes = homes.into_iter().flatten().map(objects::canonical);
        let directory = objects::canonical(directory);
        homes.any(|home| directory.starts_with(home))
    }

    /// The commit that a name means.
    pub fn commit(&self, name: &str) -> Result<ObjectId, GitError> {
        let unknown = || GitError::UnknownCommit(name.to_owned());
        let found = if let Ok(id) = ObjectId::from_hex(name.as_bytes()) {
            // It may lie in a quarantine, where gix would not look for it.
            Some(id)
        } else {
            let repo = self.shared.to_thread_local();
            repo.rev_parse_single(name).ok().map(gix::Id::detach)
        };
        let peeled = found.and_then(|id| self.with(|objects| objects.peel(id)));
        peeled.or_else(|| program::commit(&self.start, name)).ok_or_else(unknown)
    }

    /// The commit at `HEAD`; `None` before the first.
    pub fn head(&self) -> Option<ObjectId> {
        self.commit("HEAD").ok()
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: ObjectId) -> Result<ObjectId, GitError> {
        self.with(|objects| objects.commit(commit)).map(|commit| commit.tree)
    }

    /// Whether the beginning of history was left out when it was cloned.
    pub fn is_shallow(&self) -> bool {
        self.shared.to_thread_local().is_shallow().unwrap_or(false)
    }

    /// The best common ancestor of two commits.
    pub fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>, GitError> {
        let objects = self.stores.reader();
        let mut graph = gix::revwalk::Graph::new(&objects, None);
        gix::revision::plumbing::merge_base(one, &[other], &mut graph)
            .map(|bases| bases.map(|bases| *bases.first()))
            .map_err(|error| GitError::unreadable("the history", error))
    }

    /// All regular files of a tree, sorted by path.
    pub fn files(&self, tree: ObjectId) -> Result<Vec<File>, GitError> {
        self.with(|objects| tree::files(objects, tree))
    }

    /// What is different in the second tree; the first one is empty without it.
    pub fn changes(&self, old: Option<ObjectId>, new: ObjectId) -> Result<Vec<Change>, GitError> {
        self.with(|objects| tree::changes(objects, old, Some(new)))
    }

    /// Whether a tree has a regular file at this path.
    pub fn has_file(&self, tree: ObjectId, path: &RepoPath) -> bool {
        self.file(tree, path).is_some()
    }

    /// The regular file at a path of a tree.
    pub fn file(&self, tree: ObjectId, path: &RepoPath) -> Option<ObjectId> {
        self.with(|objects| tree::file(objects, tree, path)).ok().flatten()
    }

    /// What stands in a blob. One that is too large is not read.
    pub fn read(&self, blob: ObjectId) -> io::Result<Content> {
        self.with(|objects| objects.read(blob)).map_err(io::Error::other)
    }

    /// Lends a reader to `work`. Every thread has its own, with what it remembers.
    fn with<T>(&self, work: impl FnOnce(&mut Objects) -> T) -> T {
        let thread = std::thread::current().id();
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.remove(&thread));
        let mut objects = idle.unwrap_or_else(|| self.stores.reader());
        let result = work(&mut objects);
        if let Ok(mut idle) = self.idle.lock() {
            idle.insert(thread, objects);
        }
        result
    }
}

impl Clone for Repo {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            start: self.start.clone(),
            stores: self.stores.clone(),
            idle: Mutex::default(),
        }
    }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repo({})", self.shared.work_tree.as_deref().unwrap_or(&self.start).display())
    }
}
