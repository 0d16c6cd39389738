//! The input and the errors of encrypting a data key to a recipient.

use super::identity::Identity;
use super::pgp::public_keys::PublicKeys;
use crate::secret::Plaintext;

/// Everything that is needed to encrypt a data key to a recipient.
pub struct Wrapping<'w> {
    /// The recipient.
    pub recipient: &'w Identity,
    /// The recipient as its creation rule writes it.
    pub label: &'w str,
    /// The data key, or a share of it.
    pub key: &'w Plaintext,
    /// The present second in UTC, counted from 1970-01-01.
    pub now: u64,
    /// Public keys for recipients that are only a fingerprint.
    pub public_keys: &'w PublicKeys,
}

/// The reason why a data key cannot be encrypted to a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwrappable {
    /// A predicate whose subject is the recipient: "has expired". Lower case, no full stop.
    pub reason: String,
    /// The next step, in the imperative; `None` if sops may be able to encrypt to it.
    pub help: Option<&'static str>,
}

impl Unwrappable {
    /// Returns the reason why neither sops-lint nor sops can encrypt to a recipient, and the next step.
    pub fn new(reason: impl Into<String>, help: &'static str) -> Self {
        Self { reason: reason.into(), help: Some(help) }
    }

    /// Returns the reason why only sops can encrypt to a recipient.
    pub fn only_sops(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: None }
    }
}
