//! Puts comments into the tree.
//!
//! sops keeps a comment as a member of its map or list, in front of the entry that it is about; a
//! comment to the right of an entry moves in front of that entry (`stores/yaml/store.go`,
//! `appendYamlNodeToTreeBranch`). A comment below the last entry of a block belongs to the
//! innermost block that it is indented for.
//!
//! sops' YAML library has an exception (`scannerc.go`, `scan_comments`): a comment right below
//! other content and above an empty line is a *foot*, and belongs to the content above it. The
//! library takes the two characters of a CRLF line end for an empty line.

use std::vec::IntoIter;

use super::lines::{self, column_of_child, line_above, line_start};
use crate::document::node::{Comment, Document, Element, Entry, Member, Node, Value};
use crate::text::Span;

/// A comment that has not found its place yet.
pub(super) struct Remark<'t> {
    pub(super) comment: Comment<'t>,
    /// True if it is to the right of other content.
    pub(super) is_inline: bool,
}

/// The same on its way through the tree. Every node looks at the next one, so what a look needs is
/// found before: a line may be as long as the file.
struct Pending<'t> {
    comment: Comment<'t>,
    /// The start of its line, if it is to the right of other content.
    right_in_line: Option<usize>,
}

/// Puts the comments of one document into its tree.
pub(super) fn place<'t>(root: &mut Node<'t>, mut remarks: Vec<Remark<'t>>, text: &str) {
    if remarks.is_empty() {
        return;
    }
    // The parser reports a comment behind a block scalar's header after the scalar.
    remarks.sort_by_key(|remark| remark.comment.span.start);
    let pending = remarks.into_iter().map(|Remark { comment, is_inline }| {
        let at = comment.span.start;
        let is_right = is_inline && at < text.len();
        Pending { comment, right_in_line: is_right.then(|| line_start(text, at)) }
    });
    let pending: Vec<_> = pending.collect();
    let mut placer = Placer { text, remarks: pending.into_iter().peekable() };
    placer.fill(root, (None, usize::MAX), true);
}

/// Gives the feet right below the line that begins a document to the document before it.
pub(super) fn hand_back<'t>(before: &mut Document<'t>, remarks: &mut Vec<Remark<'t>>, text: &str) {
    let first = remarks.first().map_or(0, |remark| remark.comment.span.start);
    if !line_above(text, first).is_some_and(|line| line.starts_with("---")) {
        return;
    }
    let feet = lines::feet(remarks.iter().map(|remark| &remark.comment), text);
    let feet = remarks.drain(..feet).map(|remark| Member::Comment(remark.comment));
    if let Value::Map(members) = &mut before.root.value {
        members.extend(feet);
    }
}

struct Placer<'t, 's> {
    text: &'s str,
    remarks: std::iter::Peekable<IntoIter<Pending<'t>>>,
}

/// A map or a list whose members have been seen.
struct Seen {
    /// The start of the first member.
    first: Option<usize>,
    /// True for a list: a dash may precede the first member.
    is_list: bool,
    end: usize,
    /// True if it is in brackets.
    is_flow: bool,
    is_root: bool,
}

impl<'t> Placer<'t, '_> {
    /// Gives `node` the comments that belong into it. `until` is where the next sibling of the node
    /// or of one of its parents begins, `limit` where the brackets around it end; the root takes
    /// whatever is left.
    fn fill(&mut self, node: &mut Node<'t>, (until, limit): (Option<usize>, usize), is_root: bool) {
        let (end, is_flow) = (node.span.end, self.is_flow(node));
        let (first, is_list) = (first_child(node), node.is_list());
        let seen = Seen { first, is_list, end, is_flow, is_root };
        let limit = if is_flow { end } else { limit };
        match &mut node.value {
            Value::Scalar(_) => {}
            Value::Map(members) => {
                let starts = members.iter().map(start_of_member).collect::<Vec<_>>();
                let old = std::mem::take(members);
                for (at, mut member) in old.into_iter().enumerate() {
                    let next = starts.get(at + 1).copied();
                    if let Member::Entry(entry) = &mut member {
                        let own = self.entry(entry, (next.or(until), limit));
                        members.extend(own.into_iter().map(Member::Comment));
                    }
                    members.push(member);
                }
                let rest = self.trailing(until, &seen);
                members.extend(rest.into_iter().map(Member::Comment));
            }
            Value::List(elements) => {
                let starts = elements.iter().map(start_of_element).collect::<Vec<_>>();
                let old = std::mem::take(elements);
                let mut is_below_block = false;
                for (at, mut element) in old.into_iter().enumerate() {
                    let next = starts.get(at + 1).copied();
                    let mut feet = Vec::new();
                    if let Element::Node(child) = &mut element {
                        let (start, scalar_end) = (child.span.start, scalar_end(child, child.span));
                        let is_flow = self.is_flow(child);
                        let is_scalar = matches!(child.value, Value::Scalar(_));
                        let own_limit = if is_scalar { limit } else { start };
                        let mut own = self.before(start, scalar_end, own_limit);
                        if is_below_block {
                            let rest = own.split_off(lines::feet(own.iter(), self.text));
                            feet = std::mem::replace(&mut own, rest);
                        }
                        elements.extend(own.into_iter().map(Element::Comment));
                        self.fill(child, (next.or(until), limit), false);
                        if is_flow {
                            let own = self.right_of(child.span.end, limit);
                            elements.extend(own.map(Element::Comment));
                        }
                        feet = self.behind_first_scalar(child, feet);
                        is_below_block = self.is_block(child);
                    }
                    elements.push(element);
                    elements.extend(feet.into_iter().map(Element::Comment));
                }
                let is_token = elements.last().is_some_and(|last| match last {
                    Element::Node(node) => !self.is_block(node),
                    Element::Comment(_) => false,
                });
                if let (true, Some(until)) = (is_token, until.filter(|_| !is_flow)) {
                    elements.extend(self.foot(until).map(Element::Comment));
                }
                let rest = self.trailing(until, &seen);
                elements.extend(rest.into_iter().map(Element::Comment));
            }
        }
    }

    /// Gives the value of an entry the comments that belong into it, and back those that belong
    /// before the entry.
    fn entry(
        &mut self,
        entry: &mut Entry<'t>,
        (until, limit): (Option<usize>, usize),
    ) -> Vec<Comment<'t>> {
        let Entry { key_span: key, node, .. } = entry;
        let is_flow = self.is_flow(node) && key.end <= node.span.start;
        let own_limit = if is_flow { node.span.start } else { limit };
        let own = self.before(key.start, scalar_end(node, *key), own_limit);
        self.fill(node, (until, limit), false);
        if is_flow {
            self.behind_value(node, limit);
        }
        own
    }

    /// sops' YAML library loses sight of the feet of a block inside a list, and puts them behind
    /// the first scalar that follows. Gives back those that belong behind `node` itself.
    fn behind_first_scalar(&self, node: &mut Node<'t>, feet: Vec<Comment<'t>>) -> Vec<Comment<'t>> {
        if feet.is_empty() {
            return feet;
        }
        let is_block = self.is_block(node);
        match &mut node.value {
            Value::Scalar(_) => return feet,
            Value::Map(members) => {
                let first = members.iter().position(|one| matches!(one, Member::Entry(_)));
                // It drops those in front of a flow collection; at its end they speak of nothing.
                let at = first.filter(|_| is_block).map_or(members.len(), |at| at + 1);
                members.splice(at..at, feet.into_iter().map(Member::Comment));
            }
            Value::List(elements) => {
                let first = elements.iter().position(|one| matches!(one, Element::Node(_)));
                let (mut at, mut feet) = (elements.len(), feet);
                if let Some(first) = first.filter(|_| is_block)
                    && let Element::Node(child) = &mut elements[first]
                {
                    feet = self.behind_first_scalar(child, feet);
                    at = first + 1;
                }
                elements.splice(at..at, feet.into_iter().map(Element::Comment));
            }
        }
        Vec::new()
    }

    /// Moves the comment behind the brackets of a value in front of their first member.
    fn behind_value(&mut self, node: &mut Node<'t>, limit: usize) {
        let own = self.right_of(node.span.end, limit);
        match &mut node.value {
            Value::Scalar(_) => {}
            Value::Map(members) => {
                members.splice(..0, own.map(Member::Comment));
            }
            Value::List(elements) => {
                elements.splice(..0, own.map(Element::Comment));
            }
        }
    }

    /// Returns the one comment right below the last scalar of a list, not further left than its dash, and above
    /// an empty line.
    fn foot(&mut self, until: usize) -> std::option::IntoIter<Comment<'t>> {
        let text = self.text;
        let next = self.remarks.next_if(|remark| {
            let span = remark.comment.span;
            let below = text[span.end..].trim_start_matches('\r').strip_prefix('\n');
            let is_above_nothing = text[span.end..].starts_with("\r\n")
                || below
                    .and_then(|below| below.lines().next())
                    .is_some_and(|line| line.trim().is_empty());
            let own = span.start - line_start(text, span.start);
            let above = line_above(text, span.start).unwrap_or_default();
            let dash = above.len() - above.trim_start().len();
            let is_below_dash = above[dash..].starts_with('-') && own >= dash;
            span.start < until && is_above_nothing && is_below_dash
        });
        next.map(|remark| remark.comment).into_iter()
    }

    /// Returns the comment on the line where a value ends, unless it is behind other brackets too.
    fn right_of(&mut self, end: usize, limit: usize) -> std::option::IntoIter<Comment<'t>> {
        let next = self.remarks.next_if(|remark| {
            let at = remark.comment.span.start;
            at < limit && is_right_of(remark, end)
        });
        next.map(|remark| remark.comment).into_iter()
    }

    /// Reports whether a node is a map or a list without brackets.
    fn is_block(&self, node: &Node<'t>) -> bool {
        !matches!(node.value, Value::Scalar(_)) && !self.is_flow(node)
    }

    /// Reports whether a node is a map or a list in brackets.
    fn is_flow(&self, node: &Node<'t>) -> bool {
        let first = self.text.as_bytes().get(node.span.start);
        !matches!(node.value, Value::Scalar(_)) && matches!(first, Some(b'{' | b'['))
    }

    /// Comments above `start`, and the one to the right of what ends at `end` on its line, if it is
    /// before `limit`.
    fn before(&mut self, start: usize, end: usize, limit: usize) -> Vec<Comment<'t>> {
        let mut own = Vec::new();
        while let Some(remark) = self.remarks.next_if(|remark| {
            let at = remark.comment.span.start;
            at < start || (at < limit && is_right_of(remark, end))
        }) {
            own.push(remark.comment);
        }
        own
    }

    /// Comments below the last child, up to the next sibling, that are indented for this block, or
    /// are before the bracket that ends it.
    fn trailing(&mut self, until: Option<usize>, seen: &Seen) -> Vec<Comment<'t>> {
        let text = self.text;
        let mut own = Vec::new();
        let mut column = None;
        while let Some(next) = self.remarks.peek() {
            let at = next.comment.span.start;
            let is_outside = || seen.is_flow && at >= seen.end && is_right_of(next, seen.end);
            let is_below = until.is_none_or(|until| at < until);
            let mut is_indented = || {
                let column = *column.get_or_insert_with(|| column_of(seen, text));
                column.is_some_and(|column| belongs_here(text, at, column, until))
            };
            if !(seen.is_root || at < seen.end || (is_below && !is_outside() && is_indented())) {
                return own;
            }
            own.extend(self.remarks.next().map(|remark| remark.comment));
        }
        own
    }
}

/// Returns the column in which the members begin.
fn column_of(seen: &Seen, text: &str) -> Option<usize> {
    let start = seen.first?;
    let line = line_start(text, start);
    // The dash precedes the element.
    let dash = text.as_bytes()[line..start].iter().position(|b| *b == b'-');
    Some(dash.filter(|_| seen.is_list).unwrap_or(start - line))
}

/// Reports whether a comment below the last child of a block, whose children begin in `column`,
/// belongs to it.
fn belongs_here(text: &str, comment: usize, column: usize, until: Option<usize>) -> bool {
    let own = comment - line_start(text, comment);
    let Some(until) = until else { return own >= column };
    // A comment in the column of the next key or dash belongs to that, even if a list has that column.
    let next = column_of_child(text, until);
    let is_below_comment =
        || line_above(text, comment).is_some_and(|line| line.trim_start().starts_with('#'));
    column > next && own != next && (own >= column || !is_below_comment())
}

/// Reports whether a comment is on the line where a value ends, or to the right of a part of it.
fn is_right_of(remark: &Pending<'_>, end: usize) -> bool {
    let at = remark.comment.span.start;
    remark.right_in_line.is_some_and(|line| at < end || line <= end)
}

/// Returns where a comment to the right still belongs to the entry: behind a scalar, else behind
/// the key.
fn scalar_end(node: &Node<'_>, key: Span) -> usize {
    if matches!(node.value, Value::Scalar(_)) && !node.span.is_empty() {
        node.span.end
    } else {
        key.end
    }
}

fn first_child(node: &Node<'_>) -> Option<usize> {
    match &node.value {
        Value::Map(members) => members.first().map(start_of_member),
        Value::List(elements) => elements.first().map(start_of_element),
        Value::Scalar(_) => None,
    }
}

fn start_of_member(member: &Member<'_>) -> usize {
    match member {
        Member::Entry(entry) => entry.key_span.start,
        Member::Comment(comment) => comment.span.start,
    }
}

fn start_of_element(element: &Element<'_>) -> usize {
    match element {
        Element::Node(node) => node.span.start,
        Element::Comment(comment) => comment.span.start,
    }
}
