//! A table in Markdown, for the summary of a job and for comments.
//!
//! Text from the repository is written with character references wherever Markdown or HTML would give
//! it a meaning: a reference is always a character, never markup.

use std::io;

use super::content::Report;
use super::look::{self, Look};
use super::reporter::Reporter;
use super::sentences;
use super::style::Style;
use crate::finding::Finding;
use crate::shell::Reader;
use crate::text::words::count;

/// GitHub refuses a summary of more than 1024 KiB; this leaves some room for other steps.
const MAX_BYTES: usize = 900 * 1024;

/// `--format markdown`.
#[derive(Debug)]
pub(super) struct Markdown;

impl Reporter for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn summary(&self) -> &'static str {
        "a table in Markdown, for the summary of a job"
    }

    fn write(&self, report: &Report, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let found = sentences::found(&report.summary, &Look::new(&Style::default()));
        let mut text = format!("## sops-lint\n\n{}\n", escape(&found));
        for error in &report.errors {
            text += &format!("\n**The scan failed:** {}\n", escape(error));
        }
        let end = closing(report);
        add_table(report, MAX_BYTES.saturating_sub(end.len()), &mut text);
        text += &end;
        out.write_all(text.as_bytes())
    }
}

/// Adds as many rows as there is room for, the most important first.
fn add_table(report: &Report, room: usize, text: &mut String) {
    let findings = report.by_importance();
    if findings.is_empty() {
        return;
    }
    *text += "\n| level | where | what | rule |\n|---|---|---|---|\n";
    for (index, finding) in findings.iter().enumerate() {
        let row = row(finding);
        if text.len() + row.len() > room {
            let left_out = count(findings.len() - index, "finding");
            *text += &format!(
                "\n**Left out of the table: {left_out}.** GitHub limits the size of a summary.\n"
            );
            return;
        }
        *text += &row;
    }
}

fn row(finding: &Finding) -> String {
    let place = &finding.place;
    let mut what = with_code(&finding.sentence());
    if let Some(help) = finding.help_at_root() {
        what += &format!("<br>Help: {}", with_code(&help));
    }
    format!(
        "| {} | <code>{}:{}</code> | {what} | `{}` |\n",
        finding.level,
        escape(place.path.as_str()),
        place.start.line,
        finding.rule.id,
    )
}

/// Returns the sentences below the table.
fn closing(report: &Report) -> String {
    let mut sentences = sentences::suppressed(&report.summary);
    sentences.extend(sentences::checked(report, true));
    let mut text: String =
        sentences.iter().map(|sentence| format!("\n{}\n", escape(sentence))).collect();
    if !report.skipped.is_empty() {
        text += &skipped(report);
    }
    text
}

/// Returns a folded list of the files that were skipped. It may take half of the room.
fn skipped(report: &Report) -> String {
    let mut text = "\n<details><summary>Skipped files</summary>\n\n".to_owned();
    for (index, file) in report.skipped.iter().enumerate() {
        let item = format!("- {}\n", escape(&sentences::reason(file, &Reader::at_root())));
        if text.len() + item.len() > MAX_BYTES / 2 {
            text += &format!("- and {}\n", count(report.skipped.len() - index, "more file"));
            break;
        }
        text += &item;
    }
    text + "\n</details>\n"
}

/// Returns the text with the commands in backticks as code.
fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let mark = |(index, part): (usize, &&str)| match index % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    };
    parts.iter().enumerate().map(mark).collect()
}

/// Escapes the characters that mean something to Markdown, HTML or GitHub, as in `&#35;`. No link can
/// begin without one of them, so parentheses stay.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 32);
    let text = look::clean(text);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_mark = match c {
            ':' => chars.peek().is_some_and(|next| *next != ' '),
            c => "\\`*_[]<>&|#@~$!".contains(c),
        };
        if is_mark {
            escaped += &format!("&#{};", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    // GitHub makes links of words that begin so.
    escaped.replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::report::summary::Summary;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        Markdown.write(report, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_finding_is_a_row() {
        insta::assert_snapshot!(written(&samples::mixed()), @r##"
        ## sops-lint

        Found 2 errors, 1 warning and 1 info in 812 files (41 Secrets, 40 encrypted files) in 37 ms.

        | level | where | what | rule |
        |---|---|---|---|
        | error | <code>apps/cut.yaml:14</code> | apps/cut.yaml is not YAML: a quoted scalar never ends | `unreadable-document` |
        | error | <code>apps/db.yaml:8</code> | Secret prod/db has 2 plaintext values (stringData.user, stringData.password)<br>Help: run sops encrypt --in-place apps/db.yaml, then change the password: anyone with access to the repository has seen it | `unencrypted-secret` |
        | warning | <code>clusters/prod/token.enc.yaml:101</code> | clusters/prod/token.enc.yaml is encrypted for 1 recipient that its creation rule does not name (pgp 85D77543) and not for 1 recipient that it does name (age1qqq) | `recipient-drift` |
        | info | <code>docs/example.yaml:1</code> | no creation rule covers docs/example.yaml | `uncovered-file` |

        Not verified: 40 encrypted files. Tampering with them would go unnoticed.

        Skipped: 1 file.

        <details><summary>Skipped files</summary>

        - apps/db.yaml: no private key for any of its 2 recipients (not checked: mac-mismatch, undecryptable-value)
        - big.yaml: larger than 10 MiB

        </details>
        "##);
    }

    #[test]
    fn no_findings_no_table() {
        insta::assert_snapshot!(written(&samples::empty()), @r##"
        ## sops-lint

        No findings in 0 files (0 Secrets, 0 encrypted files) in 0 ms.
        "##);
    }

    #[test]
    fn a_file_name_is_no_mark() {
        let evil = "|`</code><img src=x>*b* [c](https://e.org) @octocat www.e.org\n# h";
        let mut report = samples::two_files();
        report.findings[0].place.path = evil.into();
        report.findings[0].message = evil.to_owned();
        report.findings[0].help = Some(evil.into());
        report.errors.push(evil.to_owned());
        let text = written(&report);
        for mark in ["|`", "<img", "*b", "](", "@o", "https:", "www.", "\n# h"] {
            assert!(!text.contains(mark), "{mark}: {text}");
        }
        assert!(
            text.lines().filter(|line| line.starts_with('|')).all(|l| l.matches('|').count() == 5)
        );
    }

    #[test]
    fn commands_are_code() {
        assert_eq!(
            with_code("run `sops edit a_b.yaml` now: <b>"),
            "run <code>sops edit a&#95;b.yaml</code> now: &#60;b&#62;"
        );
        assert_eq!(with_code("a ` b"), "a &#96; b");
    }

    #[test]
    fn what_github_would_refuse_is_cut_and_said() {
        let one = samples::two_files().findings.swap_remove(0);
        let report = Report::new(vec![one; 10_000], Vec::new(), Summary::default());
        let text = written(&report);
        assert!(text.len() <= MAX_BYTES + 200);
        let rows = text.lines().filter(|line| line.starts_with("| error")).count();
        let rest = 10_000 - rows;
        assert!(text.contains(&format!("**Left out of the table: {rest} findings.**")), "{rows}");
    }
}
