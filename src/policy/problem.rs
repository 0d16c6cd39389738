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
    /// The number of the only rule that it stops: sops uses the other rules.
    pub only_rule: Option<usize>,
}

impl Problem {
    /// Makes a problem of structure.
    pub fn new(span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), help.into());
        Self { kind: ProblemKind::Structure, span, message, help, only_rule: None }
    }

    /// Sets the only rule that it stops.
    pub(super) fn in_rule(self, number: usize) -> Self {
        Self { only_rule: Some(number), ..self }
    }

    /// Reports whether sops refuses a file for it that this rule governs.
    pub fn stops(&self, number: usize) -> bool {
        self.only_rule.is_none_or(|only| only == number)
    }
}
