//! Writes changes down: into the work tree, and into the index where they were staged.
//!
//! Every new file is written whole beside the old one, and renamed over it. Temporary files hold
//! ciphertext or configuration, never a secret. Where there is a repository, a journal says what was
//! begun (`journal`), so that one run after a crash finishes or undoes it.
#![expect(clippy::disallowed_methods, reason = "this is where files are written")]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::journal::{Journal, Step};
use super::{Bytes, Change};
use crate::git::{Entry, GitError, ObjectId, Repo};
use crate::host::Host;
use crate::path::RepoPath;

/// Files that are written at once: threads that wait for the disk, which takes many in one go.
const WRITERS: usize = 64;

/// What temporary files begin with.
const PREFIX: &str = ".sops-lint-";

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// Another run is at it.
    #[error("another sops-lint fix is running in this repository")]
    Busy,
    /// A file is not what was read.
    #[error("{0} changed while it was encrypted; nothing was written")]
    Changed(RepoPath),
    /// A file is a link or behind one, a directory, or has no write permission.
    #[error("{0} is read-only, behind a link, or no regular file; nothing was written")]
    ReadOnly(RepoPath),
    /// The work tree has something else than the index.
    #[error(
        "{0} is staged in part: the work tree has something else than the index; nothing was written"
    )]
    PartlyStaged(RepoPath),
    /// `git commit PATH`.
    #[error(
        "git commit was given paths, and commits from an index of its own; nothing was written"
    )]
    PartialCommit,
    /// Something could not be written.
    #[error("cannot write {}; nothing was changed", .path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Some files were replaced before one could not be.
    #[error("cannot replace {path}, while {done} other files were; run it again")]
    Halfway {
        /// The first that was not.
        path: RepoPath,
        /// How many were.
        done: usize,
        /// What the operating system says.
        source: io::Error,
    },
    /// Git could not write.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl StageError {
    /// The next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Busy => "wait for it to end",
            Self::Changed(_) => "run it again",
            Self::ReadOnly(_) => "make it a file that may be written to: chmod u+w",
            Self::PartlyStaged(_) => {
                "stage all of it with `git add`, or run `sops-lint fix` on it and `git add` that, then try again"
            }
            Self::PartialCommit => {
                "run `sops-lint fix` on the files and `git add` them, then commit again without naming paths"
            }
            Self::Io { .. } => "check permissions and free space of that directory",
            Self::Halfway { .. } => "check the permissions of that file",
            Self::Git(error) => error.help(),
        }
    }
}

/// What an earlier fix had left undone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Files that were replaced now.
    pub finished: Vec<RepoPath>,
}

/// The right to write into a work tree, which one run has at a time.
pub struct Stage<'s> {
    root: &'s Path,
    repo: Option<&'s Repo>,
    journal: Option<Journal>,
}

impl<'s> Stage<'s> {
    /// Waits for nobody: another run is an error. Finishes what an earlier one had begun.
    pub fn open(root: &'s Path, repo: Option<&'s Repo>) -> Result<(Self, Recovered), StageError> {
        let journal = match repo.map(Repo::directory) {
            None => None,
            Some(directory) => {
                let opened = Journal::open(&directory);
                let opened = opened.map_err(|source| StageError::Io { path: directory, source })?;
                Some(opened.ok_or(StageError::Busy)?)
            }
        };
        let mut stage = Self { root, repo, journal };
        let recovered = stage.recover()?;
        Ok((stage, recovered))
    }

    /// Replaces files of the work tree.
    pub fn write(&mut self, changes: &[Change]) -> Result<(), StageError> {
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes {
            self.check(&change.path, &change.old)?;
        }
        let files = changes.iter().map(|change| self.waiting(&change.path, &change.old, None));
        let files: Vec<Waiting> = files.collect();
        let contents: Vec<&Bytes> = changes.iter().map(|change| &change.new).collect();
        self.begin(&files, &contents)?;
        self.replace(&files)
    }

    /// Replaces staged files in the index, and in the work tree, which has to have the same.
    pub fn write_staged(&mut self, changes: &[Change]) -> Result<(), StageError> {
        if changes.is_empty() {
            return Ok(());
        }
        let repo = self.repo.expect("what is staged is staged in a repository");
        if repo.has_partial_index() {
            return Err(StageError::PartialCommit);
        }
        let mut files = Vec::new();
        let mut entries = Vec::new();
        let index = repo.index()?;
        for change in changes {
            let staged = repo.blob_of(&change.old.0);
            let found = index.entry(change.path.as_str());
            let entry = found.filter(|entry| entry.blob == staged);
            let entry = entry.ok_or_else(|| StageError::Changed(change.path.clone()))?;
            let on_disk = self.read(&change.path)?;
            if on_disk != change.old && repo.blob_at(&change.path) != Some(staged) {
                return Err(StageError::PartlyStaged(change.path.clone()));
            }
            self.check(&change.path, &on_disk)?;
            let blob = repo.blob_of(&change.new.0);
            files.push(self.waiting(&change.path, &on_disk, Some(blob)));
            entries.push(Entry { blob, ..entry });
        }
        let contents: Vec<&Bytes> = changes.iter().map(|change| &change.new).collect();
        self.begin(&files, &contents)?;
        let staged = self.store(&files, changes).and_then(|()| Ok(repo.stage(&entries)?));
        if let Err(error) = staged {
            self.undo(&files);
            return Err(error);
        }
        self.replace(&files)
    }

    /// Gives a file another name, which nothing has.
    pub fn rename(&mut self, from: &RepoPath, to: &RepoPath) -> Result<(), StageError> {
        let (old, new) = (from.in_root(self.root), to.in_root(self.root));
        // A second name never replaces a file, as renaming would.
        let linked = fs::hard_link(&old, &new).and_then(|()| fs::remove_file(&old));
        linked.map_err(|source| StageError::Io { path: new, source })
    }

    /// Adds a line to a file, which need not be there.
    pub fn add_line(&mut self, path: &RepoPath, line: &str) -> Result<(), StageError> {
        let place = path.in_root(self.root);
        let old = match fs::read(&place) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = format!("{line}\n");
                let made = OpenOptions::new().write(true).create_new(true).open(&place);
                let written = made.and_then(|mut file| file.write_all(text.as_bytes()));
                return written.map_err(|source| StageError::Io { path: place, source });
            }
            Err(source) => return Err(StageError::Io { path: place, source }),
        };
        let mut new = old.clone();
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend(line.bytes());
        new.push(b'\n');
        self.write(&[Change {
            path: path.clone(),
            old: Bytes(old),
            new: Bytes(new),
            edits: Vec::new(),
            done: String::new(),
            was_plaintext: false,
        }])
    }

    fn read(&self, path: &RepoPath) -> Result<Bytes, StageError> {
        let place = path.in_root(self.root);
        match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(StageError::ReadOnly(path.clone())),
            // A file that is staged and gone from the work tree.
            Err(_) => return Err(StageError::PartlyStaged(path.clone())),
        }
        fs::read(&place).map(Bytes).map_err(|source| StageError::Io { path: place, source })
    }

    /// Whether a file may be replaced, and is what was read.
    fn check(&self, path: &RepoPath, old: &Bytes) -> Result<(), StageError> {
        let place = path.in_root(self.root);
        let metadata = fs::symlink_metadata(&place);
        let is_writable =
            metadata.is_ok_and(|metadata| metadata.is_file() && !metadata.permissions().readonly());
        // A directory on the way may have become a link that leads anywhere.
        let real = self.root.canonicalize().map(|root| path.in_root(&root)).ok();
        let is_writable = is_writable && place.canonicalize().ok() == real;
        // A name that is not UTF-8 would be another one here.
        if !is_writable || path.as_str().contains(char::REPLACEMENT_CHARACTER) {
            return Err(StageError::ReadOnly(path.clone()));
        }
        if self.read(path)? == *old { Ok(()) } else { Err(StageError::Changed(path.clone())) }
    }

    fn waiting(&self, path: &RepoPath, old: &Bytes, staged: Option<ObjectId>) -> Waiting {
        let mut random = [0; 8];
        Host::random(&mut random);
        let name = format!("{PREFIX}{:016x}", u64::from_ne_bytes(random));
        let temporary = path.parent().join(&name);
        Waiting {
            path: path.clone(),
            place: path.in_root(self.root),
            temporary,
            old: old.clone(),
            staged,
        }
    }

    /// Writes the journal and all new files beside the old ones. All or none.
    fn begin(&mut self, files: &[Waiting], contents: &[&Bytes]) -> Result<(), StageError> {
        if let Some(journal) = &mut self.journal {
            let repo = self.repo.expect("a journal stands in a repository");
            let steps: Vec<Step> = files.iter().map(|file| file.step(repo)).collect();
            let path = repo.directory();
            journal.write(&steps).map_err(|source| StageError::Io { path, source })?;
        }
        let root = self.root;
        let write = || {
            files.par_iter().zip(contents).try_for_each(|(file, new)| {
                let temporary = file.temporary.in_root(root);
                write_beside(&temporary, &file.place, &new.0)
                    .map_err(|source| StageError::Io { path: temporary, source })
            })
        };
        let written = match rayon::ThreadPoolBuilder::new().num_threads(WRITERS).build() {
            Ok(pool) => pool.install(write),
            Err(_) => write(),
        };
        if written.is_err() {
            self.undo(files);
        }
        written
    }

    /// Stores the new files as blobs, and lets those in the work tree be what git would check out.
    fn store(&self, files: &[Waiting], changes: &[Change]) -> Result<(), StageError> {
        let repo = self.repo.expect("what is staged is staged in a repository");
        let temporary = files.iter().map(|file| file.temporary.in_root(self.root));
        repo.store(&temporary.collect::<Vec<_>>())?;
        for (file, change) in files.iter().zip(changes) {
            if file.old == change.old {
                continue;
            }
            let blob = file.staged.unwrap_or_else(|| repo.blob_of(&change.new.0));
            let filtered = repo.filtered(&file.path, blob);
            let filtered = filtered.ok_or_else(|| StageError::PartlyStaged(file.path.clone()))?;
            let temporary = file.temporary.in_root(self.root);
            let written = fs::remove_file(&temporary)
                .and_then(|()| write_beside(&temporary, &file.place, &filtered));
            written.map_err(|source| StageError::Io { path: temporary, source })?;
        }
        Ok(())
    }

    /// Renames the new files over the old ones, each compared once more.
    fn replace(&mut self, files: &[Waiting]) -> Result<(), StageError> {
        for (done, file) in files.iter().enumerate() {
            let temporary = file.temporary.in_root(self.root);
            let replaced = match fs::read(&file.place) {
                Ok(bytes) if bytes == file.old.0 => fs::rename(&temporary, &file.place),
                Ok(_) => Err(io::Error::other("it changed at this moment")),
                Err(error) => Err(error),
            };
            if let Err(source) = replaced {
                let path = file.path.clone();
                sync_directories(files);
                // Where the index has the new files, the next run brings the others after it.
                if file.staged.is_none() {
                    self.undo(&files[done..]);
                }
                return Err(StageError::Halfway { path, done, source });
            }
        }
        sync_directories(files);
        self.finish();
        Ok(())
    }

    fn undo(&mut self, files: &[Waiting]) {
        for file in files {
            let _ = fs::remove_file(file.temporary.in_root(self.root));
        }
        self.finish();
    }

    fn finish(&mut self) {
        if let Some(journal) = &mut self.journal {
            // What it says is done: to read it again does nothing.
            let _ = journal.write(&[]);
        }
    }

    /// Where the index has the new file, the work tree gets it too; where it has not, nothing happened.
    fn recover(&mut self) -> Result<Recovered, StageError> {
        let mut recovered = Recovered::default();
        let Some((journal, repo)) = self.journal.as_mut().zip(self.repo) else {
            return Ok(recovered);
        };
        let steps = std::mem::take(&mut journal.unfinished);
        if steps.is_empty() {
            return Ok(recovered);
        }
        let index = repo.index()?;
        for step in steps {
            let inside = |path: &str| RepoPath::new(Path::new(path));
            let Some((path, temporary)) = inside(&step.path).zip(inside(&step.temporary)) else {
                continue;
            };
            if !temporary.file_name().starts_with(PREFIX) {
                continue;
            }
            let (place, temporary) = (path.in_root(self.root), temporary.in_root(self.root));
            let is_staged = step.staged.is_some_and(|blob| {
                is_blob(index.entry(&step.path).map(|entry| entry.blob), &blob)
            });
            let present = fs::read(&place).ok().map(|bytes| repo.blob_of(&bytes));
            let is_old = is_blob(present, &step.old);
            if is_staged && is_old && fs::rename(&temporary, &place).is_ok() {
                recovered.finished.push(path);
            } else {
                let _ = fs::remove_file(&temporary);
            }
        }
        self.finish();
        Ok(recovered)
    }
}

fn is_blob(found: Option<ObjectId>, wanted: &str) -> bool {
    found.is_some() && found == ObjectId::from_hex(wanted.as_bytes()).ok()
}

/// A file that is about to be replaced.
struct Waiting {
    path: RepoPath,
    place: PathBuf,
    temporary: RepoPath,
    old: Bytes,
    staged: Option<ObjectId>,
}

impl Waiting {
    fn step(&self, repo: &Repo) -> Step {
        Step {
            path: self.path.as_str().to_owned(),
            temporary: self.temporary.as_str().to_owned(),
            old: repo.blob_of(&self.old.0).to_string(),
            staged: self.staged.map(|blob| blob.to_string()),
        }
    }
}

/// Writes a new file with the permissions of another, down to the disk.
fn write_beside(temporary: &Path, model: &Path, bytes: &[u8]) -> io::Result<()> {
    let permissions: Permissions = fs::metadata(model)?.permissions();
    let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    file.set_permissions(permissions)?;
    keep_owner(&file, model);
    file.write_all(bytes)?;
    file.sync_all()
}

/// Root may fix the files of others.
#[cfg(unix)]
fn keep_owner(file: &File, model: &Path) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if let (Ok(old), Ok(new)) = (fs::metadata(model), file.metadata())
        && (old.uid(), old.gid()) != (new.uid(), new.gid())
    {
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _model: &Path) {}

/// A rename is on disk when its directory is.
fn sync_directories(files: &[Waiting]) {
    let directories: BTreeSet<&Path> =
        files.iter().filter_map(|file| file.place.parent()).collect();
    for directory in directories {
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
}
