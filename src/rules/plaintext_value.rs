//! A value in clear in a file that is encrypted otherwise.

use super::{FileRule, Subject, count, declare_rule};
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds values that the file's own selector covers and that are not `ENC[..]`: somebody
    /// added them by hand, or put a `sops` block over plaintext. Empty texts, `null`, `{}` and
    /// `[]` are never encrypted by sops and are fine. Files in which nothing at all is encrypted
    /// are reported by `nothing-encrypted`.
    ///
    /// ## Why it matters
    ///
    /// The value is readable to everybody who can read the repository. On top of that sops
    /// refuses to decrypt the file, and so does Flux, which stops the whole Kustomization.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// stringData:
    ///   user: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    ///   added: by hand
    /// sops:
    ///   encrypted_regex: ^(data|stringData)$
    ///   ..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Take the value out, then add it with `sops edit FILE` or `sops set FILE`. If the file was
    /// pushed, change the value itself.
    PlaintextValue, "plaintext-value", Error, needs Text,
    "a plaintext value in an encrypted file, at a place that has to be encrypted"
}

impl FileRule for PlaintextValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(metadata) = subject.metadata() else { return };
        let is_nothing_encrypted =
            subject.documents.iter().all(|judged| judged.census.encrypted == 0);
        if is_nothing_encrypted {
            return;
        }
        for judged in subject.documents {
            let spots = &judged.census.plaintext;
            let Some(first) = spots.first() else { continue };
            let spans: Vec<Span> = spots.iter().map(|spot| spot.span).collect();
            let selector = judged
                .metadata
                .as_ref()
                .map_or(&metadata.recipe.selector, |own| &own.recipe.selector);
            let message = format!(
                "{} stand{} in an encrypted file ({})",
                count(spans.len(), "plaintext value"),
                if spans.len() == 1 { "s" } else { "" },
                judged.key_paths(&spans)
            );
            let help = format!(
                "remove {} and add {} with {}; if the file was ever pushed, change the value too",
                if spans.len() == 1 { "it" } else { "them" },
                if spans.len() == 1 { "it again" } else { "them again" },
                subject.sops("edit")
            );
            let mut draft = Draft::new(&META, first.key_span, message)
                .at(judged.document.index, judged.key_path(first.span))
                .note("in plaintext")
                .help(help);
            for spot in spots.iter().skip(1).take(4) {
                draft = draft.also(spot.key_span, "in plaintext");
            }
            if let Some(span) = selector.span {
                draft = draft.also(span, "this covers it");
            }
            drafts.push(draft);
        }
    }
}
