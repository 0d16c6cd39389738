//! `sops-lint scan`: judge, report, exit.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::{CommandError, Exit};
use super::inputs;
use super::say::{advise, complain, remark, write_closing};
use crate::cli;
use crate::finding::{Finding, Level};
use crate::git::Repo;
use crate::host::{Host, Pending};
use crate::path::RepoPath;
use crate::report::{Report, Style, Summary, closing};
use crate::session::{Finished, Session};
use crate::settings::{Options, Settings, Target};
use crate::source::{Source, View, normal};
use crate::text::words::count;

/// Looks at files and reports what is wrong with them.
pub fn run(
    mut args: cli::Scan,
    style: cli::StyleOptions,
    host: &Host,
) -> Result<Exit, CommandError> {
    let view = inputs::read(&mut args, host)?;
    let targets = inputs::targets(&args.report, host)?;
    let options = Options::of_scan(args, style, host);
    let options = Options { targets, view: view.unwrap_or(options.view), ..options };
    let session = Session::new(options, host);
    let (exit, _) = report(&session, &session.open()?)?;
    Ok(exit)
}

/// Judges what the session is about, and reports it.
pub(super) fn report(
    session: &Session<'_>,
    source: &Source,
) -> Result<(Exit, Finished), CommandError> {
    let settings = session.settings(source);
    let is_history = matches!(session.options.view, View::History(_));
    let finished = if let Source::Snapshot(end) = source
        && is_history
    {
        session.examine_history(end, &settings)?
    } else {
        let ring = session.key_ring(&settings);
        session.examine(source, &settings, ring.as_ref())?.finished
    };
    conclude(session, source, &settings, finished)
}

/// Reports a result, and returns it as it was reported.
pub(super) fn conclude(
    session: &Session<'_>,
    source: &Source,
    settings: &Settings<'_>,
    mut finished: Finished,
) -> Result<(Exit, Finished), CommandError> {
    finished.report.errors.clone_from(&finished.errors);
    finished.report.reader = session.reader(source);
    write(&finished.report, session, settings, source.root())?;
    finished.notes.iter().for_each(|note| remark(note));
    finished.errors.iter().for_each(|error| complain(error));
    if let Some(help) = finished.help {
        advise(help);
    }
    Ok((exit(&finished, settings.fail_on()), finished))
}

/// Returns the exit code of a result.
pub(super) fn exit(finished: &Finished, fail_on: Option<Level>) -> Exit {
    let fails = |finding: &Finding| fail_on.is_some_and(|level| finding.level >= level);
    if !finished.errors.is_empty() {
        Exit::Failed
    } else if finished.report.findings.iter().any(fails) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

/// Writes all reports. Standard output gets its own even if a file cannot be written.
fn write(
    report: &Report,
    session: &Session<'_>,
    settings: &Settings<'_>,
    root: &Path,
) -> Result<(), CommandError> {
    let Options { targets, style, file_style, .. } = &session.options;
    // What fails the run has to be seen.
    let fails = settings.fail_on() == Some(Level::Info);
    let shown = |style: &Style| Style { infos: style.infos || fails, ..*style };
    let filed = write_files(report, session, &shown(file_style), root);
    let printed = targets.iter().find(|target| target.output.is_none());
    if let Some(Target { reporter, .. }) = printed {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = reporter.write(report, &shown(style), &mut out);
        written.and_then(|()| out.flush()).map_err(CommandError::stdout)?;
    }
    let files = filed?;
    match printed {
        _ if style.quiet => {}
        None => remark(&numbers(report, &files)),
        Some(target) if target.reporter.has_numbers() => {}
        Some(_) => write_closing(&closing(report, &shown(style))),
    }
    Ok(())
}

/// Writes the reports that go to files, all or none, and returns the names of the files.
fn write_files(
    report: &Report,
    session: &Session<'_>,
    style: &Style,
    root: &Path,
) -> Result<Vec<String>, CommandError> {
    let Options { targets, directory, .. } = &session.options;
    let mut pending = Vec::new();
    for Target { reporter, output } in targets {
        let Some(path) = output else { continue };
        let name = path.display().to_string();
        let path = directory.join(path);
        let mut text = Vec::new();
        let made = reporter.write(report, style, &mut text);
        let made = made.and_then(|()| refuse_tracked(&path, root));
        let file = made.and_then(|()| Pending::new(&path, &text, root));
        let failed = |source| CommandError::Output { what: name.clone(), source };
        pending.push((file.map_err(failed)?, name));
    }
    let mut names = Vec::new();
    for (file, name) in pending {
        let failed = |source| CommandError::Output { what: name.clone(), source };
        file.publish().map_err(failed)?;
        names.push(name);
    }
    Ok(names)
}

/// Refuses a file that git tracks: a report would replace a Secret or a config.
fn refuse_tracked(path: &Path, root: &Path) -> io::Result<()> {
    let inside = normal(path).and_then(|path| RepoPath::new(path.strip_prefix(root).ok()?));
    let index = || Repo::discover(root).ok()?.index().ok();
    let is_tracked = |inside: RepoPath| index()?.entry(inside.as_str()).map(|_| ());
    match inside.and_then(is_tracked) {
        Some(()) => Err(io::Error::other("git tracks a file of this name; write it elsewhere")),
        None => Ok(()),
    }
}

/// Returns the number of findings, which the log of a failed job would not have.
fn numbers(report: &Report, files: &[String]) -> String {
    let Summary { errors, warnings, infos, .. } = report.summary;
    let number = match errors + warnings + infos {
        0 => "no findings".to_owned(),
        all => count(all, "finding"),
    };
    match files {
        [] => number,
        [only] => format!("{number}; the report is in {only}"),
        several => format!("{number}; the reports are in {}", several.join(", ")),
    }
}
