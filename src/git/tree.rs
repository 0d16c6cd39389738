//! The files of a tree, and what is different in another.

use std::cmp::Ordering;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::TreeRefIter;
use gix::objs::tree::{EntryRef, name_order};

use super::GitError;
use super::objects::Objects;
use crate::path::RepoPath;

/// How many directories may stand in one another; deeper ones are hostile.
const MAX_DEPTH: usize = 512;

/// Entries that are looked at, of one tree or of what is different in two. A tree may name the same tree
/// many times, and that one another: a few objects can stand for more paths than a disk holds files.
const MAX_ENTRIES: usize = 2_000_000;

/// A regular file and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct File {
    /// Where. Bytes of a name that are not UTF-8 are `U+FFFD` in it.
    pub path: RepoPath,
    /// What.
    pub blob: ObjectId,
}

/// A path at which something else stands than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: RepoPath,
    /// The regular file that stands there now.
    pub now: Option<ObjectId>,
}

/// All regular files, sorted by path.
pub(super) fn files(objects: &mut Objects, tree: ObjectId) -> Result<Vec<File>, GitError> {
    let changes = changes(objects, None, Some(tree))?;
    let files = changes.into_iter().filter_map(|change| Some((change.path, change.now?)));
    let mut files: Vec<File> = files.map(|(path, blob)| File { path, blob }).collect();
    // Trees sort `a.b` before `a/b`, as bytes do; but not always: a directory counts with its `/`.
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// The regular file that stands at this path.
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

/// Regular files that are new or different in `new`, and paths at which there is none any more.
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
    /// How many were looked at.
    entries: usize,
    changes: Vec<Change>,
}

impl Walk<'_> {
    fn compare(&mut self, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<(), GitError> {
        if old == new {
            return Ok(());
        }
        if self.depth > MAX_DEPTH {
            let reason = format!("{MAX_DEPTH} directories stand in one another");
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

    /// Two entries of one name and kind, or one alone.
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

/// How many bytes of whole entries two trees begin with in common. Most of two trees is the same, and
/// what is the same is not read.
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

/// Bytes of the first entry: mode and name, a NUL, an id.
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

/// No link and no submodule: what stands in those is no file of this repository.
fn is_file(entry: &EntryRef<'_>) -> bool {
    entry.mode.is_blob()
}

fn in_tree(old: &EntryRef<'_>, new: &EntryRef<'_>) -> Ordering {
    name_order(old.filename, old.mode.is_tree(), new.filename, new.mode.is_tree())
}
