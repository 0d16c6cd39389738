//! The OpenPGP certificates that data keys are encrypted to.

use std::sync::Mutex;

use sequoia_openpgp::Cert;

use super::openpgp;
use crate::host::Host;
use crate::secret::Plaintext;

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

/// What gpg has of these keys, armored or not; none where it is not there.
pub fn export(host: &Host, ids: &[&str]) -> Option<Plaintext> {
    // No locks, daemons or checks of trust: gpg only reads.
    let options = "--batch --no-tty --no-autostart --no-auto-check-trustdb --lock-never \
        --export-options export-minimal --export";
    let arguments: Vec<&str> = options.split_whitespace().chain(ids.iter().copied()).collect();
    // The keys that it has are printed even if it ends badly for want of the others.
    Some(host.run(&host.gpg_program(), &arguments, &[], &[])?.output)
}

/// All that is known of the certificate with this fingerprint, of its primary key or of a subkey.
fn find(known: &[Cert], fingerprint: &str) -> Option<Cert> {
    let has = |cert: &&Cert| cert.keys().any(|key| key.key().fingerprint().to_hex() == fingerprint);
    let primary = known.iter().find(has)?.fingerprint();
    let mut copies = known.iter().filter(|cert| cert.fingerprint() == primary).cloned();
    let first = copies.next()?;
    // A copy may have been revoked or prolonged since.
    Some(copies.fold(first, |all, copy| all.clone().merge_public(copy).unwrap_or(all)))
}
