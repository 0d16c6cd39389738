//! Opens a whole file with the keys at hand: the data key first, then what it says of the values.

use std::collections::HashMap;

use super::cipher::Cipher;
use super::envelope::{Envelope, Stanza};
use super::metadata::Metadata;
use super::shamir;
use super::verdict::{File, Refusal, Unopened, Verdict};
use crate::document::Document;
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

/// Most data keys of one key service that are tried in a file: those beside recipients whose private key is
/// at hand, and as many of the others. Each may take a program, and strangers can write a thousand of them.
/// sops tries all of them.
const MOST_TRIED: usize = 100;

/// Opens a file. `documents` are all of its documents, `metadata` and `envelope` those of the first.
pub fn open(
    documents: &[&Document<'_>],
    metadata: &Metadata,
    envelope: &Envelope,
    ring: &KeyRing,
) -> Opening {
    let mut opener =
        Opener { ring, tried: HashMap::new(), is_cut: false, false_labels: Vec::new() };
    let groups = envelope.groups.iter();
    let shares: Vec<Plaintext> = groups.filter_map(|group| opener.unwrap_group(group)).collect();
    let verdict = match data_key(shares, envelope) {
        Err(Verdict::Unopened(_)) if opener.is_cut => {
            Verdict::Unopened(Unopened::TooManyDataKeys { tried: MOST_TRIED })
        }
        Err(Verdict::Unopened(Unopened::NoKey)) if has_key(envelope, ring) => {
            Verdict::Unopened(Unopened::NotOpened)
        }
        Err(verdict) => verdict,
        Ok(key) => File::new(documents, metadata, envelope, &Cipher::new(key)).verdict(),
    };
    Opening { verdict, false_labels: opener.false_labels }
}

/// Opens the key groups of one file.
struct Opener<'r> {
    ring: &'r KeyRing,
    /// How many data keys were tried: by key service, and whether the private key should be at hand.
    tried: HashMap<(&'static str, bool), usize>,
    /// Whether some were not.
    is_cut: bool,
    false_labels: Vec<FalseLabel>,
}

impl Opener<'_> {
    /// The share of one key group. Recipients whose key is at hand come first: theirs has to open.
    fn unwrap_group(&mut self, group: &[Stanza]) -> Option<Plaintext> {
        let ring = self.ring;
        let mut share: Option<Plaintext> = None;
        let (own, others): (Vec<&Stanza>, Vec<&Stanza>) =
            group.iter().partition(|stanza| is_own(stanza, ring));
        for stanza in own {
            if share.is_some() && !can_prove(stanza, ring) {
                continue;
            }
            let cause = match (&share, self.unwrap(stanza, true)) {
                (_, None) => continue,
                (None, Some(Unwrapped::Opened(opened))) => {
                    share = Some(opened);
                    continue;
                }
                (Some(share), Some(Unwrapped::Opened(opened))) if share.is(&opened) => continue,
                (Some(_), Some(Unwrapped::Opened(_))) => LabelCause::OtherDataKey,
                (_, Some(Unwrapped::NotMine | Unwrapped::Damaged)) => LabelCause::DoesNotOpen,
            };
            let Some(recipient) = stanza.recipient.clone() else { continue };
            // What is broken for all to see has a finding of its own.
            let known = stanza.service.check_data_key(&recipient, &stanza.enc).err();
            if can_prove(stanza, ring) && known.is_none_or(|error| !error.is_certain) {
                self.false_labels.push(FalseLabel { recipient, span: stanza.span, cause });
            }
        }
        // sops does not look at the labels, so any key may fit any of them.
        share.or_else(|| {
            others.into_iter().find_map(|stanza| match self.unwrap(stanza, false) {
                Some(Unwrapped::Opened(opened)) => Some(opened),
                Some(Unwrapped::NotMine | Unwrapped::Damaged) | None => None,
            })
        })
    }

    /// `None` if there were too many to try this one.
    fn unwrap(&mut self, stanza: &Stanza, is_own: bool) -> Option<Unwrapped> {
        let Some(keys) = self.ring.of(stanza.service).filter(|_| !stanza.enc.is_empty()) else {
            return Some(Unwrapped::NotMine);
        };
        let tried = self.tried.entry((stanza.service.name(), is_own)).or_default();
        if *tried == MOST_TRIED {
            self.is_cut = true;
            return None;
        }
        *tried += 1;
        Some(keys.unwrap(stanza.recipient.as_ref(), &stanza.enc))
    }
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
