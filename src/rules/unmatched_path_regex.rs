//! A `path_regex` that misses files because of its beginning.

use super::facts::Facts;
use super::glob_like_regex::looks_like_glob;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{
    Beginning, Config, Correction, CreationRule, Governing, MAX_DIRECTORIES, MAX_MATCHES, Matches,
};
use crate::shell::Advice;
use crate::sops::recipe::drift;
use crate::text::printable;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `path_regex` that matches no file of the repository, and that would match some
    /// without its beginning:
    ///
    /// * `^\./infra/`, `/infra/`, `^/home/me/repo/infra/`: no path begins with `./` or `/`,
    /// * `~/infra/`, `${HOME}/infra/`, `\\infra\\`: sops expands nothing, and paths have slashes,
    /// * `^apps/db/` in `apps/.sops.yaml`: no path begins with the directory of the config,
    /// * `.*/production/`: it needs a directory above `production`.
    ///
    /// If the pattern matches other files, it reports the rule only if files that are encrypted or
    /// contain Secrets get other recipients, or none, because of the beginning.
    ///
    /// ## Why it matters
    ///
    /// sops matches paths that are relative to the directory of the `.sops.yaml`. If a rule does not
    /// match, sops uses the next rule that does, with other recipients, and without any message.
    ///
    /// With `sops --config`, a file outside this directory has an absolute path. If you use sops like
    /// this, ignore the finding.
    ///
    /// ## Example
    ///
    /// Bad: the second rule governs `production/db.yaml`
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: .*/production/.*
    ///     age: age1operators..
    ///   - age: age1developers..
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: (^|/)production/
    ///     age: age1operators..
    ///   - age: age1developers..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Use the regular expression from the help, if the rule is meant for these files.
    /// `sops-lint policy FILE` shows which rules sops tries before one matches. Files that are
    /// already encrypted keep their recipients until you run `sops updatekeys`.
    UnmatchedPathRegex, "unmatched-path-regex", Warning, needs Policy,
    "a path_regex that misses files because of its beginning"
}

impl RepoRule for UnmatchedPathRegex {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let governed = repository.by_config();
        let mut found = Vec::new();
        for config in repository.configs() {
            let matches = repository.matches(config);
            let files = governed.get(&config.path).map_or(&[][..], Vec::as_slice);
            let most = files.len().max(matches.paths().len()).saturating_mul(MAX_DIRECTORIES);
            let is_cheap = config.rules.len().saturating_mul(most) < MAX_MATCHES;
            for (at, rule) in config.rules.iter().enumerate().filter(|_| is_cheap) {
                let Some(corrections) = corrections(config, rule) else { continue };
                let draft = if matches.matched(at).next().is_none() {
                    matching_nothing(repository, config, rule, &corrections, (&matches, files))
                } else {
                    missing_files(repository, config, rule, &corrections, files)
                };
                found.extend(draft.map(|draft| (&config.path, draft)));
            }
        }
        found
    }
}

/// Returns the corrections of a rule that has some. `glob-like-regex` reports globs.
fn corrections(config: &Config, rule: &CreationRule) -> Option<Vec<Correction>> {
    rule.path_regex().filter(|text| !looks_like_glob(text))?;
    let corrections = rule.corrections(&config.path.parent());
    (!corrections.is_empty()).then_some(corrections)
}

/// Returns true if this rule reports why no creation rule of a config matches a file.
pub(super) fn explains(repository: &Repository<'_>, config: &Config, path: &RepoPath) -> bool {
    let is_reported = repository.is_whole && repository.configs().any(|it| it.path == config.path);
    let missed = config.missed_by(path).filter(|_| is_reported);
    missed.is_some_and(|(rule, _)| corrections(config, rule).is_some())
}

/// The draft about a rule that matches no file.
fn matching_nothing<'f>(
    repository: &Repository<'f>,
    config: &'f Config,
    rule: &'f CreationRule,
    corrections: &[Correction],
    (matches, facts): (&Matches<'f>, &[&'f Facts]),
) -> Option<Draft<'f>> {
    let paths = matches.paths_to_try();
    let meant = corrections.iter().find_map(|correction| {
        let files: Vec<&str> =
            paths.iter().copied().filter(|path| correction.pattern.is_match(path)).collect();
        (!files.is_empty()).then_some((correction, files))
    });
    let (correction, files) = meant?;
    let shown = printable::clean(rule.path_regex()?);
    let number = rule.number;
    let message = format!(
        "path_regex {shown} of rule {number} matches no file: {}",
        reason(correction, config)
    );
    let directory = config.path.parent();
    let names = listing(&files, |path| directory.join(path).to_string());
    let effect = format!("it then matches {} ({names})", count(files.len(), "file"));
    let missed = missed(repository, rule, correction, facts);
    let message = message + &instead(repository, &missed);
    Some(draft(repository, (config, rule), correction, message, (&effect, &missed)))
}

/// The draft about a rule that matches some files, and misses others with secrets.
fn missing_files<'f>(
    repository: &Repository<'f>,
    config: &'f Config,
    rule: &'f CreationRule,
    corrections: &[Correction],
    facts: &[&'f Facts],
) -> Option<Draft<'f>> {
    let mut ways = corrections.iter().map(|it| (it, missed(repository, rule, it, facts)));
    let (correction, missed) = ways.find(|(_, missed)| !missed.is_empty())?;
    let shown = printable::clean(rule.path_regex()?);
    let message = format!(
        "path_regex {shown} of rule {} misses {}: {}{}",
        rule.number,
        count(missed.len(), "file"),
        reason(correction, config),
        instead(repository, &missed)
    );
    Some(draft(
        repository,
        (config, rule),
        correction,
        message,
        ("it then matches them too", &missed),
    ))
}

/// Returns the files with secrets that a rule would govern with the corrected pattern, if they have other
/// recipients now, or no rule.
fn missed<'f>(
    repository: &Repository<'f>,
    rule: &CreationRule,
    correction: &Correction,
    facts: &[&'f Facts],
) -> Vec<&'f Facts> {
    let has_secrets = |facts: &&Facts| facts.secrets > 0 || facts.is_encrypted || facts.is_reported;
    let is_missed = |facts: &&Facts| match repository.governing(facts) {
        Governing::Rule(config, other) => {
            let is_later = other.number > rule.number;
            let relative = facts.path.below(config.path.parent().as_str());
            let is_other = !drift(&other.recipe, &rule.recipe).is_none();
            is_later && is_other && relative.is_some_and(|it| correction.pattern.is_match(it))
        }
        Governing::NoRule(config) => {
            let relative = facts.path.below(config.path.parent().as_str());
            relative.is_some_and(|it| correction.pattern.is_match(it))
        }
        _ => false,
    };
    facts.iter().copied().filter(has_secrets).filter(is_missed).collect()
}

/// Says why the beginning does not match.
pub fn reason(correction: &Correction, config: &Config) -> String {
    let why = match correction.beginning {
        Beginning::Dot => ", and none begins with ./",
        Beginning::Slash => ", and none begins with /",
        Beginning::Home => ", and sops expands neither ~ nor variables",
        Beginning::Backslash => ", and have / between directories",
        Beginning::OwnDirectory => ", so none begins with that directory",
        Beginning::AnyDirectory => ", and the pattern needs a directory before the /",
    };
    format!("paths are relative to the directory of {}{why}", config.path)
}

/// Says which rule governs the files instead.
fn instead(repository: &Repository<'_>, missed: &[&Facts]) -> String {
    let Some(first) = missed.first() else { return String::new() };
    let names = listing(missed, |facts| facts.path.to_string());
    match repository.governing(first).rule() {
        Some((_, other)) => {
            format!("; rule {}, with other recipients, governs {names}", other.number)
        }
        None => format!("; no rule governs {names}"),
    }
}

fn draft<'f>(
    repository: &Repository<'f>,
    (config, rule): (&'f Config, &'f CreationRule),
    correction: &Correction,
    message: String,
    (effect, missed): (&str, &[&'f Facts]),
) -> Draft<'f> {
    let pattern = printable::clean(correction.pattern.as_str());
    let help = Advice::from(format!(
        "if the rule is meant for these files, write path_regex `{pattern}`, in single quotes, in rule {} of {}: {effect}",
        rule.number, config.path
    ));
    let differs = |facts: &&&Facts| facts.agrees_with != Some(rule.number);
    let missed: Vec<&Facts> = missed.iter().filter(differs).copied().collect();
    let update = repository.updating(&missed).filter(|_| !rule.lacks_recipients());
    let help = match update {
        Some(update) => help + "; then " + update,
        None => help,
    };
    // Each rule of a config has a finding of its own.
    let key_path = format!("creation_rules[{}].path_regex", rule.number - 1);
    Draft::new(&META, rule.span, message).at(0, Some(key_path)).note("misses files").help(help)
}
