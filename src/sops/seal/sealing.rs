//! The input and the result of encrypting.

use crate::document::splice::{Block, Edit};
use crate::keys::{Recipient, Unwrappable};
use crate::secret::{Plaintext, SecureRandom};
use crate::sops::recipe::Recipe;
use crate::text::Span;

/// Everything that encryption needs besides the file.
#[derive(Clone, Copy)]
pub struct Sealing<'s> {
    /// Recipients, selector and MAC mode.
    pub recipe: &'s Recipe,
    /// Encrypts the data key, or a share of it, to a recipient. Returns the stanza of the metadata.
    pub wrap: &'s dyn Fn(&Recipient, &Plaintext) -> Result<Block, Unwrappable>,
    /// The present second in UTC, counted from 1970-01-01.
    pub now: u64,
    /// The source of the data key and the nonces.
    pub random: SecureRandom<'s>,
}

/// An encrypted file.
pub struct Sealed {
    /// The whole file.
    pub text: String,
    /// The differences from the old file. Empty for a binary file, which is replaced as a whole.
    pub edits: Vec<Edit>,
    /// Places of the encrypted values in the old file. Empty for a binary file.
    pub places: Vec<Span>,
    /// The number of encrypted values.
    pub values: usize,
    /// The number of encrypted comments.
    pub comments: usize,
}

/// Shows nothing of the text.
impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").finish_non_exhaustive()
    }
}
