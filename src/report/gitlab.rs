//! A Code Quality report for GitLab, which shows it next to the lines of a merge request.
//!
//! The format is a list of findings, so it cannot name skipped files.

use std::io;

use serde_json::{Value, json};

use super::content::Report;
use super::reporter::Reporter;
use super::style::Style;
use super::{json as plain_json, look};
use crate::finding::{Finding, Level};

/// `--format gitlab`.
#[derive(Debug)]
pub(super) struct GitLab;

impl Reporter for GitLab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn summary(&self) -> &'static str {
        "a Code Quality report for GitLab"
    }

    fn write(&self, report: &Report, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let issues: Vec<Value> = report.findings.iter().map(issue).collect();
        let text = plain_json::escape(&serde_json::to_string_pretty(&issues)?);
        writeln!(out, "{text}")
    }
}

fn issue(finding: &Finding) -> Value {
    let mut description = finding.sentence().into_owned();
    if let Some(help) = finding.help_at_root() {
        description += &format!(". Help: {help}");
    }
    json!({
        "type": "issue",
        "check_name": finding.rule.id,
        "description": look::clean(&description),
        "categories": ["Security"],
        "severity": severity(finding.level),
        "fingerprint": finding.fingerprint(),
        "location": {
            "path": finding.place.path.as_str(),
            "lines": { "begin": finding.place.start.line.max(1) },
        },
    })
}

/// Returns one of the five severities of GitLab: info, minor, major, critical, blocker. None of them
/// blocks a merge.
const fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "critical",
        Level::Warning => "minor",
        Level::Info => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        GitLab.write(report, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_finding_is_an_issue() {
        insta::assert_snapshot!(written(&samples::two_files()), @r##"
        [
          {
            "categories": [
              "Security"
            ],
            "check_name": "unencrypted-secret",
            "description": "Secret prod/db has 2 plaintext values (stringData.user, stringData.password). Help: run sops encrypt --in-place apps/db.yaml, then change the password: anyone with access to the repository has seen it",
            "fingerprint": "e695c52efe24dd4af2359ce1c55a9760",
            "location": {
              "lines": {
                "begin": 8
              },
              "path": "apps/db.yaml"
            },
            "severity": "critical",
            "type": "issue"
          }
        ]
        "##);
        assert_eq!(written(&samples::empty()), "[]\n");
    }

    #[test]
    fn a_hostile_path_stays_what_it_is() {
        let issues: Value = serde_json::from_str(&written(&samples::hostile())).unwrap();
        for issue in issues.as_array().unwrap() {
            assert_eq!(issue["location"]["path"], samples::HOSTILE_PATH);
            assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        }
    }
}
