//! Inputs of `scan` other than paths on the command line: a list of paths, or a file on standard input.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli;
use crate::host::Host;
use crate::input::{Content, MAX_FILE_SIZE};
use crate::source::{View, worktree};

/// The name of standard input.
const STDIN: &str = "-";

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
