//! To whom and how a file is, or has to be, encrypted: key groups, threshold, selector.
//!
//! A creation rule demands a [`Recipe`], a file's metadata states one; drift is where they differ
//! (`sops.go`, `DiffKeyGroups`).

use std::collections::HashSet;

use super::selector::Selector;
use crate::keys::{InvalidRecipient, KeyService, Recipient, Sameness};
use crate::text::Span;

/// Instructions for encrypting a file.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// One, or several of which `threshold` are needed to decrypt.
    pub key_groups: Vec<KeyGroup>,
    /// The number of key groups that suffice, where it is written.
    pub threshold: Option<Threshold>,
    /// Selector of the keys that are encrypted.
    pub selector: Selector,
    /// True if the MAC covers the encrypted values alone.
    pub mac_only_encrypted: bool,
}

/// `shamir_threshold` and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The number of groups.
    pub groups: usize,
    /// Where it is written.
    pub span: Span,
}

/// Recipients of which any one can decrypt.
#[derive(Clone, Debug, Default)]
pub struct KeyGroup {
    /// In the order in which they are written.
    pub recipients: Vec<Recipient>,
    /// What stands in place of a recipient and is none.
    pub invalid: Vec<Invalid>,
}

/// A text that should be a recipient.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// The key service in whose field it stands.
    pub service: &'static dyn KeyService,
    /// Where it stands.
    pub span: Span,
    /// Its fault.
    pub error: InvalidRecipient,
}

impl KeyGroup {
    /// Reports whether nothing at all stands in it.
    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty() && self.invalid.is_empty()
    }
}

impl Recipe {
    /// All recipients of all groups.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.key_groups.iter().flat_map(|group| &group.recipients)
    }

    /// All texts that should be recipients.
    pub fn invalid(&self) -> impl Iterator<Item = &Invalid> {
        self.key_groups.iter().flat_map(|group| &group.invalid)
    }

    /// How many groups it takes to decrypt: sops asks for all where no threshold is set.
    pub fn groups_needed(&self) -> usize {
        match self.threshold {
            Some(threshold) if self.key_groups.len() > 1 && threshold.groups > 0 => {
                threshold.groups
            }
            _ => self.key_groups.len(),
        }
    }
}

/// How the recipients of a file differ from those that its creation rule demands.
#[derive(Debug, Default)]
pub struct Drift<'r> {
    /// In the file, not in the rule.
    pub extra: Vec<&'r Recipient>,
    /// In the rule, not in the file.
    pub missing: Vec<&'r Recipient>,
    /// Pairs (file, rule) of which nobody can tell offline whether they are one key.
    pub unsure: Vec<(&'r Recipient, &'r Recipient)>,
    /// Recipients of the file that an unreadable one of the rule may stand for.
    pub unexplained: Vec<&'r Recipient>,
    /// The right recipients stand in other key groups than the rule says.
    pub is_regrouped: bool,
}

impl Drift<'_> {
    /// Reports whether the file is as the rule demands.
    pub fn is_none(&self) -> bool {
        self.extra.is_empty()
            && self.missing.is_empty()
            && self.unsure.is_empty()
            && self.unexplained.is_empty()
            && !self.is_regrouped
    }
}

/// Compares a file's recipe with its creation rule's, group by group in their order.
pub fn drift<'r>(actual: &'r Recipe, demanded: &'r Recipe) -> Drift<'r> {
    let (have, want): (Vec<_>, Vec<_>) =
        (actual.recipients().collect(), demanded.recipients().collect());
    let mut drift = compare(&have, &want);
    if demanded.invalid().next().is_some() {
        drift.unexplained = std::mem::take(&mut drift.extra);
    }
    let same_people = drift.extra.is_empty() && drift.missing.is_empty();
    let groups = |recipe: &'r Recipe| -> Vec<&'r KeyGroup> {
        recipe.key_groups.iter().filter(|group| !group.is_empty()).collect()
    };
    let (have, want) = (groups(actual), groups(demanded));
    drift.is_regrouped = same_people
        && (have.len() != want.len()
            || have.iter().zip(&want).any(|(have, want)| {
                let have: Vec<_> = have.recipients.iter().collect();
                let want_all: Vec<_> = want.recipients.iter().collect();
                let inner = compare(&have, &want_all);
                let has_strangers = !inner.extra.is_empty() && want.invalid.is_empty();
                has_strangers || !inner.missing.is_empty()
            }));
    drift
}

/// Most recipients that one is held against where their ids are not equal, which they are for nearly all
/// keys that are. In longer lists the others count as different.
const MOST_COMPARED: usize = 1000;

/// Recipients among which others are looked for.
#[derive(Debug, Default)]
pub struct Lookup<'r> {
    all: Vec<&'r Recipient>,
    ids: HashSet<(&'static str, &'r str)>,
}

impl<'r> Lookup<'r> {
    /// One more.
    pub fn add(&mut self, one: &'r Recipient) {
        self.all.push(one);
        self.ids.insert((one.service.metadata_field(), &one.identity.id));
    }

    /// Reports whether this one is among them.
    pub fn find(&self, one: &Recipient) -> Sameness {
        if self.ids.contains(&(one.service.metadata_field(), &*one.identity.id)) {
            return Sameness::Same;
        }
        let mut found = Sameness::Different;
        for other in few(&self.all) {
            match one.compare(other) {
                Sameness::Same => return Sameness::Same,
                Sameness::Unknown => found = Sameness::Unknown,
                Sameness::Different => {}
            }
        }
        found
    }
}

impl<'r> IntoIterator for Lookup<'r> {
    type Item = &'r Recipient;
    type IntoIter = std::vec::IntoIter<&'r Recipient>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<'r> FromIterator<&'r Recipient> for Lookup<'r> {
    fn from_iter<I: IntoIterator<Item = &'r Recipient>>(all: I) -> Self {
        let mut lookup = Self::default();
        all.into_iter().for_each(|one| lookup.add(one));
        lookup
    }
}

/// All of a list; nothing of a longer one.
fn few<'l, 'r>(list: &'l [&'r Recipient]) -> &'l [&'r Recipient] {
    if list.len() <= MOST_COMPARED { list } else { &[] }
}

fn compare<'r>(have: &[&'r Recipient], want: &[&'r Recipient]) -> Drift<'r> {
    let mut drift = Drift::default();
    let there: Lookup<'_> = have.iter().copied().collect();
    let is_missing = |one: &&&Recipient| there.find(one) != Sameness::Same;
    let mut unmatched: Vec<&Recipient> = want.iter().filter(is_missing).copied().collect();
    let wanted: Lookup<'_> = want.iter().copied().collect();
    for one in have.iter().filter(|one| wanted.find(one) != Sameness::Same) {
        let may_be = |other: &&Recipient| one.compare(other) == Sameness::Unknown;
        match few(&unmatched).iter().position(may_be) {
            Some(at) => drift.unsure.push((one, unmatched.remove(at))),
            None => drift.extra.push(one),
        }
    }
    drift.missing = unmatched;
    drift
}
