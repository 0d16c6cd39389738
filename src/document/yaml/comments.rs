//! Comments find their place in the tree.
//!
//! sops keeps a comment as a member of the map or list that it stands in, in front of the entry
//! that it speaks of; a comment to the right of an entry moves in front of that entry
//! (`stores/yaml/store.go`, `appendYamlNodeToTreeBranch`). A comment below the last entry of a
//! block belongs to the innermost block that it is indented for.

use std::vec::IntoIter;

use crate::document::{Comment, Element, Member, Node, Value};
use crate::text::Span;

/// A comment that has not found its place yet.
pub(super) struct Remark<'t> {
    pub(super) comment: Comment<'t>,
    /// Whether it stands to the right of something.
    pub(super) is_inline: bool,
}

/// Puts the comments of one document into its tree.
pub(super) fn place<'t>(root: &mut Node<'t>, mut remarks: Vec<Remark<'t>>, text: &str) {
    if remarks.is_empty() {
        return;
    }
    // The parser reports a comment behind a block scalar's header after the scalar.
    remarks.sort_by_key(|remark| remark.comment.span.start);
    let mut placer = Placer { text, remarks: remarks.into_iter().peekable() };
    placer.fill(root, None, true);
}

struct Placer<'t, 's> {
    text: &'s str,
    remarks: std::iter::Peekable<IntoIter<Remark<'t>>>,
}

impl<'t> Placer<'t, '_> {
    /// Gives `node` the comments that belong into it. `until` is where the next sibling of the
    /// node or of one of its parents begins; the root takes whatever is left.
    fn fill(&mut self, node: &mut Node<'t>, until: Option<usize>, is_root: bool) {
        let column = self.first_child(node).map(|start| self.column(start));
        let end = node.span.end;
        match &mut node.value {
            Value::Scalar(_) => {}
            Value::Map(members) => {
                let starts = members.iter().map(start_of_member).collect::<Vec<_>>();
                let old = std::mem::take(members);
                for (at, mut member) in old.into_iter().enumerate() {
                    let next = starts.get(at + 1).copied();
                    if let Member::Entry(entry) = &mut member {
                        let scalar_end = scalar_end(&entry.node, entry.key_span);
                        let own = self.before(entry.key_span.start, scalar_end);
                        members.extend(own.into_iter().map(Member::Comment));
                        self.fill(&mut entry.node, next.or(until), false);
                    }
                    members.push(member);
                }
                let rest = self.trailing(until, (column, end), is_root);
                members.extend(rest.into_iter().map(Member::Comment));
            }
            Value::List(elements) => {
                let starts = elements.iter().map(start_of_element).collect::<Vec<_>>();
                let old = std::mem::take(elements);
                for (at, mut element) in old.into_iter().enumerate() {
                    let next = starts.get(at + 1).copied();
                    if let Element::Node(child) = &mut element {
                        let scalar_end = scalar_end(child, child.span);
                        let own = self.before(child.span.start, scalar_end);
                        elements.extend(own.into_iter().map(Element::Comment));
                        self.fill(child, next.or(until), false);
                    }
                    elements.push(element);
                }
                let rest = self.trailing(until, (column, end), is_root);
                elements.extend(rest.into_iter().map(Element::Comment));
            }
        }
    }

    /// Comments above `start`, and the one to the right of what ends at `end` on its line.
    fn before(&mut self, start: usize, end: usize) -> Vec<Comment<'t>> {
        let mut own = Vec::new();
        while let Some(remark) = self.remarks.next_if(|remark| {
            let at = remark.comment.span.start;
            at < start
                || (remark.is_inline && at < self.text.len() && {
                    let between = self.text.as_bytes().get(end.min(at)..at).unwrap_or_default();
                    at < end || !between.contains(&b'\n')
                })
        }) {
            own.push(remark.comment);
        }
        own
    }

    /// Comments below the last child, up to the next sibling, that are indented for this block, or
    /// stand before the bracket that ends it.
    fn trailing(
        &mut self,
        until: Option<usize>,
        (column, end): (Option<usize>, usize),
        is_root: bool,
    ) -> Vec<Comment<'t>> {
        let mut own = Vec::new();
        loop {
            let Some(next) = self.remarks.peek() else { return own };
            let at = next.comment.span.start;
            let is_below = until.is_none_or(|until| at < until);
            let is_indented = column.is_some_and(|column| self.column(at) >= column);
            if !(is_root || at < end || (is_below && is_indented)) {
                return own;
            }
            own.extend(self.remarks.next().map(|remark| remark.comment));
        }
    }

    fn first_child(&self, node: &Node<'t>) -> Option<usize> {
        match &node.value {
            Value::Map(members) => members.first().map(start_of_member),
            // The dash stands in front of the element.
            Value::List(elements) => elements.first().map(|element| {
                let start = start_of_element(element);
                let line = self.text.as_bytes()[..start].iter().rposition(|b| *b == b'\n');
                let line = line.map_or(0, |at| at + 1);
                let dash = self.text.as_bytes()[line..start].iter().position(|b| *b == b'-');
                dash.map_or(start, |dash| line + dash)
            }),
            Value::Scalar(_) => None,
        }
    }

    fn column(&self, offset: usize) -> usize {
        let line = self.text.as_bytes()[..offset].iter().rposition(|b| *b == b'\n');
        offset - line.map_or(0, |at| at + 1)
    }
}

/// Where a comment to the right still belongs to the entry: behind a scalar, else behind the key.
fn scalar_end(node: &Node<'_>, key: Span) -> usize {
    if matches!(node.value, Value::Scalar(_)) && !node.span.is_empty() {
        node.span.end
    } else {
        key.end
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, yaml::Yaml};

    /// The tree as one line: `# text`, `key`, `{..}` and `[..]`.
    fn shape(node: &Node<'_>) -> String {
        let parts: Vec<String> = match &node.value {
            Value::Scalar(_) => return "·".into(),
            Value::Map(members) => members
                .iter()
                .map(|member| match member {
                    Member::Comment(comment) => format!("#{}", comment.text.trim()),
                    Member::Entry(entry) => format!("{}:{}", entry.key, shape(&entry.node)),
                })
                .collect(),
            Value::List(elements) => elements
                .iter()
                .map(|element| match element {
                    Element::Comment(comment) => format!("#{}", comment.text.trim()),
                    Element::Node(node) => shape(node),
                })
                .collect(),
        };
        format!("{{{}}}", parts.join(" "))
    }

    fn shape_of(text: &str) -> String {
        shape(&Yaml.parse(text).documents[0].root)
    }

    #[test]
    fn a_comment_stands_before_the_entry_it_speaks_of() {
        assert_eq!(shape_of("# head\na: 1\n# b\nb: 2 # right\n"), "{#head a:· #b #right b:·}");
        assert_eq!(shape_of("l:\n  # first\n  - x\n  - y # y\n"), "{l:{#first · #y ·}}");
        assert_eq!(shape_of("m:\n  # x\n  x: 1\nn: 2\n"), "{m:{#x x:·} n:·}");
    }

    #[test]
    fn a_comment_at_the_end_belongs_to_the_block_it_is_indented_for() {
        assert_eq!(
            shape_of("m:\n  x: 1\n  # in m\n# before n\nn: 2\n# end\n"),
            "{m:{x:· #in m} #before n n:· #end}"
        );
        assert_eq!(shape_of("a: {x: 1} # right\nb: 2\n"), "{#right a:{x:·} b:·}");
        assert_eq!(shape_of("a: {\n  # in a\n}\nb: 2\n"), "{a:{#in a} b:·}");
        assert_eq!(shape_of("a: [\n  # in a\n  ]\nb: 2\n"), "{a:{#in a} b:·}");
        assert_eq!(shape_of("a: |  # header\n  text\nb: 2\n"), "{#header a:· b:·}");
    }
}
