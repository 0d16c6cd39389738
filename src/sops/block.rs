//! The `sops` block of a document as a tree, in every format.

use super::flat;
use super::selector::FIELDS;
use super::walk::METADATA_KEY;
use crate::document::{Document, Entry, Node, Scalar, Shape, Value};
use crate::keys::{KEY_SERVICES, KeyService};

/// Unfolds the metadata of a shallow format. `None` for formats that nest.
pub(super) fn unfold<'t>(document: &'t Document<'_>) -> Option<flat::Unfolded<'t>> {
    match document.shape {
        Shape::Nested => None,
        Shape::Sections => flat::unfold_section(&document.root),
        Shape::Lines => flat::unfold_lines(&document.root),
    }
}

/// Finds the key `sops`. If it occurs twice, which sops refuses, the one with a value.
pub(super) fn entry_of<'n, 't>(root: &'n Node<'t>) -> Option<&'n Entry<'t>> {
    root.entries().find(|entry| entry.key == METADATA_KEY && !entry.node.is_null())
}

/// Reports whether a map has a field that only the metadata of sops has.
pub(super) fn is_metadata(node: &Node<'_>) -> bool {
    node.entries().any(|entry| {
        matches!(&*entry.key, "mac" | "lastmodified" | "key_groups" | "shamir_threshold")
            || FIELDS.iter().any(|field| field.name() == entry.key)
            || (entry.node.is_list() && service_of(&entry.key).is_some())
    })
}

/// Returns the key service whose stanzas are in a field of the block.
pub(super) fn service_of(field: &str) -> Option<&'static dyn KeyService> {
    KEY_SERVICES.iter().copied().find(|service| service.metadata_field() == field)
}

/// Reads a number of key groups. It is text in dotenv and INI; old versions of sops wrote a float.
pub(super) fn threshold(node: Option<&Node<'_>>) -> Option<usize> {
    match &node?.value {
        Value::Scalar(Scalar::Int(number)) => usize::try_from(*number).ok(),
        Value::Scalar(Scalar::Float(number)) => number.to_string().parse().ok(),
        Value::Scalar(Scalar::Str(text)) => match text.split_once('.') {
            Some((number, rest)) if rest.bytes().all(|b| b == b'0') => number.parse().ok(),
            _ => text.parse().ok(),
        },
        _ => None,
    }
}
