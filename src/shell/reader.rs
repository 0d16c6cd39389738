//! The directory of the person who reads a report.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use crate::path::RepoPath;
use crate::text::printable::clean_path;

/// The place from which a person looks at a tree. Commands and places are written for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A directory of the tree.
    Inside(RepoPath),
    /// Another directory; the path from there to the root of the tree.
    Outside(PathBuf),
}

impl Default for Reader {
    fn default() -> Self {
        Self::at_root()
    }
}

impl Reader {
    /// Returns the reader of reports for programs: at the root of the tree.
    pub fn at_root() -> Self {
        Self::Inside(RepoPath::root())
    }

    /// Returns the reader in a directory. Both paths are absolute, without links.
    pub fn new(root: &Path, directory: &Path) -> Self {
        let inside = directory.strip_prefix(root).ok().and_then(RepoPath::new);
        inside.map_or_else(|| Self::Outside(way(directory, root)), Self::Inside)
    }

    /// Returns the path of a file as this reader writes it.
    pub fn path<'p>(&self, path: &'p RepoPath) -> Cow<'p, str> {
        match self {
            Self::Inside(directory) => from_directory(directory, path),
            Self::Outside(root) => path.in_root(root).to_string_lossy().into_owned().into(),
        }
    }

    /// Returns the path of a file as this reader may see it: without hostile characters.
    pub fn shown(&self, path: &RepoPath) -> String {
        clean_path(&self.path(path)).into_owned()
    }
}

/// Returns the way from one directory of a tree to a path in the same tree.
fn from_directory<'p>(directory: &RepoPath, path: &'p RepoPath) -> Cow<'p, str> {
    if let Some(below) = path.below(directory.as_str()) {
        return if below.is_empty() { ".".into() } else { below.into() };
    }
    let names = |path: &'p str| path.split('/');
    let own = directory.as_str().split('/');
    let shared =
        own.clone().zip(names(path.as_str())).take_while(|(one, other)| one == other).count();
    let mut way = vec![".."; own.count() - shared];
    way.extend(names(path.as_str()).skip(shared));
    way.join("/").into()
}

/// Returns the way from one absolute directory to another: relative, unless they share nothing.
fn way(from: &Path, to: &Path) -> PathBuf {
    let is_name = |component: &Component<'_>| matches!(component, Component::Normal(_));
    let pairs = from.components().zip(to.components());
    let shared =
        pairs.take_while(|(one, other)| one == other).filter(|(one, _)| is_name(one)).count();
    if shared == 0 {
        return to.to_path_buf();
    }
    let rest = |path: &Path| path.components().filter(is_name).skip(shared).count();
    let up = (0..rest(from)).map(|_| Component::ParentDir);
    up.chain(to.components().filter(is_name).skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_for_its_reader() {
        let cases = [
            ("/r", "apps/db.yaml", "apps/db.yaml"),
            ("/r/apps", "apps/db.yaml", "db.yaml"),
            ("/r/apps/shop", "apps/db.yaml", "../db.yaml"),
            ("/r/apps/shop", "apps/shop-2/db.yaml", "../shop-2/db.yaml"),
            ("/r/apps/shop", ".sops.yaml", "../../.sops.yaml"),
            ("/r/apps", "apps", "."),
            ("/", "a.yaml", "/r/a.yaml"),
            ("/rest", "a.yaml", "/r/a.yaml"),
        ];
        for (directory, path, expected) in cases {
            let reader = Reader::new(Path::new("/r"), Path::new(directory));
            assert_eq!(reader.path(&RepoPath::from(path)), expected, "{directory} {path}");
        }
        let reader = Reader::new(Path::new("/home/me/shop"), Path::new("/home/me/other/x"));
        assert_eq!(reader.path(&RepoPath::from("a.yaml")), "../../shop/a.yaml");
        let reader = Reader::new(Path::new("/home/me/shop"), Path::new("/home/me"));
        assert_eq!(reader.path(&RepoPath::from("a.yaml")), "shop/a.yaml");
    }
}
