//! Errors of a git repository.

use std::path::PathBuf;

/// An error of a git repository.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No repository.
    #[error("{} is not in a git repository", .0.display())]
    NoRepository(PathBuf),
    /// A part of the repository cannot be read.
    #[error("cannot read {what} of the git repository: {reason}")]
    Unreadable {
        /// The part.
        what: String,
        /// The message of gix.
        reason: String,
    },
    /// A tree with too many files.
    #[error("a tree of the git repository has more than {0} files and directories")]
    TooManyFiles(usize),
    /// A part of the repository cannot be written.
    #[error("cannot write {what} of the git repository: {reason}")]
    Unwritable {
        /// The part.
        what: String,
        /// The reason.
        reason: String,
    },
    /// An unknown name.
    #[error("git knows no commit {0}")]
    UnknownCommit(String),
    /// Two commits without a common ancestor.
    #[error("{base} and {head} have no commit in common")]
    NoMergeBase {
        /// One commit.
        base: String,
        /// The other commit.
        head: String,
    },
    /// A range that cannot be parsed.
    #[error("{0} is not a range of commits")]
    BadRange(String),
    /// A history without its beginning.
    #[error("the clone is shallow: most of its history is missing")]
    Shallow,
}

impl GitError {
    /// Returns the next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoRepository(_) => "change to a directory of the repository",
            Self::Unreadable { .. } => "run `git fsck`",
            Self::TooManyFiles(_) => "check out the part that matters, and scan it as files",
            Self::Unwritable { .. } => {
                "wait for other git programs to end; if there are none, and index.lock is still there, remove it"
            }
            Self::UnknownCommit(_) => {
                "name a branch, a tag or a commit that was fetched; paths come after `--`"
            }
            Self::NoMergeBase { .. } => "name the commit that the changes began with",
            Self::BadRange(_) => "write it as in `git log`: main..feature, or \"NEW --not --all\"",
            Self::Shallow => "fetch the rest with `git fetch --unshallow`",
        }
    }

    pub(super) fn unreadable(what: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Unreadable { what: what.into(), reason: reason.to_string() }
    }
}
