//! `sops-lint fix`: changes files as findings ask for.

mod fixing;
mod plan;
mod remains;

use std::io::{self, BufWriter, Write};
use std::path::Path;

pub(super) use self::fixing::{Fixed, Fixing, Mode, Scope};
use self::plan::Plan;
pub(super) use self::plan::Scene;
use super::error::{CommandError, Exit};
use super::say::{complain, remark};
use crate::cli;
use crate::fix::stage::{Recovered, Stage, StageError};
use crate::git::Repo;
use crate::host::Host;
use crate::session::Session;
use crate::settings::Options;
use crate::shell::Reader;
use crate::source::View;
use crate::text::words::count;

/// Fixes what can be fixed without a private key.
pub fn run(args: &cli::Fix, style: cli::StyleOptions, host: &Host) -> Result<Exit, CommandError> {
    let mode = match (args.diff, args.dry_run) {
        (true, _) => Mode::Diff,
        (false, true) => Mode::List,
        (false, false) => Mode::Write,
    };
    let fixing = Fixing { mode, takes_unsafe: args.r#unsafe, scope: Scope::Everywhere };
    let session = Session::new(options(args, style, host), host);
    let mut fixed = fix(&session, fixing)?;
    if fixed.is_halfway {
        let changes = fixed.changes;
        fixed = fix(&session, fixing)
            .inspect_err(|_| remark("the corrections above were written before this failed"))?;
        fixed.changes += changes;
    }
    if !style.quiet {
        fixed.report_rest();
    }
    // pre-commit rejects a commit whose files were changed. A dry run rejects as well.
    let rejects_changes = mode != Mode::Write || host.env("PRE_COMMIT").is_some();
    Ok(if fixed.unread > 0 {
        Exit::Failed
    } else if fixed.refused + fixed.errors > 0 || (rejects_changes && fixed.changes > 0) {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// Returns the options of the arguments.
fn options(args: &cli::Fix, style: cli::StyleOptions, host: &Host) -> Options {
    let options = Options::new(args.settings.clone(), style, host).with_run(&args.run);
    let view = if args.staged { View::Staged } else { View::WorkTree };
    Options { view, paths: args.paths.clone(), ..options }
}

/// Examines the files, plans changes, and carries them out. No file is opened with a private key.
fn fix(session: &Session<'_>, fixing: Fixing) -> Result<Fixed, CommandError> {
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
    let examined = session.examine(&source, &settings, None)?;
    for error in &examined.finished.errors {
        complain(error);
    }
    let scene = Scene { source: &source, examined: &examined, settings: &settings, session };
    carry_out(&scene, fixing, stage.as_mut(), repo.as_ref())
}

/// Does the same with staged files that were examined.
pub(super) fn fix_examined(scene: &Scene<'_>, fixing: Fixing) -> Result<Fixed, CommandError> {
    let root = scene.source.root();
    let repo = repository(root);
    // Recovery does not write into the index.
    let (mut stage, recovered) = Stage::open(root, repo.as_ref())?;
    report_recovery(&recovered);
    carry_out(scene, fixing, Some(&mut stage), repo.as_ref())
}

/// Returns the repository that a root belongs to, if it has a work tree.
fn repository(root: &Path) -> Option<Repo> {
    Repo::discover(root).ok().filter(|repo| repo.work_tree().is_some())
}

/// Plans changes, and shows or writes them.
fn carry_out(
    scene: &Scene<'_>,
    fixing: Fixing,
    stage: Option<&mut Stage<'_>>,
    repo: Option<&Repo>,
) -> Result<Fixed, CommandError> {
    let mut plan = Plan::of(scene, fixing, repo);
    if fixing.mode == Mode::Write && plan.corrects_configs() {
        plan.leave_files_for_later();
    }
    let reader = scene.session.reader(scene.source);
    plan.report_refusals(&reader);
    let fixed = Fixed {
        changes: plan.size(),
        refused: plan.refusals.len(),
        unread: scene.examined.finished.errors.len(),
        ..plan.rest
    };
    let out = &mut BufWriter::new(io::stdout().lock());
    let is_staged = scene.session.options.view == View::Staged;
    match (fixing.mode, stage) {
        (Mode::Diff, _) => plan.show(out).map_err(CommandError::stdout)?,
        (Mode::Write, Some(stage)) => {
            // One file that is refused stops the commit, so the others stay unchanged.
            if !is_staged || plan.refusals.is_empty() {
                write(plan, stage, is_staged, (out, repo, &reader))?;
            } else if plan.size() > 0 {
                let others = count(plan.size(), "other file");
                remark(&format!(
                    "nothing was written: staged files are encrypted all or none, so {others} stayed in plaintext"
                ));
            }
        }
        _ => plan.list(out, "would have ").map_err(CommandError::stdout)?,
    }
    out.flush().map_err(CommandError::stdout)?;
    Ok(fixed)
}

/// Writes everything as one transaction, then lists what was written and what git still has.
fn write(
    mut plan: Plan,
    stage: &mut Stage<'_>,
    is_staged: bool,
    (out, repo, reader): (&mut dyn Write, Option<&Repo>, &Reader),
) -> Result<(), CommandError> {
    let failed = match stage.commit(&plan.operations(is_staged)) {
        Err(StageError::Halfway { failed, done, source }) => {
            plan.leave_out(&failed);
            Some(StageError::Halfway { failed, done, source })
        }
        committed => {
            committed?;
            None
        }
    };
    plan.list(out, "").map_err(CommandError::stdout)?;
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
