//! A baseline: findings that are known and suppressed.
//!
//! A baseline is readable in a diff: one entry per finding, sorted by path, without line numbers, which
//! change. The fingerprint identifies a finding; rule and path are for people.

use std::collections::HashSet;

use serde::Serialize;

use crate::document::{Format, Node, yaml};
use crate::finding::Finding;
use crate::report::Report;
use crate::rules::SETTINGS_RULES;

/// The default file name of a baseline, at the root of the tree.
pub const BASELINE_NAME: &str = ".sops-lint-baseline.yaml";

/// The version of the file format.
const VERSION: u32 = 1;

/// The findings of an earlier run.
#[derive(Debug, Default)]
pub struct Baseline {
    fingerprints: HashSet<String>,
}

#[derive(Serialize)]
struct File<'f> {
    version: u32,
    findings: Vec<Known<'f>>,
}

#[derive(Serialize)]
struct Known<'f> {
    rule: &'static str,
    path: &'f str,
    fingerprint: String,
}

impl Baseline {
    /// Reads a baseline. The error is lower case, without a full stop.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let parsed = yaml::Yaml.parse(text);
        if let Some(error) = parsed.error {
            return Err(format!("it is not valid YAML: {error}"));
        }
        let root = parsed.documents.first().map(|document| &document.root);
        let root = root.filter(|root| root.is_map()).ok_or("it is not a map")?;
        // The source of a scalar: a fingerprint of digits is not a number.
        let source = |node: &Node<'_>| {
            let text = text.get(node.span.start..node.span.end).unwrap_or_default();
            text.trim_matches(['\'', '"']).to_owned()
        };
        let version = root.get("version").map(source).ok_or("it has no version")?;
        if version != VERSION.to_string() {
            return Err("it was written by another version of sops-lint".to_owned());
        }
        let findings = root.get("findings").filter(|node| node.is_list());
        let mut fingerprints = HashSet::new();
        for entry in findings.ok_or("it has no list of findings")?.elements() {
            let fingerprint = entry.get("fingerprint").map(source);
            fingerprints.insert(fingerprint.ok_or("an entry has no fingerprint")?);
        }
        Ok(Self { fingerprints })
    }

    /// Writes findings as a baseline, without those about the settings.
    pub fn write(findings: &[Finding]) -> String {
        let findings = findings.iter().filter(|finding| !is_about_settings(finding));
        let known = findings.map(|finding| Known {
            rule: finding.rule.id.as_str(),
            path: finding.place.path.as_str(),
            fingerprint: finding.fingerprint(),
        });
        let file = File { version: VERSION, findings: known.collect() };
        let yaml = serde_yaml::to_string(&file).expect("texts and numbers can be written as YAML");
        format!(
            "# Findings that sops-lint scan --baseline suppresses. Written by sops-lint baseline.\n\
             {yaml}"
        )
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.fingerprints.len()
    }

    /// Reports whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// Removes the known findings from a report. `is_whole`: the report covers the whole tree and all
    /// rules, so entries without a finding are obsolete.
    pub fn apply(&self, report: &mut Report, is_whole: bool) {
        let mut seen = HashSet::new();
        let before = report.findings.len();
        report.findings.retain(|finding| {
            let fingerprint = finding.fingerprint_in_commit();
            let is_known = self.fingerprints.contains(&fingerprint) && !is_about_settings(finding);
            if is_known {
                seen.insert(fingerprint);
            }
            !is_known
        });
        report.summary.count(&report.findings);
        report.summary.in_baseline = before - report.findings.len();
        if is_whole {
            report.summary.gone_from_baseline = self.len() - seen.len();
        }
    }
}

fn is_about_settings(finding: &Finding) -> bool {
    SETTINGS_RULES.iter().any(|meta| meta.id == finding.rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_baseline_is_refused_with_a_reason() {
        for text in [
            "",
            "[]",
            "a: [",
            "version: 2\nfindings: []\n",
            "findings: []\n",
            "version: 1\n",
            "version: 1\nfindings: [{rule: x}]\n",
        ] {
            assert!(Baseline::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Baseline::read(b"\xff").is_err());
    }

    #[test]
    fn fingerprints_are_read_as_they_are_written_whatever_they_look_like() {
        let text = "version: 1\nfindings:\n- fingerprint: '0123'\n- fingerprint: 0123\n- fingerprint: 12e45\n";
        let baseline = Baseline::read(text.as_bytes()).unwrap();
        assert!(baseline.fingerprints.contains("0123") && baseline.fingerprints.contains("12e45"));
        assert_eq!(baseline.len(), 2);
    }
}
