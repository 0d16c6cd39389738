//! What the patterns of one config may cost together.
//!
//! A pattern has limits of its own, which are wide: a config of ten thousand patterns, each just below
//! them, would take minutes. Cost is counted and not measured, so that a config is read alike everywhere.

use super::error::PatternError;

/// What all patterns of a config may cost: bytes of translated source. Hand-written ones have fifty each.
/// It takes some two seconds to spend.
const MAX_COST: usize = 1_000_000;

/// One of Unicode's sets costs as much as so many bytes: the `regex` crate goes through its tables for each.
const SET_COST: usize = 250;

/// A range that ends beyond ASCII costs as much as so many bytes: it may hold all of Unicode, and the
/// `regex` crate may have to fold the case of every member.
const WIDE_RANGE_COST: usize = 5_000;

/// A program past the size that hand-written patterns have costs as much as so many bytes.
pub(super) const LARGE_PROGRAM_COST: usize = 50_000;

/// What is left to spend.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MAX_COST }
    }
}

impl Budget {
    /// Whether nothing can be bought any more.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Pays for something. Who cannot pay gets nothing any more: each refusal costs time as well.
    pub(super) fn pay(&mut self, cost: usize) -> Result<(), PatternError> {
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| {
            let reason =
                "the pattern is too large for sops-lint, alone or together with those before it";
            PatternError::new(reason, 0)
        })
    }
}

/// What it costs to read a translated pattern.
pub(super) fn cost(text: &str) -> usize {
    // The translation writes ranges without spaces, and ASCII as letters or as `\x2D`.
    let is_wide = |at: &usize| {
        let behind = &text[at + 1..];
        behind.starts_with("\\x{") || !behind.starts_with(|c: char| c.is_ascii())
    };
    let ranges = memchr::memchr_iter(b'-', text.as_bytes()).filter(is_wide).count();
    let sets = memchr::memmem::find_iter(text.as_bytes(), "\\p{").count();
    text.len() + sets * SET_COST + ranges * WIDE_RANGE_COST
}
