//! A file is encrypted to other recipients than its creation rule demands.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::keys::Recipient;
use crate::policy::{Config, CreationRule};
use crate::shell::Advice;
use crate::sops::metadata::Metadata;
use crate::sops::recipe::{Drift, Recipe, drift};
use crate::sops::walk::METADATA_KEY;
use crate::text::Span;
use crate::text::words::{agree, count, listing};

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
    /// If the file has exactly the recipients of a rule in a `.sops.yaml` farther up, the finding is
    /// a warning: someone ran sops where it finds that config, and only a person knows which of the
    /// two is meant.
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
    /// If a recipient that the rule does not name should have access, add it to the rule. Otherwise
    /// run `sops updatekeys FILE` in the directory of the `.sops.yaml` that the finding names. If
    /// the threshold differs, decrypt the file and encrypt it again instead, because
    /// `sops updatekeys` does not change the threshold. If `sops updatekeys` removes a person, also
    /// run `sops rotate --in-place FILE` and change the secret itself: that person may have kept
    /// the data key.
    ///
    /// If the finding names two configs, first decide which one is meant: `sops updatekeys` with the
    /// nearer one may take access away from people who need it.
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
        // A rule without recipients says nothing; other rules speak of it.
        if rule.recipe.recipients().next().is_none() {
            return;
        }
        let drift = drift(&metadata.recipe, &rule.recipe);
        let name = |recipient: &&Recipient| subject.named(recipient);
        let (level, mut says) = statement(&drift, metadata, rule, &name);
        let whose = format!("rule {} of {}", rule.number, config.path);
        let has_extra = !drift.extra.is_empty();
        if has_extra {
            says.insert(0, extra(&drift.extra, &metadata.recipe, &whose, &name));
        }
        if says.is_empty() {
            return;
        }
        if let Some((other, its_rule)) = elsewhere(subject, metadata) {
            let draft = choice(subject, (config, rule), (other, its_rule), &drift);
            return drafts.push(draft.at_each(0, key_paths(&drift)));
        }
        let span = drift.extra.first().map_or(metadata.span, |recipient| recipient.span);
        let says = says.join(if has_extra { "; " } else { ", " });
        let message = if has_extra { says } else { format!("{says} ({whose})") };
        let note = match drift.extra.first() {
            Some(extra) => label(config, extra, "not named by the rule"),
            None => "the recipients of this file".to_owned(),
        };
        let draft = Draft::new(&META, span, message)
            .level(level)
            .at_each(0, key_paths(&drift))
            .note(note)
            .help(help(subject, (config, rule), &drift))
            .recipients(about(&drift), Some(config))
            .also_each(drift.extra.iter().skip(1).map(|recipient| recipient.span), "nor this one");
        drafts.push(point_out(draft, config, rule, &drift));
    }
}

/// Returns a path for each recipient that the rule does not name, and one for all other differences.
fn key_paths(drift: &Drift<'_>) -> Vec<String> {
    let path = |one: &&Recipient| {
        format!("{METADATA_KEY}.{}[{}]", one.service.metadata_field(), one.identity.id)
    };
    let extra = drift.extra.iter().map(path);
    std::iter::once(METADATA_KEY.to_owned()).chain(extra).collect()
}

/// Returns a rule of a config farther up whose recipients the file has: the file was made where sops finds
/// that config.
fn elsewhere<'s>(
    subject: &Subject<'s>,
    metadata: &Metadata,
) -> Option<(&'s Config, &'s CreationRule)> {
    let rules =
        subject.configs_above.iter().filter_map(|config| config.governing(subject.path()).rule());
    let fits = |(_, rule): &(&Config, &CreationRule)| {
        !rule.lacks_recipients() && drift(&metadata.recipe, &rule.recipe).is_none()
    };
    rules.into_iter().find(fits)
}

/// Makes the draft about a file that matches a config farther up. Only a person knows which of the two is meant.
fn choice<'s>(
    subject: &Subject<'s>,
    (config, rule): (&'s Config, &'s CreationRule),
    (other, its_rule): (&'s Config, &'s CreationRule),
    drift: &Drift<'_>,
) -> Draft<'s> {
    // Either of the two may name them.
    let name = |recipient: &&Recipient| match config.names.name(recipient) {
        Some(_) => config.names.show(recipient),
        None => other.names.show(recipient),
    };
    let (near, far) = (&config.path, &other.path);
    let differences = [("does not name", &drift.extra), ("also names", &drift.missing)];
    let differences = differences.iter().filter(|(_, recipients)| !recipients.is_empty());
    let mut says: Vec<String> = differences
        .map(|(verb, recipients)| format!("{verb} {}", listing(recipients, name)))
        .collect();
    if says.is_empty() {
        says.push("demands it in another way".to_owned());
    }
    let message = format!(
        "the file is encrypted as rule {} of {far} demands, but the nearer rule {} of {near} {}",
        its_rule.number,
        rule.number,
        says.join(" and ")
    );
    let loss = match drift.extra.as_slice() {
        [] => String::new(),
        extra => format!(", which takes access away from {}", listing(extra, name)),
    };
    let first = format!(
        "decide which config is meant for this file: if {far}, write the same recipients into rule {} of {near}; if {near}, run ",
        rule.number
    );
    let help = Advice::from(first) + subject.sops("updatekeys") + loss;
    let span = subject.metadata().map_or_else(Span::default, |metadata| metadata.span);
    let draft = Draft::new(&META, drift.extra.first().map_or(span, |extra| extra.span), message);
    draft
        .level(Level::Warning)
        .note(format!("as {far} demands"))
        .recipients(about(drift), Some(other))
        .help(help)
        .in_config(config, rule.span, "the nearer rule")
        .in_config(other, its_rule.span, "the rule that the file matches")
}

/// Describes all differences except for the recipients that the rule does not name.
fn statement(
    drift: &Drift<'_>,
    metadata: &Metadata,
    rule: &CreationRule,
    name: &dyn Fn(&&Recipient) -> String,
) -> (Level, Vec<String>) {
    let mut says = Vec::new();
    let mut level = if drift.extra.is_empty() { Level::Warning } else { META.level };
    if !drift.missing.is_empty() {
        says.push(format!(
            "{} missing: {}",
            count(drift.missing.len(), "recipient"),
            listing(&drift.missing, name)
        ));
    }
    if let Some((have, want)) = drift.unsure.first() {
        let (have, want) = (name(have), name(want));
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

/// Returns the recipients that a file and its rule do not share.
fn about<'r>(drift: &Drift<'r>) -> Vec<&'r Recipient> {
    let sure = drift.extra.iter().chain(&drift.missing).chain(&drift.unexplained).copied();
    let unsure = drift.unsure.iter().flat_map(|(have, want)| [*have, *want]);
    sure.chain(unsure).collect()
}

/// Names the recipients that can decrypt the file, alone or with others, and should not.
fn extra(
    recipients: &[&Recipient],
    recipe: &Recipe,
    whose: &str,
    name: &dyn Fn(&&Recipient) -> String,
) -> String {
    let can = if recipe.groups_needed() > 1 { "can help to decrypt" } else { "can decrypt" };
    match recipients {
        [one] => format!("{} {can} this file but is not in {whose}", name(one)),
        many => format!(
            "{} {can} this file but are not in {whose}: {}",
            count(many.len(), "recipient"),
            listing(many, name)
        ),
    }
}

fn help(
    subject: &Subject<'_>,
    (config, rule): (&Config, &CreationRule),
    drift: &Drift<'_>,
) -> Advice {
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
    let number = drift.extra.len();
    let choice = format!(
        "if {} should have access, add {} to rule {} of {}; if not, {first}run ",
        agree(number, "this recipient", "these recipients"),
        agree(number, "it", "them"),
        rule.number,
        config.path
    );
    let change = ", and change the secret itself";
    let own = subject.metadata().map(|own| &own.recipe);
    if let Some(options) = own.and_then(|own| removal(drift, [own, &rule.recipe])) {
        let rotate = subject.sops(&format!("rotate --in-place {options}"));
        return Advice::from(choice) + rotate + change;
    }
    let rotate = subject.sops("rotate --in-place");
    Advice::from(choice) + update + ", then " + rotate + change
}

/// Returns the options of `sops rotate` that give a file the recipients of its rule and a new data key at once:
/// after `updatekeys`, people who lost access could not rotate. Only for a few age keys in one group.
fn removal(drift: &Drift<'_>, recipes: [&Recipe; 2]) -> Option<String> {
    const MAX_KEYS: usize = 10;
    let is_simple = |one: &&Recipient| {
        one.service.metadata_field() == "age" && one.identity.id.starts_with("age1")
    };
    let changed = drift.extra.len() + drift.missing.len();
    let may_be_done = recipes.iter().all(|recipe| recipe.key_groups.len() == 1)
        && drift.unsure.is_empty()
        && drift.unexplained.is_empty()
        && changed <= MAX_KEYS
        && drift.extra.iter().chain(&drift.missing).all(is_simple);
    let list = |all: &[&Recipient]| {
        all.iter().map(|one| one.identity.id.as_str()).collect::<Vec<_>>().join(",")
    };
    let added = (!drift.missing.is_empty()).then(|| format!(" --add-age {}", list(&drift.missing)));
    let options = format!("--rm-age {}{}", list(&drift.extra), added.unwrap_or_default());
    may_be_done.then_some(options)
}

/// Points at the rule, and in it at the recipients that are missing in the file.
fn point_out<'s>(
    draft: Draft<'s>,
    config: &'s Config,
    rule: &'s CreationRule,
    drift: &Drift<'s>,
) -> Draft<'s> {
    const SHOWN: usize = 4;
    let draft = draft.in_config(config, rule.span, "this creation rule governs the file");
    let mut missing = drift.missing.clone();
    missing.dedup_by_key(|recipient| recipient.span);
    missing.into_iter().take(SHOWN).fold(draft, |draft, recipient| {
        draft.in_config(config, recipient.span, &label(config, recipient, "missing in the file"))
    })
}

/// Returns what a label says about a recipient, with its name if it has one.
fn label(config: &Config, recipient: &Recipient, says: &str) -> String {
    match config.names.name(recipient) {
        Some(name) => format!("{name}: {says}"),
        None => says.to_owned(),
    }
}
