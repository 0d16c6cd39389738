//! An `ENC[..]` that sops cannot decrypt because of its form.

use super::disguise::{self, Disguise};
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document::Shape;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::text::words::{agree, count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds values of an encrypted file that begin with `ENC[` but are not complete ciphertext:
    /// they do not have the form `ENC[AES256_GCM,data:..,iv:..,tag:..,type:..]`, their base64 does
    /// not decode, the IV is not 32 bytes long, the tag is not 16 bytes long, or the type is
    /// unknown. Text after the closing bracket is a warning, because sops ignores it. It also finds
    /// complete ciphertexts that sops takes for plaintext: in quotes, brackets or blanks, in lower case, or
    /// in base64.
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
    /// If a whole ciphertext is in quotes or in base64, restore it as sops wrote it: `ENC[..]` and
    /// nothing around it. Never remove the `sops` block: it holds the only data key.
    ///
    /// Otherwise restore the file from its last good commit, then repeat the change with `sops edit FILE`. As
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
            drafts.extend(disguised(subject, judged));
            // Without a block, that is the fault.
            if subject.has_orphans(judged) {
                continue;
            }
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

/// Finds ciphertexts that sops takes for plaintext. All of a document have one cause.
fn disguised<'s>(subject: &Subject<'s>, judged: &Judged<'s>) -> Option<Draft<'s>> {
    let found = disguise::all(judged);
    let (first, kind) =
        found.first().filter(|_| subject.is_encrypted() && !subject.has_changed_lines())?;
    let paths: Vec<String> = found.iter().map(|(spot, _)| spot.key_path()).collect();
    let message = format!(
        "{} {} {}, so sops takes {} for plaintext ({})",
        count(found.len(), "ciphertext"),
        agree(found.len(), "is", "are"),
        kind.says(),
        agree(found.len(), "it", "them"),
        listing(&paths, Clone::clone)
    );
    // A form that cannot be undone decides.
    let kind =
        found.iter().map(|(_, kind)| kind).find(|kind| **kind == Disguise::OneCase).unwrap_or(kind);
    let repair = kind.repair(judged.document.shape == Shape::Lines);
    let help = subject.restoring()
        + repair.map(|repair| format!(", or {repair}")).unwrap_or_default()
        + "; leave the sops block as it is, since only it has the data key";
    let draft = Draft::new(&META, first.key_span, message)
        .at(judged.document.index, Some(first.key_path()))
        .note("not as sops wrote it")
        .help(help);
    Some(draft.also_each(found.iter().skip(1).map(|(spot, _)| spot.key_span), "nor this"))
}
