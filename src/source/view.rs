//! Which state of the files is looked at.

use std::path::PathBuf;

use crate::input::Content;

/// Which state of the files is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// What stands on disk.
    #[default]
    WorkTree,
    /// What the next commit changes.
    Staged,
    /// These files, as they stand in the index, whether the next commit changes them or not.
    Index(Vec<PathBuf>),
    /// One file, as if it stood at this path of the work tree.
    Stdin(PathBuf, Content),
    /// No file at all.
    Nothing,
    /// A commit.
    Commit(String),
    /// What a branch changes: `BASE`, or `BASE..HEAD`.
    Diff(String),
    /// All that commits brought; those of a range, or of all branches and tags.
    History(Option<String>),
}
