//! The wire format of SOPS: metadata, `ENC[..]` values, selectors and the walk, and what opens it.
//!
//! Sources are the files of getsops/sops that the comments name.

pub mod census;
pub mod cipher;
pub mod envelope;
pub mod flat;
pub mod mac;
pub mod metadata;
pub mod open;
pub mod recipe;
pub mod seal;
pub mod selector;
pub mod shamir;
pub mod value;
pub mod verdict;
pub mod walk;
