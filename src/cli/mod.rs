//! The command line. Only types and parsers: nothing here reads a file.

mod advice;
mod arguments;
mod command;
mod options;
mod parse;
mod targets;
mod values;

pub use arguments::{
    Baseline, Completions, Event, Explain, Fix, Hook, HookOptions, Install, Policy, PreCommit,
    PrePush, Rules, Scan,
};
pub use command::{Cli, Command};
pub use options::{
    ReportOptions, RunOptions, SelectionOptions, SettingsOptions, StyleOptions, ViewOptions,
};
pub use parse::parse;
pub use targets::{Target, Targets};
pub use values::{ColorChoice, HookName, LevelName, ListFormat, VerifyChoice};
