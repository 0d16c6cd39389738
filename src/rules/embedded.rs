//! Plaintext Secrets in the texts of other manifests, and patches that set values of Secrets.

use std::collections::HashSet;

use super::exposure::{exposed_in, is_mask, reference};
use super::subject::{Judged, for_each_scalar};
use crate::document::{Document, Node, Scalar, Value};
use crate::kubernetes::patch::{PatchedValue, Target, patched_values};
use crate::kubernetes::reading::Variants;
use crate::kubernetes::reference::Reference;
use crate::kubernetes::secrets;
use crate::sops::census;
use crate::sops::value::looks_encrypted;
use crate::text::Span;
use crate::text::words::count;
use crate::traces::may_hold_secret;

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
}

/// Finds the texts and operations of a document that have plaintext values of a Secret.
pub(super) fn embedded(judged: &Judged<'_>) -> Vec<Embedded> {
    let mut found = Vec::new();
    let known: HashSet<Span> = judged.secrets.iter().map(|secret| secret.node.span).collect();
    let root = &judged.document.root;
    found.extend(operations(root, Target::Unknown));
    visit(root, root.span, Target::Unknown, &known, &mut found);
    found
}

/// Visits the texts below a node, except for those of Secrets, which have findings of their own.
fn visit(
    node: &Node<'_>,
    place: Span,
    target: Target,
    known: &HashSet<Span>,
    found: &mut Vec<Embedded>,
) {
    if known.contains(&node.span) {
        return;
    }
    if let Value::Scalar(Scalar::Str(text)) = &node.value {
        let statement = || statement(text, target);
        let message = may_hold_secret(text.as_bytes()).then(statement).flatten();
        found.extend(message.map(|message| Embedded { place, span: node.span, message }));
        return;
    }
    let own = if node.is_map() { Target::of(node) } else { Target::Unknown };
    for entry in node.entries().filter(|entry| entry.key != LAST_APPLIED) {
        visit(&entry.node, entry.key_span, own, known, found);
    }
    for element in node.elements() {
        visit(element, element.span, Target::Unknown, known, found);
    }
}

/// Describes the first plaintext Secret of a text.
fn statement(text: &str, target: Target) -> Option<String> {
    let variants = Variants::of(text);
    let reading = variants.read();
    if !reading.begins_well && !reading.documents.iter().any(|one| one.root.is_list()) {
        return None;
    }
    reading.documents.iter().find_map(|document| {
        let is_patch = operations(&document.root, target).next().is_some();
        let patch = is_patch.then(|| "this text sets plaintext values of a Secret".to_owned());
        patch.or_else(|| plaintext_secret(document))
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

/// Returns the operations of a patch that set plaintext values.
fn operations<'n>(list: &'n Node<'_>, target: Target) -> impl Iterator<Item = Embedded> + 'n {
    let values = if list.is_list() { patched_values(list, target) } else { Vec::new() };
    values.into_iter().filter_map(|value| {
        let number = plaintext_values(&value);
        let values = count(number, "plaintext value");
        let message = format!("this operation sets {values} of a Secret");
        let (place, span) = (value.key_span, value.node.span);
        (number > 0).then_some(Embedded { place, span, message })
    })
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
