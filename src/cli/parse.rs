//! The parser of a command line.

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, Error, FromArgMatches};

use super::advice::advise;
use super::command::Cli;

/// Parses a command line, the name of the program first. `color` is what the environment says about
/// colours in errors and help.
pub fn parse(arguments: Vec<OsString>, color: Option<bool>) -> Result<Cli, Error> {
    let choice = match asked(&arguments).or(color) {
        Some(true) => ColorChoice::Always,
        Some(false) => ColorChoice::Never,
        None => ColorChoice::Auto,
    };
    let mut command = Cli::command().color(choice);
    let matches = command.try_get_matches_from_mut(arguments).map_err(advise)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    // clap sees no conflict between an option before the command and one after it.
    if cli.style.quiet && cli.style.verbose {
        let text = "the argument '--quiet' cannot be used with '--verbose'";
        return Err(command.error(ErrorKind::ArgumentConflict, text));
    }
    Ok(cli)
}

/// Returns what `--color` asks for: errors of the command line obey it as well.
fn asked(arguments: &[OsString]) -> Option<bool> {
    let arguments: Vec<&OsStr> =
        arguments.iter().map(OsString::as_os_str).take_while(|word| *word != "--").collect();
    let behind = arguments.iter().zip(arguments.iter().skip(1));
    let behind = behind.filter(|(option, _)| **option == "--color").map(|(_, value)| *value);
    let joined = arguments.iter().filter_map(|word| word.to_str()?.strip_prefix("--color="));
    let last = behind.filter_map(OsStr::to_str).chain(joined).last();
    match last {
        Some("always") => Some(true),
        Some("never") => Some(false),
        _ => None,
    }
}
