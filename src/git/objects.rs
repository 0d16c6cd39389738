//! Commits, trees and blobs by their ids.
//!
//! gix reads the repository's own store and its alternates. During a push, git keeps the new objects in
//! quarantine: it names that store in the environment, which gix does not read.
#![expect(clippy::disallowed_methods, reason = "git names its stores in the environment")]

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::{CommitRefIter, Exists as _, Find, FindExt as _, FindHeader as _, Kind};
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::traverse::commit::ParentIds;

use super::error::GitError;
use super::packs::{Cache, Packs};
use crate::input::{Content, MAX_FILE_SIZE};

/// Size of a reader's cache for the bases of deltas, in bytes.
const DELTA_CACHE: usize = 16 * 1024 * 1024;

/// Size of a reader's cache for directories, in bytes.
const TREE_CACHE: usize = 2 * 1024 * 1024;

/// Memory for one object and its deltas, in bytes. A few bytes of a malicious pack can claim any size.
pub(super) const MAX_ALLOCATION: usize = 256 * 1024 * 1024;

/// The stores of a repository, for all threads.
#[derive(Clone)]
pub(super) struct Stores {
    stores: Vec<Arc<gix::odb::Store>>,
    /// Opened before most of the repository is read.
    packs: Arc<OnceLock<Packs>>,
}

/// A reader of objects, for one thread.
pub(super) struct Objects {
    handles: Vec<gix::odb::Handle>,
    packs: Arc<OnceLock<Packs>>,
    cache: Cache,
    buffer: Vec<u8>,
    /// Cached directories: the next commit has most of them too.
    trees: gix::hashtable::HashMap<ObjectId, Arc<Vec<u8>>>,
    /// The size of these, in bytes.
    tree_bytes: usize,
}

/// The fields of a commit that are needed.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) tree: ObjectId,
    pub(super) parents: ParentIds,
    /// Seconds since 1970-01-01.
    pub(super) time: i64,
}

/// The object that an id leads to, through tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peeled {
    Commit(ObjectId),
    Tree(ObjectId),
    Blob(ObjectId),
}

impl Peeled {
    pub(super) fn commit(self) -> Option<ObjectId> {
        match self {
            Self::Commit(id) => Some(id),
            Self::Tree(_) | Self::Blob(_) => None,
        }
    }
}

impl Stores {
    /// Opens the stores, those of the environment first.
    pub(super) fn open(repo: &gix::ThreadSafeRepository) -> Result<Self, GitError> {
        let mut stores = Vec::new();
        let hash = repo.to_thread_local().object_hash();
        for directory in in_quarantine() {
            let store = store(directory, hash);
            stores.push(store.map_err(|error| GitError::unreadable("the quarantine", error))?);
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
            // Checking for new packs takes time, and none are added during a run.
            handle.refresh_never();
            handle.ignore_replacements = true;
            handle.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(DELTA_CACHE)));
            handle
        });
        Objects {
            handles: handles.collect(),
            packs: Arc::clone(&self.packs),
            cache: Cache::default(),
            buffer: Vec::new(),
            trees: gix::hashtable::HashMap::default(),
            tree_bytes: 0,
        }
    }
}

/// Opens a directory of objects.
fn store(directory: PathBuf, hash: gix::hash::Kind) -> io::Result<Arc<gix::odb::Store>> {
    let limit = Some(MAX_ALLOCATION);
    let options = gix::odb::store::init::Options { alloc_limit_bytes: limit, ..Default::default() };
    gix::odb::at_opts(directory, hash, [], options).map(|handle| handle.store())
}

/// Returns the directories of objects that git names to its hooks: one, and a list.
fn in_quarantine() -> Vec<PathBuf> {
    let own = std::env::var_os("GIT_OBJECT_DIRECTORY").map(PathBuf::from);
    let others = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
    let directories = own.into_iter().chain(alternates(&others));
    directories.filter(|path| !path.as_os_str().is_empty() && path.is_dir()).collect()
}

/// Parses a list of paths. Git quotes those that contain a separator, and takes a quote that never ends
/// for a part of the path (`odb.c`, `parse_alt_odb_entry`).
fn alternates(list: &OsStr) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { b';' } else { b':' };
    let mut rest = gix::path::os_str_into_bstr(list).unwrap_or_default();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let is_quoted = rest.starts_with(b"\"");
        let quoted = is_quoted.then(|| gix::quote::ansi_c::undo(rest).ok()).flatten();
        let (path, length) = quoted.unwrap_or_else(|| {
            let end = rest.find_byte(separator).unwrap_or(rest.len());
            (Cow::Borrowed(&rest[..end]), end)
        });
        found.extend(gix::path::from_bstr(path).map(Cow::into_owned));
        rest = &rest[length..];
        rest = &rest[usize::from(rest.first() == Some(&separator))..];
    }
    found
}

/// Resolves the links of a directory, if it exists.
pub(super) fn canonical(directory: &Path) -> PathBuf {
    directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf())
}

impl Objects {
    /// Returns the hash function of this repository.
    pub(super) fn hash(&self) -> gix::hash::Kind {
        self.handles[0].store_ref().object_hash()
    }

    pub(super) fn contains(&self, id: ObjectId) -> bool {
        self.handles.iter().any(|handle| handle.exists(&id))
    }

    /// Returns the object that an id leads to, through tags; the reason if it cannot be read.
    pub(super) fn peel(&mut self, id: ObjectId) -> Result<Peeled, String> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let peeled = self.peel_with(id, &mut buffer);
        self.buffer = buffer;
        peeled
    }

    fn peel_with(&self, mut id: ObjectId, buffer: &mut Vec<u8>) -> Result<Peeled, String> {
        const MAX_TAGS: usize = 10;
        for _ in 0..MAX_TAGS {
            let data = self.try_find(&id, buffer).map_err(|error| error.to_string())?;
            let data = data.ok_or_else(|| format!("object {id} is missing"))?;
            match data.kind {
                Kind::Commit => return Ok(Peeled::Commit(id)),
                Kind::Tree => return Ok(Peeled::Tree(id)),
                Kind::Blob => return Ok(Peeled::Blob(id)),
                Kind::Tag => {
                    let tag = data.decode().ok().and_then(gix::objs::ObjectRef::into_tag);
                    id = tag.ok_or_else(|| format!("tag {id} is damaged"))?.target();
                }
            }
        }
        Err(format!("it is a tag of more than {MAX_TAGS} other tags"))
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

    /// Returns the bytes of a tree object.
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

    /// Returns an object of a pack, if the packs are open.
    fn packed(&mut self, id: ObjectId, kind: Kind) -> Option<Arc<Vec<u8>>> {
        let object = self.packs.get()?.read(id, &mut self.cache)?;
        (object.kind == kind).then_some(object.bytes)
    }

    /// Returns the bytes of a tree object in any store.
    fn loose_tree(&self, id: ObjectId) -> Result<Vec<u8>, GitError> {
        let mut bytes = Vec::new();
        let unreadable =
            |reason: String| GitError::unreadable(format!("the directory {id}"), reason);
        match self.try_find(&id, &mut bytes) {
            Ok(Some(data)) if data.kind == Kind::Tree => Ok(bytes),
            Ok(Some(_)) => Err(unreadable("it is not a directory".to_owned())),
            Ok(None) => Err(unreadable("it is missing".to_owned())),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// Returns the content of a blob; only its size if it is too large.
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
            Ok(Some(_)) => return Err("it is not a file".to_owned()),
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
    use crate::git::samples::{self, Numbers, Sample, SamplePack};

    /// Reads all objects of a pack, as history does.
    fn read_all(directory: &Path, count: usize) -> usize {
        let store = store(directory.to_path_buf(), gix::hash::Kind::Sha1).unwrap();
        let stores = Stores { stores: vec![store], packs: Arc::default() };
        stores.open_packs();
        let mut reader = stores.reader();
        let is_read = |number: &usize| {
            let id = samples::id(*number);
            let _ = (reader.tree(id), reader.commit(id), reader.peel(id));
            reader.read(id).is_ok()
        };
        (0..count).filter(is_read).count()
    }

    #[test]
    fn a_circle_of_deltas_is_an_error() {
        let delta = || samples::adding(1, b"");
        let circle = [Sample::Reference(1, delta()), Sample::Reference(0, delta())];
        let directory = tempfile::tempdir().unwrap();
        SamplePack::new(&circle).write(directory.path());
        assert_eq!(read_all(directory.path(), circle.len()), 0);
    }

    #[test]
    fn damaged_packs_are_errors_and_no_panics() {
        let objects = [
            Sample::Blob(b"one".to_vec()),
            Sample::Delta(0, samples::adding(3, b" and two")),
            Sample::Delta(1, samples::adding(11, b" and three")),
            Sample::Reference(2, samples::adding(21, b" and four")),
            Sample::Blob(vec![b'x'; 300]),
        ];
        let whole = SamplePack::new(&objects);
        let directory = tempfile::tempdir().unwrap();
        whole.write(directory.path());
        assert_eq!(read_all(directory.path(), objects.len()), objects.len());
        let mut numbers = Numbers(0x5eed);
        let mut read = 0;
        for round in 0..2000 {
            let (mut pack, mut index) = (whole.pack.clone(), whole.index.clone());
            for _ in 0..=numbers.below(3) {
                let is_pack = round % 2 == 0;
                samples::damage(if is_pack { &mut pack } else { &mut index }, &mut numbers);
            }
            SamplePack { pack, index }.write(directory.path());
            read += read_all(directory.path(), objects.len());
        }
        assert!((2000..2000 * objects.len()).contains(&read), "{read}");
    }

    #[cfg(unix)]
    #[test]
    fn a_list_of_directories_may_have_quotes() {
        for (list, paths) in [
            ("/a:/b", &["/a", "/b"][..]),
            ("\"/a:b\":/c", &["/a:b", "/c"]),
            ("/c:\"/a\\\"\\303\\274\\n\"", &["/c", "/a\"\u{fc}\n"]),
            ("\"/never ends:/b", &["\"/never ends", "/b"]),
            ("\"\\3", &["\"\\3"]),
        ] {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            assert_eq!(alternates(OsStr::new(list)), paths, "{list}");
        }
    }
}
