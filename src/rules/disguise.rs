//! Ciphertexts that sops does not recognise: in quotes, behind a blank, in lower case or in base64.
//!
//! sops takes them for plaintext. To encrypt the file again would encrypt the ciphertext, and the data key
//! would be lost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::subject::{Judged, Subject};
use crate::document::Scalar;
use crate::sops::census::Spot;
use crate::sops::value::{EncValue, looks_encrypted};

/// The beginning of a ciphertext.
const PREFIX: &str = "ENC[AES256_GCM,";

/// Characters that people and programs put around a value.
const AROUND: &[char] = &['\'', '"', '`', '[', ']', '(', ')', '\\', ' ', '\t', '\r', '\n'];

/// Maximum length of base64 that is decoded, in bytes.
const MAX_LENGTH: usize = 1024 * 1024;

/// The way in which a ciphertext was disguised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Disguise {
    /// Quotes, brackets or blanks are around it.
    Quotes,
    /// It begins with another case of letters.
    Case,
    /// It is base64.
    Base64,
}

impl Disguise {
    /// Returns a predicate for one or more values.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Quotes => "in quotes, brackets or blanks",
            Self::Case => "in another case of letters",
            Self::Base64 => "in base64",
        }
    }

    /// Returns how the value is written that sops recognises. `is_line`: in a file of lines with `=`.
    pub(super) fn repair(self, is_line: bool) -> &'static str {
        match self {
            Self::Quotes if is_line => "remove all that is around ENC[..], and blanks before =",
            Self::Quotes => "remove all that is around ENC[..]",
            Self::Case => "write ENC[AES256_GCM in capitals",
            Self::Base64 => "write what the base64 encodes",
        }
    }
}

/// Returns how the ciphertext in a text was disguised; `None` if there is none, or sops recognises it.
pub(super) fn disguise(text: &str) -> Option<Disguise> {
    if looks_encrypted(text) {
        return None;
    }
    let inner = text.trim_start_matches(AROUND);
    let begins = inner.get(..PREFIX.len()).is_some_and(|it| it.eq_ignore_ascii_case(PREFIX));
    if begins {
        let whole = format!("{PREFIX}{}", &inner[PREFIX.len()..]);
        let is_exact = inner.starts_with(PREFIX);
        let kind = whole.rfind(",type:")?;
        let end = kind + whole[kind..].find(']')? + 1;
        EncValue::parse(&whole[..end]).ok()?;
        return Some(if is_exact { Disguise::Quotes } else { Disguise::Case });
    }
    // `RU5DW` is the beginning of `ENC[`.
    let packed = text.trim();
    if !packed.starts_with("RU5DW") || packed.len() > MAX_LENGTH {
        return None;
    }
    let joined: String = packed.split_ascii_whitespace().collect();
    let plain = STANDARD.decode(joined).ok()?;
    let plain = std::str::from_utf8(&plain).ok()?.trim();
    EncValue::parse(plain).ok().map(|_| Disguise::Base64)
}

/// Returns how the ciphertext at a place was disguised.
pub(super) fn at(spot: &Spot<'_, '_>) -> Option<Disguise> {
    match spot.scalar {
        Scalar::Str(text) => disguise(text),
        _ => None,
    }
}

/// Returns the disguised ciphertexts of a document.
pub(super) fn all<'j, 's>(judged: &'j Judged<'s>) -> Vec<(&'j Spot<'s, 's>, Disguise)> {
    let census = &judged.census;
    let spots = census.plaintext.iter().chain(&census.unselected);
    spots.filter_map(|spot| Some((spot, at(spot)?))).collect()
}

/// Returns true if a text may be, or contain, a ciphertext in any form.
fn may_hold(text: &str) -> bool {
    text.to_ascii_lowercase().contains("enc[aes256_gcm,") || text.trim().starts_with("RU5DW")
}

impl Subject<'_> {
    /// Returns true if any value may be or contain a ciphertext, so that nothing but the `sops` block of the file
    /// can open it.
    pub(super) fn may_hold_ciphertext(&self) -> bool {
        let censuses = self.documents.iter().map(|judged| &judged.census);
        let mut spots =
            censuses.flat_map(|census| census.plaintext.iter().chain(&census.unselected));
        spots.any(|spot| matches!(spot.scalar, Scalar::Str(text) if may_hold(text)))
    }

    /// Returns true if any value of the file is a ciphertext that sops does not recognise.
    pub(super) fn has_disguised(&self) -> bool {
        self.is_encrypted() && self.documents.iter().any(|judged| !all(judged).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disguise_is_recognised() {
        let iv = STANDARD.encode([0; 32]);
        let tag = STANDARD.encode([0; 16]);
        let value = format!("{PREFIX}data:Dw==,iv:{iv},tag:{tag},type:str]");
        for (text, expected) in [
            (value.clone(), None),
            (format!("'{value}'"), Some(Disguise::Quotes)),
            (format!("\"{value}\"\r"), Some(Disguise::Quotes)),
            (format!(" {value}"), Some(Disguise::Quotes)),
            (format!("[{value}]"), Some(Disguise::Quotes)),
            (value.replacen("ENC", "enc", 1), Some(Disguise::Case)),
            (STANDARD.encode(&value), Some(Disguise::Base64)),
            ("'ENC[AES256_GCM,data:..]'".to_owned(), None),
            ("plain".to_owned(), None),
        ] {
            assert_eq!(disguise(&text), expected, "{text}");
        }
    }
}
