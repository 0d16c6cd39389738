//! Encrypts a whole file as `sops encrypt` would, and changes no byte that need not change.
//!
//! Values and comments are replaced in place, and the `sops` block is appended (`sops.go`, `Encrypt`;
//! `cmd/sops/encrypt.go`). Then the result is opened with its data key, and its tree is compared with
//! the old one.

mod content;
mod error;
mod sealing;
mod writer;

pub use error::SealError;
pub use sealing::{Sealed, Sealing};

use self::error::impossible;
use self::writer::Writer;
use super::flat;
use super::recipe::{KeyGroup, Recipe};
use super::selector::Selector;
use super::value::may_hold_ciphertext;
use super::walk::{self, METADATA_KEY, Step, additional_data, is_metadata_key, misfit, obstacle};
use crate::document::splice::{Block, Splice, apply};
use crate::document::{Format, Parsed, Shape, json};
use crate::keys::{Identity, KEY_SERVICES, Recipient};
use crate::secret::Plaintext;
use crate::text::Span;

/// The key of the envelope around a binary file.
const BINARY_KEY: &str = "data";
/// The indentation of that envelope.
const BINARY_INDENT: &str = "\t";

/// Encrypts a file. Without a format, sops treats it as binary.
pub fn seal(
    bytes: &[u8],
    format: Option<&dyn Format>,
    sealing: &Sealing<'_>,
) -> Result<Sealed, SealError> {
    let Some(format) = format else { return binary(bytes, sealing) };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        impossible(Some(Span::at(error.valid_up_to())), "this byte is not UTF-8")
    })?;
    seal_parsed(text, &format.parse(text), format, sealing)
}

/// Returns the place and the reason why no creation rule with this selector encrypts a file: sops would refuse
/// it, or not give back what it has. `None` if there is no such reason.
pub fn objection(
    bytes: &[u8],
    format: Option<&dyn Format>,
    selector: &Selector,
) -> Option<(Option<Span>, String)> {
    let identity = Identity::new("a recipient that gets nothing");
    let recipient = Recipient { service: KEY_SERVICES[0], identity, span: Span::default() };
    let group = KeyGroup { recipients: vec![recipient], invalid: Vec::new() };
    let recipe =
        Recipe { key_groups: vec![group], selector: selector.clone(), ..Recipe::default() };
    let wrap = |_: &Recipient, _: &Plaintext| Ok(Block::map([]));
    // The result is dropped, so its data key need not be a secret.
    let random = |bytes: &mut [u8]| bytes.fill(0);
    let sealing = Sealing { recipe: &recipe, wrap: &wrap, now: 0, random: &random };
    match seal(bytes, format, &sealing) {
        Err(SealError::Impossible { span, reason }) => Some((span, reason)),
        _ => None,
    }
}

/// Encrypts a file that was parsed.
pub fn seal_parsed(
    text: &str,
    parsed: &Parsed<'_>,
    format: &dyn Format,
    sealing: &Sealing<'_>,
) -> Result<Sealed, SealError> {
    check_source(parsed, &sealing.recipe.selector)?;
    check_ciphertext(text, parsed)?;
    if let Some(error) = format.refused_by_sops(text, parsed) {
        return Err(impossible(Some(Span::at(error.offset)), error.reason));
    }
    let mut writer = Writer::new(sealing);
    writer.has_floats = format.has_only_floats();
    for document in &parsed.documents {
        writer.document(document)?;
    }
    if writer.values.is_empty() {
        return Err(SealError::Rule {
            reason: "would encrypt no value of it",
            help: "let its selector cover the secrets of this file, or add a rule for the file before it",
        });
    }
    let is_nested = parsed.documents.iter().all(|document| document.shape == Shape::Nested);
    let block = writer.block()?;
    let block = if is_nested { block } else { flat::fold(&block) };
    let splice = |writer: &Writer<'_>| {
        let splice = Splice {
            values: &writer.values,
            comments: &writer.comments,
            reads_comments: sealing.recipe.selector.reads_comments(),
            appended: &(METADATA_KEY, block.clone()),
        };
        let edits = format
            .splice(text, parsed, &splice)
            .map_err(|error| impossible(Some(error.span), error.reason))?;
        let sealed = apply(text, &edits).ok_or(SealError::Check("two changes overlap"))?;
        Ok((edits, sealed))
    };
    let (mut edits, mut sealed) = splice(&writer)?;
    let new = format.parse(&sealed);
    if writer.follow_comments(parsed, &new)? {
        (edits, sealed) = splice(&writer)?;
        writer.check(parsed, &format.parse(&sealed))?;
    } else {
        writer.check(parsed, &new)?;
    }
    let places: Vec<Span> = writer.values.iter().map(|value| value.span).collect();
    let (values, comments) = (places.len(), writer.comments.len());
    Ok(Sealed { text: sealed, edits, places, values, comments })
}

/// Writes the envelope around a file of any other format (`stores/json/store.go`, `BinaryStore`).
fn binary(bytes: &[u8], sealing: &Sealing<'_>) -> Result<Sealed, SealError> {
    if bytes.is_empty() {
        return Err(impossible(None, "it is empty, and sops does not encrypt empty files"));
    }
    if may_hold_ciphertext(&String::from_utf8_lossy(bytes)) {
        return Err(SealError::Ciphertext { span: None });
    }
    // sops ignores the selector for binary files: most selectors would leave them unencrypted.
    let recipe = Recipe { selector: Selector::default(), ..sealing.recipe.clone() };
    let mut writer = Writer::new(&Sealing { recipe: &recipe, ..*sealing });
    writer.is_binary = true;
    writer.mac.add(bytes);
    let place = additional_data(&[Step::Key(BINARY_KEY)]);
    let value = writer.cipher.seal(bytes, "str", &place, sealing.random);
    let block = Block::map([(BINARY_KEY, Block::Text(value)), (METADATA_KEY, writer.block()?)]);
    let sealed = json::pretty(&block, BINARY_INDENT, 0) + "\n";
    writer.opens(&json::Json.parse(&sealed))?;
    Ok(Sealed { text: sealed, edits: Vec::new(), places: Vec::new(), values: 1, comments: 0 })
}

/// Refuses a file in which any text may be a ciphertext: a value, a key or a comment.
fn check_ciphertext(text: &str, parsed: &Parsed<'_>) -> Result<(), SealError> {
    let mut span = None;
    for document in &parsed.documents {
        walk::leaves(document, &Selector::default(), &mut |leaf| {
            let may_be = |text: &str| span.is_none() && may_hold_ciphertext(text);
            if leaf.text().is_some_and(may_be) {
                span = Some(leaf.span);
            }
        });
    }
    if span.is_some() || may_hold_ciphertext(text) {
        return Err(SealError::Ciphertext { span });
    }
    Ok(())
}

/// Refuses files that sops refuses, or could not decrypt to the same content.
fn check_source(parsed: &Parsed<'_>, selector: &Selector) -> Result<(), SealError> {
    if let Some(error) = &parsed.error {
        return Err(impossible(Some(Span::at(error.offset)), error.reason.clone()));
    }
    if let Some(twice) = parsed.duplicate_keys.first() {
        return Err(impossible(Some(twice.span), "a key occurs twice in one map"));
    }
    if selector.error().is_some() {
        return Err(SealError::Rule {
            reason: "has a selector that sops cannot compile, so sops would encrypt nothing or everything",
            help: "correct the selector: encrypted_regex: ^(data|stringData)$ covers the values of Secrets",
        });
    }
    for document in &parsed.documents {
        if let Some((span, reason)) = obstacle(document) {
            return Err(impossible(Some(span), reason));
        }
        if let Some(span) = misfit(document) {
            return Err(impossible(Some(span), "a value does not fit the tag before it"));
        }
        let keys = document.root.entries();
        let mut taken = keys.filter(|entry| is_metadata_key(&entry.key, document.shape));
        if let Some(entry) = taken.next() {
            let reason = "a key in the file has the name of the metadata";
            return Err(impossible(Some(entry.key_span), reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{dotenv::Dotenv, ini::Ini, json::Json, yaml::Yaml};
    use crate::sops::recipe::Threshold;
    use crate::sops::selector::Field;

    const AGE: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";

    fn recipe(field: Field, pattern: &str, groups: usize) -> Recipe {
        let service = KEY_SERVICES[0];
        let identity = service.parse(AGE).expect("a recipient");
        let recipient = Recipient { service, identity, span: Span::default() };
        let group = KeyGroup { recipients: vec![recipient], invalid: Vec::new() };
        Recipe {
            key_groups: vec![group; groups],
            selector: Selector::new(field, pattern, Span::default()),
            ..Recipe::default()
        }
    }

    fn sealed(
        text: &str,
        format: Option<&dyn Format>,
        recipe: &Recipe,
    ) -> Result<Sealed, SealError> {
        let wrap = |_: &Recipient, _: &Plaintext| {
            Ok(Block::map([("enc", Block::text("x")), ("recipient", Block::text(AGE))]))
        };
        let random = |bytes: &mut [u8]| bytes.fill(7);
        seal(text.as_bytes(), format, &Sealing { recipe, wrap: &wrap, now: 0, random: &random })
    }

    #[test]
    fn every_format_is_sealed_and_holds_nothing_readable() {
        let all = recipe(Field::UnencryptedSuffix, "_unencrypted", 1);
        let formats: [(Option<&dyn Format>, &str); 6] = [
            (
                Some(&Yaml),
                "# canary\na: canary\nl: [1, 1.5, true, 2001-01-01T00:00:00Z, null, '']\n---\nb: canary\n",
            ),
            (Some(&Json), "{\"a\": {\"b\": \"canary\", \"c\": [1, 9007199254740993]}}"),
            (Some(&Dotenv), "# canary\nA=canary\n\nB=\n"),
            (Some(&Ini), "; canary\n; canary\na = canary\n[b]\nc = 'canary' ; canary\nd=1\n"),
            (Some(&Ini), "[b]\nc = canary\n; canary\nd = canary\n"),
            (None, "canary \u{0}"),
        ];
        for (format, text) in formats {
            let sealed = sealed(text, format, &all).expect(text);
            assert!(!sealed.text.contains("canary"), "{}", sealed.text);
            assert!(sealed.text.contains("1970-01-01T00:00:00Z"), "{}", sealed.text);
        }
    }

    #[test]
    fn what_cannot_be_done_exactly_is_refused() {
        let data = recipe(Field::EncryptedRegex, "^data$", 1);
        for (text, reason) in [
            ("data: &a {x: y}\nb: *a\n", "alias"),
            ("b: &a y\ndata: *a\n", "alias"),
            ("data: x\nsops: y\n", "name of the metadata"),
            ("data: x\n---\nsops:\n  y: 1\n", "name of the metadata"),
            ("data: x\ndata: y\n", "twice"),
            ("- data\n", "not a map"),
            ("data: {1: x}\n", "quotes"),
            ("data: 18446744073709551615\n", "2^63"),
            ("data: [\n", ""),
            ("kind: x\n", "no value"),
            ("data: ''\n", "no value"),
            ("", "no value"),
        ] {
            let error = sealed(text, Some(&Yaml), &data).expect_err(text);
            assert!(error.to_string().contains(reason), "{text:?}: {error}");
            assert!(!matches!(error, SealError::Check(_)), "{text:?}: {error}");
        }
        let error = sealed("{\"a\": 9007199254740993, \"data\": 1}", Some(&Json), &data);
        assert!(error.expect_err("refused").to_string().contains("2^53"));
        let error =
            sealed("data=\"p;w\"\nx=1\n", Some(&Ini), &recipe(Field::EncryptedRegex, "^data$", 1));
        assert!(error.expect_err("refused").to_string().contains("quotes"));
        let comments = recipe(Field::UnencryptedCommentRegex, "ENC", 1);
        let error = sealed("# c\na: x\n", Some(&Yaml), &comments);
        assert!(error.expect_err("refused").to_string().contains("comment"));
        let broken = recipe(Field::EncryptedRegex, "^(data", 1);
        assert!(sealed("data: x\n", Some(&Yaml), &broken).is_err());
        assert!(
            sealed("data: x\n", Some(&Yaml), &recipe(Field::EncryptedRegex, "^data$", 0)).is_err()
        );
    }

    #[test]
    fn what_may_be_ciphertext_is_never_encrypted_again() {
        let all = recipe(Field::UnencryptedSuffix, "_unencrypted", 1);
        let formats: [(Option<&dyn Format>, &str); 7] = [
            (Some(&Yaml), "a: plain\nb: \"'ENC[AES256_GCM,\"\n"),
            (Some(&Yaml), "a: !!binary RU5DW0FFUzI1Nl9HQ00sZGF0YTo=\n"),
            (Some(&Yaml), "a: x\nb: \"\\x45NC[\\x41ES256_GCM,\"\n"),
            (Some(&Yaml), "# ENC[AES256_GCM,data:\na: x\n"),
            (Some(&Json), "{\"a\": \"enc[aes256_gcm,\"}"),
            (Some(&Dotenv), "A = ENC[AES256_GCM,data:\n"),
            (None, "{\"data\": \"ENC[AES256_GCM,data:\"}"),
        ];
        for (format, text) in formats {
            let error = sealed(text, format, &all).expect_err(text);
            assert!(matches!(error, SealError::Ciphertext { .. }), "{text:?}: {error}");
        }
    }

    #[test]
    fn anchors_beside_what_is_encrypted_stay() {
        let data = recipe(Field::EncryptedRegex, "^data$", 1);
        let text = "a: &a {x: y}\nb: *a\ndata: &b z\n";
        let sealed = sealed(text, Some(&Yaml), &data).expect("sealed").text;
        assert!(sealed.starts_with("a: &a {x: y}\nb: *a\ndata: &b ENC["), "{sealed}");
    }

    #[test]
    fn a_threshold_has_to_fit_the_groups() {
        let with = |groups: usize, threshold: Option<usize>| {
            let threshold = threshold.map(|groups| Threshold { groups, span: Span::default() });
            let recipe = Recipe { threshold, ..recipe(Field::EncryptedRegex, "^data$", groups) };
            sealed("data: x\n", Some(&Yaml), &recipe).map(|sealed| sealed.text)
        };
        assert!(with(2, None).is_ok_and(|text| text.contains("shamir_threshold: 2")));
        assert!(with(3, Some(2)).is_ok_and(|text| text.contains("shamir_threshold: 2")));
        assert!(with(1, Some(2)).is_ok_and(|text| text.contains("shamir_threshold: 2")));
        assert!(with(1, None).is_ok_and(|text| !text.contains("shamir")));
        assert!(with(2, Some(3)).is_err() && with(2, Some(1)).is_err());
    }
}
