//! A file and its new content, and why a file gets none.

use crate::document::splice::Edit;
use crate::path::RepoPath;
use crate::shell::Advice;

/// A file and its new content.
#[derive(Debug)]
pub struct Change {
    /// The file.
    pub path: RepoPath,
    /// Its present content. A file that holds anything else by now is not changed.
    pub old: Bytes,
    /// Its new content.
    pub new: Bytes,
    /// The differences between the two; empty if the whole file is replaced.
    pub edits: Vec<Edit>,
    /// A description of the change for people: "encrypted 3 values ..".
    pub done: String,
    /// True if the old content has secrets in plaintext.
    pub was_plaintext: bool,
}

/// The bytes of a file, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Reason that a file is left unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub path: RepoPath,
    /// The line that is the reason, from 1.
    pub line: Option<usize>,
    /// The reason: lower case, no full stop, no content of the file.
    pub reason: String,
    /// The next step.
    pub help: Advice,
}
