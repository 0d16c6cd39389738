//! Why files could not be listed.

use std::io;
use std::path::PathBuf;

use crate::git::GitError;

/// Why files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path on the command line is not there.
    #[error("{} does not exist", .0.display())]
    NotFound(PathBuf),
    /// A path on the command line lies in another tree than the others.
    #[error("{} lies outside of {}", .path.display(), .root.display())]
    OutsideRoot {
        /// The path.
        path: PathBuf,
        /// The tree of the first path.
        root: PathBuf,
    },
    /// A directory in place of a file.
    #[error("{} is a directory", .0.display())]
    IsDirectory(PathBuf),
    /// A path cannot be looked at.
    #[error("cannot look at {}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A path is not in the state that is looked at.
    #[error("{} is not in {state}", .path.display())]
    NotInState {
        /// The path.
        path: PathBuf,
        /// The state, in words.
        state: String,
    },
    /// Git could not be asked.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl SourceError {
    /// The next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "check the spelling; paths are relative to the current directory",
            Self::IsDirectory(_) => "name the file that standard input stands for",
            Self::OutsideRoot { .. } => "run sops-lint once for each repository",
            Self::Io { .. } => "check the permissions",
            Self::NotInState { .. } => "check the spelling; `git ls-files` shows what git has",
            Self::Git(error) => error.help(),
        }
    }
}
