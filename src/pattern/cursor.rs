//! A position in the source of a pattern: a byte offset that is always between two characters.

/// A position in the source of a pattern, moving forward only.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    source: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor at the beginning.
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, offset: 0 }
    }

    /// Returns the position, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the unread text.
    pub(super) fn rest(&self) -> &'a str {
        &self.source[self.offset..]
    }

    /// Returns the next character, without consuming it.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Consumes the next character.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.offset += next.len_utf8();
        Some(next)
    }

    /// Consumes `text` if it comes next, and reports whether it did.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.offset += text.len();
        }
        found
    }

    /// Consumes everything up to and including the next `end`. Consumes nothing without an `end`.
    ///
    /// *Shape*: the text before `end`.
    pub(super) fn eat_until(&mut self, end: &str) -> Option<&'a str> {
        let (text, _) = self.rest().split_once(end)?;
        self.offset += text.len() + end.len();
        Some(text)
    }

    /// Consumes all characters that satisfy the condition, and returns them.
    pub(super) fn eat_while(&mut self, condition: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !condition(c)).unwrap_or(rest.len());
        self.offset += length;
        &rest[..length]
    }

    /// Returns the text from an earlier position to this one.
    pub(super) fn text_from(&self, start: usize) -> &'a str {
        &self.source[start..self.offset]
    }
}

/// Maximum characters of the source in a message.
const MAX_QUOTE_CHARACTERS: usize = 40;

/// Returns the text in back-quotes, shortened for a message.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE_CHARACTERS) {
        Some((end, _)) => format!("`{}...`", &text[..end]),
        None => format!("`{text}`"),
    }
}
