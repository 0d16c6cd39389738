//! A creation rule that would leave the values of Secrets in plaintext.

use super::encrypting::{VALUES_ALONE, governs_others, selecting_values};
use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::document::splice::Edit;
use crate::finding::{Draft, Fix, Level, Remedy, RuleMeta};
use crate::kubernetes::VALUE_FIELDS;
use crate::path::RepoPath;
use crate::policy::CreationRule;
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
        repository.drafts_of_rules(|_, rule, governed| check_rule(rule, governed))
    }
}

fn check_rule<'f>(rule: &'f CreationRule, governed: &[&'f Facts]) -> Option<Draft<'f>> {
    let selector = &rule.recipe.selector;
    // Without a selector all is encrypted; a broken one is said by `invalid-regex`.
    let span =
        selector.span.filter(|_| selector.error().is_none() && !selector.reads_comments())?;
    let is_left = VALUE_FIELDS.map(|field| !selector.selects(&[field, "a value"]));
    let suffers = |field: usize| {
        governed.iter().copied().filter(move |facts| {
            // Who picks single keys of a Secret does so on purpose.
            let picks_keys = is_left == [true, true] && facts.values.covered > 0;
            is_left[field] && facts.values.exposed[field] > 0 && !picks_keys
        })
    };
    let names_neither = is_left == [true, true];
    let mut suffering: Vec<&Facts> = suffers(0).chain(suffers(1)).collect();
    suffering.sort_unstable_by_key(|facts| &facts.path);
    suffering.dedup_by_key(|facts| &facts.path);
    // A rule for other files may name one of the fields by chance.
    let governs_secrets = governed.is_empty() || governed.iter().any(|facts| facts.secrets > 0);
    if suffering.is_empty() && (is_left[0] == is_left[1] || !governs_secrets) {
        return None;
    }
    // Plaintext is an error of its own, and a rule that picks keys may not have been meant for it.
    let is_sure = suffering.iter().any(|facts| facts.is_encrypted || !names_neither);
    let level = if is_sure { META.level } else { Level::Warning };
    let governs_others = governs_others(governed);
    let wider = wider(rule, is_left);
    let mut help = match &wider {
        Some(wider) if wider == VALUES_ALONE => format!("write `encrypted_regex: {wider}`"),
        Some(wider) => format!("write `encrypted_regex: {wider}`, in single quotes"),
        None => selecting_values(rule, governs_others),
    };
    if suffering.iter().any(|facts| !facts.is_encrypted || facts.is_reported) {
        help += ", then encrypt the plaintext values, and change them if they were ever pushed";
    }
    let message = message(rule, is_left, &suffering);
    let draft = Draft::new(&META, span, message).level(level).note("leaves values out").help(help);
    let fix = |wider: String| Fix::uncertain(Remedy::Edit(Edit::new(span, wider)));
    Some(match wider {
        // In single quotes a quote is written twice.
        Some(wider) if wider == VALUES_ALONE => draft.fix(fix(wider)),
        Some(wider) => draft.fix(fix(format!("'{}'", wider.replace('\'', "''")))),
        None => draft,
    })
}

/// Returns the `encrypted_regex` that covers the missing fields too, and all that it covers now. `None` for
/// other selectors.
fn wider(rule: &CreationRule, is_left: [bool; 2]) -> Option<String> {
    let selector = &rule.recipe.selector;
    let pattern = (selector.field == Field::EncryptedRegex).then_some(selector.text.as_str())?;
    let missing = VALUE_FIELDS.into_iter().zip(is_left).filter(|(_, is_left)| *is_left);
    let missing = missing.map(|(field, _)| field).collect::<Vec<_>>().join("|");
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let names =
        inner.map(|it| it.strip_prefix('(').and_then(|it| it.strip_suffix(')')).unwrap_or(it));
    let is_plain = |names: &str| names.chars().all(|c| c.is_alphanumeric() || "_-|".contains(c));
    Some(match names.filter(|names| is_plain(names)) {
        Some(names) if names.split('|').all(|name| VALUE_FIELDS.contains(&name)) => {
            VALUES_ALONE.to_owned()
        }
        Some(names) => format!("^({names}|{missing})$"),
        None => format!("{pattern}|^({missing})$"),
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
    format!("{how} of the Secrets in {files} in plaintext ({names})")
}
