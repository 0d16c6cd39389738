//! The search for private keys in the bytes of a file.

use std::sync::LazyLock;

use base64::Engine;
use bech32::primitives::decode::CheckedHrpstring;
use regex::bytes::Regex;

use super::block::{BASE64, BEGIN, Block};
use super::encoded;
use super::found::{Form, FoundKey};
use super::hint::{AGE, AGE_HYBRID, AGE_IN_BASE64, PEM_IN_BASE64, PGP_LABEL};
use super::packet::{public_key_packet, secret_key_packet};
use crate::secret::Plaintext;
use crate::text::Span;

/// Maximum number of keys that are read of one file.
pub const MAX_KEYS: usize = 1000;

/// Length of the longest age identity in bytes: a prefix, `1`, 32 bytes in bech32, and the checksum.
const LONGEST_AGE: usize = AGE_HYBRID.len() + 52 + 6;

/// The base64 of other texts that a file with a key begins with.
const IN_BASE64: [&str; 6] = [
    // `# created: ` and `# public key: age1`, as age-keygen writes them.
    "IyBjcmVhdGVkOi",
    "IyBwdWJsaWMga2V5OiBhZ2Ux",
    // An empty line, and `-----BEGIN`.
    "Ci0tLS0tQkVHSU",
    // `Bag Attributes`, as openssl writes it.
    "QmFnIEF0dHJpYnV0ZXM",
    // `"type": "service_account"` as the first member of JSON, with and without white space.
    "ewogICJ0eXBlIjogInNlcnZpY2VfYWNjb3Vud",
    "eyJ0eXBlIjoic2VydmljZV9hY2NvdW50I",
];

/// The marks of a key. One pass over the bytes finds all.
static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    let marks: Vec<&str> = marks().collect();
    Regex::new(&format!("(?-u){}", marks.join("|"))).expect("a valid pattern")
});

/// Returns the marks of a key: a file without any of them has none, unless it is binary.
pub fn marks() -> impl Iterator<Item = &'static str> {
    ["-BEGIN", AGE, PEM_IN_BASE64, AGE_IN_BASE64].into_iter().chain(IN_BASE64)
}

/// Reports whether a file may have private keys, and whether it may have public keys of OpenPGP.
/// `is_marked`: it has a mark of a key.
pub fn look(bytes: &[u8], is_marked: bool) -> (bool, bool) {
    let (mut is_private, mut is_public) =
        (secret_key_packet(bytes).is_some(), public_key_packet(bytes).is_some());
    let mut marks = Marks { bytes: if is_marked { bytes } else { &[] }, at: 0 };
    while let Some(mark) = marks.next().filter(|_| !(is_private && is_public)) {
        match mark {
            Mark::Age(_) => is_private = true,
            Mark::Block(start) => {
                let Some(block) = Block::at(bytes, start) else { continue };
                is_public |= block.label == "PGP PUBLIC KEY BLOCK";
                let is_key = || block.label == PGP_LABEL || block.key().is_some();
                is_private = is_private || is_key();
            }
            Mark::Base64(_, decoded) => is_private |= !plain(decoded.expose()).is_empty(),
        }
    }
    (is_private, is_public)
}

/// Returns the private keys of a file, at most [`MAX_KEYS`]. Examples that are cut short do not
/// count.
pub fn find(bytes: &[u8]) -> Vec<FoundKey> {
    if let Some(key) = binary(bytes) {
        return vec![key];
    }
    let mut marks = Marks { bytes, at: 0 };
    let mut found = Vec::new();
    while found.len() < MAX_KEYS
        && let Some(mark) = marks.next()
    {
        match mark {
            Mark::Base64(span, decoded) => {
                let inside = plain(decoded.expose()).into_iter();
                found.extend(inside.map(|key| FoundKey { span, is_in_base64: true, ..key }));
            }
            Mark::Age(start) => found.extend(age_identity(bytes, start)),
            Mark::Block(start) => found.extend(key_in_block(bytes, start)),
        }
    }
    found.truncate(MAX_KEYS);
    found
}

/// Returns the first private key of a value in base64. `span`: the place of the value.
pub fn find_in_base64(text: &str, span: Span) -> Option<FoundKey> {
    let base64: String = text.split_ascii_whitespace().collect();
    let decoded = Plaintext::new(BASE64.decode(base64).ok()?);
    let key = binary(decoded.expose()).or_else(|| plain(decoded.expose()).into_iter().next())?;
    Some(FoundKey { span, is_in_base64: true, ..key })
}

/// A place where a key may begin.
enum Mark {
    /// An age identity.
    Age(usize),
    /// A block of PEM or armor.
    Block(usize),
    /// The beginning of base64, and the bytes in it.
    Base64(Span, Plaintext),
}

struct Marks<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Iterator for Marks<'_> {
    type Item = Mark;

    fn next(&mut self) -> Option<Mark> {
        while let Some(found) = MARKS.find_at(self.bytes, self.at) {
            self.at = found.end();
            let start = found.start();
            match found.as_bytes() {
                b"-BEGIN" => {
                    let start = found.end().checked_sub(BEGIN.len());
                    let start = start.filter(|start| self.bytes[*start..].starts_with(BEGIN));
                    if let Some(start) = start {
                        return Some(Mark::Block(start));
                    }
                }
                mark if mark == AGE.as_bytes() => return Some(Mark::Age(start)),
                _ if !encoded::begins(self.bytes, start) => {}
                _ => {
                    let (decoded, end) = encoded::decoded(self.bytes, start);
                    let span = Span::new(start, self.at);
                    self.at = self.at.max(end);
                    if let Some(decoded) = decoded {
                        return Some(Mark::Base64(span, decoded));
                    }
                }
            }
        }
        None
    }
}

/// Returns the private keys of bytes that are not in base64 again.
fn plain(bytes: &[u8]) -> Vec<FoundKey> {
    let marks = MARKS.find_iter(bytes).filter_map(|found| match found.as_bytes() {
        b"-BEGIN" => key_in_block(bytes, found.end().checked_sub(BEGIN.len())?),
        mark if mark == AGE.as_bytes() => age_identity(bytes, found.start()),
        _ => None,
    });
    marks.take(MAX_KEYS).collect()
}

fn binary(bytes: &[u8]) -> Option<FoundKey> {
    secret_key_packet(bytes)?;
    let material = Plaintext::new(bytes.to_vec());
    Some(key(Span::at(0), Form::OpenPgpBinary, material))
}

fn key(span: Span, form: Form, material: Plaintext) -> FoundKey {
    FoundKey { span, form, is_locked: false, is_in_base64: false, material }
}

fn key_in_block(bytes: &[u8], start: usize) -> Option<FoundKey> {
    let block = Block::at(bytes, start)?;
    let found = block.key()?;
    let span = Span::new(start, block.header_end);
    Some(FoundKey { is_locked: found.is_locked, ..key(span, found.form, found.material) })
}

fn age_identity(bytes: &[u8], start: usize) -> Option<FoundKey> {
    let is_part = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'-';
    // Prefixes in a row are no keys, and each would be read up to the end.
    let length = bytes[start..].iter().take(LONGEST_AGE + 1).take_while(is_part).count();
    let text = std::str::from_utf8(&bytes[start..start + length]).ok()?;
    let form = match text.rsplit_once('1')?.0 {
        AGE => Form::Age,
        "AGE-SECRET-KEY-PQ-" => Form::AgeHybrid,
        _ => return None,
    };
    // The seeds of both kinds have 32 bytes, so the checksum of BIP 173 fits its limits.
    let is_key = CheckedHrpstring::new::<bech32::Bech32>(text)
        .is_ok_and(|checked| checked.byte_iter().count() == 32);
    let span = Span::new(start, start + length);
    is_key.then(|| key(span, form, Plaintext::new(text.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_that_is_cut_short_is_no_key() {
        assert!(find(b"AGE-SECRET-KEY-1QQPQQ...").is_empty());
        assert!(find(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n...\n").is_empty());
        let strange =
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlFg{}\n", "\u{fffd}".repeat(9));
        assert!(find(strange.as_bytes()).is_empty());
        assert!(find(b"grep -e '-----BEGIN PGP PRIVATE KEY BLOCK-----'").is_empty());
        assert!(find(b"-BEGIN RSA PRIVATE KEY-----").is_empty());
    }

    #[test]
    fn finds_an_armored_key_in_every_wrapping() {
        // Version 4, created in 2020, RSA: the first bytes of a secret-key packet.
        let packet = [0x95, 0x03, 0x98, 4, 0x5e, 0x0b, 0xe1, 0x00, 1, 8, 0, 1, 2, 3, 4, 5, 6, 7];
        let line = BASE64.encode(packet);
        for text in [
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{line}\n"),
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\r\nVersion: 1\r\n\r\n{line}\r\n"),
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\nComment: a b c\n\n{line}\n=abcd\n"),
            format!("key: |\n  -----BEGIN PGP PRIVATE KEY BLOCK-----\n\n  {line}\n"),
            format!("\"-----BEGIN PGP PRIVATE KEY BLOCK-----\\n\\n{line}\\n\""),
            format!("-----BEGIN PGP PRIVATE KEY BLOCK----- {line} =abcd -----END"),
        ] {
            let found = find(text.as_bytes());
            assert!(found.len() == 1 && found[0].material.expose() == packet, "{text}");
        }
        assert_eq!(find(&packet).len(), 1);
    }

    #[test]
    fn the_lines_of_a_key_may_be_a_text_of_source_code() {
        let lines = ["MIGHAgEAMBMGByqGSM49AgEGCCqGSM49", "AwEHBG0wawIBAQQgcanary0123456789"];
        let key = BASE64.decode(lines.concat()).expect("base64");
        for [before, between, behind] in [
            ["\"", "\\n\" +\n  \"", "\\n\""],
            ["b'", "\\n'\n  b'", "'"],
            ["'", "' .\n '", "'"],
            ["// ", "\n// ", "\n"],
            ["#", "\n#", "\n"],
            ["+", "\n+", "\n"],
            ["-", "\n-", "\n"],
            ["<a>", "&#10;", "&#xA;</a>"],
            ["\"", "\\u000d\\u000A", "\""],
            [" * ", "\n * ", "\n"],
            ["> ", "\n> ", "\n"],
            ["- ", "\n- ", "\n"],
            ["", "\r", "\r"],
            ["\t", "\n\t", "\n"],
        ] {
            let lines =
                ["-----BEGIN PRIVATE KEY-----", lines[0], lines[1], "-----END PRIVATE KEY-----"];
            let text = format!("{before}{}{behind}", lines.join(between));
            let found = find(text.as_bytes());
            assert!(found.len() == 1 && found[0].material.expose() == key, "{text:?}");
        }
    }

    #[test]
    fn a_label_may_be_folded() {
        let body = "canary0A".repeat(12);
        for label in ["RSA\n  PRIVATE KEY", "RSA PRIVATE\n\n   KEY", "EC PRIVATE\\\n  \\ KEY"] {
            let text = format!("a: -----BEGIN {label}-----\n  {body}\n  -----END {label}-----\n");
            assert_eq!(find(text.as_bytes()).len(), 1, "{text}");
            assert_eq!(look(text.as_bytes(), true), (true, false), "{text}");
        }
    }

    #[test]
    fn base64_is_read_at_the_beginning_of_a_value_only() {
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n", "canary0A".repeat(12));
        let value = base64(&pem);
        for text in ["%", "key: %", "KEY=%", "\"%\"", "a\\n%", "data:;base64,%", "- %"] {
            let found = find(text.replace('%', &value).as_bytes());
            assert!(found.len() == 1 && found[0].is_in_base64, "{text}");
        }
        for start in ["\n", "Bag Attributes\n", "{\n  \"type\": \"service_account\", \"k\": \""] {
            assert_eq!(find(base64(&format!("{start}{pem}")).as_bytes()).len(), 1, "{start}");
        }
        for text in ["AAAA%", "/%", "+%"] {
            assert!(find(text.replace('%', &value).as_bytes()).is_empty(), "{text}");
        }
        let twice = base64(&value);
        assert!(find(twice.as_bytes()).is_empty());
    }
}
