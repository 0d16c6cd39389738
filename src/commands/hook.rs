//! `sops-lint hook`: judges what git is about to commit, push or receive.

use super::error::{CommandError, Exit};
use super::fix::{self, Fixing, Mode, Scene, Scope};
use super::say::remark;
use super::scan;
use super::updates::{pushed, received};
use crate::cli::{Event, Hook, HookOptions, PreCommit, PrePush, SettingsOptions};
use crate::host::Host;
use crate::path::RepoPath;
use crate::report::Style;
use crate::rules::quoted;
use crate::session::Session;
use crate::settings::Options;
use crate::source::View;

/// The next step after findings in a commit.
const NOT_COMMITTED: &str = "nothing was committed: fix the files and `git add` them";

/// Judges what git is about to do, and names the next step if it must not.
pub fn run(args: Hook, host: &Host) -> Result<Exit, CommandError> {
    let (options, view, advice) = match args.event {
        Event::PreCommit(args) => return pre_commit(args, host),
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

/// Judges what git is about to commit, or files as they are in the index.
fn pre_commit(args: PreCommit, host: &Host) -> Result<Exit, CommandError> {
    let PreCommit { files, fix, options } = args;
    let session = |view| Session::new(self::options(options.clone(), view, host), host);
    let (judged, exit) = if files.is_empty() {
        let judged = session(View::Staged);
        let exit = before_commit(&judged, fix)?;
        (judged, exit)
    } else {
        let judged = session(View::Index(files));
        let exit = scan::report(&judged, &judged.open()?)?;
        (judged, exit)
    };
    if exit == Exit::Findings {
        let can_be_fixed = can_be_fixed(&judged, &session(View::Staged)).unwrap_or_default();
        remark(&if can_be_fixed {
            fix_staged(&options.settings)
        } else {
            NOT_COMMITTED.to_owned()
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

/// Names the one step that fixes everything.
fn fix_staged(settings: &SettingsOptions) -> String {
    let config = settings.config.iter();
    let config = config.map(|file| format!(" --config {}", quoted(&file.to_string_lossy())));
    let no_config = if settings.no_config { " --no-config" } else { "" };
    let options = config.chain([no_config.to_owned()]).collect::<String>();
    format!(
        "nothing was committed: `sops-lint fix --staged{options}` encrypts what is in plaintext, and then you can commit"
    )
}

/// Judges what is staged. Encrypts plaintext where that is allowed, and then judges the result.
fn before_commit(session: &Session<'_>, everywhere: bool) -> Result<Exit, CommandError> {
    let source = session.open()?;
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let mut examined = session.examine(&source, &settings, ring.as_ref())?;
    scan::suppress(&settings, &mut examined.finished);
    let mut has_changed = false;
    if everywhere || !settings.file.fix_allow.is_empty() {
        let scope = if everywhere { Scope::Everywhere } else { Scope::Allowed };
        let fixing = Fixing { mode: Mode::Write, takes_unsafe: false, scope };
        let scene = Scene { source: &source, examined: &examined, settings: &settings, session };
        has_changed = fix::fix_examined(&scene, fixing)?;
    }
    if has_changed {
        scan::report(session, &session.open()?)
    } else {
        scan::conclude(session, &source, examined.finished)
    }
}

fn options(options: HookOptions, view: View, host: &Host) -> Options {
    let resolved = Options::new(options.settings, host);
    // A hook without findings prints nothing.
    let style = Style { quiet: true, ..resolved.style };
    Options { view, style, fail_on: Some(options.fail_on.into()), progress: false, ..resolved }
}
