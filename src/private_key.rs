//! The forms of private keys: age identities, OpenPGP keys, and keys in PEM.
//!
//! Those who search for keys, those who hide them and those who refuse them ask here. Reading a
//! key in order to use it is the business of `keys`.

use std::sync::LazyLock;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bech32::primitives::decode::CheckedHrpstring;
use memchr::memmem::Finder;

use crate::text::Span;

/// The beginning of an age identity.
const AGE: &str = "AGE-SECRET-KEY-";
/// The beginning of a post-quantum age identity.
pub const AGE_HYBRID: &str = "AGE-SECRET-KEY-PQ-1";
/// The beginning of the name of a key in an age plugin.
pub const AGE_PLUGIN: &str = "AGE-PLUGIN-";
/// The end of the label of a private key in PEM, and a part of that of OpenPGP.
const PEM_LABEL: &str = "PRIVATE KEY";
/// The label of an armored OpenPGP key.
pub const PGP_LABEL: &str = "PGP PRIVATE KEY BLOCK";

/// Armor as gpg writes it may leave its padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Length of the longest age identity in bytes: a prefix, `1`, 32 bytes in bech32, and the checksum.
const LONGEST_AGE: usize = AGE_HYBRID.len() + 52 + 6;

static AGE_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(AGE));
static PGP_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" KEY BLOCK-----"));

/// Reports whether a file may have private keys, and whether it may have public keys of OpenPGP,
/// after one quick pass over its bytes.
pub fn look(bytes: &[u8]) -> (bool, bool) {
    let is_private = AGE_FINDER.find(bytes).is_some() || secret_key_packet(bytes).is_some();
    let mut found = (is_private, public_key_packet(bytes).is_some());
    for at in PGP_FINDER.find_iter(bytes) {
        found.0 |= bytes[..at].ends_with(b"PGP PRIVATE");
        found.1 |= bytes[..at].ends_with(b"PGP PUBLIC");
        if found == (true, true) {
            break;
        }
    }
    found
}

/// Returns true if a short text, such as a recipient, seems to be a private key.
pub fn is_hinted_at(text: &str) -> bool {
    let text = text.trim_start().to_ascii_uppercase();
    text.contains(AGE)
        || text.starts_with(AGE_PLUGIN)
        || (text.contains("-----BEGIN ") && text.contains(PEM_LABEL))
}

/// Returns true if any part of these bytes is shaped like a private key, in upper or lower case.
pub fn is_mentioned(bytes: &[u8]) -> bool {
    [AGE, AGE_PLUGIN, PEM_LABEL].iter().any(|mark| {
        bytes.windows(mark.len()).any(|window| window.eq_ignore_ascii_case(mark.as_bytes()))
    })
}

/// Returns true if a text has an age identity or the name of a plugin's key, and more behind its
/// beginning than the dots of an example.
pub fn has_age_identity(text: &str) -> bool {
    const SHORTEST: usize = 40;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    [AGE, AGE_PLUGIN].iter().any(|mark| {
        text.split(mark).skip(1).any(|rest| rest.bytes().take_while(is_part).count() >= SHORTEST)
    })
}

/// Returns true if a file is a private key in PEM (RFC 7468), as OpenSSL and OpenSSH write it.
pub fn is_pem_key(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    first.starts_with(b"-----BEGIN ") && first.ends_with(b"PRIVATE KEY-----")
}

/// Returns true if a text is PEM without a private key: certificates and public keys, or blocks
/// with nothing in them, as manuals show them.
pub fn is_public_pem(text: &str) -> bool {
    const BEGIN: &str = "-----BEGIN ";
    if !text.starts_with(BEGIN) {
        return false;
    }
    text.split(BEGIN).skip(1).all(|block| {
        let (label, body) = block.split_once("-----").unwrap_or((block, ""));
        let is_certificate = label.ends_with("CERTIFICATE") || label.contains("PUBLIC KEY");
        is_certificate || !body.lines().any(is_key_material)
    })
}

fn is_key_material(line: &str) -> bool {
    const SHORTEST: usize = 16;
    let line = line.trim();
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    line.len() >= SHORTEST && line.bytes().all(is_base64)
}

/// Returns the private keys of a text, with their places and what they are; or the one of a
/// binary file. Examples that are cut short do not count.
pub fn find(bytes: &[u8]) -> Vec<(Span, &'static str)> {
    if secret_key_packet(bytes).is_some() {
        return vec![(Span::at(0), "a binary OpenPGP secret key")];
    }
    let mut found: Vec<_> = age_identities(bytes).collect();
    found.extend(pgp_blocks(bytes));
    found
}

fn age_identities(bytes: &[u8]) -> impl Iterator<Item = (Span, &'static str)> {
    memchr::memmem::find_iter(bytes, AGE).filter_map(|start| {
        let length = bytes[start..]
            .iter()
            // Prefixes in a row are no keys, and each would be read up to the end.
            .take(LONGEST_AGE + 1)
            .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'-')
            .count();
        let text = std::str::from_utf8(&bytes[start..start + length]).ok()?;
        let what = match text.rsplit_once('1')?.0 {
            AGE => "an age private key",
            "AGE-SECRET-KEY-PQ-" => "a post-quantum age private key",
            _ => return None,
        };
        // The seeds of both kinds have 32 bytes, so the checksum of BIP 173 fits its limits.
        let is_key = CheckedHrpstring::new::<bech32::Bech32>(text)
            .is_ok_and(|checked| checked.byte_iter().count() == 32);
        is_key.then_some((Span::new(start, start + length), what))
    })
}

/// Finds armored blocks with a body that begins with a secret-key packet. The text may be indented, or
/// escaped as in JSON.
fn pgp_blocks(bytes: &[u8]) -> impl Iterator<Item = (Span, &'static str)> {
    let header = format!("-----BEGIN {PGP_LABEL}-----");
    let found: Vec<usize> = memchr::memmem::find_iter(bytes, &header).collect();
    found.into_iter().filter_map(move |start| {
        let end = start + header.len();
        let body = &bytes[end..bytes.len().min(end + 2048)];
        armored_packet(body).then_some((Span::new(start, end), "an OpenPGP private key"))
    })
}

/// Reports whether the first line of base64 behind an armor header decodes to a secret-key packet.
fn armored_packet(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).replace("\\n", "\n").replace("\\r", "");
    text.lines()
        .map(|line| line.trim_matches(|c: char| c.is_whitespace() || "\"'#>,".contains(c)))
        .skip_while(|line| line.is_empty() || line.contains(": "))
        .take(1)
        .any(|line| {
            let line = line.as_bytes();
            let whole = &line[..line.len() / 4 * 4];
            BASE64.decode(whole).is_ok_and(|packet| secret_key_packet(&packet).is_some())
        })
}

/// Returns what the first private key is that base64 hides.
pub fn find_in_base64(text: &str) -> Option<&'static str> {
    let base64: String = text.split_ascii_whitespace().collect();
    let decoded = BASE64.decode(base64).ok()?;
    find(&decoded).into_iter().next().map(|(_, what)| what)
}

/// Returns the offset of the body of a leading secret-key packet, tag 5 or 7: in the old format
/// `0x94..=0x9F`, in the new one `0xC5` and `0xC7`.
fn secret_key_packet(bytes: &[u8]) -> Option<usize> {
    let tag = *bytes.first()?;
    matches!(tag, 0x94..=0x96 | 0x9c..=0x9e | 0xc5 | 0xc7).then(|| key_packet(bytes))?
}

/// Returns the same for a public-key packet, tag 6: no certificate begins with a subkey.
fn public_key_packet(bytes: &[u8]) -> Option<usize> {
    let tag = *bytes.first()?;
    matches!(tag, 0x98..=0x9a | 0xc6).then(|| key_packet(bytes))?
}

/// Returns the offset of the body of a key packet. Its version byte tells a key from other files.
fn key_packet(bytes: &[u8]) -> Option<usize> {
    let body = match *bytes.first()? {
        0x94 | 0x98 | 0x9c => 2,
        0x95 | 0x99 | 0x9d => 3,
        0x96 | 0x9a | 0x9e => 5,
        0xc5..=0xc7 => match *bytes.get(1)? {
            0..=191 => 2,
            192..=223 => 3,
            255 => 6,
            _ => return None,
        },
        _ => return None,
    };
    // Version 3 to 6, then four bytes of creation time after 1990, then a known algorithm.
    let version = *bytes.get(body)?;
    let created = u32::from_be_bytes(bytes.get(body + 1..body + 5)?.try_into().ok()?);
    let algorithm = *bytes.get(body + 5)?;
    let is_algorithm = matches!(algorithm, 1..=3 | 16..=19 | 22 | 25..=28);
    (matches!(version, 4..=6) && created > 631_152_000 && is_algorithm).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_a_hint_in_any_case() {
        for text in [
            "AGE-SECRET-KEY-1CANARY",
            " age-secret-key-pq-1canary",
            "AGE-PLUGIN-YUBIKEY-1CANARY",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        ] {
            assert!(is_hinted_at(text) && is_mentioned(text.as_bytes()), "{text}");
        }
        assert!(!is_hinted_at("ssh-ed25519 AAAA private key of my laptop"));
    }

    #[test]
    fn an_example_that_is_cut_short_is_no_key() {
        assert!(find(b"AGE-SECRET-KEY-1QQPQQ...").is_empty());
        assert!(find(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n...\n").is_empty());
        let strange =
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlFg{}\n", "\u{fffd}".repeat(9));
        assert!(find(strange.as_bytes()).is_empty());
        assert!(find(b"grep -e '-----BEGIN PGP PRIVATE KEY BLOCK-----'").is_empty());
    }

    #[test]
    fn finds_an_armored_key_in_any_dress() {
        // Version 4, created in 2020, RSA: the first bytes of a secret-key packet.
        let packet = [0x95, 0x03, 0x98, 4, 0x5e, 0x0b, 0xe1, 0x00, 1, 8, 0, 1, 2, 3, 4, 5, 6, 7];
        let line = BASE64.encode(packet);
        for text in [
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{line}\n"),
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\r\nVersion: 1\r\n\r\n{line}\r\n"),
            format!("key: |\n  -----BEGIN PGP PRIVATE KEY BLOCK-----\n\n  {line}\n"),
            format!("\"-----BEGIN PGP PRIVATE KEY BLOCK-----\\n\\n{line}\\n\""),
        ] {
            assert_eq!(find(text.as_bytes()).len(), 1, "{text}");
        }
        assert_eq!(find(&packet).len(), 1);
    }
}
