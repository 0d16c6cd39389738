//! The wire format of SOPS: metadata, `ENC[..]` values, selectors, the walk, opening and sealing.
//!
//! File names in comments are those of getsops/sops.

mod block;
pub mod census;
pub mod cipher;
pub mod envelope;
mod fields;
pub mod flat;
pub mod mac;
pub mod metadata;
pub mod open;
mod problem;
pub mod recipe;
pub mod seal;
pub mod selector;
pub mod shamir;
pub mod signs;
pub mod value;
pub mod verdict;
pub mod walk;

pub use problem::Problem;
