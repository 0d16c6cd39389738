//! The limit on the cost of all patterns of a config.
//!
//! The limits of a single pattern are wide: ten thousand patterns just below them would take minutes. Cost is
//! counted, not measured, so a config has the same result on every machine.

use super::error::PatternError;

/// Maximum cost of all patterns of a config, in bytes of translated source: some two seconds. A hand-written
/// pattern has fifty bytes.
const MAX_COST: usize = 1_000_000;

/// Cost of a Unicode set: the `regex` crate scans its tables for each.
const SET_COST: usize = 250;

/// Cost of a range that ends beyond ASCII: it may contain all of Unicode, and the `regex` crate may fold the
/// case of every member.
const WIDE_RANGE_COST: usize = 5_000;

/// Cost of a program that is larger than those of hand-written patterns.
pub(super) const LARGE_PROGRAM_COST: usize = 50_000;

/// The remaining cost.
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
    /// Reports whether nothing remains.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Subtracts a cost. If it is too high, nothing remains afterwards: refusals take time, too.
    pub(super) fn pay(&mut self, cost: usize) -> Result<(), PatternError> {
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| {
            let reason =
                "the pattern is too large for sops-lint, by itself or together with those before it";
            PatternError::new(reason, 0)
        })
    }
}

/// Returns the cost of a translated pattern.
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
