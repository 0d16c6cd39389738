//! Opens a whole file with the keys at hand, and says whether it is what sops once wrote.
//!
//! The verdict is that of `sops decrypt` (`cmd/sops/common/common.go`, `DecryptTree`). Nothing that
//! was decrypted leaves this module: a value is hashed into the MAC and overwritten.

use std::collections::HashMap;

use super::cipher::{Cipher, Damage, Opened, signed_bytes};
use super::envelope::{Envelope, Stanza};
use super::mac::Mac;
use super::metadata::Metadata;
use super::shamir;
use super::value::{EncValue, PREFIX};
use super::walk::{self, Leaf, Step, additional_data, key_path};
use crate::document::{Comment, Document, Scalar, Shape, Value};
use crate::keys::{Identity, KeyRing, PrivateKeys, Unwrapped};
use crate::secret::{DataKey, Plaintext};
use crate::text::Span;

/// What opening a file came to.
#[derive(Debug)]
pub struct Opening {
    /// Whether the file is whole.
    pub verdict: Verdict,
    /// Recipients that the file names and that cannot open what stands beside their name.
    pub false_labels: Vec<FalseLabel>,
}

/// Whether a file is whole.
#[derive(Debug)]
pub enum Verdict {
    /// Every value decrypts and the MAC holds.
    Verified(Caveat),
    /// sops would refuse it.
    Refused(Vec<Refusal>),
    /// The keys at hand do not suffice.
    Unopened(Unopened),
}

/// What to know about a file that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// Nothing.
    None,
    /// It has encrypted comments inside lists. sops 3.13.2 takes them into the MAC when it
    /// decrypts, though not when it encrypts (`sops.go`, `Decrypt`), and so refuses what it wrote.
    ListComments,
}

/// A recipient whose private key is at hand and that stands beside a data key which is not for it.
#[derive(Debug)]
pub struct FalseLabel {
    /// The recipient.
    pub recipient: Identity,
    /// Its text.
    pub span: Span,
    /// What is wrong.
    pub cause: LabelCause,
}

/// What is wrong with a recipient's encrypted data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelCause {
    /// The recipient's own private key does not open it.
    DoesNotOpen,
    /// It opens to another data key than the other recipients have.
    OtherDataKey,
}

/// Why the keys at hand do not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// There is none for any recipient.
    NoKey,
    /// There is one, and the data key beside its recipient does not open. A finding says so, but for
    /// gpg, which may have its own reasons.
    NotOpened,
    /// There are keys for `have` key groups of the `need`ed ones.
    TooFewGroups {
        /// Groups that were opened.
        have: usize,
        /// Groups that it takes.
        need: usize,
    },
}

/// One reason for which sops would refuse a file.
#[derive(Debug)]
pub enum Refusal {
    /// The data key is none, or the shares of its key groups do not fit together.
    DataKey,
    /// No value decrypts, of several.
    AllValues {
        /// How many there are.
        values: usize,
        /// Whether the MAC does, so that the block is at one with itself.
        is_mac_good: bool,
    },
    /// A value.
    Value {
        /// The number of its document, from 0.
        document: usize,
        /// The way to it.
        key_path: String,
        /// The nearest key above it.
        key_span: Span,
        /// What is wrong.
        cause: ValueCause,
    },
    /// The MAC, while all values decrypt.
    Mac {
        /// Where it stands.
        span: Span,
        /// What is wrong.
        cause: MacCause,
    },
}

/// Why a value does not decrypt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueCause {
    /// It is no ciphertext, or a broken one. Rules that need no key say so.
    Malformed,
    /// It was encrypted for the place that this names.
    Moved(String),
    /// It was damaged, or encrypted for another place or another file.
    Damaged,
    /// It decrypts, and is not of the type that it says it is.
    Type,
}

/// Why a MAC does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacCause {
    /// It does not decrypt: it, or `lastmodified`, is not what sops wrote.
    Undecryptable,
    /// The values are not those that it was made of.
    Mismatch,
    /// It holds if `mac_only_encrypted` is the other way round.
    Scope,
}

/// What varies between the versions of sops in what a MAC covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    only_encrypted: bool,
    /// Before 3.13.2 every number in JSON was a float, which cannot hold large ones exactly.
    has_floats: bool,
}

/// Opens a file. `documents` are all of its documents, `metadata` and `envelope` those of the first.
pub fn open(
    documents: &[&Document<'_>],
    metadata: &Metadata,
    envelope: &Envelope,
    ring: &KeyRing,
) -> Opening {
    let mut false_labels = Vec::new();
    let shares: Vec<Plaintext> = envelope
        .groups
        .iter()
        .filter_map(|group| unwrap_group(group, ring, &mut false_labels))
        .collect();
    let verdict = match data_key(shares, envelope) {
        Err(Verdict::Unopened(Unopened::NoKey)) if has_key(envelope, ring) => {
            Verdict::Unopened(Unopened::NotOpened)
        }
        Err(verdict) => verdict,
        Ok(key) => verdict(documents, metadata, envelope, &Cipher::new(key)),
    };
    Opening { verdict, false_labels }
}

/// The verdict on a file whose data key is at hand, because it was just made.
pub fn verdict(
    documents: &[&Document<'_>],
    metadata: &Metadata,
    envelope: &Envelope,
    cipher: &Cipher,
) -> Verdict {
    File { documents, metadata, envelope, cipher }.verdict()
}

/// The share of one key group. Recipients whose key is at hand come first: theirs has to open.
fn unwrap_group(
    group: &[Stanza],
    ring: &KeyRing,
    false_labels: &mut Vec<FalseLabel>,
) -> Option<Plaintext> {
    let mut share: Option<Plaintext> = None;
    let (own, others): (Vec<&Stanza>, Vec<&Stanza>) =
        group.iter().partition(|stanza| is_own(stanza, ring));
    for stanza in own {
        if share.is_some() && !can_prove(stanza, ring) {
            continue;
        }
        let cause = match (&share, unwrap(stanza, ring)) {
            (None, Unwrapped::Opened(opened)) => {
                share = Some(opened);
                continue;
            }
            (Some(share), Unwrapped::Opened(opened)) if share.expose() == opened.expose() => {
                continue;
            }
            (Some(_), Unwrapped::Opened(_)) => LabelCause::OtherDataKey,
            (_, Unwrapped::NotMine | Unwrapped::Damaged) => LabelCause::DoesNotOpen,
        };
        let Some(recipient) = stanza.recipient.clone() else { continue };
        // What is broken for all to see has a finding of its own.
        let known = stanza.service.check_data_key(&recipient, &stanza.enc).err();
        if can_prove(stanza, ring) && known.is_none_or(|error| !error.is_certain) {
            false_labels.push(FalseLabel { recipient, span: stanza.span, cause });
        }
    }
    // sops does not look at the labels, so any key may fit any of them.
    share.or_else(|| {
        others.into_iter().find_map(|stanza| match unwrap(stanza, ring) {
            Unwrapped::Opened(opened) => Some(opened),
            Unwrapped::NotMine | Unwrapped::Damaged => None,
        })
    })
}

/// Whether the private key of the recipient is at hand.
fn is_own(stanza: &Stanza, ring: &KeyRing) -> bool {
    let keys = ring.of(stanza.service).zip(stanza.recipient.as_ref());
    keys.is_some_and(|(keys, recipient)| keys.has(recipient))
}

fn has_key(envelope: &Envelope, ring: &KeyRing) -> bool {
    envelope.groups.iter().flatten().any(|stanza| is_own(stanza, ring))
}

/// Whether a data key that the recipient's own key does not open bears a false name.
fn can_prove(stanza: &Stanza, ring: &KeyRing) -> bool {
    ring.of(stanza.service).is_some_and(PrivateKeys::can_prove)
}

fn unwrap(stanza: &Stanza, ring: &KeyRing) -> Unwrapped {
    match ring.of(stanza.service) {
        Some(keys) if !stanza.enc.is_empty() => keys.unwrap(stanza.recipient.as_ref(), &stanza.enc),
        _ => Unwrapped::NotMine,
    }
}

/// The data key of the shares. With one key group its share is the data key.
fn data_key(mut shares: Vec<Plaintext>, envelope: &Envelope) -> Result<DataKey, Verdict> {
    let have = shares.len();
    let whole = if envelope.groups.len() == 1 {
        shares.pop()
    } else {
        // sops combines what it has, and asks only that it is as much as the threshold says.
        let need = if envelope.threshold == 0 { envelope.groups.len() } else { envelope.threshold };
        if have > 0 && have < need.max(2) {
            return Err(Verdict::Unopened(Unopened::TooFewGroups { have, need: need.max(2) }));
        }
        shamir::combine(&shares)
    };
    if have == 0 {
        return Err(Verdict::Unopened(Unopened::NoKey));
    }
    let key = whole.as_ref().and_then(DataKey::new);
    key.ok_or_else(|| Verdict::Refused(vec![Refusal::DataKey]))
}

/// A file whose data key is known.
struct File<'f, 't> {
    documents: &'f [&'f Document<'t>],
    metadata: &'f Metadata,
    envelope: &'f Envelope,
    cipher: &'f Cipher,
}

/// What a walk over all values came to.
struct Walked {
    reading: Reading,
    /// The number of the document at hand.
    document: usize,
    mac: Mac,
    refusals: Vec<Refusal>,
    /// Values that were decrypted.
    opened: usize,
    has_list_comments: bool,
}

impl File<'_, '_> {
    fn verdict(&self) -> Verdict {
        let usual =
            Reading { only_encrypted: self.metadata.recipe.mac_only_encrypted, has_floats: false };
        let mut walked = self.walk(usual);
        let mac = self.cipher.open(&self.envelope.mac, &self.envelope.lastmodified);
        let values = walked.refusals.len();
        if values > 0 {
            let is_foreign = |refusal: &Refusal| {
                matches!(refusal, Refusal::Value { cause: ValueCause::Damaged, .. })
            };
            // One value alone is more likely to be damaged itself.
            if walked.opened == 0 && values > 1 && walked.refusals.iter().all(is_foreign) {
                let is_mac_good = mac.is_ok();
                walked.refusals = vec![Refusal::AllValues { values, is_mac_good }];
            }
            return Verdict::Refused(walked.refusals);
        }
        let refused =
            |cause| Verdict::Refused(vec![Refusal::Mac { span: self.envelope.mac_span, cause }]);
        let Ok(Opened::Value(mac)) = mac else { return refused(MacCause::Undecryptable) };
        let caveat = if walked.has_list_comments { Caveat::ListComments } else { Caveat::None };
        if walked.mac.is(mac.expose()) {
            return Verdict::Verified(caveat);
        }
        let holds = |reading| self.walk(reading).mac.is(mac.expose());
        if holds(Reading { has_floats: true, ..usual }) {
            return Verdict::Verified(caveat);
        }
        let other = Reading { only_encrypted: !usual.only_encrypted, ..usual };
        refused(if holds(other) { MacCause::Scope } else { MacCause::Mismatch })
    }

    /// Decrypts all values in sops' order.
    fn walk(&self, reading: Reading) -> Walked {
        let mut walked = Walked {
            reading,
            document: 0,
            mac: Mac::new(reading.only_encrypted),
            refusals: Vec::new(),
            opened: 0,
            has_list_comments: false,
        };
        let selector = &self.metadata.recipe.selector;
        for document in self.documents {
            walked.document = document.index;
            let mut last_of_keys = last_of_keys(document);
            walk::leaves(document, selector, &mut |leaf| {
                let mut scalar = leaf.scalar;
                if let Some(last_of_keys) = &mut last_of_keys {
                    let Some(last) = last_of_keys.remove(&address(leaf.scalar)) else { return };
                    scalar = last;
                }
                self.leaf(leaf, scalar, &mut walked);
            });
            walk::comments(document, &mut |comment, path| {
                self.comment(comment, path, &mut walked);
            });
        }
        walked
    }

    fn leaf(&self, leaf: &Leaf<'_, '_, '_>, scalar: &Scalar<'_>, walked: &mut Walked) {
        if matches!(scalar, Scalar::Null | Scalar::Misfit) {
            return;
        }
        if !leaf.is_selected {
            if !walked.reading.only_encrypted {
                add(&mut walked.mac, scalar, walked.reading);
            }
            return;
        }
        let place = additional_data(leaf.path);
        let cause = match scalar {
            Scalar::Str(text) => match self.cipher.open(text, &place) {
                Ok(Opened::Value(value)) => {
                    walked.opened += usize::from(!text.is_empty());
                    return walked.mac.add(value.expose());
                }
                Ok(Opened::Comment(_)) => {
                    walked.has_list_comments = true;
                    return;
                }
                Err(damage) if damage == Damage::Form || EncValue::parse(text).is_err() => {
                    ValueCause::Malformed
                }
                Err(Damage::Type | Damage::Crash) => ValueCause::Type,
                Err(_) => self.origin(text, &place),
            },
            _ => ValueCause::Malformed,
        };
        walked.refusals.push(Refusal::Value {
            document: walked.document,
            key_path: key_path(leaf.path),
            key_span: leaf.key_span,
            cause,
        });
    }

    /// sops keeps a comment that does not decrypt as it is. One that decrypts to something else than a
    /// comment is a value where none can stand.
    fn comment(&self, comment: &Comment<'_>, path: &[Step<'_>], walked: &mut Walked) {
        if !comment.text.starts_with(PREFIX) {
            return;
        }
        let is_fine = match self.cipher.open(&comment.text, &additional_data(path)) {
            Ok(Opened::Comment(_)) => true,
            Err(damage) => damage != Damage::Crash,
            Ok(Opened::Value(_)) => false,
        };
        if !is_fine {
            walked.refusals.push(Refusal::Value {
                document: walked.document,
                key_path: match key_path(path).as_str() {
                    "" => "a comment".to_owned(),
                    path => format!("a comment in {path}"),
                },
                key_span: comment.span,
                cause: ValueCause::Type,
            });
        }
    }

    /// Where in this file a value belongs that does not decrypt at its place.
    fn origin(&self, text: &str, place: &str) -> ValueCause {
        /// A file can have many values, and each of them may have been moved.
        const MOST_PLACES: usize = 200;
        let mut found = None;
        let mut tried = 0;
        for document in self.documents {
            walk::leaves(document, &self.metadata.recipe.selector, &mut |leaf| {
                if found.is_some() || tried == MOST_PLACES || !leaf.is_selected {
                    return;
                }
                let other = additional_data(leaf.path);
                tried += 1;
                if other != place && self.cipher.open(text, &other).is_ok() {
                    found = Some(key_path(leaf.path));
                }
            });
        }
        found.map_or(ValueCause::Damaged, ValueCause::Moved)
    }
}

/// Adds a value that is not encrypted.
fn add(mac: &mut Mac, scalar: &Scalar<'_>, reading: Reading) {
    match scalar {
        Scalar::Bytes(bytes) => mac.add(bytes),
        #[expect(clippy::cast_precision_loss, reason = "sops reads them as Go's float64")]
        Scalar::Int(int) if reading.has_floats => {
            let rounded = Scalar::Float(*int as f64);
            mac.add(signed_bytes(&rounded).unwrap_or_default().as_bytes());
        }
        _ => mac.add(signed_bytes(scalar).unwrap_or_default().as_bytes()),
    }
}

/// In INI the last of equal keys in one section counts, in the place of the first: by the address of
/// the first the value of the last. `None` for other formats, where every key counts.
fn last_of_keys<'d, 't>(document: &'d Document<'t>) -> Option<HashMap<usize, &'d Scalar<'t>>> {
    if document.shape != Shape::Sections {
        return None;
    }
    let mut last = HashMap::new();
    for section in document.root.entries() {
        let mut first: HashMap<&str, usize> = HashMap::new();
        for entry in section.node.entries() {
            if let Value::Scalar(scalar) = &entry.node.value {
                let place = *first.entry(&entry.key).or_insert_with(|| address(scalar));
                last.insert(place, scalar);
            }
        }
    }
    Some(last)
}

/// Tells a value from its equals.
fn address(scalar: &Scalar<'_>) -> usize {
    std::ptr::from_ref(scalar).cast::<u8>().addr()
}
