//! What would repair a finding, worked out completely before anything is written.
//!
//! [`encrypt`] and [`config`] say what a file should hold; they touch no disk. [`stage`] writes: a file
//! is the old or the new one, never something between, and what was read is compared with what stands
//! there right before it is replaced.

pub mod config;
pub mod diff;
pub mod encrypt;
mod journal;
pub mod stage;

use crate::document::splice::Edit;
use crate::path::RepoPath;

/// A file and what it should hold.
#[derive(Debug)]
pub struct Change {
    /// The file.
    pub path: RepoPath,
    /// What it holds, byte for byte; a change of a file that holds something else is not made.
    pub old: Bytes,
    /// What it should hold.
    pub new: Bytes,
    /// Where the two differ. Empty where everything does.
    pub edits: Vec<Edit>,
    /// What it comes to, for people: "encrypted 3 values ..".
    pub done: String,
    /// Whether the old bytes hold secrets in plaintext.
    pub was_plaintext: bool,
}

/// The bytes of a file, which cannot be printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Why a file is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub path: RepoPath,
    /// The line, from 1, if one is to blame.
    pub line: Option<usize>,
    /// Lower case, no full stop; quotes nothing of the file.
    pub reason: String,
    /// The next step.
    pub help: String,
}
