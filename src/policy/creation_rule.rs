//! One creation rule: a pattern for paths, and the recipe for the files that match it.

use super::problem::{Problem, ProblemKind};
use crate::document::{Entry, Node, Scalar, Value};
use crate::keys::{InvalidRecipient, KEY_SERVICES, KeyService, Recipient, Sameness, split_flat};
use crate::pattern::{Budget, Pattern, PatternError};
use crate::sops::recipe::{Invalid, KeyGroup, Lookup, Recipe, Threshold};
use crate::sops::selector::{FIELDS, Selector};
use crate::text::Span;

/// One item of `creation_rules`.
#[derive(Debug)]
pub struct CreationRule {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The place to point at: its `path_regex`, or else its first key.
    pub span: Span,
    /// The pattern for paths; `None` matches every file.
    path_regex: Option<Result<Pattern, PatternError>>,
    /// The recipients, and how to encrypt.
    pub recipe: Recipe,
    /// The key `key_groups`, where there are groups.
    pub key_groups: Option<Span>,
    /// Recipients in the fields of the rule itself that sops ignores because there are groups.
    pub ignored: KeyGroup,
}

impl CreationRule {
    /// Reports whether the rule matches a path relative to its config; `None` if its regex is
    /// broken.
    pub fn matches(&self, relative: &str) -> Option<bool> {
        match &self.path_regex {
            None => Some(true),
            Some(Ok(pattern)) => Some(pattern.is_match(relative)),
            Some(Err(_)) => None,
        }
    }

    /// Reports whether it names no recipient, so that sops takes those of its command line.
    pub fn lacks_recipients(&self) -> bool {
        self.recipe.key_groups.iter().all(KeyGroup::is_empty)
    }

    /// Returns the text of its `path_regex`.
    pub fn path_regex(&self) -> Option<&str> {
        self.path_regex.as_ref().and_then(|regex| regex.as_ref().ok()).map(Pattern::as_str)
    }

    /// Reports whether it matches unrelated files next to a file too, so that a match says nothing
    /// about the file itself. `directory` is the file's, relative to the config.
    pub fn is_catch_all_in(&self, directory: &str) -> bool {
        const PLAIN_NAMES: [&str; 4] =
            ["kustomization.yaml", "deployment.yaml", "README.md", "values.json"];
        PLAIN_NAMES.iter().any(|name| {
            let beside = if directory.is_empty() {
                (*name).to_owned()
            } else {
                format!("{directory}/{name}")
            };
            self.matches(&beside) == Some(true)
        })
    }

    /// Reports whether it matches a file of this name for the beginning or the end of its name alone, in any
    /// directory. Such rules often divide files by environment: `-prod\.yaml$`. A word between dots,
    /// `\.private\.yaml$`, is a mark that people give on purpose.
    pub fn matches_part_of(&self, name: &str) -> bool {
        const OTHER: &str = "q9x4z";
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let (mut all_but_first, mut all_but_last) = (stem.chars(), stem.chars());
        all_but_first.next();
        all_but_last.next_back();
        let end = stem.rsplit_once('.').map_or(all_but_first.as_str(), |(_, word)| word);
        let beginning = stem.split_once('.').map_or(all_but_last.as_str(), |(word, _)| word);
        let others = [
            format!("{OTHER}/{OTHER}{end}.{ending}"),
            format!("{OTHER}/{beginning}{OTHER}.{ending}"),
        ];
        others.iter().any(|other| self.matches(other) == Some(true))
    }
}

/// Reads one rule; what is wrong with it goes to `problems`. `source` is the whole file, and all
/// its rules share one `budget`.
pub(super) fn read(
    number: usize,
    node: &Node<'_>,
    source: &str,
    problems: &mut Vec<Problem>,
    budget: &mut Budget,
) -> CreationRule {
    let mut reader = Reader { number, node, source, problems, budget };
    let first_key = node.entries().next().map_or(node.span, |entry| entry.key_span);
    let (path_regex, span) =
        reader.path_regex().map_or((None, first_key), |(regex, span)| (Some(regex), span));
    let problems_before = reader.problems.len();
    let key_groups = reader.key_groups();
    let are_keys_readable = reader.problems.len() == problems_before;
    let threshold = reader.threshold(key_groups.len());
    let selector = reader.selector();
    let mac_only_encrypted = reader.mac_only_encrypted();
    // One without recipients can still tell which keys to encrypt: `missing-recipients` speaks of it.
    let is_for_selector = selector.span.is_some() && node.entry("key_groups").is_none();
    let lacks_some = key_groups.iter().any(KeyGroup::is_empty) && !is_for_selector;
    if are_keys_readable && lacks_some {
        let message = if key_groups.len() == 1 {
            format!("rule {number} has no recipient")
        } else {
            format!("rule {number} has a key group without any recipient")
        };
        let fields: Vec<&str> = KEY_SERVICES.iter().map(|service| service.rule_field()).collect();
        let (last, others) = fields.split_last().expect("there are key services");
        let help = format!("name at least one recipient: {} or {last}", others.join(", "));
        let problem = Problem::new(span, message, help).in_rule(number);
        reader.problems.push(Problem { kind: ProblemKind::Recipients, ..problem });
    }
    let recipe = Recipe { key_groups, threshold, selector, mac_only_encrypted };
    let groups = node.entry("key_groups").filter(|entry| groups_of(&entry.node).next().is_some());
    let key_groups = groups.map(|entry| entry.key_span);
    let ignored =
        if groups.is_some() { ignored_group(number, node, source) } else { KeyGroup::default() };
    CreationRule { number, span, path_regex, recipe, key_groups, ignored }
}

/// Returns its key groups. Go drops a null from a list of structs.
fn groups_of<'n, 't>(node: &'n Node<'t>) -> impl Iterator<Item = &'n Node<'t>> {
    node.elements().filter(|group| !group.is_null())
}

/// Returns the flat fields of a rule that has groups. What is wrong with them does not matter to
/// sops.
fn ignored_group(number: usize, node: &Node<'_>, source: &str) -> KeyGroup {
    let (problems, budget) = (&mut Vec::new(), &mut Budget::default());
    Reader { number, node, source, problems, budget }.flat_group()
}

struct Reader<'r, 't> {
    number: usize,
    node: &'r Node<'t>,
    source: &'r str,
    problems: &'r mut Vec<Problem>,
    budget: &'r mut Budget,
}

impl<'r, 't> Reader<'r, 't> {
    fn problem(&mut self, span: Span, message: String, help: &str) {
        self.problems.push(Problem::new(span, message, help));
    }

    /// Returns a field that is there and not null.
    fn field(&self, name: &str) -> Option<&'r Entry<'t>> {
        self.node.entry(name).filter(|entry| !entry.node.is_null())
    }

    /// Returns a field whose text is not empty. Go unmarshals numbers and booleans into text as
    /// written.
    fn text(&mut self, name: &str) -> Option<(&'r str, Span)> {
        let entry = self.field(name)?;
        if let Some(text) = entry.node.as_str() {
            return (!text.is_empty()).then_some((text, entry.node.span));
        }
        let span = entry.node.span;
        if matches!(
            entry.node.value,
            Value::Scalar(Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_))
        ) {
            return self.source.get(span.start..span.end).map(|text| (text, span));
        }
        let message = format!("{name} of rule {} is {}, not text", self.number, entry.node.noun());
        self.problem(entry.node.span, message, "write it as text in single quotes");
        None
    }

    fn path_regex(&mut self) -> Option<(Result<Pattern, PatternError>, Span)> {
        let (text, span) = self.text("path_regex")?;
        let pattern = Pattern::within(text, self.budget);
        if let Err(error) = &pattern {
            let message = format!(
                "sops cannot compile path_regex of rule {}: {}",
                self.number,
                error.reason()
            );
            let help = "correct it; sops uses Go's regular expressions, not globs";
            self.regex_problem(span, message, help);
        }
        Some((pattern, span))
    }

    fn regex_problem(&mut self, span: Span, message: String, help: &str) {
        let kind = ProblemKind::Regex;
        self.problems
            .push(Problem { kind, ..Problem::new(span, message, help).in_rule(self.number) });
    }

    fn selector(&mut self) -> Selector {
        let mut found: Vec<Selector> = Vec::new();
        for field in FIELDS {
            if let Some((text, span)) = self.text(field.name()) {
                found.push(Selector::within(field, text, span, self.budget));
            }
        }
        if let [first, second, ..] = &found[..] {
            let message = format!(
                "rule {} sets both {} and {}; sops takes one selector only",
                self.number,
                first.field.name(),
                second.field.name()
            );
            let span = second.span.unwrap_or(self.node.span);
            let help = "keep the selector you want";
            self.problems.push(Problem::new(span, message, help).in_rule(self.number));
        }
        for selector in &found {
            if let (Some(error), Some(span)) = (selector.error(), selector.span) {
                let effect = if selector.field.name().starts_with("encrypted") {
                    "sops ignores it without a word and leaves every value in PLAINTEXT"
                } else {
                    "sops ignores it without a word and encrypts everything"
                };
                let name = selector.field.name();
                let message = format!(
                    "sops cannot compile {name} of rule {}: {}; {effect}",
                    self.number,
                    error.reason()
                );
                self.regex_problem(span, message, "correct it, then check the files made with it");
            }
        }
        found.into_iter().next().unwrap_or_default()
    }

    /// YAML 1.1 words count here, since Go unmarshals into a boolean.
    fn mac_only_encrypted(&mut self) -> bool {
        let Some(entry) = self.field("mac_only_encrypted") else { return false };
        match &entry.node.value {
            Value::Scalar(Scalar::Bool(is_set)) => *is_set,
            Value::Scalar(Scalar::Str(text)) => {
                matches!(&**text, "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON")
            }
            _ => {
                let message =
                    format!("mac_only_encrypted of rule {} is not true or false", self.number);
                self.problem(entry.node.span, message, "write true or false");
                false
            }
        }
    }

    fn threshold(&mut self, groups: usize) -> Option<Threshold> {
        let entry = self.field("shamir_threshold")?;
        let span = entry.node.span;
        let Value::Scalar(Scalar::Int(number)) = &entry.node.value else {
            let message = format!("shamir_threshold of rule {} is not a number", self.number);
            self.problem(span, message, "write how many key groups are needed to decrypt");
            return None;
        };
        let threshold = usize::try_from(*number).unwrap_or(0);
        // With one group nothing is split, and sops does not look at the number.
        if groups > 1 && *number != 0 && (threshold < 2 || threshold > groups) {
            let message = format!(
                "shamir_threshold of rule {} is {number}, but it must be from 2 to its {groups} key groups",
                self.number
            );
            self.problem(span, message, "correct the number; sops refuses the rule");
        }
        Some(Threshold { groups: threshold, span })
    }

    /// Reads `key_groups`, or one group of the flat fields, which sops ignores where there are groups.
    fn key_groups(&mut self) -> Vec<KeyGroup> {
        let Some(entry) = self.field("key_groups") else { return vec![self.flat_group()] };
        if !entry.node.is_list() {
            let message =
                format!("key_groups of rule {} is {}, not a list", self.number, entry.node.noun());
            self.problem(entry.key_span, message, "begin every group with a dash");
            return Vec::new();
        }
        let groups: Vec<KeyGroup> = groups_of(&entry.node).map(|group| self.group(group)).collect();
        if groups.is_empty() { vec![self.flat_group()] } else { groups }
    }

    fn flat_group(&mut self) -> KeyGroup {
        let mut group = KeyGroup::default();
        for service in KEY_SERVICES {
            let Some(entry) = self.field(service.rule_field()) else { continue };
            if let Some(text) = entry.node.as_str() {
                add_flat(*service, (text, entry.node.span), self.source, &mut group);
            } else if entry.node.is_list() {
                for item in entry.node.elements() {
                    match item.as_str() {
                        Some(text) => {
                            add_flat(*service, (text, item.span), self.source, &mut group);
                        }
                        None => group.add(*service, item.span, service.parse_group_item(item)),
                    }
                }
            } else {
                let message = format!(
                    "{} of rule {} is {}, but sops expects text or a list of texts",
                    service.rule_field(),
                    self.number,
                    entry.node.noun()
                );
                self.problem(entry.node.span, message, "put it in quotes");
            }
        }
        group
    }

    /// Reads one item of `key_groups`: its merged groups first, then its own lists, each key once.
    fn group(&mut self, node: &Node<'_>) -> KeyGroup {
        let mut group = KeyGroup::default();
        for merged in node.get("merge").into_iter().flat_map(Node::elements) {
            let merged = self.group(merged);
            group.recipients.extend(merged.recipients);
            group.invalid.extend(merged.invalid);
        }
        for service in KEY_SERVICES {
            let Some(entry) =
                node.entry(service.group_field()).filter(|entry| !entry.node.is_null())
            else {
                continue;
            };
            if !entry.node.is_list() {
                let message = format!(
                    "{} in a key group of rule {} is {}, but sops expects a list",
                    service.group_field(),
                    self.number,
                    entry.node.noun()
                );
                self.problem(entry.node.span, message, "begin every recipient with a dash");
                continue;
            }
            for item in entry.node.elements() {
                match item.as_str() {
                    Some(text) if service.splits_group_items() => {
                        add_flat(*service, (text, item.span), self.source, &mut group);
                    }
                    _ => group.add(*service, item.span, service.parse_group_item(item)),
                }
            }
        }
        group.keep_first_of_each();
        group
    }
}

impl KeyGroup {
    fn add(
        &mut self,
        service: &'static dyn KeyService,
        span: Span,
        parsed: Result<crate::keys::Identity, InvalidRecipient>,
    ) {
        match parsed {
            Ok(identity) => self.recipients.push(Recipient { service, identity, span }),
            Err(error) => self.invalid.push(Invalid { service, span, error }),
        }
    }

    fn keep_first_of_each(&mut self) {
        let mut kept = Lookup::default();
        for recipient in &self.recipients {
            if kept.find(recipient) != Sameness::Same {
                kept.add(recipient);
            }
        }
        self.recipients = kept.into_iter().cloned().collect();
    }
}

/// Cuts a text at its commas. `source`: the whole file. A piece of a folded or quoted text has the place
/// where it is written; if escapes hide it there, that of the whole text.
fn add_flat(
    service: &'static dyn KeyService,
    (text, span): (&str, Span),
    source: &str,
    group: &mut KeyGroup,
) {
    let written = source.get(span.start..span.end).unwrap_or_default();
    let mut from = 0;
    for (_, piece) in split_flat(text) {
        let found = written[from..].find(piece).map(|at| from + at);
        let place =
            found.map_or(span, |at| Span::new(span.start + at, span.start + at + piece.len()));
        from = found.map_or(from, |at| at + piece.len());
        group.add(service, place, service.parse(piece));
    }
}
