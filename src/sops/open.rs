//! Opens a whole file with the keys of the user: first the data key, then the values.

use std::collections::HashMap;

use super::cipher::Cipher;
use super::envelope::{Envelope, Stanza};
use super::metadata::Metadata;
use super::shamir;
use super::verdict::{File, Refusal, Unopened, Verdict};
use crate::document::Document;
use crate::keys::{Identity, KeyRing, PrivateKeys, Unwrapped, Wrapped};
use crate::secret::{DataKey, Plaintext};
use crate::text::Span;

/// The result of opening a file.
#[derive(Debug)]
pub struct Opening {
    /// The verdict of `sops decrypt`.
    pub verdict: Verdict,
    /// Recipients of the file that cannot open the data key next to their name.
    pub false_labels: Vec<FalseLabel>,
}

/// A recipient next to a data key that is not for it, according to its private key.
#[derive(Debug)]
pub struct FalseLabel {
    /// The recipient.
    pub recipient: Identity,
    /// The place of its text.
    pub span: Span,
    /// The cause.
    pub cause: LabelCause,
}

/// The fault of a recipient's encrypted data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelCause {
    /// The recipient's own private key does not open it.
    DoesNotOpen,
    /// It opens to another data key than the other recipients have.
    OtherDataKey,
}

/// The maximum number of data keys of one key service that are tried in a file: so many of recipients whose
/// private key the user has, and so many others. Each may take a program, and a stranger's file can have
/// thousands. sops tries all of them.
const MAX_TRIED: usize = 100;

/// Opens a file. `documents` are all of its documents, `metadata` and `envelope` those of the first.
pub fn open(
    documents: &[&Document<'_>],
    metadata: &Metadata,
    envelope: &Envelope,
    ring: &KeyRing,
) -> Opening {
    let mut opener = Opener {
        ring,
        tried: HashMap::new(),
        is_cut: false,
        unused: None,
        false_labels: Vec::new(),
    };
    let groups = envelope.groups.iter();
    let shares: Vec<Plaintext> = groups.filter_map(|group| opener.unwrap_group(group)).collect();
    let verdict = match data_key(shares, envelope) {
        Err(Verdict::Unopened(reason)) => Verdict::Unopened(opener.explain(reason, envelope)),
        Err(verdict) => verdict,
        Ok(key) => File::new(documents, metadata, envelope, &Cipher::new(key)).verdict(),
    };
    Opening { verdict, false_labels: opener.false_labels }
}

/// Opens the key groups of one file.
struct Opener<'r> {
    ring: &'r KeyRing,
    /// The number of data keys that were tried, by key service and by whether the user has the key.
    tried: HashMap<(&'static str, bool), usize>,
    /// True if some were not tried.
    is_cut: bool,
    /// The reason why a key could not be used, if there was one.
    unused: Option<&'static str>,
    false_labels: Vec<FalseLabel>,
}

impl Opener<'_> {
    /// Returns the share of one key group. Recipients whose key the user has come first: theirs must open.
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
                (_, None | Some(Unwrapped::Unavailable(_))) => continue,
                (None, Some(Unwrapped::Opened(opened))) => {
                    share = Some(opened);
                    continue;
                }
                (Some(share), Some(Unwrapped::Opened(opened))) if share.is(&opened) => continue,
                (Some(_), Some(Unwrapped::Opened(_))) => LabelCause::OtherDataKey,
                (_, Some(Unwrapped::NotMine | Unwrapped::Damaged)) => LabelCause::DoesNotOpen,
            };
            let Some(recipient) = stanza.recipient.clone() else { continue };
            // Another finding reports visible damage.
            let known = stanza.service.check_data_key(&recipient, &stanza.enc).err();
            if can_prove(stanza, ring) && known.is_none_or(|error| !error.is_certain) {
                self.false_labels.push(FalseLabel { recipient, span: stanza.span, cause });
            }
        }
        // sops ignores the labels, so any key may fit any data key.
        share.or_else(|| {
            others.into_iter().find_map(|stanza| match self.unwrap(stanza, false) {
                Some(Unwrapped::Opened(opened)) => Some(opened),
                _ => None,
            })
        })
    }

    /// Returns the most helpful reason why the file stays closed: a limit, a key that could not be used, or
    /// else `reason`.
    fn explain(&self, reason: Unopened, envelope: &Envelope) -> Unopened {
        match (self.unused, reason) {
            _ if self.is_cut => Unopened::TooManyDataKeys { tried: MAX_TRIED },
            (Some(unused), _) => Unopened::Unavailable(unused),
            (None, Unopened::NoKey) if has_key(envelope, self.ring) => Unopened::NotOpened,
            (None, reason) => reason,
        }
    }

    /// Opens one data key. `None` if too many were tried before.
    fn unwrap(&mut self, stanza: &Stanza, is_own: bool) -> Option<Unwrapped> {
        let Stanza { service, recipient, enc, .. } = stanza;
        if enc.is_empty() || self.ring.of(*service).is_none() {
            return Some(Unwrapped::NotMine);
        }
        let tried = self.tried.entry((stanza.service.metadata_field(), is_own)).or_default();
        if *tried == MAX_TRIED {
            self.is_cut = true;
            return None;
        }
        *tried += 1;
        let wrapped = Wrapped { service: *service, recipient: recipient.as_ref(), enc };
        let opened = self.ring.open(wrapped);
        if let Unwrapped::Unavailable(reason) = opened {
            self.unused = Some(reason);
        }
        Some(opened)
    }
}

/// Reports whether the user has the private key of the recipient.
fn is_own(stanza: &Stanza, ring: &KeyRing) -> bool {
    let keys = ring.of(stanza.service).zip(stanza.recipient.as_ref());
    keys.is_some_and(|(keys, recipient)| keys.has(recipient))
}

fn has_key(envelope: &Envelope, ring: &KeyRing) -> bool {
    envelope.groups.iter().flatten().any(|stanza| is_own(stanza, ring))
}

/// Reports whether a data key has a false label if the recipient's own key does not open it.
fn can_prove(stanza: &Stanza, ring: &KeyRing) -> bool {
    ring.of(stanza.service).is_some_and(PrivateKeys::can_prove)
}

/// Returns the data key of the shares. With one key group, its share is the data key.
fn data_key(mut shares: Vec<Plaintext>, envelope: &Envelope) -> Result<DataKey, Verdict> {
    let have = shares.len();
    let whole = if envelope.groups.len() == 1 {
        shares.pop()
    } else {
        // sops combines all shares that it has. It needs as many as the threshold says.
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
