//! Options that several commands share, and the groups of those of `scan`.

use std::path::PathBuf;

use clap::Args;

use super::targets::Targets;
use super::values::{ColorChoice, RuleParser, level_override};
use crate::finding::{Level, RuleMeta};

/// The choice of a settings file.
#[derive(Clone, Debug, Args)]
pub struct SettingsOptions {
    /// Read the settings from this file instead of .sops-lint.yaml at the root
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no settings file
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
}

/// The choice of a baseline.
#[derive(Clone, Debug, Args)]
pub struct BaselineOptions {
    /// Suppress the findings in this file, which `sops-lint baseline` writes
    #[arg(long, value_name = "FILE", conflicts_with = "no_baseline")]
    pub baseline: Option<PathBuf>,
    /// Suppress no findings, although the settings name a baseline
    #[arg(long)]
    pub no_baseline: bool,
}

/// The options of commands that judge many files.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// Number of threads [default: one per core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Do not show progress on the terminal
    #[arg(long)]
    pub no_progress: bool,
}

/// The state of the files to judge: the work tree, unless one of these is given.
#[derive(Debug, Args)]
pub struct ViewOptions {
    /// Scan one file that comes in on standard input, under this path
    #[arg(long, value_name = "PATH", group = "view", conflicts_with_all = ["paths", "files_from", "shard"])]
    pub stdin_filename: Option<PathBuf>,
    /// Scan what the next commit changes, as it is in the index
    #[arg(long, group = "view")]
    pub staged: bool,
    /// Scan a commit instead of the work tree
    #[arg(long, value_name = "COMMIT", group = "view")]
    pub rev: Option<String>,
    /// Scan HEAD, and report only files changed since it branched off BASE: BASE or BASE..HEAD
    #[arg(long, value_name = "BASE", group = "view")]
    pub diff: Option<String>,
    /// Scan every file that a commit ever added or changed: on all branches and tags, or in a range
    #[arg(long, value_name = "RANGE", num_args = 0..=1, default_missing_value = "", group = "view")]
    pub history: Option<String>,
}

/// The selection of rules and their levels.
#[derive(Clone, Debug, Args)]
pub struct SelectionOptions {
    /// Report only these rules
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = RuleParser, hide_possible_values = true)]
    pub only: Vec<&'static RuleMeta>,
    /// Do not report these rules
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = RuleParser, hide_possible_values = true)]
    pub skip: Vec<&'static RuleMeta>,
    /// Report a rule at another level, as in recipients-mismatch=warning
    #[arg(long = "level", value_name = "ID=LEVEL", value_delimiter = ',', value_parser = level_override)]
    pub levels: Vec<(&'static RuleMeta, Level)>,
}

/// The reports to write.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// Their formats and files.
    #[command(flatten)]
    pub targets: Targets,
    /// Count the findings by rule and by directory instead of listing them
    #[arg(long)]
    pub statistics: bool,
}

/// Colours and the amount of output, for every command.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct StyleOptions {
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: ColorChoice,
    /// Print findings, changes and errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print details too: findings of level info, and which findings were suppressed and which files skipped, and why
    #[arg(short, long, global = true)]
    pub verbose: bool,
}
