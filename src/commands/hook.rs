//! `sops-lint hook`: judges what git is about to commit, push or receive.

use super::error::{CommandError, Exit};
use super::fix::{self, Fixing, Mode, Scene, Scope};
use super::say::remark;
use super::scan;
use super::updates::{pushed, received};
use crate::cli::{Event, Hook, HookOptions, PreCommit, PrePush, StyleOptions};
use crate::finding::Finding;
use crate::host::Host;
use crate::report::Style;
use crate::session::Session;
use crate::settings::Options;
use crate::source::View;

/// The next step after findings in a commit.
const NOT_COMMITTED: &str = "nothing was committed: fix the files and `git add` them";

/// The same if `fix` can encrypt all of it.
const ENCRYPT_ALL: &str =
    "nothing was committed: run `sops-lint fix --staged` to encrypt the files, then commit again";
/// The same if it can encrypt a part.
const ENCRYPT_SOME: &str = "nothing was committed: `sops-lint fix --staged` encrypts what has a creation rule; fix the other files and `git add` them";

/// Judges what git is about to do, and names the next step if it must not.
pub fn run(args: Hook, style: StyleOptions, host: &Host) -> Result<Exit, CommandError> {
    let (options, view, advice) = match args.event {
        Event::PreCommit(PreCommit { files, fix, options }) => {
            let view = if files.is_empty() { View::Staged } else { View::Index(files) };
            return before_commit(self::options(options, view, style, host), fix, host);
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
    let session = Session::new(self::options(options, view, style, host), host);
    let (exit, _) = scan::report(&session, &session.open()?)?;
    if exit == Exit::Findings {
        remark(advice);
    }
    Ok(exit)
}

/// Judges what is staged. Encrypts plaintext where that is allowed, and then judges the result.
fn before_commit(options: Options, everywhere: bool, host: &Host) -> Result<Exit, CommandError> {
    let session = Session::new(options, host);
    let source = session.open()?;
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let examined = session.examine(&source, &settings, ring.as_ref())?;
    let mut has_changed = false;
    let is_staged = session.options.view == View::Staged;
    if is_staged && (everywhere || !settings.file.fix_allow.is_empty()) {
        let scope = if everywhere { Scope::Everywhere } else { Scope::Allowed };
        let fixing = Fixing { mode: Mode::Write, takes_unsafe: false, scope };
        let session = &session;
        let scene = Scene { source: &source, examined: &examined, settings: &settings, session };
        has_changed = fix::fix_examined(&scene, fixing)?.changes > 0;
    }
    let (exit, finished) = if has_changed {
        scan::report(&session, &session.open()?)?
    } else {
        scan::conclude(&session, &source, &settings, examined.finished)?
    };
    if exit == Exit::Findings {
        let fails =
            |finding: &&Finding| session.options.fail_on.is_some_and(|on| finding.level >= on);
        let failures: Vec<&Finding> = finished.report.findings.iter().filter(fails).collect();
        remark(not_committed(&failures, everywhere));
    }
    Ok(exit)
}

/// Returns the next step after findings in a commit. `fix --staged` is no step if the hook did that.
fn not_committed(failures: &[&Finding], has_fixed: bool) -> &'static str {
    match failures.iter().filter(|finding| advises_fix(finding)).count() {
        0 => NOT_COMMITTED,
        _ if has_fixed => NOT_COMMITTED,
        all if all == failures.len() => ENCRYPT_ALL,
        _ => ENCRYPT_SOME,
    }
}

/// Returns true if the first step of the help is `sops-lint fix`.
fn advises_fix(finding: &Finding) -> bool {
    finding.help_at_root().is_some_and(|help| help.starts_with("run `sops-lint fix "))
}

fn options(options: HookOptions, view: View, style: StyleOptions, host: &Host) -> Options {
    let resolved = Options::new(options.settings, style, host);
    // A hook without findings prints nothing, unless it is asked for details.
    let style = Style { quiet: !style.verbose, ..resolved.style };
    Options { view, style, fail_on: Some(options.fail_on.into()), progress: false, ..resolved }
}
