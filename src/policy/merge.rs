//! The merge keys of YAML, `<<: *base`. sops reads its config with go-yaml v3, which takes the
//! entries of the maps that they name for entries of the map they stand in (`decode.go`, `merge`).

use std::borrow::Cow;
use std::collections::HashSet;

use crate::document::{Element, Entry, Member, Node, Value};
use crate::text::Span;

const MERGE_KEY: &str = "<<";

/// Returns a tree with the entries of all merge keys where sops sees them. Their spans stay those
/// of the maps that were named. What is written out wins, then the first map of a list.
pub(super) fn merged<'t>(node: Node<'t>, text: &str) -> Node<'t> {
    let value = match node.value {
        Value::Map(members) => Value::Map(merged_members(members, text)),
        Value::List(elements) => Value::List(
            elements
                .into_iter()
                .map(|element| match element {
                    Element::Node(node) => Element::Node(merged(node, text)),
                    comment @ Element::Comment(_) => comment,
                })
                .collect(),
        ),
        scalar @ Value::Scalar(_) => scalar,
    };
    Node::new(node.span, value)
}

/// Returns the first merge key of a merged tree that sops refuses: it names something else than
/// maps.
pub(super) fn refused(node: &Node<'_>, text: &str) -> Option<Span> {
    let own = node.entries().find(|entry| is_merge_key(entry, text)).map(|entry| entry.key_span);
    own.or_else(|| node.entries().find_map(|entry| refused(&entry.node, text)))
        .or_else(|| node.elements().find_map(|element| refused(element, text)))
}

fn merged_members<'t>(members: Vec<Member<'t>>, text: &str) -> Vec<Member<'t>> {
    let mut written = Vec::with_capacity(members.len());
    let mut sources: Vec<Node<'t>> = Vec::new();
    for member in members {
        match member {
            Member::Entry(entry) if is_merge_key(&entry, text) && names_maps(&entry) => {
                match entry.node.value {
                    Value::List(elements) => {
                        sources.extend(elements.into_iter().filter_map(|element| match element {
                            Element::Node(node) => Some(node),
                            Element::Comment(_) => None,
                        }));
                    }
                    value => sources.push(Node::new(entry.node.span, value)),
                }
            }
            Member::Entry(mut entry) => {
                entry.node = merged(entry.node, text);
                written.push(Member::Entry(entry));
            }
            comment @ Member::Comment(_) => written.push(comment),
        }
    }
    if sources.is_empty() {
        return written;
    }
    let mut keys: HashSet<Cow<'t, str>> = HashSet::new();
    keys.extend(written.iter().filter_map(|member| match member {
        Member::Entry(entry) => Some(entry.key.clone()),
        Member::Comment(_) => None,
    }));
    for source in sources {
        let Value::Map(members) = merged(source, text).value else { continue };
        for member in members {
            if let Member::Entry(entry) = member
                && keys.insert(entry.key.clone())
            {
                written.push(Member::Entry(entry));
            }
        }
    }
    written
}

/// In quotes it is a key like any other.
fn is_merge_key(entry: &Entry<'_>, text: &str) -> bool {
    entry.key == MERGE_KEY && text.get(entry.key_span.start..entry.key_span.end) == Some(MERGE_KEY)
}

/// Reports whether a value is a map, or a list of maps that is written out, not an alias.
fn names_maps(entry: &Entry<'_>) -> bool {
    let is_written_out = entry.node.span.start >= entry.key_span.end;
    entry.node.is_map()
        || entry.node.is_list() && is_written_out && entry.node.elements().all(Node::is_map)
}
