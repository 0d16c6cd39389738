//! The identity of a recipient, in a form that can be compared.

use std::borrow::Cow;

/// A recipient, independent of how and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The canonical form: equal for equal keys.
    pub id: String,
    /// A problem with its spelling that sops tolerates.
    pub oddity: Option<Oddity>,
}

impl Identity {
    /// Returns a recipient without an oddity.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), oddity: None }
    }

    /// Returns a recipient with an oddity.
    pub fn odd(id: impl Into<String>, oddity: Oddity) -> Self {
        Self { id: id.into(), oddity: Some(oddity) }
    }
}

/// A property of a recipient that works and should still be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// A predicate: lower case, no full stop, never quotes the text.
    pub reason: &'static str,
    /// The next step: an imperative sentence without full stop.
    pub help: &'static str,
}

/// The result of comparing two recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// They are the same key.
    Same,
    /// They are different keys.
    Different,
    /// This cannot be decided offline: a KMS key and an alias, an OpenPGP subkey (`FPR!`) and a primary key.
    Unknown,
}

/// The reason why a text is not a recipient. Never quotes the text: people paste private keys here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidRecipient {
    /// A predicate: lower case, no full stop.
    pub reason: Cow<'static, str>,
    /// The next step: an imperative sentence without full stop.
    pub help: &'static str,
    /// True if the text contains a variable such as `${KEY_FP}` that a tool fills in later.
    pub is_placeholder: bool,
}

impl InvalidRecipient {
    /// Returns an error with its remedy.
    pub fn new(reason: impl Into<Cow<'static, str>>, help: &'static str) -> Self {
        Self { reason: reason.into(), help, is_placeholder: false }
    }
}
