//! What can be typed. Types only: nothing here touches a disk.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::finding::{Level, RuleMeta};
use crate::path::Shard;
use crate::report::REPORTERS;
use crate::rules;

/// Finds what is wrong with SOPS-encrypted files before they are committed.
#[derive(Debug, Parser)]
#[command(name = "sops-lint", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look for plaintext secrets, wrong recipients and broken files
    Scan(Box<Scan>),
    /// Encrypt plaintext secrets as their creation rule demands, and correct mistakes in .sops.yaml
    Fix(Fix),
    /// Show which .sops.yaml and which creation rule govern a file, and what they demand
    Policy(Policy),
    /// Write today's findings down, to be held back by `scan --baseline`
    Baseline(Baseline),
    /// Judge what git is about to commit, to push or to receive; git's hooks call it
    Hook(Hook),
    /// Write a hook of git that calls sops-lint
    Install(Install),
    /// Print the manuals of rules
    Explain(Explain),
    /// List all rules
    Rules(Rules),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// `sops-lint scan`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Scan {
    /// Files and directories to look at [default: the repository around the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Look at the files and directories that stand in this list too, one a line; - is standard input
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,
    /// The paths of the list end with NUL bytes instead of lines
    #[arg(short = '0', long = "null", requires = "files_from")]
    pub null: bool,
    /// Look at one file that comes in on standard input, as if it stood here
    #[arg(long, value_name = "PATH", group = "view", conflicts_with_all = ["paths", "files_from", "shard"])]
    pub stdin_filename: Option<PathBuf>,
    /// Report part I of N, so that N jobs can share the work
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,
    /// Look at what the next commit changes, as it stands in the index
    #[arg(long, group = "view")]
    pub staged: bool,
    /// Look at a commit instead of the work tree
    #[arg(long, value_name = "COMMIT", group = "view")]
    pub rev: Option<String>,
    /// Look at HEAD, and report what changed since it left BASE: BASE or BASE..HEAD
    #[arg(long, value_name = "BASE", group = "view")]
    pub diff: Option<String>,
    /// Look at every file that a commit ever brought: of all branches and tags, or of a range
    #[arg(long, value_name = "RANGE", num_args = 0..=1, default_missing_value = "", group = "view")]
    pub history: Option<String>,
    /// How to write the findings down
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(REPORTERS.iter().map(|reporter| reporter.name())))]
    pub format: String,
    /// Write the findings to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Whether to open encrypted files with your private keys and compare their MAC [default: auto]
    #[arg(long, value_name = "WHEN", value_enum)]
    pub verify: Option<VerifyChoice>,
    /// The lowest level that makes the run fail with exit code 1
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    pub fail_on: LevelName,
    /// Exit with 0 where findings would make it 1; what could not be done is still 2
    #[arg(long)]
    pub exit_zero: bool,
    /// Report these rules only
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = RuleId)]
    pub only: Vec<String>,
    /// Do not report these rules
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = RuleId)]
    pub skip: Vec<String>,
    /// Report a rule at another level, as in recipients-mismatch=warning
    #[arg(long = "level", value_name = "ID=LEVEL", value_parser = level_override)]
    pub levels: Vec<(String, Level)>,
    /// Read the settings from this file instead of .sops-lint.yaml at the root
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no settings file
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
    /// Hold back the findings that stand in this file; `sops-lint baseline` writes it
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Threads to use [default: one for every core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Print the findings and nothing else
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also print findings of level info, and which files were skipped, and why
    #[arg(short, long)]
    pub verbose: bool,
    /// Do not show progress on the terminal
    #[arg(long)]
    pub no_progress: bool,
}

/// `sops-lint fix`
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Fix {
    /// Files and directories to repair [default: the repository around the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Encrypt what the next commit changes, in the index and in the work tree
    #[arg(long)]
    pub staged: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Show what would be done line by line, without values, and do nothing
    #[arg(long)]
    pub diff: bool,
    /// Also apply fixes that may change the meaning, such as turning a glob into a regular expression
    #[arg(long)]
    pub r#unsafe: bool,
    /// Say what was done and what went wrong, and not what is left
    #[arg(short, long)]
    pub quiet: bool,
    /// Read the settings from this file instead of .sops-lint.yaml at the root
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no settings file
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
    /// Threads to use [default: one for every core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Do not show progress on the terminal
    #[arg(long)]
    pub no_progress: bool,
}

impl From<Fix> for Scan {
    /// What is repaired is what a scan finds, whatever its level.
    fn from(args: Fix) -> Self {
        Self {
            paths: args.paths,
            staged: args.staged,
            config: args.config,
            no_config: args.no_config,
            threads: args.threads,
            no_progress: args.no_progress,
            quiet: args.quiet,
            ..Self::plain()
        }
    }
}

/// `sops-lint baseline`
#[derive(Debug, Args)]
pub struct Baseline {
    /// Files and directories to look at [default: the repository around the current directory]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Where to write the baseline [default: .sops-lint-baseline.yaml at the root]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Read the settings from this file instead of .sops-lint.yaml at the root
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no settings file
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
    /// Do not show progress on the terminal
    #[arg(long)]
    pub no_progress: bool,
}

impl From<Baseline> for Scan {
    /// A baseline is written from what a scan with default options finds.
    fn from(args: Baseline) -> Self {
        Self {
            paths: args.paths,
            config: args.config,
            no_config: args.no_config,
            no_progress: args.no_progress,
            ..Self::plain()
        }
    }
}

impl Scan {
    /// A scan without options.
    fn plain() -> Self {
        Self {
            paths: Vec::new(),
            files_from: None,
            null: false,
            stdin_filename: None,
            shard: None,
            staged: false,
            rev: None,
            diff: None,
            history: None,
            format: REPORTERS[0].name().to_owned(),
            output: None,
            verify: None,
            fail_on: LevelName::Error,
            exit_zero: false,
            only: Vec::new(),
            skip: Vec::new(),
            levels: Vec::new(),
            config: None,
            no_config: false,
            baseline: None,
            threads: None,
            color: ColorChoice::Auto,
            quiet: false,
            verbose: false,
            no_progress: false,
        }
    }
}

/// `sops-lint hook`
#[derive(Debug, Args)]
pub struct Hook {
    /// What git is about to do
    #[command(subcommand)]
    pub event: Event,
}

/// What git is about to do.
#[derive(Debug, Subcommand)]
pub enum Event {
    /// Look at what the next commit changes, as it stands in the index
    PreCommit(PreCommit),
    /// Look at the commits that a push brings and the remote does not have yet
    PrePush(PrePush),
    /// Look at the commits that somebody pushes to this repository
    PreReceive(HookOptions),
}

/// `sops-lint hook pre-commit`
#[derive(Debug, Args)]
pub struct PreCommit {
    /// Look at these files as they stand in the index, changed or not [default: what changed]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Encrypt plaintext wherever a creation rule says how, not only where fix.allow does
    #[arg(long, conflicts_with = "files")]
    pub fix: bool,
    /// What all hooks take.
    #[command(flatten)]
    pub options: HookOptions,
}

/// `sops-lint hook pre-push`
#[derive(Debug, Args)]
pub struct PrePush {
    /// The remote; git names it
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    /// Where it is; git says it, and it is not used
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// What all hooks take.
    #[command(flatten)]
    pub options: HookOptions,
}

/// What all hooks take.
#[derive(Clone, Debug, Args)]
pub struct HookOptions {
    /// The lowest level that is refused
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    pub fail_on: LevelName,
    /// Read the settings from this file instead of .sops-lint.yaml at the root
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no settings file
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
}

impl From<HookOptions> for Scan {
    /// Nobody asked for a report: a hook that has nothing to say is silent.
    fn from(options: HookOptions) -> Self {
        Self {
            fail_on: options.fail_on,
            config: options.config,
            no_config: options.no_config,
            quiet: true,
            ..Self::plain()
        }
    }
}

/// `sops-lint install`
#[derive(Debug, Args)]
pub struct Install {
    /// Which hook
    #[arg(long, value_name = "NAME", value_enum, default_value = "pre-commit")]
    pub hook: HookName,
    /// Let the hook encrypt plaintext wherever a creation rule says how; pre-commit alone
    #[arg(long, conflicts_with = "uninstall")]
    pub fix: bool,
    /// Remove the hook instead
    #[arg(long)]
    pub uninstall: bool,
}

/// The hooks of git that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HookName {
    /// Before a commit is made
    PreCommit,
    /// Before a merge without conflicts is committed
    PreMergeCommit,
    /// Before commits are pushed
    PrePush,
    /// On a server, before it takes a push
    PreReceive,
}

/// `sops-lint policy`
#[derive(Debug, Args)]
pub struct Policy {
    /// Files to ask about; they need not exist
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
}

/// `sops-lint explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The rules
    #[arg(value_name = "ID", required = true, value_parser = RuleId)]
    pub ids: Vec<String>,
}

/// `sops-lint rules`
#[derive(Debug, Args)]
pub struct Rules {
    /// How to write the list down
    #[arg(long, default_value = "human")]
    pub format: ListFormat,
}

/// `sops-lint completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Formats of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Human,
    /// For programs
    Json,
    /// The manuals of all rules
    Markdown,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` say otherwise
    Auto,
    /// Everywhere, in files and pipes too
    Always,
    /// Nowhere
    Never,
}

/// When to compare MACs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerifyChoice {
    /// Where a private key is at hand that needs no passphrase; other files are listed
    Auto,
    /// A file without a key is an error, and passphrases are asked for
    Always,
    /// No file is opened
    Never,
}

/// A level as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelName {
    /// Errors only
    Error,
    /// Errors and warnings
    Warning,
    /// Everything
    Info,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Error => Self::Error,
            LevelName::Warning => Self::Warning,
            LevelName::Info => Self::Info,
        }
    }
}

/// Takes the id of a rule. Shells complete it, but a mistake is not answered with a list of them all.
#[derive(Clone, Copy, Debug)]
struct RuleId;

impl TypedValueParser for RuleId {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let parse = |id: &str| known_rule(id).map(|meta| meta.id.to_string());
        TypedValueParser::parse_ref(&parse, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(rules::all().map(|meta| PossibleValue::new(meta.id.as_str()))))
    }
}

/// The rule with this id, or what to do about an id of none.
fn known_rule(id: &str) -> Result<&'static RuleMeta, String> {
    rules::find(id).ok_or_else(|| {
        let meant = nearest_rule(id).map(|near| format!("did you mean `{near}`? "));
        format!("there is no such rule; {}see `sops-lint rules`", meant.unwrap_or_default())
    })
}

/// The rule that was meant, if one is near enough: a third of its letters may be wrong.
fn nearest_rule(id: &str) -> Option<&'static str> {
    const LONGEST: usize = 50;
    let distance = |other: &str| strsim::damerau_levenshtein(id, other);
    let ids = rules::all().map(|meta| meta.id.as_str());
    // The comparison takes the product of both lengths.
    let near = ids.filter(|_| id.len() <= LONGEST).min_by_key(|other| distance(other))?;
    (distance(near) <= near.len() / 3).then_some(near)
}

fn shard(text: &str) -> Result<Shard, String> {
    let (number, of) = text.split_once('/').ok_or("write it as I/N, as in 1/4")?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok());
    let both = digits(number).flatten().zip(digits(of).flatten());
    let (number, of) = both.ok_or("I and N are whole numbers, as in 1/4")?;
    Shard::new(number, of).ok_or_else(|| "I goes from 1 to N".to_owned())
}

fn level_override(text: &str) -> Result<(String, Level), String> {
    let (id, level) = text.split_once('=').ok_or("write it as ID=LEVEL")?;
    let meta = known_rule(id)?;
    let level =
        LevelName::from_str(level, false).map_err(|_| "the level is error, warning or info")?;
    Ok((meta.id.to_string(), level.into()))
}
