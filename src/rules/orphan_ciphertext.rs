//! Ciphertext that nothing decrypts.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::sops::census::Spot;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds complete `ENC[AES256_GCM,..]` values in files without any `sops` block, and in places
    /// that the file's selector does not cover. Only whole values count: a ciphertext that is
    /// quoted in a comment or inside a longer string is fine.
    ///
    /// ## Why it matters
    ///
    /// The ciphertext is used as the value: an application gets `ENC[..` as its password. If the
    /// `sops` block is gone from all commits, the data key is lost too.
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
    /// another file can only be decrypted in that file. Decrypt it there, then enter the plaintext
    /// in this file with `sops edit FILE`.
    OrphanCiphertext, "orphan-ciphertext", Error, needs Text,
    "a ciphertext without a sops block, or where the selector does not expect one"
}

impl FileRule for OrphanCiphertext {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn relies_on_lines(&self) -> bool {
        true
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if subject.is_template {
            return;
        }
        let is_encrypted = subject.is_encrypted();
        for judged in subject.documents {
            let spots = &judged.census.misplaced;
            // Beside documents with a block, a bare one is a matter of `mixed-documents`; beside
            // a broken block, of `invalid-metadata`.
            let is_bare_among_others = judged.metadata.is_none() && is_encrypted;
            let Some(first) = spots.first() else { continue };
            if is_bare_among_others || judged.unrelated.is_some() {
                continue;
            }
            let paths = listing(spots, Spot::key_path);
            let values = count(spots.len(), "encrypted value");
            let draft = match &judged.metadata {
                None => Draft::new(
                    &META,
                    first.key_span,
                    format!("{values} in a file without a sops block ({paths})"),
                )
                .help("restore the sops block from the commit that last had it; a value copied from another file can only be decrypted there"),
                Some(metadata) => {
                    let selector = &metadata.recipe.selector;
                    let message = format!(
                        "{values} where {selector} does not expect any ({paths}); nothing decrypts them"
                    );
                    let draft = Draft::new(&META, first.key_span, message)
                        .help(subject.repeating());
                    match selector.span {
                        Some(span) => draft.also(span, "the selector of this file"),
                        None => draft,
                    }
                }
            };
            let draft = draft.at(judged.document.index, Some(first.key_path()));
            drafts.push(
                draft
                    .note("nothing decrypts this")
                    .also_each(spots.iter().skip(1).map(|spot| spot.key_span), "nor this"),
            );
        }
    }
}
