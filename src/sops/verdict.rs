//! Compares the values of a file, whose data key is known, with its MAC.
//!
//! The verdict is that of `sops decrypt` (`cmd/sops/common/common.go`, `DecryptTree`). Nothing that
//! was decrypted leaves this module: a value is hashed into the MAC and overwritten.

use std::collections::HashMap;

use super::cipher::{Cipher, Damage, Opened, signed_bytes};
use super::envelope::Envelope;
use super::mac::Mac;
use super::metadata::Metadata;
use super::value::{EncValue, PREFIX};
use super::walk::{self, Leaf, Step, additional_data, key_path};
use crate::document::{Comment, Document, Scalar, Shape, Value};
use crate::text::Span;

/// The result of decrypting a file.
#[derive(Debug)]
pub enum Verdict {
    /// Every value decrypts and the MAC is valid.
    Verified(Caveat),
    /// sops would refuse it.
    Refused(Vec<Refusal>),
    /// The keys of the user are not enough.
    Unopened(Unopened),
}

/// A remark about a file whose MAC is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// Nothing.
    None,
    /// It has encrypted comments inside lists. sops 3.13.2 takes them into the MAC when it
    /// decrypts, though not when it encrypts (`sops.go`, `Decrypt`), and so refuses what it wrote.
    ListComments,
}

/// The reason why the keys of the user are not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// There is none for any recipient.
    NoKey,
    /// The user has one, and it does not open the data key beside its recipient. A finding says so.
    NotOpened,
    /// The user has one, and it could not be used. The reason is a clause: lower case, no full stop.
    Unavailable(&'static str),
    /// There are keys for `have` key groups of the `need`ed ones.
    TooFewGroups {
        /// Groups that were opened.
        have: usize,
        /// Groups that it takes.
        need: usize,
    },
    /// The file has more data keys than are tried, and none that was is for a key at hand.
    TooManyDataKeys {
        /// How many of each key service were.
        tried: usize,
    },
}

/// One reason for which sops would refuse a file.
#[derive(Debug)]
pub enum Refusal {
    /// The data key is none, or the shares of its key groups do not fit together.
    DataKey,
    /// No value decrypts, of several.
    AllValues {
        /// Number of them.
        values: usize,
        /// True if the MAC does, so that the block is at one with itself.
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
        /// The fault.
        cause: ValueCause,
    },
    /// The MAC, while all values decrypt.
    Mac {
        /// Where it stands.
        span: Span,
        /// The fault.
        cause: MacCause,
    },
}

/// Reason that a value does not decrypt.
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

/// Reason that a MAC does not verify.
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

/// A file whose data key is known.
pub(super) struct File<'f, 't> {
    documents: &'f [&'f Document<'t>],
    metadata: &'f Metadata,
    envelope: &'f Envelope,
    cipher: &'f Cipher,
}

impl<'f, 't> File<'f, 't> {
    /// A file under its data key. `metadata` and `envelope` are those of its first document.
    pub(super) fn new(
        documents: &'f [&'f Document<'t>],
        metadata: &'f Metadata,
        envelope: &'f Envelope,
        cipher: &'f Cipher,
    ) -> Self {
        Self { documents, metadata, envelope, cipher }
    }
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
    /// Values that were held against other places, and these.
    sought: usize,
    places: Option<Vec<(String, String)>>,
}

impl File<'_, '_> {
    /// Decrypts all values and compares the MAC.
    pub(super) fn verdict(&self) -> Verdict {
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
            sought: 0,
            places: None,
        };
        let selector = &self.metadata.recipe.selector;
        for document in self.documents {
            walked.document = document.index;
            let mut last_of_keys = last_of_keys(document);
            walk::leaves(document, selector, &mut |leaf| {
                let mut scalar = leaf.scalar;
                if let Some(last_of_keys) = &mut last_of_keys {
                    let Some(last) = last_of_keys.remove(&leaf.id) else { return };
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
                Err(_) => self.origin(text, &place, walked),
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
    fn origin(&self, text: &str, place: &str, walked: &mut Walked) -> ValueCause {
        /// Most values whose place is looked for: nobody reads more findings of a kind.
        const MOST_SOUGHT: usize = 200;
        walked.sought += 1;
        if walked.sought > MOST_SOUGHT {
            return ValueCause::Damaged;
        }
        let places = walked.places.get_or_insert_with(|| self.places());
        let may_open = |(other, _): &&(String, String)| {
            other != place && self.cipher.open(text, other).is_ok()
        };
        let found = places.iter().find(may_open);
        found.map_or(ValueCause::Damaged, |(_, path)| ValueCause::Moved(path.clone()))
    }

    /// What the first values are bound to, and the ways to them.
    fn places(&self) -> Vec<(String, String)> {
        /// A file can have many values, and each of them may have been moved.
        const MOST_PLACES: usize = 200;
        let mut places = Vec::new();
        for document in self.documents {
            walk::leaves(document, &self.metadata.recipe.selector, &mut |leaf| {
                if leaf.is_selected && places.len() < MOST_PLACES {
                    places.push((additional_data(leaf.path), key_path(leaf.path)));
                }
            });
        }
        places
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

/// In INI the last of equal keys in one section counts, in the place of the first: by the node of
/// the first the value of the last. `None` for other formats, where every key counts.
fn last_of_keys<'d, 't>(document: &'d Document<'t>) -> Option<HashMap<u32, &'d Scalar<'t>>> {
    if document.shape != Shape::Sections {
        return None;
    }
    let mut last = HashMap::new();
    for section in document.root.entries() {
        let mut first: HashMap<&str, u32> = HashMap::new();
        for entry in section.node.entries() {
            if let Value::Scalar(scalar) = &entry.node.value {
                let place = *first.entry(&entry.key).or_insert(entry.node.id());
                last.insert(place, scalar);
            }
        }
    }
    Some(last)
}
