//! Faults of a config that sops would refuse, or silently misread.

use crate::text::Span;

/// The rule that reports a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The structure of the file.
    Structure,
    /// A rule or a key group without recipients.
    Recipients,
    /// A regular expression that Go refuses.
    Regex,
}

/// One fault of a config.
#[derive(Debug)]
pub struct Problem {
    /// Structure or regex.
    pub kind: ProblemKind,
    /// The place.
    pub span: Span,
    /// One sentence, no full stop.
    pub message: String,
    /// The next step.
    pub help: String,
}

impl Problem {
    /// Makes a problem of structure.
    pub fn new(span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { kind: ProblemKind::Structure, span, message: message.into(), help: help.into() }
    }
}
