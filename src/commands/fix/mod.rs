//! `sops-lint fix`: does what findings ask for.

mod plan;
mod remains;

use std::io::{self, BufWriter, Write};

use self::plan::{Plan, Scene};
use super::error::{CommandError, Exit};
use super::say::{complain, remark};
use crate::cli;
use crate::fix::stage::{Recovered, Stage};
use crate::git::Repo;
use crate::host::Host;
use crate::report::Style;
use crate::session::Session;
use crate::settings::Options;
use crate::source::View;

/// What is done with what was worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Mode {
    /// It is written.
    Write,
    /// It is listed.
    List,
    /// It is shown line by line.
    Diff,
}

/// Repairs what can be repaired without a private key.
pub fn run(args: &cli::Fix, host: &Host) -> Result<Exit, CommandError> {
    let mode = match (args.diff, args.dry_run) {
        (true, _) => Mode::Diff,
        (false, true) => Mode::List,
        (false, false) => Mode::Write,
    };
    let fixing = Fixing { mode, takes_unsafe: args.r#unsafe, scope: Scope::Everywhere };
    let session = Session::new(options(args, host), host);
    let mut fixed = fix(&session, fixing)?;
    if fixed.is_halfway {
        let changes = fixed.changes;
        fixed = fix(&session, fixing)?;
        fixed.changes += changes;
    }
    if !args.quiet {
        fixed.report_rest();
    }
    // pre-commit takes a commit back whose files were changed, and so does everybody who asks only.
    let is_asked = mode != Mode::Write || host.env("PRE_COMMIT").is_some();
    Ok(if fixed.unread > 0 {
        Exit::Failed
    } else if fixed.refused + fixed.errors > 0 || (is_asked && fixed.changes > 0) {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

fn options(args: &cli::Fix, host: &Host) -> Options {
    let options = Options::new(args.settings.clone(), host).with_run(&args.run);
    let view = if args.staged { View::Staged } else { View::WorkTree };
    let style = Style { quiet: args.quiet, ..options.style };
    let progress = options.progress && !args.quiet;
    Options { view, paths: args.paths.clone(), style, progress, ..options }
}

/// What a run of `fix` may do.
#[derive(Clone, Copy)]
pub(in crate::commands) struct Fixing {
    pub(in crate::commands) mode: Mode,
    /// Whether it does what may not be meant.
    pub(in crate::commands) takes_unsafe: bool,
    pub(in crate::commands) scope: Scope,
}

/// Where files are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Scope {
    /// Wherever a creation rule says how.
    Everywhere,
    /// Where `fix.allow` of the settings says so.
    Allowed,
}

/// What came of it, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::commands) struct Fixed {
    /// Files that were, or would be, changed.
    pub(in crate::commands) changes: usize,
    /// Files that could not be.
    refused: usize,
    /// Files that could not be looked at.
    unread: usize,
    /// Findings that only a person can mend.
    left: usize,
    /// Those of them that are errors.
    errors: usize,
    /// Findings that are mended only where that is asked for.
    held_back: usize,
    /// Whether configs were corrected and nothing else, so that files can be judged by them now.
    is_halfway: bool,
}

impl Fixed {
    /// What there was nothing to do about.
    fn report_rest(&self) {
        let findings = |number| match number {
            1 => "1 finding".to_owned(),
            _ => format!("{number} findings"),
        };
        if self.left > 0 {
            let verb = if self.left == 1 { "is" } else { "are" };
            let findings = findings(self.left);
            remark(&format!("{findings} {verb} left for you to mend: see `sops-lint scan`"));
        }
        if self.held_back > 0 {
            let findings = findings(self.held_back);
            remark(&format!(
                "`sops-lint fix --unsafe` would mend {findings} more; look at it with --diff first"
            ));
        }
        if self.changes + self.refused + self.left + self.held_back == 0 {
            remark("there was nothing to fix");
        }
    }
}

/// Works changes out, and then makes them.
pub(in crate::commands) fn fix(
    session: &Session<'_>,
    fixing: Fixing,
) -> Result<Fixed, CommandError> {
    let view = &session.options.view;
    let repo = Repo::discover(&session.options.directory).ok();
    let mut source = session.open()?;
    let root = source.root().to_path_buf();
    let repo = repo.filter(|repo| repo.work_tree().is_some());
    let mut stage = None;
    if fixing.mode == Mode::Write {
        let (opened, recovered) = Stage::open(&root, repo.as_ref())?;
        if !recovered.finished.is_empty() {
            report_recovery(&recovered);
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
    let mut plan = Plan::of(&scene, fixing);
    if fixing.mode == Mode::Write && plan.corrects_configs() {
        plan.leave_files_for_later();
    }
    plan.report_refusals();
    let fixed = Fixed {
        changes: plan.size(),
        refused: plan.refusals.len(),
        unread: examined.finished.errors.len(),
        ..plan.rest
    };
    let out = &mut BufWriter::new(io::stdout().lock());
    match (fixing.mode, stage.as_mut()) {
        (Mode::Diff, _) => plan.show(out).map_err(CommandError::stdout)?,
        (Mode::Write, Some(stage)) => {
            // A commit is refused for one file, and then nothing should have happened to the others.
            if *view != View::Staged || plan.refusals.is_empty() {
                plan.write(stage, *view == View::Staged)?;
                plan.list(out, "").map_err(CommandError::stdout)?;
                out.flush().map_err(CommandError::stdout)?;
                if let Some(repo) = &repo {
                    remains::report_remains(&plan.changes, repo);
                    remains::report_staged(&plan.changes, repo);
                }
            }
        }
        _ => plan.list(out, "would have ").map_err(CommandError::stdout)?,
    }
    out.flush().map_err(CommandError::stdout)?;
    Ok(fixed)
}

fn report_recovery(recovered: &Recovered) {
    let number = recovered.finished.len();
    let files = if number == 1 { "file" } else { "files" };
    remark(&format!("a fix that was interrupted was finished: {number} {files} of the work tree"));
}
