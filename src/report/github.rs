//! Annotations in a pull request on GitHub: workflow commands, and the same findings as lines of the log.
//!
//! GitHub takes every line that begins with `::`, and every `##[`, for a command. No name from a
//! repository may contain one.

use std::io;

use super::content::Report;
use super::look::{self, Look};
use super::reporter::Reporter;
use super::sentences;
use super::style::Style;
use crate::finding::{Finding, Level};
use crate::shell::Reader;
use crate::text::words::count;

/// Annotations of each level that GitHub shows for a step.
const MAX_OF_A_LEVEL: usize = 10;

/// `--format github`.
#[derive(Debug)]
pub(super) struct GitHub;

impl Reporter for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn summary(&self) -> &'static str {
        "annotations of GitHub Actions, and lines of its log"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let findings = report.by_importance();
        for finding in &findings {
            writeln!(out, "{}", log_line(finding))?;
        }
        for level in [Level::Error, Level::Warning, Level::Info] {
            let of_level = findings.iter().filter(|finding| finding.level == level);
            for finding in of_level.take(MAX_OF_A_LEVEL) {
                writeln!(out, "{}", annotation(finding))?;
            }
        }
        for error in &report.errors {
            writeln!(out, "::error title=sops-lint::{}", data(error))?;
        }
        for sentence in closing(report, style) {
            writeln!(out, "{}", harmless(&sentence))?;
        }
        Ok(())
    }
}

/// Returns `error[unencrypted-secret] apps/db.yaml:8:13: ..`, which always begins with our own word.
fn log_line(finding: &Finding) -> String {
    let Finding { level, rule, place, .. } = finding;
    let message = finding.sentence();
    let line = format!(
        "{level}[{}] {}:{}:{}: {message}",
        rule.id, place.path, place.start.line, place.start.column
    );
    harmless(&line)
}

fn annotation(finding: &Finding) -> String {
    let command = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "notice",
    };
    let (start, end) = (finding.place.start, finding.place.end);
    let mut text =
        format!("::{command} file={},line={}", property(finding.place.path.as_str()), start.line);
    // GitHub accepts columns only within one line.
    if end.line > start.line {
        text += &format!(",endLine={}", end.line);
    } else {
        text += &format!(",endLine={},col={}", start.line, start.column);
        if end.column > start.column {
            text += &format!(",endColumn={}", end.column);
        }
    }
    text += &format!(",title=sops-lint%3A {}::{}", finding.rule.id, data(&finding.sentence()));
    if let Some(help) = finding.help_at_root() {
        text += &format!("%0AHelp: {}", data(&help));
    }
    text
}

fn closing(report: &Report, style: &Style) -> Vec<String> {
    let mut sentences = vec![sentences::found(&report.summary, &Look::new(&Style::default()))];
    let summary = &report.summary;
    let levels =
        [(summary.errors, "error"), (summary.warnings, "warning"), (summary.infos, "info")];
    let unseen: Vec<String> = levels
        .into_iter()
        .filter(|(number, _)| *number > MAX_OF_A_LEVEL)
        .map(|(number, noun)| count(number - MAX_OF_A_LEVEL, noun))
        .collect();
    if !unseen.is_empty() {
        sentences.push(format!(
            "Not annotated: {}. GitHub shows {MAX_OF_A_LEVEL} of each level for a step; all \
             findings are listed above.",
            unseen.join(", "),
        ));
    }
    sentences.extend(sentences::suppressed(summary));
    sentences.extend(sentences::checked(report, style.verbose));
    if style.verbose {
        sentences.extend(
            report
                .skipped
                .iter()
                .map(|file| format!("- {}", sentences::reason(file, &Reader::at_root()))),
        );
    }
    sentences
}

/// Returns a line of the log that is not a command.
fn harmless(line: &str) -> String {
    let line = look::clean(line);
    if line.trim_start().starts_with("::") { format!("- {line}") } else { line.into_owned() }
}

/// Escapes text after the second `::` of a command.
fn data(text: &str) -> String {
    escape(text, "%").replace("##[", "## [")
}

/// Escapes a value before it. Line ends are kept: GitHub needs the exact name of the file.
fn property(text: &str) -> String {
    escape(text, "%\r\n:,")
}

/// Escapes the special characters for GitHub, and other unsafe ones as the other reporters do.
fn escape(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if special.contains(c) {
            escaped += &format!("%{:02X}", u32::from(c));
        } else {
            escaped += &look::clean(c.encode_utf8(&mut [0; 4]));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::report::summary::Summary;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        GitHub.write(report, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_are_lines_then_annotations_the_worst_first() {
        insta::assert_snapshot!(written(&samples::mixed()), @r##"
        error[unreadable-document] apps/cut.yaml:14:1: apps/cut.yaml is not YAML: a quoted scalar never ends
        error[unencrypted-secret] apps/db.yaml:8:13: Secret prod/db has 2 plaintext values (stringData.user, stringData.password)
        warning[recipient-drift] clusters/prod/token.enc.yaml:101:9: clusters/prod/token.enc.yaml is encrypted for 1 recipient that its creation rule does not name (pgp 85D77543) and not for 1 recipient that it does name (age1qqq)
        info[uncovered-file] docs/example.yaml:1:1: no creation rule covers docs/example.yaml
        ::error file=apps/cut.yaml,line=14,endLine=14,col=1,title=sops-lint%3A unreadable-document::apps/cut.yaml is not YAML: a quoted scalar never ends
        ::error file=apps/db.yaml,line=8,endLine=8,col=13,endColumn=21,title=sops-lint%3A unencrypted-secret::Secret prod/db has 2 plaintext values (stringData.user, stringData.password)%0AHelp: run sops encrypt --in-place apps/db.yaml, then change the password: anyone with access to the repository has seen it
        ::warning file=clusters/prod/token.enc.yaml,line=101,endLine=101,col=9,endColumn=17,title=sops-lint%3A recipient-drift::clusters/prod/token.enc.yaml is encrypted for 1 recipient that its creation rule does not name (pgp 85D77543) and not for 1 recipient that it does name (age1qqq)
        ::notice file=docs/example.yaml,line=1,endLine=1,col=1,endColumn=5,title=sops-lint%3A uncovered-file::no creation rule covers docs/example.yaml
        Found 2 errors, 1 warning and 1 info in 812 files (41 Secrets, 40 encrypted files) in 37 ms.
        Not verified: 40 encrypted files. Tampering with them would go unnoticed (run with -v to see why).
        Skipped: 1 file (run with -v to see which).
        "##);
    }

    #[test]
    fn what_is_not_shown_is_said() {
        let one = samples::two_files().findings.swap_remove(0);
        let report = Report::new(vec![one; 13], Vec::new(), Summary::default());
        let text = written(&report);
        assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), 10);
        assert_eq!(text.lines().filter(|line| line.starts_with("error[")).count(), 13);
        assert!(
            text.contains("\nNot annotated: 3 errors. GitHub shows 10 of each level"),
            "{text}"
        );
    }

    #[test]
    fn a_file_name_is_no_command() {
        let evil = "::error file=x::owned\r\n::add-mask::a,b:c%0A##[add-mask]x\u{1b}";
        let mut report = samples::two_files();
        report.findings[0].place.path = evil.into();
        report.findings[0].message = evil.to_owned();
        report.findings[0].help = Some(evil.into());
        report.errors.push(evil.to_owned());
        report.skipped.push(crate::report::content::Skipped {
            path: evil.into(),
            rules: Vec::new(),
            reason: evil.to_owned(),
            is_unverified: false,
        });
        let mut out = Vec::new();
        let style = Style { verbose: true, ..Style::default() };
        GitHub.write(&report, &style, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        insta::assert_snapshot!(text, @r##"
        error[unencrypted-secret] ::error file=x::owned\u{d}\u{a}::add-mask::a,b:c%0A##\u{5b}add-mask]x\u{1b}:8:13: ::error file=x::owned\u{d}\u{a}::add-mask::a,b:c%0A##\u{5b}add-mask]x\u{1b}
        ::error file=%3A%3Aerror file=x%3A%3Aowned%0D%0A%3A%3Aadd-mask%3A%3Aa%2Cb%3Ac%250A##[add-mask]x\u{1b},line=8,endLine=8,col=13,endColumn=21,title=sops-lint%3A unencrypted-secret::::error file=x::owned\u{d}\u{a}::add-mask::a,b:c%250A## [add-mask]x\u{1b}%0AHelp: ::error file=x::owned\u{d}\u{a}::add-mask::a,b:c%250A## [add-mask]x\u{1b}
        ::error title=sops-lint::::error file=x::owned\u{d}\u{a}::add-mask::a,b:c%250A## [add-mask]x\u{1b}
        Found 1 error in 812 files (41 Secrets, 40 encrypted files) in 37 ms.
        Not verified: 40 encrypted files. Tampering with them would go unnoticed.
        Skipped: 1 file.
        - ::error file=x::owned\u{d}\u{a}::add-mask::a,b:c%0A##\u{5b}add-mask]x\u{1b}: ::error file=x::owned\u{d}\u{a}::add-mask::a,b:c%0A##\u{5b}add-mask]x\u{1b}
        "##);
        for line in text.lines().filter(|line| line.contains("add-mask")) {
            let is_ours = ["::error file=%3A%3Aerror", "::error title=sops-lint::", "error[", "- "];
            assert!(is_ours.iter().any(|start| line.starts_with(start)), "{line}");
            assert!(!line.contains("##[") || line.starts_with("::error "), "{line}");
        }
    }
}
