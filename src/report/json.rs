//! The reports for programs: one JSON document, or one JSON object a line.
//!
//! Adding a field keeps the schema version; renaming or removing one raises it. Paths are exact, so that
//! a program can open the file; characters that could harm a terminal are written as JSON escapes.

use std::io;

use serde::Serialize;

use super::content::{Report, Skipped};
use super::reporter::Reporter;
use super::style::Style;
use super::summary::Summary;
use crate::finding::{Finding, Fix, Label, Level, NamedRecipient};
use crate::shell::{Advice, Command};
use crate::text::{Position, printable};

/// The version of the schema.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// `--format json`.
#[derive(Debug)]
pub(super) struct Json;

impl Reporter for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn summary(&self) -> &'static str {
        "one JSON document"
    }

    fn write(&self, report: &Report, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let document = JsonReport {
            schema_version: SCHEMA_VERSION,
            tool: Tool::this(),
            findings: report.findings.iter().map(JsonFinding::from).collect(),
            skipped: &report.skipped,
            errors: &report.errors,
            summary: report.summary,
        };
        let text = escape(&serde_json::to_string_pretty(&document)?);
        writeln!(out, "{text}")
    }
}

/// `--format jsonl`.
#[derive(Debug)]
pub(super) struct JsonLines;

impl Reporter for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn summary(&self) -> &'static str {
        "one JSON object per line: findings, skipped files, errors of the run, the summary"
    }

    fn write(&self, report: &Report, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        for finding in &report.findings {
            write_line(out, &JsonFinding::from(finding))?;
        }
        for skipped in &report.skipped {
            write_line(out, &SkippedLine { skipped })?;
        }
        for error in &report.errors {
            write_line(out, &ErrorLine { error })?;
        }
        write_line(out, &SummaryLine { summary: report.summary })
    }
}

fn write_line(out: &mut dyn io::Write, value: &impl Serialize) -> io::Result<()> {
    let text = escape(&serde_json::to_string(value)?);
    writeln!(out, "{text}")
}

/// Escapes the hostile characters that JSON allows: delete, C1 controls, invisible characters. In
/// JSON text they occur in strings only.
pub(super) fn escape(json: &str) -> String {
    let escaped = |hostile: &str| -> String {
        hostile.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
    };
    let lines: Vec<_> = json.split('\n').map(|line| printable::replaced(line, escaped)).collect();
    lines.join("\n")
}

#[derive(Serialize)]
struct JsonReport<'r> {
    schema_version: u32,
    tool: Tool,
    findings: Vec<JsonFinding<'r>>,
    skipped: &'r [Skipped],
    errors: &'r [String],
    summary: Summary,
}

/// The program that wrote a document.
#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    /// Returns this program.
    pub(super) fn this() -> Self {
        Self { name: "sops-lint", version: env!("CARGO_PKG_VERSION") }
    }
}

#[derive(Serialize)]
struct JsonFinding<'r> {
    rule: &'static str,
    level: Level,
    path: &'r str,
    /// The commit that added the file, if history is scanned.
    commit: Option<&'r str>,
    /// Its date.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_date: Option<&'r str>,
    /// True if the file is the same at `HEAD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_head: Option<bool>,
    document: usize,
    key_path: Option<&'r str>,
    key_paths: &'r [String],
    start: Position,
    end: Position,
    message: &'r str,
    help: Option<String>,
    commands: Vec<JsonCommand>,
    related: Vec<JsonLabel<'r>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    recipients: &'r [NamedRecipient],
    fix: Option<&'r Fix>,
    fingerprint: String,
}

impl<'r> From<&'r Finding> for JsonFinding<'r> {
    fn from(finding: &'r Finding) -> Self {
        Self {
            rule: finding.rule.id.as_str(),
            level: finding.level,
            path: finding.place.path.as_str(),
            commit: finding.origin.as_ref().map(|origin| &*origin.commit),
            commit_date: finding.origin.as_ref().and_then(|origin| origin.day.as_deref()),
            at_head: finding.origin.as_ref().map(|origin| origin.is_at_head),
            document: finding.document,
            key_path: finding.key_path.as_deref(),
            key_paths: &finding.key_paths,
            start: finding.place.start,
            end: finding.place.end,
            message: &finding.message,
            help: finding.help_at_root(),
            commands: finding
                .help
                .iter()
                .flat_map(Advice::commands)
                .map(JsonCommand::from)
                .collect(),
            related: finding.related.iter().map(JsonLabel::from).collect(),
            recipients: &finding.recipients,
            fix: finding.fix.as_ref(),
            fingerprint: finding.fingerprint(),
        }
    }
}

#[derive(Serialize)]
struct JsonCommand {
    argv: Vec<String>,
    /// The directory to run it in, from the root of the tree.
    directory: &'static str,
}

impl From<&Command> for JsonCommand {
    fn from(command: &Command) -> Self {
        Self { argv: command.argv(), directory: "." }
    }
}

#[derive(Serialize)]
struct JsonLabel<'r> {
    path: &'r str,
    start: Position,
    end: Position,
    message: &'r str,
}

impl<'r> From<&'r Label> for JsonLabel<'r> {
    fn from(label: &'r Label) -> Self {
        Self {
            path: label.place.path.as_str(),
            start: label.place.start,
            end: label.place.end,
            message: &label.message,
        }
    }
}

#[derive(Serialize)]
struct SkippedLine<'r> {
    skipped: &'r Skipped,
}

#[derive(Serialize)]
struct ErrorLine<'r> {
    error: &'r str,
}

#[derive(Serialize)]
struct SummaryLine {
    summary: Summary,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(reporter: &dyn Reporter, report: &Report) -> String {
        let mut out = Vec::new();
        reporter.write(report, &Style::default(), &mut out).expect("a vector takes all bytes");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn escapes_read_back_as_what_they_were() {
        let text = "a\u{61c}\u{e0041}\u{7f}\nb";
        let escaped = escape(&serde_json::to_string(text).expect("text is JSON"));
        assert_eq!(escaped, r#""a\u061c\udb40\udc41\u007f\nb""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("it is JSON"), text);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "the document is as long as it is")]
    fn a_document_has_every_field_in_order() {
        let report = samples::two_files();
        let text = written(&Json, &report).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(text, @r#"
        {
          "schema_version": 1,
          "tool": {
            "name": "sops-lint",
            "version": "VERSION"
          },
          "findings": [
            {
              "rule": "unencrypted-secret",
              "level": "error",
              "path": "apps/db.yaml",
              "commit": null,
              "document": 0,
              "key_path": "stringData.password",
              "key_paths": [
                "stringData.user",
                "stringData.password"
              ],
              "start": {
                "line": 8,
                "column": 13,
                "offset": 105
              },
              "end": {
                "line": 8,
                "column": 21,
                "offset": 113
              },
              "message": "Secret prod/db has 2 plaintext values (stringData.user, stringData.password)",
              "help": "run sops encrypt --in-place apps/db.yaml, then change the password: anyone with access to the repository has seen it",
              "commands": [],
              "related": [
                {
                  "path": "apps/db.yaml",
                  "start": {
                    "line": 7,
                    "column": 9,
                    "offset": 87
                  },
                  "end": {
                    "line": 7,
                    "column": 14,
                    "offset": 92
                  },
                  "message": "in plaintext"
                },
                {
                  "path": ".sops.yaml",
                  "start": {
                    "line": 2,
                    "column": 17,
                    "offset": 32
                  },
                  "end": {
                    "line": 2,
                    "column": 24,
                    "offset": 39
                  },
                  "message": "this creation rule governs the file"
                }
              ],
              "fix": {
                "kind": "encrypt",
                "title": "encrypt the file as its creation rule demands",
                "applicability": "safe",
                "safe": true
              },
              "fingerprint": "e695c52efe24dd4af2359ce1c55a9760"
            }
          ],
          "skipped": [],
          "errors": [],
          "summary": {
            "files": 812,
            "secrets": 41,
            "encrypted_files": 40,
            "verified": 0,
            "refused": 0,
            "unverified": 40,
            "errors": 1,
            "warnings": 0,
            "infos": 0,
            "ignored": 0,
            "in_baseline": 0,
            "gone_from_baseline": 0,
            "duration_ms": 37
          }
        }
        "#);
    }

    #[test]
    fn an_empty_report_has_all_its_lists() {
        let text = written(&Json, &samples::empty()).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(text, @r#"
        {
          "schema_version": 1,
          "tool": {
            "name": "sops-lint",
            "version": "VERSION"
          },
          "findings": [],
          "skipped": [],
          "errors": [],
          "summary": {
            "files": 0,
            "secrets": 0,
            "encrypted_files": 0,
            "verified": 0,
            "refused": 0,
            "unverified": 0,
            "errors": 0,
            "warnings": 0,
            "infos": 0,
            "ignored": 0,
            "in_baseline": 0,
            "gone_from_baseline": 0,
            "duration_ms": 0
          }
        }
        "#);
    }

    #[test]
    fn a_line_is_a_finding_a_skipped_file_or_the_summary() {
        insta::assert_snapshot!(written(&JsonLines, &samples::mixed()), @r#"
        {"rule":"unreadable-document","level":"error","path":"apps/cut.yaml","commit":null,"document":0,"key_path":null,"key_paths":[],"start":{"line":14,"column":1,"offset":402},"end":{"line":14,"column":1,"offset":402},"message":"apps/cut.yaml is not YAML: a quoted scalar never ends","help":null,"commands":[],"related":[],"fix":null,"fingerprint":"b724ac6d6dcb3e09adf8e6d55f079d6b"}
        {"rule":"unencrypted-secret","level":"error","path":"apps/db.yaml","commit":null,"document":0,"key_path":"stringData.password","key_paths":["stringData.user","stringData.password"],"start":{"line":8,"column":13,"offset":105},"end":{"line":8,"column":21,"offset":113},"message":"Secret prod/db has 2 plaintext values (stringData.user, stringData.password)","help":"run sops encrypt --in-place apps/db.yaml, then change the password: anyone with access to the repository has seen it","commands":[],"related":[{"path":"apps/db.yaml","start":{"line":7,"column":9,"offset":87},"end":{"line":7,"column":14,"offset":92},"message":"in plaintext"},{"path":".sops.yaml","start":{"line":2,"column":17,"offset":32},"end":{"line":2,"column":24,"offset":39},"message":"this creation rule governs the file"}],"fix":{"kind":"encrypt","title":"encrypt the file as its creation rule demands","applicability":"safe","safe":true},"fingerprint":"e695c52efe24dd4af2359ce1c55a9760"}
        {"rule":"recipient-drift","level":"warning","path":"clusters/prod/token.enc.yaml","commit":null,"document":0,"key_path":null,"key_paths":[],"start":{"line":101,"column":9,"offset":152},"end":{"line":101,"column":17,"offset":160},"message":"clusters/prod/token.enc.yaml is encrypted for 1 recipient that its creation rule does not name (pgp 85D77543) and not for 1 recipient that it does name (age1qqq)","help":null,"commands":[],"related":[{"path":"clusters/prod/token.enc.yaml","start":{"line":9,"column":16,"offset":29},"end":{"line":9,"column":23,"offset":36},"message":"may decrypt, as it should"},{"path":"clusters/prod/token.enc.yaml","start":{"line":10,"column":5,"offset":41},"end":{"line":10,"column":8,"offset":44},"message":"its data key"},{"path":"clusters/prod/token.enc.yaml","start":{"line":191,"column":1,"offset":250},"end":{"line":191,"column":15,"offset":264},"message":"written by this version"}],"fix":null,"fingerprint":"e0389cfac4eb8329da881e148c54b5c5"}
        {"rule":"uncovered-file","level":"info","path":"docs/example.yaml","commit":null,"document":0,"key_path":null,"key_paths":[],"start":{"line":1,"column":1,"offset":0},"end":{"line":1,"column":5,"offset":4},"message":"no creation rule covers docs/example.yaml","help":null,"commands":[],"related":[],"fix":null,"fingerprint":"70b750b1a6f34712f89e0e5a63509186"}
        {"skipped":{"path":"apps/db.yaml","rules":["mac-mismatch","undecryptable-value"],"reason":"no private key for any of its 2 recipients"}}
        {"skipped":{"path":"big.yaml","rules":[],"reason":"larger than 10 MiB"}}
        {"summary":{"files":812,"secrets":41,"encrypted_files":40,"verified":0,"refused":0,"unverified":40,"errors":2,"warnings":1,"infos":1,"ignored":0,"in_baseline":0,"gone_from_baseline":0,"duration_ms":37}}
        "#);
    }

    #[test]
    fn a_hostile_path_stays_what_it_is_and_stays_on_its_line() {
        let report = samples::hostile();
        let text = written(&JsonLines, &report);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("each is JSON")).collect();
        assert_eq!(lines.len(), report.findings.len() + report.skipped.len() + 1);
        assert_eq!(lines[0]["path"], samples::HOSTILE_PATH);
    }
}
