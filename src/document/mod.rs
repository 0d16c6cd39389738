//! Files as trees: every value knows the bytes that it was read from.
//!
//! A tree holds what sops' own tree holds (`sops.TreeBranch` in sops' `sops.go`): maps in file
//! order, lists, typed scalars, and comments as members of the map or list that they stand in.
//! The trees borrow from the file's text. Nothing here knows SOPS or Kubernetes.

pub mod dotenv;
pub mod ini;
pub mod json;
pub mod scalar;
pub mod splice;
pub mod yaml;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

pub use scalar::Scalar;

use self::splice::{Splice, Spliced};
use crate::path::RepoPath;
use crate::text::Span;

/// Deepest nesting of maps and lists, in levels.
pub const MAX_DEPTH: usize = 100;
/// Most nodes that one file may have after its aliases are expanded.
pub const MAX_NODES: usize = 1_000_000;
/// Most documents in one file.
pub const MAX_DOCUMENTS: usize = 10_000;

/// One document of a file.
#[derive(Debug)]
pub struct Document<'t> {
    /// Its number in the file, from 0.
    pub index: usize,
    /// Its top node.
    pub root: Node<'t>,
    /// How deep its format can nest.
    pub shape: Shape,
}

/// How deep a format can nest. sops folds what it has to say into the shallow ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Maps and lists in any order.
    Nested,
    /// A map of maps of texts.
    Sections,
    /// A map of texts.
    Lines,
}

/// One value and where it stands.
#[derive(Clone, Debug)]
pub struct Node<'t> {
    /// The source token, quotes included; of a block scalar the lines of its content. Empty
    /// where the value is absent (`key:`). An alias has the span of what it repeats.
    pub span: Span,
    /// What it is.
    pub value: Value<'t>,
}

/// A map, a list, or a scalar.
#[derive(Clone, Debug)]
pub enum Value<'t> {
    /// Entries and comments in file order.
    Map(Vec<Member<'t>>),
    /// Elements and comments in file order.
    List(Vec<Element<'t>>),
    /// A leaf.
    Scalar(Scalar<'t>),
}

/// What stands in a map.
#[derive(Clone, Debug)]
pub enum Member<'t> {
    /// `key: value`
    Entry(Entry<'t>),
    /// `# text`
    Comment(Comment<'t>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry<'t> {
    /// The key's text.
    pub key: Cow<'t, str>,
    /// The key's source token, quotes included.
    pub key_span: Span,
    /// Whether sops can take the key: it must resolve to a string (`1:` and `true:` do not).
    pub key_is_string: bool,
    /// The value.
    pub node: Node<'t>,
}

/// What stands in a list.
#[derive(Clone, Debug)]
pub enum Element<'t> {
    /// `- value`
    Node(Node<'t>),
    /// `# text`
    Comment(Comment<'t>),
}

/// A comment line.
#[derive(Clone)]
pub struct Comment<'t> {
    /// The text after the `#`, leading space included.
    pub text: Cow<'t, str>,
    /// From the `#` to the end of the line.
    pub span: Span,
}

impl fmt::Debug for Comment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Comment({} bytes)", self.text.len())
    }
}

impl<'t> Node<'t> {
    /// The value under `key`, if this is a map that has it. The first one, where a key stands twice.
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry with `key`, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries().find(|entry| entry.key == key)
    }

    /// The entries of a map in file order; nothing for anything else.
    pub fn entries(&self) -> impl Iterator<Item = &Entry<'t>> {
        let members = if let Value::Map(members) = &self.value { &members[..] } else { &[] };
        members.iter().filter_map(|member| match member {
            Member::Entry(entry) => Some(entry),
            Member::Comment(_) => None,
        })
    }

    /// The elements of a list in file order; nothing for anything else.
    pub fn elements(&self) -> impl Iterator<Item = &Node<'t>> {
        let elements = if let Value::List(elements) = &self.value { &elements[..] } else { &[] };
        elements.iter().filter_map(|element| match element {
            Element::Node(node) => Some(node),
            Element::Comment(_) => None,
        })
    }

    /// The text of a string scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Scalar::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether this is a map.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Whether this is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Whether this is `null` in any of its spellings.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar(Scalar::Null))
    }

    /// What it is, for messages: "a map", "a list", "text", "a number" ...
    pub fn noun(&self) -> &'static str {
        match &self.value {
            Value::Map(_) => "a map",
            Value::List(_) => "a list",
            Value::Scalar(scalar) => scalar.noun(),
        }
    }
}

/// What could be read of a file: the documents before an error stay usable.
#[derive(Debug)]
pub struct Parsed<'t> {
    /// In file order.
    pub documents: Vec<Document<'t>>,
    /// Keys that stand twice in one map, wherever sops refuses that.
    pub duplicate_keys: Vec<DuplicateKey>,
    /// Why reading ended early.
    pub error: Option<ParseError>,
}

/// The second of two equal keys in one map.
#[derive(Debug)]
pub struct DuplicateKey {
    /// The number of the document, from 0.
    pub document: usize,
    /// The second key.
    pub span: Span,
    /// The first key.
    pub first: Span,
}

/// Keys of one map that stand there a second time, in file order.
fn duplicates(document: usize, entries: &[Entry<'_>]) -> Vec<DuplicateKey> {
    let mut first: HashMap<&str, Span> = HashMap::new();
    let small = entries.len() <= 16;
    let mut found = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let earlier = if small {
            entries[..at].iter().find(|other| other.key == entry.key).map(|other| other.key_span)
        } else {
            first.insert(&entry.key, entry.key_span)
        };
        if let Some(first) = earlier {
            found.push(DuplicateKey { document, span: entry.key_span, first });
        }
    }
    found
}

/// Why a file could not be read to its end. Never quotes the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ParseError {
    /// Where it was noticed, in bytes.
    pub offset: usize,
    /// Lower case, no full stop.
    pub reason: Cow<'static, str>,
    /// Whether it was one of this program's limits rather than the file's grammar.
    pub is_limit: bool,
}

impl ParseError {
    /// An error of grammar.
    pub fn new(offset: usize, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { offset, reason: reason.into(), is_limit: false }
    }

    /// One of the limits above is passed.
    pub fn limit(offset: usize, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { offset, reason: reason.into(), is_limit: true }
    }
}

/// A way to write documents down. A new one is a file here and a line in [`FORMATS`].
pub trait Format: Sync + fmt::Debug {
    /// The name that sops has for it (`--input-type`).
    fn name(&self) -> &'static str;

    /// The endings by which sops chooses it, without the dot; sops minds the case.
    fn endings(&self) -> &'static [&'static str];

    /// Reads all documents of a text.
    fn parse<'t>(&self, text: &'t str) -> Parsed<'t>;

    /// The edits that write other values into a text which was read as `parsed`.
    fn splice(&self, text: &str, parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced;
}

/// All formats that can be read.
pub static FORMATS: &[&dyn Format] = &[&yaml::Yaml, &json::Json, &dotenv::Dotenv, &ini::Ini];

/// The format that sops would choose for a file of this name (`formats.go`), if it is one of
/// [`FORMATS`]; sops takes every other name as binary.
pub fn format_of(path: &RepoPath) -> Option<&'static dyn Format> {
    let (_, ending) = path.file_name().rsplit_once('.')?;
    FORMATS.iter().copied().find(|format| format.endings().contains(&ending))
}

/// The format of a file that was encrypted under another name: by its first character, or by a
/// line that only sops writes.
pub fn format_by_content(text: &str) -> &'static dyn Format {
    if is_json(text) {
        &json::Json
    } else if has(text, "[sops]") && lines(text).any(|line| line == "[sops]") {
        &ini::Ini
    } else if has(text, "sops_") && lines(text).any(is_dotenv_metadata) {
        &dotenv::Dotenv
    } else {
        &yaml::Yaml
    }
}

/// Whether a text begins as a JSON object does.
pub fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// Quick, for the many files that have no such line.
fn has(text: &str, piece: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), piece.as_bytes()).is_some()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.trim_end_matches('\r'))
}

fn is_dotenv_metadata(line: &str) -> bool {
    ["sops_mac=", "sops_version=", "sops_lastmodified="].iter().any(|key| line.starts_with(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_endings_of_its_own_and_survives_hostile_text() {
        for format in FORMATS {
            assert!(!format.endings().is_empty(), "{format:?} can never be chosen");
            for ending in format.endings() {
                let owners =
                    FORMATS.iter().filter(|other| other.endings().contains(ending)).count();
                assert_eq!(owners, 1, ".{ending} is claimed by {owners} formats");
            }
            for text in [
                "",
                "\0",
                "{",
                "[",
                "]",
                "- ",
                "a: &a [*a]",
                "{\"a\":",
                "\u{feff}",
                "---\n...\n",
                "a=\"\"\"\"é",
                "`a`=`b",
                "a=\\\né\\",
                "[é] ;",
                "#\n\r\n",
                "\"\"\"é\"\"\"=1",
                "\"a",
            ] {
                for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                    format.parse(&text[..end]);
                }
            }
        }
    }

    /// Every span lies in the text, and text that is read as it is written stands at its span.
    fn check(node: &Node<'_>, text: &str) {
        let span = node.span;
        assert!(span.start <= span.end && span.end <= text.len(), "{span:?} in {text:?}");
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        if let Value::Scalar(Scalar::Str(Cow::Borrowed(value))) = &node.value {
            assert!(text[span.start..span.end].contains(value.trim()), "{span:?} in {text:?}");
        }
        for entry in node.entries() {
            assert!(entry.key_span.end <= text.len(), "{text:?}");
            check(&entry.node, text);
        }
        for element in node.elements() {
            check(element, text);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_reader_panic_and_spans_stay_inside(
            text in proptest::string::string_regex(r#"([a-c:\-\[\]\{\},?&*!|>%@`"'#~ \n\t0-9é\\=;\r]|: |- |\n  |"""|=`){0,60}"#).expect("a regex"),
        ) {
            for format in FORMATS {
                for document in format.parse(&text).documents {
                    check(&document.root, &text);
                }
            }
        }
    }
}
