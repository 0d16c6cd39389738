//! The files that are left as they are, with the reasons: files with the same reason together.

use crate::commands::say::{advise, complain};
use crate::fix::Refusal;
use crate::shell::Reader;
use crate::text::words::{count, listing};

/// The maximum number of reasons.
const MAX_REASONS: usize = 10;

/// Says which files are left unchanged, why, and what the next step is. Only `is_verbose` names all of them.
pub(super) fn report(refusals: &[Refusal], is_verbose: bool, reader: &Reader) {
    if is_verbose {
        return refusals.iter().for_each(|refusal| report_one(refusal, reader));
    }
    let groups = by_reason(refusals);
    for group in groups.iter().take(MAX_REASONS) {
        match &group[..] {
            [] => {}
            [one] => report_one(one, reader),
            all => report_all(all, reader),
        }
    }
    if groups.len() > MAX_REASONS {
        let others = &groups[MAX_REASONS..];
        let files = count(others.iter().map(Vec::len).sum(), "more file");
        let reasons = count(others.len(), "more reason");
        complain(&format!("{files} were left unchanged, for {reasons} (-v lists them)"));
    }
}

/// Returns the refusals with the same reason together, in the order of the first of each.
fn by_reason(refusals: &[Refusal]) -> Vec<Vec<&Refusal>> {
    let mut groups: Vec<Vec<&Refusal>> = Vec::new();
    for refusal in refusals {
        match groups.iter_mut().find(|group| group[0].reason == refusal.reason) {
            Some(group) => group.push(refusal),
            None => groups.push(vec![refusal]),
        }
    }
    groups
}

fn report_one(refusal: &Refusal, reader: &Reader) {
    let Refusal { path, line, reason, detail, help } = refusal;
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    let detail = detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    let path = reader.shown(path);
    complain(&format!("{path}{line} was left as it is: {reason}{detail}"));
    advise(&help.text(reader));
}

fn report_all(refusals: &[&Refusal], reader: &Reader) {
    let files = count(refusals.len(), "file");
    let names = listing(refusals, |refusal| reader.shown(&refusal.path));
    let first = refusals[0];
    complain(&format!("{files} were left as they are ({names}): {}", first.reason));
    if refusals.iter().all(|one| one.help == first.help) {
        advise(&first.help.text(reader));
    } else {
        let help = first.help.text(reader);
        advise(&format!("{help} (-v says what to do about each of the others)"));
    }
}
