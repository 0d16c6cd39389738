//! One state of the files: the source of files, configs and settings.

use std::io;
use std::path::{Path, PathBuf};

use super::error::SourceError;
use super::listing::{Listed, Listing};
use super::overlay::Overlay;
use super::snapshot::Snapshot;
use super::view::View;
use super::worktree::{WorkTree, directory_of};
use crate::input::{Content, Input};
use crate::path::RepoPath;
use crate::tree::{Before, Tree};

/// The state that is looked at.
#[derive(Debug)]
pub enum Source {
    /// The disk.
    WorkTree(WorkTree),
    /// The disk, without any file to look at.
    Nothing(WorkTree),
    /// The disk under one buffer.
    Overlay(Overlay),
    /// The index or a commit.
    Snapshot(Box<Snapshot>),
}

impl Source {
    /// Opens the state that was asked for, of the repository that holds the first of the paths or the
    /// current directory. History is not a state: [`crate::git::Repo::brought`] reads it.
    pub fn open(view: &View, directory: &Path, paths: &[PathBuf]) -> Result<Self, SourceError> {
        let start = paths.first().map(|path| directory.join(path));
        let start = start.as_deref().and_then(directory_of).unwrap_or(directory);
        let snapshot = match view {
            View::WorkTree => return WorkTree::open(directory, paths).map(Self::WorkTree),
            View::Nothing => return WorkTree::discover(directory, &[]).map(Self::Nothing),
            View::Stdin(path, content) => {
                return Overlay::new(directory, path, content.clone()).map(Self::Overlay);
            }
            View::Staged => Snapshot::staged(start)?,
            View::Index(files) => Snapshot::indexed(start, directory, files)?,
            View::Commit(name) => Snapshot::commit(start, name)?,
            View::Diff(range) => Snapshot::diff(start, range)?,
            View::History(range) => Snapshot::history(start, range.as_deref())?,
        };
        Ok(Self::Snapshot(Box::new(snapshot)))
    }

    /// Lists all files at or below the paths; all files of the state if there are no paths.
    pub fn list(
        &self,
        directory: &Path,
        paths: &[PathBuf],
        threads: usize,
    ) -> Result<Listing, SourceError> {
        match self {
            Self::WorkTree(tree) => tree.list(directory, paths, threads),
            Self::Nothing(_) => {
                let notes = vec!["the list names no file".to_owned()];
                Ok(Listing { notes, ..Listing::default() })
            }
            Self::Overlay(overlay) => Ok(overlay.list()),
            Self::Snapshot(snapshot) => snapshot.list(directory, paths),
        }
    }

    /// Reads one of the listed files.
    pub fn read_listed(&self, file: &Listed) -> io::Result<Input> {
        match self {
            Self::WorkTree(tree) | Self::Nothing(tree) => tree.read_listed(file),
            Self::Overlay(overlay) => {
                Ok(Input { path: file.path.clone(), content: overlay.read(&file.path)? })
            }
            Self::Snapshot(snapshot) => snapshot.read_listed(file),
        }
    }

    /// Reads settings.
    pub fn read_settings(&self, path: &RepoPath) -> io::Result<Vec<u8>> {
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "it is too large");
        self.read(path)?.into_bytes().ok_or_else(too_large)
    }

    /// Returns the state before the change that is judged, if that changes the settings of the tree.
    pub fn before_settings(&self) -> Option<Self> {
        match self {
            Self::Snapshot(snapshot) => {
                snapshot.before_settings().map(Box::new).map(Self::Snapshot)
            }
            _ => None,
        }
    }

    /// Returns the path that a file had before the change that is judged, if that renames it.
    pub fn renamed_from(&self, path: &RepoPath) -> Option<RepoPath> {
        let Self::Snapshot(snapshot) = self else { return None };
        snapshot.renamed_from(path).map(|old| old.path.clone())
    }

    /// Returns the directory that paths are relative to.
    pub fn root(&self) -> &Path {
        match self {
            Self::WorkTree(tree) | Self::Nothing(tree) => &tree.root,
            Self::Overlay(overlay) => &overlay.under.root,
            Self::Snapshot(snapshot) => &snapshot.root,
        }
    }

    fn tree(&self) -> &dyn Tree {
        match self {
            Self::WorkTree(tree) | Self::Nothing(tree) => tree,
            Self::Overlay(overlay) => overlay,
            Self::Snapshot(snapshot) => &**snapshot,
        }
    }
}

impl Tree for Source {
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        self.tree().read(path)
    }

    fn exists(&self, path: &RepoPath) -> bool {
        self.tree().exists(path)
    }

    fn same_key(&self, path: &RepoPath) -> Vec<Input> {
        self.tree().same_key(path)
    }

    fn before(&self, path: &RepoPath) -> Before {
        self.tree().before(path)
    }
}
