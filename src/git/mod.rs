//! Access to git: the index, commits, trees and blobs, read with gix.
//!
//! The git program makes the few changes. Objects are read as they are: replacements (`git replace`) are
//! not followed, because the replaced object is the one that is committed and pushed.

mod error;
mod filter;
mod history;
mod index;
mod objects;
mod packs;
mod program;
mod range;
mod refs;
mod repo;
#[cfg(test)]
mod samples;
mod shallow;
mod tree;
mod write;

pub use error::GitError;
pub use gix::ObjectId;
pub use history::{Brought, Commit, Newcomer};
pub use index::{Index, tracked};
pub use range::{Head, Range};
pub use repo::Repo;
pub use tree::{Change, File};
pub use write::{Entry, InPlaintext};
