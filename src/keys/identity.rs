//! The identity of a recipient, in a form that can be compared.

use std::borrow::Cow;

/// Who a recipient is, apart from where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The canonical form: equal for equal keys.
    pub id: String,
    /// What is odd about the way it is written, though sops takes it.
    pub oddity: Option<Oddity>,
}

impl Identity {
    /// A recipient that is written as it should be.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), oddity: None }
    }

    /// The same, with something to say about it.
    pub fn odd(id: impl Into<String>, oddity: Oddity) -> Self {
        Self { id: id.into(), oddity: Some(oddity) }
    }
}

/// Something about a recipient that works and should still be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What it is: lower case, no full stop, never quotes the text.
    pub reason: &'static str,
    /// What to do: an imperative sentence without full stop.
    pub help: &'static str,
}

/// True if two recipients are one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// They are.
    Same,
    /// They are not.
    Different,
    /// Nobody can tell offline: a KMS key and an alias, an OpenPGP subkey (`FPR!`) and a primary key.
    Unknown,
}

/// Why a text is no recipient. Never quotes the text: people paste private keys here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidRecipient {
    /// Lower case, no full stop.
    pub reason: Cow<'static, str>,
    /// What to do: an imperative sentence without full stop.
    pub help: &'static str,
    /// True if the text still holds a variable such as `${KEY_FP}` that a tool fills in later.
    pub is_placeholder: bool,
}

impl InvalidRecipient {
    /// An error with its way out.
    pub fn new(reason: impl Into<Cow<'static, str>>, help: &'static str) -> Self {
        Self { reason: reason.into(), help, is_placeholder: false }
    }
}
