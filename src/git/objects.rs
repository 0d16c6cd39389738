//! Commits, trees and blobs by their ids, wherever they lie.
//!
//! gix looks into the repository's own store and its alternates. A hook that judges a push finds the
//! new objects in quarantine: git names that store in the environment, and gix does not look there.
#![expect(clippy::disallowed_methods, reason = "git names its stores in the environment")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix::ObjectId;
use gix::objs::{CommitRefIter, Exists as _, Find, FindExt as _, FindHeader as _, Kind};
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::traverse::commit::ParentIds;

use super::GitError;
use super::packs::{Memory, Packs};
use crate::input::{Content, MAX_FILE_SIZE};

/// Bytes of a reader's memory for the bases of deltas.
const DELTA_CACHE: usize = 16 * 1024 * 1024;

/// Bytes of a reader's memory for directories.
const TREE_CACHE: usize = 2 * 1024 * 1024;

/// The stores of a repository, for all threads.
#[derive(Clone)]
pub(super) struct Stores {
    stores: Vec<Arc<gix::odb::Store>>,
    /// Set when most of the repository is going to be read.
    packs: Arc<OnceLock<Packs>>,
}

/// A reader of objects, for one thread.
pub(super) struct Objects {
    handles: Vec<gix::odb::Handle>,
    packs: Arc<OnceLock<Packs>>,
    memory: Memory,
    buffer: Vec<u8>,
    /// Directories that were read: the next commit has most of them too.
    trees: gix::hashtable::HashMap<ObjectId, Arc<Vec<u8>>>,
    /// How many bytes these have.
    tree_bytes: usize,
}

/// What is asked of a commit.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) tree: ObjectId,
    pub(super) parents: ParentIds,
    /// Seconds since 1970-01-01.
    pub(super) time: i64,
}

impl Stores {
    /// Those of the environment first.
    pub(super) fn open(repo: &gix::ThreadSafeRepository) -> Result<Self, GitError> {
        let mut stores = Vec::new();
        let hash = repo.to_thread_local().object_hash();
        for directory in in_quarantine() {
            let handle = gix::odb::at(directory, hash)
                .map_err(|error| GitError::unreadable("the quarantine", error))?;
            stores.push(handle.store());
        }
        stores.push(repo.objects.clone());
        Ok(Self { stores, packs: Arc::default() })
    }

    /// Prepares for reading most of the objects.
    pub(super) fn open_packs(&self) {
        let open = || {
            let directories = self.stores.iter().flat_map(|store| {
                let others = store.alternate_db_paths().unwrap_or_default();
                std::iter::once(store.path().to_path_buf()).chain(others)
            });
            let hash = self.stores.last().expect("a repository has its own store").object_hash();
            Packs::open(&directories.collect::<Vec<_>>(), hash)
        };
        self.packs.get_or_init(open);
    }

    pub(super) fn reader(&self) -> Objects {
        let handles = self.stores.iter().map(|store| {
            let mut handle = store.to_cache();
            // Nobody adds packs while we look, and to check for it takes time.
            handle.refresh_never();
            handle.ignore_replacements = true;
            handle.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(DELTA_CACHE)));
            handle
        });
        Objects {
            handles: handles.collect(),
            packs: Arc::clone(&self.packs),
            memory: Memory::default(),
            buffer: Vec::new(),
            trees: gix::hashtable::HashMap::default(),
            tree_bytes: 0,
        }
    }
}

/// Directories of objects that git names to its hooks: one, and a list.
fn in_quarantine() -> Vec<PathBuf> {
    let own = std::env::var_os("GIT_OBJECT_DIRECTORY").map(PathBuf::from);
    let others = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
    let directories = own.into_iter().chain(alternates(&others));
    directories.filter(|path| !path.as_os_str().is_empty() && path.is_dir()).collect()
}

/// The paths of a list, of which git puts those with a separator into quotes (`odb.c`,
/// `parse_alt_odb_entry`). One that is in quotes and not UTF-8 is left out.
fn alternates(list: &OsStr) -> Vec<PathBuf> {
    let Some(text) = list.to_str().filter(|text| text.contains('"')) else {
        return std::env::split_paths(list).collect();
    };
    let separator = if cfg!(windows) { ';' } else { ':' };
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = if let Some(inside) = rest.strip_prefix('"') {
            let (path, length) = unquoted(inside);
            found.push(PathBuf::from(path));
            1 + length
        } else {
            let end = rest.find(separator).unwrap_or(rest.len());
            found.push(PathBuf::from(&rest[..end]));
            end
        };
        rest = rest[end..].trim_start_matches(separator);
    }
    found
}

/// What stands in quotes as C writes it, and how many bytes it takes with the quote that ends it.
fn unquoted(text: &str) -> (String, usize) {
    let mut bytes = Vec::new();
    let mut rest = text.bytes().enumerate();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'"' => return (String::from_utf8_lossy(&bytes).into_owned(), at + 1),
            b'\\' => match rest.next() {
                Some((at, b'0'..=b'3')) => {
                    let octal = text.get(at..at + 3).unwrap_or_default();
                    bytes.push(u8::from_str_radix(octal, 8).unwrap_or_default());
                    rest.nth(1);
                }
                Some((_, b'n')) => bytes.push(b'\n'),
                Some((_, b't')) => bytes.push(b'\t'),
                Some((_, b'r')) => bytes.push(b'\r'),
                Some((_, other)) => bytes.push(other),
                None => {}
            },
            other => bytes.push(other),
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), text.len())
}

/// A directory without links, if it is there.
pub(super) fn canonical(directory: &Path) -> PathBuf {
    directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf())
}

impl Objects {
    /// How objects are named here.
    pub(super) fn hash(&self) -> gix::hash::Kind {
        self.handles[0].store_ref().object_hash()
    }

    pub(super) fn contains(&self, id: ObjectId) -> bool {
        self.handles.iter().any(|handle| handle.exists(&id))
    }

    /// The commit that an id leads to, through tags.
    pub(super) fn peel(&mut self, mut id: ObjectId) -> Option<ObjectId> {
        const MOST_TAGS: usize = 10;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut found = None;
        for _ in 0..MOST_TAGS {
            let Ok(Some(data)) = self.try_find(&id, &mut buffer) else { break };
            match data.kind {
                Kind::Commit => {
                    found = Some(id);
                    break;
                }
                Kind::Tag => match data.decode().ok().and_then(gix::objs::ObjectRef::into_tag) {
                    Some(tag) => id = tag.target(),
                    None => break,
                },
                Kind::Tree | Kind::Blob => break,
            }
        }
        self.buffer = buffer;
        found
    }

    pub(super) fn commit(&mut self, id: ObjectId) -> Result<Fields, GitError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let fields = self
            .find_commit_iter(&id, &mut buffer)
            .map_err(|error| error.to_string())
            .and_then(|commit| fields(commit).ok_or_else(|| "it is damaged".to_owned()));
        self.buffer = buffer;
        fields.map_err(|reason| GitError::unreadable(format!("commit {id}"), reason))
    }

    /// The bytes of a tree object.
    pub(super) fn tree(&mut self, id: ObjectId) -> Result<Arc<Vec<u8>>, GitError> {
        if id == ObjectId::empty_tree(id.kind()) {
            return Ok(Arc::default());
        }
        if let Some(bytes) = self.trees.get(&id) {
            return Ok(Arc::clone(bytes));
        }
        let bytes = match self.packed(id, Kind::Tree) {
            Some(bytes) => bytes,
            None => Arc::new(self.loose_tree(id)?),
        };
        if self.tree_bytes > TREE_CACHE {
            self.trees.clear();
            self.tree_bytes = 0;
        }
        self.tree_bytes += bytes.len();
        self.trees.insert(id, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// An object of a pack, if the packs are open.
    fn packed(&mut self, id: ObjectId, kind: Kind) -> Option<Arc<Vec<u8>>> {
        let object = self.packs.get()?.read(id, &mut self.memory)?;
        (object.kind == kind).then_some(object.bytes)
    }

    /// The bytes of a tree object, wherever it is.
    fn loose_tree(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        let mut bytes = Vec::new();
        let unreadable =
            |reason: String| GitError::unreadable(format!("the directory {id}"), reason);
        match self.try_find(&id, &mut bytes) {
            Ok(Some(data)) if data.kind == Kind::Tree => Ok(bytes),
            Ok(Some(_)) => Err(unreadable("it is none".to_owned())),
            Ok(None) => Err(unreadable("it is missing".to_owned())),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// What stands in a blob; its size alone if it is too large.
    pub(super) fn read(&mut self, id: ObjectId) -> Result<Content, String> {
        if let Some(bytes) = self.packed(id, Kind::Blob) {
            return Ok(Content::new(Arc::unwrap_or_clone(bytes)));
        }
        let missing = || "git does not have its content".to_owned();
        let header = self.handles.iter().find_map(|handle| handle.try_header(&id).transpose());
        let size = header.ok_or_else(missing)?.map_err(|error| error.to_string())?.size;
        if size > MAX_FILE_SIZE {
            return Ok(Content::TooLarge(size));
        }
        let mut bytes = Vec::new();
        match self.try_find(&id, &mut bytes) {
            Ok(Some(data)) if data.kind == Kind::Blob => {}
            Ok(Some(_)) => return Err("it is no file".to_owned()),
            Ok(None) => return Err(missing()),
            Err(error) => return Err(error.to_string()),
        }
        Ok(Content::new(bytes))
    }
}

pub(super) fn fields(mut commit: CommitRefIter<'_>) -> Option<Fields> {
    let tree = commit.tree_id().ok()?;
    let parents = commit.parent_ids().collect();
    let time = commit.committer().ok().and_then(|signature| signature.time().ok());
    Some(Fields { tree, parents, time: time.map_or(0, |time| time.seconds) })
}

impl Find for Objects {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<gix::objs::Data<'a>>> {
        let (last, others) = self.handles.split_last().expect("a repository has its own store");
        let holder = others.iter().find(|handle| handle.exists(id)).unwrap_or(last);
        holder.try_find(id, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_list_of_directories_may_have_quotes() {
        for (list, paths) in [
            ("/a:/b", &["/a", "/b"][..]),
            ("\"/a:b\":/c", &["/a:b", "/c"]),
            ("/c:\"/a\\\"\\303\\274\\n\"", &["/c", "/a\"\u{fc}\n"]),
            ("\"/never ends", &["/never ends"]),
            ("\"\\3", &["\0"]),
        ] {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            assert_eq!(alternates(OsStr::new(list)), paths, "{list}");
        }
    }
}
