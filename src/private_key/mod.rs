//! The forms of private keys: age identities, OpenPGP keys, and keys in PEM.
//!
//! Those who search for keys, those who hide them and those who refuse them ask here. Reading a
//! key in order to use it is the business of `keys`.

mod block;
mod encoded;
mod found;
mod hint;
mod packet;
mod pem;
mod search;

pub use found::{Form, FoundKey};
pub use hint::{AGE_HYBRID, AGE_PLUGIN, PGP_LABEL, has_age_identity, is_hinted_at, is_mentioned};
pub use pem::{has_pem_key, is_pem_key, is_public_pem};
pub use search::{MAX_KEYS, find, find_in_base64, look, marks};
