//! The grammar: translates a source in Go's syntax to a piece in Rust's.
//!
//! This module reads groups, flags, alternatives, repetitions and anchors. `class` reads brackets, `escape`
//! reads escapes, `node` composes the output.
//!
//! As in Go, there is no recursion, only a stack of open groups, so deeply nested parentheses are harmless.

use std::mem;

use super::cursor::{Cursor, quote};
use super::error::PatternError;
use super::node::{MAX_COPIES, MAX_HEIGHT, Node};
use super::{class, escape};

/// The beginning and the end of the text, in Rust's syntax.
const START: &str = r"\A";
const END: &str = r"\z";

/// A whole source.
#[derive(Debug)]
pub(super) struct Translation {
    /// The pattern.
    pub(super) root: Node,
    /// A prefix of every text that it matches, if it is easy to find.
    pub(super) start: String,
    /// A suffix of every text that it matches.
    pub(super) end: String,
}

/// Translates a whole source.
///
/// *Errors*: everything that Go's `regexp.Compile` refuses.
/// *Source*: `parse` in Go's `regexp/syntax`, with the flags `syntax.Perl`.
pub(super) fn translate(source: &str) -> Result<Translation, PatternError> {
    let mut translator = Translator {
        cursor: Cursor::new(source),
        flags: Flags::default(),
        group: Group::default(),
        outer: Vec::new(),
        is_after_repetition: false,
    };
    while let Some(next) = translator.cursor.peek() {
        translator.is_after_repetition = translator.step(next)?;
    }
    if !translator.outer.is_empty() {
        let start = translator.group.start;
        return Err(PatternError::new("the group opened by `(` has no closing `)`", start));
    }
    let group = mem::take(&mut translator.group);
    let (start, end) = group.edges();
    let root = translator.checked(group.finish())?;
    Ok(Translation { root, start, end })
}

struct Translator<'a> {
    cursor: Cursor<'a>,
    flags: Flags,
    /// The innermost open group; the pattern as a whole counts as one.
    group: Group,
    /// The groups around it, outermost first.
    outer: Vec<Group>,
    /// True if the previous step was a repetition.
    is_after_repetition: bool,
}

/// The flags that decide whether there is a match; `U` only decides how long it is.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    folds_case: bool,
    is_multi_line: bool,
    dot_takes_newline: bool,
}

#[derive(Debug, Default)]
struct Group {
    start: usize,
    captures: bool,
    /// Flags to restore at the end of the group.
    flags_before: Flags,
    alternatives: Option<Node>,
    pieces: Vec<Node>,
}

impl Group {
    /// Ends the current alternative.
    fn end_alternative(&mut self) {
        let last = Node::sequence(mem::take(&mut self.pieces));
        self.alternatives = Some(match self.alternatives.take() {
            Some(others) => others.or(&last),
            None => last,
        });
    }

    /// Returns the plain text after `^` at its start and before `$` at its end.
    fn edges(&self) -> (String, String) {
        if self.alternatives.is_some() {
            return Default::default();
        }
        let start = match &self.pieces[..] {
            [first, rest @ ..] if first.is_anchor(START) => {
                rest.iter().map_while(Node::verbatim).collect()
            }
            _ => String::new(),
        };
        let end: Vec<char> = match &self.pieces[..] {
            [rest @ .., last] if last.is_anchor(END) => {
                rest.iter().rev().map_while(Node::verbatim).collect()
            }
            _ => Vec::new(),
        };
        (start, end.into_iter().rev().collect())
    }

    fn finish(mut self) -> Node {
        self.end_alternative();
        let captures = self.captures;
        let inside = self.alternatives.unwrap_or_else(|| Node::sequence(Vec::new()));
        if captures { inside.captured() } else { inside }
    }
}

impl Translator<'_> {
    /// Reads one element, and reports whether it was a repetition.
    fn step(&mut self, next: char) -> Result<bool, PatternError> {
        match next {
            '*' | '+' | '?' => {
                self.repeat(next)?;
                return Ok(true);
            }
            '{' => {
                if self.repeat_counted()? {
                    return Ok(true);
                }
                self.cursor.next();
                self.push_literal(next);
            }
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '|' => {
                self.cursor.next();
                self.group.end_alternative();
            }
            '[' => {
                let set = class::bracketed_set(&mut self.cursor)?;
                self.push_set(&set);
            }
            '^' | '$' | '.' => {
                self.cursor.next();
                let piece = self.symbol(next);
                self.group.pieces.push(piece);
            }
            '\\' => self.backslash()?,
            _ => {
                self.cursor.next();
                self.push_literal(next);
            }
        }
        Ok(false)
    }

    fn symbol(&self, symbol: char) -> Node {
        match symbol {
            '^' if self.flags.is_multi_line => Node::anchor("(?m:^)"),
            '^' => Node::anchor(START),
            '$' if self.flags.is_multi_line => Node::anchor("(?m:$)"),
            '$' => Node::anchor(END),
            _ if self.flags.dot_takes_newline => Node::set("(?s:.)", false),
            _ => Node::set(".", false),
        }
    }

    fn backslash(&mut self) -> Result<(), PatternError> {
        if self.cursor.eat(r"\Q") {
            let rest = self.cursor.rest();
            let quoted = self.cursor.eat_until(r"\E").unwrap_or_else(|| {
                self.cursor.eat(rest);
                rest
            });
            quoted.chars().for_each(|character| self.push_literal(character));
            return Ok(());
        }
        // Go's word boundaries are ASCII only.
        let anchors = [(r"\A", START), (r"\z", END), (r"\b", r"(?-u:\b)"), (r"\B", r"(?-u:\B)")];
        for (go, rust) in anchors {
            if self.cursor.eat(go) {
                self.group.pieces.push(Node::anchor(rust));
                return Ok(());
            }
        }
        if let Some(set) = class::escaped_set(&mut self.cursor)? {
            self.push_set(&set);
        } else {
            let code_point = escape::code_point(&mut self.cursor)?;
            let piece = Node::literal(code_point, self.flags.folds_case);
            self.group.pieces.push(piece);
        }
        Ok(())
    }

    fn push_literal(&mut self, character: char) {
        let piece = Node::literal(u32::from(character), self.flags.folds_case);
        self.group.pieces.push(piece);
    }

    fn push_set(&mut self, set: &str) {
        self.group.pieces.push(Node::set(set, self.flags.folds_case));
    }

    /// Reads `*`, `+` or `?`.
    fn repeat(&mut self, operator: char) -> Result<(), PatternError> {
        let start = self.cursor.offset();
        self.cursor.next();
        let repeated = self.take_repeated(start)?.repeated(operator);
        let repeated = self.checked(repeated)?;
        self.group.pieces.push(repeated);
        Ok(())
    }

    /// Reads `{2}`, `{2,}` or `{2,5}`. Other text that begins with a brace is plain text.
    fn repeat_counted(&mut self) -> Result<bool, PatternError> {
        let start = self.cursor.offset();
        let Some((length, min, max)) = count(self.cursor.rest()) else {
            return Ok(false);
        };
        let written = &self.cursor.rest()[..length];
        self.cursor.eat(written);
        if min > MAX_COPIES || max.is_some_and(|max| max > MAX_COPIES) {
            let reason =
                format!("the count {} is too large: the limit is {MAX_COPIES}", quote(written));
            return Err(PatternError::new(reason, start));
        }
        if max.is_some_and(|max| max < min) {
            let reason = format!("the count {} ends before it begins", quote(written));
            return Err(PatternError::new(reason, start));
        }
        let repeated = self.take_repeated(start)?.counted(min, max).ok_or_else(|| {
            let reason = format!(
                "the count {} makes more than {MAX_COPIES} copies, together with those inside",
                quote(written)
            );
            PatternError::new(reason, start)
        })?;
        let repeated = self.checked(repeated)?;
        self.group.pieces.push(repeated);
        Ok(true)
    }

    /// Removes and returns the piece that a repetition applies to. The operator begins at `start` and ends at
    /// the cursor.
    fn take_repeated(&mut self, start: usize) -> Result<Node, PatternError> {
        self.cursor.eat("?");
        let operator = quote(self.cursor.text_from(start));
        if self.is_after_repetition {
            let reason = format!(
                "{operator} repeats a repetition, which Go's regular expressions do not allow"
            );
            return Err(PatternError::new(reason, start));
        }
        self.group.pieces.pop().ok_or_else(|| {
            PatternError::new(format!("{operator} has nothing before it to repeat"), start)
        })
    }

    fn close_group(&mut self) -> Result<(), PatternError> {
        let Some(outer) = self.outer.pop() else {
            let start = self.cursor.offset();
            return Err(PatternError::new("`)` closes a group that was not opened", start));
        };
        self.cursor.next();
        let group = mem::replace(&mut self.group, outer);
        self.flags = group.flags_before;
        let finished = self.checked(group.finish())?;
        self.group.pieces.push(finished);
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), PatternError> {
        let start = self.cursor.offset();
        self.cursor.eat("(");
        if !self.cursor.eat("?") {
            self.push_group(start, true);
            return Ok(());
        }
        let rest = self.cursor.rest();
        if rest.starts_with("<=") || rest.starts_with("<!") {
            self.cursor.eat(&rest[..2]);
            return Err(self.refused_group(start));
        }
        if self.cursor.eat("P<") || self.cursor.eat("<") {
            let is_valid = |name: &str| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            if !self.cursor.eat_until(">").is_some_and(is_valid) {
                let group = quote(self.cursor.text_from(start));
                let reason = format!("{group} is not a named group such as `(?P<name>`");
                return Err(PatternError::new(reason, start));
            }
            self.push_group(start, true);
            return Ok(());
        }
        self.read_flags(start)
    }

    fn push_group(&mut self, start: usize, captures: bool) {
        let group = Group { start, captures, flags_before: self.flags, ..Group::default() };
        self.outer.push(mem::replace(&mut self.group, group));
    }

    /// Reads the text after `(?`: flags, then `)` to set them from here on, or `:` to open a group.
    fn read_flags(&mut self, start: usize) -> Result<(), PatternError> {
        let mut flags = self.flags;
        let mut value = true;
        let mut is_minus_pending = false;
        while let Some(next) = self.cursor.next() {
            match next {
                'i' => flags.folds_case = value,
                'm' => flags.is_multi_line = value,
                's' => flags.dot_takes_newline = value,
                'U' => {}
                '-' if value => {
                    value = false;
                    is_minus_pending = true;
                    continue;
                }
                ')' if !is_minus_pending => {
                    self.flags = flags;
                    return Ok(());
                }
                ':' if !is_minus_pending => {
                    self.push_group(start, false);
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            is_minus_pending = false;
        }
        Err(self.refused_group(start))
    }

    /// Returns the error for a group that Go does not support, read up to its first wrong character.
    fn refused_group(&self, start: usize) -> PatternError {
        let group = self.cursor.text_from(start);
        let construct = match group {
            "(?=" | "(?!" => "look-ahead",
            "(?<=" | "(?<!" => "look-behind",
            "(?>" => "atomic group",
            "(?#" => "comment",
            "(?(" => "conditional group",
            "(?|" => "branch reset",
            "(?R" | "(?&" | "(?0" | "(?1" => "recursion",
            "(?'" => "named group",
            "(?P" => "named reference",
            _ if self.cursor.rest().is_empty() => {
                let reason = format!("the group {} is not complete", quote(group));
                return PatternError::new(reason, start);
            }
            _ => "flag group",
        };
        let reason =
            format!("{construct} {} does not exist in Go's regular expressions", quote(group));
        PatternError::new(reason, start)
    }

    /// Returns the piece, unless it makes Go's syntax tree too high.
    fn checked(&self, piece: Node) -> Result<Node, PatternError> {
        if piece.height() > MAX_HEIGHT {
            let reason = format!("the pattern nests more than {MAX_HEIGHT} levels deep");
            return Err(PatternError::new(reason, self.cursor.offset()));
        }
        Ok(piece)
    }
}

/// Reads a counted repetition at the start of a text.
///
/// *Shape*: its length in bytes, the least count, and the greatest if there is one; numbers that
/// are too large to hold are `u32::MAX`.
fn count(text: &str) -> Option<(usize, u32, Option<u32>)> {
    let mut cursor = Cursor::new(text);
    let number = |cursor: &mut Cursor<'_>| {
        let digits = cursor.eat_while(|next| next.is_ascii_digit());
        let is_number = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
        is_number.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    if !cursor.eat("{") {
        return None;
    }
    let min = number(&mut cursor)?;
    let max = if !cursor.eat(",") {
        Some(min)
    } else if cursor.rest().starts_with('}') {
        None
    } else {
        Some(number(&mut cursor)?)
    };
    cursor.eat("}").then(|| (cursor.offset(), min, max))
}
