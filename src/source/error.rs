//! The errors that prevent a listing of the files.

use std::io;
use std::path::PathBuf;

use crate::git::GitError;

/// An error that prevents a listing of the files.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path on the command line does not exist.
    #[error("{} does not exist", .0.display())]
    NotFound(PathBuf),
    /// The files are those of git itself.
    #[error("{} is a bare repository, which has no files on disk", .0.display())]
    Bare(PathBuf),
    /// A path on the command line is outside the tree of the first path.
    #[error("{} is outside {}", .path.display(), .root.display())]
    OutsideRoot {
        /// The path.
        path: PathBuf,
        /// The tree of the first path.
        root: PathBuf,
    },
    /// A directory was given as a file.
    #[error("{} is a directory", .0.display())]
    IsDirectory(PathBuf),
    /// A path cannot be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A path is not in the state that is judged.
    #[error("{} is not in {state}", .path.display())]
    NotInState {
        /// The path.
        path: PathBuf,
        /// The name of the state.
        state: String,
    },
    /// Git data could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl SourceError {
    /// Returns the next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "check the spelling; paths are relative to the current directory",
            Self::Bare(_) => "run `sops-lint scan --rev HEAD`, or name another commit or branch",
            Self::IsDirectory(_) => "give the path of a file",
            Self::OutsideRoot { .. } => "run sops-lint once for each repository",
            Self::Io { .. } => "check the permissions",
            Self::NotInState { .. } => "check the spelling; `git ls-files` shows what git has",
            Self::Git(error) => error.help(),
        }
    }
}
