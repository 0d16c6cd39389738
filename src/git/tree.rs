//! The files of a tree, and the differences between two trees.

use std::cmp::Ordering;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::TreeRefIter;
use gix::objs::tree::{EntryRef, name_order};

use super::error::GitError;
use super::objects::Objects;
use crate::path::RepoPath;

/// Nested directories; deeper trees are malicious.
const MAX_DEPTH: usize = 512;

/// Entries of one tree, or differences between two. A tree may contain the same tree many times, and so may
/// that one: a few objects can describe more paths than a disk has files.
const MAX_ENTRIES: usize = 2_000_000;

/// A regular file and its content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct File {
    /// The path, with `U+FFFD` for bytes that are not UTF-8.
    pub path: RepoPath,
    /// The content.
    pub blob: ObjectId,
}

/// A path with other content than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// The regular file that is there now.
    pub now: Option<ObjectId>,
}

/// Returns all regular files, sorted by path.
pub(super) fn files(objects: &mut Objects, tree: ObjectId) -> Result<Vec<File>, GitError> {
    let changes = changes(objects, None, Some(tree))?;
    let files = changes.into_iter().filter_map(|change| Some((change.path, change.now?)));
    let mut files: Vec<File> = files.map(|(path, blob)| File { path, blob }).collect();
    // Trees sort a directory as if its name ended with `/`, which differs from the order of paths.
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Returns the regular file at this path.
pub(super) fn file(
    objects: &mut Objects,
    mut tree: ObjectId,
    path: &RepoPath,
) -> Result<Option<ObjectId>, GitError> {
    let mut names = path.as_str().split('/').peekable();
    while let Some(name) = names.next() {
        let bytes = objects.tree(tree)?;
        let mut entries = TreeRefIter::from_bytes(&bytes, objects.hash()).flatten();
        let Some(entry) = entries.find(|entry| entry.filename == name) else { return Ok(None) };
        if names.peek().is_none() {
            return Ok(is_file(&entry).then(|| entry.oid.into()));
        }
        if !entry.mode.is_tree() {
            return Ok(None);
        }
        tree = entry.oid.into();
    }
    Ok(None)
}

/// Returns the regular files that are new or different in `new`, and the paths that no longer have one.
pub(super) fn changes(
    objects: &mut Objects,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Result<Vec<Change>, GitError> {
    let mut walk =
        Walk { objects, prefix: String::new(), depth: 0, entries: 0, changes: Vec::new() };
    walk.compare(old, new)?;
    Ok(walk.changes)
}

struct Walk<'w> {
    objects: &'w mut Objects,
    /// The directory with its `/`; empty for the root.
    prefix: String,
    depth: usize,
    /// The number of entries so far.
    entries: usize,
    changes: Vec<Change>,
}

impl Walk<'_> {
    fn compare(&mut self, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<(), GitError> {
        if old == new {
            return Ok(());
        }
        if self.depth > MAX_DEPTH {
            let reason = format!("it has more than {MAX_DEPTH} nested directories");
            return Err(GitError::unreadable("a tree", reason));
        }
        let old = old.map(|id| self.objects.tree(id)).transpose()?.unwrap_or_default();
        let new = new.map(|id| self.objects.tree(id)).transpose()?.unwrap_or_default();
        let kind = self.objects.hash();
        let (mut old, mut new) = (&old[..], &new[..]);
        loop {
            let common = common(old, new, kind);
            (old, new) = (&old[common..], &new[common..]);
            let (before, after) = (first(old, kind)?, first(new, kind)?);
            let order = match (&before, &after) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => in_tree(old, new),
            };
            if order.is_le() {
                old = behind(old, kind);
            }
            if order.is_ge() {
                new = behind(new, kind);
            }
            self.entry(before.filter(|_| order.is_le()), after.filter(|_| order.is_ge()))?;
        }
    }

    /// Compares two entries of the same name and kind, or one with nothing.
    fn entry(
        &mut self,
        old: Option<EntryRef<'_>>,
        new: Option<EntryRef<'_>>,
    ) -> Result<(), GitError> {
        let Some(either) = new.or(old) else { return Ok(()) };
        let is_same = |(old, new): (EntryRef<'_>, EntryRef<'_>)| {
            old.oid == new.oid && is_file(&old) == is_file(&new)
        };
        if old.zip(new).is_some_and(is_same) {
            return Ok(());
        }
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(GitError::TooManyFiles(MAX_ENTRIES));
        }
        let length = self.prefix.len();
        self.prefix.push_str(&either.filename.to_str_lossy());
        if either.mode.is_tree() {
            self.prefix.push('/');
            self.depth += 1;
            self.compare(old.map(|old| old.oid.into()), new.map(|new| new.oid.into()))?;
            self.depth -= 1;
        } else if old.is_some_and(|old| is_file(&old)) || new.is_some_and(|new| is_file(&new)) {
            let now = new.filter(is_file).map(|new| new.oid.into());
            self.changes.push(Change { path: self.prefix.as_str().into(), now });
        }
        self.prefix.truncate(length);
        Ok(())
    }
}

/// Returns the length of the entries that two trees begin with in common. Most entries are the same, and
/// those are not parsed.
fn common(old: &[u8], new: &[u8], kind: gix::hash::Kind) -> usize {
    let mut at = 0;
    while let Some(length) = length(&new[at..], kind) {
        if old.get(at..at + length) != Some(&new[at..at + length]) {
            break;
        }
        at += length;
    }
    at
}

/// Returns the length of the first entry: mode and name, a NUL, an id.
fn length(tree: &[u8], kind: gix::hash::Kind) -> Option<usize> {
    let length = memchr::memchr(0, tree)? + 1 + kind.len_in_bytes();
    (length <= tree.len()).then_some(length)
}

fn first(tree: &[u8], kind: gix::hash::Kind) -> Result<Option<EntryRef<'_>>, GitError> {
    let entry = TreeRefIter::from_bytes(tree, kind).next().transpose();
    entry.map_err(|error| GitError::unreadable("a tree", error))
}

fn behind(tree: &[u8], kind: gix::hash::Kind) -> &[u8] {
    &tree[length(tree, kind).unwrap_or(tree.len())..]
}

/// Returns true unless the entry is a link, a submodule or a directory.
fn is_file(entry: &EntryRef<'_>) -> bool {
    entry.mode.is_blob()
}

fn in_tree(old: &EntryRef<'_>, new: &EntryRef<'_>) -> Ordering {
    name_order(old.filename, old.mode.is_tree(), new.filename, new.mode.is_tree())
}
