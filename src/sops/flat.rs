//! Metadata folded into lines (`stores/flatten.go`): dotenv and INI have no maps and lists.
//!
//! A step into a map is written `__map_KEY`, one into a list `__list_N`:
//! `age__list_0__map_recipient`. Unfolding restores the tree that YAML has, with the spans of the
//! folded values, so [`super::metadata`] checks both alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::problem::Problem;
use super::selector::FIELDS;
use super::walk::{METADATA_KEY, METADATA_PREFIX, metadata_key};
use crate::document::splice::Block;
use crate::document::{Element, Entry, Member, Node, Scalar, Value};
use crate::keys::KEY_SERVICES;
use crate::text::Span;

pub(super) const MAP_STEP: &str = "__map_";
const LIST_STEP: &str = "__list_";
/// Maximum steps of a key. Those of sops have five: `key_groups`, a group, a list, a stanza, a field.
const MAX_STEPS: usize = 16;

/// Maximum problems that are reported.
const MAX_PROBLEMS: usize = 20;
/// The fault of lines that git or an editor converted. All other faults of these lines follow from it.
pub const CRLF: &str =
    "has lines that end in CRLF: to sops the carriage return is a part of the value";

/// The fault of lines that begin with a blank, a byte order mark or `export`, or have blanks around `=`. All
/// other faults of these lines follow from it.
pub const CHANGED_LINES: &str = "has lines that were changed: to sops, blanks, `export` and a byte order mark are parts of the keys and values";

/// Metadata as a tree.
#[derive(Debug)]
pub struct Unfolded<'t> {
    /// The key `sops`, or the key of the first line, with the tree.
    pub entry: Entry<'t>,
    /// Contradictions between the lines.
    pub problems: Vec<Problem>,
}

/// Unfolds the metadata in the section `sops` of an INI file, if there is one.
pub fn unfold_section<'t>(root: &'t Node<'_>) -> Option<Unfolded<'t>> {
    let sections: Vec<_> = root.entries().filter(|entry| entry.key == METADATA_KEY).collect();
    let first = sections.first()?;
    // The library of sops keeps the last of two values. The parser reports duplicates.
    let mut tree = Tree { keeps_last: true, ..Tree::default() };
    for entry in sections.iter().flat_map(|section| section.node.entries()) {
        tree.add(&entry.key, entry);
    }
    if let Some(second) = sections.get(1) {
        tree.problem(second.key_span, "is in two sections, and sops reads only one");
    }
    Some(tree.finish(first.key_span))
}

/// Unfolds the metadata in the lines of a dotenv file, if there is any. sops refuses duplicate lines; up to
/// 3.12, it takes the last.
pub fn unfold_lines<'t>(root: &'t Node<'_>) -> Option<Unfolded<'t>> {
    let mut tree = Tree::default();
    let mut first = None;
    let has_mark = |entry: &&Entry<'_>| entry.key.starts_with('\u{feff}');
    let mut changed = root.entries().find(has_mark).map(|entry| entry.key_span);
    for entry in root.entries() {
        if let Some(key) = metadata_key(&entry.key) {
            let is_first = first.replace(first.unwrap_or(entry.key_span)).is_none();
            if is_first && ends_in_cr(entry) {
                tree.problem(entry.key_span, CRLF);
            }
            let is_changed = entry.key.len() != METADATA_PREFIX.len() + key.len();
            changed = changed.or(is_changed.then_some(entry.key_span));
            tree.add(key, entry);
        }
    }
    if let Some(span) = changed {
        tree.problems.insert(0, Problem { span, reason: CHANGED_LINES.to_owned() });
    }
    first.map(|span| tree.finish(span))
}

/// Folds a tree into texts, sorted as in sops.
pub fn fold(block: &Block) -> Block {
    let mut lines = Vec::new();
    fold_into(&mut lines, "", "", block);
    lines.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Block::Map(lines)
}

fn fold_into(lines: &mut Vec<(String, Block)>, key: &str, step: &str, block: &Block) {
    let text = match block {
        Block::Text(text) => text.replace('\n', "\\n"),
        Block::Number(number) => number.to_string(),
        Block::Bool(bool) => bool.to_string(),
        Block::List(items) => {
            return items.iter().enumerate().for_each(|(number, item)| {
                fold_into(lines, &format!("{key}{LIST_STEP}{number}"), MAP_STEP, item);
            });
        }
        Block::Map(entries) => {
            return entries.iter().for_each(|(name, value)| {
                fold_into(lines, &format!("{key}{step}{name}"), MAP_STEP, value);
            });
        }
    };
    lines.push((key.to_owned(), Block::Text(text)));
}

/// Reports whether the value of a folded key is known to be public: neither MAC nor data key.
pub fn is_public(key: &str) -> bool {
    let mut steps = steps(key);
    let Some(Step::Key(field)) = steps.next() else { return false };
    let is_list = KEY_SERVICES.iter().any(|service| service.metadata_field() == field)
        || field == "key_groups";
    let is_plain = matches!(field, "lastmodified" | "version" | "shamir_threshold")
        || field == "mac_only_encrypted"
        || FIELDS.iter().any(|known| known.name() == field);
    match steps.last() {
        None => is_plain,
        Some(Step::Key(last)) => is_list && last != "enc",
        Some(Step::Index(_)) => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step<'k> {
    Key(&'k str),
    Index(usize),
}

impl<'k> Step<'k> {
    /// Reads an index as sops does: a text that is not a number is 0. A number that is too large is the
    /// largest one.
    fn index(text: &'k str) -> Self {
        let is_number = text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
        Self::Index(text.parse().unwrap_or(if is_number { usize::MAX } else { 0 }))
    }
}

/// Splits a folded key into its steps (`tokenize`).
fn steps(key: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = Some(key);
    let mut is_list = false;
    std::iter::from_fn(move || {
        let (step, next) = rest?.split_at(end_of_step(rest?));
        let found = if is_list { Step::index(step) } else { Step::Key(step) };
        is_list = next.starts_with(LIST_STEP);
        rest = next.strip_prefix(MAP_STEP).or_else(|| next.strip_prefix(LIST_STEP));
        Some(found)
    })
}

/// Returns the start of the next step. It does not look further, because a key can have as many steps as
/// its file has bytes.
fn end_of_step(key: &str) -> usize {
    let is_step =
        |at: &usize| key[*at..].starts_with(MAP_STEP) || key[*at..].starts_with(LIST_STEP);
    memchr::memchr_iter(b'_', key.as_bytes()).find(is_step).unwrap_or(key.len())
}

/// A value, a map or a list, which is known when all keys have been added. Its size is bounded by the file:
/// an index takes one place, however large it is.
#[derive(Default)]
struct Branch<'t> {
    key_span: Option<Span>,
    value: Option<Node<'t>>,
    keys: BTreeMap<&'t str, Branch<'t>>,
    items: BTreeMap<usize, Branch<'t>>,
}

#[derive(Default)]
struct Tree<'t> {
    root: Branch<'t>,
    keeps_last: bool,
    /// The second of two equal keys.
    duplicates: Vec<Span>,
    problems: Vec<Problem>,
}

impl<'t> Tree<'t> {
    fn problem(&mut self, span: Span, reason: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { span, reason: reason.to_owned() });
        }
    }

    fn add(&mut self, key: &'t str, entry: &'t Entry<'_>) {
        let span = entry.key_span;
        if steps(key).nth(MAX_STEPS).is_some() {
            return self.problem(span, "has a key that is nested deeper than sops nests any");
        }
        let mut branch = &mut self.root;
        for step in steps(key) {
            branch = match step {
                Step::Key(key) => branch.keys.entry(key).or_default(),
                Step::Index(index) => branch.items.entry(index).or_default(),
            };
            branch.key_span.get_or_insert(span);
        }
        let is_second = branch.value.replace(unfolded(&entry.node)).is_some();
        if is_second && !self.keeps_last {
            self.duplicates.push(span);
        }
    }

    fn finish(mut self, key_span: Span) -> Unfolded<'t> {
        let root = std::mem::take(&mut self.root);
        match self.duplicates[..] {
            [] => {}
            [only] => self.problem(only, "has a duplicate key"),
            [first, ..] => {
                let number = self.duplicates.len();
                self.problem(
                    first,
                    &format!("has {number} duplicate keys, as if it was made twice"),
                );
            }
        }
        let node = self.node(root, key_span);
        let entry = Entry { key: Cow::Borrowed(METADATA_KEY), key_span, key_is_string: true, node };
        Unfolded { entry, problems: self.problems }
    }

    fn node(&mut self, branch: Branch<'t>, key_span: Span) -> Node<'t> {
        let kinds = [branch.value.is_some(), !branch.keys.is_empty(), !branch.items.is_empty()];
        if kinds.iter().filter(|is_there| **is_there).count() > 1 {
            self.problem(key_span, "has a key that is a value and a map or a list at once");
        }
        if let Some(value) = branch.value {
            return value;
        }
        if branch.items.is_empty() {
            let members = branch.keys.into_iter().map(|(key, branch)| {
                let key_span = branch.key_span.unwrap_or(key_span);
                let node = self.node(branch, key_span);
                let key = Cow::Borrowed(key);
                Member::Entry(Entry { key, key_span, key_is_string: true, node })
            });
            return Node::new(key_span, Value::Map(members.collect()));
        }
        let is_whole = branch.items.keys().copied().eq(0..branch.items.len());
        if !is_whole {
            self.problem(key_span, "has a list that lacks some of its elements");
        }
        let elements = branch.items.into_values().map(|branch| {
            let key_span = branch.key_span.unwrap_or(key_span);
            Element::Node(self.node(branch, key_span))
        });
        Node::new(key_span, Value::List(elements.collect()))
    }
}

fn ends_in_cr(entry: &Entry<'_>) -> bool {
    entry.node.as_str().is_some_and(|text| text.ends_with('\r'))
}

/// Unescapes a folded value: in both formats, `\n` means a line feed. Another finding reports a carriage
/// return at its end.
fn unfolded<'t>(node: &'t Node<'_>) -> Node<'t> {
    let Some(text) = node.as_str() else { return node.clone() };
    let text = text.trim_start_matches(' ').trim_end_matches('\r');
    let text =
        if text.contains("\\n") { text.replace("\\n", "\n").into() } else { Cow::Borrowed(text) };
    Node::new(node.span, Value::Scalar(Scalar::Str(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, dotenv::Dotenv};

    fn paths(node: &Node<'_>, path: &str, found: &mut Vec<String>) {
        if let Some(text) = node.as_str() {
            found.push(format!("{path}={text}"));
        }
        for entry in node.entries() {
            paths(&entry.node, &format!("{path}.{}", entry.key), found);
        }
        for (index, element) in node.elements().enumerate() {
            paths(element, &format!("{path}[{index}]"), found);
        }
    }

    #[test]
    fn folded_keys_become_the_tree_that_yaml_has() {
        let text = "A=1\nsops_key_groups__list_1__map_age__list_0__map_enc=x\\ny\n\
                    sops_key_groups__list_0__map_kms__list_0__map_context__map_a b=c\nsops_mac=m\n";
        let parsed = Dotenv.parse(text);
        let unfolded = unfold_lines(&parsed.documents[0].root).expect("it is there");
        let mut found = Vec::new();
        paths(&unfolded.entry.node, "", &mut found);
        let expected =
            [".key_groups[0].kms[0].context.a b=c", ".key_groups[1].age[0].enc=x\ny", ".mac=m"];
        assert_eq!(found, expected);
        assert_eq!(unfolded.problems, []);
    }

    #[test]
    fn a_tree_is_folded_as_it_is_unfolded() {
        let stanza = Block::map([("recipient", Block::text("r")), ("enc", Block::text("x\ny"))]);
        let group = Block::map([("age", Block::List(vec![stanza]))]);
        let block = Block::map([
            ("shamir_threshold", Block::Number(2)),
            ("key_groups", Block::List(vec![group])),
            ("mac_only_encrypted", Block::Bool(true)),
        ]);
        let Block::Map(lines) = fold(&block) else { panic!("a map") };
        let line = |(key, value): (String, Block)| match value {
            Block::Text(value) => format!("sops_{key}={value}\n"),
            other => panic!("{other:?}"),
        };
        let text: String = lines.into_iter().map(line).collect();
        assert_eq!(
            text,
            "sops_key_groups__list_0__map_age__list_0__map_enc=x\\ny\n\
             sops_key_groups__list_0__map_age__list_0__map_recipient=r\n\
             sops_mac_only_encrypted=true\n\
             sops_shamir_threshold=2\n"
        );
        let parsed = Dotenv.parse(&text);
        let unfolded = unfold_lines(&parsed.documents[0].root).expect("it is there");
        let mut found = Vec::new();
        paths(&unfolded.entry.node, "", &mut found);
        assert!(found.contains(&".key_groups[0].age[0].enc=x\ny".to_owned()), "{found:?}");
    }

    #[test]
    fn neither_mac_nor_data_key_is_public() {
        for key in ["version", "age__list_0__map_recipient", "encrypted_regex"] {
            assert!(is_public(key), "{key}");
        }
        for key in ["mac", "age__list_0__map_enc", "password", "x__map_version", "age", ""] {
            assert!(!is_public(key), "{key}");
        }
        assert!(!is_public("key_groups__list_0__map_age__list_1__map_enc"));
    }
}
