//! The files of one run.

use std::collections::HashSet;
use std::io;

use super::listing::{Listed, Listing};
use super::state::Source;
use crate::input::{Content, Input};
use crate::path::RepoPath;
use crate::traces;
use crate::tree::{Before, Tree};

/// A state of the files, and the list of those that are examined.
pub struct Files<'s> {
    /// The source of the bytes.
    pub source: &'s Source,
    /// The files that are examined.
    pub listing: Listing,
    /// Files after which an encrypted one is named: `x.yaml` for `x.enc.yaml`.
    twins: HashSet<RepoPath>,
}

impl<'s> Files<'s> {
    /// Puts both together.
    pub fn new(source: &'s Source, listing: Listing) -> Self {
        let files = listing.files.iter();
        let twins = files.filter_map(|file| traces::plain_name(&file.path)).collect();
        Self { source, listing, twins }
    }

    /// Reads one of the files.
    pub fn read_listed(&self, file: &Listed) -> io::Result<Input> {
        self.source.read_listed(file)
    }

    /// Reads the file at a path, if it is one of these.
    pub fn input(&self, path: &RepoPath) -> Option<Input> {
        let files = &self.listing.files;
        let at = files.binary_search_by(|file| file.path.cmp(path)).ok()?;
        self.read_listed(&files[at]).ok()
    }
}

impl Tree for Files<'_> {
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        self.source.read(path)
    }

    fn exists(&self, path: &RepoPath) -> bool {
        self.source.exists(path)
    }

    fn has_encrypted_twin(&self, path: &RepoPath) -> bool {
        self.twins.contains(path)
    }

    fn same_key(&self, path: &RepoPath) -> Vec<Input> {
        self.source.same_key(path)
    }

    fn before(&self, path: &RepoPath) -> Before {
        self.source.before(path)
    }
}
