//! Parsed documents with what sops and Kubernetes see in them.

use std::cell::OnceCell;

use crate::document::Document;
use crate::kubernetes;
use crate::rules::Judged;
use crate::sops::census::{self, Census};
use crate::sops::metadata::{self, Found};

/// Looks for metadata, Secrets and plaintext in the documents of one file.
pub(super) fn look<'s>(documents: &'s [Document<'s>]) -> Vec<Judged<'s>> {
    let mut judged: Vec<Judged<'s>> = Vec::with_capacity(documents.len());
    for document in documents {
        let (metadata, unrelated) = match metadata::find(document) {
            Found::Nothing => (None, None),
            Found::Unrelated(span) => (None, Some(span)),
            Found::Metadata(metadata) => (Some(*metadata), None),
        };
        // sops reads the first document's block and applies it to the whole file.
        let first = judged.first().and_then(|first| first.metadata.as_ref());
        let metadata_in_force = metadata.as_ref().or(first);
        let census = match metadata_in_force {
            // Every guess at the selector would make false findings.
            Some(metadata) if metadata.is_ambiguous => Census::unknown(),
            _ => {
                census::take(document, metadata_in_force.map(|metadata| &metadata.recipe.selector))
            }
        };
        let secrets = kubernetes::secrets(document);
        judged.push(Judged {
            document,
            metadata,
            unrelated,
            secrets,
            census,
            paths: OnceCell::new(),
        });
    }
    judged
}

/// Reports whether any document has metadata.
pub(super) fn is_encrypted(documents: &[Judged<'_>]) -> bool {
    documents.iter().any(|judged| judged.metadata.is_some())
}
