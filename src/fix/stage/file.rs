//! Single files of a work tree: how they are checked, written and replaced.
#![expect(clippy::disallowed_methods, reason = "this is where files are written")]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::StageError;
use crate::fix::change::Bytes;
use crate::host::Host;
use crate::path::RepoPath;

/// Prefix of the names of temporary files.
const PREFIX: &str = ".sops-lint-";

/// Returns a name for a temporary file next to another file.
pub(super) fn temporary_beside(path: &RepoPath) -> RepoPath {
    let mut random = [0; 8];
    Host::random(&mut random);
    path.parent().join(&format!("{PREFIX}{:016x}", u64::from_ne_bytes(random)))
}

/// Returns true if this path is one of a temporary file.
pub(super) fn is_temporary(path: &str) -> bool {
    RepoPath::from(path).file_name().starts_with(PREFIX)
}

/// Returns the SHA-256 of a file's content in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the SHA-256 of a file; `None` if there is no readable file.
pub(super) fn digest_of(root: &Path, path: &RepoPath) -> Option<String> {
    fs::read(path.in_root(root)).ok().map(|bytes| digest(&bytes))
}

/// Returns true if a path has anything: a file, a directory, or a link that leads nowhere.
pub(super) fn is_there(root: &Path, path: &RepoPath) -> bool {
    fs::symlink_metadata(path.in_root(root)).is_ok()
}

/// Returns true if both are regular files with the same content.
pub(super) fn are_equal(root: &Path, one: &RepoPath, other: &RepoPath) -> bool {
    let is_file =
        |path: &RepoPath| fs::symlink_metadata(path.in_root(root)).is_ok_and(|it| it.is_file());
    is_file(one) && is_file(other) && digest_of(root, one) == digest_of(root, other)
}

/// Returns true if no link is on the way to a path, which could lead out of the tree.
pub(super) fn is_inside(root: &Path, path: &RepoPath) -> bool {
    let directory = path.parent();
    let real = root.canonicalize().map(|root| directory.in_root(&root)).ok();
    path.is_exact() && real.is_some() && directory.in_root(root).canonicalize().ok() == real
}

/// Reads a regular file.
pub(super) fn read(root: &Path, path: &RepoPath) -> Result<Bytes, StageError> {
    let place = path.in_root(root);
    match fs::symlink_metadata(&place) {
        Ok(metadata) if metadata.is_file() => {}
        _ => return Err(StageError::Irregular(path.clone())),
    }
    fs::read(&place).map(Bytes).map_err(|source| StageError::Io { path: place, source })
}

/// Checks that a file is a regular one inside the tree.
pub(super) fn check_regular(root: &Path, path: &RepoPath) -> Result<(), StageError> {
    let metadata = fs::symlink_metadata(path.in_root(root));
    let is_regular = metadata.is_ok_and(|metadata| metadata.is_file()) && is_inside(root, path);
    if is_regular { Ok(()) } else { Err(StageError::Irregular(path.clone())) }
}

/// Checks that a file may be replaced, and still has this content.
pub(super) fn check(root: &Path, path: &RepoPath, old: &Bytes) -> Result<(), StageError> {
    check_regular(root, path)?;
    let metadata = fs::symlink_metadata(path.in_root(root));
    if metadata.is_ok_and(|metadata| metadata.permissions().readonly()) {
        return Err(StageError::ReadOnly(path.clone()));
    }
    if read(root, path)? == *old { Ok(()) } else { Err(StageError::Changed(path.clone())) }
}

/// Checks that a name is free and inside the tree.
pub(super) fn check_free(root: &Path, path: &RepoPath) -> Result<(), StageError> {
    if is_there(root, path) {
        return Err(StageError::Taken(path.clone()));
    }
    if is_inside(root, path) { Ok(()) } else { Err(StageError::Irregular(path.clone())) }
}

/// Creates an empty file, with the permissions and the owner of another if there is one.
pub(super) fn create(root: &Path, path: &RepoPath, model: Option<&RepoPath>) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(path.in_root(root))?;
    if let Some(model) = model {
        let metadata = fs::metadata(model.in_root(root))?;
        file.set_permissions(metadata.permissions())?;
        keep_owner(&file, &metadata);
    }
    Ok(file)
}

/// Writes the content of a new file down to the disk.
pub(super) fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Root may fix files of other users.
#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if let Ok(new) = file.metadata()
        && (old.uid(), old.gid()) != (new.uid(), new.gid())
    {
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _old: &fs::Metadata) {}

/// Puts a file in the place of another.
pub(super) fn replace(root: &Path, from: &RepoPath, to: &RepoPath) -> io::Result<()> {
    fs::rename(from.in_root(root), to.in_root(root))
}

/// Gives a file a second name. Unlike a rename, this never replaces a file.
pub(super) fn link(root: &Path, from: &RepoPath, to: &RepoPath) -> io::Result<()> {
    fs::hard_link(from.in_root(root), to.in_root(root))
}

/// Removes a name, if it is there.
pub(super) fn unlink(root: &Path, path: &RepoPath) -> io::Result<()> {
    match fs::remove_file(path.in_root(root)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes the directories of files down to the disk. New names are durable only then.
pub(super) fn sync_directories<'p>(root: &Path, paths: impl Iterator<Item = &'p str>) {
    let directories: BTreeSet<RepoPath> = paths.map(|path| RepoPath::from(path).parent()).collect();
    for directory in directories {
        sync_directory(Some(&directory.in_root(root)));
    }
}

/// Writes a directory down to the disk. Not every system can.
pub(super) fn sync_directory(directory: Option<&Path>) {
    let _ = directory.map(|directory| File::open(directory).and_then(|it| it.sync_all()));
}
