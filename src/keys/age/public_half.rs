//! The recipients of a private key: of an age identity, and of a key of SSH in every form that age takes.
//!
//! OpenSSH keeps the public half unencrypted. PKCS#1 (RFC 8017) holds the numbers of an RSA key, and
//! PKCS#8 (RFC 5958) either that or the seed of an Ed25519 key (RFC 8410).

use age::x25519;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bech32::Hrp;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::hybrid::HybridIdentity;
use super::long_bech32::LongBech32;
use super::wire::{encode, field};
use crate::private_key::{Form, FoundKey};

const ED25519: &str = "ssh-ed25519";
const RSA: &str = "ssh-rsa";
/// Bytes of an Ed25519 seed, and of its public key.
const ED25519_BYTES: usize = 32;

/// Tags of DER (X.690).
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// Object identifiers, encoded: 1.2.840.113549.1.1.1 and 1.3.101.112.
const RSA_OBJECT: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const ED25519_OBJECT: &[u8] = &[0x2b, 0x65, 0x70];

/// Returns the recipients whose files a key opens.
pub(super) fn recipients(key: &FoundKey) -> Vec<String> {
    let bytes = key.material.expose();
    let text = || std::str::from_utf8(bytes).ok();
    match key.form {
        Form::Age => {
            let identity = text().and_then(|text| text.parse::<x25519::Identity>().ok());
            identity.map(|identity| identity.to_public().to_string()).into_iter().collect()
        }
        Form::AgeHybrid => {
            let identity = text().and_then(HybridIdentity::parse);
            identity.map(|identity| identity.recipient()).into_iter().collect()
        }
        Form::OpenSsh | Form::Pem => ssh_recipients(bytes),
        Form::OpenPgp | Form::OpenPgpBinary => Vec::new(),
    }
}

fn ssh_recipients(bytes: &[u8]) -> Vec<String> {
    let Some(wire) = open_ssh(bytes).or_else(|| pkcs8(bytes)).or_else(|| pkcs1(bytes)) else {
        return Vec::new();
    };
    let mut rest = &wire[..];
    let Some(kind) = field(&mut rest).and_then(|kind| std::str::from_utf8(kind).ok()) else {
        return Vec::new();
    };
    let mut found = vec![format!("{kind} {}", STANDARD.encode(&wire))];
    if kind == ED25519 {
        found.extend(field(&mut rest).and_then(converted));
    }
    found
}

/// Returns the recipient that `ssh-to-age` makes of an Ed25519 key: the same point on another curve.
/// sops-nix opens files with the key of a host so.
fn converted(public: &[u8]) -> Option<String> {
    let point = CompressedEdwardsY::from_slice(public).ok()?.decompress()?;
    let prefix = Hrp::parse_unchecked("age");
    bech32::encode_lower::<LongBech32>(prefix, point.to_montgomery().as_bytes()).ok()
}

/// Returns the public key in SSH's wire format of a key in the format of OpenSSH (PROTOCOL.key).
fn open_ssh(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    for _cipher_and_derivation in 0..3 {
        field(&mut rest)?;
    }
    // The number of keys is always 1.
    rest = rest.strip_prefix(&[0, 0, 0, 1])?;
    field(&mut rest).map(<[u8]>::to_vec)
}

/// Does the same for PKCS#8.
fn pkcs8(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut key = element(&mut bytes, SEQUENCE)?;
    element(&mut key, INTEGER)?;
    let mut algorithm = element(&mut key, SEQUENCE)?;
    let mut private = element(&mut key, OCTETS)?;
    match element(&mut algorithm, OBJECT)? {
        RSA_OBJECT => pkcs1(private),
        ED25519_OBJECT => {
            let seed: &[u8; ED25519_BYTES] = element(&mut private, OCTETS)?.try_into().ok()?;
            Some(encode(&[ED25519.as_bytes(), &ed25519_public(seed)]))
        }
        _ => None,
    }
}

/// Does the same for PKCS#1. DER and SSH write a number in the same way.
fn pkcs1(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut key = element(&mut bytes, SEQUENCE)?;
    element(&mut key, INTEGER)?;
    let modulus = element(&mut key, INTEGER)?;
    let exponent = element(&mut key, INTEGER)?;
    // Other structures begin with numbers too, but have fewer: RSA has the private exponent next.
    element(&mut key, INTEGER)?;
    Some(encode(&[RSA.as_bytes(), exponent, modulus]))
}

/// RFC 8032, section 5.1.5.
fn ed25519_public(seed: &[u8; ED25519_BYTES]) -> [u8; ED25519_BYTES] {
    let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(seed)));
    let mut scalar = Zeroizing::new([0; ED25519_BYTES]);
    scalar.copy_from_slice(&hash[..ED25519_BYTES]);
    EdwardsPoint::mul_base_clamped(*scalar).compress().to_bytes()
}

/// Takes an element of DER from the front, and returns its content.
fn element<'d>(rest: &mut &'d [u8], tag: u8) -> Option<&'d [u8]> {
    let (found, behind) = rest.split_first()?;
    let (first, behind) = behind.split_first()?;
    let digits = usize::from(first & 0x7f);
    let (length, behind) = match first {
        0..=0x7f => (digits, behind),
        0x81..=0x84 => {
            let (length, behind) = behind.split_at_checked(digits)?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), behind)
        }
        _ => return None,
    };
    let (content, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    (*found == tag).then_some(content)
}
