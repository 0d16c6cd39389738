//! The wire format of SOPS, without keys: metadata, `ENC[..]` values, selectors and the walk.
//!
//! Sources are the files of getsops/sops that the comments name.

pub mod census;
pub mod flat;
pub mod metadata;
pub mod recipe;
pub mod selector;
pub mod value;
pub mod walk;
