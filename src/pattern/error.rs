//! The error of a pattern that cannot be used.

/// The reason why a pattern cannot be used, and the place in its source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at byte {offset})")]
pub struct PatternError {
    reason: String,
    offset: usize,
}

impl PatternError {
    pub(super) fn new(reason: impl Into<String>, offset: usize) -> Self {
        Self { reason: reason.into(), offset }
    }

    /// Returns the reason in plain English: lower case, no full stop, names the construct.
    ///
    /// *Shape*: may quote a piece of the source, shortened but not cleaned of control characters.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the place where the construct begins.
    ///
    /// *Unit*: bytes from the start of the source, always on a character boundary, at most the
    /// length of the source. 0 when the pattern as a whole is at fault.
    pub fn offset(&self) -> usize {
        self.offset
    }
}
