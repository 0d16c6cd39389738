//! The one place that writes into a work tree and its index: in transactions, all or nothing.
//!
//! 1. `draft` checks that every file may be written and is still what was read.
//! 2. The record of the transaction goes into the `journal`. Then the new content is written into
//!    temporary files next to their targets, which hold ciphertext or configuration, never a secret.
//! 3. One write decides: git's update of the index, or a mark in the journal if nothing is staged.
//! 4. The record is carried out: temporary files replace their targets, and files get their new names.
//!
//! The next run reads the journal of a run that was killed. Before the third step it undoes
//! everything; after it, it finishes everything.

mod draft;
mod error;
mod file;
mod journal;
mod operation;
mod step;
mod transaction;

pub use draft::check;
pub use error::StageError;
pub use operation::Operation;
pub use step::{Observer, Step};
pub use transaction::{Recovered, Stage};
