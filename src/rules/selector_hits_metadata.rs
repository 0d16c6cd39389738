//! A creation rule that would encrypt what Kubernetes has to read.

use std::collections::HashSet;

use super::encrypting::{VALUES_ALONE, governs_others, selecting_values};
use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::document::splice::Edit;
use crate::finding::{Draft, Fix, Level, Remedy, RuleMeta};
use crate::path::RepoPath;
use crate::policy::CreationRule;
use crate::shell::Advice;
use crate::sops::selector::{Field, Selector};
use crate::text::words::{agree, count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Tests the selector of every creation rule on `apiVersion`, `kind` and `metadata.name`. It
    /// reports rules that would encrypt one of them and that govern a Kubernetes manifest: a
    /// Secret with values, or an encrypted object of another kind. It ignores manifests that a
    /// KSOPS generator of the repository decrypts.
    ///
    /// The finding is a warning for a rule without a selector. It is also a warning if there is no
    /// manifest yet, but the rule matches all files and its `encrypted_regex` contains `data`
    /// without `^` and `$`.
    ///
    /// It ignores rules that govern values files, kubeconfigs, Talos configs and other files that
    /// are not manifests: encrypting those completely is right.
    ///
    /// ## Why it matters
    ///
    /// The word `metadata` contains `data`, and a regular expression without `^` and `$` matches
    /// any part of a key. A manifest with an encrypted kind or name is no longer a manifest:
    /// kustomize cannot build it, Flux does not support it, and reviewers cannot see what it is.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// encrypted_regex: data|stringData
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// encrypted_regex: ^(data|stringData)$
    /// ```
    ///
    /// ## How to fix
    ///
    /// Set `encrypted_regex: ^(data|stringData)$` in the rule. If the rule also governs encrypted
    /// files that are not manifests, write a rule for the manifests in front of it instead: sops
    /// would leave the others in plaintext the next time it encrypts them. Then decrypt the
    /// manifests whose kind is encrypted, and encrypt them again: `sops updatekeys` does not change
    /// which keys are encrypted.
    SelectorHitsMetadata, "selector-hits-metadata", Error, needs Policy,
    "a creation rule that would encrypt the kind or name of a Kubernetes manifest"
}

/// The fields that have to stay readable, with their key paths. A selector that covers only names
/// (`^name$`) is intended: KSOPS decrypts these.
const READABLE: [(&str, &[&[&str]]); 3] = [
    ("apiVersion", &[&["apiVersion"]]),
    ("kind", &[&["kind"]]),
    ("metadata", &[&["metadata"], &["metadata", "name"]]),
];

impl RepoRule for SelectorHitsMetadata {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let decrypted = repository.decrypted();
        repository
            .drafts_of_rules(|_, rule, governed| check_rule(repository, rule, governed, &decrypted))
    }
}

fn check_rule<'f>(
    repository: &Repository<'f>,
    rule: &'f CreationRule,
    governed: &[&'f Facts],
    decrypted: &HashSet<&RepoPath>,
) -> Option<Draft<'f>> {
    let selector = &rule.recipe.selector;
    // What a broken one does is said by `invalid-regex`; one for comments depends on comments.
    if selector.error().is_some() || selector.reads_comments() {
        return None;
    }
    let hits =
        READABLE.into_iter().filter(|(_, ways)| ways.iter().all(|keys| selector.selects(keys)));
    let hits: Vec<&str> = hits.map(|(name, _)| name).collect();
    if hits.is_empty() {
        return None;
    }
    // KSOPS decrypts a file before kustomize reads it.
    let is_meant = |facts: &&Facts| {
        facts.is_manifest
            && (facts.is_encrypted || facts.values.any())
            && !decrypted.contains(&facts.path)
    };
    let manifests: Vec<&Facts> = governed.iter().copied().filter(is_meant).collect();
    if manifests.is_empty() && !is_meant_for_secrets(rule, selector) {
        return None;
    }
    let has_selector = selector.span.is_some();
    // Without a selector it may be on purpose: `sops decrypt` can feed `kubectl apply`.
    let is_sure = !manifests.is_empty() && has_selector;
    let message = message(rule, &hits, &manifests);
    let note = if has_selector { "matches more than it should" } else { "no selector" };
    let governs_others = governs_others(governed);
    let mut help = Advice::from(selecting_values(rule, governs_others));
    let hidden: Vec<&Facts> = manifests.iter().copied().filter(|facts| facts.is_hidden()).collect();
    let wide: Vec<&Facts> =
        hidden.iter().copied().filter(|facts| facts.has_other_values()).collect();
    if !wide.is_empty() {
        let first = format!(
            "let the rule cover all secret values, but not apiVersion, kind and metadata: {} {} some outside of data and stringData",
            listing(&wide, |facts| facts.path.to_string()),
            agree(wide.len(), "has", "have")
        );
        help = first.into();
    }
    if let Some(again) = repository.reencrypting(&hidden) {
        help = help + ", then " + again;
    }
    let mut draft = Draft::new(&META, selector.span.unwrap_or(rule.span), message).note(note);
    let remedy = match selector.span {
        Some(span) if selector.field == Field::EncryptedRegex => {
            Some(Remedy::Edit(Edit::new(span, VALUES_ALONE)))
        }
        Some(_) => None,
        None => Some(Remedy::AddSelector(rule.span)),
    };
    if let Some(remedy) = remedy.filter(|_| !governs_others && wide.is_empty()) {
        // What it encrypts beside Secrets may be meant.
        draft = draft.fix(Fix::uncertain(remedy));
    }
    Some(draft.level(if is_sure { META.level } else { Level::Warning }).help(help))
}

fn message(rule: &CreationRule, hits: &[&str], manifests: &[&Facts]) -> String {
    let what = match hits {
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
        [] => String::new(),
    };
    let selector = &rule.recipe.selector;
    let how = if selector.span.is_some() {
        format!("{selector} of rule {} also encrypts {what}", rule.number)
    } else {
        format!("rule {} has no selector, so it encrypts {what}", rule.number)
    };
    if manifests.is_empty() {
        return format!("{how} of Kubernetes manifests");
    }
    let whose = count(manifests.len(), "Kubernetes manifest");
    format!("{how} of {whose} ({})", listing(manifests, |facts| facts.path.to_string()))
}

/// Returns true if a rule applies to all files and its selector names the fields of Secrets.
fn is_meant_for_secrets(rule: &CreationRule, selector: &Selector) -> bool {
    let is_for_all = rule.path_regex().is_none() || rule.is_catch_all_in("");
    is_for_all
        && selector.field == Field::EncryptedRegex
        && selector.span.is_some()
        && (selector.names("data") || selector.names("stringData"))
}
