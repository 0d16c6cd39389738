//! `sops-lint completions`: completion scripts for shells.

use std::io::{self, Write};

use clap::CommandFactory;

use super::error::{CommandError, Exit};
use crate::cli::{Cli, Completions};

/// Prints the completion script for a shell.
pub fn run(args: &Completions) -> Result<Exit, CommandError> {
    // Into memory first: clap panics if the pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sops-lint", &mut script);
    io::stdout().write_all(&script).map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}
