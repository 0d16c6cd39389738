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
mod markdown;
pub mod policy;
pub mod say;
pub mod scan;
mod updates;

pub use error::{CommandError, Exit};

use crate::cli::{Cli, Command};
use crate::host::Host;

/// Runs a command.
pub fn run(cli: Cli, host: &Host) -> Result<Exit, CommandError> {
    let Cli { command, style } = cli;
    match command {
        Command::Scan(args) => scan::run(*args, style, host),
        Command::Baseline(args) => baseline::run(args, style, host),
        Command::Hook(args) => hook::run(args, style, host),
        Command::Install(args) => install::run(&args, style, host),
        Command::Fix(args) => fix::run(&args, style, host),
        Command::Policy(args) => policy::run(&args, style, host),
        Command::Explain(args) => explain::explain(&args, style, host),
        Command::Rules(args) => explain::rules(&args, style, host),
        Command::Completions(args) => completions::run(&args),
        Command::Man => man::run(),
    }
}
