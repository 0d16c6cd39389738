//! The private keys at hand, and what they open.

use std::io::{self, Read};

use super::identity::Identity;
use crate::host::Host;
use crate::secret::{Plaintext, read_all};

/// Most bytes of a data key or a share of one that are read; both have fewer.
const LONGEST_DATA_KEY: u8 = 64;

/// Reads a data key, or a share of one.
pub(super) fn read_data_key(from: impl Read) -> io::Result<Plaintext> {
    read_all(from, LONGEST_DATA_KEY.into(), LONGEST_DATA_KEY.into())
}

/// What became of an encrypted data key.
#[derive(Debug)]
pub enum Unwrapped {
    /// The data key, or a share of it.
    Opened(Plaintext),
    /// None of the keys at hand can open it. Nothing is wrong with that.
    NotMine,
    /// It is for a key at hand, and does not open; or nobody can read it.
    Damaged,
}

/// Those of one key service.
pub trait PrivateKeys: Send + Sync {
    /// Whether the key of a recipient is surely among them.
    fn has(&self, recipient: &Identity) -> bool;

    /// Whether it is quick to try a data key, and proves something if the key of its recipient does
    /// not open it. gpg takes a process, and does not say why it failed.
    fn can_prove(&self) -> bool;

    /// Opens an encrypted data key. sops does not look at the recipient that stands beside it, so
    /// it is a hint and no more.
    fn unwrap(&self, recipient: Option<&Identity>, enc: &str) -> Unwrapped;
}

/// How far to go for a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Take what needs nobody's attention: no passphrase, no touch of a token.
    Quiet,
    /// Ask for passphrases, and let agents and plugins ask.
    MayAsk,
}

/// A search for private keys.
#[derive(Debug)]
pub struct Search<'h> {
    /// Where to look.
    pub host: &'h Host,
    /// How far to go.
    pub effort: Effort,
    /// What stood in the way: sentences for the user, which quote no key.
    pub troubles: Vec<String>,
}
