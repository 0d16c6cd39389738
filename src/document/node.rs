//! The tree of one document.

use std::borrow::Cow;
use std::fmt;

use super::scalar::Scalar;
use crate::text::Span;

/// One document of a file.
#[derive(Debug)]
pub struct Document<'t> {
    /// Its number in the file, from 0.
    pub index: usize,
    /// The text of the whole file. All spans are places in it.
    pub text: &'t str,
    /// Its top node.
    pub root: Node<'t>,
    /// The nesting that its format allows.
    pub shape: Shape,
}

/// The nesting that a format allows. sops folds its metadata into the lines of shallow formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Maps and lists in any order.
    Nested,
    /// A map of maps of texts.
    Sections,
    /// A map of texts.
    Lines,
}

/// One value and its place.
#[derive(Clone, Debug)]
pub struct Node<'t> {
    /// The number of the node in its document, in depth-first order. It tells an alias, which has the span
    /// of its anchor, from the anchor.
    id: u32,
    /// The source token, quotes included; of a block scalar the lines of its content. Empty
    /// where the value is absent (`key:`). An alias has the span of what it repeats.
    pub span: Span,
    /// The value.
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

/// A member of a map.
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
    /// True if sops can take the key: it must resolve to a string (`1:` and `true:` do not).
    pub key_is_string: bool,
    /// The value.
    pub node: Node<'t>,
}

/// A member of a list.
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

impl Document<'_> {
    /// Reports whether its format cannot nest maps.
    pub fn is_shallow(&self) -> bool {
        self.shape != Shape::Nested
    }
}

impl<'t> Document<'t> {
    /// Puts a document together and numbers its nodes.
    pub fn new(index: usize, text: &'t str, mut root: Node<'t>, shape: Shape) -> Self {
        root.number(&mut 0);
        Self { index, text, root, shape }
    }
}

impl<'t> Node<'t> {
    /// Makes a node. Its document numbers it.
    pub fn new(span: Span, value: Value<'t>) -> Self {
        Self { id: 0, span, value }
    }

    /// Returns the number of the node in its document.
    pub fn id(&self) -> u32 {
        self.id
    }

    fn number(&mut self, next: &mut u32) {
        self.id = *next;
        *next += 1;
        match &mut self.value {
            Value::Map(members) => {
                for member in members {
                    if let Member::Entry(entry) = member {
                        entry.node.number(next);
                    }
                }
            }
            Value::List(elements) => {
                for element in elements {
                    if let Element::Node(node) = element {
                        node.number(next);
                    }
                }
            }
            Value::Scalar(_) => {}
        }
    }

    /// Returns the value under `key`, if this is a map that has it. The first one, if a key occurs
    /// twice.
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// Returns the entry with `key`, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries().find(|entry| entry.key == key)
    }

    /// Returns the entries of a map in file order; nothing for anything else.
    pub fn entries(&self) -> impl Iterator<Item = &Entry<'t>> {
        let members = if let Value::Map(members) = &self.value { &members[..] } else { &[] };
        members.iter().filter_map(|member| match member {
            Member::Entry(entry) => Some(entry),
            Member::Comment(_) => None,
        })
    }

    /// Returns the elements of a list in file order; nothing for anything else.
    pub fn elements(&self) -> impl Iterator<Item = &Node<'t>> {
        let elements = if let Value::List(elements) = &self.value { &elements[..] } else { &[] };
        elements.iter().filter_map(|element| match element {
            Element::Node(node) => Some(node),
            Element::Comment(_) => None,
        })
    }

    /// Returns the text of a string scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Scalar::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Reports whether this is a map.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Reports whether this is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Reports whether this is `null` in any of its spellings.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar(Scalar::Null))
    }

    /// Returns the noun for messages: "a map", "a list", "text", "a number" ...
    pub fn noun(&self) -> &'static str {
        match &self.value {
            Value::Map(_) => "a map",
            Value::List(_) => "a list",
            Value::Scalar(scalar) => scalar.noun(),
        }
    }
}
