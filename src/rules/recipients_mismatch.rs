//! A file is encrypted to other recipients than its creation rule demands.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::keys::Recipient;
use crate::policy::{Config, CreationRule};
use crate::shell::Advice;
use crate::sops::metadata::Metadata;
use crate::sops::recipe::{Drift, Recipe, drift};
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Compares the recipients in a file's metadata with those of the governing creation rule, in
    /// canonical form, key group by key group. A recipient that the rule does not name is an error:
    /// that recipient can decrypt the file, although the rule does not allow it. A missing
    /// recipient is a warning. So is a pair of recipients if it is impossible to tell offline
    /// whether they are the same key (a KMS key and an alias). Different key groups or a different
    /// threshold are errors.
    ///
    /// ## Why it matters
    ///
    /// Creation rules are not retroactive: a change of `.sops.yaml` changes no encrypted file.
    /// Until you run `sops updatekeys` on every file, ex-members stay recipients, and new members
    /// cannot decrypt. A nested `.sops.yaml` that the author did not know of has the same effect.
    ///
    /// ## Example
    ///
    /// Bad: `.sops.yaml` demands `age1new..`, the file says
    ///
    /// ```yaml
    /// sops:
    ///   age:
    ///     - recipient: age1old..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Run `sops updatekeys FILE` in the directory of the `.sops.yaml` that the finding names. If
    /// the threshold differs, decrypt the file and encrypt it again instead, because
    /// `sops updatekeys` does not change the threshold. If `sops updatekeys` removes a person, also
    /// run `sops rotate --in-place FILE` and change the secret itself: that person may have kept
    /// the data key.
    RecipientsMismatch, "recipients-mismatch", Error, needs Policy, Weakness(75),
    "a file whose recipients differ from those of its creation rule"
}

impl FileRule for RecipientsMismatch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some((config, rule)) = subject.governing.rule() else { return };
        let Some(metadata) = subject.metadata() else { return };
        // A rule without recipients says nothing; `invalid-sops-config` speaks of it.
        if rule.recipe.recipients().next().is_none() {
            return;
        }
        let drift = drift(&metadata.recipe, &rule.recipe);
        let (level, mut says) = statement(&drift, metadata, rule);
        let whose = format!("rule {} of {}", rule.number, config.path);
        let has_extra = !drift.extra.is_empty();
        if has_extra {
            says.insert(0, extra(&drift.extra, &metadata.recipe, &whose));
        }
        if says.is_empty() {
            return;
        }
        let span = drift.extra.first().map_or(metadata.span, |recipient| recipient.span);
        let says = says.join(if has_extra { "; " } else { ", " });
        let message = if has_extra { says } else { format!("{says} ({whose})") };
        let note = if has_extra { "not named by the rule" } else { "the recipients of this file" };
        let draft = Draft::new(&META, span, message)
            .level(level)
            .at(0, Some("sops".to_owned()))
            .note(note)
            .help(help(subject, rule, &drift))
            .also_each(drift.extra.iter().skip(1).map(|recipient| recipient.span), "nor this one");
        drafts.push(point_out(draft, config, rule, &drift));
    }
}

/// Describes all differences except for the recipients that the rule does not name.
fn statement(drift: &Drift<'_>, metadata: &Metadata, rule: &CreationRule) -> (Level, Vec<String>) {
    let mut says = Vec::new();
    let mut level = if drift.extra.is_empty() { Level::Warning } else { META.level };
    if !drift.missing.is_empty() {
        says.push(format!(
            "{} missing: {}",
            count(drift.missing.len(), "recipient"),
            names(&drift.missing)
        ));
    }
    if let Some((have, want)) = drift.unsure.first() {
        says.push(format!("{have} and {want} may or may not be the same key"));
    }
    if !drift.unexplained.is_empty() {
        let unexplained = count(drift.unexplained.len(), "recipient");
        says.push(format!("{unexplained} not among those of the rule that can be read"));
    }
    let (have, want) = (&metadata.recipe, &rule.recipe);
    if drift.is_regrouped {
        level = META.level;
        says.push(if have.key_groups.len() == want.key_groups.len() {
            "recipients are in other key groups than in the rule".to_owned()
        } else {
            format!(
                "{} instead of {}",
                count(have.key_groups.len(), "key group"),
                want.key_groups.len()
            )
        });
    } else if metadata.problems.is_empty()
        && drift.extra.is_empty()
        && drift.missing.is_empty()
        && have.groups_needed() != want.groups_needed()
    {
        level = META.level;
        let needed = count(have.groups_needed(), "key group");
        says.push(format!("{needed} needed to decrypt instead of {}", want.groups_needed()));
    }
    (level, says)
}

/// Names the recipients that can decrypt the file, alone or with others, and should not.
fn extra(recipients: &[&Recipient], recipe: &Recipe, whose: &str) -> String {
    let can = if recipe.groups_needed() > 1 { "can help to decrypt" } else { "can decrypt" };
    match recipients {
        [one] => format!("{one} {can} this file but is not in {whose}"),
        many => format!(
            "{} {can} this file but are not in {whose}: {}",
            count(many.len(), "recipient"),
            names(many)
        ),
    }
}

fn names(recipients: &[&Recipient]) -> String {
    listing(recipients, ToString::to_string)
}

fn help(subject: &Subject<'_>, rule: &CreationRule, drift: &Drift<'_>) -> Advice {
    let update = subject.sops("updatekeys");
    if rule.recipe.invalid().next().is_some() {
        let first = format!("correct the recipients of rule {}, then run ", rule.number);
        return Advice::from(first) + update;
    }
    // updatekeys opens the data key alone, all else the values.
    let first = if subject.is_refused() {
        "first fix the other findings in this file, since sops rejects it until then; then "
    } else {
        ""
    };
    let is_threshold_alone = drift.is_none();
    if is_threshold_alone {
        // updatekeys does not look at the threshold of the rule.
        return Advice::from(first) + subject.reencrypting();
    }
    if drift.extra.is_empty() {
        return Advice::from("run ") + update;
    }
    let rotate = subject.sops("rotate --in-place");
    Advice::from(first)
        + "run "
        + update
        + ", then "
        + rotate
        + "; if someone has left, change the secret itself too"
}

/// Points at the missing recipient in the rule, or at the rule.
fn point_out<'s>(
    draft: Draft<'s>,
    config: &'s Config,
    rule: &'s CreationRule,
    drift: &Drift<'s>,
) -> Draft<'s> {
    let draft = draft.in_config(config, rule.span, "this creation rule governs the file");
    match drift.missing.first() {
        Some(missing) => draft.in_config(config, missing.span, "missing in the file"),
        None => draft,
    }
}
