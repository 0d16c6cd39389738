//! From the results of all files to a report: levels, ignores, numbers.

use crate::finding::{Needs, RuleId};
use crate::judge::{self, Skipped, Tally};
use crate::report::{self, Report, Summary};
use crate::rules::{self, needing_keys};
use crate::settings::Settings;
use crate::source::Source;

/// Writes the report. Levels and ignores are applied here, where findings come together.
pub(super) fn conclude(
    tally: Tally,
    files: usize,
    settings: &Settings<'_>,
    duration_ms: u64,
) -> Report {
    let Settings { options, file, .. } = settings;
    let counts = tally.counts();
    let mut selected = options.selection.apply(tally.findings, file);
    if !options.cover_the_tree() {
        // Files that were not looked at may need the ignores.
        selected.unused.clear();
    }
    // So may rules that did not run, because no change was judged or a file was not opened.
    let was_opened = tally.verified > 0 && tally.unverified.is_empty();
    let was_asked = |id: &RuleId| match rules::find(id.as_str()).map(|meta| meta.needs) {
        Some(Needs::Change) => false,
        Some(Needs::Keys) => was_opened,
        _ => true,
    };
    selected.unused.retain(|ignore| ignore.rules.iter().all(&was_asked));
    let misnamed = settings.misnamed.iter().cloned();
    let of_settings = file.findings(&selected.unused).into_iter().chain(misnamed);
    let admitted = of_settings.filter_map(|finding| options.selection.admit(finding, file));
    selected.findings.extend(admitted);
    let summary = Summary {
        files,
        secrets: counts.secrets,
        encrypted_files: counts.encrypted_files,
        verified: tally.verified,
        refused: tally.refused,
        unverified: tally.unverified.len(),
        ignored: selected.ignored.len(),
        duration_ms,
        ..Summary::default()
    };
    let whole = skipped(tally.skipped, false);
    let skipped = whole.chain(skipped(tally.unverified, true));
    let report = Report::new(selected.findings, skipped.collect(), summary);
    Report { suppressed: selected.ignored, ..report }
}

/// Suppresses the findings that the baseline has. `changed`: the state in which a change is judged, if one is.
pub(super) fn suppress(report: &mut Report, settings: &Settings<'_>, changed: Option<&Source>) {
    let Some(baseline) = &settings.baseline else { return };
    if let Some(source) = changed {
        judge::mark_new_values(&mut report.findings, source);
    }
    let is_whole = settings.options.are_whole() && report.summary.unverified == 0;
    baseline.apply(report, is_whole, &|path| changed?.renamed_from(path));
}

/// Turns files into entries of the report. `is_unverified`: only the rules that need keys skipped them.
fn skipped(files: Vec<Skipped>, is_unverified: bool) -> impl Iterator<Item = report::Skipped> {
    let rules = if is_unverified { needing_keys() } else { Vec::new() };
    files.into_iter().map(move |file| report::Skipped {
        path: file.path,
        rules: rules.clone(),
        reason: file.reason,
        is_unverified,
    })
}
