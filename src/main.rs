//! The program: parse, run, exit.

use std::process::ExitCode;

use clap::Parser;
use sops_lint::cli::Cli;
use sops_lint::commands::{self, Exit};
use sops_lint::host::Host;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let host = match Host::new() {
        Ok(host) => host,
        Err(error) => return fail(&error, "change to a directory that exists"),
    };
    match commands::run(cli, &host) {
        Ok(exit) => exit.into(),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => fail(&error, error.help()),
    }
}

#[expect(clippy::print_stderr, reason = "errors of the run belong on standard error")]
fn fail(error: &dyn std::error::Error, help: &str) -> ExitCode {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    eprintln!("error: {}", sops_lint::text::printable::clean_path(&text));
    eprintln!("  help: {help}");
    Exit::Failed.into()
}
