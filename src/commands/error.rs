//! The end of a command: an exit code, or an error with its next step.

use std::io;
use std::process::ExitCode;

use super::hook_file::InstallError;
use super::inputs::InputError;
use super::updates::UpdatesError;
use crate::fix::stage::StageError;
use crate::git::GitError;
use crate::source::SourceError;

/// The result of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// No finding at or above the level that fails.
    Clean,
    /// Findings.
    Findings,
    /// The command could not do its job. The reason is on standard error.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Clean => Self::SUCCESS,
            Exit::Findings => Self::from(1),
            Exit::Failed => Self::from(2),
        }
    }
}

/// The reason why a command could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Files could not be found or listed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An input could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A hook did not learn what to judge.
    #[error(transparent)]
    Updates(#[from] UpdatesError),
    /// A hook could not be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// Files could not be replaced.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The output could not be written.
    #[error("cannot write {what}")]
    Output {
        /// The target.
        what: String,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl From<GitError> for CommandError {
    fn from(error: GitError) -> Self {
        Self::Source(error.into())
    }
}

impl CommandError {
    /// Returns the next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Source(error) => error.help(),
            Self::Input(error) => error.help(),
            Self::Updates(error) => error.help(),
            Self::Install(error) => error.help(),
            Self::Stage(error) => error.help(),
            Self::Output { .. } => "check that the directory exists and may be written to",
        }
    }

    /// Reports whether the reader closed the output, as `head` does. That is not a failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Standard output could not be written.
    pub(super) fn stdout(source: io::Error) -> Self {
        Self::Output { what: "to standard output".to_owned(), source }
    }
}
