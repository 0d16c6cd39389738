//! `sops-lint hook`: judges what git is about to commit, push or receive.

use std::path::Path;

use super::error::{CommandError, Exit};
use super::fix::{self, Fixing, Mode, Scene, Scope};
use super::say::remark;
use super::scan;
use super::updates::{pushed, received};
use crate::cli::{Event, Hook, HookOptions, PreCommit, PrePush, StyleOptions};
use crate::finding::Level;
use crate::host::Host;
use crate::path::RepoPath;
use crate::report::Style;
use crate::session::Session;
use crate::settings::Options;
use crate::source::View;

/// The next step after findings in a commit.
const NOT_COMMITTED: &str = "nothing was committed: fix the files and `git add` them";

/// The same if `fix` can encrypt all of it.
const ENCRYPT_ALL: &str =
    "nothing was committed: run `sops-lint fix --staged` to encrypt the files, then commit again";

/// The same if git made an index for this commit alone, as for `git commit --all`: it is gone now.
const ENCRYPT_UNSTAGED: &str =
    "nothing was committed: run `sops-lint fix` to encrypt the files, then commit again";

/// Judges what git is about to do, and names the next step if it must not.
pub fn run(args: Hook, style: StyleOptions, host: &Host) -> Result<Exit, CommandError> {
    let (options, view, advice) = match args.event {
        Event::PreCommit(args) => return pre_commit(args, style, host),
        Event::PrePush(PrePush { remote, options, .. }) => {
            let advice = "nothing was pushed: fix the commits named above, for example with `git commit --amend` or `git rebase --interactive`; a new commit on top does not remove a secret from them";
            (options, pushed(remote.as_deref(), host)?, advice)
        }
        Event::PreReceive(options) => {
            let advice = "nothing was accepted: fix the commits named above and push again; a new commit on top does not remove a secret from them";
            (options, received(host)?, advice)
        }
    };
    let Some(view) = view else { return Ok(Exit::Clean) };
    let session = Session::new(self::options(options, view, style, host), host);
    let (exit, _) = scan::report(&session, &session.open()?)?;
    if exit == Exit::Findings {
        remark(advice);
    }
    Ok(exit)
}

/// Judges what git is about to commit, or files as they are in the index.
fn pre_commit(args: PreCommit, style: StyleOptions, host: &Host) -> Result<Exit, CommandError> {
    let PreCommit { files, fix, options } = args;
    let session = |view| Session::new(self::options(options.clone(), view, style, host), host);
    let (judged, exit) = if files.is_empty() {
        let judged = session(View::Staged);
        let exit = before_commit(&judged, fix)?;
        (judged, exit)
    } else {
        let judged = session(View::Index(files));
        let (exit, _) = scan::report(&judged, &judged.open()?)?;
        (judged, exit)
    };
    if exit == Exit::Findings {
        let can_be_fixed = can_be_fixed(&judged, &session(View::Staged)).unwrap_or_default();
        // Git sets this for hooks, and names its own index otherwise.
        let index = host.env("GIT_INDEX_FILE");
        let is_temporary =
            index.is_some_and(|index| Path::new(&index).file_name() != Some("index".as_ref()));
        remark(match can_be_fixed {
            true if is_temporary => ENCRYPT_UNSTAGED,
            true => ENCRYPT_ALL,
            false => NOT_COMMITTED,
        });
    }
    Ok(exit)
}

/// Reports whether `fix --staged` fixes everything that keeps the commit from being made.
fn can_be_fixed(judged: &Session<'_>, staged: &Session<'_>) -> Result<bool, CommandError> {
    let changed = fix::remedy(staged)?;
    if judged.options.view == View::Staged {
        return Ok(changed.is_some());
    }
    let files = fix::remedy(judged)?;
    let is_staged = |(files, changed): (Vec<RepoPath>, Vec<RepoPath>)| {
        files.iter().all(|file| changed.contains(file))
    };
    Ok(files.zip(changed).is_some_and(is_staged))
}

/// Judges what is staged. Encrypts plaintext where that is allowed, and then judges the result.
fn before_commit(session: &Session<'_>, everywhere: bool) -> Result<Exit, CommandError> {
    let source = session.open()?;
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let examined = session.examine(&source, &settings, ring.as_ref())?;
    let mut has_changed = false;
    if everywhere || !settings.file.fix_allow.is_empty() {
        let scope = if everywhere { Scope::Everywhere } else { Scope::Allowed };
        let fixing = Fixing { mode: Mode::Write, takes_unsafe: false, scope };
        let scene = Scene { source: &source, examined: &examined, settings: &settings, session };
        has_changed = fix::fix_examined(&scene, fixing)?;
    }
    let (exit, _) = if has_changed {
        scan::report(session, &session.open()?)?
    } else {
        scan::conclude(session, &source, &settings, examined.finished)?
    };
    Ok(exit)
}

fn options(options: HookOptions, view: View, style: StyleOptions, host: &Host) -> Options {
    let resolved = Options::new(options.settings, style, host).with_baseline(options.baseline);
    // A hook without findings prints nothing, unless it is asked for details.
    let style = Style { quiet: !style.verbose, ..resolved.style };
    // Git runs hooks at the root, and says where the person is.
    let prefix = host.env("GIT_PREFIX").unwrap_or_default();
    let reads_in = resolved.directory.join(prefix);
    let fail_on = options.fail_on.map(Level::from);
    Options { view, style, fail_on, progress: false, reads_in, ..resolved }
}
