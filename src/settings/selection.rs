//! Which findings are reported, and at what level. The command line beats the settings file.

use std::collections::BTreeMap;

use super::file::{Ignore, SettingsFile};
use crate::finding::{Finding, Level};

/// What the command line says about findings: applied where they come together, never in a rule.
#[derive(Debug, Default)]
pub struct Selection {
    pub(super) only: Vec<String>,
    pub(super) skip: Vec<String>,
    pub(super) levels: BTreeMap<String, Level>,
}

/// Findings after levels and ignores were applied.
#[derive(Debug)]
pub struct Selected<'f> {
    /// Those to report.
    pub findings: Vec<Finding>,
    /// How many the settings ignore.
    pub ignored: usize,
    /// Ignores that none of the findings needed.
    pub unused: Vec<&'f Ignore>,
}

impl Selection {
    /// Whether all rules are reported.
    pub fn is_whole(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }

    /// The finding at its level, or nothing if it is not wanted.
    pub fn admit(&self, mut finding: Finding, file: &SettingsFile) -> Option<Finding> {
        let id = finding.rule.id;
        let level = self.levels.get(id.as_str()).or_else(|| file.levels.get(id.as_str()));
        finding.level = level.copied().unwrap_or(finding.level);
        self.wants(&finding).then_some(finding)
    }

    /// Applies levels and ignores to the findings of a run.
    pub fn apply<'f>(&self, findings: Vec<Finding>, file: &'f SettingsFile) -> Selected<'f> {
        let mut is_used = vec![false; file.ignores.len()];
        let mut selected = Selected { findings: Vec::new(), ignored: 0, unused: Vec::new() };
        for finding in findings {
            let mut is_ignored = false;
            for (ignore, is_used) in file.ignores.iter().zip(&mut is_used) {
                if ignore.rules.contains(&finding.rule.id)
                    && ignore.paths.covers(finding.place.path.as_str())
                {
                    (is_ignored, *is_used) = (true, true);
                }
            }
            if is_ignored {
                selected.ignored += usize::from(self.wants(&finding));
            } else {
                selected.findings.extend(self.admit(finding, file));
            }
        }
        let unused = file.ignores.iter().zip(is_used).filter(|(_, is_used)| !is_used);
        selected.unused = unused.map(|(ignore, _)| ignore).collect();
        selected
    }

    fn wants(&self, finding: &Finding) -> bool {
        let is = |id: &String| id == finding.rule.id.as_str();
        (self.only.is_empty() || self.only.iter().any(is)) && !self.skip.iter().any(is)
    }
}
