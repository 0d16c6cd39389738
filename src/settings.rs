//! Arguments as they are meant: resolved once, never changed.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;

use crate::cli;
use crate::finding::{Finding, Level};
use crate::host::Host;
use crate::report::{REPORTERS, Reporter, Style};

/// All that `scan` has to know.
pub struct Settings {
    /// Where to look; nothing: everywhere.
    pub paths: Vec<PathBuf>,
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
    /// Threads.
    pub threads: usize,
    /// Whether to show progress.
    pub progress: bool,
}

/// Which findings count: applied where findings come together, never in a rule.
#[derive(Debug, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
    levels: BTreeMap<String, Level>,
}

impl Selection {
    /// The finding at its level, or nothing if it is not wanted.
    pub fn admit(&self, mut finding: Finding) -> Option<Finding> {
        let is = |id: &String| id == finding.rule.id;
        let is_wanted =
            (self.only.is_empty() || self.only.iter().any(is)) && !self.skip.iter().any(is);
        if let Some(level) = self.levels.get(finding.rule.id) {
            finding.level = *level;
        }
        is_wanted.then_some(finding)
    }
}

impl Settings {
    /// Puts arguments and environment together.
    pub fn resolve(args: cli::Scan, host: &Host) -> Self {
        let reporter = REPORTERS
            .iter()
            .copied()
            .find(|reporter| reporter.name() == args.format)
            .expect("the command line takes the names of reporters only");
        let is_terminal = host.stdout_is_terminal && args.output.is_none();
        let style = Style {
            color: wants_color(args.color, is_terminal, host),
            ascii: host.env("TERM").as_deref() == Some("dumb"),
            width: width(host),
            quiet: args.quiet,
            verbose: args.verbose,
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            paths: args.paths,
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
            threads: args.threads.map_or(cores, usize::from),
            progress: host.stderr_is_terminal && !args.no_progress && !args.quiet,
        }
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
