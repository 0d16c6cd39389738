//! A position in the source of a pattern.
//!
//! Lives here: looking at and stepping over text. Not here: what the text means.
//!
//! The one thing to know: the position is a byte offset that always lies between two characters.

/// A position in the source of a pattern, moving forward only.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    source: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Stands at the beginning.
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, offset: 0 }
    }

    /// The position, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// All that was not read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.source[self.offset..]
    }

    /// The next character, without stepping over it.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Steps over the next character.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.offset += next.len_utf8();
        Some(next)
    }

    /// Steps over `text` when it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.offset += text.len();
        }
        found
    }

    /// Steps over everything before the next `end`, and over `end`; not at all without an `end`.
    ///
    /// *Shape*: the text before `end`.
    pub(super) fn eat_until(&mut self, end: &str) -> Option<&'a str> {
        let (text, _) = self.rest().split_once(end)?;
        self.offset += text.len() + end.len();
        Some(text)
    }

    /// Steps over all the characters that satisfy the condition.
    pub(super) fn eat_while(&mut self, condition: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !condition(c)).unwrap_or(rest.len());
        self.offset += length;
        &rest[..length]
    }

    /// The text from an earlier position to this one.
    pub(super) fn text_from(&self, start: usize) -> &'a str {
        &self.source[start..self.offset]
    }
}

/// Characters of the source that a message repeats at most.
const MAX_QUOTE_CHARACTERS: usize = 40;

/// The text in back-quotes, shortened to be part of a message.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE_CHARACTERS) {
        Some((end, _)) => format!("`{}...`", &text[..end]),
        None => format!("`{text}`"),
    }
}
