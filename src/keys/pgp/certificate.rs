//! OpenPGP certificates, commonly called public keys: their subkeys, and which of them can be encrypted to.
//!
//! This module only has the data. `openpgp` reads it from bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::key_id;
use crate::path::RepoPath;

/// A primary key with its subkeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The primary key and then its subkeys; never empty.
    pub keys: Vec<Key>,
}

/// A primary key or a subkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The fingerprint, in upper case, without spaces.
    pub fingerprint: String,
    /// True if the key is for encryption.
    pub can_encrypt: bool,
    /// Its state.
    pub state: State,
}

/// The state of a key. Days are counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Valid.
    Good,
    /// Unknown: it has no signature that sops-lint can verify.
    Unverified,
    /// It expired on this day.
    Expired(u32),
    /// It was revoked on this day.
    Revoked(u32),
}

/// The result of looking for a key that gpg can encrypt to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usability {
    /// There is one, or this cannot be decided.
    Usable,
    /// There is none.
    Unusable {
        /// The reason.
        reason: Unusable,
        /// True if the primary key is valid and the reason applies to its subkeys.
        subkeys: bool,
    },
}

/// The reason why a key cannot be encrypted to. Days are counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It expired on this day.
    Expired(u32),
    /// It was revoked on this day.
    Revoked(u32),
    /// It is only for signatures.
    NoEncryption,
}

impl Certificate {
    /// Returns the fingerprint of the primary key, which identifies the certificate.
    pub fn fingerprint(&self) -> &str {
        self.keys.first().map_or("", |key| &key.fingerprint)
    }

    /// Reports whether a key, named by fingerprint or key id, is one of its keys.
    pub fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.is(id))
    }

    /// Looks for the key that gpg would encrypt to for `id`: any key that is for encryption, or, if `id`
    /// ends with `!`, exactly that key.
    pub fn usability(&self, id: &str) -> Usability {
        let Some(primary) = self.keys.first() else { return Usability::Usable };
        let unusable = |reason, subkeys| Usability::Unusable { reason, subkeys };
        match primary.state {
            State::Good => {}
            State::Unverified => return Usability::Usable,
            State::Expired(day) => return unusable(Unusable::Expired(day), false),
            State::Revoked(day) => return unusable(Unusable::Revoked(day), false),
        }
        let exact = id.strip_suffix('!');
        let wanted = self.keys.iter().filter(|key| exact.is_none_or(|id| key.is(id)));
        let (mut expired, mut revoked, mut count) = (None, None, 0);
        for key in wanted {
            count += 1;
            match key.state {
                State::Unverified => return Usability::Usable,
                State::Good if key.can_encrypt => return Usability::Usable,
                State::Expired(day) if key.can_encrypt => expired = expired.max(Some(day)),
                State::Revoked(day) if key.can_encrypt => revoked = revoked.max(Some(day)),
                _ => {}
            }
        }
        match (expired, revoked) {
            _ if count == 0 => Usability::Usable,
            (Some(day), _) => unusable(Unusable::Expired(day), true),
            (None, Some(day)) => unusable(Unusable::Revoked(day), true),
            (None, None) => unusable(Unusable::NoEncryption, false),
        }
    }

    /// Adds another copy of the same certificate, as gpg does when it imports both: a revocation is final,
    /// the later expiry wins.
    fn merge(&mut self, other: Self) {
        for key in other.keys {
            match self.keys.iter_mut().find(|known| known.fingerprint == key.fingerprint) {
                None => self.keys.push(key),
                Some(known) => {
                    known.can_encrypt |= key.can_encrypt;
                    known.state = known.state.merged(key.state);
                }
            }
        }
    }
}

impl Key {
    /// Reports whether `id` is its fingerprint or key id, in upper case, without `0x`.
    fn is(&self, id: &str) -> bool {
        self.fingerprint == id || key_id(&self.fingerprint) == id
    }
}

impl State {
    fn merged(self, other: Self) -> Self {
        match (self, other) {
            (Self::Revoked(one), Self::Revoked(other)) => Self::Revoked(one.min(other)),
            (Self::Revoked(day), _) | (_, Self::Revoked(day)) => Self::Revoked(day),
            (Self::Good, _) | (_, Self::Good) => Self::Good,
            (Self::Unverified, _) | (_, Self::Unverified) => Self::Unverified,
            (Self::Expired(one), Self::Expired(other)) => Self::Expired(one.max(other)),
        }
    }
}

/// The place of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// A file of the tree.
    File(RepoPath),
    /// The keyring of the user.
    Keyring,
}

/// A certificate, and all places that have a copy.
#[derive(Clone, Debug)]
pub struct Known {
    /// All copies, merged.
    pub certificate: Certificate,
    /// The places of the copies.
    pub places: BTreeSet<Found>,
}

/// All certificates of a run.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// Certificates by the fingerprint of the primary key.
    known: BTreeMap<String, Known>,
    /// Primary fingerprints by every fingerprint and key id.
    owners: BTreeMap<String, BTreeSet<String>>,
}

impl Certificates {
    /// Adds a certificate.
    pub fn add(&mut self, source: Found, certificate: Certificate) {
        let primary = certificate.fingerprint().to_owned();
        for key in &certificate.keys {
            for id in [&key.fingerprint, key_id(&key.fingerprint)] {
                self.owners.entry(id.to_owned()).or_default().insert(primary.clone());
            }
        }
        match self.known.get_mut(&primary) {
            None => {
                let known = Known { certificate, places: BTreeSet::from([source]) };
                self.known.insert(primary, known);
            }
            Some(known) => {
                known.certificate.merge(certificate);
                known.places.insert(source);
            }
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        for known in other.known.into_values() {
            for source in known.places {
                self.add(source, known.certificate.clone());
            }
        }
    }

    /// Returns the files that contain a certificate, sorted.
    pub fn files(&self) -> Vec<RepoPath> {
        let places = self.known.values().flat_map(|known| &known.places);
        let files = places.filter_map(|place| match place {
            Found::File(path) => Some(path.clone()),
            Found::Keyring => None,
        });
        files.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Reports whether there are no certificates.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Returns the certificate of a key: a fingerprint or a key id of 16 digits, in canonical form. `None` if
    /// two certificates claim the key.
    pub fn find(&self, id: &str) -> Option<&Known> {
        let owners = self.owners.get(id.trim_end_matches('!'))?;
        let mut owners = owners.iter();
        let owner = owners.next().filter(|_| owners.next().is_none())?;
        self.known.get(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char, can_encrypt: bool, state: State) -> Key {
        Key { fingerprint: digit.to_string().repeat(40), can_encrypt, state }
    }

    fn certificate(keys: &[Key]) -> Certificate {
        Certificate { keys: keys.to_vec() }
    }

    fn unusable(reason: Unusable, subkeys: bool) -> Usability {
        Usability::Unusable { reason, subkeys }
    }

    #[test]
    fn one_good_subkey_is_enough() {
        let primary = key('A', false, State::Good);
        let (old, new) = (key('B', true, State::Expired(7)), key('C', true, State::Good));
        let all = certificate(&[primary.clone(), old.clone(), new.clone()]);
        let exact = format!("{}!", old.fingerprint);
        assert_eq!(all.usability(all.fingerprint()), Usability::Usable);
        assert_eq!(all.usability(&old.fingerprint), Usability::Usable);
        assert_eq!(all.usability(&exact), unusable(Unusable::Expired(7), true));
        assert_eq!(all.usability("DDDDDDDDDDDDDDDD!"), Usability::Usable);
        let without = certificate(&[primary.clone(), old]);
        assert_eq!(without.usability(""), unusable(Unusable::Expired(7), true));
        let alone = certificate(&[primary]);
        assert_eq!(alone.usability(""), unusable(Unusable::NoEncryption, false));
    }

    #[test]
    fn the_primary_key_decides_first_and_what_is_not_known_is_no_mistake() {
        let good = key('B', true, State::Good);
        let of = |state| certificate(&[key('A', false, state), good.clone()]).usability("");
        assert_eq!(of(State::Revoked(3)), unusable(Unusable::Revoked(3), false));
        assert_eq!(of(State::Expired(3)), unusable(Unusable::Expired(3), false));
        assert_eq!(of(State::Unverified), Usability::Usable);
        let strange = [key('A', false, State::Good), key('B', false, State::Unverified)];
        assert_eq!(certificate(&strange).usability(""), Usability::Usable);
    }

    #[test]
    fn copies_are_taken_together_as_gpg_does() {
        let copy = |state| certificate(&[key('A', true, state)]);
        let both = |one, other| {
            let mut all = Certificates::default();
            all.add(Found::File("a.asc".into()), copy(one));
            all.add(Found::Keyring, copy(other));
            let known = all.find(&"A".repeat(16)).expect("it was added");
            assert_eq!(known.places.len(), 2);
            known.certificate.keys[0].state
        };
        assert_eq!(both(State::Expired(7), State::Good), State::Good);
        assert_eq!(both(State::Expired(7), State::Expired(9)), State::Expired(9));
        assert_eq!(both(State::Good, State::Revoked(9)), State::Revoked(9));
        assert_eq!(both(State::Revoked(5), State::Revoked(9)), State::Revoked(5));
    }

    #[test]
    fn a_key_that_two_certificates_claim_belongs_to_none() {
        let mut all = Certificates::default();
        assert!(all.is_empty() && all.find(&"B".repeat(40)).is_none());
        for primary in ['A', 'C'] {
            let keys = [key(primary, false, State::Good), key('B', true, State::Good)];
            all.add(Found::Keyring, certificate(&keys));
        }
        assert!(all.find(&"B".repeat(40)).is_none());
        assert!(all.find(&format!("{}!", "C".repeat(40))).is_some());
    }
}
