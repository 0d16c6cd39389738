//! What a fix is about to do, written down before it begins, so that one that was killed can be
//! finished by the next.
//!
//! It stands in the directory of git and names files, temporary files and blobs. It is locked as long
//! as a fix runs.
#![expect(clippy::disallowed_methods, reason = "the journal is written here")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Its name in the directory of git.
const NAME: &str = "sops-lint.journal";

/// One file that is about to be replaced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Step {
    /// The file, from the root of the work tree.
    pub(super) path: String,
    /// The new one, which waits beside it.
    pub(super) temporary: String,
    /// The blob of the old one, as it stands on disk.
    pub(super) old: String,
    /// The blob that the index gets; none where the index is left alone.
    pub(super) staged: Option<String>,
}

/// The journal of a work tree, locked.
pub(super) struct Journal {
    file: File,
    /// What an earlier fix left undone.
    pub(super) unfinished: Vec<Step>,
}

impl Journal {
    /// Opens and locks it. `None` if another fix runs.
    pub(super) fn open(directory: &Path) -> io::Result<Option<Self>> {
        let path = directory.join(NAME);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // One that is cut off was written before anything was done.
        let unfinished = serde_json::from_str(&text).unwrap_or_default();
        Ok(Some(Self { file, unfinished }))
    }

    /// Writes down what is about to be done; nothing, when it is done.
    pub(super) fn write(&mut self, steps: &[Step]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        if !steps.is_empty() {
            self.file.write_all(&serde_json::to_vec(steps)?)?;
        }
        self.file.sync_all()
    }
}
