//! Refs: branches, tags and others, and `HEAD`.
//!
//! A ref that cannot be read is an error: a history without its commits would look clean.

use std::io;

use gix::ObjectId;
use gix::refs::file::find::ReferenceDecode;
use gix::refs::{FullName, Target};

use super::error::GitError;
use super::objects::Peeled;
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
        let found = id.and_then(|id| self.peel(id));
        let commit = found.and_then(|found| match found {
            None | Some(Peeled::Commit(_)) => Ok(found.and_then(Peeled::commit)),
            Some(_) => Err("it leads to no commit".to_owned()),
        });
        commit.map_err(|reason| GitError::unreadable("HEAD", reason))
    }

    /// Returns what all refs lead to whose names begin with `prefix`: branches, tags and others.
    pub(super) fn refs(&self, prefix: &str) -> Vec<Result<Peeled, GitError>> {
        let refs = if self.has_tables() { self.in_tables() } else { self.in_files() };
        let refs = refs.unwrap_or_else(|error| vec![Err(error)]);
        let peel = |found: Result<Ref, GitError>| {
            let Ref { name, target } = match found {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            if !name.starts_with(prefix) {
                return None;
            }
            let id = match target {
                Target::Object(id) => Ok(Some(id)),
                Target::Symbolic(next) => self.follow(next),
            };
            let found = id.and_then(|id| self.peel(id)).transpose()?;
            Some(found.map_err(|reason| GitError::unreadable(&*name, reason)))
        };
        refs.into_iter().filter_map(peel).collect()
    }

    fn peel(&self, id: Option<ObjectId>) -> Result<Option<Peeled>, String> {
        id.map(|id| self.with(|objects| objects.peel(id))).transpose()
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
        let references = repo.references().map_err(|error| broken(&error))?;
        let references = references.all().map_err(|error| broken(&error))?;
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
            let found = repo.try_find_reference(&name).map_err(|error| reason(&error))?;
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
    let file = error.downcast_any_ref::<ReferenceDecode>();
    let name = file.map(|file| file.relative_path.display().to_string());
    GitError::unreadable(name.unwrap_or_else(|| "the refs".to_owned()), reason(error))
}

/// Returns the reason without the text that cannot be parsed: after a crash, it may be from any file.
fn reason(error: &gix::Error) -> String {
    if error.downcast_any_ref::<ReferenceDecode>().is_some() {
        "it contains neither an id nor the name of a ref".to_owned()
    } else if error.downcast_any_ref::<io::Error>().is_some() {
        error.to_string()
    } else {
        "packed-refs has a line that is not a ref".to_owned()
    }
}
