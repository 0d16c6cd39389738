//! A data key that is encrypted to a recipient.

use super::identity::Identity;
use super::pgp::public_keys::PublicKeys;
use crate::secret::Plaintext;

/// A data key that is to be encrypted to a recipient.
pub struct Wrapping<'w> {
    /// Who.
    pub recipient: &'w Identity,
    /// The recipient as its creation rule writes it.
    pub label: &'w str,
    /// The data key, or a share of it.
    pub key: &'w Plaintext,
    /// The present second in UTC, counted from 1970-01-01.
    pub now: u64,
    /// Public keys for those recipients that are no public key themselves.
    pub public_keys: &'w PublicKeys,
}

/// Why a data key cannot be encrypted to a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwrappable {
    /// Follows the recipient: "has expired". Lower case, no full stop.
    pub reason: String,
    /// True if sops may be able to do it.
    pub sops_can: bool,
}

impl Unwrappable {
    /// Nobody can.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), sops_can: false }
    }

    /// sops can.
    pub fn only_sops(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), sops_can: true }
    }
}
