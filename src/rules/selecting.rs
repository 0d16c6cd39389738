//! The way to a creation rule that encrypts the values of Secrets and leaves their kind readable. No file
//! that the rule governs loses protection unasked.

use std::collections::HashSet;

use super::facts::Facts;
use super::repository::Repository;
use super::secret_selector::{Proposal, VALUES_ALONE, left, proposal, quoted, written};
use crate::document;
use crate::document::splice::Edit;
use crate::finding::{Fix, Remedy};
use crate::path::RepoPath;
use crate::policy::{Config, CreationRule};
use crate::shell::Advice;
use crate::sops::selector::Selector;
use crate::text::words::{agree, count, listing};
use crate::traces;

/// Returns the files whose Secrets have values in the fields that a selector leaves out.
pub(super) fn suffering<'f>(selector: &Selector, governed: &[&'f Facts]) -> Vec<&'f Facts> {
    let is_left = left(selector);
    let suffers = |facts: &&Facts| {
        // A selector that picks single keys of a Secret is intended.
        let picks_keys = is_left == [true, true] && facts.values.covered > 0;
        !picks_keys && (0..2).any(|field| is_left[field] && facts.values.exposed[field] > 0)
    };
    governed.iter().copied().filter(suffers).collect()
}

/// Tells how to make a rule encrypt the values of Secrets, and returns the edit if no file can lose by it.
pub(super) fn selecting_values(
    repository: &Repository<'_>,
    (config, rule): (&Config, &CreationRule),
    governed: &[&Facts],
) -> (Advice, Option<Fix>) {
    let others = others(repository, (config, rule), governed);
    let is_harmless = repository.is_whole && others.is_empty();
    let span = rule.recipe.selector.span;
    if let Some((proposal, span)) = proposal(&rule.recipe.selector).zip(span) {
        let edit = Edit::new(span, quoted(&proposal.selector));
        let fix = (is_harmless || !proposal.is_narrower).then_some(Remedy::Edit(edit));
        return (replacing(&proposal, &others, is_harmless).into(), fix.map(Fix::uncertain));
    }
    let number = rule.number;
    let selector = format!("`encrypted_regex: {VALUES_ALONE}`");
    if !is_harmless {
        let verb = if others.is_empty() { "may also govern" } else { "also governs" };
        let files =
            if others.is_empty() { String::new() } else { format!(" ({})", names(&others)) };
        let help = format!(
            "write a rule for the manifests with {selector} before rule {number}, which {verb} other files{files}"
        );
        return (help.into(), None);
    }
    let (help, remedy) = if let Some(span) = span {
        (format!("write {selector}"), Remedy::Edit(Edit::new(span, VALUES_ALONE)))
    } else {
        (format!("add {selector} to the rule"), Remedy::AddSelector(rule.span))
    };
    (help.into(), Some(Fix::uncertain(remedy)))
}

/// Tells what to write, and which files have to be looked at first.
fn replacing(proposal: &Proposal, others: &[RepoPath], is_harmless: bool) -> String {
    let write = format!("write {}", written(&proposal.selector));
    if is_harmless || !proposal.is_narrower {
        return write;
    }
    let whose = match others.len() {
        0 => "files of the rule may".to_owned(),
        number => format!("{} ({}) may", count(number, "file"), names(others)),
    };
    let its = agree(others.len(), "it", "they");
    format!(
        "{write}, and name in it the other keys with secrets: {whose} have some under keys that only the old selector names, and {its} would stay in plaintext"
    )
}

fn names(others: &[RepoPath]) -> String {
    listing(others, ToString::to_string)
}

/// Returns the files that a rule governs and that may lose by a selector for the values of Secrets: those
/// that do, and those whose content is not known here.
fn others(
    repository: &Repository<'_>,
    (config, rule): (&Config, &CreationRule),
    governed: &[&Facts],
) -> Vec<RepoPath> {
    let known: HashSet<&RepoPath> = governed.iter().map(|facts| &facts.path).collect();
    let at = rule.number - 1;
    let directory = config.path.parent();
    let is_unknown = |path: &RepoPath| {
        !known.contains(path)
            && document::format_of(path).is_some()
            && !traces::is_kustomization(path)
            && config.governing(path).rule().is_some_and(|(_, it)| it.number == rule.number)
    };
    let Some(config) = repository.configs().find(|it| it.path == config.path) else {
        return Vec::new();
    };
    let matches = repository.matches(config);
    let matched = matches.matched(at).map(|path| directory.join(matches.paths()[path]));
    let unknown = matched.filter(is_unknown);
    let losing = governed.iter().filter(|facts| facts.is_uncovered).map(|facts| facts.path.clone());
    losing.chain(unknown).collect()
}
