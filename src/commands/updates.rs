//! The refs that a push updates: the commits that a hook has to judge.
//!
//! Git passes them in the arguments of a hook and on its standard input; pre-commit and prek set
//! variables instead.

use std::io;

use crate::host::Host;
use crate::source::View;

/// The reason why a hook cannot learn what to judge.
#[derive(Debug, thiserror::Error)]
pub enum UpdatesError {
    /// Standard input is a terminal.
    #[error("git passes the pushed refs on standard input, but standard input is a terminal")]
    Terminal,
    /// Standard input cannot be read.
    #[error("cannot read the pushed refs from standard input")]
    Input(#[source] io::Error),
    /// A line is not what git writes.
    #[error("line {0} of standard input is not a pushed ref")]
    Line(usize),
}

impl UpdatesError {
    /// Returns the next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Terminal => {
                "git calls this hook: `sops-lint install` writes it; to scan by hand, run `sops-lint scan --history`"
            }
            Self::Input(_) => "push again",
            Self::Line(_) => {
                "pass the input of git on unchanged: docs/hooks.md shows how two hooks share it"
            }
        }
    }
}

/// Returns the commits of a push that the remote lacks; `None` if there are none.
pub(super) fn pushed(remote: Option<&str>, host: &Host) -> Result<Option<View>, UpdatesError> {
    if remote.is_none() && host.env("PRE_COMMIT").is_some() {
        // The first push of a branch sets no refs, and a run by hand sets nothing.
        let names = ["PRE_COMMIT_TO_REF", "PRE_COMMIT_LOCAL_BRANCH"];
        let tip = names.iter().find_map(|name| host.env(name));
        let known = host.env("PRE_COMMIT_FROM_REF").into_iter().collect();
        let remote = host.env("PRE_COMMIT_REMOTE_NAME");
        let tip = tip.unwrap_or_else(|| "HEAD".to_owned());
        return Ok(new_commits(vec![tip], known, remote.as_deref()));
    }
    let updates = updates(host, |line| {
        // From the end: the local side is as the user typed it and may contain blanks.
        let mut words = line.rsplitn(4, ' ');
        let (old, _, new) = (words.next()?, words.next()?, words.next()?);
        words.next()?;
        Some(Update { old, new })
    })?;
    Ok(new_commits(updates.new, updates.old, remote))
}

/// Returns the new commits of a push that this repository receives; `None` if there are none.
pub(super) fn received(host: &Host) -> Result<Option<View>, UpdatesError> {
    let updates = updates(host, |line| {
        let mut words = line.splitn(3, ' ');
        let (old, new) = (words.next()?, words.next()?);
        words.next()?;
        Some(Update { old, new })
    })?;
    if updates.new.is_empty() {
        return Ok(None);
    }
    Ok(Some(View::History(Some(format!("{} --not --all", updates.new.join(" "))))))
}

/// Returns the commits that are new to the remote. It has the old side of each ref, and what it had at
/// the last fetch.
fn new_commits(tips: Vec<String>, known: Vec<String>, remote: Option<&str>) -> Option<View> {
    if tips.is_empty() {
        return None;
    }
    let mut words = tips;
    words.extend(["--not".to_owned(), "--ignore-missing".to_owned()]);
    words.extend(known);
    match remote {
        // A URL instead of a name has no remote branches here.
        Some(name) if name.contains(char::is_whitespace) => {}
        Some(name) => words.push(format!("--remotes={name}")),
        None => words.push("--remotes".to_owned()),
    }
    Some(View::History(Some(words.join(" "))))
}

/// The commits of a ref before and after a push, in hexadecimal.
struct Update<'l> {
    old: &'l str,
    new: &'l str,
}

/// The commits of all refs before and after. A deleted ref has no commit after.
#[derive(Default)]
struct Updates {
    old: Vec<String>,
    new: Vec<String>,
}

fn updates(
    host: &Host,
    read: impl Fn(&str) -> Option<Update<'_>>,
) -> Result<Updates, UpdatesError> {
    if host.stdin_is_terminal {
        return Err(UpdatesError::Terminal);
    }
    let text = host.input().map_err(UpdatesError::Input)?;
    let mut updates = Updates::default();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let update = read(line).filter(|update| is_id(update.old) && is_id(update.new));
        let Update { old, new } = update.ok_or(UpdatesError::Line(number + 1))?;
        updates.old.push(old.to_owned());
        if new.bytes().any(|digit| digit != b'0') {
            updates.new.push(new.to_owned());
        }
    }
    Ok(updates)
}

/// Reports whether a word is the id of an object: SHA-1 or SHA-256 in hexadecimal.
fn is_id(word: &str) -> bool {
    matches!(word.len(), 40 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
