//! Writes other values into YAML, and a block at the end of every document, as sops writes it.
//!
//! The places of block scalars, tags and ends of documents are no part of a tree, so the text is
//! parsed once more for them.

use std::collections::HashSet;

use super::block::written;
use super::layout::{Layout, column};
use super::lines::line_separator;
use super::unsteady::{odd_comment, unsteady_comments};
use crate::document::json;
use crate::document::node::Node;
use crate::document::parsed::Parsed;
use crate::document::splice::{Block, Edit, Splice, Spliced, Unspliceable, line_end};
use crate::text::Span;

/// Columns of a level where the file has none to go by: those of sops.
const INDENT: usize = 4;

/// Returns the edits that write new values into a text.
pub(super) fn splice(text: &str, parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced {
    let layout = Layout::of(text, splice)?;
    let roots = parsed.documents.iter().map(|document| &document.root);
    if let Some(unclear) = unclear(text, &layout).or_else(|| behind_the_end(text, &layout)) {
        return Err(unclear);
    }
    if let Some(unclear) =
        roots.clone().find_map(|root| odd_comment(text, root, (None, false), (&layout, splice)))
    {
        return Err(unclear);
    }
    let mut edits = Vec::new();
    for value in splice.values {
        layout.value(value, &mut edits)?;
    }
    let unsteady: HashSet<Span> = parsed
        .documents
        .iter()
        .flat_map(|document| unsteady_comments(text, &document.root, !splice.reads_comments))
        .collect();
    for comment in splice.comments {
        let line = text[..comment.span.start].trim_end_matches([' ', '\t']);
        if unsteady.contains(&comment.span) || line.ends_with(['}', ']']) {
            let reason = "sops would lose this comment when it decrypts the file, because it is between or behind brackets, or below a nested block: move it above a key";
            return Err(Unspliceable { span: comment.span, reason });
        }
        edits.push(Edit::new(comment.span, format!("#{}", comment.text)));
    }
    let roots = parsed.documents.iter().map(|document| &document.root);
    let step = roots.clone().find_map(|root| step(text, root)).unwrap_or(INDENT);
    for (number, root) in roots.enumerate() {
        let end = layout.ends.get(number).copied().unwrap_or(text.len());
        edits.push(append(text, root, (end, step), splice.appended));
    }
    Ok(edits)
}

/// Returns what sops' YAML library reads differently, or would once the block is appended.
fn unclear(text: &str, layout: &Layout<'_>) -> Option<Unspliceable> {
    if let Some(at) = line_separator(text) {
        let reason = "a line separator (U+0085, U+2028 or U+2029) ends a line here for sops: write it as an escape";
        return Some(Unspliceable { span: Span::at(at), reason });
    }
    let span = layout.unended_block()?;
    let reason = "the file ends inside this text, to which what is appended would add a line end: end its last line";
    Some(Unspliceable { span, reason })
}

/// Finds a comment beside a `...`, or below the last one.
fn behind_the_end(text: &str, layout: &Layout<'_>) -> Option<Unspliceable> {
    let reason =
        "sops loses this comment, because it is behind the end of a document: move it above a key";
    let last = layout.ends.last();
    let found = layout.ends.iter().filter(|end| text[**end..].starts_with("...")).find_map(|end| {
        let line = text[*end..].find('\n').map_or(text.len(), |line| end + line);
        let behind = if Some(end) == last { text.len() } else { line };
        layout.first_comment(Span::new(*end, behind))
    });
    found.map(|at| Unspliceable { span: Span::at(at), reason })
}

/// Returns the edit that adds a block below a document, or before the bracket that ends it.
fn append(
    text: &str,
    root: &Node<'_>,
    (end, step): (usize, usize),
    (key, block): &(&str, Block),
) -> Edit {
    if root.is_map()
        && text[root.span.start..].starts_with('{')
        && text[..root.span.end].ends_with('}')
    {
        let close = root.span.end - 1;
        let comma = if last_token(text, root) == Some(',') || root.entries().next().is_none() {
            ""
        } else {
            ", "
        };
        let member = format!("{comma}\"{key}\": {}", json::compact(block));
        return Edit::new(Span::at(close), member);
    }
    let column = root.entries().next().map_or(0, |entry| column(text, entry.key_span.start));
    let lines = written(key, block, (column, step));
    let newline = line_end(text);
    let mut written = if newline == "\n" { lines } else { lines.replace('\n', newline) };
    let is_at_line_start = end == 0 || text[..end].ends_with('\n');
    if !is_at_line_start {
        written.insert_str(0, newline);
    }
    Edit::new(Span::at(end), written)
}

/// Returns the last character of a flow map before its bracket that is no blank, where no comment
/// follows it.
fn last_token(text: &str, root: &Node<'_>) -> Option<char> {
    let last = root.entries().last()?;
    let start = last.node.span.end.max(last.key_span.end);
    text[start..root.span.end - 1].chars().find(|c| !c.is_whitespace() && *c != ':')
}

/// Columns by which the file indents: those of the first map below a map.
fn step(text: &str, node: &Node<'_>) -> Option<usize> {
    let own = column(text, node.entries().next()?.key_span.start);
    let inner = node.entries().find_map(|entry| {
        let child = entry.node.entries().next()?;
        // The value of an alias is further up.
        let between = text.get(entry.key_span.end..child.key_span.start)?;
        let is_block = between.contains('\n');
        let is_flow = text[entry.node.span.start..].starts_with('{');
        (is_block && !is_flow).then(|| column(text, child.key_span.start))
    });
    inner?.checked_sub(own).filter(|step| *step > 0)
}
