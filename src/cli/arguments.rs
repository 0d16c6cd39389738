//! The arguments of each command.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::options::{
    BaselineOptions, ReportOptions, RunOptions, SelectionOptions, SettingsOptions, ViewOptions,
};
use super::values::{HookName, LevelName, ListFormat, RuleParser, VerifyChoice, shard};
use crate::finding::RuleMeta;
use crate::path::Shard;

/// The arguments of `sops-lint scan`.
#[derive(Debug, Args)]
pub struct Scan {
    /// Files and directories to scan [default: the repository around the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Also scan the files and directories in this list, one per line; - is standard input
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,
    /// The paths of the list end with NUL bytes instead of newlines
    #[arg(short = '0', long = "null", requires = "files_from")]
    pub null: bool,
    /// Report part I of N, so that N jobs can share the work
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,
    /// The state of the files to judge.
    #[command(flatten)]
    pub view: ViewOptions,
    /// The reports to write.
    #[command(flatten)]
    pub report: ReportOptions,
    /// When to verify the MAC of encrypted files with your private keys [default: auto]
    #[arg(long, value_name = "WHEN", value_enum)]
    pub verify: Option<VerifyChoice>,
    /// The lowest level that makes the run fail with exit code 1 [default: that of the settings, or error]
    #[arg(long, value_name = "LEVEL")]
    pub fail_on: Option<LevelName>,
    /// Exit with 0 where findings would make it 1; a run that fails still exits with 2
    #[arg(long)]
    pub exit_zero: bool,
    /// The selection of rules and their levels.
    #[command(flatten)]
    pub selection: SelectionOptions,
    /// The choice of a settings file.
    #[command(flatten)]
    pub settings: SettingsOptions,
    /// The choice of a baseline.
    #[command(flatten)]
    pub baseline: BaselineOptions,
    /// Threads and progress.
    #[command(flatten)]
    pub run: RunOptions,
}

/// The arguments of `sops-lint fix`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Fix {
    /// Files and directories to fix [default: the repository around the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Fix what the next commit changes, in the index and in the work tree
    #[arg(long)]
    pub staged: bool,
    /// List the changes without making them
    #[arg(long)]
    pub dry_run: bool,
    /// Show the changes line by line, without values and without making them
    #[arg(long)]
    pub diff: bool,
    /// Also apply fixes that may change the meaning, such as turning a glob into a regular expression
    #[arg(long)]
    pub r#unsafe: bool,
    /// The lowest level of a remaining finding that makes the run fail with exit code 1 [default: that of the
    /// settings, or error]
    #[arg(long, value_name = "LEVEL")]
    pub fail_on: Option<LevelName>,
    /// The selection of rules and their levels.
    #[command(flatten)]
    pub selection: SelectionOptions,
    /// The choice of a settings file.
    #[command(flatten)]
    pub settings: SettingsOptions,
    /// The choice of a baseline.
    #[command(flatten)]
    pub baseline: BaselineOptions,
    /// Threads and progress.
    #[command(flatten)]
    pub run: RunOptions,
}

/// The arguments of `sops-lint baseline`.
#[derive(Debug, Args)]
pub struct Baseline {
    /// Files and directories to scan [default: the repository around the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Where to write the baseline [default: .sops-lint-baseline.yaml at the root]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The choice of a settings file.
    #[command(flatten)]
    pub settings: SettingsOptions,
    /// Threads and progress.
    #[command(flatten)]
    pub run: RunOptions,
}

/// The arguments of `sops-lint hook`.
#[derive(Debug, Args)]
pub struct Hook {
    /// What git is about to do
    #[command(subcommand)]
    pub event: Event,
}

/// What git is about to do.
#[derive(Debug, Subcommand)]
pub enum Event {
    /// Scan what the next commit changes, as it is in the index
    PreCommit(PreCommit),
    /// Scan the commits of a push that the remote does not have yet
    PrePush(PrePush),
    /// Scan the commits that are pushed to this repository
    PreReceive(HookOptions),
}

/// The arguments of `sops-lint hook pre-commit`.
#[derive(Debug, Args)]
pub struct PreCommit {
    /// Scan these files as they are in the index, changed or not [default: what changed]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Encrypt plaintext wherever a creation rule applies, not only where fix.allow permits it
    #[arg(long, conflicts_with = "files")]
    pub fix: bool,
    /// The options of all hooks.
    #[command(flatten)]
    pub options: HookOptions,
}

/// The arguments of `sops-lint hook pre-push`.
#[derive(Debug, Args)]
pub struct PrePush {
    /// The name of the remote, from git
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    /// The address of the remote, from git; it is not used
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// The options of all hooks.
    #[command(flatten)]
    pub options: HookOptions,
}

/// The options of all hooks.
#[derive(Clone, Debug, Args)]
pub struct HookOptions {
    /// The lowest level that is refused [default: that of the settings, or error]
    #[arg(long, value_name = "LEVEL")]
    pub fail_on: Option<LevelName>,
    /// The choice of a settings file.
    #[command(flatten)]
    pub settings: SettingsOptions,
    /// The choice of a baseline.
    #[command(flatten)]
    pub baseline: BaselineOptions,
}

/// The arguments of `sops-lint install`.
#[derive(Debug, Args)]
pub struct Install {
    /// Which hook
    #[arg(long, value_name = "NAME", value_enum, default_value = "pre-commit")]
    pub hook: HookName,
    /// Let the hook encrypt plaintext wherever a creation rule applies; only for pre-commit
    #[arg(long, conflicts_with = "uninstall")]
    pub fix: bool,
    /// Let a hook that was installed with --fix encrypt no longer
    #[arg(long, conflicts_with_all = ["fix", "uninstall"])]
    pub no_fix: bool,
    /// Remove the hook instead
    #[arg(long)]
    pub uninstall: bool,
}

/// The arguments of `sops-lint policy`.
#[derive(Debug, Args)]
pub struct Policy {
    /// Files to ask about; they need not exist
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
}

/// The arguments of `sops-lint explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The rules, by the ids that `sops-lint rules` lists
    #[arg(value_name = "ID", required = true, value_parser = RuleParser, hide_possible_values = true)]
    pub rules: Vec<&'static RuleMeta>,
}

/// The arguments of `sops-lint rules`.
#[derive(Debug, Args)]
pub struct Rules {
    /// Format of the list
    #[arg(long, default_value = "human")]
    pub format: ListFormat,
}

/// The arguments of `sops-lint completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
