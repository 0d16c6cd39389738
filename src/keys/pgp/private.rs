//! OpenPGP private keys: exported ones in a file, and those of the user in gpg.
//!
//! sops passes every data key to `gpg -d` (`pgp/keysource.go`), which takes some 20 ms and may ask for
//! a passphrase. So sops-lint asks gpg once for its keys, and then only to open data keys that are
//! encrypted to one of them.

use std::collections::HashSet;
use std::path::Path;

use openpgp::cert::CertParser;
use openpgp::crypto::SessionKey;
use openpgp::packet::{PKESK, SKESK};
use openpgp::parse::Parse;
use openpgp::parse::stream::{
    DecryptionHelper, DecryptorBuilder, MessageStructure, VerificationHelper,
};
use openpgp::policy::StandardPolicy;
use openpgp::types::SymmetricAlgorithm;
use openpgp::{Cert, KeyHandle};
use sequoia_openpgp as openpgp;

use super::fingerprint::is_same_key;
use super::openpgp::{addressees, can_be_decrypted, message_in};
use crate::host::{Host, Ran};
use crate::keys::identity::Identity;
use crate::keys::private::{Effort, PrivateKeys, Search, Unwrapped, read_data_key};

/// Variable with the path of a file with an exported private key, for CI jobs without an agent. sops has
/// no such variable.
const KEY_FILE: &str = "SOPS_LINT_PGP_KEY_FILE";

/// The reason if gpg has a key for a file and does not open it.
const UNUSED: &str = "gpg has a key for it but did not open it: its passphrase may be needed (--verify always lets gpg ask), or the data key is damaged";

struct PgpKeys {
    exported: Vec<Cert>,
    gpg: Option<Gpg>,
}

/// Looks for exported keys and for gpg. `None` if there is neither.
pub(super) fn find(search: &mut Search<'_>) -> Option<Box<dyn PrivateKeys>> {
    let exported = match search.host.env(KEY_FILE) {
        None => Vec::new(),
        Some(path) => match exported(search.host, Path::new(&path)) {
            Ok(keys) => keys,
            Err(reason) => {
                search.troubles.push(format!("the file that {KEY_FILE} names {reason}"));
                Vec::new()
            }
        },
    };
    let gpg = Gpg::find(search.host, search.effort);
    let is_empty = exported.is_empty() && gpg.is_none();
    let keys = PgpKeys { exported, gpg };
    if is_empty { None } else { Some(Box::new(keys)) }
}

impl PrivateKeys for PgpKeys {
    fn has(&self, recipient: &Identity) -> bool {
        let is_own = |id: &str| is_same_key(id, recipient.id.trim_end_matches('!'));
        let exported = self.exported.iter().flat_map(Cert::keys);
        exported.map(|key| key.key().fingerprint().to_hex()).any(|id| is_own(&id))
            || self.gpg.as_ref().is_some_and(|gpg| gpg.keys.iter().any(|id| is_own(id)))
    }

    fn can_prove(&self) -> bool {
        false
    }

    fn unwrap(&self, _recipient: Option<&Identity>, enc: &str) -> Unwrapped {
        let opened = open(&self.exported, enc);
        match (&self.gpg, opened) {
            (Some(gpg), Unwrapped::NotMine) => gpg.unwrap(enc),
            (_, opened) => opened,
        }
    }
}

/// Returns the private keys in a file, armored or not. At least one must have no passphrase.
fn exported(host: &Host, path: &Path) -> Result<Vec<Cert>, String> {
    let bytes = host.read_secret(path).map_err(|error| format!("cannot be read: {error}"))?;
    let parser = CertParser::from_bytes(bytes.expose()).map_err(|_| "contains no OpenPGP key")?;
    let keys: Vec<Cert> = parser.filter_map(Result::ok).filter(Cert::is_tsk).collect();
    if keys.is_empty() {
        return Err("contains no private OpenPGP key".to_owned());
    }
    let is_usable = |cert: &Cert| cert.keys().unencrypted_secret().next().is_some();
    if !keys.iter().any(is_usable) {
        return Err("contains a key with a passphrase: import it into gpg instead".to_owned());
    }
    Ok(keys)
}

/// Opens a message with exported keys.
fn open(keys: &[Cert], message: &str) -> Unwrapped {
    if keys.is_empty() || !can_be_decrypted(message) {
        return Unwrapped::NotMine;
    }
    let Some(message) = message_in(message) else { return Unwrapped::NotMine };
    let mut has_tried = false;
    let helper = Helper { keys, has_tried: &mut has_tried };
    let policy = StandardPolicy::new();
    let builder = DecryptorBuilder::from_bytes(&message);
    let decryptor = builder.and_then(|builder| builder.with_policy(&policy, None, helper));
    match decryptor.map(read_data_key) {
        Ok(Ok(plaintext)) => Unwrapped::Opened(plaintext),
        _ if has_tried => Unwrapped::Damaged,
        _ => Unwrapped::NotMine,
    }
}

struct Helper<'k> {
    keys: &'k [Cert],
    /// True if the message is for one of the keys.
    has_tried: &'k mut bool,
}

impl VerificationHelper for Helper<'_> {
    fn get_certs(&mut self, _: &[KeyHandle]) -> openpgp::Result<Vec<Cert>> {
        Ok(Vec::new())
    }

    /// Data keys are not signed.
    fn check(&mut self, _: MessageStructure<'_>) -> openpgp::Result<()> {
        Ok(())
    }
}

impl DecryptionHelper for Helper<'_> {
    fn decrypt(
        &mut self,
        wrapped: &[PKESK],
        _: &[SKESK],
        algorithm: Option<SymmetricAlgorithm>,
        decrypt: &mut dyn FnMut(Option<SymmetricAlgorithm>, &SessionKey) -> bool,
    ) -> openpgp::Result<Option<Cert>> {
        for wrapped in wrapped {
            for key in self.keys.iter().flat_map(|cert| cert.keys().unencrypted_secret()) {
                let addressee = wrapped.recipient();
                if addressee.as_ref().is_some_and(|id| !key.key().key_handle().aliases(id)) {
                    continue;
                }
                *self.has_tried |= addressee.is_some();
                let Ok(mut pair) = key.key().clone().into_keypair() else { continue };
                let session = wrapped.decrypt(&mut pair, algorithm);
                if session.is_some_and(|(algorithm, session)| decrypt(algorithm, &session)) {
                    return Ok(None);
                }
            }
        }
        Err(openpgp::Error::MissingSessionKey("none of the keys".to_owned()).into())
    }
}

/// The gpg of the user.
struct Gpg {
    host: Host,
    program: String,
    effort: Effort,
    /// Fingerprints of its private keys and subkeys.
    keys: HashSet<String>,
}

impl Gpg {
    /// Lists the keys of gpg. `None` if there is no keyring, or no private key in it.
    fn find(host: &Host, effort: Effort) -> Option<Self> {
        host.gpg_home()?;
        let program = host.gpg_program();
        let arguments = ["--batch", "--no-tty", "--with-colons", "--list-secret-keys"];
        let listing = host.run(&program, &arguments, &[], b"")?.success()?;
        let keys: HashSet<String> = listing
            .expose_text()?
            .lines()
            .filter(|line| line.starts_with("fpr:"))
            .filter_map(|line| line.split(':').nth(9).map(str::to_ascii_uppercase))
            .collect();
        (!keys.is_empty()).then(|| Self { host: host.clone(), program, effort, keys })
    }

    fn unwrap(&self, message: &str) -> Unwrapped {
        // gpg is slow to refuse one, and a file may have thousands.
        if message_in(message).is_none() {
            return Unwrapped::NotMine;
        }
        let addressees = addressees(message);
        let is_own = |id: &String| self.keys.iter().any(|key| is_same_key(key, id));
        // A message that hides its keys may be for any key.
        if !addressees.is_empty() && !addressees.iter().any(is_own) {
            return Unwrapped::NotMine;
        }
        let mut arguments = vec!["--batch", "--no-tty", "--quiet"];
        if self.effort == Effort::Quiet {
            // The agent may use a cached passphrase, and must not ask for one.
            arguments.extend(["--pinentry-mode", "error"]);
        }
        arguments.push("--decrypt");
        let opened = self.host.run(&self.program, &arguments, &[], message.as_bytes());
        // The error text of gpg may quote anything, so it is not used. A failure does not prove damage.
        opened
            .and_then(Ran::success)
            .filter(|opened| !opened.expose().is_empty())
            .map_or(Unwrapped::Unavailable(UNUSED), Unwrapped::Opened)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::keys::data_key::dearmor;

    const PRIVATE: &str = include_str!("../../../fixtures/keys/pgp/ed.sec.asc");
    const TWO: &str = include_str!("../../../fixtures/vectors/3.11.0/enc/30-pgp-two.yaml");

    /// Returns the packets of the data keys in a file.
    fn messages(file: &str) -> impl Iterator<Item = Vec<u8>> {
        let armors = file.split("-----BEGIN PGP MESSAGE").skip(1).map(|armor| {
            let armor = armor.split("END PGP MESSAGE").next().unwrap_or_default();
            let lines = armor.lines().map(|line| format!("{}\n", line.trim())).collect::<String>();
            format!("-----BEGIN PGP MESSAGE{lines}").trim_end().to_owned() + "END PGP MESSAGE-----"
        });
        armors.map(|armor| dearmor(&armor, "PGP MESSAGE").expect("sops wrote it"))
    }

    fn armored(packets: &[u8]) -> String {
        let body = STANDARD.encode(packets);
        format!("-----BEGIN PGP MESSAGE-----\n\n{body}\n-----END PGP MESSAGE-----\n")
    }

    #[test]
    fn a_message_that_ends_too_early_does_not_open() {
        let parser = CertParser::from_bytes(PRIVATE).expect("an armor");
        let keys: Vec<Cert> = parser.filter_map(Result::ok).collect();
        let is_own =
            |packets: &Vec<u8>| matches!(open(&keys, &armored(packets)), Unwrapped::Opened(_));
        let whole = messages(TWO).find(is_own).expect("one is for this key");
        // The encrypted packet follows the one with the session key, and has less than 192 bytes.
        let encrypted = 2 + usize::from(whole[1]);
        assert_eq!((whole[0], whole[encrypted]), (0x84, 0xd2));
        for length in 0..whole[encrypted + 1] {
            let mut short = whole[..encrypted + 2 + usize::from(length)].to_vec();
            short[encrypted + 1] = length;
            assert!(!is_own(&short), "{length} bytes");
            assert!(!is_own(&whole[..short.len()].to_vec()), "cut off at {length} bytes");
        }
    }
}
