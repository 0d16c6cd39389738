//! Ciphertexts that sops does not recognise: in quotes, behind a blank, in lower case or in base64.
//!
//! sops takes them for plaintext. To encrypt the file again would encrypt the ciphertext, and the data key
//! would be lost.

use std::collections::HashSet;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode::Indifferent;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::subject::{Judged, Subject};
use crate::document::Scalar;
use crate::sops::census::Spot;
use crate::sops::flat::CHANGED_LINES;
use crate::sops::value::{EncValue, PREFIX, Parts, looks_encrypted, may_hold_ciphertext};

/// Characters that people and programs put around a value.
const AROUND: &[char] = &['\'', '"', '`', '[', ']', '(', ')', '\\', ' ', '\t', '\r', '\n'];

/// Maximum length of base64 that is decoded, in bytes.
const MAX_LENGTH: usize = 1024 * 1024;

/// Standard base64 whose end may be cut off.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The way in which a ciphertext was disguised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Disguise {
    /// Quotes, brackets or blanks are around it.
    Quotes,
    /// It begins with another case of letters.
    Case,
    /// All letters are in one case, even those of its base64, so it is lost.
    OneCase,
    /// It is base64.
    Base64,
}

impl Disguise {
    /// Returns a predicate for one or more values.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Quotes => "in quotes, brackets or blanks",
            Self::Case => "in another case of letters",
            Self::OneCase => "in one case of letters",
            Self::Base64 => "in base64",
        }
    }

    /// Returns how to undo it, if that is possible. `is_line`: in a file of lines with `=`.
    pub(super) fn repair(self, is_line: bool) -> Option<&'static str> {
        Some(match self {
            Self::OneCase => return None,
            Self::Quotes if is_line => "remove all that is around ENC[..], and blanks before =",
            Self::Quotes => "remove all that is around ENC[..]",
            Self::Case => {
                "write ENC[AES256_GCM in capitals, and data:, iv:, tag: and type: in small letters"
            }
            Self::Base64 => "write what the base64 encodes",
        })
    }
}

/// Returns how the ciphertext in a text was disguised; `None` if there is none, or sops recognises it.
pub(super) fn disguise(text: &str) -> Option<Disguise> {
    if looks_encrypted(text) {
        return None;
    }
    let inner = text.trim_start_matches(AROUND);
    if begins(inner) {
        let names = [",data:", ",iv:", ",tag:", ",type:"];
        let mut whole = inner.to_owned();
        whole[..PREFIX.len()].make_ascii_uppercase();
        let lower = inner.to_ascii_lowercase();
        for name in names {
            let at = if name == names[0] { lower.find(name) } else { lower.rfind(name) }?;
            whole[at..at + name.len()].make_ascii_lowercase();
        }
        let kind = whole.rfind(names[3])?;
        let end = kind + whole[kind..].find(']')? + 1;
        whole[kind..end].make_ascii_lowercase();
        EncValue::parse(&whole[..end]).ok()?;
        let Parts { iv, tag, .. } = Parts::of(&whole[..end]).ok()?;
        let has = |is: fn(&u8) -> bool| iv.bytes().chain(tag.bytes()).any(|b| is(&b));
        return Some(if whole == inner {
            Disguise::Quotes
        } else if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) {
            Disguise::Case
        } else {
            Disguise::OneCase
        });
    }
    // `RU5DW` is the beginning of `ENC[`.
    if !text.trim_start().starts_with("RU5DW") {
        return None;
    }
    EncValue::parse(unpacked(text)?.trim()).ok().map(|_| Disguise::Base64)
}

/// Returns true if a text begins like a ciphertext, in any case of letters.
fn begins(text: &str) -> bool {
    text.get(..PREFIX.len()).is_some_and(|it| it.eq_ignore_ascii_case(PREFIX))
}

/// Returns the text that base64 encodes, even if its end was cut off.
fn unpacked(text: &str) -> Option<String> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let joined: String = text.split_ascii_whitespace().collect();
    let digits = joined.trim_end_matches('=');
    // One digit more encodes no byte.
    let whole = digits.get(..digits.len() - usize::from(digits.len() % 4 == 1))?;
    String::from_utf8(LENIENT.decode(whole).ok()?).ok()
}

/// Returns true if a value that should be encrypted is a ciphertext, even one that is cut or wrapped. A longer
/// text that quotes one is none.
pub(super) fn is_damaged(text: &str) -> bool {
    let inner = text.trim_start_matches(AROUND);
    let words = inner.split_whitespace();
    if begins(&words.clone().collect::<String>()) {
        return true;
    }
    if !may_hold_ciphertext(inner) {
        return false;
    }
    match unpacked(inner) {
        Some(plain) => is_damaged(&plain),
        None => words.count() <= 2 && !inner.trim_end().contains('\n'),
    }
}

/// Returns how the ciphertext at a place was disguised.
pub(super) fn at(spot: &Spot<'_, '_>) -> Option<Disguise> {
    match spot.scalar {
        Scalar::Str(text) => disguise(text),
        _ => None,
    }
}

/// Returns true if sops would recognise the ciphertext at a place.
pub(super) fn is_intact(spot: &Spot<'_, '_>) -> bool {
    matches!(spot.scalar, Scalar::Str(text) if EncValue::parse(text).is_ok())
}

/// Returns the disguised ciphertexts of a document.
pub(super) fn all<'j, 's>(judged: &'j Judged<'s>) -> Vec<(&'j Spot<'s, 's>, Disguise)> {
    let census = &judged.census;
    let spots = census.plaintext.iter().chain(&census.unselected);
    spots.filter_map(|spot| Some((spot, at(spot)?))).collect()
}

impl<'s> Judged<'s> {
    /// Returns the ciphertexts of a document without metadata, damaged or not, in file order. Where values should
    /// be encrypted, those that are hardly recognisable count too. `claims_encryption`: the file's name says that
    /// it is encrypted.
    pub(super) fn orphans(&self, claims_encryption: bool) -> Vec<&Spot<'s, 's>> {
        let mut secrets = HashSet::new();
        self.for_each_secret_scalar(&mut |node| {
            secrets.insert(node.id());
        });
        let is_orphan = |spot: &&Spot<'_, '_>| {
            let Scalar::Str(text) = spot.scalar else { return false };
            let is_meant = || claims_encryption || secrets.contains(&spot.id);
            disguise(text).is_some() || (is_meant() && is_damaged(text))
        };
        let census = &self.census;
        let readable = census.plaintext.iter().chain(&census.unselected).filter(is_orphan);
        let malformed = census.malformed.iter().map(|(spot, _)| spot);
        let mut all: Vec<_> = census.misplaced.iter().chain(malformed).chain(readable).collect();
        all.sort_by_key(|spot| spot.span);
        all
    }
}

impl Subject<'_> {
    /// Returns true if the file may contain a ciphertext in any form. Nothing but its `sops` block can open that.
    pub(super) fn may_hold_ciphertext(&self) -> bool {
        *self.answers.may_hold_ciphertext.get_or_init(|| {
            let censuses = self.documents.iter().map(|judged| &judged.census);
            let mut spots =
                censuses.flat_map(|census| census.plaintext.iter().chain(&census.unselected));
            spots.any(|spot| matches!(spot.scalar, Scalar::Str(text) if may_hold_ciphertext(text)))
                || (!self.is_encrypted() && may_hold_ciphertext(self.text))
        })
    }

    /// Returns true if `orphan-ciphertext` reports the ciphertexts of this document.
    pub(super) fn has_orphans(&self, judged: &Judged<'_>) -> bool {
        !self.is_template && !self.is_encrypted() && judged.unrelated.is_none()
    }

    /// Returns true if any value of the file is a ciphertext that sops does not recognise.
    pub(super) fn has_disguised(&self) -> bool {
        *self.answers.has_disguised.get_or_init(|| {
            self.is_encrypted() && self.documents.iter().any(|judged| !all(judged).is_empty())
                || self.has_changed_lines()
        })
    }

    /// Returns true if the lines of the metadata were changed, which explains all other faults of the lines.
    pub(super) fn has_changed_lines(&self) -> bool {
        let mut problems = self.metadata().into_iter().flat_map(|metadata| &metadata.problems);
        problems.any(|problem| problem.reason == CHANGED_LINES)
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_damaged_ciphertext_is_more_than_a_quotation() {
        let base64 = |text: &str| STANDARD.encode(text);
        let value = "ENC[AES256_GCM,data:Dw==,iv:BwcH,tag:BwcH,type:str]";
        for text in [
            format!("x {value}"),
            format!("\"'{value}'\""),
            value.replace(",iv", "\n,iv"),
            value.replace(",type:str", ""),
            value[4..].to_owned(),
            base64(value),
            base64(&format!("'{value}")),
            base64(value)[..30].to_owned(),
            base64(&base64(value)),
        ] {
            assert!(is_damaged(&text), "{text}");
        }
        for text in [
            "plain".to_owned(),
            base64("plain text"),
            format!("it was {value} once"),
            format!("password=x\ntoken={value}\n"),
            base64(&format!("password=x\ntoken={value}\n")),
        ] {
            assert!(!is_damaged(&text), "{text}");
        }
    }

    #[test]
    fn a_disguise_is_recognised() {
        let (iv, tag) = (STANDARD.encode([7; 32]), STANDARD.encode([7; 16]));
        let value = format!("{PREFIX}data:Dw==,iv:{iv},tag:{tag},type:str]");
        for (text, expected) in [
            (value.clone(), None),
            (format!("'{value}'"), Some(Disguise::Quotes)),
            (format!("\"{value}\"\r"), Some(Disguise::Quotes)),
            (format!(" {value}"), Some(Disguise::Quotes)),
            (format!("[{value}]"), Some(Disguise::Quotes)),
            (value.replacen("ENC", "enc", 1), Some(Disguise::Case)),
            (value.replace("tag:", "TAG:"), None),
            (format!("'{}", value.replace("type:str", "Type:Str")), Some(Disguise::Case)),
            (value.to_ascii_lowercase(), Some(Disguise::OneCase)),
            (value.to_ascii_uppercase().replace("ENC", "enc"), Some(Disguise::OneCase)),
            (STANDARD.encode(&value), Some(Disguise::Base64)),
            ("'ENC[AES256_GCM,data:..]'".to_owned(), None),
            ("plain".to_owned(), None),
        ] {
            assert_eq!(disguise(&text), expected, "{text}");
        }
    }
}
