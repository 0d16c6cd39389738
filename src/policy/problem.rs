//! Faults of a config that sops would refuse, or silently misread.

use crate::text::Span;

/// Which rule of ours a problem belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The structure of the file.
    Structure,
    /// A regular expression that Go refuses.
    Regex,
}

/// One thing that is wrong with a config.
#[derive(Debug)]
pub struct Problem {
    /// Structure or regex.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// What: one sentence, no full stop.
    pub message: String,
    /// The next step.
    pub help: String,
}

impl Problem {
    /// A problem of structure.
    pub fn new(span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { kind: ProblemKind::Structure, span, message: message.into(), help: help.into() }
    }
}
