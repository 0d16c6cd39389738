//! `sops-lint hook`: what git is about to do, and may not do.
//!
//! Git tells a hook what it is about in its arguments and on standard input; pre-commit and prek keep
//! that to themselves and set variables instead.

use std::io;

use super::fix::{self, Fixing, Mode, Scene, Scope};
use super::scan::{self, remark};
use super::{CommandError, Exit};
use crate::cli::{Event, Hook, HookOptions, PreCommit, PrePush};
use crate::host::Host;
use crate::settings::Settings;
use crate::source::{Source, View};

/// What to do about findings in a commit.
const NOT_COMMITTED: &str = "nothing was committed: correct the files and `git add` them";

/// Why a hook does not know what to judge.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// A person calls it.
    #[error("git says on standard input what is pushed, and this is a terminal")]
    Terminal,
    /// Standard input broke off.
    #[error("cannot read what is pushed from standard input")]
    Input(#[source] io::Error),
    /// Something else stands there.
    #[error("line {0} of standard input does not say what is pushed")]
    Line(usize),
}

impl HookError {
    /// The next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Terminal => {
                "let git call it: `sops-lint install` writes hooks; to look yourself, run `sops-lint scan --history`"
            }
            Self::Input(_) => "push again",
            Self::Line(_) => {
                "hand on what git wrote, as it is: docs/hooks.md shows how two hooks can share it"
            }
        }
    }
}

/// Judges what git is about to do, and says what to do if it must not.
pub fn run(args: Hook, host: &Host) -> Result<Exit, CommandError> {
    let (options, view, advice) = match args.event {
        Event::PreCommit(PreCommit { files, fix, options }) if files.is_empty() => {
            return before_commit(&options, fix, host);
        }
        Event::PreCommit(PreCommit { files, options, .. }) => {
            (options, Some(View::Index(files)), NOT_COMMITTED)
        }
        Event::PrePush(PrePush { remote, options, .. }) => {
            let advice = "nothing was pushed: correct the commits that are named above, as with `git commit --amend` or `git rebase --interactive`; a commit on top does not take a secret out of them";
            (options, pushed(remote.as_deref(), host)?, advice)
        }
        Event::PreReceive(options) => {
            let advice = "nothing was accepted: correct the commits that are named above and push again; a commit on top does not take a secret out of them";
            (options, received(host)?, advice)
        }
    };
    let Some(view) = view else { return Ok(Exit::Clean) };
    let exit = scan::run_as(settings(options, view, host), host)?;
    if exit == Exit::Findings {
        remark(advice);
    }
    Ok(exit)
}

/// Judges what is staged. Encrypts plaintext where that is allowed, and then judges the result.
fn before_commit(
    options: &HookOptions,
    everywhere: bool,
    host: &Host,
) -> Result<Exit, CommandError> {
    let resolve = || settings(options.clone(), View::Staged, host);
    let open = || Source::open(&View::Staged, &host.directory, &[]);
    let (mut settings, mut source) = (resolve(), open()?);
    let mut examined = scan::examine(&source, &mut settings, host)?;
    if everywhere || !settings.file.fix_allow.is_empty() {
        let scope = if everywhere { Scope::Everywhere } else { Scope::Allowed };
        let fixing = Fixing { mode: Mode::Write, takes_unsafe: false, scope };
        let scene = Scene { source: &source, examined: &examined, settings: &settings, host };
        if fix::fix_examined(&scene, fixing)?.changes > 0 {
            (settings, source) = (resolve(), open()?);
            examined = scan::examine(&source, &mut settings, host)?;
        }
    }
    let exit = scan::conclude(examined.finished, &source, &settings, host)?;
    if exit == Exit::Findings {
        remark(NOT_COMMITTED);
    }
    Ok(exit)
}

fn settings(options: HookOptions, view: View, host: &Host) -> Settings {
    Settings { view, ..Settings::resolve(options.into(), host) }
}

/// The commits of a push that the remote does not have; `None` if it brings none.
fn pushed(remote: Option<&str>, host: &Host) -> Result<Option<View>, CommandError> {
    if remote.is_none() && host.env("PRE_COMMIT").is_some() {
        // The first push of a branch has no refs here, and a run by hand has nothing at all.
        let names = ["PRE_COMMIT_TO_REF", "PRE_COMMIT_LOCAL_BRANCH"];
        let tip = names.iter().find_map(|name| host.env(name));
        let known = host.env("PRE_COMMIT_FROM_REF").into_iter().collect();
        let remote = host.env("PRE_COMMIT_REMOTE_NAME");
        let tip = tip.unwrap_or_else(|| "HEAD".to_owned());
        return Ok(new_commits(vec![tip], known, remote.as_deref()));
    }
    let updates = updates(host, |line| {
        // From the end: what the local side is called was typed, and may hold blanks.
        let mut words = line.rsplitn(4, ' ');
        let (old, _, new) = (words.next()?, words.next()?, words.next()?);
        words.next()?;
        Some(Update { old, new })
    })?;
    Ok(new_commits(updates.new, updates.old, remote))
}

/// The commits that a push brings here; `None` if it brings none.
fn received(host: &Host) -> Result<Option<View>, CommandError> {
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

/// What is new to the remote: it has what it said, as far as that is known here, and what it had when
/// it was last fetched from.
fn new_commits(tips: Vec<String>, known: Vec<String>, remote: Option<&str>) -> Option<View> {
    if tips.is_empty() {
        return None;
    }
    let mut words = tips;
    words.extend(["--not".to_owned(), "--ignore-missing".to_owned()]);
    words.extend(known);
    match remote {
        // A URL in place of a name has no branches here.
        Some(name) if name.contains(char::is_whitespace) => {}
        Some(name) => words.push(format!("--remotes={name}")),
        None => words.push("--remotes".to_owned()),
    }
    Some(View::History(Some(words.join(" "))))
}

/// A ref, before and after.
struct Update<'l> {
    old: &'l str,
    new: &'l str,
}

/// Commits before and after. Refs that are deleted bring nothing.
#[derive(Default)]
struct Updates {
    old: Vec<String>,
    new: Vec<String>,
}

fn updates(host: &Host, read: impl Fn(&str) -> Option<Update<'_>>) -> Result<Updates, HookError> {
    if host.stdin_is_terminal {
        return Err(HookError::Terminal);
    }
    let text = host.input().map_err(HookError::Input)?;
    let mut updates = Updates::default();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let update = read(line).filter(|update| is_id(update.old) && is_id(update.new));
        let Update { old, new } = update.ok_or(HookError::Line(number + 1))?;
        updates.old.push(old.to_owned());
        if new.bytes().any(|digit| digit != b'0') {
            updates.new.push(new.to_owned());
        }
    }
    Ok(updates)
}

/// Whether it is the name of an object: SHA-1 or SHA-256 in hexadecimal.
fn is_id(word: &str) -> bool {
    matches!(word.len(), 40 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
