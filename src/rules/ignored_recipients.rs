//! Recipients that a creation rule names and sops does not see.

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, RuleMeta};
use crate::keys::{Recipient, Sameness};
use crate::path::RepoPath;
use crate::policy::CreationRule;
use crate::shell::Advice;
use crate::sops::recipe::Lookup;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds recipients in fields such as `age`, `pgp` or `kms` of a creation rule that also has
    /// `key_groups`, if no key group names them.
    ///
    /// ## Why it matters
    ///
    /// If a rule has key groups, sops ignores these fields without any message. The recipients in
    /// them cannot decrypt.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// - path_regex: \.ya?ml$
    ///   age: age1bob..
    ///   key_groups:
    ///     - age: [age1alice..]
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// - path_regex: \.ya?ml$
    ///   key_groups:
    ///     - age: [age1alice.., age1bob..]
    /// ```
    ///
    /// ## How to fix
    ///
    /// Move the recipients into a group, or remove them. Then run `sops updatekeys` on the files.
    IgnoredRecipients, "ignored-recipients", Warning, needs Policy,
    "recipients that sops ignores because they are outside key_groups"
}

impl RepoRule for IgnoredRecipients {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        repository.drafts_of_rules(|rule, governed| draft(repository, rule, governed))
    }
}

fn draft<'f>(
    repository: &Repository<'f>,
    rule: &'f CreationRule,
    governed: &[&Facts],
) -> Option<Draft<'f>> {
    let groups = rule.key_groups?;
    let in_groups: Lookup<'_> = rule.recipe.recipients().collect();
    let ignored = rule.ignored.recipients.iter();
    let lost: Vec<&Recipient> =
        ignored.filter(|one| in_groups.find(one) == Sameness::Different).collect();
    let first = lost.first()?;
    let message = format!(
        "sops ignores {} of rule {} because the rule has key_groups: {}",
        count(lost.len(), "recipient"),
        rule.number,
        listing(&lost, ToString::to_string)
    );
    let first_step = Advice::from("move them into a key group or remove them");
    let help = match repository.updating(governed) {
        Some(update) => first_step + ", then " + update,
        None => first_step,
    };
    let draft = Draft::new(&META, first.span, message)
        .note("ignored")
        .also(groups, "with this key, only the groups count")
        .help(help);
    Some(draft)
}
