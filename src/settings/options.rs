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
    /// The directory of the person who reads the report.
    pub reads_in: PathBuf,
    /// The reports to write.
    pub targets: Vec<Target>,
    /// Colours, width and verbosity.
    pub style: Style,
    /// The style of reports in files.
    pub file_style: Style,
    /// The lowest level that fails the run, if the command line names one.
    pub fail_on: Option<Level>,
    /// True if no finding fails the run.
    pub exit_zero: bool,
    /// The findings to report, and their levels.
    pub selection: Selection,
    /// The command line's setting for comparing MACs, if it has one.
    pub verify: Option<Verify>,
    /// The settings file to read.
    pub config: ConfigChoice,
    /// The baseline to read.
    pub baseline: BaselineChoice,
    /// The day of the run, counted from 1970-01-01.
    pub today: u32,
    /// The number of threads.
    pub threads: usize,
    /// True if progress is shown.
    pub progress: bool,
}

/// A report to write.
#[derive(Clone, Debug)]
pub struct Target {
    /// The format.
    pub reporter: &'static dyn Reporter,
    /// The file; `None`: standard output.
    pub output: Option<PathBuf>,
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
    pub fn new(
        options: cli::SettingsOptions,
        style_options: cli::StyleOptions,
        host: &Host,
    ) -> Self {
        let style = style(style_options, host);
        let color = wants_color(style_options.color, false, host);
        Self {
            view: View::WorkTree,
            paths: Vec::new(),
            shard: None,
            directory: host.directory.clone(),
            reads_in: host.directory.clone(),
            targets: vec![Target { reporter: REPORTERS[0], output: None }],
            style,
            file_style: Style { color, ..style },
            fail_on: None,
            exit_zero: false,
            selection: Selection::default(),
            verify: None,
            config: match (options.config, options.no_config) {
                (Some(path), _) => ConfigChoice::Named(path),
                (None, true) => ConfigChoice::Nothing,
                (None, false) => ConfigChoice::Root,
            },
            baseline: BaselineChoice::Settings,
            today: host.today(),
            threads: threads(None),
            progress: host.stderr_is_terminal && !style.quiet,
        }
    }

    /// Returns the same options with these threads, and without progress if it is not wanted.
    pub fn with_run(self, options: &cli::RunOptions) -> Self {
        let progress = self.progress && !options.no_progress;
        Self { threads: threads(options.threads), progress, ..self }
    }

    /// Returns the same options with the chosen baseline.
    pub fn with_baseline(self, options: cli::BaselineOptions) -> Self {
        let baseline = match (options.baseline, options.no_baseline) {
            (Some(path), _) => BaselineChoice::Named(path),
            (None, true) => BaselineChoice::Nothing,
            (None, false) => BaselineChoice::Settings,
        };
        Self { baseline, ..self }
    }

    /// Returns the options of `scan`, with one report on standard output.
    pub fn of_scan(args: cli::Scan, style: cli::StyleOptions, host: &Host) -> Self {
        let options = Self::new(args.settings, style, host).with_run(&args.run);
        let options = options.with_baseline(args.baseline);
        Self {
            view: view(args.view),
            paths: args.paths,
            shard: args.shard,
            fail_on: args.fail_on.map(Level::from),
            exit_zero: args.exit_zero,
            selection: Selection::new(args.selection),
            verify: args.verify.map(|choice| match choice {
                cli::VerifyChoice::Auto => Verify::Auto,
                cli::VerifyChoice::Always => Verify::Always,
                cli::VerifyChoice::Never => Verify::Never,
            }),
            ..options
        }
    }

    /// Returns the options of `fix`, which are those of a scan of the same files.
    pub fn of_fix(args: &cli::Fix, style: cli::StyleOptions, host: &Host) -> Self {
        let options = Self::new(args.settings.clone(), style, host).with_run(&args.run);
        let options = options.with_baseline(args.baseline.clone());
        Self {
            view: if args.staged { View::Staged } else { View::WorkTree },
            paths: args.paths.clone(),
            fail_on: args.fail_on.map(Level::from),
            selection: Selection::new(args.selection.clone()),
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

/// Returns the style of what a command prints.
pub fn style(options: cli::StyleOptions, host: &Host) -> Style {
    Style {
        color: wants_color(options.color, host.stdout_is_terminal, host),
        ascii: host.env("TERM").as_deref() == Some("dumb"),
        width: width(host),
        quiet: options.quiet,
        verbose: options.verbose,
        infos: options.verbose,
    }
}

/// The option decides, then the environment, then the terminal.
fn wants_color(choice: cli::ColorChoice, is_terminal: bool, host: &Host) -> bool {
    match choice {
        cli::ColorChoice::Always => true,
        cli::ColorChoice::Never => false,
        cli::ColorChoice::Auto => host.wants_color().unwrap_or(is_terminal),
    }
}

/// Returns the width to wrap at: that of the terminal, from 60 to 120 columns.
fn width(host: &Host) -> usize {
    host.terminal_width().map_or(Style::default().width, |width| width.clamp(60, 120))
}
