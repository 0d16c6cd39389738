//! Where the bytes come from. Decided here and forgotten afterwards.

mod snapshot;
pub mod worktree;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

pub use snapshot::Snapshot;
pub use worktree::WorkTree;

use crate::finding::Finding;
use crate::git::{GitError, ObjectId};
use crate::input::{Content, Input};
use crate::path::{RepoPath, Shard};
use crate::pattern::globs::Globs;
use crate::policy::CONFIG_NAME;

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

/// Where files, configs and settings come from: one state for all of them.
#[derive(Debug)]
pub enum Source {
    /// The disk.
    WorkTree(WorkTree),
    /// The index or a commit.
    Snapshot(Box<Snapshot>),
}

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
    place: Place,
}

/// Where the bytes of a file are.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
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

impl Source {
    /// The state that was asked for, of the repository that holds the first of the paths or the
    /// current directory. History is no state; it is read by
    /// [`crate::git::Repo::brought`].
    pub fn open(view: &View, directory: &Path, paths: &[PathBuf]) -> Result<Self, SourceError> {
        let start = paths.first().map(|path| directory.join(path));
        let start = start.as_deref().and_then(worktree::directory_of).unwrap_or(directory);
        let snapshot = match view {
            View::WorkTree => return WorkTree::discover(directory, paths).map(Self::WorkTree),
            View::Stdin(path, content) => {
                return WorkTree::around(directory, path, content.clone()).map(Self::WorkTree);
            }
            View::Nothing => return WorkTree::empty(directory).map(Self::WorkTree),
            View::Staged => Snapshot::staged(start)?,
            View::Index(files) => Snapshot::indexed(start, directory, files)?,
            View::Commit(name) => Snapshot::commit(start, name)?,
            View::Diff(range) => Snapshot::diff(start, range)?,
            View::History(range) => Snapshot::history(start, range.as_deref())?,
        };
        Ok(Self::Snapshot(Box::new(snapshot)))
    }

    /// All files at or below the paths, or all of them without any.
    pub fn list(
        &self,
        directory: &Path,
        paths: &[PathBuf],
        threads: usize,
    ) -> Result<Listing, SourceError> {
        match self {
            Self::WorkTree(tree) => tree.list(directory, paths, threads),
            Self::Snapshot(snapshot) => snapshot.list(directory, paths),
        }
    }

    /// Reads one file.
    pub fn read(&self, file: &Listed) -> io::Result<Input> {
        match self {
            Self::WorkTree(tree) => tree.read(file),
            Self::Snapshot(snapshot) => snapshot.read(file),
        }
    }

    /// The bytes of a config, if there is one.
    pub fn read_config(&self, path: &RepoPath) -> Option<Vec<u8>> {
        match self {
            Self::WorkTree(tree) => tree.read_config(path),
            Self::Snapshot(snapshot) => snapshot.bytes(path)?.ok(),
        }
    }

    /// The bytes of the settings, which stand at the root.
    pub fn read_settings(&self, path: &RepoPath) -> io::Result<Vec<u8>> {
        match self {
            Self::WorkTree(tree) => tree.read_settings(path),
            Self::Snapshot(snapshot) => {
                snapshot.bytes(path).unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))
            }
        }
    }

    /// Whether a file of this name stands in the state that is judged.
    pub fn exists(&self, path: &RepoPath) -> bool {
        match self {
            Self::WorkTree(tree) => tree.exists(path),
            Self::Snapshot(snapshot) => snapshot.exists(path),
        }
    }

    /// Whether a change is judged, and it is known what stood there before.
    pub fn has_before(&self) -> bool {
        matches!(self, Self::Snapshot(snapshot) if snapshot.before.is_some())
    }

    /// What stood at a path before the change that is judged, if it was something else.
    pub fn before(&self, path: &RepoPath) -> Option<Input> {
        match self {
            Self::WorkTree(_) => None,
            Self::Snapshot(snapshot) => snapshot.earlier(path),
        }
    }

    /// The directory that paths are relative to.
    pub fn root(&self) -> &Path {
        match self {
            Self::WorkTree(tree) => &tree.root,
            Self::Snapshot(snapshot) => &snapshot.root,
        }
    }
}

/// Every directory that holds one of the files, and all above them.
fn directories_of<'f>(files: impl Iterator<Item = &'f RepoPath>) -> HashSet<&'f str> {
    let mut directories: HashSet<&str> = HashSet::new();
    for path in files {
        // What one directory has above it, its next file has too.
        let _ = path.ancestors().find(|directory| !directories.insert(directory));
    }
    directories
}

/// Why files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path on the command line is not there.
    #[error("{} does not exist", .0.display())]
    NotFound(PathBuf),
    /// A path on the command line lies in another tree than the others.
    #[error("{} lies outside of {}", .path.display(), .root.display())]
    OutsideRoot {
        /// The path.
        path: PathBuf,
        /// The tree of the first path.
        root: PathBuf,
    },
    /// A directory in place of a file.
    #[error("{} is a directory", .0.display())]
    IsDirectory(PathBuf),
    /// A path cannot be looked at.
    #[error("cannot look at {}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A path is not in the state that is looked at.
    #[error("{} is not in {state}", .path.display())]
    NotInState {
        /// The path.
        path: PathBuf,
        /// The state, in words.
        state: String,
    },
    /// Git could not be asked.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl SourceError {
    /// The next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "check the spelling; paths are relative to the current directory",
            Self::IsDirectory(_) => "name the file that standard input stands for",
            Self::OutsideRoot { .. } => "run sops-lint once for each repository",
            Self::Io { .. } => "check the permissions",
            Self::NotInState { .. } => "check the spelling; `git ls-files` shows what git has",
            Self::Git(error) => error.help(),
        }
    }
}
