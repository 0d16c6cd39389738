//! The content of a report: findings, skipped files, errors and numbers.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::summary::Summary;
use crate::finding::{Finding, RuleId};
use crate::path::RepoPath;
use crate::shell::Reader;

/// Everything that a run reports.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order of [`Finding::order`].
    pub findings: Vec<Finding>,
    /// Files that some or all rules could not judge, in the order of their paths.
    pub skipped: Vec<Skipped>,
    /// Findings that the settings ignore or the baseline suppresses.
    pub suppressed: Vec<Suppressed>,
    /// The numbers.
    pub summary: Summary,
    /// Errors of the run itself. If there are none, it did its job.
    pub errors: Vec<String>,
    /// The person who reads it, if it is for a person.
    pub reader: Reader,
}

impl Report {
    /// Sorts the findings, numbers them, and counts them into the summary.
    pub fn new(
        mut findings: Vec<Finding>,
        mut skipped: Vec<Skipped>,
        mut summary: Summary,
    ) -> Self {
        findings.sort_by(|one, other| one.order().cmp(&other.order()));
        tell_apart(&mut findings);
        skipped.sort_by(|one, other| one.path.cmp(&other.path));
        summary.count(&findings);
        Self {
            findings,
            skipped,
            suppressed: Vec::new(),
            summary,
            errors: Vec::new(),
            reader: Reader::at_root(),
        }
    }

    /// Returns the findings, errors first, then warnings; for formats whose readers truncate.
    pub(super) fn by_importance(&self) -> Vec<&Finding> {
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

/// A finding that is not reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suppressed {
    /// The file.
    pub path: RepoPath,
    /// The line, counted from 1.
    pub line: usize,
    /// The rule.
    pub rule: RuleId,
    /// The reason: `in the baseline`, or that of the ignore.
    pub reason: String,
}

impl Suppressed {
    /// Describes a finding, and why it is not reported.
    pub fn of(finding: &Finding, reason: impl Into<String>) -> Self {
        let place = &finding.place;
        let (path, line) = (place.path.clone(), place.start.line);
        Self { path, line, rule: finding.rule.id, reason: reason.into() }
    }
}

/// A file that some or all rules could not judge.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// The file.
    #[serde(serialize_with = "whole_path")]
    pub path: RepoPath,
    /// The rules that did not judge it; empty if no rule did.
    pub rules: Vec<&'static str>,
    /// The reason: lower case, no full stop.
    pub reason: String,
    /// True if the file is encrypted and its MAC was not compared.
    #[serde(skip)]
    pub is_unverified: bool,
}

/// Serializes the path as it is, not as it may be printed.
fn whole_path<S: serde::Serializer>(path: &RepoPath, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(path.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

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
    fn findings_are_numbered_anew_in_every_report() {
        let one = samples::two_files().findings.swap_remove(0);
        let report = Report::new(vec![one; 3], Vec::new(), Summary::default());
        let mut findings = report.findings;
        let numbers = |findings: &[Finding]| -> Vec<usize> {
            findings.iter().map(|finding| finding.occurrence).collect()
        };
        assert_eq!(numbers(&findings), [0, 1, 2]);
        findings.remove(0);
        let report = Report::new(findings, Vec::new(), Summary::default());
        assert_eq!(numbers(&report.findings), [0, 1]);
    }
}
