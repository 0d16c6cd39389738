//! The walk over a document in the order of sops: the place of each leaf, and if it should be encrypted.
//!
//! Follows `sops.go`, `walkBranch`: depth first in file order. A comment governs the next entry
//! and everything below it. The top-level key `sops` is not part of the data. In dotenv, neither are the
//! lines that begin with `sops_`.

use std::collections::HashMap;

use super::selector::Selector;
use crate::document::{Comment, Document, Element, Entry, Member, Node, Scalar, Shape, Value};
use crate::text::Span;
use crate::text::printable;

/// The name of the top-level key that holds the metadata.
pub const METADATA_KEY: &str = "sops";
/// Prefix of the keys of the metadata in dotenv (`stores/stores.go`, `SopsPrefix`).
pub const METADATA_PREFIX: &str = "sops_";

/// Replaces, in paths, a key that may be part of a value.
const NOT_A_NAME: &str = "[\"(not a name)\"]";

/// A step on the path from the root to a value.
#[derive(Clone, Copy, Debug)]
pub enum Step<'d> {
    /// A key of a map.
    Key(&'d str),
    /// A key that may be part of a value and is never shown.
    Unnamed(&'d str),
    /// An index in a list, from 0. sops ignores indices.
    Index(usize),
}

/// A scalar and its place.
#[derive(Debug)]
pub struct Leaf<'p, 'd, 't> {
    /// The steps from the root.
    pub path: &'p [Step<'d>],
    /// The nearest key above it; the scalar itself if there is none.
    pub key_span: Span,
    /// The place of the scalar.
    pub span: Span,
    /// The number of its node in the document.
    pub id: u32,
    /// The scalar.
    pub scalar: &'d Scalar<'t>,
    /// True if the selector covers it.
    pub is_selected: bool,
}

/// A comment and its place.
#[derive(Debug)]
pub struct Remark<'p, 'd, 't> {
    /// The steps from the root to the map or list that contains it.
    pub path: &'p [Step<'d>],
    /// The comment.
    pub comment: &'d Comment<'t>,
    /// True if the selector covers it.
    pub is_selected: bool,
}

/// A stop of a walk.
#[derive(Debug)]
pub enum Stop<'p, 'd, 't> {
    /// A value.
    Leaf(Leaf<'p, 'd, 't>),
    /// A comment.
    Remark(Remark<'p, 'd, 't>),
}

impl Leaf<'_, '_, '_> {
    /// Returns its text, if it is text.
    pub fn text(&self) -> Option<&str> {
        if let Scalar::Str(text) = self.scalar { Some(text) } else { None }
    }
}

/// Returns a path as people write it: `spec.hosts[0].name`, `data["tls.key"]`.
pub fn key_path(path: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) if is_plain(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Step::Key(key) => {
                out.push_str("[\"");
                out.push_str(&printable::clean(key));
                out.push_str("\"]");
            }
            Step::Unnamed(_) => out.push_str(NOT_A_NAME),
            Step::Index(index) => {
                out.push('[');
                out.push_str(&index.to_string());
                out.push(']');
            }
        }
    }
    printable::shorten(out.into(), 200).into_owned()
}

/// Returns the additional data of a ciphertext: the keys above it, each followed by a colon. It contains
/// neither list indices nor the number of the document.
pub fn additional_data(path: &[Step<'_>]) -> String {
    let keys = path.iter().filter_map(|step| match step {
        Step::Key(key) | Step::Unnamed(key) => Some(*key),
        Step::Index(_) => None,
    });
    let joined = keys.collect::<Vec<_>>().join(":");
    joined + ":"
}

/// Finds valid YAML for which sops refuses the whole document. Returns the place and the reason, a clause.
pub fn obstacle(document: &Document<'_>) -> Option<(Span, &'static str)> {
    let root = &document.root;
    if !root.is_map() && !root.is_null() {
        return Some((root.span, "a document is not a map, and sops only encrypts maps"));
    }
    obstacle_in(root, Some(document.shape))
}

/// Searches a node. `root_of`: the shape of the document, if this is its root.
fn obstacle_in(node: &Node<'_>, root_of: Option<Shape>) -> Option<(Span, &'static str)> {
    match &node.value {
        Value::Scalar(Scalar::TooLarge(_)) => {
            Some((node.span, "a number is from 2^63 to 2^64-1, and sops cannot represent it"))
        }
        Value::Scalar(_) => None,
        Value::Map(members) => members.iter().find_map(|member| match member {
            Member::Comment(_) => None,
            Member::Entry(entry) if root_of.is_some_and(|of| is_metadata_key(&entry.key, of)) => {
                None
            }
            Member::Entry(entry) if !entry.key_is_string => Some((
                entry.key_span,
                "a key is a number, a boolean, a date or null instead of text: put it in quotes",
            )),
            Member::Entry(entry) => obstacle_in(&entry.node, None),
        }),
        Value::List(elements) => elements.iter().find_map(|element| match element {
            Element::Comment(_) => None,
            Element::Node(node) => obstacle_in(node, None),
        }),
    }
}

/// Finds the first value that does not fit its tag, which sops reads as null.
pub fn misfit(document: &Document<'_>) -> Option<Span> {
    let mut found = None;
    leaves(document, &Selector::default(), &mut |leaf| {
        if *leaf.scalar == Scalar::Misfit {
            found = found.or(Some(leaf.span));
        }
    });
    found
}

/// Reports whether a key looks like a name. A line of a value, or a value behind a colon without a blank, can be
/// read as a key. Such a key is never shown.
pub fn is_name(key: &str) -> bool {
    const LONGEST: usize = 100;
    const SHORT: usize = 16;
    // Most keys are short and simple.
    if key.len() < SHORT && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return true;
    }
    let name = key.strip_prefix("export ").unwrap_or(key).trim();
    let name = name.strip_prefix(['$', '@', '*', '<']).unwrap_or(name);
    let name = name
        .strip_prefix("http")
        .and_then(|rest| rest.split_once("://"))
        .map_or(name, |(_, it)| it);
    let is_part = |c: char| c.is_alphanumeric() || "_.-/<".contains(c);
    name.len() <= LONGEST && name.chars().all(is_part) && !is_random(name)
}

/// Reports whether a text has as many changes between small letters, capital letters and digits as a
/// random one. A capital letter often begins a word.
fn is_random(text: &str) -> bool {
    const SHORTEST: usize = 16;
    let is_change = |pair: &[u8]| match (pair[0], pair[1]) {
        (one, other) if one.is_ascii_digit() => other.is_ascii_alphabetic(),
        (one, other) if one.is_ascii_alphabetic() && other.is_ascii_digit() => true,
        (one, other) => one.is_ascii_lowercase() && other.is_ascii_uppercase(),
    };
    let changes = text.as_bytes().windows(2).filter(|pair| is_change(pair)).count();
    text.len() >= SHORTEST && changes * 10 >= text.len() * 3
}

/// Reports whether a key needs no quotes in a path.
fn is_plain(key: &str) -> bool {
    key.len() < 100
        && !key.is_empty()
        && key.chars().all(|c| c.is_alphanumeric() || "_-/".contains(c))
}

/// Returns the paths of all values by their place. An alias has the place of its anchor, whose path wins.
pub fn paths<'d>(document: &'d Document<'_>) -> HashMap<Span, Box<[Step<'d>]>> {
    let mut paths = HashMap::new();
    leaves(document, &Selector::default(), &mut |leaf| {
        paths.entry(leaf.span).or_insert_with(|| leaf.path.into());
    });
    paths
}

/// Calls `visit` with every leaf of a document in the order of sops.
pub fn leaves<'d, 't>(
    document: &'d Document<'t>,
    selector: &Selector,
    visit: &mut dyn FnMut(&Leaf<'_, 'd, 't>),
) {
    stops(document, selector, &mut |stop| {
        if let Stop::Leaf(leaf) = stop {
            visit(leaf);
        }
    });
}

/// Calls `visit` with every comment of a document and the steps to the map or list that contains it.
pub fn comments<'d, 't>(
    document: &'d Document<'t>,
    visit: &mut dyn FnMut(&'d Comment<'t>, &[Step<'d>]),
) {
    stops(document, &Selector::default(), &mut |stop| {
        if let Stop::Remark(remark) = stop {
            visit(remark.comment, remark.path);
        }
    });
}

/// Calls `visit` with every leaf and every comment of a document in the order of sops.
pub fn stops<'d, 't>(
    document: &'d Document<'t>,
    selector: &Selector,
    visit: &mut dyn FnMut(&Stop<'_, 'd, 't>),
) {
    let mut walker = Walker { selector, shape: document.shape, path: Vec::new(), visit };
    walker.node(&document.root, document.root.span, false);
}

/// Reports whether a top-level key belongs to the metadata and is not data.
pub fn is_metadata_key(key: &str, shape: Shape) -> bool {
    match shape {
        Shape::Nested | Shape::Sections => key == METADATA_KEY,
        Shape::Lines => metadata_key(key).is_some(),
    }
}

/// Returns the key of a line of metadata without the prefix, even if an editor changed the line, and sops no
/// longer recognises it.
pub(super) fn metadata_key(key: &str) -> Option<&str> {
    let key = key.trim_start_matches('\u{feff}').trim();
    key.strip_prefix("export ").unwrap_or(key).trim_start().strip_prefix(METADATA_PREFIX)
}

struct Walker<'d, 's, 't> {
    selector: &'s Selector,
    shape: Shape,
    path: Vec<Step<'d>>,
    visit: &'s mut dyn FnMut(&Stop<'_, 'd, 't>),
}

impl<'d, 't> Walker<'d, '_, 't> {
    /// Walks a node. `was_named`: a key above it matches, or, for comment selectors, an active comment.
    fn node(&mut self, node: &'d Node<'t>, key_span: Span, was_named: bool) {
        match &node.value {
            Value::Scalar(scalar) => {
                let is_selected = self.selector.decide(was_named);
                let leaf = Leaf {
                    path: &self.path,
                    key_span,
                    span: node.span,
                    id: node.id(),
                    scalar,
                    is_selected,
                };
                (self.visit)(&Stop::Leaf(leaf));
            }
            Value::Map(members) => {
                let mut active = was_named;
                for member in members {
                    match member {
                        Member::Comment(comment) => active = self.remark(comment, active),
                        Member::Entry(entry) => {
                            self.entry(entry, active);
                            active = was_named;
                        }
                    }
                }
            }
            Value::List(elements) => {
                let mut active = was_named;
                let mut index = 0;
                for element in elements {
                    match element {
                        Element::Comment(comment) => active = self.remark(comment, active),
                        Element::Node(node) => {
                            self.path.push(Step::Index(index));
                            self.node(node, node.span, active);
                            self.path.pop();
                            index += 1;
                            active = was_named;
                        }
                    }
                }
            }
        }
    }

    fn entry(&mut self, entry: &'d Entry<'t>, was_named: bool) {
        if self.path.is_empty() && is_metadata_key(&entry.key, self.shape) {
            return;
        }
        let is_named =
            was_named || (!self.selector.reads_comments() && self.selector.names(&entry.key));
        let is_shown = is_name(&entry.key);
        self.path.push(if is_shown { Step::Key(&entry.key) } else { Step::Unnamed(&entry.key) });
        self.node(&entry.node, entry.key_span, is_named);
        self.path.pop();
    }

    /// Visits a comment. Reports whether the values after it are named. A comment that starts or ends encrypted
    /// values stays readable itself.
    fn remark(&mut self, comment: &'d Comment<'t>, was_named: bool) -> bool {
        let is_named =
            was_named || (self.selector.reads_comments() && self.selector.names(&comment.text));
        let counts = if self.selector.field.selects() { was_named } else { is_named };
        let is_selected = self.selector.decide(counts);
        (self.visit)(&Stop::Remark(Remark { path: &self.path, comment, is_selected }));
        is_named
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, dotenv::Dotenv, yaml::Yaml};
    use crate::sops::selector::Field;

    fn selected(text: &str, field: Field, pattern: &str) -> Vec<String> {
        let parsed = Yaml.parse(text);
        let selector = Selector::new(field, pattern, Span::default());
        let mut paths = Vec::new();
        leaves(&parsed.documents[0], &selector, &mut |leaf| {
            if leaf.is_selected {
                paths.push(key_path(leaf.path));
            }
        });
        paths
    }

    #[test]
    fn a_key_covers_all_below_it_and_the_sops_block_is_no_data() {
        let text = "data:\n  a: [x, {b: y}]\nother: 1\nsops:\n  data: z\n";
        assert_eq!(selected(text, Field::EncryptedRegex, "^data$"), ["data.a[0]", "data.a[1].b"]);
    }

    #[test]
    fn a_key_with_a_dot_is_one_step() {
        let path = [Step::Key("data"), Step::Key("tls.key"), Step::Index(2), Step::Key("a")];
        assert_eq!(key_path(&path), "data[\"tls.key\"][2].a");
    }

    #[test]
    fn a_value_does_not_look_like_a_name() {
        let names = [
            "password",
            "tls.crt",
            "DATABASE_URL",
            "app.kubernetes.io/name",
            "<<",
            "ключ",
            "",
            "1",
            "https://ghcr.io/v2/",
            "externalSecretsOperatorConfig",
            "base64EncodedTokenV2",
            "*.example.com",
            "POSTGRES_16_PASSWORD_2",
            "id-ed25519-2026-11-28",
            "$schema",
            "export A",
        ];
        for name in names {
            assert!(is_name(name), "{name}");
        }
        let others = [
            "password:hunter2",
            "password=hunter2",
            "correct horse",
            "hunter2!",
            "p@ss",
            "a,b",
            "{a",
            "a\tb",
            "aHVudGVyMmh1bnRlcjJodW50ZXIy",
            "d41d8cd98f00b204e9800998ecf8427e",
            "a+b",
            "https://a:b@c",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "::set-output",
            "##[group]",
            &"a".repeat(101),
        ];
        for other in others {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn what_may_be_the_rest_of_a_value_is_not_in_a_path() {
        let parsed = Dotenv.parse("A=\"canary\n  {canary=x\nexport B_1 =y\nsops_mac=z\n");
        let mut paths = Vec::new();
        leaves(&parsed.documents[0], &Selector::default(), &mut |leaf| {
            paths.push(key_path(leaf.path));
        });
        assert_eq!(paths, ["A", "[\"(not a name)\"]", "[\"export B_1 \"]"]);
    }

    #[test]
    fn comments_are_covered_by_the_keys_above_them_or_by_other_comments() {
        let text = "# secret\n# one\na: # two\n  # three\n  b: 1\n# four\nc: 2\n";
        let covered = |field, pattern| -> Vec<String> {
            let parsed = Yaml.parse(text);
            let selector = Selector::new(field, pattern, Span::default());
            let mut texts = Vec::new();
            stops(&parsed.documents[0], &selector, &mut |stop| match stop {
                Stop::Remark(remark) if remark.is_selected => {
                    texts.push(remark.comment.text.trim().to_owned());
                }
                _ => {}
            });
            texts
        };
        assert_eq!(covered(Field::EncryptedRegex, "^a$"), ["three"]);
        assert_eq!(covered(Field::UnencryptedRegex, "^a$"), ["secret", "one", "two", "four"]);
        assert_eq!(covered(Field::EncryptedCommentRegex, "secret"), ["one", "two", "three"]);
        assert_eq!(covered(Field::UnencryptedCommentRegex, "secret"), ["four"]);
    }

    #[test]
    fn a_comment_covers_the_next_entry_and_all_below_it() {
        let text = "# secret\na:\n  b: 1\nc: 2\nd: 3 # secret\n";
        assert_eq!(selected(text, Field::EncryptedCommentRegex, "secret"), ["a.b", "d"]);
        assert_eq!(selected(text, Field::UnencryptedCommentRegex, "secret"), ["c"]);
    }
}
