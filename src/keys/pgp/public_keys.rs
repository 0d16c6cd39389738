//! The OpenPGP certificates that data keys are encrypted to.

use std::sync::Mutex;

use sequoia_openpgp::Cert;

use super::openpgp;
use crate::host::Host;
use crate::secret::Plaintext;

/// The OpenPGP certificates of the tree and of the user's keyring. gpg is asked only for certificates that
/// the tree lacks.
pub struct PublicKeys {
    host: Host,
    known: Mutex<Vec<Cert>>,
}

impl PublicKeys {
    /// Returns a collection without certificates of a tree.
    pub fn new(host: Host) -> Self {
        Self { host, known: Mutex::default() }
    }

    /// Adds the certificates in a file.
    pub fn add(&self, bytes: &[u8]) {
        let mut found = openpgp::whole(bytes);
        if let Ok(mut known) = self.known.lock() {
            known.append(&mut found);
        }
    }

    /// Returns the certificate with this fingerprint, of its primary key or of a subkey.
    pub(crate) fn certificate(&self, fingerprint: &str) -> Option<Cert> {
        let find = || {
            let known = self.known.lock().ok()?;
            find(&known, fingerprint)
        };
        find().or_else(|| {
            self.host.gpg_home()?;
            self.add(export(&self.host, &[fingerprint])?.expose());
            find()
        })
    }
}

/// Exports keys from gpg. `None` if there is no gpg.
pub fn export(host: &Host, ids: &[&str]) -> Option<Plaintext> {
    // gpg only reads: no locks, no daemons, no trust checks.
    let options = "--batch --no-tty --no-autostart --no-auto-check-trustdb --lock-never \
        --export-options export-minimal --export";
    let arguments: Vec<&str> = options.split_whitespace().chain(ids.iter().copied()).collect();
    // gpg prints the keys that it has even if it fails because others are missing.
    Some(host.run(&host.gpg_program(), &arguments, &[], &[])?.output)
}

/// Merges all copies of the certificate with this fingerprint, of its primary key or of a subkey.
fn find(known: &[Cert], fingerprint: &str) -> Option<Cert> {
    let has = |cert: &&Cert| cert.keys().any(|key| key.key().fingerprint().to_hex() == fingerprint);
    let primary = known.iter().find(has)?.fingerprint();
    let mut copies = known.iter().filter(|cert| cert.fingerprint() == primary).cloned();
    let first = copies.next()?;
    // A newer copy may be revoked, or may expire later.
    Some(copies.fold(first, |all, copy| all.clone().merge_public(copy).unwrap_or(all)))
}
