//! Where the bytes come from. Decided here and forgotten afterwards.

pub mod worktree;

use std::path::PathBuf;

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
    /// A path cannot be looked at.
    #[error("cannot look at {}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl SourceError {
    /// The next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "check the spelling; paths are relative to the current directory",
            Self::OutsideRoot { .. } => "run sops-lint once for each repository",
            Self::Io { .. } => "check the permissions",
        }
    }
}
