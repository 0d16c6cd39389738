//! A baseline: findings that are known and suppressed.
//!
//! An entry names a rule, a file, a document and a key path. It contains no value and no hash of one, so it
//! says where a known finding is, not what it is about. A finding about several values has an entry for
//! each, and is suppressed only if all of them are known. Entries are sorted and have no line numbers, so
//! that people can read the changes of a baseline.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::document::{Format, Node, Scalar, Value, yaml};
use crate::finding::{Finding, Level};
use crate::path::RepoPath;
use crate::report::{Report, Suppressed};
use crate::rules::SETTINGS_RULES;
use crate::text::words::agree;

/// The default file name of a baseline, at the root of the tree.
pub const BASELINE_NAME: &str = ".sops-lint-baseline.yaml";

/// The version of the file format.
const VERSION: u32 = 2;

/// The findings of an earlier run.
#[derive(Debug, Default)]
pub struct Baseline {
    entries: Entries,
    /// The entries before the change that is judged, if it changes the baseline.
    earlier: Option<Entries>,
}

/// The entries of a baseline, by place. The same place can occur several times.
#[derive(Clone, Debug, Default)]
struct Entries {
    /// The levels of the entries of each place, in order.
    levels: HashMap<Place, Vec<Level>>,
    /// The number of values and findings that the entries of a rule in a file do not list.
    unlisted: HashMap<(String, String), usize>,
}

/// The place of a known finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    rule: String,
    path: String,
    document: usize,
    key_path: Option<String>,
}

#[derive(Serialize)]
struct File {
    version: u32,
    findings: Vec<Known>,
}

/// An entry in the file. Usual values are omitted.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Known {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<usize>,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unlisted: Option<usize>,
}

impl Baseline {
    /// Reads a baseline. The error is lower case, without a full stop.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let parsed = yaml::Yaml.parse(text);
        if let Some(error) = parsed.error {
            return Err(format!("it is not valid YAML: {error}"));
        }
        let root = parsed.documents.first().map(|document| &document.root);
        let root = root.filter(|root| root.is_map()).ok_or("it is not a map")?;
        let version = root.get("version").ok_or("it has no version")?;
        match number(version) {
            Some(1) => return Err("an earlier version of sops-lint wrote it".to_owned()),
            Some(version) if version == VERSION as usize => {}
            _ => return Err("a later version of sops-lint wrote it".to_owned()),
        }
        let findings = root.get("findings").filter(|node| node.is_list());
        let mut entries = Entries::default();
        for entry in findings.ok_or("it has no list of findings")?.elements() {
            entries.read(entry)?;
        }
        entries.levels.values_mut().for_each(|levels| levels.sort_unstable());
        Ok(Self { entries, earlier: None })
    }

    /// Writes findings as a baseline, without those about the settings, and the entries of an earlier one
    /// that `keeps` accepts by their path.
    pub fn write(
        findings: &[Finding],
        earlier: &Self,
        keeps: impl Fn(&RepoPath) -> bool,
    ) -> String {
        let mut all = earlier.entries.known(keeps);
        all.extend(findings.iter().filter(|one| is_recorded(one)).flat_map(known));
        all.sort_unstable();
        let file = File { version: VERSION, findings: all };
        let yaml = serde_yaml::to_string(&file).expect("texts and numbers can be written as YAML");
        format!(
            "# Known findings, which sops-lint suppresses. `sops-lint baseline` writes this file.\n{yaml}"
        )
    }

    /// Counts the findings that [`Baseline::write`] writes, by rule.
    pub fn counts(findings: &[Finding]) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for finding in findings.iter().filter(|one| is_recorded(one)) {
            *counts.entry(finding.rule.id.as_str()).or_default() += 1;
        }
        counts
    }

    /// Adds the baseline from before the change that is judged. An entry that the change adds also covers
    /// the new value at its place: the author of the entry knew the value.
    #[must_use]
    pub fn changed_from(self, earlier: Self) -> Self {
        Self { earlier: Some(earlier.entries), ..self }
    }

    /// Removes the known findings from a report. `is_whole`: the report covers the whole tree and all
    /// rules, so entries without a finding are obsolete. `renamed_from` returns the earlier path of a file
    /// that the judged change renames; the entries of that path apply to it.
    pub fn apply(
        &self,
        report: &mut Report,
        is_whole: bool,
        renamed_from: &dyn Fn(&RepoPath) -> Option<RepoPath>,
    ) {
        // Every commit of a history has the same known findings.
        let mut left: HashMap<Option<String>, Entries> = HashMap::new();
        let mut suppressed = Vec::new();
        report.findings.retain(|finding| {
            let commit = finding.origin.as_ref().map(|origin| origin.commit.clone());
            let left = left.entry(commit).or_insert_with(|| self.entries.clone());
            let own = &finding.place.path;
            let is_known = is_recorded(finding)
                && (self.knows(finding, own, left)
                    || renamed_from(own).is_some_and(|old| self.knows(finding, &old, left)));
            if is_known {
                suppressed.push(Suppressed::of(finding, "in the baseline"));
            }
            !is_known
        });
        for finding in report.findings.iter_mut().filter(|finding| is_recorded(finding)) {
            self.compare(finding, left.get_mut(&None));
        }
        report.summary.count(&report.findings);
        report.summary.in_baseline = suppressed.len();
        report.suppressed.append(&mut suppressed);
        if is_whole {
            let left = left.get(&None).unwrap_or(&self.entries);
            report.summary.gone_from_baseline = left.levels.values().map(Vec::len).sum();
        }
    }

    /// Says in a reported finding which of its values have entries. These are not gone: `left`.
    fn compare(&self, finding: &mut Finding, left: Option<&mut Entries>) {
        let places = places(finding, &finding.place.path);
        let known = places.iter().filter(|place| self.entries.levels.contains_key(place)).count();
        if let Some(left) = left {
            for place in &places {
                left.levels.remove(place);
            }
        }
        finding.message += &match known {
            0 => return,
            known if known < places.len() => {
                format!(
                    "; {known} of {} {} in the baseline",
                    places.len(),
                    agree(known, "is", "are")
                )
            }
            _ => "; in the baseline, but changed since".to_owned(),
        };
    }

    /// Counts the findings that have no entries.
    pub fn count_new(&self, findings: &[Finding]) -> usize {
        let mut left = self.entries.clone();
        let recorded = findings.iter().filter(|finding| is_recorded(finding));
        recorded.filter(|one| !self.knows(one, &one.place.path, &mut left)).count()
    }

    /// Reports whether all values of a finding are known at a path, and takes their entries.
    fn knows(&self, finding: &Finding, path: &RepoPath, left: &mut Entries) -> bool {
        let places = places(finding, path);
        let is_accepted = |place: &Place| {
            self.earlier.as_ref().is_some_and(|earlier| !earlier.levels.contains_key(place))
        };
        let mut new = finding.new_values.iter().filter_map(|at| places.get(*at));
        new.all(is_accepted) && left.take(&places, finding, path)
    }
}

impl Entries {
    /// Returns the entries of the files that `keeps` accepts.
    fn known(&self, keeps: impl Fn(&RepoPath) -> bool) -> Vec<Known> {
        let mut unlisted = self.unlisted.clone();
        let mut known = Vec::new();
        for (place, levels) in self.levels.iter().filter(|(place, _)| keeps(&(&*place.path).into()))
        {
            for level in levels {
                let kind = (place.rule.clone(), place.path.clone());
                let unlisted = unlisted.remove(&kind).unwrap_or_default();
                known.push(Known::new(place.clone(), *level, unlisted));
            }
        }
        known
    }

    fn read(&mut self, entry: &Node<'_>) -> Result<(), String> {
        let text = |key: &str| entry.get(key).and_then(Node::as_str).map(str::to_owned);
        let numbered = |key: &str| entry.get(key).map_or(Some(0), number);
        let level = match text("level").as_deref() {
            None => Some(Level::Error),
            Some(word) => Level::named(word),
        };
        let rule = text("rule").ok_or("an entry has no rule")?;
        let path = text("path").ok_or("an entry has no path")?;
        let document = numbered("document").ok_or("an entry has a document that is no number")?;
        let unlisted = numbered("unlisted").ok_or("an entry has a number that is none")?;
        let key_path = text("key_path");
        if key_path.is_none() && entry.get("key_path").is_some() {
            return Err("an entry has a key_path that is not text".to_owned());
        }
        *self.unlisted.entry((rule.clone(), path.clone())).or_default() += unlisted;
        let levels = self.levels.entry(Place { rule, path, document, key_path }).or_default();
        levels.push(level.ok_or("an entry has a level that does not exist")?);
        Ok(())
    }

    /// Takes an entry for each place, and returns true, if there are as many. An entry of a warning does
    /// not cover an error.
    fn take(&mut self, places: &[Place], finding: &Finding, path: &RepoPath) -> bool {
        let kind = (finding.rule.id.as_str().to_owned(), path.as_str().to_owned());
        let unlisted = self.unlisted.get(&kind).copied().unwrap_or_default();
        let mut wanted: HashMap<&Place, usize> = HashMap::new();
        for place in places {
            *wanted.entry(place).or_default() += 1;
        }
        let start =
            |levels: &Vec<Level>| levels.partition_point(|level| *level < finding.own_level);
        let has = |(place, number): (&&Place, &usize)| {
            self.levels.get(place).is_some_and(|levels| levels.len() - start(levels) >= *number)
        };
        if finding.unlisted > unlisted || !wanted.iter().all(has) {
            return false;
        }
        for (place, number) in wanted {
            if let Some(levels) = self.levels.get_mut(place) {
                let start = start(levels);
                levels.drain(start..start + number);
            }
        }
        if finding.unlisted > 0 {
            self.unlisted.insert(kind, unlisted - finding.unlisted);
        }
        true
    }
}

/// Returns the places of the values of a finding; one without a key path if it names none.
fn places(finding: &Finding, path: &RepoPath) -> Vec<Place> {
    let place = |key_path| Place {
        rule: finding.rule.id.as_str().to_owned(),
        path: path.as_str().to_owned(),
        document: finding.document,
        key_path,
    };
    if finding.key_paths.is_empty() {
        return vec![place(None)];
    }
    finding.key_paths.iter().cloned().map(Some).map(place).collect()
}

/// Returns the entries of a finding. The first counts what is not listed.
fn known(finding: &Finding) -> impl Iterator<Item = Known> {
    let places = places(finding, &finding.place.path).into_iter().enumerate();
    places.map(|(at, place)| {
        let unlisted = if at == 0 { finding.unlisted } else { 0 };
        Known::new(place, finding.own_level, unlisted)
    })
}

impl Known {
    fn new(Place { rule, path, document, key_path }: Place, level: Level, unlisted: usize) -> Self {
        Self {
            path,
            document: Some(document).filter(|document| *document > 0),
            rule,
            key_path,
            level: Some(level).filter(|level| *level < Level::Error),
            unlisted: Some(unlisted).filter(|number| *number > 0),
        }
    }
}

/// Reports whether a baseline may have a finding: mistakes in the settings are never suppressed.
fn is_recorded(finding: &Finding) -> bool {
    SETTINGS_RULES.iter().all(|meta| meta.id != finding.rule.id)
}

/// Returns a whole number.
fn number(node: &Node<'_>) -> Option<usize> {
    match node.value {
        Value::Scalar(Scalar::Int(number)) => usize::try_from(number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_baseline_is_refused_with_a_reason() {
        for text in [
            "",
            "[]",
            "a: [",
            "version: 1\nfindings: []\n",
            "version: 3\nfindings: []\n",
            "version: x\nfindings: []\n",
            "findings: []\n",
            "version: 2\n",
            "version: 2\nfindings: [{rule: x}]\n",
            "version: 2\nfindings: [{path: x}]\n",
            "version: 2\nfindings: [{rule: x, path: y, document: z}]\n",
            "version: 2\nfindings: [{rule: x, path: y, document: -1}]\n",
            "version: 2\nfindings: [{rule: x, path: y, level: z}]\n",
            "version: 2\nfindings: [{rule: x, path: y, key_path: 1}]\n",
        ] {
            assert!(Baseline::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Baseline::read(b"\xff").is_err());
    }

    #[test]
    fn equal_entries_are_counted() {
        let text = "version: 2\nfindings:\n- {rule: x, path: y}\n- {path: y, rule: x, document: 0}\n- {rule: x, path: '1', key_path: 'a.b'}\n";
        let baseline = Baseline::read(text.as_bytes()).unwrap();
        let mut counts: Vec<usize> = baseline.entries.levels.values().map(Vec::len).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2]);
    }
}
