//! [`Matches`]: the creation rules of a config, tried on the files below it.

use std::sync::OnceLock;

use super::config::Config;
use crate::path::RepoPath;

/// Matches, at worst, that one config may cost: about two seconds of work for patterns as people
/// write them. Some patterns take a hundred times as long.
pub const MAX_MATCHES: usize = 20_000_000;

/// A table of the creation rules of one config and the files below it. A rule is tried on all of
/// them when the first match is asked for, and never again. Rules and paths have their places in
/// `config.rules` and in [`Matches::paths`].
#[derive(Debug)]
pub struct Matches<'p> {
    config: &'p Config,
    paths: Vec<&'p str>,
    /// For each rule one bit for each path.
    rows: Vec<OnceLock<Box<[u64]>>>,
}

impl<'p> Matches<'p> {
    /// Makes the table of a config. `files` are sorted; those elsewhere do not matter.
    pub fn new(config: &'p Config, files: &[&'p RepoPath]) -> Self {
        let directory = config.path.parent();
        let prefix = directory.join("");
        let start = files.partition_point(|path| path.as_str() < prefix.as_str());
        let paths =
            files[start..].iter().take_while(|path| path.as_str().starts_with(prefix.as_str()));
        let others = paths.filter(|path| ***path != config.path);
        let paths = others.filter_map(|path| path.below(directory.as_str())).collect();
        let rows = config.rules.iter().map(|_| OnceLock::new()).collect();
        Self { config, paths, rows }
    }

    /// Returns the files below the config but without it, as its rules see them, in the order of
    /// `files`.
    pub fn paths(&self) -> &[&'p str] {
        &self.paths
    }

    /// Returns the paths; none if trying every rule on each would exceed [`MAX_MATCHES`].
    pub fn paths_to_try(&self) -> &[&'p str] {
        let are_few = self.rows.len().saturating_mul(self.paths.len()) < MAX_MATCHES;
        if are_few { &self.paths } else { &[] }
    }

    /// Returns true if a rule matches a path; a broken rule matches none.
    pub fn is_match(&self, rule: usize, path: usize) -> bool {
        self.row(rule)[path / 64] >> (path % 64) & 1 == 1
    }

    /// Returns the places of the paths that a rule matches, in order.
    pub fn matched(&self, rule: usize) -> impl Iterator<Item = usize> {
        (0..self.paths.len()).filter(move |path| self.is_match(rule, *path))
    }

    fn row(&self, rule: usize) -> &[u64] {
        self.rows[rule].get_or_init(|| {
            let rule = &self.config.rules[rule];
            let is_match = |path: &&str| rule.matches(path) == Some(true);
            let word = |paths: &[&str]| {
                let bits =
                    paths.iter().enumerate().map(|(at, path)| u64::from(is_match(path)) << at);
                bits.sum()
            };
            self.paths.chunks(64).map(word).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_tried_on_the_files_below_their_config() {
        let text = "creation_rules:\n  - path_regex: \\.yaml$\n  - path_regex: '['\n  - age: x\n";
        let config = Config::read("a/.sops.yaml".into(), text.into());
        let many: Vec<String> = (100..200).map(|n| format!("a/b/{n}.json")).collect();
        let mut files: Vec<RepoPath> = many.iter().map(|path| path.as_str().into()).collect();
        let others = ["a-b/x.yaml", "a.yaml", "a/.sops.yaml", "a/z.yaml", "ab.yaml", "0.yaml"];
        files.extend(others.map(RepoPath::from));
        files.sort();
        let files: Vec<&RepoPath> = files.iter().collect();
        let matches = Matches::new(&config, &files);
        assert_eq!(matches.paths().len(), 101);
        assert_eq!(matches.paths()[100], "z.yaml");
        let matched = |rule| matches.matched(rule).collect::<Vec<_>>();
        assert_eq!((matched(0), matched(1), matched(2).len()), (vec![100], vec![], 101));
        assert!(matches.is_match(0, 100) && !matches.is_match(0, 99));
        assert_eq!(matches.paths_to_try(), matches.paths());
    }

    #[test]
    fn a_config_at_the_root_is_above_every_file() {
        let config = Config::read(".sops.yaml".into(), b"creation_rules: [{age: x}]".into());
        let (one, other) = (RepoPath::from("a/b"), RepoPath::from("c"));
        let matches = Matches::new(&config, &[&one, &config.path, &other]);
        assert_eq!(matches.paths(), ["a/b", "c"]);
    }
}
