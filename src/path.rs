//! [`RepoPath`]: the path of a file in its repository.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::text::printable;

/// A path relative to the repository's root: components joined by `/`, no leading `/` or `./`,
/// no `..`, never empty but for the root itself. Bytes that are not UTF-8 are kept as `U+FFFD`,
/// which is good enough to match and to print; files are opened by their own [`Path`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepoPath(Box<str>);

impl RepoPath {
    /// Returns the repository's root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Makes one of a relative path; `None` if it leaves the root or is absolute.
    pub fn new(path: &Path) -> Option<Self> {
        let mut text = String::with_capacity(path.as_os_str().len());
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::Normal(name) => {
                    if !text.is_empty() {
                        text.push('/');
                    }
                    text.push_str(&name.to_string_lossy());
                }
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(Self(text.into()))
    }

    /// Returns the path as one string with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last component; empty for the root.
    pub fn file_name(&self) -> &str {
        let start = memchr::memrchr(b'/', self.0.as_bytes()).map_or(0, |slash| slash + 1);
        &self.0[start..]
    }

    /// Returns the directory that holds it; the root holds the files at the top, and itself.
    pub fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).into())
    }

    /// Returns true if this is the name on disk and in git: it has no bytes that are not UTF-8. A name
    /// that really contains `U+FFFD` counts as inexact, because it looks the same.
    pub fn is_exact(&self) -> bool {
        !self.0.contains(char::REPLACEMENT_CHARACTER)
    }

    /// Returns the directories that hold it, nearest first, the root last.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let mut rest = if self.0.is_empty() { None } else { Some(&*self.0) };
        std::iter::from_fn(move || {
            let parent = rest?.rsplit_once('/').map_or("", |(parent, _)| parent);
            rest = if parent.is_empty() { None } else { Some(parent) };
            Some(parent)
        })
    }

    /// Returns `self` as seen from `directory`, or `None` if it does not lie below it.
    pub fn below(&self, directory: &str) -> Option<&str> {
        if directory.is_empty() || *self.0 == *directory {
            return Some(self.0.strip_prefix(directory).unwrap_or_default());
        }
        self.0.strip_prefix(directory)?.strip_prefix('/')
    }

    /// Returns the path of `name` in this directory.
    pub fn join(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.into())
        } else {
            Self(format!("{}/{name}", self.0).into())
        }
    }

    /// Returns the path in the file system, given the root's.
    pub fn in_root(&self, root: &Path) -> PathBuf {
        if self.0.is_empty() { root.to_path_buf() } else { root.join(&*self.0) }
    }
}

/// One of the parts that paths are divided into. Which part a path belongs to depends on the path
/// alone, so that jobs need not agree on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u32,
    of: u32,
}

impl Shard {
    /// Returns the part `number` of `of`; `None` if there is no such part.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        (1..=of).contains(&number).then_some(Self { number, of })
    }

    /// Reports whether a path belongs to it: the first eight bytes of its SHA-256 as a number, the
    /// highest byte first, leave the remainder `number - 1` when divided by `of`.
    pub fn holds(&self, path: &RepoPath) -> bool {
        let hash = Sha256::digest(path.as_str());
        let number = hash[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        number % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl From<&str> for RepoPath {
    /// Trusts the caller that the text is relative and normal; for paths that come from git.
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable::clean_path(&self.0))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_holds_what_its_manual_says() {
        // python3 -c "import hashlib; print(int(hashlib.sha256(b'apps/db.yaml').hexdigest()[:16], 16) % 7 + 1)"
        let path = RepoPath::from("apps/db.yaml");
        let holders: Vec<u32> = (1..=7)
            .filter(|number| Shard::new(*number, 7).expect("there is one").holds(&path))
            .collect();
        assert_eq!(holders, [1]);
        assert_eq!((Shard::new(0, 7), Shard::new(8, 7), Shard::new(0, 0)), (None, None, None));
    }

    #[test]
    fn stays_inside_the_root() {
        assert_eq!(RepoPath::new(Path::new("./a/./b.yaml")), Some("a/b.yaml".into()));
        assert_eq!(RepoPath::new(Path::new("a/../../b")), None);
        assert_eq!(RepoPath::new(Path::new("/etc/passwd")), None);
    }

    #[test]
    fn knows_its_ancestors_nearest_first() {
        let path = RepoPath::from("a/b/c.yaml");
        assert_eq!(path.ancestors().collect::<Vec<_>>(), ["a/b", "a", ""]);
        assert_eq!(RepoPath::from("c.yaml").ancestors().collect::<Vec<_>>(), [""]);
        assert_eq!(path.below("a"), Some("b/c.yaml"));
        assert_eq!(path.below("a/bc"), None);
        assert_eq!(path.parent().join("d"), "a/b/d".into());
    }
}
