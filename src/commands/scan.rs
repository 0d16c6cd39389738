//! `sops-lint scan`: judge, report, exit.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::{CommandError, Exit};
use super::inputs;
use super::say::{advise, complain, remark};
use crate::cli;
use crate::finding::Finding;
use crate::host::Host;
use crate::report::{Report, Summary};
use crate::session::{Finished, Session};
use crate::settings::{Options, Settings};
use crate::source::{Source, View};
use crate::text::words::count;

/// Looks at files and reports what is wrong with them.
pub fn run(mut args: cli::Scan, host: &Host) -> Result<Exit, CommandError> {
    let view = inputs::read(&mut args, host)?;
    let mut options = Options::of_scan(args, host);
    options.view = view.unwrap_or(options.view);
    let session = Session::new(options, host);
    report(&session, &session.open()?)
}

/// Judges what the session is about, and reports it.
pub(super) fn report(session: &Session<'_>, source: &Source) -> Result<Exit, CommandError> {
    let settings = session.settings(source);
    let is_history = matches!(session.options.view, View::History(_));
    let mut finished = if let Source::Snapshot(end) = source
        && is_history
    {
        session.examine_history(end, &settings)?
    } else {
        let ring = session.key_ring(&settings);
        session.examine(source, &settings, ring.as_ref())?.finished
    };
    suppress(&settings, &mut finished);
    conclude(session, source, finished)
}

/// Takes the findings of the baseline out of a result.
pub(super) fn suppress(settings: &Settings<'_>, finished: &mut Finished) {
    if let Some(baseline) = &settings.baseline {
        let is_whole = settings.options.are_whole() && finished.report.summary.unverified == 0;
        baseline.apply(&mut finished.report, is_whole);
    }
}

/// Reports a result.
pub(super) fn conclude(
    session: &Session<'_>,
    source: &Source,
    mut finished: Finished,
) -> Result<Exit, CommandError> {
    finished.report.errors.clone_from(&finished.errors);
    write(&finished.report, session, source.root())?;
    finished.notes.iter().for_each(|note| remark(note));
    finished.errors.iter().for_each(|error| complain(error));
    if let Some(help) = finished.help {
        advise(help);
    }
    Ok(exit(&finished, &session.options))
}

/// Returns the exit code of a result.
pub(super) fn exit(finished: &Finished, options: &Options) -> Exit {
    let fails = |finding: &Finding| options.fail_on.is_some_and(|level| finding.level >= level);
    if !finished.errors.is_empty() {
        Exit::Failed
    } else if finished.report.findings.iter().any(fails) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

fn write(report: &Report, session: &Session<'_>, root: &Path) -> Result<(), CommandError> {
    let Options { reporter, style, output, directory, .. } = &session.options;
    let Some(path) = output else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = reporter.write(report, style, &mut out);
        return written.and_then(|()| out.flush()).map_err(CommandError::stdout);
    };
    let name = path.display().to_string();
    let mut text = Vec::new();
    let made = reporter.write(report, style, &mut text);
    let written = made.and_then(|()| session.host.write_whole(&directory.join(path), &text, root));
    written.map_err(|source| CommandError::Output { what: name.clone(), source })?;
    if !style.quiet {
        // With the report in a file, the log of a failed job would be empty.
        let Summary { errors, warnings, infos, .. } = report.summary;
        let number = match errors + warnings + infos {
            0 => "no findings".to_owned(),
            all => count(all, "finding"),
        };
        remark(&format!("{number}; the report is in {name}"));
    }
    Ok(())
}
