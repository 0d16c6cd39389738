//! Values of options, and their parsers.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ValueEnum};

use crate::finding::{Level, RuleMeta};
use crate::path::Shard;
use crate::rules;
use crate::text::words::meant;

/// A git hook that `install` can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HookName {
    /// Before a commit is made
    PreCommit,
    /// Before a merge without conflicts is committed
    PreMergeCommit,
    /// Before commits are pushed
    PrePush,
    /// On a server, before it accepts a push
    PreReceive,
}

/// A format of the list of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Human,
    /// For programs
    Json,
    /// The manuals of all rules
    Markdown,
}

/// The choice of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR`, `FORCE_COLOR` or `TERM=dumb` says otherwise
    Auto,
    /// Everywhere, in files and pipes too
    Always,
    /// Nowhere
    Never,
}

/// The choice of verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerifyChoice {
    /// If a private key is available that needs no passphrase; other files are listed
    Auto,
    /// For every file: one without a key is an error, and passphrases are asked for
    Always,
    /// For no file
    Never,
}

/// A level, as an option names it.
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

/// The parser of a rule's id. Shells complete it, but the answer to a mistake does not list all ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleParser;

impl TypedValueParser for RuleParser {
    type Value = &'static RuleMeta;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        TypedValueParser::parse_ref(&known_rule, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(rules::all().map(|meta| PossibleValue::new(meta.id.as_str()))))
    }
}

/// Returns the rule with this id, or advice if there is none.
fn known_rule(id: &str) -> Result<&'static RuleMeta, String> {
    rules::find(id).ok_or_else(|| {
        let ids: Vec<&str> = rules::all().map(|meta| meta.id.as_str()).collect();
        let meant: Vec<_> = meant(id, &ids).iter().map(|near| format!("`{near}`")).collect();
        let meant = match meant.as_slice() {
            [] => String::new(),
            [only] => format!("did you mean {only}? "),
            [first @ .., last] => format!("did you mean {} or {last}? ", first.join(", ")),
        };
        format!("there is no such rule; {meant}see `sops-lint rules`")
    })
}

/// Parses `I/N`.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let (number, of) = text.split_once('/').ok_or("write it as I/N, as in 1/4")?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok());
    let both = digits(number).flatten().zip(digits(of).flatten());
    let (number, of) = both.ok_or("I and N are whole numbers, as in 1/4")?;
    Shard::new(number, of).ok_or_else(|| "I goes from 1 to N".to_owned())
}

/// Parses `ID=LEVEL`.
pub(super) fn level_override(text: &str) -> Result<(&'static RuleMeta, Level), String> {
    let (id, level) = text.split_once('=').ok_or("write it as ID=LEVEL")?;
    let meta = known_rule(id)?;
    let level =
        LevelName::from_str(level, false).map_err(|_| "the level is error, warning or info")?;
    Ok((meta, level.into()))
}
