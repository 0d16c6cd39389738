//! Ciphertext that nobody is going to decrypt.

use super::{FileRule, Subject, count, declare_rule};
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds whole `ENC[AES256_GCM,..]` values in a file without any `sops` block, and at places
    /// that the file's selector does not cover. Only values count: a ciphertext quoted in a
    /// comment or in the middle of a longer text is fine.
    ///
    /// ## Why it matters
    ///
    /// The ciphertext is taken for the value: an application gets `ENC[..` as its password. A
    /// lost `sops` block also means that the data key is lost, if no older commit has it.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// kind: ConfigMap
    /// data:
    ///   token: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// ```
    ///
    /// ## How to fix
    ///
    /// Restore the `sops` block from the commit that still has it. A value that was copied from
    /// another file can only be decrypted there: add it here with `sops edit FILE`.
    OrphanCiphertext, "orphan-ciphertext", Error, needs Text,
    "a ciphertext without a sops block, or where the selector does not expect one"
}

impl FileRule for OrphanCiphertext {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if subject.is_template {
            return;
        }
        for judged in subject.documents {
            let spots = &judged.census.misplaced;
            // Beside documents with a block, a bare one is a matter of `mixed-documents`; beside
            // a broken block, of `invalid-metadata`.
            let is_bare_among_others = judged.metadata.is_none() && subject.is_encrypted();
            let Some(first) = spots.first() else { continue };
            if is_bare_among_others || judged.unrelated.is_some() {
                continue;
            }
            let spans: Vec<Span> = spots.iter().map(|spot| spot.span).collect();
            let paths = judged.key_paths(&spans);
            let values = count(spans.len(), "encrypted value");
            let mut draft = match &judged.metadata {
                None => Draft::new(
                    &META,
                    first.key_span,
                    format!("{values} in a file without a sops block ({paths})"),
                )
                .help("restore the sops block from the commit that last had it"),
                Some(metadata) => {
                    let selector = &metadata.recipe.selector;
                    let message = format!(
                        "{values} where {selector} does not expect any ({paths}); nothing decrypts them"
                    );
                    let draft = Draft::new(&META, first.key_span, message)
                        .help("restore the file from its last good commit and repeat the change with sops edit");
                    match selector.span {
                        Some(span) => draft.also(span, "the selector of this file"),
                        None => draft,
                    }
                }
            };
            for spot in spots.iter().skip(1).take(4) {
                draft = draft.also(spot.key_span, "and this");
            }
            drafts.push(
                draft.at(judged.document.index, judged.key_path(first.span)).note("stays as it is"),
            );
        }
    }
}
