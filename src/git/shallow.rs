//! The ends of the history in a shallow clone.
//!
//! Git takes the commits that `.git/shallow` lists for commits without parents, whether it has these or not
//! (`commit-graft` in gitglossary). Any other missing commit is damage.

use std::collections::HashSet;

use gix::ObjectId;
use gix::objs::{Data, Find, Kind};

use super::error::GitError;
use super::objects::Objects;
use super::repo::Repo;

/// A reader of commits that hides the parents of those at the end of a shallow history.
pub(super) struct Commits {
    objects: Objects,
    ends: HashSet<ObjectId>,
}

impl Repo {
    /// Returns true if the clone lacks the beginning of history.
    pub fn is_shallow(&self) -> bool {
        self.shared.to_thread_local().is_shallow().unwrap_or(false)
    }

    pub(super) fn commits(&self) -> Result<Commits, GitError> {
        let ends = self.shared.to_thread_local().shallow_commits();
        let ends = ends.map_err(|error| GitError::unreadable("shallow", error))?;
        let ends = ends.into_iter().flat_map(|ends| ends.iter().copied().collect::<Vec<_>>());
        Ok(Commits { objects: self.stores.reader(), ends: ends.collect() })
    }
}

impl Find for Commits {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<Data<'a>>> {
        if !self.ends.contains(id) {
            return self.objects.try_find(id, buffer);
        }
        let Some(Data { kind: Kind::Commit, data, .. }) = self.objects.try_find(id, buffer)? else {
            return Ok(None);
        };
        *buffer = without_parents(data);
        Ok(Some(Data { kind: Kind::Commit, object_hash: id.kind(), data: buffer }))
    }
}

/// Removes the parents from a commit. They are lines of its header, which ends with an empty line.
fn without_parents(commit: &[u8]) -> Vec<u8> {
    let mut is_header = true;
    let lines = commit.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| {
        is_header &= *line != b"\n";
        !(is_header && line.starts_with(b"parent "))
    });
    kept.flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_header_has_parents() {
        let commit = b"tree 1\nparent 2\nparent 3\nauthor A\n\nx\nparent 4\n";
        assert_eq!(without_parents(commit), b"tree 1\nauthor A\n\nx\nparent 4\n");
    }
}
