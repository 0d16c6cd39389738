//! Recipients that a creation rule names and sops does not see.

use super::command::sops_under;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::keys::{Recipient, Sameness};
use crate::policy::{Config, CreationRule};
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
    IgnoredRecipients, "ignored-recipients", Warning, needs Text,
    "recipients that sops ignores because they are outside key_groups"
}

impl FileRule for IgnoredRecipients {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(config) = subject.config else { return };
        drafts.extend(config.rules.iter().filter_map(|rule| draft(config, rule)));
    }
}

fn draft<'c>(config: &Config, rule: &'c CreationRule) -> Option<Draft<'c>> {
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
        listing(&lost, |one| config.names.show(one))
    );
    let draft = Draft::new(&META, first.span, message)
        .note("ignored")
        .recipients(lost.iter().copied(), Some(config))
        .also(groups, "with this key, only the groups count")
        .help(format!(
            "move them into a key group or remove them, then run {} on the files",
            sops_under(config, "updatekeys")
        ));
    Some(draft)
}
