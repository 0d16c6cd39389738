//! A `path_regex` that matches more, or less, than its author will have thought.

use super::facts::Facts;
use super::glob_like_regex::{falling_out, looks_like_glob};
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::document::FORMATS;
use crate::finding::{Draft, RuleMeta};
use crate::path::RepoPath;
use crate::pattern::{Pattern, alternatives};
use crate::policy::{Config, CreationRule, Governing, MAX_MATCHES, Matches};
use crate::text::printable;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `path_regex` that ends in a file extension and
    ///
    /// * has neither a backslash before the dot nor a `$` at the end, unless it names one file,
    /// * or lacks one of the two, and therefore matches files of the repository that it should not
    ///   match: `db.yaml.bak`, `my-yaml`,
    /// * or covers only `.yaml`, while the repository has Secrets in `.yml` files that no rule
    ///   matches.
    ///
    /// ## Why it matters
    ///
    /// A pattern matches anywhere in a path, and a dot matches any character. So a rule can match a
    /// backup, and sops encrypts the whole backup as a binary file.
    ///
    /// ## Example
    ///
    /// Loose: matches `db.yaml.bak`, but not `db.yml`
    ///
    /// ```yaml
    /// path_regex: .*.yaml
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// path_regex: \.ya?ml$
    /// ```
    ///
    /// ## How to fix
    ///
    /// Write a backslash before the dot, and a `$` at the end.
    LoosePathRegex, "loose-path-regex", Info, needs Policy,
    "a path_regex that matches more or fewer files than it seems to"
}

impl RepoRule for LoosePathRegex {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let mut found = Vec::new();
        let governed = repository.by_config();
        for config in repository.configs() {
            let matches = repository.matches(config);
            let files = governed.get(&config.path).map_or(&[][..], Vec::as_slice);
            let is_cheap = config.rules.len().saturating_mul(files.len()) < MAX_MATCHES;
            let files = if is_cheap { files } else { &[] };
            let by_ending = |rule| by_ending(repository, config, rule, files);
            let rules = config.rules.iter().enumerate();
            let drafts = rules.filter_map(|(at, rule)| {
                by_shape((config, rule), at, &matches).or_else(|| by_ending(rule))
            });
            found.extend(drafts.map(|draft| (&config.path, draft)));
        }
        found
    }
}

/// A pattern that ends in a file extension.
struct Shape<'p> {
    /// The text before the dot.
    stem: &'p str,
    extension: &'p str,
    is_dot_loose: bool,
    is_end_loose: bool,
}

impl Shape<'_> {
    fn is_loose(&self) -> bool {
        self.is_dot_loose || self.is_end_loose
    }

    /// Returns the pattern for the same files and no others.
    fn tight(&self) -> String {
        format!(r"{}\.{}$", self.stem, self.extension)
    }
}

/// The patterns that match `yaml` and `yml`.
const BOTH_OF_YAML: [&str; 4] = ["ya?ml", "y(a)?ml", "(yaml|yml)", "(yml|yaml)"];

fn shape(text: &str) -> Option<Shape<'_>> {
    let open = text.strip_suffix('$').unwrap_or(text);
    let endings = FORMATS.iter().flat_map(|format| format.endings());
    let with_dot = endings.chain(&BOTH_OF_YAML).find_map(|extension| {
        let before = open.strip_suffix(extension)?;
        before.ends_with('.').then_some(before)
    })?;
    let extension = &open[with_dot.len()..];
    let with_dot = with_dot.strip_suffix('.')?;
    Some(Shape {
        stem: with_dot.strip_suffix('\\').unwrap_or(with_dot),
        extension,
        is_dot_loose: !with_dot.ends_with('\\'),
        is_end_loose: open.len() == text.len(),
    })
}

fn by_shape<'f>(
    (config, rule): (&'f Config, &'f CreationRule),
    at: usize,
    matches: &Matches<'f>,
) -> Option<Draft<'f>> {
    let text = rule.path_regex().filter(|text| !looks_like_glob(text))?;
    let parts: Vec<(&str, Option<Shape<'_>>)> = alternatives(text)
        .into_iter()
        .map(|part| (part, shape(part).filter(Shape::is_loose)))
        .collect();
    let shape = parts.iter().find_map(|(_, shape)| shape.as_ref())?;
    let tight =
        parts.iter().map(|(part, shape)| shape.as_ref().map_or((*part).to_owned(), Shape::tight));
    let tight = tight.collect::<Vec<_>>().join("|");
    let meant = Pattern::new(&tight).ok()?;
    let tried = matches.paths_to_try().iter().enumerate();
    let by_accident =
        tried.filter(|(path, text)| matches.is_match(at, *path) && !meant.is_match(text));
    let lost: Vec<usize> = by_accident.map(|(path, _)| path).collect();
    let files: Vec<&str> = lost.iter().map(|path| matches.paths()[*path]).collect();
    let shown = printable::clean(text);
    let also = if files.is_empty() {
        // The name of a single file is clear enough without.
        let is_pattern = shape.stem.contains(['*', '+']);
        if !(shape.is_dot_loose && shape.is_end_loose && is_pattern) {
            return None;
        }
        let ending = plain(shape.extension);
        format!("matches names that go on after .{ending} too, such as db.{ending}.bak")
    } else {
        let names = listing(&files, |path| printable::clean_path(path).into_owned());
        let files = count(files.len(), "file");
        format!("also matches {files} without the ending .{} ({names})", plain(shape.extension))
    };
    let message = format!("path_regex {shown} of rule {} {also}", rule.number);
    let help = format!("write `{}`, in single quotes", printable::clean(&tight));
    let lost = falling_out(config, at, matches, &lost);
    let help = lost.map_or(help.clone(), |lost| format!("{help}; {lost}"));
    Some(Draft::new(&META, rule.span, message).note("loose").help(help))
}

/// `yaml` for `ya?ml` and the like.
fn plain(extension: &str) -> &str {
    if BOTH_OF_YAML.contains(&extension) || extension == "yml" { "yaml" } else { extension }
}

/// Secrets that no rule matches, and that this one would if they ended in `.yaml`.
fn by_ending<'f>(
    repository: &Repository<'f>,
    config: &'f Config,
    rule: &'f CreationRule,
    files: &[&'f Facts],
) -> Option<Draft<'f>> {
    let text = rule.path_regex().filter(|text| !looks_like_glob(text))?;
    let is_yaml = |shape: &Shape<'_>| shape.extension == "yaml";
    let parts = alternatives(text).into_iter();
    let parts: Vec<_> = parts.map(|part| (part, shape(part).filter(is_yaml))).collect();
    parts.iter().find(|(_, shape)| shape.is_some())?;
    let directory = config.path.parent();
    let is_missed = |facts: &&Facts| {
        let is_meant = facts.secrets > 0 || facts.has_sops || facts.is_reported;
        let relative = facts.path.below(directory.as_str()).filter(|_| is_meant);
        let renamed = relative.and_then(|path| path.strip_suffix(".yml"));
        renamed.is_some_and(|stem| rule.matches(&format!("{stem}.yaml")) == Some(true))
            && matches!(repository.governing(facts), Governing::NoRule(_))
    };
    let missed: Vec<&Facts> = files.iter().copied().filter(is_missed).collect();
    if missed.is_empty() {
        return None;
    }
    let names = listing(&missed, |facts| facts.path.to_string());
    let message = format!(
        "path_regex {} of rule {} does not match {} that ends in .yml ({names})",
        printable::clean(text),
        rule.number,
        count(missed.len(), "file")
    );
    let wide = |shape: &Shape<'_>| format!(r"{}\.ya?ml$", shape.stem);
    let wide = parts.iter().map(|(part, it)| it.as_ref().map_or((*part).to_owned(), wide));
    let wide = wide.collect::<Vec<_>>().join("|");
    let help = format!("write `{}`, in single quotes", printable::clean(&wide));
    Some(Draft::new(&META, rule.span, message).note("only .yaml").help(help))
}
