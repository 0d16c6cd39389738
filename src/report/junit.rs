//! JUnit XML, which every CI can show.
//!
//! A test case is a rule in a file: the rule is the class, the file is the name. Viewers identify cases
//! by these two (GitLab drops the second of the same name), so a new finding is a newly failed test, and
//! a fixed one is no longer listed. Rules without findings are not listed as passed tests, because the
//! report does not know which rules could judge which files. One case represents the run itself:
//! Jenkins takes an empty report for a mistake.
//!
//! Only errors fail. Warnings and infos pass, with their text as output: a failed test in a job that
//! passed would confuse readers, and Jenkins would call the build unstable.

use std::collections::BTreeMap;
use std::io;

use super::content::{Report, Skipped};
use super::look::{self, Look};
use super::reporter::Reporter;
use super::sentences;
use super::style::Style;
use crate::finding::{Finding, Level};
use crate::shell::Reader;

/// `--format junit`.
#[derive(Debug)]
pub(super) struct JUnit;

impl Reporter for JUnit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn summary(&self) -> &'static str {
        "JUnit XML: a test case for each rule and file with findings"
    }

    fn write(&self, report: &Report, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let cases = cases(&report.findings);
        let failures = cases.values().filter(|case| is_failure(case)).count();
        let numbers = format!(
            "name=\"sops-lint\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\"",
            1 + cases.len() + report.skipped.len(),
            usize::from(!report.errors.is_empty()),
        );
        let (skipped, time) = (report.skipped.len(), seconds(report.summary.duration_ms));
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(out, "<testsuites {numbers} time=\"{time}\">")?;
        writeln!(out, "  <testsuite {numbers} skipped=\"{skipped}\" time=\"{time}\">")?;
        write_run(report, &time, out)?;
        for (&(path, rule), findings) in &cases {
            write_case(path, rule, findings, out)?;
        }
        for file in &report.skipped {
            write_skipped(file, out)?;
        }
        writeln!(out, "  </testsuite>\n</testsuites>")
    }
}

/// The findings of each rule in each file, by path and rule.
type Cases<'r> = BTreeMap<(&'r str, &'static str), Vec<&'r Finding>>;

fn cases(findings: &[Finding]) -> Cases<'_> {
    let mut cases = Cases::new();
    for finding in findings {
        let case = (finding.place.path.as_str(), finding.rule.id.as_str());
        cases.entry(case).or_default().push(finding);
    }
    cases
}

fn is_failure(findings: &[&Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

/// Writes the case of the run itself, which is an error if the run failed.
fn write_run(report: &Report, time: &str, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "    <testcase classname=\"sops-lint\" name=\"scan\" time=\"{time}\">")?;
    if !report.errors.is_empty() {
        let text = lines(&report.errors);
        writeln!(out, "      <error message=\"the scan failed\">{text}</error>")?;
    }
    let mut sentences = vec![sentences::found(&report.summary, &Look::new(&Style::default()))];
    sentences.extend(sentences::suppressed(&report.summary));
    sentences.extend(sentences::checked(report, true));
    writeln!(out, "      <system-out>{}</system-out>", lines(&sentences))?;
    writeln!(out, "    </testcase>")
}

fn write_case(
    path: &str,
    rule: &str,
    findings: &[&Finding],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let path = escape(path);
    writeln!(
        out,
        "    <testcase classname=\"sops-lint.{rule}\" name=\"{path}\" file=\"{path}\" time=\"0\">"
    )?;
    let text: String = findings.iter().map(|finding| paragraph(finding)).collect();
    let text = text.trim_end();
    if is_failure(findings) {
        // Viewers show the message or the text; GitLab shows only the text.
        let first = findings.iter().find(|finding| finding.level == Level::Error);
        let message = first.map_or_else(String::new, |finding| escape(&finding.sentence()));
        writeln!(out, "      <failure type=\"error\" message=\"{message}\">{text}</failure>")?;
    } else {
        writeln!(out, "      <system-out>{text}</system-out>")?;
    }
    writeln!(out, "    </testcase>")
}

/// Returns a finding as plain text, escaped.
fn paragraph(finding: &Finding) -> String {
    let Finding { place, level, .. } = finding;
    let position = format!("{}:{}:{}", place.path, place.start.line, place.start.column);
    let mut text = format!("{}: {level}: {}\n", escape(&position), escape(&finding.sentence()));
    if let Some(help) = finding.help_at_root() {
        text += &format!("help: {}\n", escape(&help));
    }
    text + "\n"
}

fn write_skipped(file: &Skipped, out: &mut dyn io::Write) -> io::Result<()> {
    let (path, reason) =
        (escape(file.path.as_str()), escape(&sentences::reason(file, &Reader::at_root())));
    writeln!(
        out,
        "    <testcase classname=\"sops-lint.skipped\" name=\"{path}\" file=\"{path}\" time=\"0\">"
    )?;
    writeln!(out, "      <skipped>{reason}</skipped>\n    </testcase>")
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Escapes text and attributes. Characters that XML 1.0 cannot contain are written as the other
/// reporters do: `\u{1b}`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in look::clean(text).chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// Returns each sentence on its own line, escaped.
fn lines(sentences: &[String]) -> String {
    sentences.iter().map(|sentence| escape(sentence)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        JUnit.write(report, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn errors_fail_and_the_rest_passes_with_output() {
        insta::assert_snapshot!(written(&samples::mixed()), @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="sops-lint" tests="7" failures="2" errors="0" time="0.037">
          <testsuite name="sops-lint" tests="7" failures="2" errors="0" skipped="2" time="0.037">
            <testcase classname="sops-lint" name="scan" time="0.037">
              <system-out>Found 2 errors, 1 warning and 1 info in 812 files (41 Secrets, 40 encrypted files) in 37 ms.
        Not verified: 40 encrypted files. Tampering with them would go unnoticed.
        Skipped: 1 file.</system-out>
            </testcase>
            <testcase classname="sops-lint.unreadable-document" name="apps/cut.yaml" file="apps/cut.yaml" time="0">
              <failure type="error" message="apps/cut.yaml is not YAML: a quoted scalar never ends">apps/cut.yaml:14:1: error: apps/cut.yaml is not YAML: a quoted scalar never ends</failure>
            </testcase>
            <testcase classname="sops-lint.unencrypted-secret" name="apps/db.yaml" file="apps/db.yaml" time="0">
              <failure type="error" message="Secret prod/db has 2 plaintext values (stringData.user, stringData.password)">apps/db.yaml:8:13: error: Secret prod/db has 2 plaintext values (stringData.user, stringData.password)
        help: run sops encrypt --in-place apps/db.yaml, then change the password: anyone with access to the repository has seen it</failure>
            </testcase>
            <testcase classname="sops-lint.recipient-drift" name="clusters/prod/token.enc.yaml" file="clusters/prod/token.enc.yaml" time="0">
              <system-out>clusters/prod/token.enc.yaml:101:9: warning: clusters/prod/token.enc.yaml is encrypted for 1 recipient that its creation rule does not name (pgp 85D77543) and not for 1 recipient that it does name (age1qqq)</system-out>
            </testcase>
            <testcase classname="sops-lint.uncovered-file" name="docs/example.yaml" file="docs/example.yaml" time="0">
              <system-out>docs/example.yaml:1:1: info: no creation rule covers docs/example.yaml</system-out>
            </testcase>
            <testcase classname="sops-lint.skipped" name="apps/db.yaml" file="apps/db.yaml" time="0">
              <skipped>apps/db.yaml: no private key for any of its 2 recipients (not checked: mac-mismatch, undecryptable-value)</skipped>
            </testcase>
            <testcase classname="sops-lint.skipped" name="big.yaml" file="big.yaml" time="0">
              <skipped>big.yaml: larger than 10 MiB</skipped>
            </testcase>
          </testsuite>
        </testsuites>
        "##);
    }

    #[test]
    fn a_run_without_findings_has_one_passed_test() {
        insta::assert_snapshot!(written(&samples::empty()), @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="sops-lint" tests="1" failures="0" errors="0" time="0.000">
          <testsuite name="sops-lint" tests="1" failures="0" errors="0" skipped="0" time="0.000">
            <testcase classname="sops-lint" name="scan" time="0.000">
              <system-out>No findings in 0 files (0 Secrets, 0 encrypted files) in 0 ms.</system-out>
            </testcase>
          </testsuite>
        </testsuites>
        "##);
    }

    #[test]
    fn a_run_that_failed_is_an_error() {
        let mut report = samples::empty();
        report.errors = vec!["cannot read <a>".to_owned(), "cannot read b".to_owned()];
        let text = written(&report);
        assert!(text.contains("failures=\"0\" errors=\"1\""), "{text}");
        assert!(text.contains("cannot read &lt;a&gt;\ncannot read b</error>"), "{text}");
    }

    #[test]
    fn a_file_name_ends_no_element() {
        assert_eq!(
            escape("]]>\"/><failure a='&\u{1b}\u{ffff}\u{202e}"),
            "]]&gt;&quot;/&gt;&lt;failure a=&apos;&amp;\\u{1b}\\u{ffff}\\u{202e}"
        );
        let mut report = samples::two_files();
        report.findings[0].place.path = "\"><failure/>\n]]>".into();
        let text = written(&report);
        assert!(text.contains("name=\"&quot;&gt;&lt;failure/&gt;\\u{a}]]&gt;\""), "{text}");
    }
}
