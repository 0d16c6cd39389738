//! A recipient at its place in a file.

use std::fmt;

use super::identity::{Identity, Sameness};
use super::service::KeyService;
use crate::text::Span;

/// A recipient and its place.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The key service.
    pub service: &'static dyn KeyService,
    /// Identity of the recipient.
    pub identity: Identity,
    /// Its text, in the creation rule or in the metadata.
    pub span: Span,
}

impl Recipient {
    /// Reports whether this and `other` are the same key.
    pub fn compare(&self, other: &Self) -> Sameness {
        if self.service.is(other.service) {
            self.service.compare(&self.identity, &other.identity)
        } else {
            Sameness::Different
        }
    }

    /// Returns its id for a text that names it too: `age1qx7..w98c`. Addresses and paths of cloud keys stay
    /// whole, because their middle tells them apart.
    pub fn short(&self) -> String {
        const MAX_LENGTH: usize = 24;
        const HEAD: usize = 7;
        const TAIL: usize = 4;
        let id = &self.identity.id;
        if !self.service.can_wrap() || !id.is_ascii() || id.len() <= MAX_LENGTH {
            return self.to_string();
        }
        let id = crate::text::printable::clean_path(id);
        // The keys of one SSH type begin alike.
        match id.split_once(' ') {
            Some((kind, key)) => format!("{kind} ..{}", &key[key.len().saturating_sub(HEAD)..]),
            None => format!("{}..{}", &id[..HEAD], &id[id.len() - TAIL..]),
        }
    }
}

impl fmt::Display for Recipient {
    /// Writes up to 160 characters: cloud keys that differ in a few characters stay distinct, and
    /// post-quantum recipients are shortened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::text::printable::{clean, shorten};
        f.write_str(&shorten(clean(&self.identity.id), 160))
    }
}
