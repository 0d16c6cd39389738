//! A value of a Secret that stays in clear because the file's selector leaves it out.

use super::unencrypted_secret::reference;
use super::{FileRule, Judged, Subject, count, declare_rule};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::kubernetes::VALUE_FIELDS;
use crate::kubernetes::reference::Reference;
use crate::sops::census::Spot;
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds values under `data` or `stringData` of an encrypted Secret that are in plaintext
    /// because the file's own selector does not cover them: an `encrypted_regex` that is too
    /// narrow, or a key that ends in `_unencrypted`. It is an error where the creation rule that
    /// governs the file does cover the key, so the file was made under another rule, and a
    /// warning where the rule agrees: some repositories leave a user name readable on purpose.
    ///
    /// ## Why it matters
    ///
    /// The file has a `sops` block, a MAC, and decrypts. Nothing but a look at every value shows
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
    ///   password: in clear
    /// sops:
    ///   encrypted_regex: ^data$
    ///   ..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Set `encrypted_regex: ^(data|stringData)$` in the creation rule. Then decrypt the file and
    /// encrypt it again: `sops updatekeys` does not change the selector of a file.
    UnselectedValue, "unselected-value", Warning, needs Policy,
    "a value of an encrypted Secret that the file's selector leaves in plaintext"
}

impl FileRule for UnselectedValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let is_nothing_encrypted =
            subject.documents.iter().all(|judged| judged.census.encrypted == 0);
        if is_nothing_encrypted {
            return;
        }
        for judged in subject.documents {
            let Some(metadata) = &judged.metadata else { continue };
            let spots = exposed(judged);
            let Some(first) = spots.first() else { continue };
            let spans: Vec<Span> = spots.iter().map(|spot| spot.span).collect();
            let demanded = subject.governing.rule().map(|(_, rule)| &rule.recipe.selector);
            let is_against_rule = demanded.is_some_and(|selector| {
                VALUE_FIELDS.iter().all(|field| selector.selects(&[field]))
            });
            let message = format!(
                "{} of an encrypted Secret left in plaintext by {} ({})",
                count(spans.len(), "value"),
                metadata.recipe.selector,
                judged.key_paths(&spans)
            );
            let level = if is_against_rule { Level::Error } else { META.level };
            let mut draft = Draft::new(&META, first.key_span, message)
                .level(level)
                .at(judged.document.index, judged.key_path(first.span))
                .note("in plaintext")
                .help(format!(
                    "decrypt the file with {}, then encrypt it again under a rule with encrypted_regex: ^(data|stringData)$",
                    subject.sops("decrypt --in-place")
                ));
            if let Some(span) = metadata.recipe.selector.span {
                draft = draft.also(span, "this does not cover it");
            }
            let words = if is_against_rule {
                "this creation rule would encrypt it"
            } else {
                "this creation rule governs the file"
            };
            drafts.push(subject.with_rule(draft, words));
        }
    }
}

fn exposed<'s>(judged: &Judged<'s>) -> Vec<Spot<'s, 's>> {
    let is_secret = |spot: &&Spot<'s, 's>| {
        judged.secret_at(spot.span).is_some()
            && reference(spot.scalar, false) == Reference::None
            && reference(spot.scalar, true) == Reference::None
    };
    judged.census.unselected.iter().filter(is_secret).copied().collect()
}
