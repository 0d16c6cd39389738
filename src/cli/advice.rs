//! Advice about commands that do not exist.

use clap::Error;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Names under which other linters look for mistakes.
const SCAN: &[&str] = &[
    "analyse", "analyze", "audit", "check", "detect", "diff", "lint", "report", "run", "test",
    "validate", "verify",
];
/// Names under which other programs change files.
const FIX: &[&str] = &["apply", "correct", "encrypt", "format", "repair"];
/// Names under which other programs update themselves.
const UPDATE: &[&str] = &["self", "self-update", "update", "upgrade"];

/// Adds advice to an error about an unknown command.
pub(super) fn advise(mut error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    if let Some(tip) = tip(name) {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

/// Returns what a word in place of a command probably means.
fn tip(name: &str) -> Option<String> {
    let is_in = |names: &[&str]| names.contains(&name.to_lowercase().as_str());
    if is_in(SCAN) {
        Some("to find mistakes, run 'sops-lint scan'".to_owned())
    } else if is_in(FIX) {
        Some("to encrypt plaintext, run 'sops-lint fix'".to_owned())
    } else if is_in(UPDATE) {
        Some("sops-lint does not update itself: install it again, as you did at first".to_owned())
    } else if is_in(&["init", "setup"]) {
        Some("to check every commit, run 'sops-lint install'".to_owned())
    } else if is_in(&["list", "list-rules", "rule"]) {
        Some("to list the rules, run 'sops-lint rules'".to_owned())
    } else if name.contains(['/', '.', '\\']) {
        Some(format!("to scan a file or a directory, run 'sops-lint scan {name}'"))
    } else {
        None
    }
}
