//! Scans scalars.

use super::cursor::{FLOW, Scanned, Scanner, TAB, ends_word, is_blank, is_break};

impl Scanner<'_> {
    pub(super) fn quoted(&mut self, quote: char) {
        self.skip();
        while let Some(c) = self.peek(0) {
            let is_doubled = quote == '\'' && c == quote && self.peek(1) == Some(quote);
            let is_pair = is_doubled || (quote == '"' && c == '\\');
            self.skip();
            if is_pair {
                self.skip();
            } else if c == quote {
                return;
            }
        }
    }

    /// Reads text without quotes, with the lines that continue it.
    pub(super) fn plain(&mut self) -> Scanned {
        let indent = self.indent() + 1;
        let mut is_at_line_start = false;
        while !self.is_at_border() && self.peek(0) != Some('#') {
            while !ends_word(self.peek(0)) {
                let c = self.next();
                if self.flow > 0 && c == '?' {
                    return Err((self.at, FLOW));
                }
                if (c == ':' && ends_word(self.peek(1))) || (self.flow > 0 && ",[]{}".contains(c)) {
                    break;
                }
                is_at_line_start = false;
                self.skip();
            }
            if !(is_blank(self.peek(0)) || is_break(self.peek(0))) {
                break;
            }
            while is_blank(self.peek(0)) || is_break(self.peek(0)) {
                if is_at_line_start && self.column < indent && self.next() == '\t' {
                    return Err((self.at, TAB));
                }
                is_at_line_start |= is_break(self.peek(0));
                self.skip();
            }
            if self.flow == 0 && self.column < indent {
                break;
            }
        }
        self.may_be_key |= is_at_line_start;
        Ok(())
    }

    /// Reads a block of text after `|` or `>`.
    pub(super) fn block(&mut self) -> Scanned {
        self.forget_key();
        self.may_be_key = true;
        self.skip();
        let mut indent = 0;
        while let Some(c) = self.peek(0).filter(|c| c.is_ascii_digit() || "+-".contains(*c)) {
            if let Some(digit) = c.to_digit(10).and_then(|digit| i32::try_from(digit).ok()) {
                indent = self.indent().max(0) + digit;
            }
            self.skip();
        }
        loop {
            self.skip_to_line_end();
            self.skip();
            self.block_breaks(&mut indent)?;
            if self.column != indent || self.at == self.text.len() {
                return Ok(());
            }
        }
    }

    /// Passes over indentation and empty lines. If `indent` is 0, finds it out.
    fn block_breaks(&mut self, indent: &mut i32) -> Scanned {
        let mut widest = 0;
        loop {
            let is_inside = |column: i32| *indent == 0 || column < *indent;
            while is_inside(self.column) && self.peek(0) == Some(' ') {
                self.skip();
            }
            widest = widest.max(self.column);
            if is_inside(self.column) && self.peek(0) == Some('\t') {
                return Err((self.at, TAB));
            }
            if !is_break(self.peek(0)) {
                break;
            }
            self.skip();
        }
        if *indent == 0 {
            *indent = widest.max(self.indent() + 1).max(1);
        }
        Ok(())
    }
}
