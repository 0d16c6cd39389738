//! What a run says, and the ways to write it down.
//!
//! A reporter gets findings that are already redacted and knows of no file behind them: it cannot
//! print what it cannot name. Each reporter escapes for its own format.

pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
mod look;
pub mod markdown;
#[cfg(test)]
mod samples;
pub mod sarif;
mod snippet;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;

use crate::finding::{Finding, Level};
use crate::path::RepoPath;

/// Everything a run has to say.
#[derive(Debug)]
pub struct Report {
    /// In the order of [`Finding::order`].
    pub findings: Vec<Finding>,
    /// What was not judged, or not by all rules; in the order of paths.
    pub skipped: Vec<Skipped>,
    /// The numbers.
    pub summary: Summary,
    /// What kept the run from doing its job; none where it did it.
    pub errors: Vec<String>,
}

impl Report {
    /// Sorts, and counts the findings into the summary.
    pub fn new(
        mut findings: Vec<Finding>,
        mut skipped: Vec<Skipped>,
        mut summary: Summary,
    ) -> Self {
        findings.sort_by(|one, other| one.order().cmp(&other.order()));
        tell_apart(&mut findings);
        skipped.sort_by(|one, other| one.path.cmp(&other.path));
        summary.count(&findings);
        Self { findings, skipped, summary, errors: Vec::new() }
    }

    /// Errors first, then warnings; for formats whose readers stop reading at some point.
    fn by_importance(&self) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| Reverse(finding.level));
        findings
    }
}

/// Numbers the findings that nothing else tells apart. Findings that were numbered in another report
/// are numbered anew.
fn tell_apart(findings: &mut [Finding]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        let count = seen.entry(finding.kind()).or_default();
        finding.occurrence = *count;
        *count += 1;
    }
}

/// A file that some or all rules could not judge.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// The file.
    #[serde(serialize_with = "json::whole_path")]
    pub path: RepoPath,
    /// The rules that it was kept from; none of them: the whole file was left out.
    pub rules: Vec<&'static str>,
    /// Why: lower case, no full stop.
    pub reason: String,
}

/// The numbers of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Files that were looked at.
    pub files: usize,
    /// Kubernetes Secrets in them.
    pub secrets: usize,
    /// Files that SOPS encrypted.
    pub encrypted_files: usize,
    /// Encrypted files whose MAC was compared and holds.
    pub verified: usize,
    /// Encrypted files that could be opened and are not what sops wrote; findings say so.
    pub refused: usize,
    /// Encrypted files whose MAC was not compared.
    pub unverified: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level info.
    pub infos: usize,
    /// Findings that the settings ignore.
    pub ignored: usize,
    /// Findings that the baseline holds back.
    pub in_baseline: usize,
    /// Entries of the baseline that no longer occur; 0 where that was not looked at.
    pub gone_from_baseline: usize,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Summary {
    /// Sets the three numbers of findings.
    pub fn count(&mut self, findings: &[Finding]) {
        let of = |level| findings.iter().filter(|finding| finding.level == level).count();
        self.errors = of(Level::Error);
        self.warnings = of(Level::Warning);
        self.infos = of(Level::Info);
    }
}

/// How a report for people should look; the other formats ignore it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches, and independent ones")]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// Frames and arrows of ASCII alone, for terminals that show nothing else.
    pub ascii: bool,
    /// The width to wrap at, in columns.
    pub width: usize,
    /// Findings only: no closing lines.
    pub quiet: bool,
    /// Says which files were skipped, and why.
    pub verbose: bool,
    /// Shows findings of level info too.
    pub infos: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, ascii: false, width: 100, quiet: false, verbose: false, infos: false }
    }
}

/// An output format.
pub trait Reporter: Sync {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;
    /// One line for `--help`.
    fn summary(&self) -> &'static str;
    /// Writes the whole report. The errors are those of `out`.
    fn write(&self, report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;
}

/// All output formats, the default first.
pub static REPORTERS: &[&dyn Reporter] = &[
    &human::Human,
    &json::Json,
    &json::JsonLines,
    &sarif::Sarif,
    &github::GitHub,
    &markdown::Markdown,
    &gitlab::GitLab,
    &junit::JUnit,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_summaries_are_one_line() {
        let names: HashSet<_> = REPORTERS.iter().map(|reporter| reporter.name()).collect();
        assert_eq!(names.len(), REPORTERS.len());
        for reporter in REPORTERS {
            assert!(!reporter.summary().is_empty() && !reporter.summary().contains('\n'));
        }
    }

    #[test]
    fn every_reporter_survives_every_report() {
        let plain = Style::default();
        let odd = Style { color: true, ascii: true, width: 0, verbose: true, infos: true, ..plain };
        for reporter in REPORTERS {
            for report in [samples::empty(), samples::hostile(), samples::mixed()] {
                for style in [&plain, &odd] {
                    let mut out = Vec::new();
                    reporter.write(&report, style, &mut out).expect("a vector takes all bytes");
                    assert!(out.ends_with(b"\n"), "{}", reporter.name());
                    let text = String::from_utf8(out).expect("reports are UTF-8");
                    let text = samples::without_colours(&text);
                    let control = text.chars().find(|c| c.is_control() && *c != '\n');
                    assert_eq!(control, None, "{}: {text}", reporter.name());
                }
            }
        }
    }

    #[test]
    fn a_report_is_sorted_and_counted() {
        let mut findings = samples::mixed().findings;
        findings.reverse();
        let report = Report::new(findings, Vec::new(), Summary::default());
        assert!(report.findings.is_sorted_by(|one, other| one.order() <= other.order()));
        assert_eq!(
            (report.summary.errors, report.summary.warnings, report.summary.infos),
            (2, 1, 1)
        );
    }

    #[test]
    fn a_closed_pipe_is_an_error_and_no_panic() {
        struct Closed;
        impl io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for reporter in REPORTERS {
            let result = reporter.write(&samples::mixed(), &Style::default(), &mut Closed);
            assert_eq!(result.map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
        }
    }
}
