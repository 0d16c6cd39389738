//! A transaction that was checked and has not written anything yet.

use std::path::Path;

use super::error::StageError;
use super::file;
use super::journal::{Entry, Record};
use super::operation::Operation;
use crate::fix::change::{Bytes, Change};
use crate::git::{self, Repo};
use crate::path::RepoPath;

/// New content for a file.
pub(super) struct Put {
    pub(super) path: RepoPath,
    pub(super) temporary: RepoPath,
    /// Its present content; `None` if there is no such file.
    pub(super) old: Option<Bytes>,
    pub(super) new: Bytes,
    /// True if the work tree gets what git makes of the new content: other line ends, for example.
    pub(super) is_filtered: bool,
    /// Its entry in the index, if that changes too.
    pub(super) staged: Option<git::Entry>,
}

/// Everything that a transaction will write.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) puts: Vec<Put>,
    renames: Vec<(RepoPath, RepoPath)>,
}

impl Draft {
    /// Checks all operations: the first that cannot be done is the error.
    pub(super) fn of(
        operations: &[Operation<'_>],
        root: &Path,
        repo: Option<&Repo>,
    ) -> Result<Self, StageError> {
        let mut draft = Self::default();
        let is_staged = operations.iter().any(|one| matches!(one, Operation::Stage(_)));
        let index = match repo.filter(|_| is_staged) {
            Some(repo) if repo.has_partial_index() => return Err(StageError::PartialCommit),
            Some(repo) => Some((repo, repo.index()?)),
            None => None,
        };
        for operation in operations {
            match operation {
                Operation::Replace(change) => draft.puts.push(replaced(root, change)?),
                Operation::Stage(change) => {
                    let (repo, index) = index.as_ref().expect("an index belongs to a repository");
                    draft.puts.push(staged(root, change, repo, index)?);
                }
                Operation::Rename { from, to } => {
                    file::check_regular(root, from)?;
                    file::check_free(root, to)?;
                    draft.renames.push(((*from).clone(), (*to).clone()));
                }
                Operation::Append { path, lines } => draft.puts.push(appended(root, path, lines)?),
            }
        }
        Ok(draft)
    }

    /// Checks once more that no file changed, right before the transaction is decided.
    pub(super) fn check(&self, root: &Path) -> Result<(), StageError> {
        for put in &self.puts {
            match &put.old {
                Some(old) => file::check(root, &put.path, old)?,
                None => file::check_free(root, &put.path)?,
            }
        }
        self.renames.iter().try_for_each(|(_, to)| file::check_free(root, to))
    }

    /// Returns what the journal gets, in the order in which it is carried out.
    pub(super) fn record(&self) -> Record {
        let text = |path: &RepoPath| path.as_str().to_owned();
        let puts = self.puts.iter().map(|put| {
            let (path, temporary) = (text(&put.path), text(&put.temporary));
            match &put.old {
                Some(old) => Entry::Replace { path, temporary, old: file::digest(&old.0) },
                None => Entry::Create { path, temporary },
            }
        });
        let renames =
            self.renames.iter().map(|(from, to)| Entry::Rename { from: text(from), to: text(to) });
        let staged = self
            .staged()
            .map(|entry| Entry::Stage { path: text(&entry.path), blob: entry.blob.to_string() });
        Record::new(puts.chain(renames).chain(staged).collect())
    }

    /// Returns the new entries of the index.
    pub(super) fn staged(&self) -> impl Iterator<Item = &git::Entry> {
        self.puts.iter().filter_map(|put| put.staged.as_ref())
    }
}

/// Checks that operations can be done now. [`Stage::commit`] checks it again.
///
/// [`Stage::commit`]: super::Stage::commit
pub fn check(
    operations: &[Operation<'_>],
    root: &Path,
    repo: Option<&Repo>,
) -> Result<(), StageError> {
    Draft::of(operations, root, repo).map(|_| ())
}

fn put(path: &RepoPath, old: Option<Bytes>, new: Bytes) -> Put {
    let temporary = file::temporary_beside(path);
    Put { path: path.clone(), temporary, old, new, is_filtered: false, staged: None }
}

fn replaced(root: &Path, change: &Change) -> Result<Put, StageError> {
    file::check(root, &change.path, &change.old)?;
    Ok(put(&change.path, Some(change.old.clone()), change.new.clone()))
}

/// The work tree must have what the index has, once filters were applied.
fn staged(
    root: &Path,
    change: &Change,
    repo: &Repo,
    index: &git::Index,
) -> Result<Put, StageError> {
    let Change { path, old, new, .. } = change;
    let old_blob = repo.blob_of(&old.0);
    let entry = index.entry(path.as_str()).filter(|entry| entry.blob == old_blob);
    let entry = entry.ok_or_else(|| StageError::Changed(path.clone()))?;
    if !file::is_there(root, path) {
        return Err(StageError::PartlyStaged(path.clone()));
    }
    let present = file::read(root, path)?;
    let is_filtered = present != *old;
    if is_filtered && repo.blob_at(path) != Some(old_blob) {
        return Err(StageError::PartlyStaged(path.clone()));
    }
    if is_filtered && !is_restored(path, (&present, old), repo, old_blob) {
        return Err(StageError::Converted(path.clone()));
    }
    file::check(root, path, &present)?;
    let staged = Some(git::Entry { blob: repo.blob_of(&new.0), ..entry });
    Ok(Put { is_filtered, staged, ..put(path, Some(present), new.clone()) })
}

/// Reports whether git converts nothing but line ends, or would check out exactly the present file.
fn is_restored(
    path: &RepoPath,
    (present, old): (&Bytes, &Bytes),
    repo: &Repo,
    old_blob: git::ObjectId,
) -> bool {
    lines(present).eq(lines(old)) || repo.converted(path, old_blob).as_ref() == Some(&present.0)
}

/// Returns the lines without their ends, `\n` or `\r\n`.
fn lines(bytes: &Bytes) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.0.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn appended(root: &Path, path: &RepoPath, lines: &[String]) -> Result<Put, StageError> {
    let old = if file::is_there(root, path) {
        let old = file::read(root, path)?;
        file::check(root, path, &old)?;
        Some(old)
    } else {
        file::check_free(root, path)?;
        None
    };
    let mut new = old.clone().unwrap_or_default().0;
    if !new.is_empty() && !new.ends_with(b"\n") {
        new.push(b'\n');
    }
    for line in lines {
        new.extend(line.bytes());
        new.push(b'\n');
    }
    Ok(put(path, old, Bytes(new)))
}
