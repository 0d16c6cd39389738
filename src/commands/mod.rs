//! The commands: each takes arguments and the host, and says how it ended.

pub mod baseline;
pub mod completions;
pub mod explain;
pub mod fix;
mod history;
pub mod hook;
pub mod inputs;
pub mod install;
mod keyring;
pub mod man;
pub mod policy;
mod progress;
pub mod scan;

use std::io;
use std::process::ExitCode;

use self::hook::HookError;
use self::inputs::InputError;
use self::install::InstallError;
use crate::cli::{Cli, Command};
use crate::fix::stage::StageError;
use crate::git::GitError;
use crate::host::Host;
use crate::source::SourceError;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above the level that fails.
    Clean,
    /// Findings.
    Findings,
    /// The job could not be done; the reason is on standard error.
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

/// Why a command could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The files could not be found.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What there is to look at was not told.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A hook was not told what it has to judge.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// A hook could not be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// Files could not be replaced.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The output could not be written.
    #[error("cannot write {what}")]
    Output {
        /// What was to be written.
        what: String,
        /// What the operating system says.
        source: io::Error,
    },
}

impl From<GitError> for CommandError {
    fn from(error: GitError) -> Self {
        Self::Source(error.into())
    }
}

impl CommandError {
    /// The next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Source(error) => error.help(),
            Self::Input(error) => error.help(),
            Self::Hook(error) => error.help(),
            Self::Install(error) => error.help(),
            Self::Stage(error) => error.help(),
            Self::Output { .. } => "check that the directory exists and may be written to",
        }
    }

    /// Whether the reader of the output went away, as `head` does. That is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    fn stdout(source: io::Error) -> Self {
        Self::Output { what: "to standard output".to_owned(), source }
    }
}

/// Runs what was typed.
pub fn run(cli: Cli, host: &Host) -> Result<Exit, CommandError> {
    match cli.command {
        Command::Scan(args) => scan::run(*args, host),
        Command::Baseline(args) => baseline::run(args, host),
        Command::Hook(args) => hook::run(args, host),
        Command::Install(args) => install::run(&args, host),
        Command::Fix(args) => fix::run(&args, host),
        Command::Policy(args) => policy::run(&args, host),
        Command::Explain(args) => explain::explain(&args),
        Command::Rules(args) => explain::rules(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man => man::run(),
    }
}
