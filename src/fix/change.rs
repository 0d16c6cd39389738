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
    /// The encrypted parts; `None` if the old content has no secrets.
    pub encryption: Option<Encryption>,
}

/// The encrypted parts of a file, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encryption {
    /// Key paths of the values, in the order of the file.
    pub values: Vec<String>,
    /// The recipients, in the order of the creation rule.
    pub recipients: Vec<String>,
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
    /// The reason: lower case, no full stop, no content of the file. Other files may have the same.
    pub reason: String,
    /// More about the reason in this file.
    pub detail: Option<String>,
    /// The next step.
    pub help: Advice,
}

impl Refusal {
    /// Creates a refusal that is about the whole file.
    pub fn new(path: &RepoPath, reason: impl Into<String>, help: impl Into<Advice>) -> Self {
        let (path, reason, help) = (path.clone(), reason.into(), help.into());
        Self { path, line: None, reason, detail: None, help }
    }
}
