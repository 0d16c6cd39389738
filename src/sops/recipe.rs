//! The parameters of encryption: key groups, threshold, selector.
//!
//! A creation rule demands a [`Recipe`], the metadata of a file states one. Drift is their difference
//! (`sops.go`, `DiffKeyGroups`).

use std::collections::HashSet;

use super::selector::Selector;
use crate::keys::{InvalidRecipient, KeyService, Recipient, Sameness};
use crate::text::Span;

/// The parameters of encrypting a file.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// The key groups. If there are several, `threshold` of them are needed to decrypt.
    pub key_groups: Vec<KeyGroup>,
    /// The number of key groups that suffice, if it is set.
    pub threshold: Option<Threshold>,
    /// Selector of the keys that are encrypted.
    pub selector: Selector,
    /// True if the MAC covers only encrypted values.
    pub mac_only_encrypted: bool,
}

/// `shamir_threshold` and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The number of groups.
    pub groups: usize,
    /// Its place.
    pub span: Span,
}

/// Recipients, any one of which can decrypt.
#[derive(Clone, Debug, Default)]
pub struct KeyGroup {
    /// The recipients, in file order.
    pub recipients: Vec<Recipient>,
    /// Texts in place of recipients.
    pub invalid: Vec<Invalid>,
}

/// A text in place of a recipient.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// The key service of its field.
    pub service: &'static dyn KeyService,
    /// Its place.
    pub span: Span,
    /// Its fault.
    pub error: InvalidRecipient,
}

impl KeyGroup {
    /// Reports whether it has no items.
    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty() && self.invalid.is_empty()
    }
}

impl Recipe {
    /// Returns the recipients of all groups.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.key_groups.iter().flat_map(|group| &group.recipients)
    }

    /// Returns the texts in place of recipients, of all groups.
    pub fn invalid(&self) -> impl Iterator<Item = &Invalid> {
        self.key_groups.iter().flat_map(|group| &group.invalid)
    }

    /// Returns the number of groups that are needed to decrypt. Without a threshold, sops needs all.
    pub fn groups_needed(&self) -> usize {
        match self.threshold {
            Some(threshold) if self.key_groups.len() > 1 && threshold.groups > 0 => {
                threshold.groups
            }
            _ => self.key_groups.len(),
        }
    }
}

/// The difference between the recipients of a file and those of its creation rule.
#[derive(Debug, Default)]
pub struct Drift<'r> {
    /// Recipients of the file that the rule lacks.
    pub extra: Vec<&'r Recipient>,
    /// Recipients of the rule that the file lacks.
    pub missing: Vec<&'r Recipient>,
    /// Pairs (file, rule) that cannot be compared offline.
    pub unsure: Vec<(&'r Recipient, &'r Recipient)>,
    /// Recipients of the file that an unreadable one of the rule may name.
    pub unexplained: Vec<&'r Recipient>,
    /// True if the recipients are equal, but are in other key groups.
    pub is_regrouped: bool,
}

impl Drift<'_> {
    /// Reports whether there is no difference.
    pub fn is_none(&self) -> bool {
        self.extra.is_empty()
            && self.missing.is_empty()
            && self.unsure.is_empty()
            && self.unexplained.is_empty()
            && !self.is_regrouped
    }
}

/// Compares the recipe of a file with that of its creation rule, group by group in order.
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

/// Maximum recipients that are compared with one whose id is not in the list; equal keys nearly always have
/// equal ids. In longer lists, the others count as different.
const MAX_COMPARED: usize = 1000;

/// Recipients to search in.
#[derive(Debug, Default)]
pub struct Lookup<'r> {
    all: Vec<&'r Recipient>,
    ids: HashSet<(&'static str, &'r str)>,
}

impl<'r> Lookup<'r> {
    /// Adds a recipient.
    pub fn add(&mut self, one: &'r Recipient) {
        self.all.push(one);
        self.ids.insert((one.service.metadata_field(), &one.identity.id));
    }

    /// Looks for a recipient among them.
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

/// Returns the list, or nothing if it has more than [`MAX_COMPARED`].
fn few<'l, 'r>(list: &'l [&'r Recipient]) -> &'l [&'r Recipient] {
    if list.len() <= MAX_COMPARED { list } else { &[] }
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
