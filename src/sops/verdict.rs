//! Compares the values of a file whose data key is known with its MAC.
//!
//! The verdict is that of `sops decrypt` (`cmd/sops/common/common.go`, `DecryptTree`). Decrypted values do
//! not leave this module: each is hashed into the MAC and overwritten.

use std::collections::HashMap;

use super::cipher::{Cipher, Damage, Opened, signed_bytes};
use super::envelope::Envelope;
use super::mac::Mac;
use super::metadata::Metadata;
use super::value::{EncValue, PREFIX};
use super::walk::{self, Leaf, Step, additional_data, key_path};
use crate::document::{Comment, Document, Scalar, Shape, Value, ini};
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
    /// It has encrypted comments inside lists. sops 3.13.2 includes them in the MAC when it decrypts, but not
    /// when it encrypts (`sops.go`, `Decrypt`), so it refuses its own files.
    ListComments,
}

/// The reason why the keys of the user are not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// There is no key for any recipient.
    NoKey,
    /// The user has a key, and it does not open the data key of its recipient. A finding reports it.
    NotOpened,
    /// The user has a key, and it could not be used. The reason is a clause: lower case, no full stop.
    Unavailable(&'static str),
    /// There are keys for `have` key groups of the `need`ed ones.
    TooFewGroups {
        /// Groups that were opened.
        have: usize,
        /// Groups that are needed.
        need: usize,
    },
    /// The file has too many data keys, and none of those that were tried opened.
    TooManyDataKeys {
        /// Number of data keys that were tried, of each key service.
        tried: usize,
    },
}

/// One reason for which sops would refuse a file.
#[derive(Debug)]
pub enum Refusal {
    /// The data key has the wrong length, or the shares of the key groups do not belong together.
    DataKey,
    /// There are several values, and none decrypts.
    AllValues {
        /// Number of them.
        values: usize,
        /// True if the MAC decrypts, so the `sops` block is consistent.
        is_mac_good: bool,
    },
    /// A value.
    Value {
        /// The number of its document, from 0.
        document: usize,
        /// Its path.
        key_path: String,
        /// The nearest key above it.
        key_span: Span,
        /// The fault.
        cause: ValueCause,
    },
    /// The MAC is invalid, and all values decrypt.
    Mac {
        /// Its place.
        span: Span,
        /// The fault.
        cause: MacCause,
    },
}

/// The reason why a value does not decrypt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueCause {
    /// It is not a ciphertext, or a malformed one. Rules that need no key report it.
    Malformed,
    /// It was encrypted for another place, which this names.
    Moved(String),
    /// It was damaged, or encrypted for another place or another file.
    Damaged,
    /// It decrypts, and does not fit its type.
    Type,
    /// A comment in INI that decrypts, and that sops crashes on.
    Unwritable,
}

/// The reason why a MAC is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacCause {
    /// It does not decrypt: it or `lastmodified` was changed.
    Undecryptable,
    /// The values were changed.
    Mismatch,
    /// It is valid if `mac_only_encrypted` is inverted.
    Scope,
}

/// Differences between versions of sops in the data that a MAC covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    only_encrypted: bool,
    /// Before 3.13.2, every number in JSON was a float, which is inexact for large ones.
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
    /// Returns a file with its data key. `metadata` and `envelope` are those of its first document.
    pub(super) fn new(
        documents: &'f [&'f Document<'t>],
        metadata: &'f Metadata,
        envelope: &'f Envelope,
        cipher: &'f Cipher,
    ) -> Self {
        Self { documents, metadata, envelope, cipher }
    }
}

/// The result of a walk over all values.
struct Walked {
    reading: Reading,
    /// The number of the current document.
    document: usize,
    mac: Mac,
    refusals: Vec<Refusal>,
    /// Number of values that were decrypted.
    opened: usize,
    has_list_comments: bool,
    /// Number of values whose place was searched, and the places to try.
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
            // A single value is more likely to be damaged itself.
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

    /// Decrypts all values in the order of sops.
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

    /// Decrypts a comment. sops keeps one that does not decrypt. One that decrypts to another type is
    /// a value at a place where values are impossible.
    fn comment(&self, comment: &Comment<'_>, path: &[Step<'_>], walked: &mut Walked) {
        if !comment.text.starts_with(PREFIX) {
            return;
        }
        let cause = match self.cipher.open(&comment.text, &additional_data(path)) {
            Ok(Opened::Comment(text)) => {
                let text = std::str::from_utf8(text.expose()).unwrap_or_default();
                let is_ini = self.documents.iter().any(|one| one.shape == Shape::Sections);
                (is_ini && !ini::is_writable(text)).then_some(ValueCause::Unwritable)
            }
            Err(damage) => (damage == Damage::Crash).then_some(ValueCause::Type),
            Ok(Opened::Value(_)) => Some(ValueCause::Type),
        };
        if let Some(cause) = cause {
            walked.refusals.push(Refusal::Value {
                document: walked.document,
                key_path: match key_path(path).as_str() {
                    "" => "a comment".to_owned(),
                    path => format!("a comment in {path}"),
                },
                key_span: comment.span,
                cause,
            });
        }
    }

    /// Finds the place in this file for a value that does not decrypt at its own.
    fn origin(&self, text: &str, place: &str, walked: &mut Walked) -> ValueCause {
        /// Maximum values whose place is searched.
        const MAX_SOUGHT: usize = 200;
        walked.sought += 1;
        if walked.sought > MAX_SOUGHT {
            return ValueCause::Damaged;
        }
        let places = walked.places.get_or_insert_with(|| self.places());
        let may_open = |(other, _): &&(String, String)| {
            other != place && self.cipher.open(text, other).is_ok()
        };
        let found = places.iter().find(may_open);
        found.map_or(ValueCause::Damaged, |(_, path)| ValueCause::Moved(path.clone()))
    }

    /// Returns the additional data and the paths of the first values.
    fn places(&self) -> Vec<(String, String)> {
        /// Maximum places: a file can have many values, and each may have been moved.
        const MAX_PLACES: usize = 200;
        let mut places = Vec::new();
        for document in self.documents {
            walk::leaves(document, &self.metadata.recipe.selector, &mut |leaf| {
                if leaf.is_selected && places.len() < MAX_PLACES {
                    places.push((additional_data(leaf.path), key_path(leaf.path)));
                }
            });
        }
        places
    }
}

/// Adds an unencrypted value.
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

/// Maps the node of the first of equal keys in an INI section to the value of the last, which counts in its
/// place. `None` for other formats, where every key counts.
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
