//! The state of a repository's files that is judged.
//!
//! Judging one file asks little about the others: which config governs it, whether a file exists,
//! what the file was before a change. [`Tree`] is that list of questions. Every answer that judging
//! used is kept as a [`Dependency`], so a result stays valid as long as the file's bytes and these
//! answers stay the same.

use std::io;

use crate::input::{Content, Digest, Input};
use crate::path::RepoPath;

/// A work tree, an index, a commit, or one open buffer over any of them.
pub trait Tree: Sync {
    /// Reads a regular file. The error is `NotFound` if there is none; links are not followed.
    fn read(&self, path: &RepoPath) -> io::Result<Content>;

    /// Reports whether there is a file at this path.
    fn exists(&self, path: &RepoPath) -> bool;

    /// Reports whether one of the files that are looked at is named after this path and claims to be
    /// encrypted: `x.enc.yaml` after `x.yaml`. A tree that does not know which files are looked at says
    /// no.
    fn has_encrypted_twin(&self, _path: &RepoPath) -> bool {
        false
    }

    /// Returns the state of a file before the change that is judged.
    fn before(&self, _path: &RepoPath) -> Before {
        Before::Unknown
    }

    /// Returns earlier versions of a file that have the same data key and recipients that it no longer has,
    /// as far as history was searched.
    fn same_key(&self, _path: &RepoPath) -> Vec<Input> {
        Vec::new()
    }

    /// Returns the file before the change that is judged, if it had another content.
    fn earlier(&self, path: &RepoPath) -> Option<Input> {
        if let Before::Other(input) = self.before(path) { Some(input) } else { None }
    }
}

/// The state of a file before the change that is judged. A renamed file had another path.
#[derive(Debug)]
pub enum Before {
    /// No change is judged, or git does not have the state before it.
    Unknown,
    /// There was no such file.
    Nothing,
    /// It had the same content.
    Same,
    /// It had this content, at this path.
    Other(Input),
}

/// Reads a config. `None` if there is no regular file, or it is too large.
pub fn read_config(tree: &dyn Tree, path: &RepoPath) -> Option<Vec<u8>> {
    tree.read(path).ok().and_then(Content::into_bytes)
}

/// A question about the tree that judging a file asked, with the answer. Where no path is named, the
/// question is about the file itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// The nearest `.sops.yaml` in the directory of the file or above it, with its content. `None`:
    /// there is none.
    NearestConfig(Option<(RepoPath, Digest)>),
    /// The content of the config at this path. `None`: there is none.
    Config(RepoPath, Option<Digest>),
    /// [`Tree::exists`] of this path.
    Exists(RepoPath, bool),
    /// [`Tree::has_encrypted_twin`].
    EncryptedTwin(bool),
    /// The content that [`Tree::earlier`] returned.
    Earlier(Option<Digest>),
    /// The contents that [`Tree::same_key`] returned.
    SameKey(Vec<Digest>),
}
