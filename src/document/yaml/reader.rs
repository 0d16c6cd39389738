//! Builds trees from the events of the YAML parser.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use granit_parser::{ErrorKind, Event, Parser, Placement, ScalarStyle, ScanError, StructureStyle};

use super::comments::{self, Remark};
use super::lines::line_start;
use crate::document::node::{Comment, Document, Element, Entry, Member, Node, Shape, Value};
use crate::document::parsed::{
    MAX_COMMENTS_IN_A_ROW, MAX_DEPTH, MAX_DOCUMENTS, MAX_NODES, ParseError, Parsed, duplicates,
};
use crate::document::scalar::{self, Scalar, Tag};
use crate::text::Span;

/// A node that an alias can repeat, and how many nodes that is.
struct Anchored<'t> {
    node: Node<'t>,
    size: usize,
}

pub(super) type Events<'t> = Parser<'t, granit_parser::StrInput<'t>>;

struct Reader<'t> {
    /// The text of the file up to the end of the part.
    text: &'t str,
    /// The offset of the part.
    base: usize,
    events: Events<'t>,
    anchors: HashMap<usize, Anchored<'t>>,
    /// Anchors whose node is still being read.
    open_anchors: HashSet<usize>,
    /// Values and comments.
    nodes: usize,
    depth: usize,
    /// The end of the last line, blanks left out, if the text has no line end behind it.
    cut: Option<usize>,
    /// Comments of the current document.
    remarks: Vec<Remark<'t>>,
    parsed: Parsed<'t>,
}

/// Returns the events of the parser, within the limits on nesting and comments.
pub(super) fn events(text: &str) -> Events<'_> {
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        max_buffered_comment_events: MAX_COMMENTS_IN_A_ROW,
    };
    Parser::new_from_str_with_options(text, options)
}

/// Reads all documents of a text.
pub(super) fn read(text: &str, part: Span) -> Parsed<'_> {
    let mut reader = Reader {
        text: &text[..part.end],
        base: part.start,
        events: events(&text[part.start..part.end]),
        anchors: HashMap::new(),
        open_anchors: HashSet::new(),
        nodes: 0,
        depth: 0,
        cut: cut(text),
        remarks: Vec::new(),
        parsed: Parsed { documents: Vec::new(), duplicate_keys: Vec::new(), error: None },
    };
    if let Err(error) = reader.documents() {
        reader.parsed.error = Some(error);
    }
    reader.parsed
}

impl<'t> Reader<'t> {
    fn documents(&mut self) -> Result<(), ParseError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(..), span) => {
                    let index = self.parsed.documents.len();
                    if index == MAX_DOCUMENTS {
                        let reason = format!("more than {MAX_DOCUMENTS} documents in one file");
                        return Err(ParseError::limit(span.start, reason));
                    }
                    let mut root = self.node()?;
                    while !matches!(self.next()?.0, Event::DocumentEnd) {}
                    let mut remarks = std::mem::take(&mut self.remarks);
                    if let Some(before) = self.parsed.documents.last_mut() {
                        comments::hand_back(before, &mut remarks, self.text);
                    }
                    comments::place(&mut root, remarks, self.text);
                    let document = Document::new(index, self.text, root, Shape::Nested);
                    self.parsed.documents.push(document);
                }
                _ => {}
            }
        }
    }

    /// Returns the next event that is not a comment; comments are kept aside.
    fn next(&mut self) -> Result<(Event<'t>, Span), ParseError> {
        loop {
            let Some(event) = self.events.next_event() else {
                return Err(ParseError::new(self.text.len(), "the file ends unexpectedly"));
            };
            let (event, place) = event.map_err(|error| self.scan_error(&error))?;
            let span = place.byte_range().map_or(Span::at(self.text.len()), |range| {
                Span::new(self.base + range.start, self.base + range.end)
            });
            match event {
                Event::Comment(text, placement) => {
                    self.count(1, span)?;
                    let is_inline = placement == Placement::Right;
                    self.remarks.push(Remark { comment: Comment { text, span }, is_inline });
                }
                event => return Ok((event, span)),
            }
        }
    }

    fn node(&mut self) -> Result<Node<'t>, ParseError> {
        let (event, span) = self.next()?;
        self.node_from(event, span)
    }

    fn node_from(&mut self, event: Event<'t>, span: Span) -> Result<Node<'t>, ParseError> {
        let before = self.nodes;
        self.count(1, span)?;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map_or(Tag::None, |tag| known_tag(&tag));
                let plain = style == ScalarStyle::Plain;
                let value = if plain && span.is_empty() && tag == Tag::None {
                    Scalar::Null // the parser writes an absent value as `~`
                } else {
                    let text = if span.is_empty() && plain { Cow::Borrowed("") } else { text };
                    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                    let text = if is_block { self.uncut(text, span) } else { text };
                    scalar::resolve(text, plain, tag)
                };
                let span = self.trimmed(span, style);
                (Node::new(span, Value::Scalar(value)), anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                self.open_anchors.insert(anchor);
                (self.nested(span, |reader| reader.map(span, style))?, anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open_anchors.insert(anchor);
                (self.nested(span, |reader| reader.list(span, style))?, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => return Err(ParseError::new(span.start, "a value is missing")),
        };
        if anchor > 0 {
            self.open_anchors.remove(&anchor);
            let size = self.nodes - before;
            self.count(size, span)?; // the copy below takes as much memory as the original
            self.anchors.insert(anchor, Anchored { node: node.clone(), size });
        }
        Ok(node)
    }

    fn nested(
        &mut self,
        span: Span,
        read: impl FnOnce(&mut Self) -> Result<Node<'t>, ParseError>,
    ) -> Result<Node<'t>, ParseError> {
        if self.depth == MAX_DEPTH {
            let reason = format!("maps and lists are nested more than {MAX_DEPTH} levels deep");
            return Err(ParseError::limit(span.start, reason));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn map(&mut self, start: Span, style: StructureStyle) -> Result<Node<'t>, ParseError> {
        let mut entries: Vec<Entry<'t>> = Vec::new();
        let end = loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break span;
            }
            let (key, key_is_string) = self.key(event, span)?;
            let node = self.node()?;
            entries.push(Entry { key, key_span: span, key_is_string, node });
        };
        let last = entries.last().map(|entry| entry.node.span.end.max(entry.key_span.end));
        let span = self.collection_span(start, end, last, style);
        self.parsed.duplicate_keys.extend(duplicates(self.parsed.documents.len(), entries.iter()));
        let members = entries.into_iter().map(Member::Entry).collect();
        Ok(Node::new(span, Value::Map(members)))
    }

    fn list(&mut self, start: Span, style: StructureStyle) -> Result<Node<'t>, ParseError> {
        let mut elements = Vec::new();
        let mut last = None;
        let end = loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                break span;
            }
            let node = self.node_from(event, span)?;
            last = Some(node.span.end);
            elements.push(Element::Node(node));
        };
        let start = if style == StructureStyle::Block { self.at_dash(start) } else { start };
        let span = self.collection_span(start, end, last, style);
        Ok(Node::new(span, Value::List(elements)))
    }

    /// Returns the start of a list at its first dash. The parser begins one whose dashes are in the column of
    /// its key at the first element.
    fn at_dash(&self, start: Span) -> Span {
        let rest = &self.text[start.start..];
        if rest.starts_with('-') && rest[1..].starts_with(char::is_whitespace) {
            return start;
        }
        let mut line = line_start(self.text, start.start);
        loop {
            let begin = &self.text[line..start.start];
            let dash = line + begin.len() - begin.trim_start().len();
            if self.text[dash..].starts_with('-') {
                return Span::at(dash);
            }
            match line.checked_sub(1) {
                Some(above) if above > self.base => line = line_start(self.text, above),
                _ => return start,
            }
        }
    }

    /// Flow collections end at their bracket, block collections with their last member.
    fn collection_span(
        &self,
        start: Span,
        end: Span,
        last: Option<usize>,
        style: StructureStyle,
    ) -> Span {
        let end = match style {
            StructureStyle::Flow => end.end,
            StructureStyle::Block => last.unwrap_or(start.end),
        };
        Span::new(start.start, end.clamp(start.start, self.text.len()))
    }

    fn key(&mut self, event: Event<'t>, span: Span) -> Result<(Cow<'t, str>, bool), ParseError> {
        let node = self.node_from(event, span)?;
        match node.value {
            Value::Scalar(Scalar::Str(text)) => Ok((text, true)),
            Value::Scalar(_) => {
                Ok((Cow::Borrowed(&self.text[node.span.start..node.span.end]), false))
            }
            Value::Map(_) | Value::List(_) => {
                Err(ParseError::new(span.start, "a key is a map or a list"))
            }
        }
    }

    /// Returns a block of text, without the line end that the parser adds to a file that has none
    /// at its end.
    fn uncut(&self, text: Cow<'t, str>, span: Span) -> Cow<'t, str> {
        if self.cut.is_none_or(|end| span.end < end) {
            return text;
        }
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(text.strip_suffix('\n').unwrap_or(&text).len());
                Cow::Owned(text)
            }
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node<'t>, ParseError> {
        if self.open_anchors.contains(&anchor) {
            return Err(ParseError::new(
                span.start,
                "an alias is inside the anchor that it repeats",
            ));
        }
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(ParseError::new(
                span.start,
                "an alias repeats an anchor that is not there",
            ));
        };
        let (node, size) = (anchored.node.clone(), anchored.size);
        self.count(size, span)?;
        Ok(node)
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), ParseError> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            let reason =
                format!("more than {MAX_NODES} values and comments once aliases are expanded");
            return Err(ParseError::limit(span.start, reason));
        }
        Ok(())
    }

    /// Returns the parser lets block scalars run up to the next token; this takes the blanks away.
    fn trimmed(&self, span: Span, style: ScalarStyle) -> Span {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return span;
        }
        let content = self.text.get(span.start..span.end).unwrap_or_default();
        Span::new(span.start, span.start + content.trim_end().len())
    }

    fn scan_error(&self, error: &ScanError) -> ParseError {
        let offset = error.marker().byte_offset().unwrap_or_default();
        let offset = (self.base + offset).min(self.text.len());
        match error.kind() {
            ErrorKind::UnexpectedCharacter { .. } => {
                ParseError::new(offset, "a value cannot start with this character")
            }
            ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation => {
                ParseError::new(offset, "a tab is used for indentation; YAML wants spaces")
            }
            ErrorKind::UnknownAnchor => {
                ParseError::new(offset, "an alias repeats an anchor that is not there")
            }
            ErrorKind::RecursionLimitExceeded => {
                let reason = format!("maps and lists are nested more than {MAX_DEPTH} levels deep");
                ParseError::limit(offset, reason)
            }
            ErrorKind::TooManyComments => {
                let reason = format!("more than {MAX_COMMENTS_IN_A_ROW} comments in a row");
                ParseError::limit(offset, reason)
            }
            // The other kinds speak of the grammar and quote nothing of the file.
            _ => ParseError::new(offset, error.info()),
        }
    }
}

/// Returns the end of the last line, blanks left out, if the text has no line end behind it.
fn cut(text: &str) -> Option<usize> {
    let end = text.trim_end().len();
    (end > 0 && !text[end..].contains('\n')).then_some(end)
}

pub(super) fn known_tag(tag: &granit_parser::Tag) -> Tag {
    match tag.core_suffix() {
        Some("str") => Tag::Str,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("bool") => Tag::Bool,
        Some("null") => Tag::Null,
        // These two are of YAML 1.1 and no part of the core schema.
        _ if is_of_yaml(tag, "timestamp") => Tag::Timestamp,
        _ if is_of_yaml(tag, "binary") => Tag::Binary,
        _ if tag.original() == "!" => Tag::None,
        _ => Tag::Str,
    }
}

fn is_of_yaml(tag: &granit_parser::Tag, name: &str) -> bool {
    let rest = "tag:yaml.org,2002:".strip_prefix(tag.handle());
    rest.and_then(|rest| tag.suffix().strip_prefix(rest)) == Some(name)
}
