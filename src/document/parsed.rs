//! The outcome of reading a file, and the limits of reading.

use std::borrow::Cow;
use std::collections::HashMap;

use super::node::{Document, Entry};
use crate::text::Span;

/// Deepest nesting of maps and lists, in levels.
pub const MAX_DEPTH: usize = 100;
/// Most nodes and comments that one file may have after its aliases are expanded.
pub const MAX_NODES: usize = 400_000;
/// Most comments between two nodes. The parser of YAML keeps them in a costlier form until it finds the second.
pub(super) const MAX_COMMENTS_IN_A_ROW: usize = MAX_NODES / 5;
/// Most documents in one file.
pub const MAX_DOCUMENTS: usize = 10_000;

/// The documents of a file. Those before an error stay usable.
#[derive(Debug)]
pub struct Parsed<'t> {
    /// In file order.
    pub documents: Vec<Document<'t>>,
    /// Keys that occur twice in one map, wherever sops refuses that.
    pub duplicate_keys: Vec<DuplicateKey>,
    /// The reason why reading ended early.
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

/// Most duplicate keys of one map that are kept.
const MAX_DUPLICATES: usize = 1_000;

/// Returns the second and later occurrences of keys in one map, in file order, up to a maximum.
pub(super) fn duplicates<'e>(
    document: usize,
    entries: impl Iterator<Item = &'e Entry<'e>>,
) -> Vec<DuplicateKey> {
    let entries: Vec<&Entry<'_>> = entries.collect();
    let mut first: HashMap<&str, Span> = HashMap::new();
    let small = entries.len() <= 16;
    let mut found = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let earlier = if small {
            entries[..at].iter().find(|other| other.key == entry.key).map(|other| other.key_span)
        } else {
            first.insert(&entry.key, entry.key_span)
        };
        if let Some(first) = earlier.filter(|_| found.len() < MAX_DUPLICATES) {
            found.push(DuplicateKey { document, span: entry.key_span, first });
        }
    }
    found
}

/// The reason why a file cannot be read to its end. It never quotes the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ParseError {
    /// The offset of the fault, in bytes.
    pub offset: usize,
    /// Lower case, no full stop.
    pub reason: Cow<'static, str>,
    /// True if the file exceeds a limit of this program; false if its grammar is wrong.
    pub is_limit: bool,
    /// True if the part of the file that was not read may hold a Secret.
    pub may_hide_secret: bool,
}

impl ParseError {
    /// Makes an error of grammar.
    pub fn new(offset: usize, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { offset, reason: reason.into(), is_limit: false, may_hide_secret: false }
    }

    /// One of the limits above is passed.
    pub fn limit(offset: usize, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { is_limit: true, ..Self::new(offset, reason) }
    }
}
