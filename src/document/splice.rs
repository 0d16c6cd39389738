//! Edits: new text for some spans, while every other byte stays.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::text::Span;

/// New text for a span, or an insertion if the span is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The span that it replaces.
    pub span: Span,
    /// The new text.
    pub text: String,
}

impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Edit({:?}, {} bytes)", self.span, self.text.len())
    }
}

impl Edit {
    /// Makes an edit.
    pub fn new(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }
}

/// New content for a file.
#[derive(Debug)]
pub struct Splice<'s> {
    /// Texts for scalars, by the span that the scalar has in its tree.
    pub values: &'s [Edit],
    /// True if comments decide what is encrypted.
    pub reads_comments: bool,
    /// Texts for comments, without their `#`, by the span that the comment has in its tree.
    pub comments: &'s [Edit],
    /// A key and its value, for the end of every document; for shallow formats a map of
    /// texts.
    pub appended: &'s (&'s str, Block),
}

/// The reason why a text cannot be edited without changing more than it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unspliceable {
    /// The place.
    pub span: Span,
    /// The reason: lower case, no full stop, no quotations.
    pub reason: &'static str,
}

/// The edits that a splice takes, or why there are none.
pub type Spliced = Result<Vec<Edit>, Unspliceable>;

/// Puts edits into a text. They are sorted here; `None` if two of them overlap.
pub fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    let more: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut out = String::with_capacity(text.len() + more);
    let mut at = 0;
    for edit in sorted {
        out.push_str(text.get(at..edit.span.start)?);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// A tree to be written: maps keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Text.
    Text(String),
    /// A whole number.
    Number(usize),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List(Vec<Block>),
    /// A map.
    Map(Vec<(String, Block)>),
}

impl Block {
    /// Makes a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Makes a map in this order.
    pub fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Returns the lines of a map of texts.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = if let Self::Map(entries) = self { &entries[..] } else { &[] };
        entries.iter().filter_map(|(key, value)| match value {
            Self::Text(text) => Some((&**key, &**text)),
            _ => None,
        })
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

/// Returns the line ending of the first line of a text, or `\n` if it has none.
pub(super) fn line_end(text: &str) -> &'static str {
    let first = text.find('\n').unwrap_or(0);
    if text[..first].ends_with('\r') { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_stand_where_they_belong_whatever_their_order() {
        let edits = [
            Edit::new(Span::new(4, 5), "C"),
            Edit::new(Span::at(5), "!"),
            Edit::new(Span::new(0, 1), ""),
        ];
        assert_eq!(apply("a b c", &edits).as_deref(), Some(" b C!"));
        assert_eq!(
            apply("abc", &[Edit::new(Span::new(0, 2), ""), Edit::new(Span::new(1, 3), "")]),
            None
        );
        assert_eq!(apply("é", &[Edit::new(Span::at(1), "x")]), None);
        assert!(!format!("{:?}", Edit::new(Span::at(0), "canary")).contains("canary"));
    }
}
