//! The closing lines of reports for people: what the run found, verified and skipped.

use std::fmt::{self, Write as _};

use super::content::Report;
use super::look::{Look, Tone, wrap};
use super::sentences;
use super::style::Style;
use crate::finding::Level;
use crate::text::words::{agree, count};

/// Indents the second and later lines of a sentence.
const INDENT: &str = "  ";

/// Returns the closing lines, for a report that has none.
pub fn closing(report: &Report, style: &Style) -> String {
    let mut text = String::new();
    write(report, style, &Look::new(style).for_reader(&report.reader), &mut text)
        .expect("a String takes all text");
    text
}

/// Writes the numbers of the run, the details that were asked for, and the next step.
pub(super) fn write(report: &Report, style: &Style, look: &Look, out: &mut String) -> fmt::Result {
    let Report { findings, skipped, summary, .. } = report;
    write_found(report, look, out)?;
    if summary.infos > 0 && !style.infos {
        let infos = count(summary.infos, "info");
        let them = agree(summary.infos, "it", "them");
        write_sentence(&format!("Not shown: {infos} (run with -v to see {them})."), look, out)?;
    }
    write_checked(report, style, look, out)?;
    if style.verbose {
        for file in skipped {
            write_item(&sentences::reason(file, &look.reader), look, out)?;
        }
    }
    if let Some(error) = findings.iter().find(|finding| finding.level == Level::Error) {
        let command = look.paint(Tone::Strong, &format!("`sops-lint explain {}`", error.rule.id));
        let is_only = findings.iter().all(|finding| finding.rule.id == error.rule.id);
        let rule = if is_only { "the" } else { "a" };
        let hint = format!("Run {command} to see what {rule} rule finds and how to fix it.");
        write_sentence(&hint, look, out)?;
    }
    Ok(())
}

/// Writes the numbers of the run.
pub(super) fn write_numbers(
    report: &Report,
    style: &Style,
    look: &Look,
    out: &mut String,
) -> fmt::Result {
    write_found(report, look, out)?;
    write_checked(report, style, look, out)
}

fn write_found(report: &Report, look: &Look, out: &mut String) -> fmt::Result {
    let is_idle = report.summary.files == 0 && report.findings.is_empty();
    let found = if is_idle {
        "No files were found.".into()
    } else {
        sentences::found(&report.summary, look)
    };
    write_sentence(&found, look, out)
}

fn write_checked(report: &Report, style: &Style, look: &Look, out: &mut String) -> fmt::Result {
    let suppressed = sentences::suppressed(&report.summary);
    for sentence in suppressed.into_iter().chain(sentences::checked(report, style.verbose)) {
        write_sentence(&sentence, look, out)?;
    }
    Ok(())
}

fn write_sentence(text: &str, look: &Look, out: &mut String) -> fmt::Result {
    writeln!(out, "{}", wrap(text, look.width - INDENT.len(), 0).join("\n  "))
}

/// Writes an item of the list below a sentence.
fn write_item(text: &str, look: &Look, out: &mut String) -> fmt::Result {
    let lines = wrap(text, look.width - 2 * INDENT.len(), 0);
    writeln!(out, "{INDENT}{}", lines.join("\n    "))
}
