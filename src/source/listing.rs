//! The files of a run, and which of them findings are reported in.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::finding::Finding;
use crate::git::ObjectId;
use crate::path::{RepoPath, Shard};
use crate::pattern::globs::Globs;
use crate::policy::CONFIG_NAME;

/// The files of a run.
#[derive(Debug, Default)]
pub struct Listing {
    /// Regular files, sorted by path.
    pub files: Vec<Listed>,
    /// Directories that may hold a `.sops.yaml` for one of the files; `""` is the root.
    pub config_directories: Vec<String>,
    /// Whether all files below each listed directory are listed: no file was named by itself.
    pub is_whole: bool,
    /// Whether findings are reported in some of the files alone.
    pub is_partial: bool,
    /// In which part of the files findings are reported; all are looked at for what they say of others.
    pub shard: Option<Shard>,
    /// What could not be looked at, in words.
    pub errors: Vec<String>,
    /// What people should know about what was looked at.
    pub notes: Vec<String>,
}

/// One file to read.
#[derive(Debug)]
pub struct Listed {
    /// Where it stands in the repository.
    pub path: RepoPath,
    /// Whether it is there for what it says of others: nothing is reported in it.
    pub is_context: bool,
    pub(super) place: Place,
}

/// Where the bytes of a file are.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// On disk, at its path.
    Path,
    /// On disk, under a name that is not UTF-8.
    Raw(PathBuf),
    /// In git.
    Blob(ObjectId),
}

impl Listing {
    /// Leaves out what is not to be read.
    pub fn exclude(&mut self, excluded: &Globs) {
        if excluded.is_empty() {
            return;
        }
        self.files.retain(|file| !excluded.covers(file.path.as_str()));
        self.config_directories.retain(|directory| {
            !excluded.covers(RepoPath::from(&**directory).join(CONFIG_NAME).as_str())
        });
    }

    /// Whether findings at this path are reported.
    pub fn reports(&self, path: &RepoPath) -> bool {
        if self.shard.is_some_and(|shard| !shard.holds(path)) {
            return false;
        }
        if !self.is_partial {
            return true;
        }
        let at = self.files.binary_search_by(|file| file.path.cmp(path));
        at.is_ok_and(|at| !self.files[at].is_context)
    }

    /// Whether a finding is reported: in a file that changed, or because of one.
    pub fn reports_finding(&self, finding: &Finding) -> bool {
        let path = &finding.place.path;
        let is_of_shard = self.shard.is_none_or(|shard| shard.holds(path));
        let has_changed = |path: &RepoPath| {
            let at = self.files.binary_search_by(|file| file.path.cmp(path));
            at.is_ok_and(|at| !self.files[at].is_context)
        };
        let related = finding.related.iter().map(|label| &label.place.path);
        let mut others = related.chain(&finding.about);
        is_of_shard && (!self.is_partial || has_changed(path) || others.any(has_changed))
    }

    /// How many files are judged for their own sake.
    pub fn reported(&self) -> usize {
        let is_elsewhere =
            |file: &&Listed| self.shard.is_some_and(|shard| !shard.holds(&file.path));
        self.files.iter().filter(|file| !file.is_context && !is_elsewhere(file)).count()
    }
}

/// Every directory that holds one of the files, and all above them.
pub(super) fn directories_of<'f>(files: impl Iterator<Item = &'f RepoPath>) -> HashSet<&'f str> {
    let mut directories: HashSet<&str> = HashSet::new();
    for path in files {
        // What one directory has above it, its next file has too.
        let _ = path.ancestors().find(|directory| !directories.insert(directory));
    }
    directories
}
