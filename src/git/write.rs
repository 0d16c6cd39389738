//! Writes blobs and index entries, and finds plaintext in commits.
//!
//! The git program does it. It keeps the version and the extensions of an index, its locks and
//! permissions, and split indexes, all of which gix 0.90 would lose or does not know.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::error::GitError;
use super::program;
use super::repo::Repo;
use crate::input::Content;
use crate::path::RepoPath;

/// Prefix of the index that `git commit PATH` uses once.
const PARTIAL_INDEX: &str = "next-index-";

/// Number of digits that are shown of a commit.
const SHOWN_DIGITS: usize = 10;

/// The maximum number of paths that git is given. Above this, read the whole log.
const MAX_PATHS: usize = 100;

/// An entry of the index.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The path.
    pub path: RepoPath,
    /// The content.
    pub blob: ObjectId,
    /// True if the file is executable.
    pub is_executable: bool,
    /// True if it is marked `skip-worktree`: git does not look at the file in the work tree.
    pub skips_work_tree: bool,
    /// True if it is marked `assume-unchanged`.
    pub is_assumed_unchanged: bool,
}

impl Entry {
    fn mode(&self) -> &'static str {
        if self.is_executable { "100755" } else { "100644" }
    }
}

impl Repo {
    /// Returns the git directory of this work tree.
    pub fn directory(&self) -> PathBuf {
        self.shared.to_thread_local().git_dir().to_path_buf()
    }

    /// Reports whether `git commit PATH` made this index for one commit. Changes in it are committed, and
    /// the repository's own index does not get them.
    pub fn has_partial_index(&self) -> bool {
        let path = self.shared.to_thread_local().index_path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with(PARTIAL_INDEX))
    }

    /// Returns the id of a blob with these bytes.
    pub fn blob_of(&self, bytes: &[u8]) -> ObjectId {
        let hash = self.shared.to_thread_local().object_hash();
        gix::objs::compute_hash(hash, gix::objs::Kind::Blob, bytes)
            .unwrap_or_else(|_| ObjectId::null(hash))
    }

    /// Stores the bytes of files as blobs.
    pub fn store(&self, files: &[PathBuf]) -> Result<(), GitError> {
        let list: String = files.iter().map(|file| quoted(file) + "\n").collect();
        let arguments = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
        self.feed(&self.start, &arguments, list.as_bytes(), "the objects")
    }

    /// Updates entries of the index, all or none. They keep their marks.
    pub fn stage(&self, entries: &[Entry]) -> Result<(), GitError> {
        let is_marked = |entry: &&Entry| entry.skips_work_tree || entry.is_assumed_unchanged;
        let (marked, others): (Vec<_>, Vec<_>) = entries.iter().partition(is_marked);
        // Git carries out its arguments in order, and then writes the index once.
        let mut arguments = vec!["update-index".to_owned()];
        for entry in &marked {
            let (mode, blob, path) = (entry.mode(), entry.blob, entry.path.as_str());
            arguments.extend(["--cacheinfo".to_owned(), format!("{mode},{blob},{path}")]);
        }
        let mut mark = |option: &str, entries: Vec<&Entry>| {
            let paths = entries.iter().map(|entry| format!("./{}", entry.path.as_str()));
            arguments.extend(std::iter::once(option.to_owned()).chain(paths));
        };
        let skipped = marked.iter().copied().filter(|entry| entry.skips_work_tree).collect();
        mark("--skip-worktree", skipped);
        let assumed = marked.iter().copied().filter(|entry| entry.is_assumed_unchanged).collect();
        mark("--assume-unchanged", assumed);
        arguments.extend(["-z", "--index-info"].map(str::to_owned));
        let mut list = Vec::new();
        for entry in others {
            let (mode, path) = (entry.mode(), entry.path.as_str());
            list.extend(format!("{mode} {} 0\t{path}", entry.blob).bytes());
            list.push(0);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // Paths among the arguments begin where git runs, those of the input at the top.
        let top = self.work_tree().filter(|_| !marked.is_empty());
        self.feed(top.unwrap_or(&self.start), &arguments, &list, "the index")
    }

    /// Runs git with a file as its input. If this program is killed, git would take half of a pipe for
    /// the whole.
    fn feed(
        &self,
        directory: &Path,
        arguments: &[&str],
        input: &[u8],
        what: &str,
    ) -> Result<(), GitError> {
        let fed = program::feed(directory, arguments, &self.input(), input);
        fed.map_err(|reason| GitError::Unwritable { what: what.to_owned(), reason })
    }

    /// Removes what a run that was killed left as the input of git.
    pub fn discard_input(&self) {
        program::discard(&self.input());
    }

    fn input(&self) -> PathBuf {
        self.directory().join("sops-lint.input")
    }

    /// Reports for each file whether a commit has this plaintext or another one at its path. `commits`
    /// is `HEAD`, or `--remotes` for fetched remote branches. The order is that of `files`.
    pub fn brought_in_plaintext(
        &self,
        commits: &str,
        files: &[(&RepoPath, ObjectId)],
    ) -> Vec<InPlaintext> {
        let mut found = vec![InPlaintext::Never; files.len()];
        // Without any remote branch, git would take `HEAD`.
        let has_remotes = || {
            let refs = program::refs(&self.start).unwrap_or_default();
            refs.iter().any(|(name, _)| name.starts_with("refs/remotes/"))
        };
        let has_none = commits == "--remotes" && !has_remotes();
        if has_none || files.is_empty() {
            return found;
        }
        // The user's settings could hide the first commit and changes by merges.
        let options = [
            "--literal-pathspecs",
            "-c",
            "log.showRoot=true",
            "-c",
            "log.diffMerges=separate",
            "log",
            "--no-show-signature",
            "-m",
            commits,
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "-z",
        ];
        let mut arguments: Vec<&str> = options.into();
        arguments.extend(["--format=%x01%H", "--"]);
        if files.len() <= MAX_PATHS {
            arguments.extend(files.iter().map(|(path, _)| path.as_str()));
        }
        let arguments: Vec<&OsStr> = arguments.into_iter().map(OsStr::new).collect();
        let root = self.work_tree().unwrap_or(&self.start);
        let output = program::output(root, &arguments).unwrap_or_default();
        let places: HashMap<&str, usize> =
            files.iter().enumerate().map(|(at, (path, _))| (path.as_str(), at)).collect();
        let mut seen = HashSet::new();
        for Record { commit, path, blob } in records(&output) {
            let Some(&at) = places.get(&*path) else { continue };
            if blob == files[at].1 {
                found[at] = InPlaintext::Same(commit);
            } else if found[at] == InPlaintext::Never && seen.insert(blob) && self.is_readable(blob)
            {
                found[at] = InPlaintext::Other(commit);
            }
        }
        found
    }

    /// Reports whether git has this blob, in a commit or not.
    pub fn holds(&self, blob: ObjectId) -> bool {
        self.with(|objects| objects.contains(blob))
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

/// A file that a commit changed.
struct Record {
    commit: String,
    path: String,
    blob: ObjectId,
}

/// Reads the output of `git log --raw -z`: commits, each followed by `:MODE MODE OLD NEW STATUS` and a
/// path for every file.
fn records(output: &[u8]) -> Vec<Record> {
    let mut commit = String::new();
    let mut found = Vec::new();
    let mut parts = output.split(|byte| *byte == 0);
    while let Some(part) = parts.next() {
        let part = String::from_utf8_lossy(part);
        // Git prints an empty line before the first file of a commit.
        let part = part.trim_start_matches('\n');
        if let Some(id) = part.strip_prefix('\u{1}') {
            commit = id.chars().take(SHOWN_DIGITS).collect();
        }
        let blob = part.strip_prefix(':').and_then(|record| record.split(' ').nth(3));
        let Some(blob) = blob.and_then(|id| ObjectId::from_hex(id.as_bytes()).ok()) else {
            continue;
        };
        let path = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        found.push(Record { commit: commit.clone(), path, blob });
    }
    found
}

/// The answer to the question whether a commit has a file in plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InPlaintext {
    /// Yes, exactly this content, in this commit.
    Same(String),
    /// Yes, another content at this path, in this commit.
    Other(String),
    /// No.
    Never,
}

/// Quotes a path for one line of input, as a C string if needed (`quote_c_style`).
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    if !text.contains(['\n', '"', '\\', '\r']) {
        return text.into_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\r', "\\r"))
}
