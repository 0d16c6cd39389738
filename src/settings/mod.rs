//! Arguments, environment and the settings file: resolved once, never changed.
//!
//! [`Options`] are one for a run, [`Settings`] one for each tree that it judges. The command line
//! overrides the file.

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

/// What was asked for: arguments and environment, resolved once.
pub struct Options {
    /// Which state of the files to look at.
    pub view: View,
    /// Where to look; empty: everywhere.
    pub paths: Vec<PathBuf>,
    /// Which part of the files, if several jobs share the work.
    pub shard: Option<Shard>,
    /// The directory that relative paths start from.
    pub directory: PathBuf,
    /// The format of the report.
    pub reporter: &'static dyn Reporter,
    /// The file for the report; standard output without it.
    pub output: Option<PathBuf>,
    /// Colours, width and verbosity.
    pub style: Style,
    /// The lowest level that fails the run; `None`: no level does.
    pub fail_on: Option<Level>,
    /// Which findings to report, and at what level.
    pub selection: Selection,
    /// When to compare MACs, if the command line says so.
    pub verify: Option<Verify>,
    /// Which settings file to read.
    pub config: ConfigChoice,
    /// Which baseline to read.
    pub baseline: BaselineChoice,
    /// The number of threads.
    pub threads: usize,
    /// Whether to show progress.
    pub progress: bool,
}

/// The options of a run together with the settings file and the baseline of one tree. Read once,
/// never changed.
pub struct Settings<'o> {
    /// What was asked for.
    pub options: &'o Options,
    /// The settings file.
    pub file: SettingsFile,
    /// The findings to suppress.
    pub baseline: Option<Baseline>,
    /// Files that could not be used; the run goes on without them.
    pub unread: Vec<SettingsError>,
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

/// Which baseline to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaselineChoice {
    /// The one that the settings file names, if it does.
    Settings,
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

impl Options {
    /// Puts arguments and environment together.
    pub fn resolve(args: cli::Scan, host: &Host) -> Self {
        let reporter = REPORTERS
            .iter()
            .copied()
            .find(|reporter| reporter.name() == args.format)
            .expect("the command line takes the names of reporters only");
        let is_terminal = host.stdout_is_terminal && args.output.is_none();
        let shows_infos = args.verbose || args.fail_on == cli::LevelName::Info;
        let style = Style {
            color: wants_color(args.color, is_terminal, host),
            ascii: host.env("TERM").as_deref() == Some("dumb"),
            width: width(host),
            quiet: args.quiet,
            verbose: args.verbose,
            infos: shows_infos,
        };
        let view = view(&args);
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            view,
            paths: args.paths,
            shard: args.shard,
            directory: host.directory.clone(),
            reporter,
            output: args.output,
            style,
            fail_on: (!args.exit_zero).then(|| args.fail_on.into()),
            selection: Selection {
                only: args.only,
                skip: args.skip,
                levels: args.levels.into_iter().collect(),
            },
            verify: args.verify.map(|choice| match choice {
                cli::VerifyChoice::Auto => Verify::Auto,
                cli::VerifyChoice::Always => Verify::Always,
                cli::VerifyChoice::Never => Verify::Never,
            }),
            config: match (args.config, args.no_config) {
                (Some(path), _) => ConfigChoice::Named(path),
                (None, true) => ConfigChoice::Nothing,
                (None, false) => ConfigChoice::Root,
            },
            baseline: args.baseline.map_or(BaselineChoice::Settings, BaselineChoice::Named),
            threads: args.threads.map_or(cores, usize::from),
            progress: host.stderr_is_terminal && !args.no_progress && !args.quiet,
        }
    }

    /// Reports whether the run covers the whole tree with all rules.
    pub fn are_whole(&self) -> bool {
        self.cover_the_tree() && self.selection.is_whole()
    }

    /// Reports whether the run covers the whole tree.
    pub fn cover_the_tree(&self) -> bool {
        let is_whole_view = matches!(self.view, View::WorkTree | View::Commit(_));
        is_whole_view && self.paths.is_empty() && self.shard.is_none()
    }
}

impl<'o> Settings<'o> {
    /// Reads the settings file and the baseline, from the source that they judge. Mistakes in a settings
    /// file are findings.
    pub fn read(options: &'o Options, source: &Source) -> Self {
        let mut unread = Vec::new();
        let mut keep = |error| unread.push(error);
        let file = read_config(options, source).map_err(&mut keep).unwrap_or_default();
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
        Self { options, file, baseline, unread }
    }

    /// When to compare MACs.
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
    Ok(SettingsFile::read(inside.or_else(name).unwrap_or_default(), bytes))
}

/// The state that the arguments name. The command line allows one at a time.
fn view(args: &cli::Scan) -> View {
    if args.staged {
        View::Staged
    } else if let Some(commit) = &args.rev {
        View::Commit(commit.clone())
    } else if let Some(base) = &args.diff {
        View::Diff(base.clone())
    } else if let Some(range) = &args.history {
        View::History(Some(range.clone()).filter(|range| !range.is_empty()))
    } else {
        View::WorkTree
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

/// `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb`, as <https://bixense.com/clicolors/> has them.
fn wants_color(choice: cli::ColorChoice, is_terminal: bool, host: &Host) -> bool {
    match choice {
        cli::ColorChoice::Always => true,
        cli::ColorChoice::Never => false,
        cli::ColorChoice::Auto if host.env("NO_COLOR").is_some() => false,
        cli::ColorChoice::Auto if host.env("CLICOLOR_FORCE").is_some_and(|value| value != "0") => {
            true
        }
        cli::ColorChoice::Auto => is_terminal && host.env("TERM").as_deref() != Some("dumb"),
    }
}

/// Columns of the terminal: from 60 to 100 read well.
fn width(host: &Host) -> usize {
    const WIDEST: usize = 100;
    host.terminal_width().unwrap_or(WIDEST).clamp(60, WIDEST)
}
