//! Judges files: from bytes to findings.
//!
//! [`file()`] judges one file and returns an [`Outcome`] with the answers that it depends on.
//! [`repository()`] then judges what is known of all files together.

mod context;
mod file;
mod new_values;
mod openers;
mod opening;
mod outcome;
mod parse;
mod questions;
mod reading;
mod repository;
mod settle;
mod tally;
mod version;

pub use context::{Context, Scope};
pub use file::file;
pub use new_values::mark_new_values;
pub use openers::openers;
pub use outcome::{Outcome, Verification};
pub use parse::encrypted;
pub use repository::repository;
pub use settle::settle_settings;
pub use tally::{Counts, Skipped, Tally};
pub use version::{Version, version};
