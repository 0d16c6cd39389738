//! Paths that were typed, as the file system has them.
#![expect(clippy::disallowed_methods, reason = "paths that were typed are looked up on disk")]

use std::path::{Component, Path, PathBuf};

/// Resolves `.` and `..`, and links in the part of the path that exists.
pub fn normal(path: &Path) -> Option<PathBuf> {
    let mut lexical = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(lexical.pop()),
            Component::CurDir => {}
            other => lexical.push(other),
        }
    }
    if lexical.is_dir() {
        return lexical.canonicalize().ok();
    }
    let mut missing = Vec::new();
    let mut present: &Path = lexical.parent()?;
    // The last component is not resolved: git commits a link as a link.
    missing.extend(lexical.file_name());
    loop {
        if let Ok(mut full) = present.canonicalize() {
            full.extend(missing.iter().rev());
            return Some(full);
        }
        missing.push(present.file_name()?);
        present = present.parent()?;
    }
}
