//! The errors that stop a transaction before it begins, or before it is complete.

use std::io;
use std::path::PathBuf;

use crate::git::GitError;
use crate::path::RepoPath;
use crate::text::words::{agree, count};

/// The reason why a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// Another run holds the journal.
    #[error("another sops-lint fix is running in this repository")]
    Busy,
    /// The journal is not one that this version wrote.
    #[error("{} is not a journal that this version can read; nothing was written", .0.display())]
    ForeignJournal(PathBuf),
    /// A file is not what was read.
    #[error("{0} changed while it was encrypted; nothing was written")]
    Changed(RepoPath),
    /// A file has no write permission.
    #[error("{0} is read-only; nothing was written")]
    ReadOnly(RepoPath),
    /// A file is a link or behind one, or a directory.
    #[error("{0} is a link, behind a link, or no regular file; nothing was written")]
    Irregular(RepoPath),
    /// The new name of a file is not free.
    #[error("{0} is there already; nothing was written")]
    Taken(RepoPath),
    /// The work tree and the index differ.
    #[error("{0} is partly staged: the work tree differs from the index; nothing was written")]
    PartlyStaged(RepoPath),
    /// Git changes the file on the way to the index, and would check out something else.
    #[error(
        "git changes {0} on the way to the index, and does not restore it; nothing was written"
    )]
    Converted(RepoPath),
    /// `git commit PATH`.
    #[error("`git commit` was given paths and uses a temporary index; nothing was written")]
    PartialCommit,
    /// A write failed, and everything before it was undone.
    #[error("cannot write {}; nothing was changed", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The reason, from the operating system.
        source: io::Error,
    },
    /// The transaction was decided, and then a file could not be replaced.
    #[error("cannot replace {}; {} written", .failed[0], others(*.done))]
    Halfway {
        /// The files that were not replaced, at least one.
        failed: Vec<RepoPath>,
        /// The number of files that were.
        done: usize,
        /// The reason why the first one was not.
        source: io::Error,
    },
    /// Git could not write.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The observer ended the run.
    #[error("the run was stopped")]
    Stopped(#[source] io::Error),
}

impl StageError {
    /// Returns the next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Busy => "wait for it to end",
            Self::ForeignJournal(_) => {
                "run `sops-lint fix` with the version that wrote it, or move the file away"
            }
            Self::Changed(_) | Self::Stopped(_) => "run it again",
            Self::ReadOnly(_) => "make it writable: chmod u+w",
            Self::Irregular(_) => "make it a regular file, in a directory that is no link",
            Self::Taken(_) => "remove or rename it",
            Self::PartlyStaged(_) => {
                "stage all of it with `git add`, or run `sops-lint fix` on it and `git add` the result, then try again"
            }
            Self::Converted(_) => {
                "unset that attribute, such as ident or working-tree-encoding, for the file in .gitattributes, and `git add` both, then try again"
            }
            Self::PartialCommit => {
                "run `sops-lint fix` on the files and `git add` them, then commit again without naming paths"
            }
            Self::Io { .. } => "check the permissions and the free space of that directory",
            Self::Halfway { .. } => "check the permissions of that file, then run it again",
            Self::Git(error) => error.help(),
        }
    }

    /// Returns the reason why one file is left as it is, while others are written.
    pub fn reason(&self) -> String {
        match self {
            Self::Changed(_) => "it changed while it was encrypted".to_owned(),
            Self::ReadOnly(_) => "it is read-only".to_owned(),
            Self::Irregular(_) => "it is a link, behind a link, or no regular file".to_owned(),
            Self::Taken(_) => "another file has its name".to_owned(),
            Self::Io { source, .. } => format!("it cannot be read: {source}"),
            other => other.to_string(),
        }
    }

    /// Returns true if the observer ended the run.
    pub(super) fn is_stop(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }
}

fn others(number: usize) -> String {
    format!("{} {}", count(number, "other file"), agree(number, "was", "were"))
}
