//! The commands. Each takes its arguments and the host, and returns how it ended.

pub mod baseline;
pub mod completions;
mod error;
pub mod explain;
pub mod fix;
pub mod hook;
mod hook_file;
pub mod inputs;
pub mod install;
pub mod man;
pub mod policy;
pub mod say;
pub mod scan;
mod updates;

pub use error::{CommandError, Exit};

use crate::cli::{Cli, Command};
use crate::host::Host;

/// Runs a command.
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
