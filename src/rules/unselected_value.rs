//! A value of a Secret that the file's selector leaves unencrypted.

use super::encrypting::obstacle;
use super::exposure::exposed;
use super::identity::uncovers;
use super::rule::{FileRule, declare_rule};
use super::secret_selector::VALUES_ALONE;
use super::subject::{Judged, Subject};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::shell::Advice;
use crate::sops::census::{self, Encryption, Spot};
use crate::sops::selector::{Field, Selector};
use crate::text::Span;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds plaintext values under `data` or `stringData` of an encrypted Secret that the file's
    /// own selector does not cover. The cause is an `encrypted_regex` that is too narrow, or a key
    /// that ends in `_unencrypted`.
    ///
    /// The finding is an error if the governing creation rule covers the key: the file was made
    /// with another selector. It is a warning if the rule does not cover the key either, because
    /// some repositories leave a user name readable on purpose. As in `unencrypted-secret`,
    /// references, certificates and the settings of Argo CD do not count.
    ///
    /// ## Why it matters
    ///
    /// The file has a `sops` block and a MAC, and it decrypts. Only a check of every value shows
    /// that one of them was never encrypted.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// kind: Secret
    /// data:
    ///   ca.crt: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// stringData:
    ///   password: plaintext
    /// sops:
    ///   encrypted_regex: ^data$
    ///   ..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Set `encrypted_regex: ^(data|stringData)$` in the creation rule. Then decrypt the file and
    /// encrypt it again. `sops updatekeys` is not enough, because it does not change the selector
    /// of a file.
    UnselectedValue, "unselected-value", Warning, needs Policy, Leak(50),
    "a value of an encrypted Secret that the file's selector leaves in plaintext"
}

impl FileRule for UnselectedValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if subject.encryption() != Encryption::Values {
            return;
        }
        for judged in subject.documents {
            let Some(metadata) = &judged.metadata else { continue };
            let spots = left_out(judged);
            let Some(first) = spots.first() else { continue };
            let (selector, rule) = (&metadata.recipe.selector, subject.governing.rule());
            let is_against_rule =
                rule.is_some_and(|(_, rule)| covers(&rule.recipe.selector, judged, first));
            let message = format!(
                "{} of an encrypted Secret left in plaintext by {selector} ({})",
                count(spots.len(), "value"),
                listing(&spots, Spot::key_path)
            );
            let draft = Draft::new(&META, first.key_span, message)
                .level(if is_against_rule { Level::Error } else { META.level })
                .at_each(judged.document.index, spots.iter().map(Spot::key_path))
                .note("in plaintext")
                .help(help(subject, is_against_rule));
            let draft =
                draft.also_each(spots.iter().skip(1).map(|spot| spot.key_span), "in plaintext");
            let draft = match selector.span {
                Some(span) if selector.field.selects() => {
                    draft.also(span, "this does not cover it")
                }
                Some(span) => draft.also(span, "this leaves it out"),
                None => draft,
            };
            let words = if is_against_rule {
                "this creation rule would encrypt it"
            } else {
                "this creation rule governs the file"
            };
            drafts.push(subject.with_rule(draft, words));
        }
    }
}

/// Tells how to encrypt the values too. Those that are encrypted today stay so.
fn help(subject: &Subject<'_>, is_against_rule: bool) -> Advice {
    let loses = |selector: &Selector| {
        subject.documents.iter().any(|judged| uncovers(judged.document, selector))
    };
    let usual = Selector::new(Field::EncryptedRegex, VALUES_ALONE, Span::default());
    let selector = if loses(&usual) {
        "an `encrypted_regex` that names all its secret values".to_owned()
    } else {
        format!("`encrypted_regex: {VALUES_ALONE}`")
    };
    let first = match (
        obstacle((subject.governing, subject.path()), None, Some(&selector)),
        subject.governing.rule(),
    ) {
        (Some(obstacle), _) => obstacle,
        (None, Some((config, rule))) if !is_against_rule || loses(&rule.recipe.selector) => {
            let (number, config) = (rule.number, &config.path);
            format!("add a rule for it with {selector} before rule {number} of {config}").into()
        }
        (None, _) => return subject.reencrypting(),
    };
    first + ", then " + subject.reencrypting()
}

/// Returns true if a selector would encrypt a value of this document.
fn covers(selector: &Selector, judged: &Judged<'_>, spot: &Spot<'_, '_>) -> bool {
    let census = census::take(judged.document, Some(selector));
    census.plaintext.iter().any(|covered| covered.span == spot.span)
}

/// Returns the exposed values of the Secrets that the selector leaves unencrypted.
pub(super) fn left_out<'s>(judged: &Judged<'s>) -> Vec<Spot<'s, 's>> {
    let is_left_out = |spot: &Spot<'s, 's>| judged.census.is_unselected(spot.id);
    let exposed = judged.secrets.iter().flat_map(|secret| exposed(judged, secret).into_spots());
    exposed.filter(is_left_out).collect()
}
