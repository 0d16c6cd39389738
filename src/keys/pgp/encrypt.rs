//! Encrypts a data key to an OpenPGP certificate, as `gpg --encrypt` does for sops.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use openpgp::Cert;
use openpgp::cert::amalgamation::key::ValidErasedKeyAmalgamation;
use openpgp::packet::key::PublicParts;
use openpgp::serialize::stream::{Armorer, Encryptor, LiteralWriter, Message, Recipient};
use openpgp::types::{RevocationStatus, SymmetricAlgorithm};
use sequoia_openpgp as openpgp;

use super::openpgp::{not_before, policy};
use crate::keys::wrapping::Unwrappable;
use crate::secret::Plaintext;

/// Encrypts to the newest key of a certificate that is for encryption, or to the key `exact`. Returns an
/// armored message.
pub(super) fn encrypt(
    cert: &Cert,
    exact: Option<&str>,
    key: &Plaintext,
    now: u64,
) -> Result<String, Unwrappable> {
    let policy = policy();
    // A key may have been created in this second.
    let now = not_before(cert, UNIX_EPOCH + Duration::from_secs(now) + Duration::from_secs(1));
    let is_wanted = |key: &ValidErasedKeyAmalgamation<'_, PublicParts>| {
        exact.is_none_or(|exact| key.key().fingerprint().to_hex() == exact)
    };
    let valid =
        cert.with_policy(&policy, Some(now)).and_then(|valid| valid.alive().map(|()| valid));
    if valid.is_err()
        || matches!(cert.revocation_status(&policy, now), RevocationStatus::Revoked(_))
    {
        return Err(Unwrappable::new(
            "has expired, or was revoked",
            "get a valid public key from its owner, and replace the old one in the repository or in gpg",
        ));
    }
    let keys = cert.keys().with_policy(&policy, Some(now)).supported().alive().revoked(false);
    let usable = keys.for_storage_encryption().for_transport_encryption().filter(is_wanted);
    let made = |key: &ValidErasedKeyAmalgamation<'_, PublicParts>| key.key().creation_time();
    let newest = usable
        .max_by_key(made)
        .ok_or_else(|| {
            Unwrappable::new(
                "has no subkey left that can be encrypted to",
                "let its owner add a subkey (`gpg --quick-add-key FINGERPRINT default encr`), and replace the public key in the repository or in gpg",
            )
        })?;
    message(Recipient::from(newest), key).ok_or_else(|| {
        Unwrappable::only_sops("has a subkey of a kind that sops-lint does not support")
    })
}

fn message(recipient: Recipient<'_>, key: &Plaintext) -> Option<String> {
    let mut armored = Vec::new();
    let message = Armorer::new(Message::new(&mut armored)).build().ok()?;
    let message = Encryptor::for_recipients(message, [recipient])
        .symmetric_algo(SymmetricAlgorithm::AES256)
        .build()
        .ok()?;
    let mut message = LiteralWriter::new(message).build().ok()?;
    message.write_all(key.expose()).ok()?;
    message.finalize().ok()?;
    Some(String::from_utf8(armored).ok()?.trim_end().to_owned())
}
