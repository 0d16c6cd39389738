//! Private keys that open files of the tree. Only all files together show which ones do.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::tally::Tally;
use crate::finding::{Finding, Level, MAX_FINDINGS, left_out};
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::rules::raise_private_key;

/// Raises the findings about private keys that belong to a recipient of a creation rule or of an
/// encrypted file, and drops the others if another rule reports the key.
pub fn openers(tally: &mut Tally, policies: &[&Policy]) {
    let is_key = |finding: &Finding| finding.opener.is_some();
    let (keys, others): (Vec<Finding>, Vec<Finding>) =
        std::mem::take(&mut tally.findings).into_iter().partition(is_key);
    tally.findings = others;
    if keys.is_empty() {
        return;
    }
    let places = places(&tally.recipients, policies);
    // The finding about a generator that makes a Secret of the key is enough.
    let sources: HashSet<RepoPath> =
        tally.findings.iter().filter_map(|finding| finding.about.clone()).collect();
    let settled = keys.into_iter().filter_map(|mut finding| {
        let opener = finding.opener.take()?;
        let is_source = finding.level < Level::Error && sources.contains(&finding.place.path);
        match opener.recipients.iter().find_map(|recipient| places.get(&**recipient)) {
            Some(place) => raise_private_key(&mut finding, opener, place),
            None if opener.is_reported || is_source => return None,
            None => {}
        }
        Some(finding)
    });
    let settled = limited(settled);
    tally.findings.extend(settled);
}

/// Returns the recipients, each with a file that has it.
fn places<'t>(
    recipients: &'t BTreeMap<String, RepoPath>,
    policies: &[&'t Policy],
) -> HashMap<&'t str, &'t RepoPath> {
    let mut places: HashMap<&str, &RepoPath> = HashMap::new();
    for config in policies.iter().flat_map(|policy| policy.configs()) {
        for recipient in config.rules.iter().flat_map(|rule| rule.recipe.recipients()) {
            places.entry(bare(&recipient.identity.id)).or_insert(&config.path);
        }
    }
    for (recipient, path) in recipients {
        places.entry(bare(recipient)).or_insert(path);
    }
    places
}

/// Drops the mark of an OpenPGP subkey.
fn bare(id: &str) -> &str {
    id.trim_end_matches('!')
}

/// Keeps the first findings of each level in each version of a file.
fn limited(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut counts: HashMap<(RepoPath, Option<String>, Level), (usize, usize)> = HashMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let commit = finding.origin.as_ref().map(|origin| origin.commit.clone());
        let kind = (finding.place.path.clone(), commit, finding.level);
        let (count, last) = counts.entry(kind).or_default();
        *count += 1;
        if *count <= MAX_FINDINGS {
            *last = kept.len();
            kept.push(finding);
        }
    }
    for (count, last) in counts.into_values().filter(|(count, _)| *count > MAX_FINDINGS) {
        kept[last].message += &left_out(count - MAX_FINDINGS);
        kept[last].unlisted += count - MAX_FINDINGS;
    }
    kept
}
