//! `ENC[AES256_GCM,data:..,iv:..,tag:..,type:..]`: one encrypted value (`aes/cipher.go`).

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::Regex;

/// Prefix of every encrypted value.
pub const PREFIX: &str = "ENC[AES256_GCM,";

/// Length of the nonce that sops writes, in bytes. It reads others, and crashes when it rewrites such a
/// file.
pub const IV_LENGTH: usize = 32;
/// Length of a GCM tag in bytes.
const TAG_LENGTH: usize = 16;

/// A well-formed encrypted value. It is not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncValue<'t> {
    /// Length of the ciphertext in bytes, which equals that of the plaintext.
    pub length: usize,
    /// The type of the plaintext: `str`, `int`, `comment` ...
    pub kind: &'t str,
    /// True if text follows the closing bracket, which sops ignores.
    pub has_trailing_text: bool,
}

/// The parts of an encrypted value, in their encoding.
#[derive(Clone, Copy)]
pub struct Parts<'t> {
    /// The ciphertext, in base64.
    pub data: &'t str,
    /// The nonce, in base64.
    pub iv: &'t str,
    /// The authentication tag, in base64.
    pub tag: &'t str,
    /// The type of the plaintext.
    pub kind: &'t str,
    /// The text after the closing bracket, which sops ignores.
    pub trailing: &'t str,
}

/// The fault of a text that begins like an encrypted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not have the form that sops requires.
    #[error("is not of the form ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]")]
    Form,
    /// The named part is not standard base64 with padding.
    #[error("has a `{0}` that is not base64")]
    Base64(&'static str),
    /// The named part has the wrong number of bytes.
    #[error("has {found} bytes in `{part}`, not {expected}")]
    Length {
        /// `iv` or `tag`.
        part: &'static str,
        /// Bytes found.
        found: usize,
        /// Bytes that sops writes.
        expected: usize,
    },
    /// sops cannot read the type. On `bytes`, which it knows, it crashes.
    #[error("has a type that sops cannot read")]
    Type,
}

/// Reports whether a text begins like an encrypted value of sops.
pub fn looks_encrypted(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Reports whether a text contains a whole encrypted value. Its `sops` block may be renamed or broken.
pub fn holds_ciphertext(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let (line, behind) = rest[at..].split_once('\n').unwrap_or((&rest[at..], ""));
        if last_value(line).is_some_and(|value| EncValue::parse(value).is_ok()) {
            return true;
        }
        rest = behind;
    }
    false
}

/// Reports whether a text may be, or contain, an encrypted value in any form: cut, wrapped, in another case of
/// letters, or in base64. To encrypt it would hide that its data key is lost.
pub fn may_hold_ciphertext(text: &str) -> bool {
    let compact: String = text.split_whitespace().collect();
    let has_end = || [",iv:", ",type:"].iter().any(|part| compact.contains(part));
    FORMS.is_match(&compact) || (compact.contains(",tag:") && has_end())
}

/// All forms of the beginning of an encrypted value: as text, in base64, and in base64 twice.
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    const MARKS: [&str; 4] = ["[AES256_GCM", "AES256_GCM,", "[aes256_gcm", "aes256_gcm,"];
    let once: Vec<String> = MARKS.iter().flat_map(|mark| packed(mark)).collect();
    let twice = once.iter().flat_map(|mark| packed(mark));
    let all: Vec<String> =
        once.iter().cloned().chain(twice).map(|form| regex::escape(&form)).collect();
    let plain = r"(?i:(?:\[|%5B)AES256_GCM|AES256_GCM(?:,|%2C))";
    Regex::new(&format!("{plain}|{}", all.join("|"))).expect("the forms are valid")
});

/// Returns the base64 of a text at each of the three places that it can have in a group of three bytes. The
/// digits that depend on its surroundings are left out.
fn packed(text: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let padded = "\0".repeat(before) + text;
        let digits = STANDARD_NO_PAD.encode(&padded);
        // A digit has six bits.
        let first = (before * 8).div_ceil(6);
        let end = padded.len() * 8 / 6;
        digits[first..end].to_owned()
    })
}

/// Returns the one part of a line that can be a whole encrypted value. The data of every value on the line
/// would end at the same separator, so only the last prefix before it has nothing but data behind it.
fn last_value(line: &str) -> Option<&str> {
    let ([before, ..], _) = split(line)?;
    let start = before.rfind(PREFIX)?;
    Some(&line[start..])
}

/// Splits a line into all before the nonce, the nonce, the tag and the type, and finds the closing bracket.
fn split(line: &str) -> Option<([&str; 4], usize)> {
    // The pattern of sops is greedy, so the last occurrence of each separator counts.
    let close = line.rfind(']')?;
    let (body, kind) = line[..close].rsplit_once(",type:")?;
    let (body, tag) = body.rsplit_once(",tag:")?;
    let (data, iv) = body.rsplit_once(",iv:")?;
    Some(([data, iv, tag, kind], close))
}

impl<'t> Parts<'t> {
    /// Splits a value with the pattern of sops,
    /// `^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]`.
    pub fn of(text: &'t str) -> Result<Self, Malformed> {
        let rest = text.strip_prefix(PREFIX).ok_or(Malformed::Form)?;
        let rest = rest.strip_prefix("data:").ok_or(Malformed::Form)?;
        let line = rest.split('\n').next().unwrap_or_default();
        let (parts, close) = split(line).ok_or(Malformed::Form)?;
        if parts.iter().any(|part| part.is_empty()) {
            return Err(Malformed::Form);
        }
        let [data, iv, tag, kind] = parts;
        Ok(Self { data, iv, tag, kind, trailing: &rest[close + 1..] })
    }
}

impl<'t> EncValue<'t> {
    /// Reads a value and checks its parts.
    pub fn parse(text: &'t str) -> Result<Self, Malformed> {
        let Parts { data, iv, tag, kind, trailing } = Parts::of(text)?;
        let length = base64_length(data).ok_or(Malformed::Base64("data"))?;
        expect_length("iv", iv, IV_LENGTH)?;
        expect_length("tag", tag, TAG_LENGTH)?;
        if !matches!(kind, "str" | "int" | "float" | "bool" | "time" | "comment") {
            return Err(Malformed::Type);
        }
        Ok(Self { length, kind, has_trailing_text: !trailing.trim().is_empty() })
    }
}

fn expect_length(part: &'static str, text: &str, expected: usize) -> Result<(), Malformed> {
    let found = base64_length(text).ok_or(Malformed::Base64(part))?;
    if found == expected { Ok(()) } else { Err(Malformed::Length { part, found, expected }) }
}

/// Returns the number of bytes that a text in standard base64 with padding encodes.
fn base64_length(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    let fits = text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(is_base64);
    fits.then(|| text.len() / 4 * 3 - padding)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IV: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

    fn enc(data: &str, iv: &str, tag: &str, kind: &str) -> String {
        format!("ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{kind}]")
    }

    #[test]
    fn reads_what_sops_writes() {
        let text = enc("Dw==", IV, TAG, "str");
        let value = EncValue::parse(&text).expect("well formed");
        assert_eq!((value.length, value.kind, value.has_trailing_text), (1, "str", false));
    }

    #[test]
    fn names_what_is_wrong() {
        let short = |part, found, expected| Malformed::Length { part, found, expected };
        for (text, expected) in [
            ("ENC[AES256_GCM,data:Dw==]".to_owned(), Malformed::Form),
            ("ENC[junk]".to_owned(), Malformed::Form),
            (enc("Dw==", IV, TAG, ""), Malformed::Form),
            (enc("Dw=", IV, TAG, "str"), Malformed::Base64("data")),
            (enc("D w=", IV, TAG, "str"), Malformed::Base64("data")),
            (enc("Dw==", "AAAAAAAAAAAAAAAA", TAG, "str"), short("iv", 12, 32)),
            (enc("Dw==", IV, "AAAAAAAAAAAAAAAA", "str"), short("tag", 12, 16)),
            (enc("Dw==", IV, TAG, "foo"), Malformed::Type),
            (enc("Dw==", IV, TAG, "str").replace(",iv", "\n,iv"), Malformed::Form),
        ] {
            assert_eq!(EncValue::parse(&text), Err(expected), "{text}");
        }
    }

    #[test]
    fn finds_a_value_anywhere_in_a_text() {
        let value = enc("Dw==", IV, TAG, "str");
        for text in [
            value.clone(),
            format!("a: {value}\r\n"),
            format!("{PREFIX}data:\n{PREFIX}data:x, {value} x\nb\n"),
            format!("{PREFIX}data:{value}{PREFIX}data:"),
            format!("{value} {value}"),
        ] {
            assert!(holds_ciphertext(&text), "{text}");
        }
        for text in [
            String::new(),
            format!("{PREFIX}data:]").repeat(3),
            value.replace(",iv", "\n,iv"),
            format!("{value}]"),
            format!("{value} {}", enc("D", IV, TAG, "str")),
        ] {
            assert!(!holds_ciphertext(&text), "{text}");
        }
    }

    #[test]
    fn a_ciphertext_may_be_in_any_form() {
        let value = enc("Dw==", IV, TAG, "str");
        let base64 = |text: &str| STANDARD_NO_PAD.encode(text);
        for text in [
            format!("x '{value}'"),
            value[..16].to_owned(),
            value[4..].to_owned(),
            value[30..].to_owned(),
            value.to_ascii_lowercase(),
            value.replace("AES", "\n A\nES"),
            value.replace('[', "%5b").replace(',', "%2c"),
            base64(&value),
            base64(&format!(" {value}")),
            base64(&format!("  {}", value.to_ascii_lowercase())),
            base64(&base64(&value)),
            format!("password={}", base64(&format!("'{}", base64(&value)))),
            base64(&value).replace('R', "\n  R"),
        ] {
            assert!(may_hold_ciphertext(&text), "{text}");
        }
        for text in ["", "plain", "ENC[PKCS7,MIIB]", "cipher: AES256_GCM", "iv:1,tag:2"] {
            assert!(!may_hold_ciphertext(text), "{text}");
            assert!(!may_hold_ciphertext(&base64(text)), "{text}");
        }
    }

    #[test]
    fn takes_text_behind_the_bracket_as_sops_does() {
        let text = enc("Dw==", IV, TAG, "str") + " tail";
        assert!(EncValue::parse(&text).is_ok_and(|value| value.has_trailing_text));
        let text = enc("Dw==", IV, TAG, "str") + "\r";
        assert!(EncValue::parse(&text).is_ok_and(|value| !value.has_trailing_text));
    }
}
