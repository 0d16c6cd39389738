//! The paths and blobs of an index or a commit.

use crate::git::{File, Index, ObjectId};

/// The blobs of a state, by path.
#[derive(Debug)]
pub(super) enum Blobs {
    /// Those of the index.
    Index(Box<Index>),
    /// Those of a commit, sorted by path.
    Commit(Vec<File>),
}

impl Blobs {
    /// Returns the blob of the file at a path.
    pub(super) fn blob(&self, path: &str) -> Option<ObjectId> {
        match self {
            Self::Index(index) => index.blob(path),
            Self::Commit(files) => {
                let at = files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
                Some(files[at].blob)
            }
        }
    }

    /// Reports whether there is a file or a directory at a path.
    pub(super) fn holds(&self, path: &str) -> bool {
        match self {
            Self::Index(index) => index.holds(path),
            Self::Commit(_) => self.below(path).next().is_some() || self.blob(path).is_some(),
        }
    }

    /// Lists the files below a directory, in order; `""` is the root.
    pub(super) fn below(&self, directory: &str) -> Box<dyn Iterator<Item = File> + '_> {
        match self {
            Self::Index(index) => Box::new(index.below(directory)),
            Self::Commit(files) => {
                let prefix =
                    if directory.is_empty() { String::new() } else { format!("{directory}/") };
                let start = files.partition_point(|file| file.path.as_str() < &*prefix);
                let files = files[start..].iter();
                Box::new(
                    files.take_while(move |file| file.path.as_str().starts_with(&prefix)).cloned(),
                )
            }
        }
    }
}
