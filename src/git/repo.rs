//! An open repository.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::ThreadId;

use gix::ObjectId;
use gix::discover::upwards;
use gix::sec::Trust;

use super::error::GitError;
use super::objects::{self, Objects, Peeled, Stores};
use super::tree::{Change, File};
use super::{program, tree};
use crate::input::Content;
use crate::path::RepoPath;

/// An open repository. A clone has its own readers.
pub struct Repo {
    pub(super) shared: gix::ThreadSafeRepository,
    /// The directory where the search began, for the git program.
    pub(super) start: PathBuf,
    pub(super) stores: Stores,
    /// The readers that are not in use, by thread: the cache of a reader serves its own thread best.
    idle: Mutex<HashMap<ThreadId, Objects>>,
}

impl Repo {
    /// Opens the repository that `GIT_DIR` names, or the one that contains `start`.
    ///
    /// Its owner does not matter: nothing that its configuration names is run.
    pub fn discover(start: &Path) -> Result<Self, GitError> {
        let options = upwards::Options {
            trust: upwards::TrustPolicy::Assume(Trust::Full),
            ..upwards::Options::default()
        };
        let limit = format!("gitoxide.objects.allocLimit={}", objects::MAX_ALLOCATION);
        let mut open = gix::sec::trust::Mapping::<gix::open::Options>::default();
        open.full = open.full.config_overrides([limit]);
        let found = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
            start, options, open,
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

    /// Returns the top of the work tree; `None` in a bare repository.
    pub fn work_tree(&self) -> Option<&Path> {
        self.shared.work_tree.as_deref()
    }

    /// Returns the directory in which git looks for hooks.
    pub fn hooks(&self) -> Result<PathBuf, GitError> {
        program::hooks(&self.start)
            .ok_or_else(|| GitError::unreadable("the directory of the hooks", "git gave no answer"))
    }

    /// Returns true if a directory belongs only to this repository: its own, or a part of its work tree.
    pub fn is_own(&self, directory: &Path) -> bool {
        let repo = self.shared.to_thread_local();
        let homes = [Some(repo.common_dir()), self.work_tree()];
        let mut homes = homes.into_iter().flatten().map(objects::canonical);
        let directory = objects::canonical(directory);
        homes.any(|home| directory.starts_with(home))
    }

    /// Returns the commit with this name.
    pub fn commit(&self, name: &str) -> Result<ObjectId, GitError> {
        let found = self.object(name)?;
        found.commit().ok_or_else(|| GitError::UnknownCommit(name.to_owned()))
    }

    /// Returns the commit, tree or blob with this name.
    pub(super) fn object(&self, name: &str) -> Result<Peeled, GitError> {
        let found = if let Ok(id) = ObjectId::from_hex(name.as_bytes()) {
            // It may be in quarantine, where gix does not look.
            Some(id)
        } else {
            let repo = self.shared.to_thread_local();
            repo.rev_parse_single(name).ok().map(gix::Id::detach)
        };
        let peeled = found.and_then(|id| self.with(|objects| objects.peel(id)).ok());
        let in_git = || program::commit(&self.start, name).map(Peeled::Commit);
        peeled.or_else(in_git).ok_or_else(|| GitError::UnknownCommit(name.to_owned()))
    }

    /// Returns the tree of a commit.
    pub fn tree_of(&self, commit: ObjectId) -> Result<ObjectId, GitError> {
        self.with(|objects| objects.commit(commit)).map(|commit| commit.tree)
    }

    /// Returns the best common ancestor of two commits.
    pub fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>, GitError> {
        let objects = self.stores.reader();
        let mut graph = gix::revwalk::Graph::new(&objects, None);
        gix::revision::plumbing::merge_base(one, &[other], &mut graph)
            .map(|bases| bases.map(|bases| *bases.first()))
            .map_err(|error| GitError::unreadable("the history", error))
    }

    /// Returns all regular files of a tree, sorted by path.
    pub fn files(&self, tree: ObjectId) -> Result<Vec<File>, GitError> {
        self.with(|objects| tree::files(objects, tree))
    }

    /// Returns the differences from the first tree to the second; `None` is the empty tree.
    pub fn changes(&self, old: Option<ObjectId>, new: ObjectId) -> Result<Vec<Change>, GitError> {
        self.with(|objects| tree::changes(objects, old, Some(new)))
    }

    /// Returns true if a tree has a regular file at this path.
    pub fn has_file(&self, tree: ObjectId, path: &RepoPath) -> bool {
        self.file(tree, path).is_some()
    }

    /// Returns the regular file at a path of a tree.
    pub fn file(&self, tree: ObjectId, path: &RepoPath) -> Option<ObjectId> {
        self.with(|objects| tree::file(objects, tree, path)).ok().flatten()
    }

    /// Returns the content of a blob. One that is too large is not read.
    pub fn read(&self, blob: ObjectId) -> io::Result<Content> {
        self.with(|objects| objects.read(blob)).map_err(io::Error::other)
    }

    /// Prepares for reading most of the objects.
    pub fn open_packs(&self) {
        self.stores.open_packs();
    }

    /// Lends a reader to `work`. Every thread has its own, with its cache.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Objects) -> T) -> T {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::samples::{self, SamplePack};

    /// Found by the fuzz target `packs`: 3 KB of a pack took 2 GB of memory.
    #[test]
    fn an_object_that_claims_to_be_huge_is_not_given_the_memory() {
        let directory = samples::repository();
        SamplePack::claiming(1 << 31).write(&directory.path().join(".git/objects"));
        let repo = Repo::discover(directory.path()).unwrap();
        let error = repo.tree_of(samples::id(0)).unwrap_err().to_string();
        assert!(error.contains("too large to fit in memory"), "{error}");
    }
}
