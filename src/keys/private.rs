//! The private keys at hand, and what they open.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Identity, KEY_SERVICES, KeyService};
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

/// All private keys that this user has. Nothing is read before somebody asks for it: a run without
/// encrypted files opens no key.
pub struct KeyRing {
    host: Host,
    effort: Effort,
    found: Vec<OnceLock<Option<Box<dyn PrivateKeys>>>>,
    troubles: Mutex<Vec<String>>,
}

impl KeyRing {
    /// The keys of the user who runs this.
    pub fn new(host: Host, effort: Effort) -> Self {
        let found = KEY_SERVICES.iter().map(|_| OnceLock::new()).collect();
        Self { host, effort, found, troubles: Mutex::default() }
    }

    /// Those of one service, if there are any.
    pub fn of(&self, service: &dyn KeyService) -> Option<&dyn PrivateKeys> {
        let at = KEY_SERVICES.iter().position(|other| other.name() == service.name())?;
        let keys = self.found[at].get_or_init(|| {
            let mut search = Search { host: &self.host, effort: self.effort, troubles: Vec::new() };
            let keys = service.private_keys(&mut search);
            self.troubles.lock().unwrap_or_else(PoisonError::into_inner).extend(search.troubles);
            keys
        });
        keys.as_deref()
    }

    /// What stood in the way of finding keys: sentences for the user, which quote no key.
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private keys]")
    }
}
