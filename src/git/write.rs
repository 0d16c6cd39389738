//! What is written into a repository: blobs, and entries of the index.
//!
//! The git program does it. It keeps the version and the extensions of an index, its locks and
//! permissions, and split indexes, all of which gix 0.90 would lose or does not know.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::{GitError, Repo, program};
use crate::input::Content;
use crate::path::RepoPath;

/// What git calls the index of a commit of some paths, which is thrown away after the commit.
const PARTIAL_INDEX: &str = "next-index-";

/// Digits of a commit that are shown.
const SHOWN_DIGITS: usize = 10;

/// An entry for the index.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path.
    pub path: RepoPath,
    /// What it holds.
    pub blob: ObjectId,
    /// Whether it may be run.
    pub is_executable: bool,
}

impl Repo {
    /// Where git keeps what belongs to this work tree alone.
    pub fn directory(&self) -> PathBuf {
        self.shared.to_thread_local().git_dir().to_path_buf()
    }

    /// Whether the index at hand is one that `git commit PATH` made for a single commit: what is
    /// written into it is committed, and the repository's own index keeps what it had.
    pub fn has_partial_index(&self) -> bool {
        let path = self.shared.to_thread_local().index_path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with(PARTIAL_INDEX))
    }

    /// The id that a file with these bytes has.
    pub fn blob_of(&self, bytes: &[u8]) -> ObjectId {
        let hash = self.shared.to_thread_local().object_hash();
        gix::objs::compute_hash(hash, gix::objs::Kind::Blob, bytes)
            .unwrap_or_else(|_| ObjectId::null(hash))
    }

    /// The id that git would give the file of the work tree at this path, once its line ends and other
    /// filters were applied.
    pub fn blob_at(&self, path: &RepoPath) -> Option<ObjectId> {
        let root = self.work_tree()?;
        let name = format!("--path={}", path.as_str());
        let arguments = ["hash-object", &name, "--", path.as_str()];
        let output = program::output(root, &arguments.map(AsRef::as_ref))?;
        ObjectId::from_hex(output.trim_ascii()).ok()
    }

    /// What a blob is in the work tree, once its line ends and other filters were applied.
    pub fn filtered(&self, path: &RepoPath, blob: ObjectId) -> Option<Vec<u8>> {
        let name = format!("--path={}", path.as_str());
        let arguments = ["cat-file", "--filters", &name, &blob.to_string()];
        program::output(self.work_tree()?, &arguments.map(AsRef::as_ref))
    }

    /// Stores the bytes of files as blobs.
    pub fn store(&self, files: &[PathBuf]) -> Result<(), GitError> {
        let list: String = files.iter().map(|file| quoted(file) + "\n").collect();
        let arguments = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
        self.feed(&arguments, list.as_bytes(), "the objects")
    }

    /// Puts entries into the index, all of them or none.
    pub fn stage(&self, entries: &[Entry]) -> Result<(), GitError> {
        let mut list = Vec::new();
        for entry in entries {
            let mode = if entry.is_executable { "100755" } else { "100644" };
            list.extend(format!("{mode} {} 0\t{}", entry.blob, entry.path.as_str()).bytes());
            list.push(0);
        }
        self.feed(&["update-index", "-z", "--index-info"], &list, "the index")
    }

    /// Runs git with a file for its input. Through a pipe git would take the half of it for all, if
    /// this program was killed.
    fn feed(&self, arguments: &[&str], input: &[u8], what: &str) -> Result<(), GitError> {
        let file = self.directory().join("sops-lint.input");
        let fed = program::feed(&self.start, arguments, &file, input);
        fed.map_err(|reason| GitError::Unwritable { what: what.to_owned(), reason })
    }

    /// The commits of remote branches that brought a file at this path: with these bytes, or without
    /// any sign that they are encrypted. The newest first.
    pub fn pushed(&self, path: &RepoPath, blob: ObjectId) -> Pushed {
        let file = path.as_str();
        let arguments = [
            "--literal-pathspecs",
            "log",
            "--remotes",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "-z",
            "--format=%x01%H",
            "--",
            file,
        ];
        let output =
            program::output(&self.start, &arguments.map(AsRef::as_ref)).unwrap_or_default();
        let mut commit = String::new();
        let (mut seen, mut other) = (HashSet::new(), None);
        for part in output.split(|byte| matches!(byte, 0 | b'\n')) {
            let part = String::from_utf8_lossy(part);
            if let Some(id) = part.strip_prefix('\u{1}') {
                commit = id.chars().take(SHOWN_DIGITS).collect();
            }
            let brought = part.strip_prefix(':').and_then(|record| record.split(' ').nth(3));
            let Some(brought) = brought.and_then(|id| ObjectId::from_hex(id.as_bytes()).ok())
            else {
                continue;
            };
            if brought == blob {
                return Pushed::Same(commit);
            }
            if other.is_none() && seen.insert(brought) && self.is_readable(brought) {
                other = Some(commit.clone());
            }
        }
        other.map_or(Pushed::Never, Pushed::Other)
    }

    fn is_readable(&self, blob: ObjectId) -> bool {
        match self.read(blob) {
            Ok(Content::Bytes(bytes) | Content::Utf16(bytes)) => {
                !bytes.is_empty() && memchr::memmem::find(&bytes, b"ENC[AES256_GCM,").is_none()
            }
            _ => false,
        }
    }
}

/// Whether a file was ever pushed in plaintext, as far as remote branches that were fetched tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// This very content was, with this commit.
    Same(String),
    /// Another one was at this path, with this commit.
    Other(String),
    /// No.
    Never,
}

/// A path on a line of its own, as C writes strings where that is needed (`quote_c_style`).
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    if !text.contains(['\n', '"', '\\', '\r']) {
        return text.into_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\r', "\\r"))
}
