//! A fault of a `sops` block.

use crate::text::Span;

/// A mistake in a `sops` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place.
    pub span: Span,
    /// A predicate whose subject is the block: lower case, no full stop, no value.
    pub reason: String,
}
