//! Files that no creation rule governs. One note per directory, since nobody wants a hundred.

use std::collections::BTreeMap;

use super::{Facts, RepoRule, Repository, count, declare_rule};
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{Config, Governing};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Notes, once per directory, encrypted files and Secrets with values for which the nearest
    /// `.sops.yaml` has no rule. Where there is no `.sops.yaml` at all, there is a single note for
    /// the whole repository, at level info: recipients can come from the command line.
    ///
    /// ## Why it matters
    ///
    /// `sops` refuses to encrypt such files ("no matching creation rules found"), `updatekeys`
    /// does not work, and sops-lint cannot tell whether their recipients are the right ones.
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
    /// Extend a `path_regex`, or add a rule. `sops-lint policy FILE` shows what was tried.
    UncoveredFile, "uncovered-file", Warning, needs Policy,
    "encrypted files or Secrets that no creation rule governs"
}

impl RepoRule for UncoveredFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let mut without_rule: BTreeMap<String, (&'f Config, Vec<&'f Facts>)> = BTreeMap::new();
        let mut without_config: Vec<&'f Facts> = Vec::new();
        for facts in repository
            .facts
            .iter()
            .filter(|facts| facts.is_encrypted || facts.secrets_with_values > 0)
        {
            match repository.policy.governing(&facts.path) {
                Governing::NoRule(config) => {
                    let directory = facts.path.parent().as_str().to_owned();
                    without_rule.entry(directory).or_insert((config, Vec::new())).1.push(facts);
                }
                // A plaintext Secret in a repository without sops is reported as such already.
                Governing::NoConfig if facts.is_encrypted => without_config.push(facts),
                Governing::NoConfig | Governing::Unusable(_) | Governing::Rule(..) => {}
            }
        }
        let no_rule = without_rule.into_values().map(|(config, files)| no_rule(config, &files));
        no_rule.chain(no_config(repository, &without_config)).collect()
    }
}

fn no_rule<'f>(config: &'f Config, files: &[&'f Facts]) -> (&'f RepoPath, Draft<'f>) {
    let first = &files[0].path;
    let message = format!("no creation rule of {} matches {}", config.path, listing(files));
    let draft = Draft::new(&META, Span::at(0), message).note("not covered").help(format!(
        "extend a path_regex or add a rule; see sops-lint policy {}",
        super::quoted(first.as_str())
    ));
    (first, draft)
}

fn no_config<'f>(
    repository: &Repository<'f>,
    files: &[&'f Facts],
) -> Option<(&'f RepoPath, Draft<'f>)> {
    let first = &files.first()?.path;
    let (level, where_) = if repository.policy.is_empty() {
        (Level::Info, "there is no .sops.yaml in this repository")
    } else {
        (META.level, "no .sops.yaml stands above these files")
    };
    let message = format!("{where_}, so the recipients of {} cannot be checked", listing(files));
    let draft = Draft::new(&META, Span::at(0), message)
        .level(level)
        .note("not covered")
        .help("write a .sops.yaml with creation_rules at the root of the repository");
    Some((first, draft))
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
