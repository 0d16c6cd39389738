//! `sops-lint hook`: judges what git is about to commit, push or receive.

use super::error::{CommandError, Exit};
use super::fix::{self, Fixing, Mode, Scene, Scope};
use super::say::remark;
use super::scan;
use super::updates::{pushed, received};
use crate::cli::{Event, Hook, HookOptions, PreCommit, PrePush};
use crate::host::Host;
use crate::report::Style;
use crate::session::Session;
use crate::settings::Options;
use crate::source::View;

/// The next step after findings in a commit.
const NOT_COMMITTED: &str = "nothing was committed: fix the files and `git add` them";

/// Judges what git is about to do, and names the next step if it must not.
pub fn run(args: Hook, host: &Host) -> Result<Exit, CommandError> {
    let (options, view, advice) = match args.event {
        Event::PreCommit(PreCommit { files, fix, options }) if files.is_empty() => {
            return before_commit(options, fix, host);
        }
        Event::PreCommit(PreCommit { files, options, .. }) => {
            (options, Some(View::Index(files)), NOT_COMMITTED)
        }
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
    let session = Session::new(self::options(options, view, host), host);
    let exit = scan::report(&session, &session.open()?)?;
    if exit == Exit::Findings {
        remark(advice);
    }
    Ok(exit)
}

/// Judges what is staged. Encrypts plaintext where that is allowed, and then judges the result.
fn before_commit(
    options: HookOptions,
    everywhere: bool,
    host: &Host,
) -> Result<Exit, CommandError> {
    let session = Session::new(self::options(options, View::Staged, host), host);
    let source = session.open()?;
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let mut examined = session.examine(&source, &settings, ring.as_ref())?;
    scan::suppress(&settings, &mut examined.finished);
    let mut has_changed = false;
    if everywhere || !settings.file.fix_allow.is_empty() {
        let scope = if everywhere { Scope::Everywhere } else { Scope::Allowed };
        let fixing = Fixing { mode: Mode::Write, takes_unsafe: false, scope };
        let session = &session;
        let scene = Scene { source: &source, examined: &examined, settings: &settings, session };
        has_changed = fix::fix_examined(&scene, fixing)?;
    }
    let exit = if has_changed {
        scan::report(&session, &session.open()?)?
    } else {
        scan::conclude(&session, &source, examined.finished)?
    };
    if exit == Exit::Findings {
        remark(NOT_COMMITTED);
    }
    Ok(exit)
}

fn options(options: HookOptions, view: View, host: &Host) -> Options {
    let resolved = Options::new(options.settings, host);
    // A hook without findings prints nothing.
    let style = Style { quiet: true, ..resolved.style };
    Options { view, style, fail_on: Some(options.fail_on.into()), progress: false, ..resolved }
}
