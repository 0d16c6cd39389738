//! Scans tokens: what decides which of them sops accepts.

use super::cursor::{
    FLOW, Key, Place, Scanned, Scanner, TAB, Token, ends_word, is_blank, is_break,
};
use super::plain::is_plain;
use crate::document::parsed::ParseError;

/// How far the library looks for the next comment, in characters.
const MAX_PEEK: usize = 512;

const ANCHOR: &str = "for sops, the name of an anchor consists of a-z, A-Z, 0-9, `_` and `-`";
const END: &str = "sops does not accept a `...` before the first document: remove it";
const BEHIND: &str = "behind a `...`, sops accepts only a document that begins with `---`";
const LINES: &str = "for sops, a key inside brackets ends on the line that it begins on";
const DIRECTIVE: &str = "sops does not accept this directive: remove it";

/// Finds the first place for which sops refuses a text, although our parser may read it.
pub(in crate::document::yaml) fn refused(text: &str) -> Option<ParseError> {
    if is_plain(text) { None } else { scanned(text) }
}

/// Does the same with the scanner, whatever the text.
pub(super) fn scanned(text: &str) -> Option<ParseError> {
    let mut scanner = Scanner::new(text);
    while scanner.at < text.len() {
        if let Err((at, reason)) = scanner.token() {
            return Some(ParseError::new(at, reason));
        }
    }
    None
}

impl Scanner<'_> {
    fn token(&mut self) -> Scanned {
        self.pass_to_token();
        let Some(c) = self.peek(0) else { return Ok(()) };
        self.unroll(self.column);
        if c != '%' && !self.is_at_border() {
            if self.place == Place::Behind {
                return Err((self.at, BEHIND));
            }
            self.place = Place::Document;
        }
        self.last = self.read(c)?;
        let has_comment = self.text[self.at..].trim_start_matches([' ', '\t']).starts_with('#');
        let before = self.text[..self.at].trim_end_matches([' ', '\t']).chars().next_back();
        // Behind a dash, a comment belongs to the element.
        if self.last != Token::Element && has_comment && !is_break(before) {
            self.skip_to_line_end();
        }
        Ok(())
    }

    /// Passes over blanks, comments and line ends. A tab at the start of a line stays.
    fn pass_to_token(&mut self) {
        loop {
            let may_be_tab = self.flow > 0 || !self.may_be_key;
            while self.peek(0) == Some(' ') || (may_be_tab && self.peek(0) == Some('\t')) {
                self.skip();
            }
            if self.peek(0) == Some('#') {
                self.pass_comments();
            }
            if !is_break(self.peek(0)) {
                return;
            }
            self.skip();
            self.may_be_key |= self.flow == 0;
        }
    }

    /// Passes over comments alone on their lines, with all blank lines between them.
    fn pass_comments(&mut self) {
        loop {
            self.skip_to_line_end();
            let rest = self.text[self.at..].chars().take(MAX_PEEK);
            let blanks = rest.take_while(|c| is_blank(Some(*c)) || is_break(Some(*c))).count();
            if self.peek(blanks) != Some('#') {
                return;
            }
            while self.peek(0) != Some('#') {
                self.skip();
            }
        }
    }

    fn read(&mut self, c: char) -> Scanned<Token> {
        let (is_word_end, is_flow) = (ends_word(self.peek(1)), self.flow > 0);
        match c {
            '%' if self.column == 0 => self.directive().map(|()| Token::Other),
            _ if self.is_at_border() => {
                let is_end = c == '.';
                if is_end && self.place == Place::Start {
                    return Err((self.at, END));
                }
                self.place = if is_end { Place::Behind } else { Place::Document };
                self.close_all();
                (0..3).for_each(|_| self.skip());
                Ok(Token::Other)
            }
            '[' | '{' => Ok(self.open()),
            ']' | '}' => {
                self.keys.truncate(self.keys.len().saturating_sub(1).max(1));
                self.flow = self.flow.saturating_sub(1);
                self.may_be_key = false;
                Ok(self.pass(Token::Other))
            }
            ',' if is_flow => {
                self.forget_key();
                self.may_be_key = true;
                Ok(self.pass(Token::Opening))
            }
            '-' if is_word_end => Ok(self.begin_entry(Token::Element)),
            '?' if is_word_end => Ok(self.begin_entry(Token::Other)),
            '?' if is_flow => Err((self.at, FLOW)),
            ':' if is_word_end || is_flow => self.value(is_word_end),
            '*' | '&' => self.anchor(),
            '!' => {
                self.note_key();
                while !(ends_word(self.peek(0)) || is_flow && ",[]{}".contains(self.next())) {
                    self.skip();
                }
                Ok(Token::Other)
            }
            '|' | '>' if !is_flow => self.block().map(|()| Token::Other),
            '\'' | '"' => {
                self.note_key();
                self.quoted(c);
                Ok(Token::Other)
            }
            '\t' => Err((self.at, TAB)),
            _ => {
                self.note_key();
                self.plain().map(|()| Token::Other)
            }
        }
    }

    fn pass(&mut self, token: Token) -> Token {
        self.skip();
        token
    }

    pub(super) fn forget_key(&mut self) {
        if let Some(key) = self.keys.last_mut() {
            *key = None;
        }
    }

    /// Notes that a key may begin here. No key may follow what begins here.
    fn note_key(&mut self) {
        let here = Key { line: self.line, column: self.column };
        if let Some(key) = self.keys.last_mut().filter(|_| self.may_be_key) {
            *key = Some(here);
        }
        self.may_be_key = false;
    }

    fn open(&mut self) -> Token {
        self.note_key();
        self.keys.push(None);
        self.flow += 1;
        self.may_be_key = true;
        self.pass(Token::Opening)
    }

    fn begin_entry(&mut self, token: Token) -> Token {
        if self.flow == 0 {
            self.roll(self.column);
        }
        self.forget_key();
        self.may_be_key = token == Token::Element || self.flow == 0;
        self.pass(token)
    }

    fn value(&mut self, is_word_end: bool) -> Scanned<Token> {
        // Inside brackets, nothing needs to follow the `:` of a key in quotes.
        if !is_word_end && self.last == Token::Opening {
            return Err((self.at, FLOW));
        }
        let key = self.keys.last_mut().and_then(Option::take);
        if self.flow > 0 && key.is_some_and(|key| key.line != self.line) {
            return Err((self.at, LINES));
        }
        let key = key.filter(|key| key.line == self.line);
        if let Some(key) = key {
            self.roll(key.column);
            self.may_be_key = false;
        } else {
            self.roll(self.column);
            self.may_be_key = self.flow == 0;
        }
        Ok(self.pass(Token::Opening))
    }

    fn roll(&mut self, column: i32) {
        if self.flow == 0 && self.indent() < column {
            self.indents.push(column);
        }
    }

    fn unroll(&mut self, column: i32) {
        while self.flow == 0 && self.indent() > column {
            self.indents.pop();
        }
    }

    fn close_all(&mut self) {
        self.unroll(-1);
        self.forget_key();
        self.may_be_key = false;
    }

    fn directive(&mut self) -> Scanned {
        let start = self.at;
        self.close_all();
        self.skip_to_line_end();
        let line = self.text[start..self.at].split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_known = matches!(words[..], ["%YAML", "1.1"] | ["%TAG", _, _]);
        if is_known { Ok(()) } else { Err((start, DIRECTIVE)) }
    }

    fn anchor(&mut self) -> Scanned<Token> {
        self.note_key();
        self.skip();
        let start = self.at;
        while self.next().is_ascii_alphanumeric() || matches!(self.next(), '_' | '-') {
            self.skip();
        }
        let is_ended = ends_word(self.peek(0)) || "?:,]}%@`".contains(self.next());
        if self.at > start && is_ended { Ok(Token::Other) } else { Err((self.at, ANCHOR)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::yaml::reader;
    use crate::text::Span;

    /// sops 3.11.0 accepts these.
    const ACCEPTED: &[&str] = &[
        "a: b\n  \t\nc: d\n",
        "a: b \t\nc:\td\n",
        "a: b\t# c\nd: e\n",
        "# a\n\t\n# b\nk: v\n",
        "a: b\n# c\n  \t\n# d\ne: f\n",
        "a: |\n  b\n# c\n\t\n# d\ne: f\n",
        "a: |\n  x\n  \t\nb: c\n",
        "a: >-\n  x\n  \ty\nb: c\n",
        "a: x\n \ty\n",
        "a: 'x\n \ty'\n",
        "a: [b,\n\tc]\n",
        "a: {\n\t\n  b: c}\n",
        "a: b?c\nd: e ?f\n",
        "? a\n: b\n",
        "a: {\"b\":c, 'd':e, f: g:h}\n",
        "a: [{b: c}, [d], \"e?\"]\n",
        "a: {? b\n : c, d: [\n e\n ]}\n",
        "a: &x-1_ b\nc: *x-1_\n",
        "%YAML 1.1\n---\na: b\n",
        "a: !x,y b\n",
        "\u{feff}a: b\r\nc: |\r\n  d\r\ne: f\r\n",
        "l:\n- a\n-\n  - b: c\n    d: e\n- ? f\n  : g\n",
        "a: http://b:1/?c=d\n",
        "a: b\n...\n...\n---\nc: d\n...\n# e\n",
    ];

    /// sops 3.11.0 refuses these, or takes `?b` for the key `b`.
    const REFUSED: &[(&str, usize)] = &[
        ("a: b\n\t", 5),
        ("a: b\n\t\n", 5),
        ("a: \"b\"\n\t\nc: d\n", 7),
        ("a: 'b'\n  \t\n", 9),
        ("x:\n  a: b\n  \t\n  c: d\n", 12),
        ("x:\n  a: b\n \t\n", 11),
        ("x:\n  - a\n  \t\n  - b\n", 11),
        ("a: b\n# x\n\t\nc: d\n", 9),
        ("a: b # x\n\t\n# y\nc: d\n", 9),
        ("a: b\n...\n\t\n", 9),
        ("\t\na: b\n", 0),
        ("a:\n-\tb\n", 4),
        ("a: |\n  x\n\t\nb: c\n", 9),
        ("a: [b\n\t, c]\n", 6),
        ("{na? me: a}\n", 3),
        ("a: [b?c]\n", 5),
        ("a: {?b: c}\n", 4),
        ("a: [:b]\n", 4),
        ("a: {b: :c}\n", 7),
        ("a: {b\n : c}\n", 7),
        ("a: {b, c\n d: e}\n", 11),
        ("a: &x.y b\n", 5),
        ("a: &\u{fc} b\n", 4),
        ("%FOO bar\n---\na: b\n", 0),
        ("\n...\n---\na: b\n", 1),
        ("a: b\n...\nc: d\n", 9),
        ("---\n...\n# e\nc: d\n", 12),
        ("%YAML 1.2\n---\na: b\n", 0),
    ];

    #[test]
    fn what_sops_refuses_is_refused_and_nothing_else() {
        for text in ACCEPTED {
            assert_eq!(refused(text), None, "{text:?}");
        }
        for (text, offset) in REFUSED {
            assert_eq!(refused(text).expect(text).offset, *offset, "{text:?}");
        }
    }

    /// Otherwise no one would need this module.
    #[test]
    fn our_parser_reads_most_of_what_is_refused() {
        let is_read = |text: &&str| reader::read(text, Span::new(0, text.len())).error.is_none();
        let read = REFUSED.iter().map(|(text, _)| *text).filter(|text| is_read(text)).count();
        assert!(read * 2 > REFUSED.len(), "{read}");
    }

    proptest::proptest! {
        #[test]
        fn it_ends_on_every_text(
            text in proptest::string::string_regex(r#"([a-c:\-\[\]\{\},?&*!|>%@`"'#~ \n\t0-9é\\=;\r]|: |- |\n  |---|\.\.\.){0,60}"#).expect("a regex"),
        ) {
            refused(&text);
        }
    }
}
