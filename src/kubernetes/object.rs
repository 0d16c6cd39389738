//! Kubernetes objects of any kind.

use crate::document::{Document, Node};

/// Reports whether a document is a Kubernetes object of any kind.
pub fn is_object(document: &Document<'_>) -> bool {
    let root = &document.root;
    text(root, "kind").is_some() && text(root, "apiVersion").is_some()
}

/// Reports whether a document is an object with `metadata`: one that a cluster keeps. Kubeconfigs
/// and the configs of many tools have a kind and no `metadata`.
pub fn is_manifest(document: &Document<'_>) -> bool {
    is_object(document) && document.root.get("metadata").is_some_and(Node::is_map)
}

/// Returns the text under a key.
pub(super) fn text<'d>(node: &'d Node<'_>, key: &str) -> Option<&'d str> {
    node.get(key)?.as_str()
}
