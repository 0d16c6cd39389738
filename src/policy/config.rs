//! One `.sops.yaml`, read as sops reads it (`config/config.go`), with a span for everything.

use super::creation_rule::{self, CreationRule};
use super::merge;
use super::names::Names;
use super::problem::{Problem, ProblemKind};
use super::schema::{self, Meant, UnknownKey};
use super::shown::Shown;
use crate::document::{Document, Format, Node, Parsed, yaml};
use crate::input::Digest;
use crate::keys::KEY_SERVICES;
use crate::path::RepoPath;
use crate::pattern::Budget;
use crate::text::Span;

/// Most creation rules that are read of one config: every file is held against them in turn.
const MAX_RULES: usize = 10_000;

/// A `.sops.yaml` and what it says.
#[derive(Debug)]
pub struct Config {
    /// Its path.
    pub path: RepoPath,
    /// Its bytes, for the lines that findings show.
    pub bytes: Vec<u8>,
    /// The hash of its bytes: a result that depends on the config is valid for this content.
    pub digest: Digest,
    /// The parts of the file that may be shown.
    pub shown: Shown,
    /// The names of recipients.
    pub names: Names,
    /// The creation rules in their order.
    pub rules: Vec<CreationRule>,
    /// Faults that sops would refuse, or silently misread.
    pub problems: Vec<Problem>,
    /// Keys that sops does not know, in file order.
    pub unknown_keys: Vec<UnknownKey>,
    /// True if sops can load it.
    pub(super) is_usable: bool,
}

impl Config {
    /// Reads a config. One that cannot be read has problems and no rules.
    pub fn read(path: RepoPath, bytes: Vec<u8>) -> Self {
        let mut config = Self {
            path,
            digest: Digest::of(&bytes),
            bytes: Vec::new(),
            shown: Shown::default(),
            names: Names::default(),
            rules: Vec::new(),
            problems: Vec::new(),
            unknown_keys: Vec::new(),
            is_usable: true,
        };
        match std::str::from_utf8(&bytes) {
            Ok(text) => config.load(text, &yaml::Yaml.parse(text)),
            Err(error) => config.fail(Problem::new(
                Span::at(error.valid_up_to()),
                "this file is not valid UTF-8",
                "save it as UTF-8",
            )),
        }
        config.bytes = bytes;
        config
    }

    fn fail(&mut self, problem: Problem) {
        self.is_usable = false;
        self.problems.push(problem);
    }

    fn load(&mut self, text: &str, parsed: &Parsed<'_>) {
        // sops reads the first document alone.
        let first = parsed.documents.first();
        if let (Some(error), None) = (&parsed.error, first) {
            return self.fail(Problem::new(
                Span::at(error.offset),
                format!("this is not YAML that sops can read: {error}"),
                "correct the syntax; until then every sops command in this tree fails",
            ));
        }
        for key in parsed.duplicate_keys.iter().filter(|key| key.document == 0) {
            let help = "keep one of the two; sops refuses the whole file";
            self.fail(Problem::new(key.span, "this key occurs twice in one map", help));
        }
        let Some(Document { root, .. }) = first.filter(|document| !document.root.is_null()) else {
            let help = "write creation_rules: with at least one rule";
            return self.fail(Problem::new(Span::at(0), "the file is empty", help));
        };
        if !root.is_map() {
            return self.fail(Problem::new(
                Span::at(root.span.start),
                format!(
                    "the top level is {}, but sops expects a map with creation_rules",
                    root.noun()
                ),
                "add the line creation_rules: and indent the rules below it",
            ));
        }
        let root = &merge::merged(root.clone(), text);
        self.names = Names::of(text, root);
        self.shown = Shown::of(text, parsed, root, &self.names);
        if let Some(span) = merge::refused(root, text) {
            let help = "write one map or alias of a map behind it, or a list of them in brackets";
            return self.fail(Problem::new(span, "this merges something that is no map", help));
        }
        self.unknown_keys = schema::unknown_keys(root, text);
        self.load_rules(root, text);
    }

    /// Reports whether a rule has recipients under a key that sops does not know.
    pub fn misspells_recipients(&self, rule: &CreationRule) -> bool {
        let is_field = |name: &str| KEY_SERVICES.iter().any(|service| service.rule_field() == name);
        self.unknown_keys.iter().any(|unknown| {
            unknown.rule == Some(rule.number)
                && matches!(unknown.meant, Some(Meant::Key(name)) if is_field(name))
        })
    }

    fn load_rules(&mut self, root: &Node<'_>, text: &str) {
        let Some(entry) = root.entry("creation_rules").filter(|entry| !entry.node.is_null()) else {
            // `destination_rules` are for sops publish, `stores` for the layout of files.
            let serves_another_purpose =
                ["destination_rules", "stores"].iter().any(|key| root.entry(key).is_some());
            // A misspelt key is one mistake, and has one finding.
            let misspelt = Some(Meant::Key("creation_rules"));
            let at = self.unknown_keys.iter().position(|unknown| unknown.meant == misspelt);
            let misspelt = at.map(|at| self.unknown_keys.remove(at));
            if !serves_another_purpose || misspelt.is_some() {
                let first = root.entries().next().map_or(root.span, |entry| entry.key_span);
                let help = match &misspelt {
                    Some(_) => "rename this key to creation_rules; sops ignores it as it is",
                    None => "add creation_rules: with a path_regex and recipients",
                };
                self.fail(Problem::new(
                    misspelt.map_or(first, |unknown| unknown.span),
                    "there are no creation_rules, so sops has no recipients to encrypt to",
                    help,
                ));
            }
            return;
        };
        if !entry.node.is_list() {
            return self.fail(Problem::new(
                entry.key_span,
                format!("creation_rules is {}, but sops expects a list", entry.node.noun()),
                "begin every rule with a dash",
            ));
        }
        let mut budget = Budget::default();
        for (index, node) in entry.node.elements().enumerate() {
            if index == MAX_RULES {
                let help = "split the repository, or write fewer rules with wider patterns";
                let message = format!("there are more than {MAX_RULES} creation rules");
                return self.fail(Problem::new(node.span, message, help));
            }
            if node.is_map() {
                let rule =
                    creation_rule::read(index + 1, node, text, &mut self.problems, &mut budget);
                // A misspelt key is one mistake, and has one finding.
                if self.misspells_recipients(&rule) {
                    self.problems.pop_if(|problem| problem.kind == ProblemKind::Recipients);
                }
                self.rules.push(rule);
            } else {
                self.fail(Problem::new(
                    node.span,
                    format!("rule {} is {}, but sops expects a map", index + 1, node.noun()),
                    "write the rule's fields as key: value below its dash",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_point_into_the_file() {
        // The tag alone is an empty value behind the end; found by fuzzing.
        for text in ["!tag", "- a", "a", "", "creation_rules: !t", "creation_rules:\n  - !t"] {
            let config = Config::read(".sops.yaml".into(), text.as_bytes().to_vec());
            assert!(!config.problems.is_empty(), "{text}");
            assert!(config.problems.iter().all(|problem| problem.span.end <= text.len()), "{text}");
        }
    }
}
