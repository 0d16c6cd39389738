//! Key groups that are all needed to decrypt, perhaps by mistake.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::policy::CreationRule;

declare_rule! {
    /// ## What it does
    ///
    /// Finds creation rules with two or more key groups and no `shamir_threshold`.
    ///
    /// ## Why it matters
    ///
    /// sops then splits the data key, and decryption needs a key of *every* group. Most authors who
    /// put each key into a separate group want the opposite: that any one key is enough. A person
    /// with a key of only one group cannot decrypt such a file. Flux can only decrypt it if it has
    /// a key from every group.
    ///
    /// ## Example
    ///
    /// Bad: neither can decrypt without the other
    ///
    /// ```yaml
    /// key_groups:
    ///   - age: [age1alice..]
    ///   - age: [age1bob..]
    /// ```
    ///
    /// Good: each of them can
    ///
    /// ```yaml
    /// key_groups:
    ///   - age: [age1alice.., age1bob..]
    /// ```
    ///
    /// ## How to fix
    ///
    /// Put the recipients into one group, then run `sops updatekeys FILE` on the existing files,
    /// which needs a key of every old group. If decryption should need all groups, say so: set
    /// `shamir_threshold` to their number.
    SplitKeyGroups, "split-key-groups", Warning, needs Text,
    "several key groups without a threshold, so all of them are needed to decrypt"
}

impl FileRule for SplitKeyGroups {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        for rule in subject.config.into_iter().flat_map(|config| &config.rules) {
            drafts.extend(draft(rule));
        }
    }
}

fn draft<'s>(rule: &CreationRule) -> Option<Draft<'s>> {
    let groups = rule.recipe.key_groups.len();
    let has_threshold = rule.recipe.threshold.is_some_and(|threshold| threshold.groups > 0);
    if groups < 2 || has_threshold {
        return None;
    }
    let all = if groups == 2 { "both".to_owned() } else { format!("all {groups}") };
    let message = format!(
        "rule {} has {groups} key groups and no shamir_threshold, so {all} are needed to decrypt",
        rule.number
    );
    let help = format!(
        "put the recipients into one group if any of them shall do; else set `shamir_threshold: {groups}`"
    );
    Some(Draft::new(&META, rule.key_groups?, message).note("all are needed").help(help))
}
