//! Writes other values into YAML, and a block at the end of every document, as sops writes it.
//!
//! The places of block scalars, tags and ends of documents are no part of a tree, so the text is
//! parsed once more for them.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::unsteady::{odd_comment, unsteady_comments};
use crate::document::json;
use crate::document::splice::{Block, Edit, Splice, Spliced, Unspliceable, line_end};
use crate::document::{MAX_DEPTH, Node, Parsed, Scalar, scalar};
use crate::text::Span;

/// Columns of a level where the file has none to go by: those of sops.
const INDENT: usize = 4;

/// The edits that this takes.
pub(super) fn splice(text: &str, parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced {
    let mut layout = Layout::of(text)?;
    layout.sealed =
        splice.values.iter().chain(splice.comments).map(|edit| edit.span.start).collect();
    let roots = parsed.documents.iter().map(|document| &document.root);
    if let Some(unclear) = unclear(text, &layout) {
        return Err(unclear);
    }
    if let Some(unclear) =
        roots.clone().find_map(|root| odd_comment(text, root, (0, false), (&layout, splice)))
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
        .flat_map(|document| unsteady_comments(text, &document.root))
        .collect();
    for comment in splice.comments {
        let line = text[..comment.span.start].trim_end_matches([' ', '\t']);
        if unsteady.contains(&comment.span) || line.ends_with(['}', ']']) {
            let reason = "sops would lose this comment when it decrypts the file, since it stands between or behind brackets, or below a nested block: move it above a key";
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

/// What sops' YAML library reads in another way, or would once something is appended.
fn unclear(text: &str, layout: &Layout<'_>) -> Option<Unspliceable> {
    if let Some(at) = super::line_separator(text) {
        let reason = "a line separator (U+0085, U+2028 or U+2029) stands here, which sops reads as the end of a line: write it as an escape";
        return Some(Unspliceable { span: Span::at(at), reason });
    }
    if text.ends_with('\n') {
        return None;
    }
    let end = text.trim_end().len();
    let mut tokens = layout.tokens.iter();
    let (start, token) = tokens.find(|(_, token)| token.is_block && token.whole.end >= end)?;
    if layout.sealed.contains(start) {
        return None;
    }
    let reason = "the file ends inside this text, to which what is appended would add a line end: end its last line";
    Some(Unspliceable { span: token.whole, reason })
}

/// A scalar as it is written.
struct Token {
    /// From its tag, if it has one, to its end.
    whole: Span,
    is_block: bool,
    /// Whether it stands in a collection with brackets, where a comma ends a plain text.
    is_in_flow: bool,
}

/// What a tree does not say.
pub(super) struct Layout<'t> {
    text: &'t str,
    /// Scalars by the offset of their value.
    tokens: HashMap<usize, Token>,
    /// Their offsets, sorted.
    starts: Vec<usize>,
    /// Where the values and comments begin that are encrypted.
    sealed: HashSet<usize>,
    /// Comments: where each begins, by its end.
    comments: HashMap<usize, usize>,
    /// Where each document ends: at its `...`, at the `---` of the next, or with the file.
    ends: Vec<usize>,
}

impl<'t> Layout<'t> {
    fn of(text: &'t str) -> Result<Self, Unspliceable> {
        let options = granit_parser::options! {
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
            max_buffered_comment_events: usize::MAX,
        };
        let mut layout = Self {
            text,
            tokens: HashMap::new(),
            starts: Vec::new(),
            sealed: HashSet::new(),
            comments: HashMap::new(),
            ends: Vec::new(),
        };
        let mut is_flow = Vec::new();
        let mut open = false;
        for event in Parser::new_from_str_with_options(text, options) {
            let broken = Unspliceable { span: Span::at(0), reason: "it cannot be read to its end" };
            let (event, place) = event.map_err(|_| broken)?;
            let range = place.byte_range().unwrap_or(text.len()..text.len());
            match event {
                Event::Comment(..) => {
                    layout.comments.insert(range.end, range.start);
                }
                Event::Scalar(_, style, ..) => {
                    let start = place
                        .tag_span()
                        .and_then(|tag| tag.byte_range())
                        .map_or(range.start, |tag| tag.start.min(range.start));
                    let token = Token {
                        whole: Span::new(start, range.end),
                        is_block: matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
                        is_in_flow: is_flow.last() == Some(&true),
                    };
                    layout.tokens.insert(range.start, token);
                }
                Event::MappingStart(style, ..) | Event::SequenceStart(style, ..) => {
                    is_flow.push(style == StructureStyle::Flow);
                }
                Event::MappingEnd | Event::SequenceEnd => drop(is_flow.pop()),
                Event::DocumentStart(..) => {
                    let ended_by_this = std::mem::replace(&mut open, true);
                    layout.ends.extend(ended_by_this.then_some(range.start));
                }
                Event::DocumentEnd if text[range.start..].starts_with("...") => {
                    layout.ends.push(range.start);
                    open = false;
                }
                _ => {}
            }
        }
        if open {
            layout.ends.push(text.len());
        }
        layout.starts = layout.tokens.keys().copied().collect();
        layout.starts.sort_unstable();
        Ok(layout)
    }

    /// Whether a value beside a comment is encrypted, or the comment, or comments decide about that.
    pub(super) fn is_near_sealed(&self, comment: Span, splice: &Splice<'_>) -> bool {
        const KEY_AND_VALUE: usize = 2;
        let starts = &self.starts;
        let behind = starts.partition_point(|start| *start < comment.start);
        let beside = &starts[behind.saturating_sub(1)..(behind + KEY_AND_VALUE).min(starts.len())];
        splice.reads_comments
            || self.sealed.contains(&comment.start)
            || beside.iter().any(|start| self.sealed.contains(start))
    }

    fn value(&self, value: &Edit, edits: &mut Vec<Edit>) -> Result<(), Unspliceable> {
        let lost = Unspliceable {
            span: value.span,
            reason: "it is written in a way that cannot be edited",
        };
        let token = self.tokens.get(&value.span.start).ok_or_else(|| lost.clone())?;
        if !token.is_block {
            let text =
                if token.is_in_flow { format!("\"{}\"", value.text) } else { value.text.clone() };
            edits.push(Edit::new(Span::new(token.whole.start, value.span.end), text));
            return Ok(());
        }
        let header = self.header(value.span.start).ok_or(lost)?;
        // A tag stands before the header, and with it what lies between them.
        let start =
            if token.whole.start < value.span.start { token.whole.start } else { header.start };
        let rest = &self.text[header.end..value.span.end];
        let line_end = rest.find('\n').unwrap_or(rest.len());
        let line_end = header.end + rest[..line_end].trim_end_matches('\r').len();
        edits.push(Edit::new(Span::new(start, header.end), value.text.clone()));
        edits.push(Edit::new(Span::new(line_end, value.span.end.max(line_end)), ""));
        Ok(())
    }

    /// The `|` or `>` of a block scalar, with what stands beside it; found from its first line upwards.
    fn header(&self, content: usize) -> Option<Span> {
        let mut end = self.text[..content].trim_end().len();
        if let Some(comment) = self.comments.get(&end) {
            end = self.text[..*comment].trim_end().len();
        }
        let before =
            self.text[..end].trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
        before.ends_with(['|', '>']).then(|| Span::new(before.len() - 1, end))
    }
}

/// The block behind the last line of a document, or before the bracket that ends it.
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
    let mut lines = Lines { step, out: String::new() };
    lines.entry(&" ".repeat(column), column, key, block);
    let newline = line_end(text);
    let mut written = if newline == "\n" { lines.out } else { lines.out.replace('\n', newline) };
    let is_at_line_start = end == 0 || text[..end].ends_with('\n');
    if !is_at_line_start {
        written.insert_str(0, newline);
    }
    Edit::new(Span::at(end), written)
}

/// The last character of a flow map before its bracket that is no blank, where no comment follows it.
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
        // What an alias repeats stands further up.
        let between = text.get(entry.key_span.end..child.key_span.start)?;
        let is_block = between.contains('\n');
        let is_flow = text[entry.node.span.start..].starts_with('{');
        (is_block && !is_flow).then(|| column(text, child.key_span.start))
    });
    inner?.checked_sub(own).filter(|step| *step > 0)
}

/// Where a key begins on its line: at the tag or anchor before it, if it has one.
pub(super) fn column(text: &str, offset: usize) -> usize {
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    // A byte order mark takes no place.
    let before = text[line..offset].trim_start_matches('\u{feff}');
    let behind_blanks = before.trim_start_matches(' ');
    let is_named = behind_blanks.starts_with(['!', '&']);
    if is_named { before.len() - behind_blanks.len() } else { before.len() }
}

/// Lines in sops' form: lists stand deeper than their key, texts of several lines as literals.
struct Lines {
    step: usize,
    out: String,
}

impl Lines {
    /// One key, `lead` being what stands before it on its line, and `column` where it begins.
    fn entry(&mut self, lead: &str, column: usize, key: &str, value: &Block) {
        self.out.push_str(lead);
        self.out.push_str(&plain(key));
        self.out.push(':');
        let inner = column + self.step;
        match value {
            Block::Map(entries) if !entries.is_empty() => {
                self.out.push('\n');
                for (key, value) in entries {
                    self.entry(&" ".repeat(inner), inner, key, value);
                }
            }
            Block::List(items) if !items.is_empty() => {
                self.out.push('\n');
                for item in items {
                    self.item(inner, item);
                }
            }
            Block::Text(text) if text.contains('\n') => {
                self.literal(text, &" ".repeat(column + 2));
            }
            scalar => {
                self.out.push(' ');
                self.out.push_str(&flat(scalar));
                self.out.push('\n');
            }
        }
    }

    fn item(&mut self, column: usize, item: &Block) {
        let Block::Map(entries) = item else {
            self.out.push_str(&format!("{}- {}\n", " ".repeat(column), flat(item)));
            return;
        };
        for (number, (key, value)) in entries.iter().enumerate() {
            let mark = if number == 0 { "- " } else { "  " };
            self.entry(&format!("{}{mark}", " ".repeat(column)), column + 2, key, value);
        }
    }

    fn literal(&mut self, text: &str, indent: &str) {
        self.out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
        for line in text.trim_end_matches('\n').split('\n') {
            if !line.is_empty() {
                self.out.push_str(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }
}

/// What fits on the line of its key.
fn flat(value: &Block) -> String {
    match value {
        Block::Text(text) => plain(text),
        other => json::compact(other),
    }
}

/// A text with the quotes that it needs to stay one: for YAML, and for the library of sops, which
/// takes a timestamp for no text.
fn plain(text: &str) -> String {
    let is_text = matches!(scalar::resolve(text.into(), true, scalar::Tag::None), Scalar::Str(_));
    let written = serde_yaml::to_string(text).unwrap_or_default();
    match written.strip_suffix('\n') {
        Some(written) if is_text && !written.contains('\n') => written.to_owned(),
        _ => json::compact(&Block::text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::splice::apply;
    use crate::document::{Format, yaml::Yaml};

    /// The text with `X` in the place of every scalar below `secret`, `c` in that of comments there,
    /// and a small block at its end.
    fn edited(text: &str) -> String {
        let parsed = Yaml.parse(text);
        assert_eq!(parsed.error, None, "{text}");
        let mut values = Vec::new();
        for document in &parsed.documents {
            for entry in document.root.entries().filter(|entry| entry.key.starts_with("secret")) {
                values.extend(entry.node.elements().map(|node| Edit::new(node.span, "X")));
                values.extend(entry.node.entries().map(|one| Edit::new(one.node.span, "X")));
                if !entry.node.is_map() && !entry.node.is_list() {
                    values.push(Edit::new(entry.node.span, "X"));
                }
            }
        }
        let block = Block::map([("v", Block::text("1"))]);
        let splice = Splice {
            values: &values,
            comments: &[],
            reads_comments: false,
            appended: &("sops", block),
        };
        let edits = super::splice(text, &parsed, &splice).expect(text);
        apply(text, &edits).expect(text)
    }

    const END: &str = "sops:\n    v: \"1\"\n";

    #[test]
    fn scalars_of_every_style_are_replaced_and_nothing_else() {
        for (before, after) in [
            ("secret: x # c\n", "secret: X # c\n"),
            ("secret:   'x y'   \n", "secret:   X   \n"),
            ("secret:\tx\t# c\n", "secret:\tX\t# c\n"),
            ("secret: >-\n  a\n\n  b", "secret: X\n"),
            ("secret: \"a\n  b\" # c\n", "secret: X # c\n"),
            ("secret: a\n  b\n\n  c\nd: 1\n", "secret: X\nd: 1\n"),
            ("secret: |\n  a\n  b\nd: 1\n", "secret: X\nd: 1\n"),
            ("secret: |2- # c\n   a\n  b\n\n\nd: 1\n", "secret: X # c\n\n\nd: 1\n"),
            ("secret: >+\n\n\n  a\n\nd: 1\n", "secret: X\n\nd: 1\n"),
            ("secret:\n  |\n  a\nd: 1\n", "secret:\n  X\nd: 1\n"),
            ("secret: !!binary |\n  aGk=\nd: 1\n", "secret: X\nd: 1\n"),
            ("secret: !!int 3\n", "secret: X\n"),
            ("secret: &a 3\n", "secret: &a X\n"),
            ("secret: {a: b, 'c': \"d\"}\n", "secret: {a: \"X\", 'c': \"X\"}\n"),
            ("secret: [a, b]\n", "secret: [\"X\", \"X\"]\n"),
            ("secret:\n- a\n- |\n  b\n", "secret:\n- X\n- X\n"),
            (
                "secret:\n    a: x\n    # |\n    b: |\n      y # no comment\n",
                "secret:\n    a: X\n    # |\n    b: X\n",
            ),
            ("\"secret\": é\n'd': ü\n", "\"secret\": X\n'd': ü\n"),
            ("secret: x\r\nd: |\r\n  y\r\n", "secret: X\r\nd: |\r\n  y\r\n"),
            ("secret: |\r\n  x\r\n  y\r\nd: 1\r\n", "secret: X\r\nd: 1\r\n"),
        ] {
            let end =
                if before.contains('\r') { END.replace('\n', "\r\n") } else { END.to_owned() };
            assert_eq!(edited(before), format!("{after}{end}"), "{before:?}");
        }
    }

    #[test]
    fn the_block_stands_at_the_end_of_every_document() {
        for (before, after) in [
            ("a: 1", format!("a: 1\n{END}")),
            ("a: 1\n# c", format!("a: 1\n# c\n{END}")),
            ("a: 1\n\n", format!("a: 1\n\n{END}")),
            ("---\na: 1\n---\nb: 1\n...\n", format!("---\na: 1\n{END}---\nb: 1\n{END}...\n")),
            ("a: 1\n...\n# c\n---\nb: 1\n", format!("a: 1\n{END}...\n# c\n---\nb: 1\n{END}")),
            ("---\n---\nb: 1\n", format!("---\n{END}---\nb: 1\n{END}")),
            ("a: |+\n  x\n\n---\nb: 1\n", format!("a: |+\n  x\n\n{END}---\nb: 1\n{END}")),
            ("{a: 1}\n", "{a: 1, \"sops\": {\"v\": \"1\"}}\n".to_owned()),
            ("{a: 1,\n}\n", "{a: 1,\n\"sops\": {\"v\": \"1\"}}\n".to_owned()),
            ("{}\n", "{\"sops\": {\"v\": \"1\"}}\n".to_owned()),
            ("!t a: 1\n&b b: 2\n", format!("!t a: 1\n&b b: 2\n{END}")),
            ("\u{feff}a:\n  b: 1\n", "\u{feff}a:\n  b: 1\nsops:\n  v: \"1\"\n".to_owned()),
            ("  a:\n     b: 1\n", "  a:\n     b: 1\n  sops:\n     v: \"1\"\n".to_owned()),
        ] {
            assert_eq!(edited(before), after, "{before:?}");
        }
    }

    #[test]
    fn blocks_look_as_those_of_sops() {
        let text = |text: &str| Block::text(text);
        let stanza = Block::map([("recipient", text("age1x")), ("enc", text("A\n\nB\n"))]);
        let block = Block::map([
            ("shamir_threshold", Block::Number(2)),
            ("age", Block::List(vec![stanza])),
            ("hc_vault", Block::List(Vec::new())),
            ("lastmodified", text("2026-01-02T03:04:05Z")),
            ("encrypted_regex", text("^(data|stringData)$")),
            ("unencrypted_regex", text("a: #b")),
            ("pgp", text("A\nB")),
            ("mac_only_encrypted", Block::Bool(true)),
        ]);
        let mut lines = Lines { step: 4, out: String::new() };
        lines.entry("", 0, "sops", &block);
        let expected = "sops:\n    shamir_threshold: 2\n    age:\n        - recipient: age1x\n          \
            enc: |\n            A\n\n            B\n    hc_vault: []\n    lastmodified: \
            \"2026-01-02T03:04:05Z\"\n    encrypted_regex: ^(data|stringData)$\n    \
            unencrypted_regex: 'a: #b'\n    pgp: |-\n      A\n      B\n    mac_only_encrypted: true\n";
        assert_eq!(lines.out, expected);
    }
}
