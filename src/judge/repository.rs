//! Judges the files of a repository together.

use std::collections::BTreeMap;

use super::settle::finding;
use crate::finding::{Drafts, Finding};
use crate::path::RepoPath;
use crate::redact::Redactor;
use crate::rules::{REPO_RULES, Repository};
use crate::text::LineIndex;

/// Judges the facts of all files. `read` returns the bytes of a file that a finding points at.
pub fn repository(
    repository: Repository<'_>,
    mut read: impl FnMut(&RepoPath) -> Vec<u8>,
) -> Vec<Finding> {
    let mut drafts: BTreeMap<&RepoPath, Drafts<'_>> = BTreeMap::new();
    for rule in REPO_RULES {
        for (path, draft) in rule.check(&repository) {
            drafts.entry(path).or_default().push(draft);
        }
    }
    let mut findings = Vec::new();
    for (path, drafts) in drafts {
        let drafts = drafts.into_all().into_iter();
        if let Some(config) = repository.policy.config(path) {
            let index = LineIndex::new(&config.bytes);
            let redactor = Redactor::for_policy(&config.bytes, &config.shown);
            findings.extend(drafts.map(|draft| finding(path, &index, &redactor, draft)));
            continue;
        }
        let bytes = read(path);
        let (index, redactor) = (LineIndex::new(&bytes), Redactor::new(&bytes, &[]));
        for draft in drafts {
            let mut found = finding(path, &index, &redactor, draft);
            // These findings are about whole files, so a masked line would tell nothing.
            found.place.line.clear();
            findings.push(found);
        }
    }
    findings
}
