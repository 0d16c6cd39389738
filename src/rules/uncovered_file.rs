//! Files that no creation rule governs. One finding per directory keeps reports short.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use super::unmatched_path_regex::explains;
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Config, Governing};
use crate::shell::{Advice, Command};
use crate::text::Span;
use crate::text::words::count;

declare_rule! {
    /// ## What it does
    ///
    /// Reports encrypted files for which the nearest `.sops.yaml` has no rule: once per directory,
    /// or once for the config if there are more than three directories. If the repository has no
    /// `.sops.yaml` at all, there is a single finding at level info, because the recipients can
    /// come from the command line.
    ///
    /// ## Why it matters
    ///
    /// sops cannot encrypt such files again ("no matching creation rules found"), `sops updatekeys`
    /// does not work on them, and sops-lint cannot check their recipients.
    ///
    /// ## Example
    ///
    /// `apps/db.yml` under
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: \.yaml$
    ///     age: age1..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Extend a `path_regex`, or add a rule. `sops-lint policy FILE` shows which rules were tried.
    UncoveredFile, "uncovered-file", Warning, needs Policy,
    "encrypted files that no creation rule governs"
}

impl RepoRule for UncoveredFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let mut without_rule: BTreeMap<&RepoPath, Uncovered<'f>> = BTreeMap::new();
        let mut without_config: Vec<&'f Facts> = Vec::new();
        let mut unusable: BTreeMap<&RepoPath, Uncovered<'f>> = BTreeMap::new();
        // A config that is scanned has findings of its own.
        let is_scanned = |config: &Config| repository.files.binary_search(&&config.path).is_ok();
        // A plaintext Secret has a finding of its own.
        for facts in repository.facts.iter().filter(|facts| facts.is_encrypted) {
            match repository.governing(facts) {
                Governing::NoRule(config) if explains(repository, config, &facts.path) => {}
                Governing::NoRule(config) => {
                    without_rule.entry(&config.path).or_insert((config, Vec::new())).1.push(facts);
                }
                Governing::NoConfig | Governing::Outside(_) => without_config.push(facts),
                Governing::Unusable(config) if !is_scanned(config) => {
                    unusable.entry(&config.path).or_insert((config, Vec::new())).1.push(facts);
                }
                Governing::Unusable(_) | Governing::Rule(..) => {}
            }
        }
        let groups = without_rule.into_values().flat_map(by_directory);
        let no_rule = groups.map(|(config, files)| no_rule(config, &files));
        let unusable = unusable.into_values().map(|(config, files)| no_use(config, &files));
        no_rule.chain(unusable).chain(no_config(repository, &without_config)).collect()
    }
}

/// A config and files that none of its rules matches.
type Uncovered<'f> = (&'f Config, Vec<&'f Facts>);

/// One group for each directory, or one for all of them where they are many.
fn by_directory((config, files): Uncovered<'_>) -> Vec<Uncovered<'_>> {
    const MOST_DIRECTORIES: usize = 3;
    let mut directories: BTreeMap<RepoPath, Vec<&Facts>> = BTreeMap::new();
    for facts in &files {
        directories.entry(facts.path.parent()).or_default().push(facts);
    }
    if directories.len() > MOST_DIRECTORIES {
        return vec![(config, files)];
    }
    directories.into_values().map(|files| (config, files)).collect()
}

fn no_rule<'f>(config: &'f Config, files: &[&'f Facts]) -> (&'f RepoPath, Draft<'f>) {
    let first = &files[0].path;
    let message = format!("no creation rule of {} matches {}", config.path, listing(files));
    let draft = Draft::new(&META, Span::at(0), message).note("not covered").help(
        Advice::from("extend a path_regex or add a rule; see ")
            + Command::new("sops-lint policy").file(first),
    );
    (first, draft)
}

fn no_use<'f>(config: &'f Config, files: &[&'f Facts]) -> (&'f RepoPath, Draft<'f>) {
    let first = &files[0].path;
    let message = format!(
        "{} cannot be used, so the recipients of {} cannot be checked",
        config.path,
        listing(files)
    );
    let scan = Command::new("sops-lint scan").file(&config.path);
    let help = Advice::from("see ") + scan;
    (first, Draft::new(&META, Span::at(0), message).note("not covered").help(help))
}

fn no_config<'f>(
    repository: &Repository<'f>,
    files: &[&'f Facts],
) -> Option<(&'f RepoPath, Draft<'f>)> {
    let first = &files.first()?.path;
    let other = repository.policy.configs().into_iter().next();
    let (level, why, help) = match (repository.policy.governing(first), other) {
        (Governing::Outside(outside), _) => (
            Level::Info,
            format!("the .sops.yaml that sops uses is outside this repository ({outside})"),
            "copy its rules for these files to a .sops.yaml in this repository".to_owned(),
        ),
        (_, None) => (
            Level::Info,
            "there is no .sops.yaml in this repository".to_owned(),
            "write a .sops.yaml with creation_rules at the root of the repository".to_owned(),
        ),
        (_, Some(other)) => (
            META.level,
            format!(
                "there is no .sops.yaml above these files, and {} governs only the files below its directory",
                other.path
            ),
            match common_directory(files) {
                place if place == RepoPath::root() => {
                    "write a .sops.yaml with a creation rule for them at the root of the repository"
                        .to_owned()
                }
                place => format!("write {} with a creation rule for them", place.join(CONFIG_NAME)),
            },
        ),
    };
    let message = format!("{why}, so the recipients of {} cannot be checked", listing(files));
    let draft = Draft::new(&META, Span::at(0), message).level(level).note("not covered").help(help);
    Some((first, draft))
}

/// Returns the lowest directory that is above all these files.
fn common_directory(files: &[&Facts]) -> RepoPath {
    let is_above_all = |place: &&str| files.iter().all(|facts| facts.path.below(place).is_some());
    let place = files.first().and_then(|first| first.path.ancestors().find(is_above_all));
    RepoPath::from(place.unwrap_or_default())
}

/// `apps/a.yaml`, or `3 files in apps (a.yaml, b.yaml, c.yaml)`.
fn listing(files: &[&Facts]) -> String {
    const SHOWN: usize = 3;
    let [only] = files else {
        let directory = files[0].path.parent();
        let is_one_directory = files.iter().all(|file| file.path.parent() == directory);
        let mut names: Vec<String> = files
            .iter()
            .take(SHOWN)
            .map(|file| {
                let name =
                    if is_one_directory { file.path.file_name() } else { file.path.as_str() };
                crate::text::printable::clean_path(name).into_owned()
            })
            .collect();
        if files.len() > SHOWN {
            names.push(format!("and {} more", files.len() - SHOWN));
        }
        let place = if !is_one_directory || directory == RepoPath::root() {
            String::new()
        } else {
            format!(" in {directory}")
        };
        return format!("{}{place} ({})", count(files.len(), "file"), names.join(", "));
    };
    only.path.to_string()
}
