//! The forms of private keys: age identities, OpenPGP keys, and keys in PEM.
//!
//! Those who search for keys, those who hide them and those who refuse them ask here. Reading a
//! key in order to use it is the business of `keys`.

use std::borrow::Cow;
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

/// Returns true if a text is nothing but PEM without a private key: certificates and public keys, or
/// blocks with nothing in them, as manuals show them. Its lines may be folded or escaped.
pub fn is_public_pem(text: &str) -> bool {
    let text = unescaped(text);
    let mut rest = text.trim();
    let mut found = false;
    while !rest.is_empty() {
        let Some(block) = PemBlock::first(rest) else { return false };
        if !block.is_public() {
            return false;
        }
        found = true;
        rest = block.behind.trim_start();
    }
    found
}

/// Returns true if a text contains a private key in PEM. Examples that are cut short do not count.
pub fn has_pem_key(text: &str) -> bool {
    if !text.contains(PEM_BEGIN) {
        return false;
    }
    let text = unescaped(text);
    let mut blocks =
        text.match_indices(PEM_BEGIN).filter_map(|(at, _)| PemBlock::first(&text[at..]));
    blocks.any(|block| block.label.contains(PEM_LABEL) && block.has_key())
}

const PEM_BEGIN: &str = "-----BEGIN ";

/// Replaces line ends that are written as two characters.
fn unescaped(text: &str) -> Cow<'_, str> {
    if text.contains('\\') {
        Cow::Owned(text.replace("\\r", " ").replace("\\n", " ").replace("\\t", " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// One block of PEM.
struct PemBlock<'t> {
    label: &'t str,
    body: &'t str,
    /// True if it has an `END`.
    is_closed: bool,
    behind: &'t str,
}

impl<'t> PemBlock<'t> {
    /// Reads the block that a text begins with.
    fn first(text: &'t str) -> Option<Self> {
        let (label, rest) = text.strip_prefix(PEM_BEGIN)?.split_once("-----")?;
        let (body, behind) = rest.split_at(rest.find("-----").unwrap_or(rest.len()));
        let end = behind.strip_prefix("-----END ").and_then(|rest| rest.split_once("-----"));
        let behind = end.map_or(behind, |(_, behind)| behind);
        Some(Self { label, body, is_closed: end.is_some(), behind })
    }

    fn is_public(&self) -> bool {
        let label = self.label;
        let is_public = label.ends_with("CERTIFICATE")
            || label.contains("PUBLIC KEY")
            || label.ends_with("PARAMETERS")
            || matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" | "X509 CRL");
        // Base64 has `=` at its end only.
        let is_setting = |word: &str| {
            let (key, value) = word.split_once('=').unwrap_or_default();
            !key.is_empty() && !value.trim_start_matches('=').is_empty()
        };
        let body = self.body.trim_end();
        let is_whole = self.is_closed || body.is_empty() || body.ends_with(['.', '\u{2026}']);
        let is_plain = !body.split_whitespace().any(is_setting);
        is_whole && is_plain && (is_public || !self.has_key())
    }

    /// Reports whether the body has enough base64 for a key.
    fn has_key(&self) -> bool {
        const SHORTEST: usize = 20;
        let mut length = 0;
        let mut words = self.body.split_whitespace();
        while let Some(word) = words.next() {
            if word.ends_with(':') {
                // The value of a header, such as `Proc-Type: 4,ENCRYPTED`.
                words.next();
            } else if is_key_material(word) {
                length += word.len();
            }
        }
        length >= SHORTEST
    }
}

/// Reports whether a word is base64, and not a word of a language or a row of `X`.
fn is_key_material(word: &str) -> bool {
    const SHORTEST: usize = 8;
    const LONGEST_WORD: usize = 16;
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let is_lower = |b: u8| b.is_ascii_lowercase();
    let is_word = word.len() < LONGEST_WORD
        && (word.bytes().skip(1).all(is_lower) || word.bytes().all(|b| b.is_ascii_uppercase()));
    let is_row = word.bytes().all(|b| Some(b) == word.bytes().next());
    word.len() >= SHORTEST && word.bytes().all(is_base64) && !is_word && !is_row
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

    /// A private key whose lines are joined by `gap`, and its certificate.
    fn pem(label: &str, gap: &str) -> String {
        let body = ["MIIEvQIBADANBgkqhkiG9w0B", "canarycanarycanary0canary", "canary0A"].join(gap);
        format!("-----BEGIN {label}-----{gap}{body}{gap}-----END {label}-----{gap}")
    }

    #[test]
    fn a_key_in_pem_is_one_in_every_wrapping() {
        for gap in ["\n", "\r\n", "\r", " ", "", "\\n", "\\r\\n", "\n    ", "\n\n", "\t"] {
            let certificate = pem("CERTIFICATE", gap);
            assert!(is_public_pem(&certificate) && !has_pem_key(&certificate), "{gap:?}");
            assert!(is_public_pem(&(certificate.clone() + &certificate)), "{gap:?}");
            for label in ["PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
                let key = pem(label, gap);
                let chain = certificate.clone() + &key;
                for text in [&key, &chain, &format!("  {key}"), &format!("key: {key}")] {
                    assert!(!is_public_pem(text) && has_pem_key(text), "{text:?}");
                }
            }
        }
        let short = "canary0canary0A\n".repeat(4);
        let short = format!("-----BEGIN PRIVATE KEY-----\n{short}-----END PRIVATE KEY-----");
        assert!(!is_public_pem(&short) && has_pem_key(&short));
    }

    #[test]
    fn nothing_stands_beside_public_pem() {
        let certificate = pem("CERTIFICATE", "\n");
        for text in [
            certificate.clone() + "password=canary",
            format!("password=canary\n{certificate}"),
            format!("{certificate}password=canary\n{certificate}"),
            certificate.replace("canarycanary", "password=canary"),
            "-----BEGIN CERTIFICATE----- canary".to_owned(),
            "-----BEGIN CERTIFICATE".to_owned(),
            "canary".to_owned(),
            String::new(),
        ] {
            assert!(!is_public_pem(&text), "{text:?}");
        }
        for text in [
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n...",
            "-----BEGIN PRIVATE KEY-----\nreplace this by your private key\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nXXXXXXXXXXXXXXXXXXXXXXXXXXXX\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhki...",
            "-----BEGIN CERTIFICATE REQUEST-----\nMIIEvQ==\n-----END CERTIFICATE REQUEST-----",
        ] {
            assert!(is_public_pem(text) && !has_pem_key(text), "{text:?}");
        }
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
