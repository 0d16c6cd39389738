//! A creation rule that would leave the values of Secrets in plaintext.

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use super::secret_selector::{hits, left, phrase};
use super::selecting::{selecting_values, suffering};
use super::selector_hits_metadata;
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{Config, CreationRule};
use crate::sops::selector::Field;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Tests the selector of every creation rule on the values of the Secrets that the rule
    /// governs.
    ///
    /// * A selector that covers only one of `data` and `stringData` is a warning. It is an error if
    ///   a Secret has values under the other one.
    /// * A selector that covers neither is an error if the rule governs an encrypted Secret. If it
    ///   governs only unencrypted Secrets, the finding is a warning, because other rules report
    ///   those Secrets.
    ///
    /// It ignores selectors that cover single keys of Secrets (`^(password|token)$`), and selectors
    /// that cover neither field and govern no Secret.
    ///
    /// ## Why it matters
    ///
    /// sops encrypts the values that the selector covers and leaves the others unchanged. The file
    /// has metadata and a MAC and looks encrypted, but its secret is in plaintext.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// encrypted_regex: ^data$
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
    /// Make the selector cover both fields. A file keeps the selector that it was made with, so
    /// decrypt the affected files and encrypt them again. Replace the secrets that were pushed in
    /// plaintext.
    SelectorMissesData, "selector-misses-data", Error, needs Policy, Weakness(75),
    "a creation rule that would leave data or stringData of a Secret in plaintext"
}

impl RepoRule for SelectorMissesData {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        repository.drafts_of_rules(|config, rule, governed| {
            check_rule(repository, config, rule, governed)
        })
    }
}

fn check_rule<'f>(
    repository: &Repository<'f>,
    config: &'f Config,
    rule: &'f CreationRule,
    governed: &[&'f Facts],
) -> Option<Draft<'f>> {
    let selector = &rule.recipe.selector;
    // Without a selector all is encrypted; a broken one is said by `invalid-regex`.
    let span =
        selector.span.filter(|_| selector.error().is_none() && !selector.reads_comments())?;
    let (is_left, suffering) = (left(selector), suffering(selector, governed));
    let names_neither = is_left == [true, true];
    // A rule for other files may name one of the fields by chance.
    let governs_secrets = governed.is_empty() || governed.iter().any(|facts| facts.secrets > 0);
    if suffering.is_empty() {
        let is_odd = is_left[0] != is_left[1] && governs_secrets;
        // One help is enough: that of `selector-hits-metadata` covers both fields.
        if !is_odd || selector_hits_metadata::reports(repository, rule, governed) {
            return None;
        }
    }
    // Plaintext is an error of its own, and a rule that picks keys may not have been meant for it.
    let is_sure = suffering.iter().any(|facts| facts.is_encrypted || !names_neither);
    let level = if is_sure { META.level } else { Level::Warning };
    let (mut help, fix) = selecting_values(repository, (config, rule), governed);
    if suffering.iter().any(|facts| !facts.is_encrypted || facts.is_reported) {
        help =
            help + ", then encrypt the plaintext values, and change them if they were ever pushed";
    }
    let message = message(rule, is_left, &suffering);
    let draft = Draft::new(&META, span, message).level(level).note("leaves values out").help(help);
    // A selector takes the place of another one only if both have the same field.
    let is_regex = selector.field == Field::EncryptedRegex;
    Some(match fix.filter(|_| is_regex) {
        Some(fix) => draft.fix(fix),
        None => draft,
    })
}

fn message(rule: &CreationRule, is_left: [bool; 2], suffering: &[&Facts]) -> String {
    let what = match is_left {
        [true, false] => "data",
        [false, _] => "stringData",
        _ => "data and stringData",
    };
    let how = format!("{} of rule {} would leave {what}", rule.recipe.selector, rule.number);
    if suffering.is_empty() {
        return format!("{how} of Secrets in plaintext");
    }
    let files = count(suffering.len(), "file");
    let names = listing(suffering, |facts| facts.path.to_string());
    let also = match &hits(&rule.recipe.selector)[..] {
        [] => String::new(),
        fields => format!("; it also encrypts {} of Kubernetes manifests", phrase(fields)),
    };
    format!("{how} of the Secrets in {files} in plaintext ({names}){also}")
}
