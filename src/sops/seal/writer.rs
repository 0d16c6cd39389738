//! Encrypts the values of a file one by one, and writes its metadata.

use std::collections::HashMap;

use super::content::{Content, contents};
use super::error::{SealError, impossible};
use super::sealing::Sealing;
use crate::document::splice::{Block, Edit};
use crate::document::{Document, Parsed, Scalar};
use crate::keys::{KEY_SERVICES, Recipient};
use crate::secret::{DataKey, Plaintext};
use crate::sops::cipher::{Cipher, kind_of, signed_bytes};
use crate::sops::envelope;
use crate::sops::mac::Mac;
use crate::sops::metadata::{self, Found};
use crate::sops::recipe::KeyGroup;
use crate::sops::selector::Selector;
use crate::sops::shamir;
use crate::sops::verdict::{File, Verdict};
use crate::sops::walk::{Leaf, Remark, Stop, additional_data, stops};
use crate::text::{Span, instant};

/// The version of sops whose form is written: the order of the metadata, and the types of numbers.
const VERSION: &str = "3.13.2";
/// Up to this number integers equal floats, and sops before 3.13.2 reads the numbers of JSON as floats.
const MAX_EXACT: u64 = 1 << 53;

/// The reason for a comment whose place depends on its surroundings.
const MOVED_COMMENT: &str = "a comment in it would belong to another key once the metadata are appended: put comments in the column of the keys around them";

/// The encrypted values and comments so far.
pub(super) struct Writer<'s> {
    sealing: Sealing<'s>,
    /// The time of the encryption: `2026-01-02T03:04:05Z`.
    time: String,
    pub(super) cipher: Cipher,
    pub(super) mac: Mac,
    pub(super) values: Vec<Edit>,
    pub(super) comments: Vec<Edit>,
    /// The values so far, by offset, and whether they are encrypted.
    seen: HashMap<usize, bool>,
    /// True if some versions of sops read numbers as floats.
    pub(super) has_floats: bool,
    pub(super) is_binary: bool,
}

/// A comment that is encrypted, and the additional data of its ciphertext.
struct Placed {
    span: Span,
    text: String,
    place: String,
}

impl Placed {
    fn of(remark: &Remark<'_, '_, '_>) -> Self {
        let comment = remark.comment;
        let place = additional_data(remark.path);
        Self { span: comment.span, text: comment.text.clone().into_owned(), place }
    }

    /// Returns the comments of a file that have a text, in the order of the file.
    fn all(parsed: &Parsed<'_>, selector: &Selector) -> Vec<Self> {
        let mut all = Vec::new();
        for document in &parsed.documents {
            stops(document, selector, &mut |stop| match stop {
                Stop::Remark(remark) if remark.is_selected && !remark.comment.text.is_empty() => {
                    all.push(Self::of(remark));
                }
                _ => {}
            });
        }
        all.sort_by_key(|placed| placed.span.start);
        all
    }
}

impl<'s> Writer<'s> {
    pub(super) fn new(sealing: &Sealing<'s>) -> Self {
        Self {
            sealing: *sealing,
            time: instant(sealing.now),
            cipher: Cipher::new(DataKey::random(sealing.random)),
            mac: Mac::new(sealing.recipe.mac_only_encrypted),
            values: Vec::new(),
            comments: Vec::new(),
            seen: HashMap::new(),
            has_floats: false,
            is_binary: false,
        }
    }

    pub(super) fn document(&mut self, document: &Document<'_>) -> Result<(), SealError> {
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
        // An alias has the span of its anchor.
        let earlier = self.seen.insert(span.start, is_selected).filter(|_| !span.is_empty());
        if earlier.is_some_and(|was_selected| was_selected || is_selected) {
            let reason = "an alias repeats a value that has to be encrypted, but ciphertext is bound to one place: write the value at both places";
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
            let text = self.cipher.seal(bytes, kind, &place, self.sealing.random);
            if !text.is_empty() {
                self.values.push(Edit::new(span, text));
            }
        } else if let (true, Scalar::Int(int)) = (self.has_floats, scalar)
            && int.unsigned_abs() > MAX_EXACT
        {
            let reason = "a number beyond 2^53 stays unencrypted, and versions of sops read it differently: write it as text";
            return Err(impossible(Some(span), reason));
        }
        Ok(())
    }

    fn remark(&mut self, remark: &Remark<'_, '_, '_>) -> Result<(), SealError> {
        if !remark.is_selected {
            return Ok(());
        }
        let comment = Placed::of(remark);
        let sealed = self.sealed_comment(&comment.text, &comment.place)?;
        if !sealed.is_empty() {
            self.comments.push(Edit::new(comment.span, sealed));
        }
        Ok(())
    }

    fn sealed_comment(&self, text: &str, place: &str) -> Result<String, SealError> {
        let selector = &self.sealing.recipe.selector;
        let sealed = self.cipher.seal(text.as_bytes(), "comment", place, self.sealing.random);
        if selector.reads_comments() && selector.names(&sealed) {
            return Err(SealError::Rule {
                reason: "has a comment regex that matches an encrypted comment",
                help: "let it match words that do not occur in ciphertext",
            });
        }
        Ok(sealed)
    }

    /// Encrypts the comments again for the places that they have in the new file: one at the end of a list
    /// is above the metadata there. Reports whether a place is another.
    pub(super) fn follow_comments(
        &mut self,
        old: &Parsed<'_>,
        new: &Parsed<'_>,
    ) -> Result<bool, SealError> {
        let selector = &self.sealing.recipe.selector;
        let (old, new) = (Placed::all(old, selector), Placed::all(new, selector));
        let is_moved = |(old, new): (&Placed, &Placed)| old.place != new.place;
        // Comments that decide about values are at places that sops does not change.
        let is_kept = selector.reads_comments() || old.len() != new.len();
        if is_kept || !old.iter().zip(&new).any(is_moved) {
            return Ok(false);
        }
        let comments = old
            .iter()
            .zip(&new)
            .map(|(old, new)| Ok(Edit::new(old.span, self.sealed_comment(&old.text, &new.place)?)));
        self.comments = comments.collect::<Result<_, _>>()?;
        Ok(true)
    }

    /// Returns the metadata, sorted as in sops 3.13.
    pub(super) fn block(&self) -> Result<Block, SealError> {
        let Sealing { recipe, random, .. } = self.sealing;
        let mac = self.mac.clone().digits();
        let mac = self.cipher.seal(mac.expose(), "str", &self.time, random);
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

    /// Returns the lists of stanzas of every key group.
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
            shamir::split(key, number, needed, self.sealing.random)
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
            let of_service = |recipient: &&Recipient| recipient.service.is(*service);
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

    /// Checks that the new file has the same tree as the old one, and opens with its data key.
    pub(super) fn check(&self, old: &Parsed<'_>, new: &Parsed<'_>) -> Result<(), SealError> {
        if new.error.is_some() || old.documents.len() != new.documents.len() {
            return Err(SealError::Check("it has other documents"));
        }
        let selector = &self.sealing.recipe.selector;
        let all = |parsed: &Parsed<'_>, cipher: Option<&Cipher>| {
            let documents = parsed.documents.iter();
            let contents = documents.map(|document| contents(document, selector, cipher));
            let contents: Option<Vec<Vec<Content>>> = contents.collect();
            contents.map(|all| all.into_iter().map(Content::apart).unzip::<_, _, Vec<_>, Vec<_>>())
        };
        match (all(old, None), all(new, Some(&self.cipher))) {
            (Some(old), Some(new)) if old.0 != new.0 => {
                return Err(SealError::Check("it has other keys, values or comments"));
            }
            (Some(old), Some(new)) if old.1.concat() != new.1.concat() => {
                return Err(impossible(None, MOVED_COMMENT));
            }
            (Some(_), Some(_)) => {}
            _ => return Err(SealError::Check("it has other keys, values or comments")),
        }
        self.opens(new)
    }

    pub(super) fn opens(&self, new: &Parsed<'_>) -> Result<(), SealError> {
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
