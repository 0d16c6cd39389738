//! The state of the files that is judged.

use std::path::PathBuf;

use crate::input::Content;

/// The state of the files that is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The files on disk.
    #[default]
    WorkTree,
    /// The files in the index that the next commit changes.
    Staged,
    /// These files in the index, whether the next commit changes them or not.
    Index(Vec<PathBuf>),
    /// One file with this content at this path of the work tree.
    Stdin(PathBuf, Content),
    /// No file.
    Nothing,
    /// A commit.
    Commit(String),
    /// The files that a branch changes: `BASE`, or `BASE..HEAD`.
    Diff(String),
    /// Every file that commits added or changed: those of a range, or of all branches and tags.
    History(Option<String>),
}
