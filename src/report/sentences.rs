//! Sentences about a run that several reporters close with.

use super::content::{Report, Skipped};
use super::look::{Look, clean};
use super::summary::Summary;
use crate::finding::Level;
use crate::shell::Reader;
use crate::text::words::{agree, count};

/// Returns the number of findings of each level, of files, and the time it took.
pub(super) fn found(summary: &Summary, look: &Look) -> String {
    let levels = [
        (summary.errors, Level::Error),
        (summary.warnings, Level::Warning),
        (summary.infos, Level::Info),
    ];
    let counts: Vec<_> = levels
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, level)| look.paint(level.into(), &count(number, level.name())))
        .collect();
    let counts = match counts.as_slice() {
        [] => "No findings".to_owned(),
        [only] => format!("Found {only}"),
        [first @ .., last] => format!("Found {} and {last}", first.join(", ")),
    };
    let files = count(summary.files, "file");
    let secrets = count(summary.secrets, "Secret");
    let encrypted = count(summary.encrypted_files, "encrypted file");
    let time = duration(summary.duration_ms);
    format!("{counts} in {files} ({secrets}, {encrypted}) in {time}.")
}

fn duration(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
    }
}

/// Returns how many findings were suppressed: a report without findings must not look clean by mistake.
pub(super) fn suppressed(summary: &Summary) -> Vec<String> {
    let mut sentences = Vec::new();
    if summary.ignored > 0 {
        sentences.push(format!("Ignored by the settings: {}.", count(summary.ignored, "finding")));
    }
    if summary.in_baseline > 0 {
        let findings = count(summary.in_baseline, "finding");
        sentences.push(format!("Suppressed by the baseline: {findings}."));
    }
    if summary.gone_from_baseline > 0 {
        let findings = count(summary.gone_from_baseline, "finding");
        sentences.push(format!(
            "No longer found: {findings} of the baseline (run `sops-lint baseline` to rewrite it)."
        ));
    }
    sentences
}

/// Returns what was verified, and what was skipped. `has_details` says that the details follow, so the
/// hint on how to see them is left out.
pub(super) fn checked(report: &Report, has_details: bool) -> Vec<String> {
    let Summary { verified, refused, unverified, .. } = report.summary;
    let mut sentences = Vec::new();
    if refused > 0 {
        let files = count(verified + refused, "encrypted file");
        sentences
            .push(format!("Verified: {files}; {verified} passed, {refused} failed verification."));
    } else if verified > 0 {
        let files = count(verified, "encrypted file");
        let have = agree(verified, "it has", "all have");
        sentences.push(format!("Verified: {files}; {have} the right MAC."));
    }
    if unverified > 0 {
        let which = if has_details { "" } else { " (run with -v to see why)" };
        let files = count(unverified, "encrypted file");
        let them = agree(unverified, "it", "them");
        sentences.push(format!(
            "Not verified: {files}. Tampering with {them} would go unnoticed{which}."
        ));
    }
    let others: Vec<&Skipped> = report.skipped.iter().filter(|file| !file.is_unverified).collect();
    if !others.is_empty() {
        sentences.push(left_out(&others, has_details));
    }
    sentences
}

/// Returns how many files were skipped, and how many were judged only by some rules.
fn left_out(skipped: &[&Skipped], is_verbose: bool) -> String {
    let whole = skipped.iter().filter(|file| file.rules.is_empty()).count();
    let in_part = skipped.len() - whole;
    let (whole_files, part_files) = (count(whole, "file"), count(in_part, "file"));
    let numbers = match (whole, in_part) {
        (_, 0) => format!("Skipped: {whole_files}"),
        (0, _) => format!("Checked in part: {part_files}"),
        _ => format!("Skipped: {whole_files}; checked in part: {part_files}"),
    };
    if is_verbose {
        format!("{numbers}.")
    } else {
        format!("{numbers} (run with -v to see which).")
    }
}

/// Returns the path of a skipped file, why it was skipped, and by which rules.
pub(super) fn reason(file: &Skipped, reader: &Reader) -> String {
    let Skipped { path, rules, reason, .. } = file;
    let path = reader.shown(path);
    let reason = clean(reason);
    match rules.as_slice() {
        [] => format!("{path}: {reason}"),
        rules => format!("{path}: {reason} (not checked: {})", rules.join(", ")),
    }
}
