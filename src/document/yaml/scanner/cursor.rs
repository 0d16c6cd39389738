//! The state of a scan, and the steps over characters.

pub(super) const TAB: &str = "sops does not accept a tab here: use spaces";
pub(super) const FLOW: &str =
    "inside brackets, this is an indicator for sops: put the text in quotes";

pub(super) type Scanned<T = ()> = Result<T, (usize, &'static str)>;

/// A token, as far as it decides about the next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `-`
    Element,
    /// `[`, `{`, `,` or `:`.
    Opening,
    Other,
}

/// A place where a key may have begun.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) line: usize,
    pub(super) column: i32,
}

pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// In characters.
    pub(super) column: i32,
    pub(super) line: usize,
    /// Number of open brackets.
    pub(super) flow: usize,
    /// The columns of the open blocks, behind -1.
    pub(super) indents: Vec<i32>,
    /// A possible key for every open bracket, and one for the block around them.
    pub(super) keys: Vec<Option<Key>>,
    pub(super) may_be_key: bool,
    pub(super) last: Token,
    pub(super) place: Place,
}

/// Where a token is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    Document,
    /// Behind a `...`.
    Behind,
}

pub(super) fn is_blank(c: Option<char>) -> bool {
    matches!(c, Some(' ' | '\t'))
}

pub(super) fn is_break(c: Option<char>) -> bool {
    matches!(c, Some('\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}

pub(super) fn ends_word(c: Option<char>) -> bool {
    c.is_none() || is_blank(c) || is_break(c)
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 },
            column: 0,
            line: 0,
            flow: 0,
            indents: vec![-1],
            keys: vec![None],
            may_be_key: true,
            last: Token::Other,
            place: Place::Start,
        }
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.text[self.at..].chars().nth(ahead)
    }

    pub(super) fn next(&self) -> char {
        self.peek(0).unwrap_or('\0')
    }

    /// Passes over one character, and over both of CRLF.
    pub(super) fn skip(&mut self) {
        let Some(c) = self.peek(0) else { return };
        let is_pair = c == '\r' && self.peek(1) == Some('\n');
        self.at += c.len_utf8() + usize::from(is_pair);
        let is_end = is_break(Some(c));
        self.column = if is_end { 0 } else { self.column + 1 };
        self.line += usize::from(is_end);
    }

    pub(super) fn skip_to_line_end(&mut self) {
        while !(self.peek(0).is_none() || is_break(self.peek(0))) {
            self.skip();
        }
    }

    pub(super) fn indent(&self) -> i32 {
        self.indents.last().copied().unwrap_or(-1)
    }

    /// Returns true at a `---` or `...` that begins or ends a document.
    pub(super) fn is_at_border(&self) -> bool {
        let rest = &self.text[self.at..];
        let is_mark = rest.starts_with("---") || rest.starts_with("...");
        self.column == 0 && is_mark && ends_word(rest.chars().nth(3))
    }
}
