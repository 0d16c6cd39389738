//! The record of a transaction, written before anything else, so that the next run can undo or finish
//! what a killed one began.
//!
//! The journal is a file in the directory of git, or in the root if there is no repository. It names
//! files, temporary files and blobs. Its first line is the record; its second one says that the
//! transaction is decided. A run holds a lock on it and removes it at the end.
#![expect(clippy::disallowed_methods, reason = "the journal is written here")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file;
use crate::path::RepoPath;

/// Name in the directory of git.
const NAME: &str = "sops-lint.journal";
/// Name in the root of a tree without git.
const HIDDEN_NAME: &str = ".sops-lint-journal";
/// Version of the record. A journal of another version is not read.
const VERSION: u32 = 1;
/// The second line.
const DECIDED: &[u8] = b"decided\n";
/// Runs that may remove the journal between the moments when this one opens and locks it.
const MAX_ATTEMPTS: usize = 100;

/// A transaction, as the journal has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    pub(super) entries: Vec<Entry>,
}

/// One write of a transaction. Paths start at the root of the work tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entry {
    /// A temporary file replaces a file whose SHA-256 is `old`.
    Replace { path: String, temporary: String, old: String },
    /// A temporary file becomes a new file.
    Create { path: String, temporary: String },
    /// A file gets another name.
    Rename { from: String, to: String },
    /// The index gets a blob.
    Stage { path: String, blob: String },
}

impl Entry {
    /// Returns its temporary file.
    pub(super) fn temporary(&self) -> Option<RepoPath> {
        match self {
            Self::Replace { temporary, .. } | Self::Create { temporary, .. } => {
                Some(RepoPath::from(temporary.as_str()))
            }
            Self::Rename { .. } | Self::Stage { .. } => None,
        }
    }

    /// Returns true if it stays below the root and takes only temporary files for temporary.
    fn is_ours(&self) -> bool {
        let is_inside = |path: &String| {
            !path.is_empty()
                && RepoPath::new(Path::new(path)).is_some_and(|inside| inside.as_str() == path)
        };
        match self {
            Self::Replace { path, temporary, .. } | Self::Create { path, temporary } => {
                is_inside(path) && is_inside(temporary) && file::is_temporary(temporary)
            }
            Self::Rename { from, to } => is_inside(from) && is_inside(to),
            Self::Stage { path, .. } => is_inside(path),
        }
    }
}

impl Record {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        Self { version: VERSION, entries }
    }
}

/// The content of a journal when it was opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Found {
    /// No transaction, or a truncated record: no file was replaced yet.
    #[default]
    Nothing,
    /// A transaction that a killed run began.
    Unfinished { record: Record, is_decided: bool },
    /// Something that this version did not write.
    Foreign,
}

/// The journal of a work tree, locked.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// True if it has a record, which stays if this run ends early.
    has_record: bool,
}

impl Journal {
    /// Opens and locks the journal of a git directory, or of the root of a tree without git. Returns
    /// `None` if another run has locked it.
    pub(super) fn open(directory: &Path, is_git: bool) -> io::Result<Option<(Self, Found)>> {
        let path = directory.join(if is_git { NAME } else { HIDDEN_NAME });
        for _ in 0..MAX_ATTEMPTS {
            // A link could lead to any file, which would be emptied.
            if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
                return Err(io::Error::other("it is no regular file"));
            }
            let mut options = OpenOptions::new();
            let mut file =
                options.read(true).write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            if !is_at(&file, &path) {
                continue;
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let found = parse(&bytes);
            let has_record = found != Found::Nothing;
            return Ok(Some((Self { path, file, has_record }, found)));
        }
        Ok(None)
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the record of a transaction down to the disk.
    pub(super) fn record(&mut self, record: &Record) -> io::Result<()> {
        self.has_record = true;
        self.file.rewind()?;
        self.file.set_len(0)?;
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_all()?;
        file::sync_directory(self.path.parent());
        Ok(())
    }

    /// Marks the transaction as decided, down to the disk.
    pub(super) fn decide(&mut self) -> io::Result<()> {
        self.file.write_all(DECIDED)?;
        self.file.sync_all()
    }

    /// Forgets the transaction, which is undone or finished.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.sync_all()?;
        self.has_record = false;
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.has_record {
            // Still locked. A run that has it open sees that the name is gone, and opens a new one.
            let _ = fs::remove_file(&self.path);
        }
        // To close the file is not enough: a process that was just started has a copy until it runs.
        let _ = self.file.unlock();
    }
}

/// Reads a journal: a line of JSON, and perhaps the mark.
fn parse(bytes: &[u8]) -> Found {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        let is_ours = bytes.is_empty() || bytes.starts_with(b"{");
        return if is_ours { Found::Nothing } else { Found::Foreign };
    };
    match serde_json::from_slice::<Record>(&bytes[..end]) {
        Ok(record) if record.version == VERSION && record.entries.iter().all(Entry::is_ours) => {
            Found::Unfinished { record, is_decided: &bytes[end + 1..] == DECIDED }
        }
        _ => Found::Foreign,
    }
}

/// Reports whether the path still names the open file, which another run may have removed.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok((open, named)) =
        file.metadata().and_then(|open| Ok((open, fs::symlink_metadata(path)?)))
    else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let text = str::to_owned;
        Record::new(vec![
            Entry::Replace {
                path: text("a/b.yaml"),
                temporary: text("a/.sops-lint-1"),
                old: text("00"),
            },
            Entry::Create { path: text(".gitignore"), temporary: text(".sops-lint-2") },
            Entry::Rename { from: text(".sops.yml"), to: text(".sops.yaml") },
            Entry::Stage { path: text("a/b.yaml"), blob: text("00") },
        ])
    }

    #[test]
    fn a_truncated_journal_is_undecided_or_empty() {
        let mut whole = serde_json::to_vec(&record()).expect("JSON");
        whole.push(b'\n');
        let line = whole.len();
        whole.extend(DECIDED);
        for length in 0..=whole.len() {
            let expected = if length < line {
                Found::Nothing
            } else {
                Found::Unfinished { record: record(), is_decided: length == whole.len() }
            };
            assert_eq!(parse(&whole[..length]), expected, "{length} bytes");
        }
    }

    #[test]
    fn a_journal_that_leaves_the_root_is_foreign() {
        let with =
            |entry: &str| parse(format!("{{\"version\":1,\"entries\":[{entry}]}}\n").as_bytes());
        for entry in [
            r#"{"create":{"path":"../a","temporary":".sops-lint-1"}}"#,
            r#"{"create":{"path":"a","temporary":"../.sops-lint-1"}}"#,
            r#"{"create":{"path":"a","temporary":"b"}}"#,
            r#"{"rename":{"from":"a","to":"/etc/passwd"}}"#,
            r#"{"rename":{"from":"","to":"a"}}"#,
            r#"{"stage":{"path":"a/../../b","blob":"00"}}"#,
            r#"{"delete":{"path":"a"}}"#,
        ] {
            assert_eq!(with(entry), Found::Foreign, "{entry}");
        }
        assert_ne!(with(r#"{"rename":{"from":"a","to":"b"}}"#), Found::Foreign);
        assert_eq!(parse(b"{\"version\":2,\"entries\":[]}\n"), Found::Foreign);
        assert_eq!(parse(b"a note of mine\n"), Found::Foreign);
        assert_eq!(parse(b"a note of mine"), Found::Foreign);
    }

    #[test]
    fn one_run_has_the_journal_and_leaves_none_behind() {
        let directory = tempfile::tempdir().expect("made");
        let (mut journal, found) =
            Journal::open(directory.path(), false).expect("opened").expect("free");
        assert_eq!(found, Found::Nothing);
        assert!(Journal::open(directory.path(), false).expect("opened").is_none());
        journal.record(&record()).expect("written");
        drop(journal);
        let (mut journal, found) =
            Journal::open(directory.path(), false).expect("opened").expect("free");
        assert_eq!(found, Found::Unfinished { record: record(), is_decided: false });
        journal.forget().expect("written");
        drop(journal);
        assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_that_is_a_link_is_refused() {
        let directory = tempfile::tempdir().expect("made");
        fs::write(directory.path().join("a"), "a").expect("written");
        std::os::unix::fs::symlink("a", directory.path().join(HIDDEN_NAME)).expect("linked");
        assert!(Journal::open(directory.path(), false).is_err());
        assert_eq!(fs::read(directory.path().join("a")).expect("read"), b"a");
    }
}
