//! The creation rule that governs a file, and its requirements.
//!
//! The nearest `.sops.yaml` above the file decides, as the Flux guide has it. sops itself searches
//! from the directory it is run in; the rule `ambiguous-sops-config` reports the difference.

mod beginning;
mod config;
mod creation_rule;
mod governing;
mod label;
mod matches;
mod merge;
mod names;
mod problem;
mod schema;
mod shown;

use std::collections::HashMap;

pub use beginning::{Beginning, Correction, MAX_DIRECTORIES};
pub use config::Config;
pub use creation_rule::CreationRule;
pub use governing::{Aim, Governing, Ruling};
pub use matches::{MAX_MATCHES, Matches};
pub use names::Names;
pub use problem::{Problem, ProblemKind};
pub use schema::{Meant, UnknownKey};
pub use shown::Shown;

use crate::path::RepoPath;

/// The one name that sops looks for.
pub const CONFIG_NAME: &str = ".sops.yaml";

/// Names that are almost, but not quite, as sops wants them.
const MISLEADING_NAMES: [&str; 6] =
    [".sops.yml", "sops.yaml", "sops.yml", ".sops.yaml.txt", ".sops.yml.txt", ".sops.yaml.yaml"];

/// Reports whether a file is named almost, but not quite, as sops wants it.
pub fn has_misleading_name(path: &RepoPath) -> bool {
    MISLEADING_NAMES.contains(&path.file_name())
}

/// Returns the nearest config above a file that has a misleading name and can be meant for nothing else.
/// `exists`: whether there is such a file.
pub fn misnamed_config(path: &RepoPath, exists: &dyn Fn(&RepoPath) -> bool) -> Option<RepoPath> {
    let dotted = MISLEADING_NAMES.iter().filter(|name| name.starts_with('.'));
    let names: Vec<_> = dotted.collect();
    path.ancestors().find_map(|directory| {
        let directory = RepoPath::from(directory);
        names.iter().map(|name| directory.join(name)).find(|config| exists(config))
    })
}

/// All `.sops.yaml` files that can govern the files of a run.
#[derive(Debug, Default)]
pub struct Policy {
    by_directory: HashMap<Box<str>, Config>,
    /// The path of the nearest config above the tree, seen from its root.
    outside: Option<Box<str>>,
}

impl Policy {
    /// Reads the configs in the given directories, `""` being the root.
    pub fn load<'d>(
        directories: impl IntoIterator<Item = &'d str>,
        mut read: impl FnMut(&RepoPath) -> Option<Vec<u8>>,
    ) -> Self {
        let mut by_directory = HashMap::new();
        for directory in directories {
            let path = RepoPath::from(directory).join(CONFIG_NAME);
            if by_directory.contains_key(directory) {
                continue;
            }
            if let Some(bytes) = read(&path) {
                by_directory.insert(directory.into(), Config::read(path, bytes));
            }
        }
        Self { by_directory, outside: None }
    }

    /// Sets the nearest config above the tree: `../.sops.yaml`.
    #[must_use]
    pub fn below(mut self, outside: Option<String>) -> Self {
        self.outside = outside.map(Into::into);
        self
    }

    /// Returns the config at this path, if it was loaded.
    pub fn config(&self, path: &RepoPath) -> Option<&Config> {
        let directory = path.as_str().rsplit_once('/').map_or("", |(directory, _)| directory);
        self.by_directory.get(directory).filter(|config| config.path == *path)
    }

    /// Returns all configs, sorted by path.
    pub fn configs(&self) -> Vec<&Config> {
        let mut configs: Vec<&Config> = self.by_directory.values().collect();
        configs.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        configs
    }

    /// Reports whether there is no config at all.
    pub fn is_empty(&self) -> bool {
        self.by_directory.is_empty()
    }

    /// Returns the rule that governs a file.
    pub fn governing(&self, path: &RepoPath) -> Governing<'_> {
        self.nearest(path).map_or_else(|| self.without_config(), |config| config.governing(path))
    }

    /// Returns the rule that governs a file, whose ruling was found before.
    pub fn recall(&self, path: &RepoPath, ruling: Ruling) -> Governing<'_> {
        let Some(config) = self.nearest(path) else { return self.without_config() };
        match ruling {
            Ruling::NoConfig => self.without_config(),
            Ruling::Unusable => Governing::Unusable(config),
            Ruling::NoRule => Governing::NoRule(config),
            Ruling::Rule(number) => {
                let rule = config.rules.get(number.saturating_sub(1));
                rule.map_or(Governing::NoRule(config), |rule| Governing::Rule(config, rule))
            }
        }
    }

    fn without_config(&self) -> Governing<'_> {
        self.outside.as_deref().map_or(Governing::NoConfig, Governing::Outside)
    }

    fn nearest(&self, path: &RepoPath) -> Option<&Config> {
        path.ancestors().find_map(|directory| self.by_directory.get(directory))
    }
}
