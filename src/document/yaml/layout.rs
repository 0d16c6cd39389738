//! Places that a tree does not keep: block scalars, tags, and the ends of documents.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, ScalarStyle, StructureStyle};

use super::faithful::unfaithful;
use super::reader::events;
use crate::document::splice::{Edit, Splice, Unspliceable};
use crate::text::Span;

/// A scalar as it is written.
struct Token {
    /// From its tag, if it has one, to its end.
    whole: Span,
    is_block: bool,
    /// True if it is inside brackets, where a comma ends plain text.
    is_in_flow: bool,
}

/// Places in a text that its tree does not keep.
pub(super) struct Layout<'t> {
    text: &'t str,
    /// Scalars by the offset of their value.
    tokens: HashMap<usize, Token>,
    /// Their offsets, sorted.
    starts: Vec<usize>,
    /// The starts of the values and comments that are encrypted.
    sealed: HashSet<usize>,
    /// The start of each comment, by its end.
    comments: HashMap<usize, usize>,
    /// The end of each document: at its `...`, at the `---` of the next, or with the file.
    pub(super) ends: Vec<usize>,
}

impl<'t> Layout<'t> {
    pub(super) fn of(text: &'t str, splice: &Splice<'_>) -> Result<Self, Unspliceable> {
        let sealed = splice.values.iter().chain(splice.comments);
        let mut layout = Self {
            text,
            tokens: HashMap::new(),
            starts: Vec::new(),
            sealed: sealed.map(|edit| edit.span.start).collect(),
            comments: HashMap::new(),
            ends: Vec::new(),
        };
        let mut is_flow = Vec::new();
        let mut open = false;
        for event in events(text) {
            let broken = Unspliceable { span: Span::at(0), reason: "it cannot be read to its end" };
            let (event, place) = event.map_err(|_| broken)?;
            let range = place.byte_range().unwrap_or(text.len()..text.len());
            if let Some(reason) = unfaithful(&event) {
                let span = Span::new(range.start, range.end);
                return Err(Unspliceable { span, reason });
            }
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
                    // A block of empty lines has no place: it is given that of the key behind it.
                    let is_taken = layout.tokens.get(&range.start).is_some_and(|it| it.is_block);
                    if !is_taken {
                        layout.tokens.insert(range.start, token);
                    }
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

    /// Returns the block scalar that keeps its text and whose last line the file does not end: what
    /// is appended would end it.
    pub(super) fn unended_block(&self) -> Option<Span> {
        if self.text.ends_with('\n') {
            return None;
        }
        let end = self.text.trim_end().len();
        let mut tokens = self.tokens.iter();
        let (start, token) = tokens.find(|(_, token)| token.is_block && token.whole.end >= end)?;
        (!self.sealed.contains(start)).then_some(token.whole)
    }

    /// Returns where the first comment in a part of the text begins.
    pub(super) fn first_comment(&self, part: Span) -> Option<usize> {
        self.comments.values().copied().filter(|at| (part.start..part.end).contains(at)).min()
    }

    /// Reports whether a value next to a comment is encrypted, or the comment, or comments decide
    /// about that.
    pub(super) fn is_near_sealed(&self, comment: Span, splice: &Splice<'_>) -> bool {
        const KEY_AND_VALUE: usize = 2;
        let starts = &self.starts;
        let behind = starts.partition_point(|start| *start < comment.start);
        let beside = &starts[behind.saturating_sub(1)..(behind + KEY_AND_VALUE).min(starts.len())];
        splice.reads_comments
            || self.sealed.contains(&comment.start)
            || beside.iter().any(|start| self.sealed.contains(start))
    }

    pub(super) fn value(&self, value: &Edit, edits: &mut Vec<Edit>) -> Result<(), Unspliceable> {
        let lost = Unspliceable {
            span: value.span,
            reason: "it is written in a way that cannot be edited",
        };
        let token = self.tokens.get(&value.span.start).ok_or_else(|| lost.clone())?;
        let line = &self.text[..value.span.start];
        let before = &line[line.rfind('\n').map_or(0, |at| at + 1)..];
        if before.trim().is_empty() && before.contains('\t') {
            let reason = "a tab is before this value: use spaces for indentation";
            return Err(Unspliceable { span: value.span, reason });
        }
        if !token.is_block {
            let text =
                if token.is_in_flow { format!("\"{}\"", value.text) } else { value.text.clone() };
            edits.push(Edit::new(Span::new(token.whole.start, value.span.end), text));
            return Ok(());
        }
        let header = self.header(value.span.start).ok_or(lost)?;
        let end = if value.span.is_empty() || header.start == value.span.start {
            self.end_of_blank_lines(header.end)
        } else {
            value.span.end
        };
        // A tag before the header is replaced too, and the text between them.
        let start =
            if token.whole.start < value.span.start { token.whole.start } else { header.start };
        let rest = &self.text[header.end..end];
        let line_end = rest.find('\n').unwrap_or(rest.len());
        let line_end = header.end + rest[..line_end].trim_end_matches('\r').len();
        edits.push(Edit::new(Span::new(start, header.end), value.text.clone()));
        edits.push(Edit::new(Span::new(line_end, end.max(line_end)), ""));
        Ok(())
    }

    /// Returns the end of the last line of a block without content, before its line end.
    fn end_of_blank_lines(&self, header: usize) -> usize {
        let line_end = self.text[header..].find('\n').map_or(self.text.len(), |at| header + at);
        let behind = self.text[line_end..].split_inclusive('\n').skip(1);
        let blank: usize = behind.take_while(|line| line.trim().is_empty()).map(str::len).sum();
        let blank = &self.text[line_end..(line_end + 1 + blank).min(self.text.len())];
        line_end + blank.strip_suffix('\n').unwrap_or(blank).len()
    }

    /// Returns the `|` or `>` of a block scalar with its indicators, searching upwards from its
    /// first line. A block of empty lines at the end of the file begins with them.
    fn header(&self, content: usize) -> Option<Span> {
        if self.text[content..].starts_with(['|', '>']) {
            let is_indicator = |c: char| c.is_ascii_digit() || "+-".contains(c);
            let behind = self.text[content + 1..].trim_start_matches(is_indicator);
            return Some(Span::new(content, self.text.len() - behind.len()));
        }
        let mut end = self.text[..content].trim_end().len();
        if let Some(comment) = self.comments.get(&end) {
            end = self.text[..*comment].trim_end().len();
        }
        let before =
            self.text[..end].trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
        before.ends_with(['|', '>']).then(|| Span::new(before.len() - 1, end))
    }
}

/// Returns where a key begins on its line: at the `?`, tag or anchor before it, if it has one.
pub(super) fn column(text: &str, offset: usize) -> usize {
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    // A byte order mark takes no place.
    let before = text[line..offset].trim_start_matches('\u{feff}');
    let behind_blanks = before.trim_start_matches(' ');
    let is_named = behind_blanks.starts_with(['!', '&', '?']);
    if is_named { before.len() - behind_blanks.len() } else { before.len() }
}
