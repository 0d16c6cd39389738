//! Post-quantum identities of age, which the `age` crate does not support: ML-KEM-768 with X25519.
//!
//! Follows `pq.go` of age: HPKE (RFC 9180) in base mode with the key encapsulation X-Wing
//! (`draft-connolly-cfrg-xwing-kem`), HKDF-SHA256 and ChaCha20-Poly1305. Decryption only.

use age::{DecryptError, Identity};
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bech32::Hrp;
use bech32::primitives::decode::CheckedHrpstring;
use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, Tag};
use hkdf::Hkdf;
use ml_kem::kem::{Decapsulate, DecapsulationKey};
use ml_kem::{B32, Ciphertext, EncodedSizeUser, KemCore, MlKem768, MlKem768Params};
use sha2::Sha256;
use sha3::digest::{Digest, ExtendableOutput, Update, XofReader};
use sha3::{Sha3_256, Shake256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::long_bech32::LongBech32;

/// Human-readable part of such an identity in Bech32.
const SECRET_PREFIX: &str = "age-secret-key-pq-";
const RECIPIENT_PREFIX: &str = "age1pq";
/// Kind of the stanza.
const KIND: &str = "mlkem768x25519";
/// Context string of HPKE.
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// Suite id: `HPKE`, then the numbers of MLKEM768-X25519, HKDF-SHA256 and ChaCha20-Poly1305.
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";
/// Bytes of an encapsulated key: an ML-KEM-768 ciphertext, and a public key of X25519.
const ENCAPSULATED: usize = 1088 + 32;
/// Bytes of the key of an age file.
const FILE_KEY: usize = 16;
/// Bytes of a Poly1305 tag.
const TAG: usize = 16;

/// An identity; its parts are overwritten when they are dropped.
pub(super) struct HybridIdentity {
    lattice: DecapsulationKey<MlKem768Params>,
    lattice_public: Vec<u8>,
    curve: StaticSecret,
    curve_public: PublicKey,
}

impl HybridIdentity {
    /// Reads a line `AGE-SECRET-KEY-PQ-1…`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let decoded = CheckedHrpstring::new::<LongBech32>(line).ok()?;
        if !decoded.hrp().as_str().eq_ignore_ascii_case(SECRET_PREFIX) {
            return None;
        }
        decoded.validate_segwit_padding().ok()?;
        let mut seed = Zeroizing::new([0; 32]);
        let mut bytes = decoded.byte_iter();
        for byte in seed.iter_mut() {
            *byte = bytes.next()?;
        }
        bytes.next().is_none().then(|| Self::of(&seed))
    }

    fn of(seed: &[u8; 32]) -> Self {
        let mut expanded = Zeroizing::new([[0; 32]; 3]);
        let mut reader = Shake256::default().chain(seed).finalize_xof();
        expanded.iter_mut().for_each(|part| reader.read(part));
        let [d, z, curve] = &*expanded;
        let (lattice, public) = MlKem768::generate_deterministic(&B32::from(*d), &B32::from(*z));
        let curve = StaticSecret::from(*curve);
        let curve_public = PublicKey::from(&curve);
        Self { lattice, lattice_public: public.as_bytes().to_vec(), curve, curve_public }
    }

    /// Returns its recipient.
    pub(super) fn recipient(&self) -> String {
        let prefix = Hrp::parse_unchecked(RECIPIENT_PREFIX);
        let public = [&self.lattice_public[..], self.curve_public.as_bytes()].concat();
        bech32::encode_lower::<LongBech32>(prefix, &public).expect("LongBech32 has no limit")
    }

    /// Returns the shared secret of the key encapsulation.
    fn decapsulate(&self, encapsulated: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let (lattice, curve) = encapsulated.split_last_chunk::<32>()?;
        let lattice = Ciphertext::<MlKem768>::try_from(lattice).ok()?;
        let curve = PublicKey::from(*curve);
        let lattice_secret = Zeroizing::new(self.lattice.decapsulate(&lattice).ok()?.0);
        let curve_secret = self.curve.diffie_hellman(&curve);
        // Go refuses a point that yields the same secret with every key.
        if !curve_secret.was_contributory() {
            return None;
        }
        let hash = Sha3_256::new()
            .chain_update(&lattice_secret[..])
            .chain_update(curve_secret.as_bytes())
            .chain_update(curve.as_bytes())
            .chain_update(self.curve_public.as_bytes())
            .chain_update(br"\.//^\");
        Some(Zeroizing::new(hash.finalize().into()))
    }

    fn open(&self, encapsulated: &[u8], body: &[u8]) -> Option<FileKey> {
        let secret = self.decapsulate(encapsulated)?;
        let (key, nonce) = schedule(SUITE, INFO, &secret);
        let cipher = ChaCha20Poly1305::new((&*key).into());
        let (sealed, tag) = body.split_last_chunk::<TAG>()?;
        let (nonce, tag) = (Nonce::from_slice(&nonce), Tag::from_slice(tag));
        let file_key = FileKey::try_init_with_mut(|file_key: &mut [u8; FILE_KEY]| {
            file_key.copy_from_slice(sealed);
            cipher.decrypt_in_place_detached(nonce, b"", file_key, tag)
        });
        file_key.ok()
    }
}

impl Identity for HybridIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != KIND {
            return None;
        }
        let [encapsulated] = &stanza.args[..] else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let encapsulated = STANDARD_NO_PAD.decode(encapsulated).ok();
        let Some(encapsulated) = encapsulated.filter(|bytes| bytes.len() == ENCAPSULATED) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        if stanza.body.len() != FILE_KEY + TAG {
            return Some(Err(DecryptError::InvalidHeader));
        }
        // A stanza that does not open is for another recipient.
        self.open(&encapsulated, &stanza.body).map(Ok)
    }
}

/// Returns HPKE's key and nonce for the first message (RFC 9180, section 5.1, without a PSK).
fn schedule(suite: &[u8], info: &[u8], secret: &[u8; 32]) -> (Zeroizing<[u8; 32]>, [u8; 12]) {
    let (no_psk, _) = extract(suite, b"", b"psk_id_hash", b"");
    let (info, _) = extract(suite, b"", b"info_hash", info);
    // Mode 0: base.
    let context = [&[0][..], &no_psk, &info].concat();
    let (_, key_schedule) = extract(suite, secret, b"secret", b"");
    let mut key = Zeroizing::new([0; 32]);
    expand(suite, &key_schedule, b"key", &context, &mut *key);
    let mut nonce = [0; 12];
    expand(suite, &key_schedule, b"base_nonce", &context, &mut nonce);
    (key, nonce)
}

/// Computes `LabeledExtract` of RFC 9180, section 4.
fn extract(suite: &[u8], salt: &[u8], label: &[u8], input: &[u8]) -> ([u8; 32], Hkdf<Sha256>) {
    let input = [b"HPKE-v1", suite, label, input].concat();
    let (output, hkdf) = Hkdf::extract(Some(salt), &input);
    (output.into(), hkdf)
}

/// Computes `LabeledExpand` of RFC 9180, section 4.
fn expand(suite: &[u8], hkdf: &Hkdf<Sha256>, label: &[u8], context: &[u8], output: &mut [u8]) {
    let length = u16::try_from(output.len()).expect("a key is short").to_be_bytes();
    hkdf.expand_multi_info(&[&length, b"HPKE-v1", suite, label, context], output)
        .expect("a key is short");
}

#[cfg(test)]
mod tests {
    use age_core::secrecy::ExposeSecret;

    use super::*;

    const IDENTITY: &str = include_str!("../../../fixtures/keys/age/pq.txt");
    const RECIPIENT: &str = include_str!("../../../fixtures/keys/age/pq.pub");
    /// sops encrypted it.
    const FILE: &str = include_str!("../../../fixtures/vectors/3.11.0/enc/56-age-pq.yaml");

    fn line() -> &'static str {
        IDENTITY.lines().find(|line| line.starts_with("AGE-")).expect("there is one")
    }

    fn identity() -> HybridIdentity {
        HybridIdentity::parse(line()).expect("it is whole")
    }

    fn stanza() -> Stanza {
        let (_, armor) = FILE.split_once("FILE-----\n").expect("it begins");
        let (armor, _) = armor.split_once("-----END").expect("it ends");
        let base64: String = armor.split_whitespace().collect();
        let file = base64::engine::general_purpose::STANDARD.decode(base64).expect("base64");
        let header = String::from_utf8_lossy(&file);
        let mut lines = header.lines().skip_while(|line| !line.starts_with("-> "));
        let mut words = lines.next().expect("a stanza").split(' ').skip(1).map(str::to_owned);
        let tag = words.next().expect("a kind");
        let body = STANDARD_NO_PAD.decode(lines.next().expect("a body")).expect("base64");
        Stanza { tag, args: words.collect(), body }
    }

    /// The numbers of a published test vector.
    struct Vector(&'static str);

    impl Vector {
        fn bytes(&self, name: &str) -> Vec<u8> {
            let line = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            hexadecimal(line.expect("the vector has it"))
        }

        /// Checks the public key and the shared secret, and returns the shared secret.
        fn check_encapsulation(&self) -> Zeroizing<[u8; 32]> {
            let identity = HybridIdentity::of(&self.bytes("seed").try_into().expect("32 bytes"));
            let public = [&identity.lattice_public[..], identity.curve_public.as_bytes()].concat();
            assert_eq!(public, self.bytes("pk"));
            let secret = identity.decapsulate(&self.bytes("ct")).expect("it is for this key");
            assert_eq!(&secret[..], self.bytes("ss"));
            secret
        }
    }

    /// *Source*: draft-connolly-cfrg-xwing-kem-10, appendix C.
    #[test]
    fn the_key_encapsulation_is_that_of_the_published_test_vector() {
        Vector(include_str!("../../../fixtures/keys/x-wing.txt")).check_encapsulation();
    }

    /// *Source*: draft-ietf-hpke-pq-04, test vector of the suite that age uses.
    #[test]
    fn the_suite_of_age_is_that_of_the_published_test_vector() {
        let vector = Vector(include_str!("../../../fixtures/keys/hpke-pq.txt"));
        let secret = vector.check_encapsulation();
        assert_eq!(SUITE, vector.bytes("suite"));
        let (key, nonce) = schedule(SUITE, &vector.bytes("info"), &secret);
        assert_eq!((&key[..], &nonce[..]), (&*vector.bytes("key"), &*vector.bytes("nonce")));
    }

    /// *Source*: RFC 9180, appendix A.2.1: base mode with HKDF-SHA256 and ChaCha20-Poly1305. Its key
    /// encapsulation, X25519, is another one; the suite names it.
    #[test]
    fn the_key_schedule_is_that_of_the_published_test_vector() {
        let secret = "0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7";
        let secret = hexadecimal(secret).try_into().expect("32 bytes");
        let suite = b"HPKE\x00\x20\x00\x01\x00\x03";
        let (key, nonce) = schedule(suite, b"Ode on a Grecian Urn", &secret);
        let expected = "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91";
        assert_eq!(key[..], hexadecimal(expected));
        assert_eq!(nonce[..], hexadecimal("5c4d98150661b848853b547f"));
    }

    fn hexadecimal(text: &str) -> Vec<u8> {
        let digits = (0..text.len()).step_by(2);
        digits.map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("digits")).collect()
    }

    #[test]
    fn an_identity_knows_its_recipient() {
        assert_eq!(identity().recipient(), RECIPIENT.trim());
    }

    #[test]
    fn what_sops_encrypted_opens_and_nothing_else_does() {
        let opened = identity().unwrap_stanza(&stanza()).expect("it is ours").expect("it opens");
        assert_eq!(opened.expose_secret().len(), FILE_KEY);
        let other = HybridIdentity::of(&[7; 32]);
        assert!(other.unwrap_stanza(&stanza()).is_none(), "it is not for another key");
        for at in [0, FILE_KEY, FILE_KEY + TAG - 1] {
            let mut damaged = stanza();
            damaged.body[at] ^= 1;
            assert!(identity().unwrap_stanza(&damaged).is_none(), "byte {at} of the body");
        }
        let encapsulated = STANDARD_NO_PAD.decode(&stanza().args[0]).expect("base64");
        for at in [0, 1087, 1088, 1119] {
            let mut damaged = encapsulated.clone();
            damaged[at] ^= 1;
            let args = vec![STANDARD_NO_PAD.encode(damaged)];
            let damaged = Stanza { args, ..stanza() };
            assert!(identity().unwrap_stanza(&damaged).is_none(), "byte {at} of the key");
        }
        let no_point = [&encapsulated[..1088], &[0; 32]].concat();
        let damaged = Stanza { args: vec![STANDARD_NO_PAD.encode(no_point)], ..stanza() };
        assert!(identity().unwrap_stanza(&damaged).is_none(), "a point of small order");
    }

    #[test]
    fn a_stanza_of_another_form_is_damaged_and_one_of_another_kind_is_not_ours() {
        let is_damaged = |stanza: &Stanza| {
            matches!(identity().unwrap_stanza(stanza), Some(Err(DecryptError::InvalidHeader)))
        };
        let args = stanza().args;
        assert!(is_damaged(&Stanza { args: Vec::new(), ..stanza() }));
        assert!(is_damaged(&Stanza { args: [&args[..], &args[..]].concat(), ..stanza() }));
        assert!(is_damaged(&Stanza { args: vec![args[0][4..].to_owned()], ..stanza() }));
        assert!(is_damaged(&Stanza { args: vec!["?".to_owned()], ..stanza() }));
        assert!(is_damaged(&Stanza { body: vec![0; 31], ..stanza() }));
        let other = Stanza { tag: "X25519".to_owned(), ..stanza() };
        assert!(identity().unwrap_stanza(&other).is_none());
    }

    #[test]
    fn a_damaged_identity_is_none() {
        let longer =
            bech32::encode_upper::<LongBech32>(Hrp::parse_unchecked(SECRET_PREFIX), &[7; 33]);
        let wrong = line().replace("PQ-1E", "PQ-1Q");
        for text in [&line()[..60], &wrong, &longer.expect("short"), "AGE-SECRET-KEY-PQ-1", ""] {
            assert!(HybridIdentity::parse(text).is_none(), "{text}");
        }
        assert!(HybridIdentity::parse(&line().to_lowercase()).is_some(), "as bech32 has it");
    }
}
