//! Reads OpenPGP data that needs no private key: the recipients of a message, and the certificates in a
//! file.
//!
//! The input is untrusted: sizes and counts have limits. Data beyond the limits, or broken data, counts as
//! unknown. gpg decides what can be encrypted to, so signatures with old hashes count here as well.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sequoia_openpgp as openpgp;

use openpgp::cert::amalgamation::key::{PrimaryKey, ValidErasedKeyAmalgamation};
use openpgp::cert::amalgamation::{ValidAmalgamation, ValidateAmalgamation};
use openpgp::cert::prelude::ErasedKeyAmalgamation;
use openpgp::cert::raw::RawCertParser;
use openpgp::packet::key::PublicParts;
use openpgp::packet::{PKESK, Packet, Signature};
use openpgp::parse::{PacketParser, PacketParserResult, Parse};
use openpgp::policy::{AsymmetricAlgorithm, StandardPolicy};
use openpgp::types::{HashAlgorithm, RevocationStatus};
use openpgp::{Cert, KeyHandle};

use super::certificate::{Certificate, Key, State};
use crate::keys::data_key::dearmor;

/// Maximum bytes of an encrypted data key. Those of sops have less than 2 KiB.
const MAX_MESSAGE: usize = 64 * 1024;
/// Minimum bytes of the encrypted part of a message, after its version: a block with two repeated bytes,
/// and the packet with the checksum. The library panics on less.
const MIN_ENCRYPTED: usize = 16 + 2 + 22;
/// Maximum packets before the encrypted part of a message. Each names one key.
const MAX_RECIPIENTS: usize = 64;
/// Maximum bytes of an armor. A key with many signatures by others has some 100 KiB.
const MAX_ARMOR: usize = 1024 * 1024;
/// Maximum armors of a file.
const MAX_ARMORS: usize = 32;
/// Maximum certificates of a file.
const MAX_CERTIFICATES: usize = 256;
/// Maximum packets of all certificates of a file. Each signature takes time.
const MAX_PACKETS: usize = 2000;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
/// Last day of OpenPGP, which counts seconds in 32 bits. The library panics far beyond.
const LAST_DAY: u32 = u32::MAX / (24 * 60 * 60) - 1;
const DAY: Duration = Duration::from_hours(24);

/// Returns the keys, mostly subkeys, that a message is encrypted to: key ids of 16 digits, or fingerprints.
/// Omits keys that the message hides, and all keys of a broken message.
pub(super) fn addressees(message: &str) -> Vec<String> {
    if message.len() > MAX_MESSAGE {
        return Vec::new();
    }
    let mut found = Vec::new();
    let Some(message) = message_in(message) else { return found };
    encrypted_part(&message, |wrapped| found.extend(wrapped.recipient().map(|key| hex(&key))));
    found
}

/// Reports whether a message has an encrypted part that is long enough for the library.
pub(super) fn can_be_decrypted(message: &str) -> bool {
    if message.len() > MAX_MESSAGE {
        return false;
    }
    let Some(message) = message_in(message) else { return false };
    let parser = encrypted_part(&message, |_| ());
    parser.is_some_and(|mut parser| {
        parser.buffer_unread_content().is_ok_and(|content| content.len() >= MIN_ENCRYPTED)
    })
}

/// Returns the packets of an armored message among other text. The library would remove the armor itself,
/// and allocate as many bytes as a packet claims to have.
pub(super) fn message_in(text: &str) -> Option<Vec<u8>> {
    const BEGIN: &str = "-----BEGIN PGP MESSAGE-----";
    const END: &str = "-----END PGP MESSAGE-----";
    let start = text.find(BEGIN)?;
    let end = start + text[start..].find(END)? + END.len();
    dearmor(&text[start..end], "PGP MESSAGE").ok()
}

/// Returns the first packet of the encrypted part. Calls `visit` with the data keys before it.
fn encrypted_part(message: &[u8], mut visit: impl FnMut(&PKESK)) -> Option<PacketParser<'_>> {
    let mut parsed = PacketParser::from_bytes(message);
    for _ in 0..MAX_RECIPIENTS {
        let Ok(PacketParserResult::Some(parser)) = parsed else { return None };
        match &parser.packet {
            Packet::PKESK(wrapped) => visit(wrapped),
            Packet::Marker(_) | Packet::SKESK(_) | Packet::Padding(_) => {}
            _ => return Some(parser),
        }
        parsed = parser.next().map(|(_, next)| next);
    }
    None
}

/// Returns the certificates in a file, in their state on a day that is counted from 1970-01-01. The file
/// is binary, or contains armors among other text.
pub fn certificates(bytes: &[u8], today: u32) -> Vec<Certificate> {
    let policy = policy();
    whole(bytes).iter().map(|cert| certificate(cert, &policy, today)).collect()
}

/// Returns the fingerprints of a private key and its subkeys, in upper case.
pub(super) fn fingerprints(packets: &[u8]) -> Vec<String> {
    let Ok(parser) = RawCertParser::from_bytes(packets) else { return Vec::new() };
    let certs = parser.filter_map(Result::ok).take(MAX_CERTIFICATES);
    let small = certs.filter(|raw| raw.count() <= MAX_PACKETS);
    small
        .flat_map(|raw| raw.keys().map(|key| key.fingerprint().to_hex()).collect::<Vec<_>>())
        .collect()
}

/// Returns the certificates in a file with all their packets.
pub(super) fn whole(bytes: &[u8]) -> Vec<Cert> {
    let mut found = Vec::new();
    let mut packets = 0;
    let mut read = |bytes: &[u8]| {
        let Ok(parser) = RawCertParser::from_bytes(bytes) else { return };
        for raw in parser.filter_map(Result::ok) {
            packets += raw.count();
            if found.len() == MAX_CERTIFICATES || packets > MAX_PACKETS {
                return;
            }
            found.extend(Cert::try_from(&raw));
        }
    };
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains(BEGIN) => armors(text).for_each(|packets| read(&packets)),
        // Every packet begins with this bit. Text does not.
        _ if bytes.len() <= MAX_ARMOR && bytes.first().is_some_and(|first| first & 0x80 != 0) => {
            read(bytes);
        }
        _ => {}
    }
    found
}

/// Decodes the armors of a text, which may be indented.
fn armors(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let starts = memchr::memmem::find_iter(text.as_bytes(), BEGIN).take(MAX_ARMORS);
    starts.filter_map(|at| {
        let rest = &text[at..];
        let length = memchr::memmem::find(rest.as_bytes(), END.as_bytes())? + END.len();
        let armor = rest.get(..length).filter(|armor| armor.len() <= MAX_ARMOR)?;
        dearmor(armor, "PGP PUBLIC KEY BLOCK").ok()
    })
}

fn certificate(cert: &Cert, policy: &StandardPolicy<'_>, today: u32) -> Certificate {
    let clock = Clock::new(cert, today);
    let is_revoked = |status: RevocationStatus<'_>| match status {
        RevocationStatus::Revoked(signatures) => Some(State::Revoked(earliest(&signatures))),
        _ => None,
    };
    let revoked = is_revoked(cert.revocation_status(policy, clock.now));
    let key = |key: ErasedKeyAmalgamation<'_, PublicParts>| {
        let fingerprint = key.key().fingerprint().to_hex();
        let is_primary = key.primary();
        let Ok(valid) = key.with_policy(policy, clock.now) else {
            let state = revoked.filter(|_| is_primary).unwrap_or(State::Unverified);
            return Key { fingerprint, can_encrypt: false, state };
        };
        let revoked = if is_primary { revoked } else { is_revoked(valid.revocation_status()) };
        let state = revoked.unwrap_or_else(|| clock.life(&valid));
        Key { fingerprint, can_encrypt: can_encrypt(&valid), state }
    };
    Certificate { keys: cert.keys().map(key).collect() }
}

/// Reports whether a key is for encryption. Without key flags, as in old keys, its algorithm decides.
fn can_encrypt(key: &ValidErasedKeyAmalgamation<'_, PublicParts>) -> bool {
    match key.key_flags() {
        Some(flags) => flags.for_storage_encryption() || flags.for_transport_encryption(),
        None => key.key().pk_algo().for_encryption(),
    }
}

/// The day of a run.
struct Clock {
    /// The time for signatures: the end of the day, because a key may have been created on it; or the
    /// newest of the certificate's own signatures, if the clock is behind.
    now: SystemTime,
    /// The beginning of the day: a key that expires during the day can still be used.
    midnight: SystemTime,
}

impl Clock {
    fn new(cert: &Cert, today: u32) -> Self {
        let midnight = UNIX_EPOCH + DAY * today.min(LAST_DAY);
        Self { now: not_before(cert, midnight + DAY), midnight }
    }

    fn life(&self, key: &ValidErasedKeyAmalgamation<'_, PublicParts>) -> State {
        match key.key_expiration_time() {
            Some(end) if end < self.midnight => State::Expired(day_of(end)),
            _ => State::Good,
        }
    }
}

/// Returns `moment`, or the time of the newest of the certificate's own signatures if the clock is behind:
/// before that, the certificate has no valid signature.
pub(super) fn not_before(cert: &Cert, moment: SystemTime) -> SystemTime {
    let of_keys = cert.keys().flat_map(|key| key.self_signatures());
    let of_names = cert.userids().flat_map(|name| name.self_signatures());
    let times = of_keys.chain(of_names).filter_map(|signature| signature.signature_creation_time());
    times.max().map_or(moment, |newest| newest.max(moment))
}

fn earliest(signatures: &[&Signature]) -> u32 {
    let times = signatures.iter().filter_map(|signature| signature.signature_creation_time());
    times.min().map_or(0, day_of)
}

fn day_of(time: SystemTime) -> u32 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX)
}

fn hex(key: &KeyHandle) -> String {
    match key {
        KeyHandle::Fingerprint(fingerprint) => fingerprint.to_hex(),
        KeyHandle::KeyID(id) => id.to_hex(),
    }
}

/// Returns the policy of gpg, which accepts SHA-1 and short keys. The result is used for warnings only.
pub(super) fn policy() -> StandardPolicy<'static> {
    let mut policy = StandardPolicy::new();
    for hash in [HashAlgorithm::SHA1, HashAlgorithm::RipeMD] {
        policy.accept_hash(hash);
    }
    for algorithm in AsymmetricAlgorithm::variants() {
        policy.accept_asymmetric_algo(algorithm);
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::pgp::certificate::{Unusable, Usability};
    use proptest::prelude::*;

    const EXPIRED: &str = include_str!("../../../fixtures/keys/pgp/unusable/expired.pub.asc");
    const REVOKED: &str = include_str!("../../../fixtures/keys/pgp/unusable/revoked.pub.asc");
    const SPENT: &str = include_str!("../../../fixtures/keys/pgp/unusable/spent.pub.asc");
    const SIGNING: &str = include_str!("../../../fixtures/keys/pgp/unusable/signing.pub.asc");
    const RSA: &str = include_str!("../../../fixtures/keys/pgp/rsa.pub.asc");
    const ED: &str = include_str!("../../../fixtures/keys/pgp/ed.pub.asc");
    const MESSAGE: &str = include_str!("../../../fixtures/vectors/3.11.0/enc/28-pgp-rsa4096.yaml");

    /// 2026-06-30.
    const TODAY: u32 = 20_634;
    /// 2025-01-01, on which the keys expire.
    const END: u32 = 20_089;

    fn only(bytes: &str, today: u32) -> Certificate {
        let mut found = certificates(bytes.as_bytes(), today);
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    fn usability(bytes: &str, today: u32) -> Usability {
        only(bytes, today).usability("")
    }

    /// Returns the armor in the first `enc` of a file.
    fn enc(file: &str) -> String {
        let start = file.find("-----BEGIN PGP MESSAGE").expect("an armor begins");
        let end = file.find("-----END PGP MESSAGE-----").expect("an armor ends");
        let lines = file[start..end + 25].lines().map(str::trim);
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn says_what_has_become_of_a_key() {
        let unusable = |reason, subkeys| Usability::Unusable { reason, subkeys };
        assert_eq!(usability(EXPIRED, TODAY), unusable(Unusable::Expired(END), false));
        assert_eq!(usability(SPENT, TODAY), unusable(Unusable::Expired(END), true));
        assert_eq!(usability(REVOKED, TODAY), unusable(Unusable::Revoked(20_148), false));
        assert_eq!(usability(SIGNING, TODAY), unusable(Unusable::NoEncryption, false));
        assert_eq!(usability(RSA, TODAY), Usability::Usable);
        assert_eq!(usability(ED, TODAY), Usability::Usable);
    }

    #[test]
    fn a_key_can_be_used_to_the_end_of_its_last_day_and_before_the_clock_is_set() {
        assert_eq!(usability(EXPIRED, END), Usability::Usable);
        assert_ne!(usability(EXPIRED, END + 1), Usability::Usable);
        // Keys of 2024 and of November 2026.
        for today in [0, 1, TODAY] {
            assert_eq!(usability(ED, today), Usability::Usable, "{today}");
        }
        assert_eq!(usability(EXPIRED, 0), Usability::Usable);
        assert!(!certificates(ED.as_bytes(), u32::MAX).is_empty());
    }

    #[test]
    fn reads_many_certificates_among_other_text() {
        let indented: String = RSA.lines().map(|line| format!("    {line}\r\n")).collect();
        let text = format!("# keys\nkey: |\n{indented}\nand\n{ED}{SPENT} -----BEGIN PGP PUBLIC");
        let found = certificates(text.as_bytes(), TODAY);
        let names: Vec<_> = found.iter().map(Certificate::fingerprint).collect();
        assert_eq!(
            names,
            [
                "5CCF8425D57B7B6B23A8F8B9B9A998A212A64C26",
                "F28A701876913C5DD10A03ACCDC5E50F1403A017",
                only(SPENT, TODAY).fingerprint(),
            ]
        );
        assert!(found[0].has("E4B4C4F84BC4E1E9"));
        assert!(found[0].has("88B1740F8A92677DF7D20B22E4B4C4F84BC4E1E9"));
        assert!(!found[1].has("E4B4C4F84BC4E1E9"));
    }

    #[test]
    fn a_message_names_the_subkey() {
        let message = enc(MESSAGE);
        assert_eq!(addressees(&message), ["E4B4C4F84BC4E1E9"]);
        for nothing in
            [&message[..message.len() / 2], "", "canary", "-----BEGIN PGP MESSAGE-----", ED]
        {
            assert!(addressees(nothing).is_empty(), "{nothing}");
        }
    }

    /// Bytes, half of them base64 of a real one with some places changed.
    fn damaged(real: &'static str) -> impl Strategy<Value = String> {
        let places = proptest::collection::vec((0..real.len(), 0x20_u8..0x7f), 0..8);
        places.prop_map(|places| {
            let mut bytes = real.as_bytes().to_vec();
            for (at, byte) in places {
                bytes[at] = byte;
            }
            String::from_utf8(bytes).expect("the text is ASCII")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            certificates(&bytes, TODAY);
            addressees(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn no_damage_panics(one in damaged(ED), other in damaged(REVOKED), today in any::<u32>()) {
            certificates(one.as_bytes(), today);
            certificates(other.as_bytes(), today);
        }

        #[test]
        fn no_damaged_message_panics(text in damaged(MESSAGE)) {
            addressees(text.get(text.find("-----BEGIN PGP").unwrap_or(0)..).unwrap_or_default());
        }

        #[test]
        fn no_damaged_packet_panics(at in 0_usize..500, byte in any::<u8>()) {
            let body: String = ED.lines().skip(2).take_while(|line| !line.starts_with('=')).collect();
            let mut packets = crate::keys::data_key::decode(&body).expect("base64");
            let at = at % packets.len();
            packets[at] = byte;
            certificates(&packets, TODAY);
        }
    }
}
