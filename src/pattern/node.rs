//! A translated piece of a pattern, and how pieces are put together.
//!
//! Lives here: where the translation needs parentheses, and the three limits of Go that depend on
//! the whole tree (nesting, copies made by counted repetitions). Not here: reading any syntax.
//!
//! The one thing to know: text and tree are two views. The text is Rust's; the height and the
//! copies belong to the tree that Go would have built, which decides what Go refuses.

use std::fmt::Write as _;

/// Levels of Go's syntax tree that are allowed (`maxHeight` in `regexp/syntax`).
pub(super) const MAX_HEIGHT: usize = 1000;

/// Copies that a counted repetition may make, alone or with those inside (`maxRepeat`).
pub(super) const MAX_COPIES: u32 = 1000;

/// Rust's syntax for a set without members: it matches nothing.
pub(super) const NOTHING: &str = "[a&&b]";

/// A set that has every character.
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

/// How tightly the text holds together; decides about parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    Atom,
    Repeated,
    Sequence,
    Choice,
}

/// What Go's tree has in this place; decides about the height.
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

    /// A piece that matches between characters, already in Rust's syntax.
    pub(super) fn anchor(text: &str) -> Self {
        Self::atom(text, Tree::Other)
    }

    /// A piece that matches one character of a set, already in Rust's syntax.
    pub(super) fn set(text: &str, folds: bool) -> Self {
        if folds {
            Self::atom(format!("(?i:{text})"), Tree::Set)
        } else {
            Self::atom(text, Tree::Set)
        }
    }

    /// A piece that matches one code point, or its case variants too if it `folds`.
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

    /// Pieces one after the other; matches the empty text when there are none.
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

    /// Either of two pieces.
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

    /// The piece as a capturing group: the same text, one level more in Go's tree.
    pub(super) fn captured(self) -> Self {
        Self { tree: Tree::Other, height: self.height + 1, ..self }
    }

    /// The piece repeated by `*`, `+` or `?`.
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

    /// The piece repeated `min` to `max` times; nothing when that makes too many copies.
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

    /// The pattern in Rust's syntax.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is this anchor.
    pub(super) fn is_anchor(&self, text: &str) -> bool {
        self.tree == Tree::Other && self.text == text
    }

    /// The one character that it matches, for a piece that matches no other text.
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

    /// The levels of Go's syntax tree.
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
    /// Whether literal text folds its case; nothing for a piece that is not literal text.
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

/// The height of two pieces under one parent. A piece that is itself such a parent gives its
/// children away: Go has no sequence within a sequence and no choice within a choice.
fn joint_height(left: &Node, right: &Node, parent: Tree) -> usize {
    let children = |node: &Node| node.height - usize::from(node.tree == parent);
    1 + children(left).max(children(right))
}

/// The character so that Rust's syntax gives it no other meaning, inside brackets and outside.
pub(super) fn escaped(character: char) -> String {
    if character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii() {
        character.to_string()
    } else {
        format!(r"\x{:02X}", u32::from(character))
    }
}
