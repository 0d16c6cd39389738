//! `sops-lint fix`: changes files as findings ask for, then says what the next scan says.

mod fixing;
mod named;
mod plan;
mod refusals;
mod remains;
mod rest;
mod show;

use std::io::{self, BufWriter, Write};
use std::path::Path;

pub(super) use self::fixing::{Fixing, Mode, Scope};
use self::plan::Plan;
pub(super) use self::plan::Scene;
use self::rest::Rest;
use self::show::Show;
use super::error::{CommandError, Exit};
use super::say::remark;
use super::scan;
use crate::cli;
use crate::finding::Level;
use crate::fix::stage::{self, Recovered, Stage, StageError};
use crate::git::Repo;
use crate::host::Host;
use crate::keys::KeyRing;
use crate::path::RepoPath;
use crate::session::{Examined, Finished, Session};
use crate::settings::{Options, Settings};
use crate::shell::Reader;
use crate::source::{Source, View};
use crate::text::words::count;

/// The outcome of a run.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Fixed {
    /// Files that were changed, or would be.
    changes: usize,
    /// True if only configs were corrected, so that files can be judged by them now.
    is_halfway: bool,
    /// True if any file was changed or refused, or a named file was explained.
    has_spoken: bool,
    /// True if a file could not be written.
    is_unwritable: bool,
    /// True if a dry run cannot know what would be left, because files would get other names.
    is_unknown: bool,
    /// The result of judging the files as they are now, or would be.
    finished: Finished,
    /// The lowest level of a finding that fails the run.
    fail_on: Option<Level>,
}

/// Fixes what can be fixed without a private key.
pub fn run(args: &cli::Fix, style: cli::StyleOptions, host: &Host) -> Result<Exit, CommandError> {
    let mode = match (args.diff, args.dry_run) {
        (true, _) => Mode::Diff,
        (false, true) => Mode::List,
        (false, false) => Mode::Write,
    };
    let fixing = Fixing { mode, takes_unsafe: args.r#unsafe, scope: Scope::Everywhere };
    let session = Session::new(Options::of_fix(args, style, host), host);
    let mut fixed = fix(&session, fixing, true)?;
    if fixed.is_halfway {
        let changes = fixed.changes;
        fixed = fix(&session, fixing, false)
            .inspect_err(|_| remark("the corrections above were written before this failed"))?;
        fixed.changes += changes;
    }
    let Fixed { changes, has_spoken, is_unwritable, is_unknown, finished, fail_on, .. } = fixed;
    let rest = Rest { finished: &finished, args, style, mode, changes, has_spoken, is_unknown };
    rest.report();
    // pre-commit rejects a commit whose files were changed. A dry run rejects as well.
    let rejects_changes = mode != Mode::Write || host.env("PRE_COMMIT").is_some();
    Ok(match scan::exit(&finished, fail_on) {
        Exit::Failed => Exit::Failed,
        _ if is_unwritable => Exit::Failed,
        Exit::Clean if rejects_changes && changes > 0 => Exit::Findings,
        exit => exit,
    })
}

/// Examines the files, plans changes, carries them out, and judges the result. Corrected configs are a pass of
/// their own, if one may follow.
fn fix(
    session: &Session<'_>,
    fixing: Fixing,
    may_stop_halfway: bool,
) -> Result<Fixed, CommandError> {
    let mut source = session.open()?;
    let root = source.root().to_path_buf();
    let repo = repository(&root);
    let mut stage = None;
    if fixing.mode == Mode::Write {
        let (opened, recovered) = Stage::open(&root, repo.as_ref())?;
        report_recovery(&recovered);
        if !recovered.finished.is_empty() {
            source = session.open()?;
        }
        stage = Some(opened);
    }
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let examined = session.examine_before_changes(&source, &settings, ring.as_ref())?;
    let scene = Scene { source: &source, examined: &examined, settings: &settings, session };
    let mut plan = Plan::of(&scene, fixing, repo.as_ref());
    let is_halfway = fixing.mode == Mode::Write && may_stop_halfway && plan.corrects_configs();
    if is_halfway {
        plan.leave_files_for_later();
    }
    let is_applied = carry_out(&mut plan, &scene, fixing.mode, (stage.as_mut(), repo.as_ref()))?;
    let explains = !is_halfway && !session.options.style.quiet && named::report(&scene, &plan);
    let changes = if is_applied { plan.size() } else { 0 };
    let again = Again { session, settings: &settings, ring: ring.as_ref(), mode: fixing.mode };
    let mut finished = if changes == 0 || is_halfway {
        examined.finished
    } else {
        again.judge(&plan, examined)?
    };
    finished.report.reader = session.reader(&source);
    Ok(Fixed {
        changes,
        is_halfway,
        has_spoken: explains || !plan.refusals.is_empty(),
        is_unwritable: plan.is_unwritable,
        is_unknown: fixing.mode != Mode::Write && plan.changes_names(),
        finished,
        fail_on: settings.fail_on(),
    })
}

/// The means to judge the files once more.
struct Again<'a> {
    session: &'a Session<'a>,
    settings: &'a Settings<'a>,
    ring: Option<&'a KeyRing>,
    mode: Mode,
}

impl Again<'_> {
    /// Returns what a scan says after the plan was carried out. Only changed files are judged again, unless
    /// other files depend on the change.
    fn judge(&self, plan: &Plan, mut examined: Examined<'_>) -> Result<Finished, CommandError> {
        let Self { session, settings, ring, mode } = *self;
        if mode != Mode::Write || !plan.changes_surroundings() {
            session.examine_changes(&mut examined, plan.contents(), settings, ring);
            return Ok(examined.finished);
        }
        let source: Source = session.open()?;
        let settings = session.settings(&source);
        Ok(session.examine(&source, &settings, ring)?.finished)
    }
}

/// Encrypts staged files that were examined. Returns true if any file was changed.
pub(super) fn fix_examined(scene: &Scene<'_>, fixing: Fixing) -> Result<bool, CommandError> {
    let root = scene.source.root();
    let repo = repository(root);
    // Recovery does not write into the index.
    let (mut stage, recovered) = Stage::open(root, repo.as_ref())?;
    report_recovery(&recovered);
    let mut plan = Plan::of(scene, fixing, repo.as_ref());
    let is_applied = carry_out(&mut plan, scene, fixing.mode, (Some(&mut stage), repo.as_ref()))?;
    Ok(is_applied && plan.size() > 0)
}

/// Returns the files that `fix --staged` would encrypt, if no finding would be left that fails the run, and
/// nothing keeps the files from being written.
pub(super) fn remedy(session: &Session<'_>) -> Result<Option<Vec<RepoPath>>, CommandError> {
    let source = session.open()?;
    let repo = repository(source.root());
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let mut examined = session.examine_before_changes(&source, &settings, ring.as_ref())?;
    let scene = Scene { source: &source, examined: &examined, settings: &settings, session };
    let fixing = Fixing { mode: Mode::List, takes_unsafe: false, scope: Scope::Everywhere };
    let plan = Plan::of(&scene, fixing, repo.as_ref());
    if !plan.refusals.is_empty()
        || stage::check(&plan.operations(), source.root(), repo.as_ref()).is_err()
    {
        return Ok(None);
    }
    session.examine_changes(&mut examined, plan.contents(), &settings, ring.as_ref());
    let is_clean = scan::exit(&examined.finished, settings.fail_on()) == Exit::Clean;
    Ok(is_clean.then(|| plan.changes.into_iter().map(|change| change.path).collect()))
}

/// Returns the repository that a root belongs to, if it has a work tree.
fn repository(root: &Path) -> Option<Repo> {
    Repo::discover(root).ok().filter(|repo| repo.work_tree().is_some())
}

/// Shows or writes the changes of a plan. Returns false if they were not written, because one file stops all.
fn carry_out(
    plan: &mut Plan,
    scene: &Scene<'_>,
    mode: Mode,
    (stage, repo): (Option<&mut Stage<'_>>, Option<&Repo>),
) -> Result<bool, CommandError> {
    let out = &mut BufWriter::new(io::stdout().lock());
    let style = &scene.session.options.style;
    let reader = scene.session.reader(scene.source);
    let is_staged = scene.session.options.view == View::Staged;
    let mut show = Show { is_done: false, style, reader: &reader };
    // One file that is refused stops the commit, so the others stay unchanged.
    let is_stopped = mode == Mode::Write && is_staged && !plan.refusals.is_empty();
    match (mode, stage) {
        (Mode::Diff, _) => show.diff(plan, out).map_err(CommandError::stdout)?,
        (Mode::Write, Some(stage)) if !is_stopped => {
            show.is_done = true;
            write(plan, stage, show, (out, repo, &reader))?;
        }
        (Mode::Write, _) => {}
        (Mode::List, _) => show.list(plan, out).map_err(CommandError::stdout)?,
    }
    out.flush().map_err(CommandError::stdout)?;
    refusals::report(&plan.refusals, style.verbose, &reader);
    if is_stopped && plan.size() > 0 {
        let others = count(plan.size(), "other file");
        remark(&format!(
            "nothing was written: staged files are encrypted all or none, so {others} stayed in plaintext"
        ));
    }
    Ok(!is_stopped)
}

/// Writes everything as one transaction, then lists what was written and what git still has.
fn write(
    plan: &mut Plan,
    stage: &mut Stage<'_>,
    show: Show<'_>,
    (out, repo, reader): (&mut dyn Write, Option<&Repo>, &Reader),
) -> Result<(), CommandError> {
    let failed = match stage.commit(&plan.operations()) {
        Err(StageError::Halfway { failed, done, source }) => {
            plan.leave_out(failed.iter());
            Some(StageError::Halfway { failed, done, source })
        }
        committed => {
            committed?;
            None
        }
    };
    show.list(plan, out).map_err(CommandError::stdout)?;
    out.flush().map_err(CommandError::stdout)?;
    if let Some(repo) = repo {
        remains::report_remains(&plan.changes, repo);
        remains::report_staged(&plan.changes, repo, reader);
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Says what was done about a run that was killed.
fn report_recovery(recovered: &Recovered) {
    let Recovered { finished, left, is_undone } = recovered;
    if !finished.is_empty() {
        let files = count(finished.len(), "file");
        remark(&format!("an interrupted fix was finished: {files} of the work tree written"));
    }
    for path in left {
        remark(&format!("{path} changed after a fix was interrupted, and was left as it is"));
    }
    if *is_undone {
        remark("an interrupted fix was undone: it had changed no file");
    }
}
