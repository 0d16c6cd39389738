//! The findings that are reported, and their levels. The command line overrides the settings file.

use std::collections::BTreeMap;

use super::file::{Ignore, SettingsFile};
use crate::cli;
use crate::finding::{Finding, Level, RuleId, RuleMeta};
use crate::report::Suppressed;

/// The selection of the command line. Applied to all findings together, never in a rule.
#[derive(Debug, Default)]
pub struct Selection {
    only: Vec<RuleId>,
    skip: Vec<RuleId>,
    levels: BTreeMap<RuleId, Level>,
}

/// Findings after levels and ignores were applied.
#[derive(Debug)]
pub struct Selected<'f> {
    /// The findings to report.
    pub findings: Vec<Finding>,
    /// The findings that the settings ignore.
    pub ignored: Vec<Suppressed>,
    /// Ignores without a finding.
    pub unused: Vec<&'f Ignore>,
}

impl Selection {
    /// Returns the selection of the command line.
    pub(super) fn new(options: cli::SelectionOptions) -> Self {
        let ids = |rules: Vec<&RuleMeta>| rules.iter().map(|meta| meta.id).collect();
        let levels = options.levels.into_iter();
        Self {
            only: ids(options.only),
            skip: ids(options.skip),
            levels: levels.map(|(meta, level)| (meta.id, level)).collect(),
        }
    }

    /// Reports whether all rules are selected.
    pub fn is_whole(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }

    /// Returns the finding at its level; `None` if its rule is not selected.
    pub fn admit(&self, mut finding: Finding, file: &SettingsFile) -> Option<Finding> {
        let id = finding.rule.id;
        let level = self.levels.get(&id).copied().or_else(|| file.level(id, &finding.place.path));
        finding.own_level = finding.level;
        finding.level = level.unwrap_or(finding.level);
        self.wants(&finding).then_some(finding)
    }

    /// Applies levels and ignores to the findings of a run.
    pub fn apply<'f>(&self, findings: Vec<Finding>, file: &'f SettingsFile) -> Selected<'f> {
        let mut is_used = vec![false; file.ignores.len()];
        let mut selected =
            Selected { findings: Vec::new(), ignored: Vec::new(), unused: Vec::new() };
        for finding in findings {
            let mut ignored_by = None;
            for (ignore, is_used) in file.ignores.iter().zip(&mut is_used) {
                if ignore.rules.contains(&finding.rule.id)
                    && ignore.paths.covers(finding.place.path.as_str())
                {
                    *is_used = true;
                    let is_valid = file.expiry(ignore).is_none();
                    ignored_by = ignored_by.or(Some(ignore).filter(|_| is_valid));
                }
            }
            match ignored_by {
                Some(ignore) if self.wants(&finding) => {
                    selected.ignored.push(Suppressed::of(&finding, &*ignore.reason));
                }
                Some(_) => {}
                None => selected.findings.extend(self.admit(finding, file)),
            }
        }
        let unused = file.ignores.iter().zip(is_used);
        let unused = unused.filter(|(ignore, is_used)| !is_used && file.expiry(ignore).is_none());
        selected.unused = unused.map(|(ignore, _)| ignore).collect();
        selected
    }

    /// Returns the level at which a finding is reported; `None` if it is not.
    pub fn level(&self, finding: &Finding, file: &SettingsFile) -> Option<Level> {
        let path = finding.place.path.as_str();
        if file.exclude.covers(path) {
            return None;
        }
        let selected = self.apply(vec![finding.clone()], file);
        selected.findings.first().map(|finding| finding.level)
    }

    fn wants(&self, finding: &Finding) -> bool {
        let is = |id: &RuleId| *id == finding.rule.id;
        (self.only.is_empty() || self.only.iter().any(is)) && !self.skip.iter().any(is)
    }
}
