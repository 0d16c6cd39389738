//! The listed files of a run, and those in which findings are reported.

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
    /// Directories whose `.sops.yaml`, if there is one, may govern one of the files; `""` is the root.
    pub config_directories: Vec<String>,
    /// True if everything below each given directory is listed; false if single files were named.
    pub is_whole: bool,
    /// True if findings are reported only in the files that are not context.
    pub is_partial: bool,
    /// The part of the files in which findings are reported. All files are judged, because findings in
    /// one may depend on others.
    pub shard: Option<Shard>,
    /// Paths that could not be read, one sentence each.
    pub errors: Vec<String>,
    /// Remarks about the listing that may help the user.
    pub notes: Vec<String>,
}

/// A file to judge.
#[derive(Debug)]
pub struct Listed {
    /// The path in the repository.
    pub path: RepoPath,
    /// True if the file is judged only because findings in others depend on it.
    pub is_context: bool,
    pub(super) place: Place,
}

/// The location of a file's bytes.
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
    /// Removes excluded files, and configs in excluded places.
    pub fn exclude(&mut self, excluded: &Globs) {
        if excluded.is_empty() {
            return;
        }
        self.files.retain(|file| !excluded.covers(file.path.as_str()));
        self.config_directories.retain(|directory| {
            !excluded.covers(RepoPath::from(&**directory).join(CONFIG_NAME).as_str())
        });
    }

    /// Reports whether findings at this path are reported.
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

    /// Reports whether a finding is reported: in a file that changed, or because of one.
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

    /// Returns the number of files in which findings are reported.
    pub fn reported(&self) -> usize {
        let is_elsewhere =
            |file: &&Listed| self.shard.is_some_and(|shard| !shard.holds(&file.path));
        self.files.iter().filter(|file| !file.is_context && !is_elsewhere(file)).count()
    }
}

/// Returns the directories of the files and all directories above.
pub(super) fn directories_of<'f>(files: impl Iterator<Item = &'f RepoPath>) -> HashSet<&'f str> {
    let mut directories: HashSet<&str> = HashSet::new();
    for path in files {
        // The directories above a known one are known, too.
        let _ = path.ancestors().find(|directory| !directories.insert(directory));
    }
    directories
}
