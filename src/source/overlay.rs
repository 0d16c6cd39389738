//! One buffer over a work tree: a file that comes from standard input instead of the disk.
#![expect(clippy::disallowed_methods, reason = "paths that were typed are looked up on disk")]

use std::io;
use std::path::Path;

use super::error::SourceError;
use super::listing::{Listed, Listing, Place};
use super::path::normal;
use super::worktree::WorkTree;
use crate::input::Content;
use crate::path::RepoPath;
use crate::tree::Tree;

/// A work tree in which one file has another content.
#[derive(Debug)]
pub struct Overlay {
    pub(super) under: WorkTree,
    path: RepoPath,
    content: Content,
}

impl Overlay {
    /// Puts a buffer over the tree around `path`. The file need not exist.
    pub(super) fn new(
        directory: &Path,
        path: &Path,
        content: Content,
    ) -> Result<Self, SourceError> {
        let outside = |root: &Path| SourceError::OutsideRoot {
            path: path.to_path_buf(),
            root: root.to_path_buf(),
        };
        let full = normal(&directory.join(path)).ok_or_else(|| outside(directory))?;
        if full.is_dir() {
            return Err(SourceError::IsDirectory(path.to_path_buf()));
        }
        let place = full.ancestors().skip(1).find(|place| place.is_dir()).unwrap_or(directory);
        let under = WorkTree::discover(directory, &[place.to_path_buf()])?;
        let inside = full.strip_prefix(&under.root).ok().and_then(RepoPath::new);
        let path = inside.ok_or_else(|| outside(&under.root))?;
        Ok(Self { under, path, content })
    }

    /// Lists the buffer alone.
    pub(super) fn list(&self) -> Listing {
        Listing {
            config_directories: self.path.ancestors().map(str::to_owned).collect(),
            files: vec![Listed { path: self.path.clone(), is_context: false, place: Place::Path }],
            ..Listing::default()
        }
    }
}

impl Tree for Overlay {
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        if *path == self.path { Ok(self.content.clone()) } else { self.under.read(path) }
    }

    fn exists(&self, path: &RepoPath) -> bool {
        *path == self.path || self.under.exists(path)
    }
}
