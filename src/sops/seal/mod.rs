//! Encrypts a whole file as `sops encrypt` would, and changes no byte that need not change.
//!
//! Values and comments are replaced where they stand, and the `sops` block is appended
//! (`sops.go`, `Encrypt`; `cmd/sops/encrypt.go`). Before anybody sees the result it is opened with the
//! data key, and its tree is compared with the old one.

mod content;

use std::collections::HashMap;

use self::content::{Content, contents};
use super::cipher::{Cipher, kind_of, signed_bytes};
use super::envelope;
use super::flat;
use super::mac::Mac;
use super::metadata::{self, Found};
use super::recipe::{KeyGroup, Recipe};
use super::selector::Selector;
use super::shamir;
use super::verdict::{File, Verdict};
use super::walk::{
    Leaf, METADATA_KEY, Remark, Step, Stop, additional_data, is_metadata_key, misfit, obstacle,
    stops,
};
use crate::document::splice::{Block, Edit, Splice, apply};
use crate::document::{Document, Format, Parsed, Scalar, Shape, json};
use crate::keys::{KEY_SERVICES, Recipient, Unwrappable};
use crate::secret::{DataKey, Dice, Plaintext};
use crate::text::{Span, instant};

/// The version of sops whose form is written: the order of the metadata, and the types of numbers.
const VERSION: &str = "3.13.2";
/// The key of the envelope around a binary file.
const BINARY_KEY: &str = "data";
/// The indentation of that envelope.
const BINARY_INDENT: &str = "\t";
/// Integers up to here are the same as floats, which is what JSON's are to sops before 3.13.2.
const LARGEST_EXACT: u64 = 1 << 53;

/// All that it takes to encrypt a file but the file.
#[derive(Clone, Copy)]
pub struct Sealing<'s> {
    /// To whom and how.
    pub recipe: &'s Recipe,
    /// Encrypts the data key, or a share of it, to a recipient; gives the stanza of the metadata.
    pub wrap: &'s dyn Fn(&Recipient, &Plaintext) -> Result<Block, Unwrappable>,
    /// The present second in UTC, counted from 1970-01-01.
    pub now: u64,
    /// Where the data key and the nonces come from.
    pub dice: Dice<'s>,
}

/// A file that was encrypted.
pub struct Sealed {
    /// The whole file.
    pub text: String,
    /// What is different from the old one. Of a binary file everything is, and this is empty.
    pub edits: Vec<Edit>,
    /// How many values are encrypted.
    pub values: usize,
    /// How many comments are.
    pub comments: usize,
}

/// Shows nothing of the text.
impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").finish_non_exhaustive()
    }
}

/// Why a file was not encrypted. Never quotes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It cannot be done exactly.
    #[error("{reason}")]
    Impossible {
        /// Where, if it is the fault of one place.
        span: Option<Span>,
        /// Lower case, no full stop.
        reason: String,
    },
    /// The creation rule cannot be applied to it.
    #[error("its creation rule {reason}")]
    Rule {
        /// A verb and more, no full stop.
        reason: &'static str,
        /// What to do about that rule, as a command.
        help: &'static str,
    },
    /// The data key cannot be encrypted to a recipient.
    #[error("{recipient} {}", .error.reason)]
    Recipient {
        /// Who.
        recipient: String,
        /// Why.
        error: Unwrappable,
    },
    /// What was written is not what was read: a mistake of this program.
    #[error("the encrypted file does not pass its check: {0}")]
    Check(&'static str),
}

/// What becomes of a comment now and then whose place hangs on what stands around it.
const MOVED_COMMENT: &str = "a comment in it would belong to another key once the metadata stand below: let comments stand in the column of the keys around them";

fn impossible(span: Option<Span>, reason: impl Into<String>) -> SealError {
    SealError::Impossible { span, reason: reason.into() }
}

/// Encrypts a file. Without a format it is binary to sops.
pub fn seal(
    bytes: &[u8],
    format: Option<&dyn Format>,
    sealing: &Sealing<'_>,
) -> Result<Sealed, SealError> {
    let Some(format) = format else { return binary(bytes, sealing) };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        impossible(Some(Span::at(error.valid_up_to())), "a byte stands here that is not UTF-8")
    })?;
    let parsed = format.parse(text);
    check_source(&parsed, &sealing.recipe.selector)?;
    let mut writer = Writer::new(sealing);
    writer.has_floats = format.has_only_floats();
    for document in &parsed.documents {
        writer.document(document)?;
    }
    if writer.values.is_empty() {
        return Err(SealError::Rule {
            reason: "would encrypt nothing in it",
            help: "let its selector cover what is secret in this file, or add a rule for the file before it",
        });
    }
    let is_nested = parsed.documents.iter().all(|document| document.shape == Shape::Nested);
    let block = writer.block()?;
    let block = if is_nested { block } else { flat::fold(&block) };
    let splice = Splice {
        values: &writer.values,
        comments: &writer.comments,
        reads_comments: sealing.recipe.selector.reads_comments(),
        appended: &(METADATA_KEY, block),
    };
    let edits = format
        .splice(text, &parsed, &splice)
        .map_err(|error| impossible(Some(error.span), error.reason))?;
    let sealed = apply(text, &edits).ok_or(SealError::Check("two changes overlap"))?;
    writer.check(&parsed, &format.parse(&sealed))?;
    let (values, comments) = (writer.values.len(), writer.comments.len());
    Ok(Sealed { text: sealed, edits, values, comments })
}

/// The envelope around a file of any other format (`stores/json/store.go`, `BinaryStore`).
fn binary(bytes: &[u8], sealing: &Sealing<'_>) -> Result<Sealed, SealError> {
    if bytes.is_empty() {
        return Err(impossible(None, "it is empty, and sops encrypts no empty file"));
    }
    // sops does not apply the selector of a rule to binary files: most would leave them in clear.
    let recipe = Recipe { selector: Selector::default(), ..sealing.recipe.clone() };
    let mut writer = Writer::new(&Sealing { recipe: &recipe, ..*sealing });
    writer.is_binary = true;
    writer.mac.add(bytes);
    let place = additional_data(&[Step::Key(BINARY_KEY)]);
    let value = writer.cipher.seal(bytes, "str", &place, sealing.dice);
    let block = Block::map([(BINARY_KEY, Block::Text(value)), (METADATA_KEY, writer.block()?)]);
    let sealed = json::pretty(&block, BINARY_INDENT, 0) + "\n";
    writer.opens(&json::Json.parse(&sealed))?;
    Ok(Sealed { text: sealed, edits: Vec::new(), values: 1, comments: 0 })
}

/// What sops refuses, or could not give back as it was.
fn check_source(parsed: &Parsed<'_>, selector: &Selector) -> Result<(), SealError> {
    if let Some(error) = &parsed.error {
        return Err(impossible(Some(Span::at(error.offset)), error.reason.clone()));
    }
    if let Some(twice) = parsed.duplicate_keys.first() {
        return Err(impossible(Some(twice.span), "a key stands twice in one map"));
    }
    if selector.error().is_some() {
        return Err(SealError::Rule {
            reason: "has a selector that sops cannot compile, so that it would encrypt nothing or everything",
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
            let reason =
                "the place of the metadata is taken: a key with its name stands in the file";
            return Err(impossible(Some(entry.key_span), reason));
        }
    }
    Ok(())
}

/// What is written, value by value.
struct Writer<'s> {
    sealing: Sealing<'s>,
    /// When the file is encrypted: `2026-01-02T03:04:05Z`.
    time: String,
    cipher: Cipher,
    mac: Mac,
    values: Vec<Edit>,
    comments: Vec<Edit>,
    /// The values seen so far, by the offset at which they stand: whether they are encrypted.
    seen: HashMap<usize, bool>,
    /// Whether numbers are floats to some versions of sops.
    has_floats: bool,
    is_binary: bool,
}

impl<'s> Writer<'s> {
    fn new(sealing: &Sealing<'s>) -> Self {
        Self {
            sealing: *sealing,
            time: instant(sealing.now),
            cipher: Cipher::new(DataKey::random(sealing.dice)),
            mac: Mac::new(sealing.recipe.mac_only_encrypted),
            values: Vec::new(),
            comments: Vec::new(),
            seen: HashMap::new(),
            has_floats: false,
            is_binary: false,
        }
    }

    fn document(&mut self, document: &Document<'_>) -> Result<(), SealError> {
        let selector = &self.sealing.recipe.selector;
        let mut result = Ok(());
        stops(document, selector, &mut |stop| {
            if result.is_ok() {
                result = match stop {
                    Stop::Leaf(leaf) => self.leaf(leaf),
                    Stop::Remark(remark) => self.remark(remark),
                };
            }
        });
        result
    }

    fn leaf(&mut self, leaf: &Leaf<'_, '_, '_>) -> Result<(), SealError> {
        let Leaf { span, scalar, is_selected, .. } = *leaf;
        // An alias has the span of what it repeats.
        let earlier = self.seen.insert(span.start, is_selected).filter(|_| !span.is_empty());
        if earlier.is_some_and(|was_selected| was_selected || is_selected) {
            let reason = "an alias repeats a value that is to be encrypted, and ciphertext is bound to one place: write the value out at both";
            return Err(impossible(Some(span), reason));
        }
        let Some(kind) = kind_of(scalar) else { return Ok(()) };
        let text = signed_bytes(scalar);
        let bytes = match scalar {
            Scalar::Bytes(bytes) => bytes,
            _ => text.as_deref().unwrap_or_default().as_bytes(),
        };
        if is_selected || !self.sealing.recipe.mac_only_encrypted {
            self.mac.add(bytes);
        }
        if is_selected {
            let place = additional_data(leaf.path);
            let text = self.cipher.seal(bytes, kind, &place, self.sealing.dice);
            if !text.is_empty() {
                self.values.push(Edit::new(span, text));
            }
        } else if let (true, Scalar::Int(int)) = (self.has_floats, scalar)
            && int.unsigned_abs() > LARGEST_EXACT
        {
            let reason = "a number beyond 2^53 stays readable, and versions of sops differ in what it is: write it as text";
            return Err(impossible(Some(span), reason));
        }
        Ok(())
    }

    fn remark(&mut self, remark: &Remark<'_, '_, '_>) -> Result<(), SealError> {
        if !remark.is_selected {
            return Ok(());
        }
        let (span, selector) = (remark.comment.span, &self.sealing.recipe.selector);
        let (text, place) = (remark.comment.text.as_bytes(), additional_data(remark.path));
        let text = self.cipher.seal(text, "comment", &place, self.sealing.dice);
        if selector.reads_comments() && selector.names(&text) {
            return Err(SealError::Rule {
                reason: "has a comment regex that matches an encrypted comment",
                help: "let it match whole words that a person writes",
            });
        }
        if !text.is_empty() {
            self.comments.push(Edit::new(span, text));
        }
        Ok(())
    }

    /// The metadata, sorted as sops sorts it since 3.13.
    fn block(&self) -> Result<Block, SealError> {
        let Sealing { recipe, dice, .. } = self.sealing;
        let mac = self.mac.clone().digits();
        let mac = self.cipher.seal(mac.expose(), "str", &self.time, dice);
        let mut entries = vec![
            ("lastmodified", Block::text(&*self.time)),
            ("mac", Block::Text(mac)),
            ("version", Block::text(VERSION)),
        ];
        let mut groups = self.groups()?;
        let written =
            recipe.threshold.map(|threshold| threshold.groups).filter(|number| *number > 0);
        let threshold = written.or((groups.len() > 1).then_some(groups.len()));
        entries.extend(threshold.map(|number| ("shamir_threshold", Block::Number(number))));
        if groups.len() == 1 {
            entries.append(&mut groups[0]);
        } else {
            let groups = groups.into_iter().map(Block::map).collect();
            entries.push(("key_groups", Block::List(groups)));
        }
        if !self.is_binary {
            entries.push((recipe.selector.field.name(), Block::text(&*recipe.selector.text)));
        }
        if recipe.mac_only_encrypted {
            entries.push(("mac_only_encrypted", Block::Bool(true)));
        }
        entries.sort_unstable_by_key(|(key, _)| *key);
        Ok(Block::map(entries))
    }

    /// The lists of stanzas of every key group.
    fn groups(&self) -> Result<Vec<Vec<(&'static str, Block)>>, SealError> {
        let recipe = self.sealing.recipe;
        let groups = &recipe.key_groups;
        if recipe.invalid().next().is_some()
            || groups.iter().any(KeyGroup::is_empty)
            || groups.is_empty()
        {
            return Err(SealError::Rule {
                reason: "has no recipient, or an invalid one",
                help: "correct its recipients",
            });
        }
        let key = self.cipher.key().expose();
        let shares = if groups.len() == 1 {
            vec![Plaintext::new(key.to_vec())]
        } else {
            let number = u8::try_from(groups.len()).ok();
            let needed = u8::try_from(recipe.groups_needed()).ok();
            let threshold =
                number.zip(needed).filter(|(number, needed)| (2..=*number).contains(needed));
            let (number, needed) = threshold.ok_or(SealError::Rule {
                reason: "has a shamir_threshold that does not fit its key groups",
                help: "set shamir_threshold to a number from 2 to that of its key groups",
            })?;
            shamir::split(key, number, needed, self.sealing.dice)
        };
        groups.iter().zip(&shares).map(|(group, share)| self.group(group, share)).collect()
    }

    fn group(
        &self,
        group: &KeyGroup,
        share: &Plaintext,
    ) -> Result<Vec<(&'static str, Block)>, SealError> {
        let mut lists = Vec::new();
        for service in KEY_SERVICES {
            let of_service = |recipient: &&Recipient| recipient.service.name() == service.name();
            let wrap = |recipient: &Recipient| {
                (self.sealing.wrap)(recipient, share).map_err(|error| SealError::Recipient {
                    recipient: format!("{} recipient {recipient}", service.name()),
                    error,
                })
            };
            let stanzas = group.recipients.iter().filter(of_service).map(wrap);
            let stanzas = stanzas.collect::<Result<Vec<_>, _>>()?;
            if !stanzas.is_empty() {
                lists.push((service.metadata_field(), Block::List(stanzas)));
            }
        }
        Ok(lists)
    }

    /// The same tree, and whole to everybody who has the key.
    fn check(&self, old: &Parsed<'_>, new: &Parsed<'_>) -> Result<(), SealError> {
        if new.error.is_some() || old.documents.len() != new.documents.len() {
            return Err(SealError::Check("it has other documents"));
        }
        let selector = &self.sealing.recipe.selector;
        for (old, new) in old.documents.iter().zip(&new.documents) {
            let old = contents(old, selector, None);
            let new = contents(new, selector, Some(&self.cipher));
            if old.is_none() || old != new {
                let values = |all: Option<Vec<Content>>| {
                    all.map(|all| all.into_iter().filter(Content::is_value).collect::<Vec<_>>())
                };
                let values = [old, new].map(values);
                if values[0].is_some() && values[0] == values[1] {
                    return Err(impossible(None, MOVED_COMMENT));
                }
                return Err(SealError::Check("it has other keys, values or comments"));
            }
        }
        self.opens(new)
    }

    fn opens(&self, new: &Parsed<'_>) -> Result<(), SealError> {
        let broken = SealError::Check("its metadata cannot be read");
        let first = new.documents.first().ok_or_else(|| broken.clone())?;
        let (Found::Metadata(found), Some(envelope)) =
            (metadata::find(first), envelope::read(first))
        else {
            return Err(broken);
        };
        let recipe = self.sealing.recipe;
        let is_same = found.problems.is_empty()
            && found.recipe.selector.is_equal(&recipe.selector)
            && found.recipe.mac_only_encrypted == recipe.mac_only_encrypted
            && found.recipe.recipients().count() == recipe.recipients().count();
        if !is_same {
            return Err(broken);
        }
        let documents: Vec<&Document<'_>> = new.documents.iter().collect();
        match File::new(&documents, &found, &envelope, &self.cipher).verdict() {
            Verdict::Verified(_) => Ok(()),
            _ => Err(SealError::Check("it does not open with its own data key")),
        }
    }
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
        let dice = |bytes: &mut [u8]| bytes.fill(7);
        seal(text.as_bytes(), format, &Sealing { recipe, wrap: &wrap, now: 0, dice: &dice })
    }

    #[test]
    fn every_format_is_sealed_and_holds_nothing_readable() {
        let all = recipe(Field::UnencryptedSuffix, "_unencrypted", 1);
        let formats: [(Option<&dyn Format>, &str); 6] = [
            (
                Some(&Yaml),
                "# canary\na: canary\nl: [1, 1.5, true, 2001-01-01, null, '']\n---\nb: canary\n",
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
            ("data: x\nsops: y\n", "taken"),
            ("data: x\n---\nsops:\n  y: 1\n", "taken"),
            ("data: x\ndata: y\n", "twice"),
            ("- data\n", "no map"),
            ("data: {1: x}\n", "quotes"),
            ("data: 18446744073709551615\n", "2^63"),
            ("data: [\n", ""),
            ("kind: x\n", "nothing"),
            ("data: ''\n", "nothing"),
            ("", "nothing"),
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
