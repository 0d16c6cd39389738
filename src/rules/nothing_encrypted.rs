//! SOPS metadata over a file in which not one value is encrypted.

use super::{FileRule, Subject, declare_rule};
use crate::finding::{Draft, Drafts, Level, RuleMeta};

declare_rule! {
    /// ## What it does
    ///
    /// Finds files that carry SOPS metadata while no value in them is encrypted, though some
    /// could be. Files with empty values only are fine: sops leaves those alone. Where the
    /// creation rule asks for the very selector that the file has, and the file is no Secret, it
    /// is a warning.
    ///
    /// ## Why it matters
    ///
    /// This is what sops itself writes, without any message, when its selector matches nothing:
    /// a misspelt key, `encrypted_regex: ^stringdata$`, or a regular expression that Go cannot
    /// compile. The file has a MAC, `sops filestatus` calls it encrypted, every hook that
    /// looks for a `sops` block lets it pass, and the secret is readable.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// kind: Secret
    /// stringData:
    ///   password: in clear
    /// sops:
    ///   mac: ENC[AES256_GCM,..]
    ///   encrypted_regex: ^stringdata$
    ///   ..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Correct the selector in `.sops.yaml`, remove the `sops` block from the file, and encrypt
    /// it again. If the file was pushed, change its values.
    NothingEncrypted, "nothing-encrypted", Error, needs Policy,
    "a file with SOPS metadata in which no value is encrypted"
}

impl FileRule for NothingEncrypted {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(metadata) = subject.metadata() else { return };
        let mut plain = 0;
        for judged in subject.documents {
            let census = &judged.census;
            if census.encrypted > 0 || !census.malformed.is_empty() || !census.misplaced.is_empty()
            {
                return;
            }
            plain += census.plaintext.len() + census.unselected.len();
        }
        // A Secret of empty values still has a name; what counts is whether a value is exposed.
        let has_secrets = subject.documents.iter().any(|judged| !judged.secrets.is_empty());
        let exposes = if has_secrets { has_exposed_value(subject) } else { plain > 0 };
        if !exposes {
            return;
        }
        let selector = &metadata.recipe.selector;
        let is_as_demanded = subject.governing.rule().is_some_and(|(_, rule)| {
            rule.recipe.selector.is_equal(selector) && selector.error().is_none()
        });
        let level = if is_as_demanded && !has_secrets { Level::Warning } else { META.level };
        let because = match selector.error() {
            Some(error) => format!(
                ": {} is no regular expression to sops ({})",
                selector.field.name(),
                error.reason()
            ),
            None => format!(": {selector} matches no key"),
        };
        let has_covered =
            subject.documents.iter().any(|judged| !judged.census.plaintext.is_empty());
        let because = if has_covered { String::new() } else { because };
        let mut draft = Draft::new(
            &META,
            metadata.span,
            format!("the file carries SOPS metadata, but none of its values is encrypted{because}"),
        )
        .level(level)
        .at(0, Some(crate::sops::walk::METADATA_KEY.to_owned()))
        .note("says encrypted")
        .help(format!(
            "correct the selector, remove the sops block, run {}, and change the values if they were pushed",
            subject.sops("encrypt --in-place")
        ));
        if let Some(span) = selector.span {
            draft = draft.also(span, "the selector of this file");
        }
        drafts.push(subject.with_rule(draft, "this creation rule governs the file"));
    }
}

fn has_exposed_value(subject: &Subject<'_>) -> bool {
    subject.documents.iter().any(|judged| {
        let census = &judged.census;
        census
            .plaintext
            .iter()
            .chain(&census.unselected)
            .any(|spot| judged.secrets.is_empty() || judged.secret_at(spot.span).is_some())
    })
}
