//! Findings with the same cause.

use std::collections::HashMap;

use crate::finding::{Finding, Label, Level};

/// Findings that one explanation and one help fit.
pub(super) struct Group<'f> {
    /// The one to show in full.
    pub(super) first: &'f Finding,
    /// The others, in the order of the report.
    pub(super) others: Vec<&'f Finding>,
}

/// What findings with the same cause have in common.
#[derive(PartialEq, Eq, Hash)]
struct Cause<'f> {
    rule: &'static str,
    level: Level,
    /// The names and lines of other files: the creation rule, for most findings. Each directory can have a
    /// config with the same rule.
    governing: Vec<(&'f str, &'f str)>,
    help: Option<String>,
}

/// A cause with up to this many findings is no group: each is shown in full.
const FEW: usize = 3;
/// The placeholder for the path of a finding in its message.
const FILE: &str = "FILE";

/// Returns the groups: errors first, then in the order of the report.
pub(super) fn groups<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<Group<'f>> {
    let mut groups: Vec<Group<'f>> = Vec::new();
    let mut places: HashMap<Cause<'f>, usize> = HashMap::new();
    for finding in findings {
        let place = *places.entry(Cause::of(finding)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.others.push(finding),
            None => groups.push(Group { first: finding, others: Vec::new() }),
        }
    }
    let mut groups: Vec<Group<'f>> = groups.into_iter().flat_map(Group::without_few).collect();
    groups.sort_by(|one, other| {
        let level = other.first.level.cmp(&one.first.level);
        level.then_with(|| one.first.order().cmp(&other.first.order()))
    });
    groups
}

impl<'f> Cause<'f> {
    fn of(finding: &'f Finding) -> Self {
        let path = &finding.place.path;
        let elsewhere = || finding.related.iter().filter(|label| label.place.path != *path);
        let governing = elsewhere().map(|label| (label.place.path.file_name(), &*label.place.line));
        let help = finding.help.as_ref().map(|help| {
            let replace = |help: String, label: &Label| {
                help.replace(label.place.path.as_str(), label.place.path.file_name())
            };
            elsewhere().fold(help.template(path), replace)
        });
        Self {
            rule: finding.rule.id.as_str(),
            level: finding.level,
            governing: governing.collect(),
            help,
        }
    }
}

impl Group<'_> {
    /// Returns the group, or one for each of a few findings.
    fn without_few(self) -> Vec<Self> {
        if self.others.len() >= FEW {
            return vec![self];
        }
        let all = std::iter::once(self.first).chain(self.others);
        all.map(|first| Group { first, others: Vec::new() }).collect()
    }

    /// Returns the words of a finding's message that the first message does not have.
    pub(super) fn difference(&self, finding: &Finding) -> Option<String> {
        let (own, first) = (about_a_file(finding), about_a_file(self.first));
        let (own, first): (Vec<&str>, Vec<&str>) =
            (own.split(' ').collect(), first.split(' ').collect());
        let is_same = |(one, other): &(&&str, &&str)| one == other;
        let before = own.iter().zip(&first).take_while(is_same).count();
        let (own, first) = (&own[before..], &first[before..]);
        let behind = own.iter().rev().zip(first.iter().rev()).take_while(is_same).count();
        let words = own[..own.len() - behind].join(" ");
        let words = words.trim_end_matches([':', ',']);
        let path = finding.place.path.to_string();
        Some(words)
            .filter(|words| !["", FILE].contains(words))
            .map(|words| words.replace(FILE, &path))
    }
}

/// Returns the message without the path of its file.
fn about_a_file(finding: &Finding) -> String {
    finding.message.replace(&finding.place.path.to_string(), FILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn found(path: &str, message: &str, help: &str) -> Finding {
        let place = samples::place(path, "a: b", "a");
        let mut finding = samples::finding(&samples::PLAINTEXT, place, message);
        finding.help = Some(help.into());
        finding
    }

    #[test]
    fn the_help_may_differ_in_the_path_only() {
        let alike = |path: &str| found(path, &format!("{path} is bad"), &format!("encrypt {path}"));
        let mut findings = ["a.yaml", "b.yaml", "d.yaml", "e.yaml"].map(alike).to_vec();
        findings.push(found("c.yaml", "c.yaml is bad", "rename c.yaml"));
        let grouped = groups(findings.iter());
        let sizes: Vec<usize> = grouped.iter().map(|group| group.others.len()).collect();
        assert_eq!(sizes, [3, 0]);
        assert_eq!(grouped[0].difference(&findings[1]), None);
        assert_eq!(groups(findings[..3].iter()).len(), 3, "a few are shown in full");
    }

    #[test]
    fn levels_and_creation_rules_are_different_causes() {
        let [mut rule, mut other_rule, mut warning] =
            ["a", "b", "c"].map(|path| found(path, "", ""));
        let config = "- path_regex: a\n- path_regex: a\n- age: b";
        rule.related = vec![samples::label(samples::place(".sops.yaml", config, "a"), "")];
        other_rule.related = vec![samples::label(samples::place(".sops.yaml", config, "age"), "")];
        warning.level = Level::Warning;
        let findings = [warning, rule, other_rule];
        let groups = groups(findings.iter());
        let paths: Vec<&str> = groups.iter().map(|group| group.first.place.path.as_str()).collect();
        assert_eq!(paths, ["a", "b", "c"], "errors first");
    }

    #[test]
    fn only_the_words_that_differ_are_repeated() {
        let first = found("a.yaml", "Secret one has 1 value (x)", "");
        let group = Group { first: &first, others: Vec::new() };
        for (message, difference) in [
            ("Secret one has 1 value (x)", None),
            ("Secret two has 1 value (x)", Some("two")),
            ("Secret one has 2 values (x, y)", Some("2 values (x, y)")),
            ("Secret one has", None),
            ("Secret two: has 1 value (x)", Some("two")),
            ("Secret b.yaml has 1 value (x)", None),
            ("Secret in b.yaml has 1 value (x)", Some("in b.yaml")),
            ("", None),
        ] {
            let other = found("b.yaml", message, "");
            assert_eq!(group.difference(&other).as_deref(), difference, "{message}");
        }
    }
}
