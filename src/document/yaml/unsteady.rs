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
    (key, is_in_list): (Option<usize>, bool),
    splicing: (&Layout<'_>, &Splice<'_>),
) -> Option<Unspliceable> {
    let (layout, splice) = splicing;
    let (is_root, key) = (key.is_none(), key.unwrap_or_default());
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
                match odd_comment(text, inner, (Some(*start), is_list || is_in_list), splicing) {
                    None => continue,
                    found => return found,
                }
            }
            Child::Comment(span) => *span,
        };
        let place = Place {
            span,
            own: column(text, span.start),
            expected,
            key: column(text, key),
            before: children[..at].iter().rev().find_map(Child::node),
            behind: last.map_or(Some(usize::MAX), |last| at.checked_sub(last)),
            is_list,
            is_root,
        };
        let is_odd = is_alone(text, span) && !is_flow && place.is_odd(text, splice.reads_comments);
        // Where comments decide about values, sops fails on some of those in lists.
        let is_undecided = splice.reads_comments && (is_list || is_in_list || is_flow);
        if is_undecided || (is_odd && layout.is_near_sealed(span, splice)) {
            let reason = "sops may attach this comment to another key: put it on its own line, in the column of the keys around it";
            return Some(Unspliceable { span, reason });
        }
    }
    None
}

fn is_scalar(node: &Node<'_>) -> bool {
    matches!(node.value, Value::Scalar(_))
}

/// Reports whether a node is a map or a list without brackets.
fn is_block(text: &str, node: &Node<'_>) -> bool {
    !is_scalar(node) && !text[node.span.start..].starts_with(['{', '['])
}

/// The surroundings of a comment in its map or list.
struct Place<'n, 't> {
    span: Span,
    /// Its column.
    own: usize,
    /// The column of the keys or dashes beside it.
    expected: Option<usize>,
    /// The column of the key above.
    key: usize,
    /// The node above it.
    before: Option<&'n Node<'t>>,
    /// How many places it is behind the last node. `None` if a node follows.
    behind: Option<usize>,
    is_list: bool,
    is_root: bool,
}

impl Place<'_, '_> {
    fn is_odd(&self, text: &str, reads_comments: bool) -> bool {
        let ends_in_crlf = text[self.span.end..].starts_with("\r\n");
        let is_above_nothing = is_above_nothing(text, self.span);
        let is_last = self.behind.is_some();
        let is_foot = self.is_list && self.behind == Some(1) && ends_in_crlf;
        if is_foot && !reads_comments && self.before.is_some_and(|node| !is_block(text, node)) {
            return false;
        }
        // Dashes in the column of their key.
        let is_at_edge = is_last
            && self.is_list
            && self.expected == Some(self.key)
            && !is_at_border(text, self.span);
        let is_steady = || match self.before {
            None => self.own >= self.key,
            Some(node) => {
                let is_end = self.is_root && is_at_end_of_document(text, self.span);
                is_scalar(node)
                    && Some(self.own) > self.expected
                    && (is_end || !is_last)
                    && !(is_above_nothing || ends_in_crlf)
            }
        };
        let has_column = Some(self.own) == self.expected || (!reads_comments && is_steady());
        is_at_edge
            || !has_column
            || (is_last && is_at_end(text, self.span))
            || (self.is_list && is_above_nothing)
    }
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

/// Reports whether a comment begins its line, and only comments are between it and the metadata.
fn is_at_border(text: &str, comment: Span) -> bool {
    text[..comment.start].ends_with('\n') && is_at_end_of_document(text, comment)
}

/// Reports whether only comments are between a comment and the end of its document, where the metadata follow.
fn is_at_end_of_document(text: &str, comment: Span) -> bool {
    let mut lines = text[comment.end..].split('\n').skip(1);
    let end = lines.find(|line| !line.trim_start_matches(' ').starts_with('#')).unwrap_or_default();
    let is_end_of_file = end.is_empty() && lines.next().is_none();
    let is_end = is_end_of_file || end.starts_with("---") || end.starts_with("...");
    is_end && !text[comment.end..].starts_with('\r')
}

/// A member of a map or a list.
enum Child<'n, 't> {
    Comment(Span),
    /// The start of the node, or of its key if it has one; and the node.
    Node(usize, &'n Node<'t>),
}

impl<'n, 't> Child<'n, 't> {
    fn node(&self) -> Option<&'n Node<'t>> {
        if let Self::Node(_, node) = self { Some(node) } else { None }
    }
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
pub(super) fn unsteady_comments(text: &str, node: &Node<'_>, is_root: bool) -> Vec<Span> {
    let mut found = Vec::new();
    let is_flow = |node: &Node<'_>| text[node.span.start..].starts_with(['{', '[']);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Map(members) => {
            let (mut is_below_block, mut is_below_flow) = (false, false);
            for member in members {
                match member {
                    Member::Comment(comment) if is_flow(node) => found.push(comment.span),
                    Member::Comment(_) => {}
                    Member::Entry(entry) => {
                        found.extend(unsteady_comments(text, &entry.node, false));
                        is_below_block = is_block(text, &entry.node);
                        is_below_flow = !(is_below_block || is_scalar(&entry.node));
                    }
                }
            }
            let trailing = members.iter().rev().map_while(|member| match member {
                Member::Comment(comment) => Some(comment.span),
                Member::Entry(_) => None,
            });
            let is_steady = |comment: &Span| is_root && is_at_border(text, *comment);
            let is_foot = |comment: &Span| {
                text[comment.end..].starts_with('\r') || is_above_nothing(text, *comment)
            };
            found.extend(trailing.filter(|comment| {
                is_below_block && !is_steady(comment) || is_below_flow && is_foot(comment)
            }));
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
                    Element::Node(inner) => found.extend(unsteady_comments(text, inner, false)),
                }
            }
        }
    }
    found
}
