//! Ciphertext that nothing decrypts.

use super::comment_item;
use super::disguise::{self, Disguise};
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::shell::Advice;
use crate::sops::census::Spot;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds `ENC[AES256_GCM,..]` values in files without any `sops` block, and in places that the
    /// file's selector does not cover. Only whole values count: a ciphertext that is quoted in a
    /// comment or inside a longer string is fine.
    ///
    /// In a file without a `sops` block, it also finds damaged ciphertexts: in quotes, in another
    /// case of letters, in base64. In a Secret, and in a file whose name says that it is encrypted,
    /// it also finds what is left of a ciphertext that was cut or wrapped. `sops-lint fix` encrypts
    /// no file that may contain ciphertext, because nothing could decrypt that ciphertext later.
    ///
    /// If `encrypted_comment_regex` selects a value of a list that has two comment lines above it, sops
    /// writes a file that it cannot open: it encrypts the second comment as an item of the list. The help
    /// tells how to restore the file.
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
            let spots = match judged.metadata {
                None if subject.has_orphans(judged) => judged.orphans(subject.claims_encryption),
                _ => judged.census.misplaced.iter().collect(),
            };
            // Beside documents with a block, a bare one is a matter of `mixed-documents`; beside
            // a broken block, of `invalid-metadata`.
            let is_bare_among_others = judged.metadata.is_none() && is_encrypted;
            let Some(&first) = spots.first() else { continue };
            if is_bare_among_others || judged.unrelated.is_some() {
                continue;
            }
            let paths = listing(&spots, |spot| spot.key_path());
            let values = count(spots.len(), "encrypted value");
            let draft = match &judged.metadata {
                None => without_block(subject, &spots, &values, &paths),
                Some(_) if comment_item::hides(subject, first) => Draft::new(
                    &META,
                    first.key_span,
                    format!("an encrypted comment is an item before {paths}, so sops cannot open the file that it made"),
                )
                .help("remove the line above, the encrypted comment: the MAC does not cover it, and sops then decrypts the value; above a value of a list, write one comment line"),
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
            let draft =
                draft.at_each(judged.document.index, spots.iter().map(|spot| spot.key_path()));
            drafts.push(
                draft
                    .note("nothing decrypts this")
                    .also_each(spots.iter().skip(1).map(|spot| spot.key_span), "nor this"),
            );
        }
    }
}

/// Reports ciphertexts in a file without metadata.
fn without_block<'s>(
    subject: &Subject<'s>,
    spots: &[&Spot<'s, 's>],
    values: &str,
    paths: &str,
) -> Draft<'s> {
    let damaged = spots.iter().find(|spot| !disguise::is_intact(spot));
    let form = damaged.map(|spot| disguise::at(spot).map_or("damaged", Disguise::says));
    let message = format!("{values} in a file without a sops block ({paths})");
    let copied = "a value copied from another file can only be decrypted there";
    let help = match form {
        Some(form) => {
            Advice::from(format!("the ciphertext is {form}, too: "))
                + subject.restoring()
                + "; "
                + copied
        }
        None => format!("restore the sops block from the commit that last had it; {copied}").into(),
    };
    Draft::new(&META, spots[0].key_span, message).help(help)
}
