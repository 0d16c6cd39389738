//! A creation rule that would encrypt what Kubernetes has to read.

use std::collections::HashSet;

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use super::secret_selector::{hits, phrase};
use super::selecting::{selecting_values, suffering};
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{Config, CreationRule};
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

impl RepoRule for SelectorHitsMetadata {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let decrypted = repository.decrypted();
        repository.drafts_of_rules(|config, rule, governed| {
            check_rule(repository, (config, rule), governed, &decrypted)
        })
    }
}

/// A rule that would encrypt what Kubernetes has to read.
struct Hit<'f> {
    /// The fields that it would encrypt.
    fields: Vec<&'static str>,
    /// The manifests that it governs.
    manifests: Vec<&'f Facts>,
}

/// Returns true if this rule reports a creation rule whose Secrets all have covered values.
pub(super) fn reports(
    repository: &Repository<'_>,
    rule: &CreationRule,
    governed: &[&Facts],
) -> bool {
    hit(rule, governed, &repository.decrypted()).is_some()
}

fn hit<'f>(
    rule: &CreationRule,
    governed: &[&'f Facts],
    decrypted: &HashSet<&RepoPath>,
) -> Option<Hit<'f>> {
    let selector = &rule.recipe.selector;
    // What a broken one does is said by `invalid-regex`; one for comments depends on comments.
    if selector.error().is_some() || selector.reads_comments() {
        return None;
    }
    let fields = hits(selector);
    // KSOPS decrypts a file before kustomize reads it.
    let is_meant = |facts: &&Facts| {
        facts.is_manifest
            && (facts.is_encrypted || facts.values.any())
            && !decrypted.contains(&facts.path)
    };
    let manifests: Vec<&Facts> = governed.iter().copied().filter(is_meant).collect();
    let is_hit =
        !fields.is_empty() && (!manifests.is_empty() || is_meant_for_secrets(rule, selector));
    is_hit.then_some(Hit { fields, manifests })
}

fn check_rule<'f>(
    repository: &Repository<'f>,
    (config, rule): (&'f Config, &'f CreationRule),
    governed: &[&'f Facts],
    decrypted: &HashSet<&RepoPath>,
) -> Option<Draft<'f>> {
    let Hit { fields, manifests } = hit(rule, governed, decrypted)?;
    let selector = &rule.recipe.selector;
    let has_selector = selector.span.is_some();
    let hidden: Vec<&Facts> = manifests.iter().copied().filter(|facts| facts.is_hidden()).collect();
    // The help of `selector-misses-data` corrects both.
    if has_selector && hidden.is_empty() && !suffering(selector, governed).is_empty() {
        return None;
    }
    // Without a selector it may be on purpose: `sops decrypt` can feed `kubectl apply`.
    let is_sure = !manifests.is_empty() && has_selector;
    let message = message(rule, &fields, &manifests);
    let note = if has_selector { "matches more than it should" } else { "no selector" };
    // What it encrypts beside Secrets may be meant.
    let (mut help, mut fix) = selecting_values(repository, (config, rule), governed);
    let wide: Vec<&Facts> =
        hidden.iter().copied().filter(|facts| facts.has_other_values()).collect();
    if !wide.is_empty() {
        let first = format!(
            "let the rule cover all secret values, but not apiVersion, kind and metadata: {} {} some outside of data and stringData",
            listing(&wide, |facts| facts.path.to_string()),
            agree(wide.len(), "has", "have")
        );
        (help, fix) = (first.into(), None);
    }
    if let Some(again) = repository.reencrypting(&hidden) {
        help = help + ", then " + again;
    }
    let level = if is_sure { META.level } else { Level::Warning };
    let draft = Draft::new(&META, selector.span.unwrap_or(rule.span), message).note(note);
    let draft = draft.level(level).help(help);
    Some(match fix {
        Some(fix) => draft.fix(fix),
        None => draft,
    })
}

fn message(rule: &CreationRule, hits: &[&str], manifests: &[&Facts]) -> String {
    let what = phrase(hits);
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
