//! A translated piece of a pattern, and the composition of pieces.
//!
//! This module decides where the translation needs parentheses, and computes the limits of Go that depend
//! on the whole tree: nesting, and copies by counted repetitions.
//!
//! The text of a piece is in Rust's syntax. Its height and copies are those of the tree that Go would build,
//! which decides if Go refuses the pattern.

use std::fmt::Write as _;

/// Maximum levels of Go's syntax tree (`maxHeight` in `regexp/syntax`).
pub(super) const MAX_HEIGHT: usize = 1000;

/// Maximum copies of a counted repetition, alone or with those inside (`maxRepeat`).
pub(super) const MAX_COPIES: u32 = 1000;

/// A set without members, in Rust's syntax. It matches nothing.
pub(super) const NOTHING: &str = "[a&&b]";

/// A set of all characters.
pub(super) const EVERYTHING: &str = r"[\x{0}-\x{10FFFF}]";

/// A translated piece of a pattern.
#[derive(Debug)]
pub(super) struct Node {
    text: String,
    binding: Binding,
    tree: Tree,
    height: usize,
    copies: u32,
}

/// Precedence of the text, which decides about parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    Atom,
    Repeated,
    Sequence,
    Choice,
}

/// Kind of Go's node, which decides about the height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Character { folds: bool },
    Word { folds: bool },
    Set,
    Sequence,
    Choice,
    Other,
}

impl Node {
    fn atom(text: impl Into<String>, tree: Tree) -> Self {
        Self { text: text.into(), binding: Binding::Atom, tree, height: 1, copies: 1 }
    }

    /// Returns a piece that matches between characters, from text in Rust's syntax.
    pub(super) fn anchor(text: &str) -> Self {
        Self::atom(text, Tree::Other)
    }

    /// Returns a piece that matches one character of a set, from text in Rust's syntax.
    pub(super) fn set(text: &str, folds: bool) -> Self {
        if folds {
            Self::atom(format!("(?i:{text})"), Tree::Set)
        } else {
            Self::atom(text, Tree::Set)
        }
    }

    /// Returns a piece that matches one code point, and its case variants if it `folds`.
    pub(super) fn literal(code_point: u32, folds: bool) -> Self {
        let tree = Tree::Character { folds };
        let Some(character) = char::from_u32(code_point) else {
            return Self::atom(NOTHING, tree);
        };
        let mut text = String::new();
        match character.to_ascii_lowercase() {
            // The two ASCII letters with a third case variant: the Kelvin sign and the long s.
            'k' if folds => text.push_str(r"[Kk\x{212A}]"),
            's' if folds => text.push_str(r"[Ss\x{17F}]"),
            lower if folds && lower.is_ascii_lowercase() => {
                text.extend(['[', lower.to_ascii_uppercase(), lower, ']']);
            }
            _ if folds && !character.is_ascii() => text.extend(["(?i:", &escaped(character), ")"]),
            _ => text.push_str(&escaped(character)),
        }
        Self::atom(text, tree)
    }

    /// Returns a sequence of pieces. An empty sequence matches the empty text.
    pub(super) fn sequence(pieces: Vec<Self>) -> Self {
        let mut pieces = pieces.into_iter();
        let Some(first) = pieces.next() else {
            let mut empty = Self::atom("", Tree::Other);
            empty.binding = Binding::Sequence;
            return empty;
        };
        pieces.fold(first, |sequence, next| sequence.then(&next))
    }

    /// Appends one piece to a sequence.
    fn then(mut self, next: &Self) -> Self {
        self.parenthesise_unless(|binding| binding != Binding::Choice);
        let copies = self.copies.max(next.copies);
        let (tree, height) = match (self.tree.literal(), next.tree.literal()) {
            (Some(folds), Some(next_folds)) if folds == next_folds => (Tree::Word { folds }, 1),
            _ => (Tree::Sequence, joint_height(&self, next, Tree::Sequence)),
        };
        if next.binding == Binding::Choice {
            self.text.extend(["(?:", &next.text, ")"]);
        } else {
            self.text.push_str(&next.text);
        }
        Self { text: self.text, binding: Binding::Sequence, tree, height, copies }
    }

    /// Returns a choice between two pieces.
    pub(super) fn or(mut self, other: &Self) -> Self {
        let copies = self.copies.max(other.copies);
        // Go turns `a|b` into one set.
        let (tree, height) = if self.tree.is_set_like() && other.tree.is_set_like() {
            (Tree::Set, 1)
        } else {
            (Tree::Choice, joint_height(&self, other, Tree::Choice))
        };
        self.text.extend(["|", &other.text]);
        Self { text: self.text, binding: Binding::Choice, tree, height, copies }
    }

    /// Returns the piece as a capturing group: the same text, one more level in Go's tree.
    pub(super) fn captured(self) -> Self {
        Self { tree: Tree::Other, height: self.height + 1, ..self }
    }

    /// Returns the piece with `*`, `+` or `?`.
    pub(super) fn repeated(mut self, operator: char) -> Self {
        self.parenthesise_unless(|binding| binding == Binding::Atom);
        self.text.push(operator);
        Self {
            text: self.text,
            binding: Binding::Repeated,
            tree: Tree::Other,
            height: self.height + 1,
            copies: self.copies,
        }
    }

    /// Returns the piece repeated `min` to `max` times. `None` if that makes too many copies.
    pub(super) fn counted(mut self, min: u32, max: Option<u32>) -> Option<Self> {
        let copies = match max {
            Some(0) => 1,
            _ => self.copies.saturating_mul(max.unwrap_or(min).max(1)),
        };
        if copies > MAX_COPIES && (min >= 2 || max.is_some_and(|max| max >= 2)) {
            return None;
        }
        self.parenthesise_unless(|binding| binding == Binding::Atom);
        // Writing to a string cannot fail.
        let _ = match max {
            Some(max) => write!(self.text, "{{{min},{max}}}"),
            None => write!(self.text, "{{{min},}}"),
        };
        Some(Self {
            text: self.text,
            binding: Binding::Repeated,
            tree: Tree::Other,
            height: self.height + 1,
            copies,
        })
    }

    /// Returns the pattern in Rust's syntax.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Reports whether it is this anchor.
    pub(super) fn is_anchor(&self, text: &str) -> bool {
        self.tree == Tree::Other && self.text == text
    }

    /// Returns the character of a piece that matches exactly one text.
    pub(super) fn verbatim(&self) -> Option<char> {
        if self.tree != (Tree::Character { folds: false }) {
            return None;
        }
        if let Some(digits) = self.text.strip_prefix(r"\x") {
            return u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        }
        let mut characters = self.text.chars();
        characters.next().filter(|_| characters.next().is_none())
    }

    /// Returns the number of levels of Go's syntax tree.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    fn parenthesise_unless(&mut self, is_fine: impl Fn(Binding) -> bool) {
        if !is_fine(self.binding) {
            self.text.insert_str(0, "(?:");
            self.text.push(')');
            self.binding = Binding::Atom;
        }
    }
}

impl Tree {
    /// Reports whether literal text folds its case. `None` for other pieces.
    fn literal(self) -> Option<bool> {
        match self {
            Self::Character { folds } | Self::Word { folds } => Some(folds),
            _ => None,
        }
    }

    fn is_set_like(self) -> bool {
        matches!(self, Self::Character { .. } | Self::Set)
    }
}

/// Returns the height of two pieces under one parent. If a piece is such a parent itself, its children move
/// up: Go has no sequence within a sequence and no choice within a choice.
fn joint_height(left: &Node, right: &Node, parent: Tree) -> usize {
    let children = |node: &Node| node.height - usize::from(node.tree == parent);
    1 + children(left).max(children(right))
}

/// Escapes a character for Rust's syntax, inside and outside of brackets.
pub(super) fn escaped(character: char) -> String {
    if character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii() {
        character.to_string()
    } else {
        format!(r"\x{:02X}", u32::from(character))
    }
}
