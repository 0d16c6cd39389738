//! The settings of one tree.

use std::io;
use std::path::{Path, PathBuf};

use super::baseline::Baseline;
use super::file::{SETTINGS_NAME, SettingsFile, Verify};
use super::misnamed::misnamed;
use super::options::{BaselineChoice, ConfigChoice, Options};
use crate::finding::{Finding, Level};
use crate::path::RepoPath;
use crate::shell::{Command, Reader};
use crate::source::{Source, worktree};
use crate::tree::{Before, Tree as _};

/// The options of a run together with the settings file and the baseline of one tree. Read once,
/// never changed.
pub struct Settings<'o> {
    /// The options of the run.
    pub options: &'o Options,
    /// The settings file.
    pub file: SettingsFile,
    /// The findings about settings under a name that is not looked for.
    pub misnamed: Vec<Finding>,
    /// The findings to suppress.
    pub baseline: Option<Baseline>,
    /// Files that could not be used; the run goes on without them.
    pub unread: Vec<SettingsError>,
}

/// The reason why a settings file or a baseline cannot be used. The run continues without it.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; the run continued without it", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a baseline.
    #[error("cannot use the baseline {}: {reason}; the run continued without it (`{}` rewrites it)", .path.display(), rewriting(.path))]
    Baseline {
        /// The file.
        path: PathBuf,
        /// The mistake in the file.
        reason: String,
    },
}

impl<'o> Settings<'o> {
    /// Reads the settings file and the baseline, from the source that they judge. Mistakes in a settings
    /// file are findings.
    pub fn read(options: &'o Options, source: &Source) -> Self {
        let mut unread = Vec::new();
        let mut keep = |error| unread.push(error);
        let file = read_config(options, source).map_err(&mut keep).unwrap_or_default();
        let misnamed = match options.config {
            ConfigChoice::Root => misnamed(source, source.exists(&RepoPath::from(SETTINGS_NAME))),
            ConfigChoice::Named(_) | ConfigChoice::Nothing => Vec::new(),
        };
        let baseline = match (&options.baseline, &file.baseline) {
            (BaselineChoice::Named(path), _) => {
                let path = options.directory.join(path);
                Some((worktree::read_whole(&path), path))
            }
            (BaselineChoice::Settings, Some(path)) => {
                Some((source.read_settings(path), path.in_root(source.root())))
            }
            (BaselineChoice::Settings, None) | (BaselineChoice::Nothing, _) => None,
        };
        let baseline =
            baseline.and_then(|(read, path)| read_baseline(read, path).map_err(keep).ok());
        let baseline = baseline.map(|baseline| match &file.baseline {
            Some(path) if options.baseline == BaselineChoice::Settings => {
                since_change(baseline, source.before(path))
            }
            _ => baseline,
        });
        Self { options, file, misnamed, baseline, unread }
    }

    /// Returns the lowest level that fails the run; `None`: no level does.
    pub fn fail_on(&self) -> Option<Level> {
        let level = self.options.fail_on.or(self.file.fail_on).unwrap_or(Level::Error);
        (!self.options.exit_zero).then_some(level)
    }

    /// Returns the setting that decides when MACs are compared.
    pub fn verify(&self) -> Verify {
        self.options.verify.unwrap_or(self.file.verify)
    }
}

fn read_config(options: &Options, source: &Source) -> Result<SettingsFile, SettingsError> {
    let root = source.root();
    let path = match &options.config {
        ConfigChoice::Nothing => return Ok(SettingsFile::default()),
        ConfigChoice::Root => root.join(SETTINGS_NAME),
        ConfigChoice::Named(path) => options.directory.join(path),
    };
    let is_named = options.config != ConfigChoice::Root;
    let read = if is_named {
        worktree::read_whole(&path)
    } else {
        source.read_settings(&RepoPath::from(SETTINGS_NAME))
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => {
            return Ok(SettingsFile::default());
        }
        Err(source) => return Err(SettingsError::Read { path, source }),
    };
    // A file outside the tree has no path in it, so its name is shown.
    let inside = path.strip_prefix(root).ok().and_then(RepoPath::new);
    let name = || path.file_name().and_then(|name| RepoPath::new(Path::new(name)));
    Ok(SettingsFile::read(inside.or_else(name).unwrap_or_default(), bytes, options.today))
}

/// Returns the command that writes a baseline anew.
fn rewriting(path: &Path) -> String {
    let command = Command::new("sops-lint baseline --output").word(path.to_string_lossy());
    command.line(&Reader::at_root())
}

/// Adds the baseline from before the change that is judged.
fn since_change(baseline: Baseline, before: Before) -> Baseline {
    match before {
        Before::Unknown | Before::Same => baseline,
        Before::Nothing => baseline.changed_from(Baseline::default()),
        // One that cannot be used suppressed nothing.
        Before::Other(old) => {
            baseline.changed_from(Baseline::read(old.bytes()).unwrap_or_default())
        }
    }
}

fn read_baseline(read: io::Result<Vec<u8>>, path: PathBuf) -> Result<Baseline, SettingsError> {
    match read {
        Ok(bytes) => {
            Baseline::read(&bytes).map_err(|reason| SettingsError::Baseline { path, reason })
        }
        Err(source) => Err(SettingsError::Read { path, source }),
    }
}
