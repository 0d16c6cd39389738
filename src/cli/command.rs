//! The program and its commands.

use clap::{Parser, Subcommand};

use super::arguments::{Baseline, Completions, Explain, Fix, Hook, Install, Policy, Rules, Scan};
use super::options::StyleOptions;

/// Finds mistakes in SOPS-encrypted files before they are committed.
#[derive(Debug, Parser)]
#[command(name = "sops-lint", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// Colours and the amount of output.
    #[command(flatten)]
    pub style: StyleOptions,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find plaintext secrets, wrong recipients and broken files
    Scan(Box<Scan>),
    /// Encrypt plaintext secrets by their creation rule, and correct mistakes in .sops.yaml
    Fix(Fix),
    /// Show which .sops.yaml and which creation rule govern a file, and what they require
    Policy(Policy),
    /// Write the current findings to a file, for `scan --baseline` to suppress
    Baseline(Baseline),
    /// Scan what git is about to commit, push or receive; git hooks run it
    Hook(Hook),
    /// Write a git hook that runs sops-lint
    Install(Install),
    /// Print the manuals of rules
    Explain(Explain),
    /// List all rules
    Rules(Rules),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}
