//! Filters of `.gitattributes`: programs that change files between the work tree and the index.
#![expect(clippy::disallowed_methods, reason = "it is asked whether the work tree has a file")]

use std::collections::HashMap;
use std::ffi::OsStr;

use gix::ObjectId;

use super::program;
use super::repo::Repo;
use crate::path::RepoPath;

/// Maximum number of paths in one command.
const MAX_PATHS: usize = 500;

/// Prefix of the filters of git-crypt. It encrypts in clones where it is not set up as well.
const GIT_CRYPT: &str = "git-crypt";

/// The filter of Git LFS. It stores a file elsewhere, as it is, and asking it would store it.
const LFS: &str = "lfs";

impl Repo {
    /// Returns the files of the work tree that a filter changes on the way to the index, each with the
    /// name of its filter. Line ends and encodings, which git converts itself, do not count.
    pub fn filtering<'p>(&self, paths: &[&'p RepoPath]) -> HashMap<&'p RepoPath, String> {
        let named = self.filters_of(paths);
        let programs = if named.is_empty() { HashMap::new() } else { self.filter_programs() };
        let changes = |(path, name): &(&RepoPath, String)| {
            name.starts_with(GIT_CRYPT)
                || programs.contains_key(name) && name != LFS && self.is_changed_by(name, path)
        };
        named.into_iter().filter(changes).collect()
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

    /// Returns the names of the filters that change a file on its way to the index, with the program.
    fn filter_programs(&self) -> HashMap<String, String> {
        let settings = ["config", "--null", "--get-regexp", r"^filter\..*\.(clean|process)$"];
        let output = self.ask(&settings).unwrap_or_default();
        let mut programs = HashMap::new();
        for setting in output.split(|byte| *byte == 0) {
            let setting = String::from_utf8_lossy(setting);
            let (key, program) = setting.split_once('\n').unwrap_or((&setting, ""));
            let name = key.strip_prefix("filter.").and_then(|key| key.rsplit_once('.'));
            if let Some((name, _)) = name.filter(|_| !program.is_empty()) {
                programs.insert(name.to_owned(), program.to_owned());
            }
        }
        programs
    }

    /// Reports whether git would store another content without this filter. A filter that fails counts.
    fn is_changed_by(&self, name: &str, path: &RepoPath) -> bool {
        // The option `-c` ends the name of a setting at the first `=`.
        if name.contains('=') {
            return true;
        }
        let off = ["clean=", "process=", "required=false"];
        let settings = off.map(|setting| format!("filter.{name}.{setting}"));
        let options: Vec<&str> = settings.iter().flat_map(|one| ["-c", one]).collect();
        // Without the file there is nothing that could be lost.
        let plain = self.hash_of(path, &options);
        plain.is_some() && self.hash_of(path, &[]) != plain
    }

    /// Returns the id of the blob that git would store for a file of the work tree.
    pub(super) fn hash_of(&self, path: &RepoPath, options: &[&str]) -> Option<ObjectId> {
        let name = format!("--path={}", path.as_str());
        let arguments = ["hash-object", &name, "--", path.as_str()];
        let output = self.ask(&[options, &arguments].concat())?;
        ObjectId::from_hex(output.trim_ascii()).ok()
    }

    /// Returns the answer of git at the top of the work tree; `None` if it fails.
    fn ask(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        program::output(self.work_tree()?, &arguments)
    }
}
