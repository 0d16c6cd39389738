//! A file that was encrypted by another selector than its creation rule has now.

use super::identity::damage;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use super::unselected_value::left_out;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::kubernetes::{self, VALUE_FIELDS};
use crate::sops::census::{self, Encryption};
use crate::sops::metadata::Metadata;
use crate::sops::recipe::Recipe;
use crate::sops::selector::Selector;
use crate::text::words::{agree, count};

declare_rule! {
    /// ## What it does
    ///
    /// Compares the selector (`encrypted_regex` and the like) and `mac_only_encrypted` of an
    /// encrypted file with the governing creation rule. It compares selectors literally. If no
    /// selector is set, sops uses the default, `unencrypted_suffix: _unencrypted`.
    ///
    /// The finding is an info, because only the file's own selector decides what sops encrypts. It
    /// is a warning if the file contains a Secret and only the rule covers `data` or `stringData`:
    /// the next value that is added there would stay in plaintext. If a value is already in
    /// plaintext, `unselected-value` reports it instead. This rule ignores binary files, because
    /// sops uses no selector for them.
    ///
    /// ## Why it matters
    ///
    /// Creation rules apply to new files. `sops edit`, `sops updatekeys` and `sops rotate` keep the
    /// selector that is stored in the file, so a corrected rule does not correct existing files.
    ///
    /// ## Example
    ///
    /// Bad: a rule with `encrypted_regex: ^(data|stringData)$`, and a file that says
    ///
    /// ```yaml
    /// sops:
    ///   encrypted_regex: ^data$
    /// ```
    ///
    /// ## How to fix
    ///
    /// Decrypt the file and encrypt it again: run `sops decrypt --in-place FILE`, then
    /// `sops encrypt --in-place FILE`. Commit only after the second command.
    ///
    /// Do not do this if the rule covers fewer values than the file's own selector: they would be
    /// in plaintext afterwards. The finding says so. First write a rule that covers them.
    SelectorDrift, "selector-drift", Warning, needs Policy,
    "a file whose selector differs from that of its creation rule"
}

impl FileRule for SelectorDrift {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some((config, rule)) = subject.governing.rule() else { return };
        let Some(metadata) = subject.metadata().filter(|metadata| !metadata.is_ambiguous) else {
            return;
        };
        if is_judged_elsewhere(subject) {
            return;
        }
        let says = differences(metadata, &rule.recipe);
        if says.is_empty() {
            return;
        }
        let falls_out = field_that_falls_out(subject, metadata, &rule.recipe);
        let level = if falls_out.is_some() { META.level } else { Level::Info };
        let mut message =
            format!("{} (rule {} of {})", says.join(", and "), rule.number, config.path);
        if let Some(field) = falls_out {
            message += &format!("; {field} would stay unencrypted");
        }
        let is_mac_alone = metadata.recipe.selector.is_equal(&rule.recipe.selector);
        let selector_of = |recipe: &Recipe| recipe.selector.span.filter(|_| !is_mac_alone);
        let span = selector_of(&metadata.recipe).unwrap_or(metadata.span);
        let help = match loss(subject, &rule.recipe.selector) {
            Loss::None => subject.reencrypting() + ": updatekeys does not change this",
            // `selector-hits-metadata` reports the rule.
            Loss::Identity => return,
            Loss::Values(number) => format!(
                "leave the file as it is: rule {} would leave {} of it in plaintext; if it has to be encrypted anew, first write a rule that covers {}, before rule {}",
                rule.number,
                count(number, "value"),
                agree(number, "it", "them"),
                rule.number
            )
            .into(),
        };
        let draft = Draft::new(&META, span, message)
            .level(level)
            .at(0, Some("sops".to_owned()))
            .note("what holds for this file")
            .help(help);
        let draft = subject.with_rule(draft, "this creation rule governs the file");
        drafts.push(match selector_of(&rule.recipe) {
            Some(span) => draft.in_config(config, span, "what holds for new files"),
            None => draft,
        });
    }
}

/// The loss if the rule encrypted a file anew.
enum Loss {
    /// There is none.
    None,
    /// The kind or the name of a manifest would be encrypted.
    Identity,
    /// This many values that are encrypted now would be in plaintext.
    Values(usize),
}

fn loss(subject: &Subject<'_>, selector: &Selector) -> Loss {
    let documents = subject.documents.iter().map(|judged| judged.document);
    let censuses = documents.clone().map(|document| census::take(document, Some(selector)));
    let values = censuses.map(|census| census.misplaced.len()).sum();
    let hits_identity = documents.clone().any(|document| {
        let mut keys = kubernetes::identity(document).into_iter().map(|entry| &*entry.key);
        keys.any(|key| {
            let paths: [&[&str]; 2] = [&[key], &["metadata", key]];
            let path = if matches!(key, "name" | "namespace") { paths[1] } else { paths[0] };
            selector.selects(path)
        })
    });
    match values {
        0 if hits_identity => Loss::Identity,
        0 => Loss::None,
        values => Loss::Values(values),
    }
}

/// Binary files have no selector, and what is wrong with these has a better finding.
fn is_judged_elsewhere(subject: &Subject<'_>) -> bool {
    let is_binary = crate::document::format_of(subject.path()).is_none();
    let shows_values = subject.documents.iter().any(|judged| !left_out(judged).is_empty());
    let is_envelope = subject.documents.iter().any(Judged::is_envelope);
    let has_damage = damage(subject).is_some();
    is_binary
        || is_envelope
        || has_damage
        || shows_values
        || subject.encryption() != Encryption::Values
}

fn differences(metadata: &Metadata, demanded: &Recipe) -> Vec<String> {
    let actual = &metadata.recipe;
    let mut says = Vec::new();
    if !actual.selector.is_equal(&demanded.selector) {
        says.push(format!(
            "made with {}, where the rule has {}",
            actual.selector, demanded.selector
        ));
    }
    if actual.mac_only_encrypted != demanded.mac_only_encrypted {
        says.push(format!(
            "mac_only_encrypted is {}, where the rule has {}",
            actual.mac_only_encrypted, demanded.mac_only_encrypted
        ));
    }
    says
}

/// A field of a Secret that the rule covers and the file does not.
fn field_that_falls_out(
    subject: &Subject<'_>,
    metadata: &Metadata,
    demanded: &Recipe,
) -> Option<&'static str> {
    let has_secrets = subject.documents.iter().any(|judged| !judged.secrets.is_empty());
    let (have, want) = (&metadata.recipe.selector, &demanded.selector);
    if !has_secrets || have.reads_comments() || want.reads_comments() {
        return None;
    }
    VALUE_FIELDS.into_iter().find(|field| want.selects(&[field]) && !have.selects(&[field]))
}
