//! Plaintext Secrets in the texts of other manifests, and patches that set values of Secrets.

use std::collections::HashSet;

use super::exposure::{exposed_in, is_mask, reference};
use super::subject::{Judged, for_each_scalar};
use crate::document::{Document, Node, Scalar, Value};
use crate::kubernetes::patch::{
    PatchedValue, Target, added_value, changed_kind, merged_values, patched_values,
};
use crate::kubernetes::reading::Variants;
use crate::kubernetes::reference::Reference;
use crate::kubernetes::{VALUE_FIELDS, secrets};
use crate::sops::census;
use crate::sops::value::looks_encrypted;
use crate::text::Span;
use crate::text::words::count;
use crate::traces::may_hold_secret;

/// The maximum number of texts inside each other.
const MAX_DEPTH: usize = 3;

/// The annotation of `kubectl apply`, which `last-applied-leak` judges.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A text, or an operation of a patch, that has plaintext values of a Secret.
pub(super) struct Embedded {
    /// The key of the text or the value, or the value itself.
    pub place: Span,
    /// The text or the value.
    pub span: Span,
    /// The statement about it.
    pub message: String,
    /// False if only a kustomization could tell that it belongs to a Secret.
    pub is_sure: bool,
}

/// Finds the texts and operations of a document that have plaintext values of a Secret.
pub(super) fn embedded(judged: &Judged<'_>) -> Vec<Embedded> {
    let mut found = Vec::new();
    let known: HashSet<Span> = judged.secrets.iter().map(|secret| secret.node.span).collect();
    let root = &judged.document.root;
    if !known.contains(&root.span) {
        // Another object with `stringData` may be a mistake, or a patch.
        let is_merge = !merged_values(root, Target::Unknown).is_empty();
        let operations = operations(root, Target::Unknown);
        found.extend(operations.map(|one| Embedded { is_sure: !is_merge, ..one }));
    }
    let texts = Texts { known, depth: MAX_DEPTH };
    texts.visit(root, root.span, Target::Unknown, &mut found);
    found
}

/// A way through the texts of a document.
struct Texts {
    /// The Secrets of the document, whose values have findings of their own.
    known: HashSet<Span>,
    /// The number of texts inside each other that are still read.
    depth: usize,
}

impl Texts {
    fn visit(&self, node: &Node<'_>, place: Span, target: Target, found: &mut Vec<Embedded>) {
        if let Value::Scalar(Scalar::Str(text)) = &node.value {
            let statement = || statement(text, target, self.depth);
            let message = may_hold_secret(text.as_bytes()).then(statement).flatten();
            found.extend(message.map(|message| Embedded {
                place,
                span: node.span,
                message,
                is_sure: true,
            }));
            return;
        }
        let own = if node.is_map() { Target::of(node) } else { Target::Unknown };
        let is_secret = self.known.contains(&node.span);
        let is_read =
            |key: &str| key != LAST_APPLIED && !(is_secret && VALUE_FIELDS.contains(&key));
        for entry in node.entries().filter(|entry| is_read(&entry.key)) {
            self.visit(&entry.node, entry.key_span, own, found);
        }
        for element in node.elements() {
            self.visit(element, element.span, Target::Unknown, found);
        }
    }
}

/// Describes the first plaintext Secret of a text, or of a text in it.
fn statement(text: &str, target: Target, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let variants = Variants::of(text);
    let reading = variants.read();
    if !reading.begins_well && !reading.documents.iter().any(|one| one.root.is_list()) {
        return None;
    }
    reading.documents.iter().find_map(|document| {
        let root = &document.root;
        let is_patch = operations(root, target).next().is_some();
        let patch = is_patch.then(|| "this text sets plaintext values of a Secret".to_owned());
        let nested = || {
            let known = secrets(document).iter().map(|secret| secret.node.span).collect();
            let mut found = Vec::new();
            if root.is_map() || root.is_list() {
                Texts { known, depth }.visit(root, root.span, Target::Unknown, &mut found);
            }
            found.into_iter().next().map(|found| found.message)
        };
        plaintext_secret(document).or(patch).or_else(nested)
    })
}

fn plaintext_secret(document: &Document<'_>) -> Option<String> {
    let census = census::take(document, None);
    secrets(document).iter().filter(|secret| !secret.is_deletion()).find_map(|secret| {
        let spots = exposed_in(&census, secret).into_spots();
        let values = count(spots.len(), "plaintext value");
        (!spots.is_empty()).then(|| format!("this text holds {} with {values}", secret.title()))
    })
}

/// Returns the operations of a patch that set plaintext values, or make a Secret of another object.
fn operations<'n>(patch: &'n Node<'_>, target: Target) -> impl Iterator<Item = Embedded> + 'n {
    let values = if patch.is_list() {
        patched_values(patch, target)
    } else {
        merged_values(patch, target).into_iter().chain(added_value(patch)).collect()
    };
    let kind = changed_kind(patch).map(|entry| Embedded {
        place: entry.key_span,
        span: entry.node.span,
        message: "this operation makes a Secret of an object with plaintext values".to_owned(),
        is_sure: true,
    });
    let values = values.into_iter().filter_map(|value| {
        let number = plaintext_values(&value);
        let values = count(number, "plaintext value");
        let message = format!("this patch sets {values} of a Secret");
        let (place, span) = (value.key_span, value.node.span);
        (number > 0).then_some(Embedded { place, span, message, is_sure: true })
    });
    values.chain(kind)
}

fn plaintext_values(value: &PatchedValue<'_, '_>) -> usize {
    let mut number = 0;
    for_each_scalar(value.node, &mut |node| {
        let Value::Scalar(scalar) = &node.value else { return };
        let is_hidden = match scalar {
            Scalar::Null => true,
            Scalar::Str(text) => text.is_empty() || looks_encrypted(text),
            _ => false,
        };
        let is_base64 = value.field == "data";
        let is_harmless = is_hidden || is_mask(scalar);
        if !is_harmless && reference(scalar, is_base64) == Reference::None {
            number += 1;
        }
    });
    number
}
