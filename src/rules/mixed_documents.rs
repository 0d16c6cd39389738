//! One file, several documents, and not all of them have a `sops` block.

use super::exposure::exposed;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds files with several documents in which some have SOPS metadata and others do not. The
    /// finding is an error if a document without metadata is a Secret with values, is the first
    /// document, has values that the selector of the others covers, or is a manifest with
    /// ciphertext. Otherwise it is a warning.
    ///
    /// ## Why it matters
    ///
    /// sops treats all documents of a file as one unit: it writes its block into every document,
    /// reads the block of the first document, and rejects a file whose first document has none.
    /// Flux treats each document separately: it applies an unencrypted Secret unchanged, and
    /// applies ciphertext without a `sops` block as literal text.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// kind: Secret
    /// stringData: {a: "ENC[AES256_GCM,..]"}
    /// sops: ..
    /// ---
    /// kind: Secret
    /// stringData: {b: plaintext}
    /// ```
    ///
    /// ## How to fix
    ///
    /// Move the plaintext documents without metadata into separate files, and encrypt those that
    /// hold secrets. If a document without metadata contains ciphertext, restore the file from its
    /// last good commit.
    MixedDocuments, "mixed-documents", Error, needs Text, Leak(80),
    "a file in which some documents have a sops block and others have none"
}

impl FileRule for MixedDocuments {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(block) = subject.documents.iter().find_map(|judged| judged.metadata.as_ref())
        else {
            return;
        };
        let first_is_bare = subject.documents.first().is_some_and(|first| first.metadata.is_none());
        for judged in subject.documents.iter().filter(|judged| judged.metadata.is_none()) {
            if judged.document.root.is_null() || judged.unrelated.is_some() {
                continue;
            }
            let (level, why) = severity(judged, first_is_bare);
            let number = judged.document.index + 1;
            let what = judged
                .secrets
                .first()
                .map_or_else(String::new, |secret| format!(" ({})", secret.title()));
            let span = judged
                .document
                .root
                .entries()
                .next()
                .map_or(judged.document.root.span, |entry| entry.key_span);
            let draft = Draft::new(&META, span, format!("document {number}{what} has no sops block, unlike others in this file; {why}"))
                .level(level)
                .at(judged.document.index, None)
                .note("no sops block in this document")
                .help("move the document into a file of its own, and encrypt that file if it holds secrets")
                .also(Span::new(block.span.start, block.span.end), "one of the blocks");
            drafts.push(draft);
        }
    }
}

fn severity(judged: &Judged<'_>, first_is_bare: bool) -> (Level, &'static str) {
    let is_exposed = judged.secrets.iter().any(|secret| !exposed(judged, secret).is_empty());
    let is_expected = !judged.census.plaintext.is_empty();
    let has_ciphertext = judged.census.encrypted + judged.census.misplaced.len() > 0;
    let is_object = crate::kubernetes::is_object(judged.document);
    if is_exposed {
        (META.level, "Flux applies it in plaintext")
    } else if first_is_bare {
        (META.level, "sops looks for its block in the first document and rejects the file")
    } else if is_expected {
        (META.level, "sops expects its values encrypted and rejects the file")
    } else if has_ciphertext && is_object {
        (META.level, "Flux applies its ciphertext as literal text")
    } else {
        (Level::Warning, "sops treats it as part of the encrypted file, Flux does not")
    }
}
