//! Filters of `.gitattributes`: programs that change files between the work tree and the index.
//!
//! None of them is run: the configuration of a repository names them, and a repository may come from
//! anywhere.
#![expect(clippy::disallowed_methods, reason = "it is asked whether the work tree has a file")]

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;

use gix::ObjectId;

use super::program;
use super::repo::Repo;
use crate::path::RepoPath;

/// Maximum number of paths in one command.
const MAX_PATHS: usize = 500;

/// Prefix of the filters of git-crypt. It encrypts in clones where it is not set up as well.
const GIT_CRYPT: &str = "git-crypt";

/// The filter of Git LFS. It stores a file elsewhere, as it is.
const LFS: &str = "lfs";

impl Repo {
    /// Returns the files of the work tree that git passes through a filter, each with the name of its
    /// filter. Line ends and encodings, which git converts itself, do not count, nor does Git LFS.
    pub fn filtering<'p>(&self, paths: &[&'p RepoPath]) -> HashMap<&'p RepoPath, String> {
        let named = self.filters_of(paths);
        let set_up = if named.is_empty() { HashSet::new() } else { self.filters_set_up() };
        let is_active = |name: &str| name.starts_with(GIT_CRYPT) || set_up.contains(name);
        named.into_iter().filter(|(_, name)| name != LFS && is_active(name)).collect()
    }

    /// Reports whether git checks out a part of the files only.
    pub fn is_sparse(&self) -> bool {
        let answer = self.ask(&["config", "--type=bool", "core.sparseCheckout"]);
        answer.is_some_and(|answer| answer.trim_ascii() == b"true")
    }

    /// Returns true if the work tree has anything at this path.
    pub fn is_checked_out(&self, path: &RepoPath) -> bool {
        self.work_tree().is_some_and(|root| path.in_root(root).symlink_metadata().is_ok())
    }

    /// Returns the paths that have the attribute `filter`, with its value.
    fn filters_of<'p>(&self, paths: &[&'p RepoPath]) -> Vec<(&'p RepoPath, String)> {
        let mut found = Vec::new();
        for some in paths.chunks(MAX_PATHS) {
            let mut arguments = vec!["check-attr", "-z", "filter", "--"];
            arguments.extend(some.iter().map(|path| path.as_str()));
            let output = self.ask(&arguments).unwrap_or_default();
            let fields: Vec<&[u8]> = output.split(|byte| *byte == 0).collect();
            // A path, the name of the attribute, and its value, in the order of the paths.
            let values = fields.chunks_exact(3).map(|one| String::from_utf8_lossy(one[2]));
            let pairs = some.iter().zip(values).filter(|(_, value)| value != "unspecified");
            found.extend(pairs.map(|(path, value)| (*path, value.into_owned())));
        }
        found
    }

    /// Returns the names of the filters that have a program.
    fn filters_set_up(&self) -> HashSet<String> {
        let settings =
            ["config", "--null", "--get-regexp", r"^filter\..*\.(clean|smudge|process)$"];
        let output = self.ask(&settings).unwrap_or_default();
        let settings = output.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let name = |setting: &str| {
            let (key, program) = setting.split_once('\n')?;
            let (name, _) = key.strip_prefix("filter.")?.rsplit_once('.')?;
            (!program.is_empty()).then(|| name.to_owned())
        };
        settings.filter_map(|setting| name(&setting)).collect()
    }

    /// Returns the id of the blob that git would store for this file of the work tree, after it
    /// converted line ends. For a file that has no filter.
    pub fn blob_at(&self, path: &RepoPath) -> Option<ObjectId> {
        let name = format!("--path={}", path.as_str());
        let arguments = ["hash-object", &name, "--", path.as_str()];
        let output = program::output_unfiltered(self.work_tree()?, &arguments)?;
        ObjectId::from_hex(output.trim_ascii()).ok()
    }

    /// Returns what git would check out for a blob, after it converted line ends. For a file that has no
    /// filter.
    pub fn converted(&self, path: &RepoPath, blob: ObjectId) -> Option<Vec<u8>> {
        let name = format!("--path={}", path.as_str());
        let arguments = ["cat-file", "--filters", &name, &blob.to_string()];
        program::output_unfiltered(self.work_tree()?, &arguments)
    }

    /// Returns the answer of git at the top of the work tree; `None` if it fails.
    fn ask(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        program::output(self.work_tree()?, &arguments)
    }
}
