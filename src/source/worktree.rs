//! The work tree: the files on disk that git does not ignore.
#![expect(clippy::disallowed_methods, reason = "this is where files are read")]

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};

use super::error::SourceError;
use super::listing::{Listed, Listing, Place};
use crate::git;
use crate::input::{Content, Input, MAX_FILE_SIZE};
use crate::path::RepoPath;
use crate::policy::CONFIG_NAME;
use crate::tree::Tree;

/// Maximum directories in which sops searches for its config.
const MAX_STEPS: usize = 100;

/// The reason not to read a pipe or a device.
const NOT_REGULAR: &str = "it is not a regular file";

/// Returns the nearest `.sops.yaml` above the root of a tree, seen from there: sops uses it too.
pub fn config_above(root: &Path) -> Option<String> {
    let above = root.ancestors().skip(1);
    let steps = above.take(MAX_STEPS).position(|place| place.join(CONFIG_NAME).is_file())? + 1;
    Some("../".repeat(steps) + CONFIG_NAME)
}

/// Largest file that says what git ignores, in bytes. Each line takes kilobytes.
const MAX_IGNORES: u64 = 512 * 1024;

/// A tree on disk.
#[derive(Debug)]
pub struct WorkTree {
    /// The directory that paths are relative to: the top of the repository.
    pub root: PathBuf,
    /// True if the root is a repository; otherwise it is the current directory or the given path.
    pub is_repository: bool,
}

impl WorkTree {
    /// Finds the same tree as [`WorkTree::discover`], and rejects the files of git itself.
    pub(super) fn open(directory: &Path, paths: &[PathBuf]) -> Result<Self, SourceError> {
        let tree = Self::discover(directory, paths)?;
        if tree.is_repository {
            return Ok(tree);
        }
        let here = [PathBuf::new()];
        for path in if paths.is_empty() { &here } else { paths } {
            let start = absolute(directory, path)?;
            if let Some(bare) = start.ancestors().find(|place| is_of_git(place)) {
                return Err(SourceError::Bare(bare.to_path_buf()));
            }
        }
        Ok(tree)
    }

    /// Finds the repository around the first path; around the current directory if there is no path.
    pub fn discover(directory: &Path, paths: &[PathBuf]) -> Result<Self, SourceError> {
        let start = match paths.first() {
            None => directory.to_path_buf(),
            Some(path) => absolute(directory, path)?,
        };
        let start_directory =
            if start.is_dir() { &*start } else { start.parent().unwrap_or(&start) };
        if let Some(root) = start_directory.ancestors().find(|place| place.join(".git").exists()) {
            return Ok(Self { root: root.to_path_buf(), is_repository: true });
        }
        let directory = Self::canonical(directory)?;
        let root =
            if start.starts_with(&directory) { directory } else { start_directory.to_path_buf() };
        Ok(Self { root, is_repository: false })
    }

    /// Lists the files at or below the paths (of the whole tree if there are none) that git does not
    /// ignore. Files that are named are listed even if git ignores them. Links are not followed.
    pub fn list(
        &self,
        directory: &Path,
        paths: &[PathBuf],
        threads: usize,
    ) -> Result<Listing, SourceError> {
        let mut starts = Vec::new();
        for path in paths {
            let path = absolute(directory, path)?;
            if !path.starts_with(&self.root) {
                return Err(SourceError::OutsideRoot { path, root: self.root.clone() });
            }
            starts.push(path);
        }
        if starts.is_empty() {
            starts.push(self.root.clone());
        }
        let above = starts.iter().flat_map(|start| start.ancestors());
        let mut inside = above.filter(|above| above.starts_with(&self.root));
        let odd = inside.find_map(|directory| odd_ignores(directory, &IGNORES));
        if let Some((path, reason)) = odd {
            return Err(SourceError::Io { path, source: io::Error::other(reason) });
        }
        let found = Mutex::new(Listing::default());
        let odd = Arc::new(Mutex::new(Vec::new()));
        let (is_repository, left_out) = (self.is_repository, Arc::clone(&odd));
        let mut builder = WalkBuilder::new(&starts[0]);
        for start in &starts[1..] {
            builder.add(start);
        }
        builder.hidden(false).ignore(false).require_git(false).threads(threads).filter_entry(
            move |entry| {
                let is_inside =
                    entry.file_name() != ".git" && !(is_repository && is_another(entry));
                // A walk through a repository enters no other, so only the root has `.git`.
                let ignores = if is_repository { &IGNORES[..1] } else { &IGNORES[..] };
                is_inside && can_be_entered(entry, ignores, &left_out)
            },
        );
        let collector = Collector { root: &self.root, found: &found };
        builder.build_parallel().visit(&mut { collector });
        let mut listing = found.into_inner().unwrap_or_default();
        if let Ok(mut odd) = odd.lock() {
            listing.errors.append(&mut odd);
        }
        // Two names that are not UTF-8 can become the same path.
        let by_place = |one: &Listed, other: &Listed| {
            one.path.cmp(&other.path).then_with(|| one.place.cmp(&other.place))
        };
        listing.files.sort_unstable_by(by_place);
        listing.files.dedup_by(|one, other| by_place(one, other).is_eq());
        listing.errors.sort_unstable();
        self.add_tracked(&mut listing.files, &starts);
        listing.is_whole = starts.iter().all(|start| start.is_dir());
        listing.config_directories = self.config_directories(&listing.files, &starts);
        Ok(listing)
    }

    /// Adds ignored files that git tracks: the next commit includes them.
    fn add_tracked(&self, files: &mut Vec<Listed>, starts: &[PathBuf]) {
        let tracked = if self.is_repository { git::tracked(&self.root) } else { None };
        let wanted: HashSet<RepoPath> = starts
            .iter()
            .filter_map(|start| RepoPath::new(start.strip_prefix(&self.root).ok()?))
            .collect();
        let mut walked = files.iter().map(|file| &file.path).peekable();
        let mut missing = Vec::new();
        // Both are sorted.
        for path in tracked.unwrap_or_default() {
            while walked.next_if(|other| **other < path).is_some() {}
            if walked.peek() == Some(&&path) {
                continue;
            }
            // A hash lookup per directory: the list of paths may be long.
            let is_wanted = || {
                wanted.contains(&path) || path.ancestors().any(|one| wanted.contains(&one.into()))
            };
            if is_wanted() && is_regular(&path.in_root(&self.root)) {
                missing.push(Listed { path, is_context: false, place: Place::Path });
            }
        }
        if !missing.is_empty() {
            files.append(&mut missing);
            files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        }
    }

    /// Returns the directories of listed configs, and every directory at or above a starting point,
    /// where nothing was listed.
    fn config_directories(&self, files: &[Listed], starts: &[PathBuf]) -> Vec<String> {
        let mut directories: Vec<String> = files
            .iter()
            .filter(|file| file.path.file_name() == CONFIG_NAME)
            .map(|file| file.path.parent().as_str().to_owned())
            .collect();
        for start in starts {
            let Some(start) = start.strip_prefix(&self.root).ok().and_then(RepoPath::new) else {
                continue;
            };
            directories.push(start.as_str().to_owned());
            directories.extend(start.ancestors().map(str::to_owned));
        }
        directories.sort_unstable();
        directories.dedup();
        directories
    }

    /// Resolves `.`, `..` and links.
    pub fn canonical(path: &Path) -> Result<PathBuf, SourceError> {
        path.canonicalize().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                SourceError::NotFound(path.to_path_buf())
            }
            _ => SourceError::Io { path: path.to_path_buf(), source },
        })
    }

    /// Reads one of the listed files.
    pub(super) fn read_listed(&self, file: &Listed) -> io::Result<Input> {
        let path = match &file.place {
            Place::Raw(raw) => raw.clone(),
            Place::Path | Place::Blob(_) => file.path.in_root(&self.root),
        };
        Ok(Input { path: file.path.clone(), content: read(&path)? })
    }
}

impl Tree for WorkTree {
    /// A link could lead to any file of the machine, and a pipe would block.
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        let path = path.in_root(&self.root);
        let kind = path.symlink_metadata()?.file_type();
        if kind.is_symlink() {
            return Err(io::Error::other("it is a symbolic link, which is not followed"));
        }
        if !kind.is_file() {
            return Err(io::Error::other(NOT_REGULAR));
        }
        read(&path)
    }

    fn exists(&self, path: &RepoPath) -> bool {
        path.in_root(&self.root).is_file()
    }
}

/// Reports whether a directory is the top of another repository, such as a submodule. Such a directory
/// is listed only if it was named.
fn is_another(entry: &DirEntry) -> bool {
    let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
    entry.depth() > 0 && is_directory && entry.path().join(".git").exists()
}

/// The files that say what git ignores. Every directory can have the first.
const IGNORES: [&str; 2] = [".gitignore", ".git/info/exclude"];

/// Reports whether git keeps a repository in a directory (`setup.c`, `is_git_directory`).
fn is_of_git(directory: &Path) -> bool {
    directory.join("HEAD").is_file()
        && ["objects", "refs"].iter().all(|name| directory.join(name).is_dir())
}

/// Returns the file that says what git ignores in a directory if the walk must not read it, and why. It would
/// wait for a pipe, read a device forever, and keep every line of a large file.
fn odd_ignores(directory: &Path, ignores: &[&str]) -> Option<(PathBuf, &'static str)> {
    ignores.iter().map(|name| directory.join(name)).find_map(|path| {
        let metadata = path.metadata().ok().filter(|metadata| !metadata.is_dir())?;
        let is_large = metadata.len() > MAX_IGNORES;
        let reason = if metadata.is_file() { "it is larger than 512 KiB" } else { NOT_REGULAR };
        (is_large || !metadata.is_file()).then_some((path, reason))
    })
}

/// Reports whether the walk may enter a directory, and notes why not.
fn can_be_entered(entry: &DirEntry, ignores: &[&str], left_out: &Mutex<Vec<String>>) -> bool {
    let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
    let odd = is_directory.then(|| odd_ignores(entry.path(), ignores)).flatten();
    let Some((path, reason)) = odd else { return true };
    if let Ok(mut left_out) = left_out.lock() {
        left_out.push(format!("{}: {reason}", path.display()));
    }
    false
}

/// Reports whether a path leads to a regular file without following a link.
fn is_regular(path: &Path) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    is_file && path.canonicalize().is_ok_and(|real| real == path)
}

/// Returns the path of a directory as it is, and of a file its directory.
pub(super) fn directory_of(path: &Path) -> Option<&Path> {
    if path.is_dir() { Some(path) } else { path.parent().filter(|parent| parent.is_dir()) }
}

/// Reads a file that was named on the command line.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    match read(path)? {
        Content::Bytes(bytes) | Content::Utf16(bytes) => Ok(bytes),
        Content::TooLarge(_) => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large")),
    }
}

fn read(path: &Path) -> io::Result<Content> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > MAX_FILE_SIZE {
        return Ok(Content::TooLarge(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    // A file can grow while it is read.
    file.by_ref().take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    Ok(if length > MAX_FILE_SIZE { Content::TooLarge(length) } else { Content::new(bytes) })
}

/// Resolves `.`, `..` and links of a path that is relative to `directory`.
fn absolute(directory: &Path, path: &Path) -> Result<PathBuf, SourceError> {
    WorkTree::canonical(&directory.join(path)).map_err(|error| match error {
        // The message shows the path as it was typed.
        SourceError::NotFound(_) => SourceError::NotFound(path.to_path_buf()),
        other => other,
    })
}

/// A collector of files: each thread collects its own, and they are joined at the end.
#[derive(Clone, Copy)]
struct Collector<'s> {
    root: &'s Path,
    found: &'s Mutex<Listing>,
}

struct Gatherer<'s> {
    collector: Collector<'s>,
    own: Listing,
}

impl<'s> ParallelVisitorBuilder<'s> for Collector<'s> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 's> {
        Box::new(Gatherer { collector: *self, own: Listing::default() })
    }
}

impl ParallelVisitor for Gatherer<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        match entry {
            Ok(entry) => self.own.files.extend(self.collector.listed(entry)),
            Err(error) => self.own.errors.push(error.to_string()),
        }
        WalkState::Continue
    }
}

impl Collector<'_> {
    /// Accepts regular files only: no links, pipes, sockets or devices.
    fn listed(&self, entry: DirEntry) -> Option<Listed> {
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            return None;
        }
        let path = RepoPath::new(entry.path().strip_prefix(self.root).ok()?)?;
        let is_exact = entry.path().to_str().is_some();
        let place = if is_exact { Place::Path } else { Place::Raw(entry.into_path()) };
        Some(Listed { path, is_context: false, place })
    }
}

impl Drop for Gatherer<'_> {
    fn drop(&mut self) {
        if let Ok(mut found) = self.collector.found.lock() {
            found.files.append(&mut self.own.files);
            found.errors.append(&mut self.own.errors);
        }
    }
}
