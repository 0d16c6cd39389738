//! `sops-lint completions`: what a shell needs to complete a command line.

use std::io::{self, Write};

use clap::CommandFactory;

use super::error::{CommandError, Exit};
use crate::cli::{Cli, Completions};

/// Prints the script of a shell.
pub fn run(args: &Completions) -> Result<Exit, CommandError> {
    // Into memory first: it panics where a pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sops-lint", &mut script);
    io::stdout().write_all(&script).map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}
