//! The private keys of one service, and the result of opening a data key with them.

use std::io::{self, Read};

use super::identity::Identity;
use crate::host::Host;
use crate::secret::{Plaintext, read_all};

/// The maximum number of bytes that are read of a data key or a share of one; both have fewer.
const MAX_DATA_KEY: u8 = 64;

/// Reads a data key, or a share of one.
pub(super) fn read_data_key(from: impl Read) -> io::Result<Plaintext> {
    read_all(from, MAX_DATA_KEY.into(), MAX_DATA_KEY.into())
}

/// The result of opening an encrypted data key.
#[derive(Clone, Debug)]
pub enum Unwrapped {
    /// The data key, or a share of it.
    Opened(Plaintext),
    /// It is not for one of the user's keys. That is not an error.
    NotMine,
    /// A key of the user could not be used. The reason is a clause with a subject: lower case, no full
    /// stop, and never the text of another program.
    Unavailable(&'static str),
    /// It is for a key of the user and does not open, or it is malformed.
    Damaged,
}

/// The private keys of one key service.
pub trait PrivateKeys: Send + Sync {
    /// Reports whether the key of a recipient is certainly among them.
    fn has(&self, recipient: &Identity) -> bool;

    /// Reports whether a try is quick, and a failure with the recipient's own key proves that the data
    /// key is not for it. gpg needs a process and gives no reliable reason for a failure.
    fn can_prove(&self) -> bool;

    /// Opens an encrypted data key. The recipient is only a hint: sops ignores it.
    fn unwrap(&self, recipient: Option<&Identity>, enc: &str) -> Unwrapped;
}

/// The user interaction that a private key may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// No passphrase, no touch of a token.
    Quiet,
    /// The program, agents and plugins may ask for passphrases.
    MayAsk,
}

/// A search for private keys.
#[derive(Debug)]
pub struct Search<'h> {
    /// The place to search.
    pub host: &'h Host,
    /// The user interaction that is allowed.
    pub effort: Effort,
    /// Key sources that could not be used: sentences for the user, without keys.
    pub troubles: Vec<String>,
}
