//! Kubernetes objects of any kind, as kubectl and kustomize decode them.

use std::collections::HashMap;

use crate::document::{Document, Entry, Node};

/// The key that merges the entries of other maps into its map.
const MERGE_KEY: &str = "<<";

/// Returns true if a document is a Kubernetes object of any kind.
pub fn is_object(document: &Document<'_>) -> bool {
    let root = &document.root;
    text(root, "kind").is_some() && text(root, "apiVersion").is_some()
}

/// Returns true if a document is an object with `metadata`: one that a cluster keeps. Kubeconfigs
/// and the configs of many tools have a kind and no `metadata`.
pub fn is_manifest(document: &Document<'_>) -> bool {
    is_object(document) && field(&document.root, "metadata").is_some_and(Node::is_map)
}

/// Returns the entries that identify an object: those of its type and name, whatever their values are. There
/// are none if the document does not have the form of an object.
pub fn identity<'d, 't>(document: &'d Document<'t>) -> Vec<&'d Entry<'t>> {
    let root = &document.root;
    let (version, kind) = (entry(root, "apiVersion"), entry(root, "kind"));
    let Some(metadata) = field(root, "metadata").filter(|_| version.is_some() && kind.is_some())
    else {
        return Vec::new();
    };
    let name = ["name", "namespace"].map(|key| entry(metadata, key));
    [version, kind, entry(root, "type")].into_iter().chain(name).flatten().collect()
}

/// Returns the text under a key.
pub(super) fn text<'d>(node: &'d Node<'_>, key: &str) -> Option<&'d str> {
    field(node, key)?.as_str()
}

/// Returns the value under a key.
pub fn field<'d, 't>(node: &'d Node<'t>, key: &str) -> Option<&'d Node<'t>> {
    entry(node, key).map(|entry| &entry.node)
}

/// Returns the entry with a key. Of equal keys, the last one counts. Merge keys bring the entries that the
/// map itself does not have.
pub(super) fn entry<'d, 't>(node: &'d Node<'t>, key: &str) -> Option<&'d Entry<'t>> {
    let own = node.entries().filter(|entry| entry.key == key).last();
    own.or_else(|| merged(node).find_map(|map| entry(map, key)))
}

/// Returns the text that a merge key brings behind the map's own entry with this key.
pub(super) fn later_text<'d>(node: &'d Node<'_>, key: &str) -> Option<&'d str> {
    let own = node.entries().filter(|entry| entry.key == key).last()?;
    let is_later = |entry: &&Entry<'_>| is_merge_key(entry) && entry.key_span > own.key_span;
    let named = node.entries().filter(is_later).map(|entry| &entry.node);
    let mut maps = named
        .flat_map(|node| std::iter::once(node).filter(|node| node.is_map()).chain(node.elements()));
    maps.find_map(|map| text(map, key))
}

/// Returns the entries of a map in file order, without those that others replace.
pub(super) fn entries<'d, 't>(node: &'d Node<'t>) -> Vec<&'d Entry<'t>> {
    let mut found: HashMap<&str, &Entry<'t>> = HashMap::new();
    let own = node.entries().filter(|entry| !is_merge_key(entry));
    found.extend(own.map(|entry| (&*entry.key, entry)));
    for entry in merged(node).flat_map(entries) {
        found.entry(&entry.key).or_insert(entry);
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|entry| (entry.key_span, entry.node.id()));
    found
}

/// Returns the maps that the merge keys of a map name.
fn merged<'d, 't>(node: &'d Node<'t>) -> impl Iterator<Item = &'d Node<'t>> {
    let named = node.entries().filter(|entry| is_merge_key(entry)).map(|entry| &entry.node);
    named.flat_map(|node| std::iter::once(node).filter(|node| node.is_map()).chain(node.elements()))
}

/// Returns true for a merge key. In quotes, it is a key like any other.
pub(super) fn is_merge_key(entry: &Entry<'_>) -> bool {
    entry.key == MERGE_KEY && entry.key_span.len() == MERGE_KEY.len()
}
