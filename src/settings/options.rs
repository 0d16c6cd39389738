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
