//! [`Input`]: the bytes of one file, read once. Nothing later opens the path again.

use crate::path::RepoPath;

/// Largest file that is looked at, in bytes. Longer ones that should have been are reported.
pub const MAX_FILE_SIZE: u64 = 16 * 1024 * 1024;

/// One file to judge.
#[derive(Debug)]
pub struct Input {
    /// Where it stands in the repository.
    pub path: RepoPath,
    /// What stands in it.
    pub content: Content,
}

/// What could be read of a file.
pub enum Content {
    /// All of it.
    Bytes(Vec<u8>),
    /// More than [`MAX_FILE_SIZE`]; its size in bytes.
    TooLarge(u64),
}

impl std::fmt::Debug for Content {
    /// The size alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::TooLarge(size) => write!(f, "{size} bytes, not read"),
        }
    }
}

impl Input {
    /// The bytes; none of a file that is too large.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::TooLarge(_) => &[],
        }
    }
}
