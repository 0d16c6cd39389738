//! The findings that a fix leaves: those of the next scan.

use std::io::{self, Write};

use super::fixing::Mode;
use crate::cli;
use crate::commands::say::{advise, complain, remark};
use crate::finding::{Fix, Level};
use crate::report::Summary;
use crate::session::Finished;
use crate::shell::{Command, Reader};
use crate::text::printable::clean_path;
use crate::text::words::{agree, count};

/// The findings that are left, and what was done before.
pub(super) struct Rest<'r> {
    /// The result of judging the files as they are now, or would be.
    pub(super) finished: &'r Finished,
    /// The arguments of the run.
    pub(super) args: &'r cli::Fix,
    /// The amount of output.
    pub(super) style: cli::StyleOptions,
    /// Mode of the run.
    pub(super) mode: Mode,
    /// Files that were changed, or would be.
    pub(super) changes: usize,
    /// True if a file was refused, or a named file explained.
    pub(super) has_spoken: bool,
    /// True if nothing is known about the next scan.
    pub(super) is_unknown: bool,
}

impl Rest<'_> {
    /// Counts the remaining findings, and names the command that lists them.
    pub(super) fn report(&self) {
        let Finished { report, errors, help, notes } = self.finished;
        for note in notes {
            remark(note);
        }
        for error in errors {
            complain(error);
        }
        if let Some(help) = help {
            advise(help);
        }
        if self.style.quiet {
            return;
        }
        if self.mode != Mode::Write && self.changes > 0 {
            let files = count(self.changes, "file");
            remark(&format!("nothing was written: {files} would change"));
        }
        if self.is_unknown {
            return remark(
                "only a run that writes can say what is left, because it gives files other names or hides them from git",
            );
        }
        let suppressed = suppressed(&report.summary);
        if report.findings.is_empty() {
            match suppressed {
                _ if self.has_spoken || self.changes > 0 => {}
                None => remark("there was nothing to fix"),
                Some(suppressed) => remark(&format!("there was nothing to fix ({suppressed})")),
            }
            return;
        }
        if self.style.verbose {
            self.list();
        }
        let will_be = match self.mode {
            Mode::Write => agree(report.findings.len(), "is", "are"),
            Mode::List | Mode::Diff => "would be",
        };
        let findings = by_level(&report.summary);
        let suppressed = suppressed.map(|text| format!(" ({text})")).unwrap_or_default();
        remark(&format!("{findings} {will_be} left{suppressed}: see `{}`", self.scan()));
        let is_unsafe = |fix: &Fix| !fix.is_safe();
        let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref());
        match fixes.filter(|fix| is_unsafe(fix)).count() {
            number if number > 0 && !self.args.r#unsafe => remark(&format!(
                "`sops-lint fix --unsafe` would fix {number} of them; look at the changes with --diff first"
            )),
            _ => {}
        }
    }

    /// Writes a line for each finding that is left.
    fn list(&self) {
        let mut err = io::stderr().lock();
        for finding in &self.finished.report.findings {
            let path = self.finished.report.reader.shown(&finding.place.path);
            let line = finding.place.start.line;
            let (level, rule) = (finding.level.name(), finding.rule.id);
            let message = clean_path(&finding.message);
            // If standard error cannot be written, the exit code still tells the result.
            let _ = writeln!(err, "{path}:{line}: {level}[{rule}] {message}");
        }
    }

    /// Returns the scan that finds the same, with the paths as they were typed.
    fn scan(&self) -> String {
        let cli::Fix { paths, staged, selection, settings, baseline, .. } = self.args;
        let summary = &self.finished.report.summary;
        let mut scan = Command::new("sops-lint scan");
        for (is_set, flag) in [
            (*staged, "--staged"),
            (settings.no_config, "--no-config"),
            (baseline.no_baseline, "--no-baseline"),
            (summary.errors + summary.warnings == 0, "--verbose"),
        ] {
            scan = if is_set { scan.words(flag) } else { scan };
        }
        for (option, file) in [("--config", &settings.config), ("--baseline", &baseline.baseline)] {
            scan = match file {
                Some(file) => scan.words(option).word(file.to_string_lossy()),
                None => scan,
            };
        }
        for (option, rules) in [("--only", &selection.only), ("--skip", &selection.skip)] {
            for rule in rules {
                scan = scan.words(option).word(rule.id.as_str());
            }
        }
        for (rule, level) in &selection.levels {
            scan = scan.words("--level").word(format!("{}={}", rule.id, level.name()));
        }
        paths
            .iter()
            .fold(scan, |scan, path| scan.word(path.to_string_lossy()))
            .line(&Reader::at_root())
    }
}

/// Returns the number of findings of each level.
fn by_level(summary: &Summary) -> String {
    let levels = [
        (summary.errors, Level::Error),
        (summary.warnings, Level::Warning),
        (summary.infos, Level::Info),
    ];
    let counts = levels.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts.map(|(number, level)| count(number, level.name())).collect();
    match counts.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        other => other.concat(),
    }
}

/// Says how many findings the settings and the baseline suppress, which are not fixed.
fn suppressed(summary: &Summary) -> Option<String> {
    let ignored = count(summary.ignored, "finding");
    let known = count(summary.in_baseline, "finding");
    let texts = [
        (summary.ignored, format!("the settings ignore {ignored}")),
        (summary.in_baseline, format!("the baseline suppresses {known}")),
    ];
    let texts = texts.into_iter().filter(|(number, _)| *number > 0);
    let texts: Vec<String> = texts.map(|(_, text)| text).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
