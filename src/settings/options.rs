//! Arguments and environment, as they are meant.

use std::num::NonZero;
use std::path::PathBuf;

use super::file::Verify;
use super::selection::Selection;
use crate::cli;
use crate::finding::Level;
use crate::host::Host;
use crate::path::Shard;
use crate::report::{REPORTERS, Reporter, Style};
use crate::source::View;

/// Arguments and environment, resolved once for a run.
pub struct Options {
    /// The state of the files to examine.
    pub view: View,
    /// The paths to examine; empty: all.
    pub paths: Vec<PathBuf>,
    /// The part of the files to examine, if several jobs share the work.
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
    /// The findings to report, and their levels.
    pub selection: Selection,
    /// The command line's setting for comparing MACs, if it has one.
    pub verify: Option<Verify>,
    /// The settings file to read.
    pub config: ConfigChoice,
    /// The baseline to read.
    pub baseline: BaselineChoice,
    /// The number of threads.
    pub threads: usize,
    /// True if progress is shown.
    pub progress: bool,
}

/// The settings file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChoice {
    /// `.sops-lint.yaml` at the root, if there is one.
    Root,
    /// This one.
    Named(PathBuf),
    /// None.
    Nothing,
}

/// The baseline to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaselineChoice {
    /// The one that the settings file names, if it does.
    Settings,
    /// This one.
    Named(PathBuf),
    /// None.
    Nothing,
}

impl Options {
    /// Returns the options of a command that takes no others.
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
            baseline: BaselineChoice::Settings,
            threads: threads(None),
            progress: host.stderr_is_terminal,
        }
    }

    /// Returns the same options with these threads, and without progress if it is not wanted.
    pub fn with_run(self, options: &cli::RunOptions) -> Self {
        let progress = self.progress && !options.no_progress;
        Self { threads: threads(options.threads), progress, ..self }
    }

    /// Returns the options of `scan`.
    pub fn of_scan(args: cli::Scan, host: &Host) -> Self {
        let options = Self::new(args.settings, host).with_run(&args.run);
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
                ..options.style
            },
            fail_on: (!args.exit_zero).then(|| args.fail_on.into()),
            selection: Selection::new(args.selection),
            verify: args.verify.map(|choice| match choice {
                cli::VerifyChoice::Auto => Verify::Auto,
                cli::VerifyChoice::Always => Verify::Always,
                cli::VerifyChoice::Never => Verify::Never,
            }),
            baseline: args.baseline.map_or(BaselineChoice::Settings, BaselineChoice::Named),
            progress: options.progress && !quiet,
            ..options
        }
    }

    /// Returns the options of `fix`, which are those of a scan of the same files.
    pub fn of_fix(args: &cli::Fix, host: &Host) -> Self {
        let options = Self::new(args.settings.clone(), host).with_run(&args.run);
        let named = args.baseline.clone().map(BaselineChoice::Named);
        Self {
            view: if args.staged { View::Staged } else { View::WorkTree },
            paths: args.paths.clone(),
            style: Style {
                color: wants_color(args.color, host.stdout_is_terminal, host),
                quiet: args.quiet,
                verbose: args.verbose,
                infos: args.verbose,
                ..options.style
            },
            fail_on: Some(args.fail_on.into()),
            selection: Selection::new(args.selection.clone()),
            baseline: match named {
                Some(named) => named,
                None if args.no_baseline => BaselineChoice::Nothing,
                None => BaselineChoice::Settings,
            },
            progress: options.progress && !args.quiet,
            ..options
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

/// Returns the state that the arguments name. The command line allows one at a time.
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

/// Returns the number of threads: one per core, unless a number is given.
fn threads(given: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    given.map_or_else(cores, usize::from)
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

/// Returns the width to wrap at: that of the terminal, from 60 to 100 columns.
fn width(host: &Host) -> usize {
    const MAX_WIDTH: usize = 100;
    host.terminal_width().unwrap_or(MAX_WIDTH).clamp(60, MAX_WIDTH)
}
