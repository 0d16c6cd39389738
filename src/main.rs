//! The program: parse, run, exit.

use std::process::ExitCode;

use sops_lint::cli;
use sops_lint::commands::{self, Exit};
use sops_lint::host::Host;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let host = match Host::new() {
        Ok(host) => host,
        Err(error) => return fail(&error, "change to a directory that exists"),
    };
    if let Some(file) = host.disguised_file(std::env::args_os().skip(1)) {
        let error = std::io::Error::other(format!(
            "{} is a file whose name looks like an option",
            file.display()
        ));
        return fail(&error, "give the file another name");
    }
    let cli = match cli::parse(std::env::args_os().collect(), host.wants_color()) {
        Ok(cli) => cli,
        Err(error) => {
            // If it cannot be printed, the exit code still tells.
            let _ = error.print();
            return if error.exit_code() == 0 { ExitCode::SUCCESS } else { Exit::Failed.into() };
        }
    };
    match commands::run(cli, &host) {
        Ok(exit) => exit.into(),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => fail(&error, error.help()),
    }
}

fn fail(error: &dyn std::error::Error, help: &str) -> ExitCode {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    commands::say::complain(&text);
    commands::say::advise(help);
    Exit::Failed.into()
}
