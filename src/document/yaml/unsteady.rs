//! Comments that sops' YAML library may move once a file is encrypted.
//!
//! That decides whether they are encrypted, and to which place their ciphertext is bound. A file
//! with such a comment next to a value that is encrypted is left to its author.

use super::layout::{Layout, column};
use crate::document::node::{Element, Member, Node, Value};
use crate::document::splice::{Splice, Unspliceable};
use crate::text::Span;

/// Returns the first comment that is alone on its line but not in the column of the keys or dashes
/// beside it. The lines around it decide where sops' YAML library puts it, and so whether it is
/// encrypted.
pub(super) fn odd_comment(
    text: &str,
    node: &Node<'_>,
    (key, is_in_list): (usize, bool),
    splicing: (&Layout<'_>, &Splice<'_>),
) -> Option<Unspliceable> {
    let (layout, splice) = splicing;
    let children = children(node);
    let is_flow = text[node.span.start..].starts_with(['{', '[']);
    let is_list = matches!(node.value, Value::List(_));
    let expected = children.iter().find_map(|child| match child {
        Child::Comment(_) => None,
        Child::Node(start, _) => Some(column_of_child(text, node, *start)),
    });
    let last = children.iter().rposition(|child| matches!(child, Child::Node(..)));
    for (at, child) in children.iter().enumerate() {
        let span = match child {
            Child::Node(start, inner) => {
                match odd_comment(text, inner, (*start, is_list || is_in_list), splicing) {
                    None => continue,
                    found => return found,
                }
            }
            Child::Comment(span) => *span,
        };
        let is_last = last.is_none_or(|last| at > last);
        // Dashes in the column of their key.
        let is_at_edge = (at == 0 || is_last) && is_list && expected == Some(column(text, key));
        let is_odd = is_alone(text, span)
            && !is_flow
            && (is_at_edge
                || Some(column(text, span.start)) != expected
                || (is_last && is_at_end(text, span))
                || (is_list && is_above_nothing(text, span)));
        // Where comments decide about values, sops fails on some of those in lists.
        let is_undecided = splice.reads_comments && (is_list || is_in_list || is_flow);
        if is_undecided || (is_odd && layout.is_near_sealed(span, splice)) {
            let reason = "sops may attach this comment to another key: put it on its own line, in the column of the keys around it";
            return Some(Unspliceable { span, reason });
        }
    }
    None
}

/// Reports whether a comment is alone on its line.
fn is_alone(text: &str, comment: Span) -> bool {
    text[..comment.start].rsplit('\n').next().is_some_and(|line| line.trim().is_empty())
}

/// Reports whether the line below a comment is empty.
fn is_above_nothing(text: &str, comment: Span) -> bool {
    text[comment.end..].lines().nth(1).is_some_and(|line| line.trim().is_empty())
}

/// Reports whether an indented comment is below an empty line, with only comments after it.
fn is_at_end(text: &str, comment: Span) -> bool {
    let line = text[..comment.start].rfind('\n').map_or(0, |at| at + 1);
    let is_below_nothing = text[..line].ends_with("\n\n") || text[..line].ends_with("\n\r\n");
    let is_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    line < comment.start && is_below_nothing && text[comment.end..].lines().all(is_nothing)
}

/// A member of a map or a list.
enum Child<'n, 't> {
    Comment(Span),
    /// The start of the node, or of its key if it has one; and the node.
    Node(usize, &'n Node<'t>),
}

fn children<'n, 't>(node: &'n Node<'t>) -> Vec<Child<'n, 't>> {
    match &node.value {
        Value::Scalar(_) => Vec::new(),
        Value::Map(members) => members
            .iter()
            .map(|member| match member {
                Member::Comment(comment) => Child::Comment(comment.span),
                Member::Entry(entry) => Child::Node(entry.key_span.start, &entry.node),
            })
            .collect(),
        Value::List(elements) => elements
            .iter()
            .map(|element| match element {
                Element::Comment(comment) => Child::Comment(comment.span),
                Element::Node(node) => Child::Node(node.span.start, node),
            })
            .collect(),
    }
}

/// Returns the column of a key; of an element, that of its dash.
fn column_of_child(text: &str, node: &Node<'_>, start: usize) -> usize {
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let dash = matches!(node.value, Value::List(_)).then(|| text[line..start].rfind('-')).flatten();
    column(text, dash.map_or(start, |dash| line + dash))
}

/// Comments that belong to one map before a file is encrypted and to another afterwards, as sops'
/// YAML library has it, so that their ciphertext is bound to the wrong place.
pub(super) fn unsteady_comments(text: &str, node: &Node<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    let is_flow = |node: &Node<'_>| text[node.span.start..].starts_with(['{', '[']);
    let is_nested = |node: &Node<'_>| !matches!(node.value, Value::Scalar(_)) && !is_flow(node);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Map(members) => {
            let mut is_below_block = false;
            for member in members {
                match member {
                    Member::Comment(comment) if is_flow(node) => found.push(comment.span),
                    Member::Comment(_) => {}
                    Member::Entry(entry) => {
                        found.extend(unsteady_comments(text, &entry.node));
                        is_below_block = is_nested(&entry.node);
                    }
                }
            }
            let trailing = members.iter().rev().map_while(|member| match member {
                Member::Comment(comment) => Some(comment.span),
                Member::Entry(_) => None,
            });
            found.extend(trailing.filter(|_| is_below_block));
        }
        Value::List(elements) => {
            for (element, next) in
                elements.iter().zip(elements.iter().skip(1).map(Some).chain([None]))
            {
                // An element of which nothing is written has no place for a comment.
                let is_before_nothing =
                    matches!(next, Some(Element::Node(next)) if next.span.is_empty());
                match element {
                    Element::Comment(comment) if is_flow(node) || is_before_nothing => {
                        found.push(comment.span);
                    }
                    Element::Comment(_) => {}
                    Element::Node(inner) => found.extend(unsteady_comments(text, inner)),
                }
            }
        }
    }
    found
}
