//! A creation rule without recipients.

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, Level, RuleMeta};
use crate::keys::KEY_SERVICES;
use crate::path::RepoPath;
use crate::policy::CreationRule;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds creation rules that have a selector, such as `encrypted_regex`, and no recipients. The
    /// finding is an info if the rule governs encrypted files: their recipients came from elsewhere.
    ///
    /// A rule with neither a selector nor recipients, and a key group without recipients, are
    /// errors of `invalid-sops-config`.
    ///
    /// ## Why it matters
    ///
    /// sops takes the recipients from its command line (`--age`, `--pgp`) or from variables such as
    /// `SOPS_AGE_RECIPIENTS`. If an author forgets them, sops does not encrypt. If an author gives
    /// others, the mistake stays unnoticed: sops-lint cannot compare the recipients of the files with the rule.
    /// `sops updatekeys` does not work under such a rule.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: \.ya?ml$
    ///     encrypted_regex: ^(data|stringData)$
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: \.ya?ml$
    ///     encrypted_regex: ^(data|stringData)$
    ///     age: age1alice..,age1bob..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Write the recipients into the rule. If it is important to you that they come from the
    /// command line, set the level of this rule to `off`.
    MissingRecipients, "missing-recipients", Warning, needs Policy,
    "a creation rule without recipients"
}

impl RepoRule for MissingRecipients {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        // A misspelt field has a finding of its own.
        repository.drafts_of_rules(|config, rule, governed| {
            check_rule(rule, governed).filter(|_| !config.misspells_recipients(rule))
        })
    }
}

fn check_rule<'f>(rule: &'f CreationRule, governed: &[&'f Facts]) -> Option<Draft<'f>> {
    // Without a selector, `invalid-sops-config` reports the rule.
    if !rule.lacks_recipients() || rule.recipe.selector.span.is_none() || rule.key_groups.is_some()
    {
        return None;
    }
    let number = rule.number;
    let encrypted: Vec<&Facts> =
        governed.iter().copied().filter(|facts| facts.is_encrypted).collect();
    let effect = if encrypted.is_empty() {
        "sops encrypts only if its command line or a variable names some".to_owned()
    } else {
        let names = listing(&encrypted, |facts| facts.path.to_string());
        let files = count(encrypted.len(), "file");
        format!("those of {files} ({names}) came from elsewhere and cannot be checked")
    };
    let fields: Vec<_> = KEY_SERVICES.iter().map(|service| service.rule_field()).collect();
    let level = if encrypted.is_empty() { META.level } else { Level::Info };
    let draft = Draft::new(&META, rule.span, format!("rule {number} has no recipients: {effect}"));
    Some(draft.level(level).note("no recipients").help(format!(
        "name the recipients in the rule ({}); until then, updatekeys fails for its files",
        fields.join(", ")
    )))
}
