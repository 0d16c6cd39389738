//! Refs: branches, tags and others, and `HEAD`.
//!
//! A ref that cannot be read is an error: a history without its commits would look clean.

use gix::ObjectId;
use gix::refs::file::find::ReferenceDecode;
use gix::refs::{FullName, Target};

use super::error::GitError;
use super::program;
use super::repo::Repo;

/// Symbolic refs that lead to one another (`SYMREF_MAXDEPTH` in git).
const MAX_LINKS: usize = 5;

/// A ref and what it leads to.
struct Ref {
    name: String,
    target: Target,
}

impl Repo {
    /// Returns the commit at `HEAD`; `None` before the first commit.
    pub fn head(&self) -> Result<Option<ObjectId>, GitError> {
        let id = if self.has_tables() {
            match program::object(&self.start, "HEAD") {
                None if !program::is_symbolic(&self.start, "HEAD") => {
                    Err("git does not know it".to_owned())
                }
                id => Ok(id),
            }
        } else {
            self.follow("HEAD".try_into().expect("a valid name"))
        };
        let commit = id.and_then(|id| self.peel(id));
        commit.map_err(|reason| GitError::unreadable("HEAD", reason))
    }

    /// Returns the commits of all refs whose names begin with `prefix`: branches, tags and others. Those of
    /// trees and blobs have none.
    pub(super) fn refs(&self, prefix: &str) -> Vec<Result<ObjectId, GitError>> {
        let refs = if self.has_tables() { self.in_tables() } else { self.in_files() };
        let refs = refs.unwrap_or_else(|error| vec![Err(error)]);
        let commit = |found: Result<Ref, GitError>| {
            let Ref { name, target } = match found {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            if !name.starts_with(prefix) {
                return None;
            }
            let unreadable = |reason| GitError::unreadable(&*name, reason);
            let id = match target {
                Target::Object(id) => Ok(Some(id)),
                Target::Symbolic(next) => self.follow(next),
            };
            id.and_then(|id| self.peel(id)).map_err(unreadable).transpose()
        };
        refs.into_iter().filter_map(commit).collect()
    }

    fn peel(&self, id: Option<ObjectId>) -> Result<Option<ObjectId>, String> {
        id.map_or(Ok(None), |id| self.with(|objects| objects.peel(id)))
    }

    /// Reports whether the refs are in a `reftable`, which gix does not read.
    fn has_tables(&self) -> bool {
        let repo = self.shared.to_thread_local();
        let storage = repo.config_snapshot().string("extensions.refStorage");
        storage.is_some_and(|storage| storage.starts_with(b"reftable"))
    }

    fn in_tables(&self) -> Result<Vec<Result<Ref, GitError>>, GitError> {
        let refs = program::refs(&self.start);
        let refs =
            refs.ok_or_else(|| GitError::unreadable("the refs", "git could not list them"))?;
        let refs = refs.into_iter().map(|(name, id)| Ok(Ref { name, target: Target::Object(id) }));
        Ok(refs.collect())
    }

    fn in_files(&self) -> Result<Vec<Result<Ref, GitError>>, GitError> {
        let repo = self.shared.to_thread_local();
        let unreadable = |error| GitError::unreadable("the refs", error);
        let references = repo.references();
        let references = references.map_err(|error| GitError::unreadable("packed-refs", error))?;
        let references = references.all().map_err(unreadable)?;
        let refs = references.map(|found| {
            let found = found.map_err(|error| broken(&error))?.detach();
            Ok(Ref { name: found.name.to_string(), target: found.target })
        });
        Ok(refs.collect())
    }

    /// Returns the object that a name leads to; `None` if it leads to a branch without a commit.
    fn follow(&self, mut name: FullName) -> Result<Option<ObjectId>, String> {
        let repo = self.shared.to_thread_local();
        for _ in 0..=MAX_LINKS {
            let found = repo.try_find_reference(&name).map_err(|error| error.to_string())?;
            match found.map(|found| found.detach().target) {
                None => return Ok(None),
                Some(Target::Object(id)) => return Ok(Some(id)),
                Some(Target::Symbolic(next)) => name = next,
            }
        }
        Err(format!("it leads to more than {MAX_LINKS} other refs"))
    }
}

/// Returns the error of a ref that is a damaged file, or a damaged line of `packed-refs`.
fn broken(error: &gix::Error) -> GitError {
    match error.downcast_any_ref::<ReferenceDecode>() {
        Some(file) => {
            let name = file.relative_path.display().to_string();
            GitError::unreadable(name, "it contains neither an id nor the name of a ref")
        }
        None => GitError::unreadable("the refs", error),
    }
}
