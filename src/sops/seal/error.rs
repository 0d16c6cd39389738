//! The errors of encrypting a file.

use crate::keys::Unwrappable;
use crate::text::Span;

/// The reason why a file was not encrypted. Never quotes the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Decryption would not restore the file exactly.
    #[error("{reason}")]
    Impossible {
        /// The place, if there is one.
        span: Option<Span>,
        /// Lower case, no full stop.
        reason: String,
    },
    /// A text of the file may be, or contain, an encrypted value. Encrypted again, it could not be restored.
    #[error(
        "it may contain ciphertext, which only the sops block that it was made with can decrypt"
    )]
    Ciphertext {
        /// The place, if there is one.
        span: Option<Span>,
    },
    /// The creation rule does not fit the file.
    #[error("its creation rule {reason}")]
    Rule {
        /// A predicate whose subject is the rule, no full stop.
        reason: &'static str,
        /// The correction of the rule, in the imperative.
        help: &'static str,
    },
    /// The data key cannot be encrypted to a recipient.
    #[error("{recipient} {}", .error.reason)]
    Recipient {
        /// The recipient.
        recipient: String,
        /// The reason.
        error: Unwrappable,
    },
    /// The result does not equal the source. That is a mistake of this program.
    #[error("the encrypted file does not pass its check: {0}")]
    Check(&'static str),
}

/// Returns an error about one place, or about the whole file.
pub(super) fn impossible(span: Option<Span>, reason: impl Into<String>) -> SealError {
    SealError::Impossible { span, reason: reason.into() }
}
