//! The repository, as rules see it.

use std::collections::{HashMap, HashSet};

use super::command::sops_command;
use super::facts::Facts;
use super::generator_source::GeneratorSource;
use crate::finding::Draft;
use crate::keys::certificate::Certificates;
use crate::path::RepoPath;
use crate::policy::{Config, CreationRule, Governing, Matches, Policy};
use crate::shell::{Advice, Command};
use crate::text::words::count;

/// The number of files that a help names.
const SHOWN: usize = 3;

/// The repository, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Repository<'f> {
    /// The facts of all files that have any, sorted by path.
    pub facts: &'f [Facts],
    /// All scanned files, sorted.
    pub files: &'f [&'f RepoPath],
    /// The creation rules.
    pub policy: &'f Policy,
    /// True if `files` has all files of each directory. False if the user named single files.
    pub is_whole: bool,
    /// The day of the run, counted from 1970-01-01.
    pub today: u32,
    /// The OpenPGP certificates in the tree and in the user's keyring.
    pub certificates: &'f Certificates,
    /// Servers and hosts that the settings trust with data keys, in lower case.
    pub trusted_endpoints: &'f [String],
}

impl<'f> Repository<'f> {
    /// Returns the configs among the files, sorted by path. Configs above them govern other files too.
    pub(super) fn configs(&self) -> impl Iterator<Item = &'f Config> {
        let paths = self.files;
        let is_listed = move |config: &&Config| paths.binary_search(&&config.path).is_ok();
        self.policy.configs().into_iter().filter(is_listed)
    }

    /// Returns the files that generators such as KSOPS decrypt.
    pub(super) fn decrypted(&self) -> HashSet<&'f RepoPath> {
        let sources = self.facts.iter().flat_map(|facts| &facts.generator_sources);
        sources.filter_map(GeneratorSource::decrypted).collect()
    }

    /// Returns the config and rule that govern a file.
    pub(super) fn governing(&self, facts: &Facts) -> Governing<'f> {
        self.policy.recall(&facts.path, facts.ruling)
    }

    /// Returns the facts of the files that each config governs, by its path: a rule that asked all facts for
    /// each config would take far too long.
    pub(super) fn by_config(&self) -> HashMap<&'f RepoPath, Vec<&'f Facts>> {
        let mut governed: HashMap<&RepoPath, Vec<&'f Facts>> = HashMap::new();
        for facts in self.facts {
            if let Some(config) = self.governing(facts).config() {
                governed.entry(&config.path).or_default().push(facts);
            }
        }
        governed
    }

    /// Returns the command that does `verb` to a file under its own config, and as the format that it is in.
    pub(super) fn sops(&self, facts: &Facts, verb: &str) -> Command {
        sops_command(self.governing(facts), verb, facts.foreign_format, &facts.path)
    }

    /// Tells how to give the encrypted ones among files the recipients of their rule; `None` if there are
    /// none.
    pub(super) fn updating(&self, governed: &[&Facts]) -> Option<Advice> {
        self.doing("updatekeys", governed)
    }

    /// Tells how to give the encrypted ones among files a new data key; `None` if there are none.
    pub(super) fn rotating(&self, governed: &[&Facts]) -> Option<Advice> {
        self.doing("rotate --in-place", governed)
    }

    /// Tells how to encrypt files anew, one after the other; `None` if there are none.
    pub(super) fn reencrypting(&self, files: &[&Facts]) -> Option<Advice> {
        let run = |facts: &&Facts| {
            let decrypt = self.sops(facts, "decrypt --in-place");
            Advice::from(decrypt) + ", then " + self.sops(facts, "encrypt --in-place")
        };
        let first = files.iter().take(SHOWN).map(run).reduce(|first, next| first + "; " + next)?;
        Some(Advice::from("run ") + first + and_more(files.len()))
    }

    /// `run .., ..`, for the first few of many.
    fn doing(&self, verb: &str, governed: &[&Facts]) -> Option<Advice> {
        let encrypted: Vec<&&Facts> = governed.iter().filter(|facts| facts.is_encrypted).collect();
        let commands =
            encrypted.iter().take(SHOWN).map(|facts| Advice::from(self.sops(facts, verb)));
        let commands = commands.reduce(|first, next| first + ", " + next)?;
        Some(Advice::from("run ") + commands + and_more(encrypted.len()))
    }

    /// Returns the rules of a config together with the files that it can govern. There are no files if
    /// only some are known, since others may differ.
    pub(super) fn matches(&self, config: &'f Config) -> Matches<'f> {
        Matches::new(config, if self.is_whole { self.files } else { &[] })
    }

    /// Applies `check` to every rule of these configs and the files that it governs.
    pub(super) fn drafts_of_rules(
        &self,
        check: impl Fn(&'f CreationRule, &[&'f Facts]) -> Option<Draft<'f>>,
    ) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let rules = self.rules().into_iter();
        rules
            .filter_map(|(config, rule, governed)| Some((&config.path, check(rule, &governed)?)))
            .collect()
    }

    /// Returns every rule of these configs, with the facts of the files that it governs.
    fn rules(&self) -> Vec<(&'f Config, &'f CreationRule, Vec<&'f Facts>)> {
        let mut governed: HashMap<(&RepoPath, usize), Vec<&'f Facts>> = HashMap::new();
        for facts in self.facts {
            if let Some((config, rule)) = self.governing(facts).rule() {
                governed.entry((&config.path, rule.number)).or_default().push(facts);
            }
        }
        let mut rules = Vec::new();
        for config in self.configs() {
            for rule in &config.rules {
                let facts = governed.remove(&(&config.path, rule.number));
                rules.push((config, rule, facts.unwrap_or_default()));
            }
        }
        rules
    }
}

/// Says that a command is for more files than are named.
fn and_more(number: usize) -> String {
    match number.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and the same for {} of the rule", count(more, "more file")),
    }
}
