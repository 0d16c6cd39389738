//! The repair of a finding, worked out completely before anything is written.
//!
//! [`encrypt`] and [`config`] compute the new content of a file and do not touch the disk. [`stage`]
//! writes all of it as one transaction.

mod change;
pub mod config;
pub mod diff;
pub mod encrypt;
pub mod obstacle;
pub mod stage;

pub use change::{Bytes, Change, Encryption, Refusal};
