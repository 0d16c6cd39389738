//! A plaintext value in an encrypted file.

use super::disguise;
use super::identity::retyped;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::sops::census::Encryption;
use crate::text::words::{agree, count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds plaintext values that the file's own selector covers (`encrypted_regex` or a similar
    /// field of its `sops` block). The author added them by hand, or added a `sops` block to
    /// plaintext. Empty strings, `null`, `{}` and `[]` are fine, because sops never encrypts them.
    /// `nothing-encrypted` reports files without any encrypted value.
    ///
    /// ## Why it matters
    ///
    /// Anyone with access to the repository can read the value. In addition, neither sops nor Flux
    /// can decrypt the file, so the Kustomization stops reconciling.
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
    /// Copy the plaintext value to a place outside the repository. Then restore the last good
    /// version of the file. If the last commit has it, run `git checkout HEAD -- FILE`, which
    /// discards all changes since then. Finally, set the value with `sops edit FILE`. If the file
    /// was pushed, replace the secret itself.
    PlaintextValue, "plaintext-value", Error, needs Text, Leak(90),
    "a plaintext value in an encrypted file, where sops would have encrypted it"
}

impl FileRule for PlaintextValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if subject.metadata().is_none() || subject.encryption() != Encryption::Values {
            return;
        }
        for judged in subject.documents {
            // A document without a block is a matter of `mixed-documents`.
            let (spots, Some(own)) = (&judged.census.plaintext, &judged.metadata) else { continue };
            // `malformed-ciphertext` knows what a disguised ciphertext is.
            let plain: Vec<_> = spots.iter().filter(|spot| disguise::at(spot).is_none()).collect();
            let spots = &plain;
            // The kind and name of a manifest alone are a matter of `encrypted-manifest`.
            let is_elsewhere = !retyped(judged).is_empty();
            let Some(first) = spots.first().filter(|_| !is_elsewhere) else { continue };
            let values = agree(spots.len(), "the value", "the values");
            let message = format!(
                "an encrypted file has {} ({})",
                count(spots.len(), "plaintext value"),
                listing(spots, |spot| spot.key_path())
            );
            let help = subject.restoring()
                + format!(", and set {values} with ")
                + subject.sops("edit")
                + format!("; if the file was ever pushed, change {values}");
            let draft = Draft::new(&META, first.key_span, message)
                .at_each(judged.document.index, spots.iter().map(|spot| spot.key_path()))
                .note("in plaintext")
                .help(help);
            let draft =
                draft.also_each(spots.iter().skip(1).map(|spot| spot.key_span), "in plaintext");
            let selector = &own.recipe.selector;
            let words = if selector.field.selects() {
                "this covers it"
            } else {
                "this does not leave it out"
            };
            drafts.push(match selector.span {
                Some(span) => draft.also(span, words),
                None => draft,
            });
        }
    }
}
