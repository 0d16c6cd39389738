//! Inputs of `scan` other than paths on the command line: a list of paths, or a file on standard input.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli;
use crate::host::Host;
use crate::input::{Content, MAX_FILE_SIZE};
use crate::report::{REPORTERS, Reporter, STATISTICS};
use crate::settings::Target;
use crate::source::{View, worktree};
use crate::text::printable::clean;

/// The name of standard input.
const STDIN: &str = "-";
/// The variable with the default format.
const FORMAT_VARIABLE: &str = "SOPS_LINT_FORMAT";

/// The reason why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Standard input is a terminal.
    #[error("--files-from - reads paths from standard input, but standard input is a terminal")]
    Terminal,
    /// Standard input cannot be read.
    #[error("cannot read standard input")]
    Stdin(#[source] io::Error),
    /// The list does not exist or is too large.
    #[error("cannot read the list of paths {}", .path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The list has a path that this system does not support.
    #[error("path {0} of the list is not UTF-8, which this system does not support")]
    Name(usize),
    /// The variable with the default format has another value.
    #[error("{FORMAT_VARIABLE} is not the name of a format: {}", clean(.0))]
    Format(String),
    /// The format cannot show statistics.
    #[error("--statistics has no format {0}")]
    Statistics(&'static str),
}

impl InputError {
    /// Returns the next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Terminal => {
                "pipe a list into it: `git ls-files -z | sops-lint scan --files-from - -0`"
            }
            Self::Stdin(_) => "run it again",
            Self::List { .. } => {
                "check the spelling; the path is relative to the current directory, and - is standard input"
            }
            Self::Name(_) => "rename the file",
            Self::Format(_) => "set it to a format that `sops-lint scan --help` lists",
            Self::Statistics(_) => "use --format human or --format json",
        }
    }
}

/// Reads the inputs that the arguments name. Listed paths are added to those on the command line. Returns
/// the state to judge if there are no paths, or if a file comes from standard input.
pub(super) fn read(args: &mut cli::Scan, host: &Host) -> Result<Option<View>, InputError> {
    if let Some(path) = args.view.stdin_filename.take() {
        let bytes = host.read_input(MAX_FILE_SIZE).map_err(InputError::Stdin)?;
        let size = bytes.len() as u64;
        let content =
            if size > MAX_FILE_SIZE { Content::TooLarge(size) } else { Content::new(bytes) };
        return Ok(Some(View::Stdin(path, content)));
    }
    let Some(list) = args.files_from.take() else { return Ok(None) };
    let bytes = bytes_of(&list, host)?;
    let separator = if args.null { 0 } else { b'\n' };
    let names = bytes.split(|byte| *byte == separator).enumerate();
    for (number, name) in names.filter(|(_, name)| !name.is_empty()) {
        args.paths.push(path(name).ok_or(InputError::Name(number + 1))?);
    }
    Ok(args.paths.is_empty().then_some(View::Nothing))
}

/// Returns the reports that the arguments and the environment ask for.
pub(super) fn targets(
    options: &cli::ReportOptions,
    host: &Host,
) -> Result<Vec<Target>, InputError> {
    let target = |target: &cli::Target| {
        let reporter = match target.format {
            Some(format) => format,
            None => default_format(host)?,
        };
        let reporter = if options.statistics { statistics(reporter)? } else { reporter };
        Ok(Target { reporter, output: target.output.clone() })
    };
    options.targets.0.iter().map(target).collect()
}

fn default_format(host: &Host) -> Result<&'static dyn Reporter, InputError> {
    let Some(name) = host.env(FORMAT_VARIABLE) else { return Ok(REPORTERS[0]) };
    named(REPORTERS, &name).ok_or(InputError::Format(name))
}

/// Returns the statistics in a format.
fn statistics(format: &dyn Reporter) -> Result<&'static dyn Reporter, InputError> {
    named(STATISTICS, format.name()).ok_or(InputError::Statistics(format.name()))
}

fn named(reporters: &[&'static dyn Reporter], name: &str) -> Option<&'static dyn Reporter> {
    reporters.iter().find(|reporter| reporter.name() == name).copied()
}

fn bytes_of(list: &Path, host: &Host) -> Result<Vec<u8>, InputError> {
    if list != Path::new(STDIN) {
        let failed = |source| InputError::List { path: list.to_path_buf(), source };
        return worktree::read_whole(&host.directory.join(list)).map_err(failed);
    }
    if host.stdin_is_terminal {
        return Err(InputError::Terminal);
    }
    let bytes = host.read_input(MAX_FILE_SIZE).map_err(InputError::Stdin)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(InputError::Stdin(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

/// Turns bytes into a path. On Unix they need not be UTF-8.
fn path(name: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    let name: Option<OsString> = Some(std::os::unix::ffi::OsStringExt::from_vec(name.to_vec()));
    #[cfg(not(unix))]
    let name = std::str::from_utf8(name).ok().map(OsString::from);
    name.map(PathBuf::from)
}
