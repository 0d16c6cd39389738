//! The public keys at hand, and what it takes to encrypt a data key to one.

use std::sync::Mutex;

use sequoia_openpgp::Cert;

use super::{Identity, openpgp, pgp_public};
use crate::host::Host;
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
    /// Whether sops may be able to do it.
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

/// The OpenPGP certificates of the tree and of the keyring of whoever runs the program. gpg is asked
/// for those alone that the tree does not have.
pub struct PublicKeys {
    host: Host,
    known: Mutex<Vec<Cert>>,
}

impl PublicKeys {
    /// Without any of a tree.
    pub fn new(host: Host) -> Self {
        Self { host, known: Mutex::default() }
    }

    /// Adds what stands in a file.
    pub fn add(&self, bytes: &[u8]) {
        let mut found = openpgp::whole(bytes);
        if let Ok(mut known) = self.known.lock() {
            known.append(&mut found);
        }
    }

    /// The certificate with this fingerprint, of its primary key or of one of its subkeys.
    pub(super) fn certificate(&self, fingerprint: &str) -> Option<Cert> {
        let find = || {
            let known = self.known.lock().ok()?;
            pgp_public::find(&known, fingerprint)
        };
        find().or_else(|| {
            self.host.gpg_home()?;
            self.add(pgp_public::export(&self.host, &[fingerprint])?.expose());
            find()
        })
    }
}
