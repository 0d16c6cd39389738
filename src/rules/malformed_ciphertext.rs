//! An `ENC[..]` that sops cannot decrypt because of its form.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, Level, RuleMeta};

declare_rule! {
    /// ## What it does
    ///
    /// Finds values of an encrypted file that begin with `ENC[` but are not complete ciphertext:
    /// they do not have the form `ENC[AES256_GCM,data:..,iv:..,tag:..,type:..]`, their base64 does
    /// not decode, the IV is not 32 bytes long, the tag is not 16 bytes long, or the type is
    /// unknown. Text after the closing bracket is a warning, because sops ignores it.
    ///
    /// ## Why it matters
    ///
    /// The file cannot be decrypted, so its Kustomization stops reconciling. Typical causes are
    /// merges, half-copied lines, and editors that wrap lines.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// password: ENC[AES256_GCM,data:Zm9v,iv:..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Restore the file from its last good commit, then repeat the change with `sops edit FILE`. As
    /// long as one value does not decrypt, sops cannot change the other values either.
    MalformedCiphertext, "malformed-ciphertext", Error, needs Text,
    "a value that looks encrypted but has the wrong form"
}

impl FileRule for MalformedCiphertext {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        for judged in subject.documents {
            let index = judged.document.index;
            for (spot, error) in &judged.census.malformed {
                let path = spot.key_path();
                drafts.push(
                    Draft::new(&META, spot.key_span, format!("{path} {error}"))
                        .at(index, Some(path))
                        .note("cannot be decrypted")
                        .help(subject.repeating()),
                );
            }
            for spot in &judged.census.trailing {
                let path = spot.key_path();
                drafts.push(
                    Draft::new(
                        &META,
                        spot.key_span,
                        format!("{path} has text after the closing bracket of its ciphertext"),
                    )
                    .level(Level::Warning)
                    .at(index, Some(path))
                    .note("sops ignores the rest")
                    .help("remove the text after the bracket"),
                );
            }
        }
    }
}
