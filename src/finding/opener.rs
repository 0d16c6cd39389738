//! A private key that may open files of the tree.

use crate::shell::Advice;

/// A private key that a finding is about.
#[derive(Clone, Debug)]
pub struct Opener {
    /// The recipients that it belongs to, in their canonical form. They are public.
    pub recipients: Vec<String>,
    /// True if another rule reports the key: the finding only counts if the key opens files.
    pub is_reported: bool,
    /// The next step if the key opens files.
    pub help: Advice,
}
