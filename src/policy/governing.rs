//! The creation rule that governs a file, and the files that the rule was written for.

use super::config::Config;
use super::creation_rule::CreationRule;
use crate::path::RepoPath;

/// The config and the rule that decide how a file is encrypted.
#[derive(Clone, Copy, Debug)]
pub enum Governing<'p> {
    /// There is no `.sops.yaml` above the file.
    NoConfig,
    /// There is none in the tree, but sops finds this one above the tree. It is not read.
    Outside(&'p str),
    /// The nearest one cannot be used, or a broken `path_regex` comes before any match.
    Unusable(&'p Config),
    /// The nearest one has no rule for the file.
    NoRule(&'p Config),
    /// This rule.
    Rule(&'p Config, &'p CreationRule),
}

/// A [`Governing`] without what the path of the file tells, for keeping: to find it takes a match
/// for every rule of a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// [`Governing::NoConfig`] or [`Governing::Outside`].
    NoConfig,
    /// [`Governing::Unusable`].
    Unusable,
    /// [`Governing::NoRule`].
    NoRule,
    /// [`Governing::Rule`], with its number.
    Rule(usize),
}

/// The files that a creation rule was written for, judging by one that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// For any file: it matches unrelated files next to it too, so a match says nothing.
    Anything,
    /// For a directory of secrets.
    SecretsDirectory,
    /// For files whose names begin or end like this one, in any directory.
    PartOfName,
    /// For this file, or for files named like it.
    File,
}

impl<'p> Governing<'p> {
    /// Returns the files that the rule governing `path` was written for.
    pub fn aim(self, path: &RepoPath) -> Aim {
        let Self::Rule(config, rule) = self else { return Aim::Anything };
        if rule.path_regex().is_none() {
            return Aim::Anything;
        }
        let parent = path.parent();
        let directory = parent.below(config.path.parent().as_str()).unwrap_or_default();
        let is_for_secrets = |name| matches!(name, "secrets" | "secret");
        if !rule.is_catch_all_in(directory) {
            let is_part = rule.matches_part_of(path.file_name());
            if is_part { Aim::PartOfName } else { Aim::File }
        } else if directory.split('/').any(is_for_secrets) {
            Aim::SecretsDirectory
        } else {
            Aim::Anything
        }
    }

    /// Returns as much of it as `Policy::recall` needs.
    pub fn ruling(self) -> Ruling {
        match self {
            Self::NoConfig | Self::Outside(_) => Ruling::NoConfig,
            Self::Unusable(_) => Ruling::Unusable,
            Self::NoRule(_) => Ruling::NoRule,
            Self::Rule(_, rule) => Ruling::Rule(rule.number),
        }
    }

    /// Returns the nearest config, whatever it says.
    pub fn config(self) -> Option<&'p Config> {
        match self {
            Self::NoConfig | Self::Outside(_) => None,
            Self::Unusable(config) | Self::NoRule(config) | Self::Rule(config, _) => Some(config),
        }
    }

    /// Returns the rule, if there is one.
    pub fn rule(self) -> Option<(&'p Config, &'p CreationRule)> {
        if let Self::Rule(config, rule) = self { Some((config, rule)) } else { None }
    }
}

impl Config {
    /// Returns the rule that governs a file in this config's directory or below.
    pub fn governing(&self, path: &RepoPath) -> Governing<'_> {
        if !self.is_usable {
            return Governing::Unusable(self);
        }
        let Some(relative) = path.below(self.path.parent().as_str()) else {
            return Governing::NoRule(self);
        };
        for rule in &self.rules {
            match rule.matches(relative) {
                Some(true) => return Governing::Rule(self, rule),
                Some(false) => {}
                // sops compiles the rules one after the other and stops at a broken one.
                None => return Governing::Unusable(self),
            }
        }
        Governing::NoRule(self)
    }
}
