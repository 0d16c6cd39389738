//! Commands in the help of findings.

use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Config, Governing};
use crate::text::printable;

/// Returns the sops command that does `verb` to a file under its own config, run from the root.
pub fn sops_command(governing: Governing<'_>, verb: &str, path: &RepoPath) -> String {
    let what = format!("{verb} {}", quoted(path.as_str()));
    match governing {
        Governing::Rule(config, _) => sops_under(config, &what),
        _ => format!("`sops {what}`"),
    }
}

/// Returns the sops command that does `what` under a config, run from the root. Without a path in
/// `what`, the sentence around it names the files.
pub(super) fn sops_under(config: &Config, what: &str) -> String {
    if config.path.as_str() == CONFIG_NAME {
        return format!("`sops {what}`");
    }
    format!("`sops --config {} {what}`", quoted(config.path.as_str()))
}

/// Tells how to remove a file from git, but not from the disk.
pub(super) fn untrack(path: &RepoPath) -> String {
    let path = quoted(path.as_str());
    format!("run `git rm --cached {path}` if git tracks it, and add it to .gitignore")
}

/// Tells how to rename a file.
pub(super) fn rename(from: &RepoPath, to: &RepoPath) -> String {
    format!("run `git mv {} {}`", quoted(from.as_str()), quoted(to.as_str()))
}

/// Returns a path as one word of a POSIX shell.
pub fn quoted(path: &str) -> String {
    let path = printable::clean_path(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    let begins_plain = !path.starts_with('-');
    if path.chars().all(is_plain) && begins_plain {
        return path.into_owned();
    }
    let dash = if begins_plain { "" } else { "./" };
    format!("'{dash}{}'", path.replace('\'', r"'\''"))
}
