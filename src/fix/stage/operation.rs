//! Operations that a transaction is asked to write.

use crate::fix::change::Change;
use crate::path::RepoPath;

/// One part of a transaction.
#[derive(Clone, Debug)]
pub enum Operation<'o> {
    /// Replaces a file of the work tree.
    Replace(&'o Change),
    /// Replaces a file in the index, and in the work tree, which must have the same content.
    Stage(&'o Change),
    /// Renames a file. The new name must be free.
    Rename {
        /// The file.
        from: &'o RepoPath,
        /// Its new name.
        to: &'o RepoPath,
    },
    /// Appends lines to a file, which is created if there is none.
    Append {
        /// The file.
        path: RepoPath,
        /// The lines, without their ends.
        lines: Vec<String>,
    },
}

impl Operation<'_> {
    /// Returns the file that is written: the new name, if it is renamed.
    pub fn target(&self) -> &RepoPath {
        match self {
            Self::Replace(change) | Self::Stage(change) => &change.path,
            Self::Rename { to, .. } => to,
            Self::Append { path, .. } => path,
        }
    }
}
