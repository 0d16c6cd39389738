//! Arguments and the settings file as they are meant: resolved once, never changed.
//!
//! Whatever both of them say, the command line beats the file.

pub mod baseline;
pub mod file;
mod reader;
mod selection;

use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};

pub use baseline::Baseline;
pub use file::{Ignore, SETTINGS_NAME, SettingsFile, Verify};
pub use reader::Problem;
pub use selection::{Selected, Selection};

use crate::cli;
use crate::finding::Level;
use crate::host::Host;
use crate::path::{RepoPath, Shard};
use crate::report::{REPORTERS, Reporter, Style};
use crate::source::{Source, View, worktree};

/// All that `scan` has to know.
pub struct Settings {
    /// Which state of the files to look at.
    pub view: View,
    /// Where to look; nothing: everywhere.
    pub paths: Vec<PathBuf>,
    /// Which part of the files, if there are several jobs.
    pub shard: Option<Shard>,
    /// Where relative paths begin.
    pub directory: PathBuf,
    /// How to write the findings.
    pub reporter: &'static dyn Reporter,
    /// Where to; standard output without it.
    pub output: Option<PathBuf>,
    /// Colours, width and wordiness.
    pub style: Style,
    /// The lowest level that fails the run; `None`: nothing does.
    pub fail_on: Option<Level>,
    /// Which findings to report, and at what level.
    pub selection: Selection,
    /// When MACs are compared, if that was said on the command line.
    pub verify: Option<Verify>,
    /// Which settings file to read.
    pub config: ConfigChoice,
    /// What it says.
    pub file: SettingsFile,
    /// The file with findings to hold back.
    pub baseline_path: Option<PathBuf>,
    /// What it says.
    pub baseline: Option<Baseline>,
    /// Threads.
    pub threads: usize,
    /// Whether to show progress.
    pub progress: bool,
}

/// Which settings file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChoice {
    /// `.sops-lint.yaml` at the root, if there is one.
    Root,
    /// This one.
    Named(PathBuf),
    /// None.
    Nothing,
}

/// Why a file of settings could not be used; the run goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("cannot read {}: {source}; the run went on without it", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is no baseline.
    #[error("cannot use the baseline {}: {reason}; the run went on without it", .path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Settings {
    /// Returns the settings of a command that is given no other options.
    pub fn new(options: cli::SettingsOptions, host: &Host) -> Self {
        let style = Style {
            color: wants_color(cli::ColorChoice::Auto, host.stdout_is_terminal, host),
            ascii: host.env("TERM").as_deref() == Some("dumb"),
            width: width(host),
            ..Style::default()
        };
        Self {
            view: View::WorkTree,
            paths: Vec::new(),
            shard: None,
            directory: host.directory.clone(),
            reporter: REPORTERS[0],
            output: None,
            style,
            fail_on: Some(Level::Error),
            selection: Selection::default(),
            verify: None,
            config: match (options.config, options.no_config) {
                (Some(path), _) => ConfigChoice::Named(path),
                (None, true) => ConfigChoice::Nothing,
                (None, false) => ConfigChoice::Root,
            },
            file: SettingsFile::default(),
            baseline_path: None,
            baseline: None,
            threads: threads(None),
            progress: host.stderr_is_terminal,
        }
    }

    /// The same with these threads, and with progress if it is wanted.
    pub fn with_run(mut self, options: &cli::RunOptions) -> Self {
        self.threads = threads(options.threads);
        self.progress &= !options.no_progress;
        self
    }

    /// Returns the settings of `scan`.
    pub fn of_scan(args: cli::Scan, host: &Host) -> Self {
        let settings = Self::new(args.settings, host).with_run(&args.run);
        let cli::ReportOptions { format, output, color, quiet, verbose } = args.report;
        let is_terminal = host.stdout_is_terminal && output.is_none();
        Self {
            view: view(args.view),
            paths: args.paths,
            shard: args.shard,
            reporter: format,
            output,
            style: Style {
                color: wants_color(color, is_terminal, host),
                quiet,
                verbose,
                infos: verbose || args.fail_on == cli::LevelName::Info,
                ..settings.style
            },
            fail_on: (!args.exit_zero).then(|| args.fail_on.into()),
            selection: Selection::new(args.selection),
            verify: args.verify.map(|choice| match choice {
                cli::VerifyChoice::Auto => Verify::Auto,
                cli::VerifyChoice::Always => Verify::Always,
                cli::VerifyChoice::Never => Verify::Never,
            }),
            baseline_path: args.baseline,
            progress: settings.progress && !quiet,
            ..settings
        }
    }

    /// Reads the settings file, from the source that it judges, and the baseline. What cannot be read
    /// is left out; mistakes in a settings file that can be read are findings.
    pub fn read_files(&mut self, source: &Source) -> Vec<SettingsError> {
        let mut errors = Vec::new();
        match self.read_config(source) {
            Ok(file) => self.file = file,
            Err(error) => errors.push(error),
        }
        let baseline = match (&self.baseline_path, &self.file.baseline) {
            (Some(path), _) => {
                let path = self.directory.join(path);
                Some((worktree::read_whole(&path), path))
            }
            (None, Some(path)) => Some((source.read_settings(path), path.in_root(source.root()))),
            (None, None) => None,
        };
        match baseline.map(|(read, path)| read_baseline(read, path)).transpose() {
            Ok(baseline) => self.baseline = baseline,
            Err(error) => errors.push(error),
        }
        errors
    }

    /// Whether the run is about the whole tree and all rules.
    pub fn is_whole(&self) -> bool {
        let is_whole_view = matches!(self.view, View::WorkTree | View::Commit(_));
        let is_whole = is_whole_view && self.paths.is_empty() && self.shard.is_none();
        is_whole && self.selection.is_whole()
    }

    /// When MACs are compared.
    pub fn verify(&self) -> Verify {
        self.verify.unwrap_or(self.file.verify)
    }

    /// Key services that recipients may lie at: hosts, or URLs without a path, in lower case.
    pub fn trusted_endpoints(&self) -> &[String] {
        &self.file.trusted_endpoints
    }

    fn read_config(&self, source: &Source) -> Result<SettingsFile, SettingsError> {
        let root = source.root();
        let path = match &self.config {
            ConfigChoice::Nothing => return Ok(SettingsFile::default()),
            ConfigChoice::Root => root.join(SETTINGS_NAME),
            ConfigChoice::Named(path) => self.directory.join(path),
        };
        let read = match self.config {
            ConfigChoice::Root => source.read_settings(&RepoPath::from(SETTINGS_NAME)),
            _ => worktree::read_whole(&path),
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && self.config == ConfigChoice::Root =>
            {
                return Ok(SettingsFile::default());
            }
            Err(source) => return Err(SettingsError::Read { path, source }),
        };
        // One that lies elsewhere has no path in the tree; its name has to do.
        let inside = path.strip_prefix(root).ok().and_then(RepoPath::new);
        let name = || path.file_name().and_then(|name| RepoPath::new(Path::new(name)));
        Ok(SettingsFile::read(inside.or_else(name).unwrap_or_default(), bytes))
    }
}

/// The command line takes one of them at a time.
fn view(options: cli::ViewOptions) -> View {
    if options.staged {
        View::Staged
    } else if let Some(commit) = options.rev {
        View::Commit(commit)
    } else if let Some(base) = options.diff {
        View::Diff(base)
    } else if let Some(range) = options.history {
        View::History(Some(range).filter(|range| !range.is_empty()))
    } else {
        View::WorkTree
    }
}

/// One for each core, unless a number is given.
fn threads(given: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    given.map_or_else(cores, usize::from)
}

fn read_baseline(read: io::Result<Vec<u8>>, path: PathBuf) -> Result<Baseline, SettingsError> {
    match read {
        Ok(bytes) => {
            Baseline::read(&bytes).map_err(|reason| SettingsError::Baseline { path, reason })
        }
        Err(source) => Err(SettingsError::Read { path, source }),
    }
}

/// The option decides, then `NO_COLOR`, then `FORCE_COLOR` and `CLICOLOR_FORCE`, then the terminal: see
/// <https://no-color.org/>, <https://force-color.org/> and <https://bixense.com/clicolors/>.
fn wants_color(choice: cli::ColorChoice, is_terminal: bool, host: &Host) -> bool {
    let is_set = |name| host.env(name).is_some_and(|value| value != "0");
    match choice {
        cli::ColorChoice::Always => true,
        cli::ColorChoice::Never => false,
        cli::ColorChoice::Auto if host.env("NO_COLOR").is_some() => false,
        cli::ColorChoice::Auto if is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE") => true,
        cli::ColorChoice::Auto => is_terminal && host.env("TERM").as_deref() != Some("dumb"),
    }
}

/// Columns of the terminal: from 60 to 100 read well.
fn width(host: &Host) -> usize {
    const WIDEST: usize = 100;
    host.terminal_width().unwrap_or(WIDEST).clamp(60, WIDEST)
}
