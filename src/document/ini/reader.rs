//! Reads the lines of an INI file.

use std::borrow::Cow;

use crate::document::node::{Comment, Entry, Member, Node, Value};
use crate::document::parsed::{DuplicateKey, MAX_NODES, ParseError, duplicates};
use crate::document::scalar::Scalar;
use crate::text::Span;

/// The section of keys before any section (`ini.DefaultSection`).
const DEFAULT_SECTION: &str = "DEFAULT";
/// The characters that end a key.
const DELIMITERS: [char; 2] = ['=', ':'];
/// The characters that begin a comment.
const COMMENT: [char; 2] = ['#', ';'];

/// The section that is being read.
struct Section<'t> {
    name: &'t str,
    name_span: Span,
    members: Vec<Member<'t>>,
    /// Number for the next key `-`.
    count: usize,
}

/// Returns the sections of a text, the keys that occur twice in one, and why reading ended early.
pub(super) fn read(text: &str) -> (Vec<Member<'_>>, Vec<DuplicateKey>, Option<ParseError>) {
    let mut reader = Reader::new(text);
    let result = reader.file();
    reader.close_section();
    (reader.sections, reader.duplicate_keys, result.err())
}

struct Reader<'t> {
    text: &'t str,
    /// The start of the next line.
    at: usize,
    members: usize,
    section: Section<'t>,
    sections: Vec<Member<'t>>,
    /// Comments that wait for the key or section that they belong to.
    remarks: Vec<Span>,
    duplicate_keys: Vec<DuplicateKey>,
}

type Result<T> = std::result::Result<T, ParseError>;

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let section = Section {
            name: DEFAULT_SECTION,
            name_span: Span::at(at),
            members: Vec::new(),
            count: 1,
        };
        let (sections, remarks, duplicate_keys) = (Vec::new(), Vec::new(), Vec::new());
        Self { text, at, members: 0, section, sections, remarks, duplicate_keys }
    }

    fn file(&mut self) -> Result<()> {
        while let Some(line) = self.next_line() {
            let line = self.without_leading(line);
            match self.slice(line).chars().next() {
                None => {}
                Some('#' | ';') => {
                    self.count(line)?;
                    self.remarks.push(self.trimmed(line));
                }
                Some('[') => self.section(line)?,
                Some(_) => self.key(line)?,
            }
        }
        // Comments that belong to nothing get lost in sops; here they stay.
        let comments = self.comments();
        self.section.members.extend(comments);
        Ok(())
    }

    /// Counts a key or a comment.
    fn count(&mut self, line: Span) -> Result<()> {
        self.members += 1;
        if self.members > MAX_NODES {
            let reason = format!("more than {MAX_NODES} keys and comments");
            return Err(ParseError::limit(line.start, reason));
        }
        Ok(())
    }

    fn slice(&self, span: Span) -> &'t str {
        &self.text[span.start..span.end]
    }

    /// Returns the next line with its line feed.
    fn next_line(&mut self) -> Option<Span> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let start = self.at;
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
        Some(Span::new(start, self.at))
    }

    fn without_leading(&self, span: Span) -> Span {
        Span::new(span.end - self.slice(span).trim_start().len(), span.end)
    }

    /// Returns the text from the start of a span up to the next line: the library joins such texts.
    fn with_line_end(&self, span: Span) -> &'t str {
        let rest = &self.text[span.start..];
        &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)]
    }

    fn trimmed(&self, span: Span) -> Span {
        let span = self.without_leading(span);
        Span::new(span.start, span.start + self.slice(span).trim_end().len())
    }

    fn section(&mut self, line: Span) -> Result<()> {
        let text = self.slice(line);
        let Some(close) = text.rfind(']') else {
            return Err(ParseError::new(line.start, "a section has no closing bracket"));
        };
        if close == 1 {
            return Err(ParseError::new(line.start, "a section has no name"));
        }
        self.close_section();
        self.remark_in(Span::new(line.start + close + 1, line.end));
        self.section = Section {
            name: &text[1..close],
            name_span: Span::new(line.start + 1, line.start + close),
            members: self.comments(),
            count: 1,
        };
        Ok(())
    }

    /// Ends the current section.
    fn close_section(&mut self) {
        let members = std::mem::take(&mut self.section.members);
        let is_implied = self.section.name_span.is_empty();
        if is_implied && members.is_empty() {
            return;
        }
        let entries = || {
            members.iter().filter_map(|member| match member {
                Member::Entry(entry) => Some(entry),
                Member::Comment(_) => None,
            })
        };
        self.duplicate_keys.extend(duplicates(0, entries()));
        let start = self.section.name_span.start;
        let end =
            entries().next_back().map_or(self.section.name_span.end, |entry| entry.node.span.end);
        let node = Node::new(Span::new(start, end), Value::Map(members));
        self.sections.push(Member::Entry(Entry {
            key: Cow::Borrowed(self.section.name),
            key_span: self.section.name_span,
            key_is_string: true,
            node,
        }));
    }

    /// Returns the comments that wait. sops makes one comment of them: the first has its whole
    /// text.
    fn comments(&mut self) -> Vec<Member<'t>> {
        let spans = std::mem::take(&mut self.remarks);
        let mut text = match &spans[..] {
            [] => return Vec::new(),
            [one] => Cow::Borrowed(self.slice(*one)),
            many => {
                let lines: String = many.iter().map(|span| self.with_line_end(*span)).collect();
                Cow::Owned(lines.trim_end().to_owned())
            }
        };
        let mark = if text.starts_with(';') { ';' } else { '#' };
        text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches([mark, ' '])),
            Cow::Owned(text) => Cow::Owned(text.trim_start_matches([mark, ' ']).to_owned()),
        };
        let mut texts = std::iter::once(text);
        spans
            .into_iter()
            .map(|span| Member::Comment(Comment { text: texts.next().unwrap_or_default(), span }))
            .collect()
    }

    /// Keeps the comment in what follows a value or a section.
    fn remark_in(&mut self, rest: Span) {
        if let Some(at) = self.slice(rest).find(COMMENT) {
            self.remarks.push(self.trimmed(Span::new(rest.start + at, rest.end)));
        }
    }

    fn key(&mut self, line: Span) -> Result<()> {
        self.count(line)?;
        let (key_span, value) = self.key_name(line)?;
        let key = match self.slice(key_span) {
            "" => return Err(ParseError::new(line.start, "a line has no key before its `=`")),
            "-" => {
                self.section.count += 1;
                Cow::Owned(format!("#{}", self.section.count - 1))
            }
            key => Cow::Borrowed(key),
        };
        let (span, text) = self.value(value)?;
        let node = Node::new(span, Value::Scalar(Scalar::Str(text)));
        let comments = self.comments();
        self.section.members.push(Member::Entry(Entry {
            key,
            key_span,
            key_is_string: true,
            node,
        }));
        self.section.members.extend(comments);
        Ok(())
    }

    /// Does the work of `readKeyName`: returns the key without its quotes, and the text behind the delimiter.
    fn key_name(&self, line: Span) -> Result<(Span, Span)> {
        let text = self.slice(line);
        let no_delimiter =
            || ParseError::new(line.start, "a line has neither `=` nor `:`, and is no section");
        let quote = match text.as_bytes() {
            [b'"', b'"', b'"', ..] if text.len() > 6 => "\"\"\"",
            [b'"', ..] => "\"",
            [b'`', ..] => "`",
            _ => {
                let end = text.find(DELIMITERS).ok_or_else(no_delimiter)?;
                let key = self.trimmed(Span::new(line.start, line.start + end));
                return Ok((key, Span::new(line.start + end + 1, line.end)));
            }
        };
        let start = quote.len();
        let Some(length) = text[start..].find(quote) else {
            return Err(ParseError::new(line.start, "a key has no closing quote"));
        };
        let close = start + length;
        let rest = &text[close + start..];
        let end = close + start + rest.find(DELIMITERS).ok_or_else(no_delimiter)?;
        let key = self.trimmed(Span::new(line.start + start, line.start + close));
        Ok((key, Span::new(line.start + end + 1, line.end)))
    }

    /// Does the work of `readValue`: returns the value of a line, and of those below that continue it.
    fn value(&mut self, rest: Span) -> Result<(Span, Cow<'t, str>)> {
        let rest = self.without_leading(rest);
        let text = self.slice(rest);
        if text.is_empty() {
            return Ok((Span::at(rest.start), Cow::Borrowed("")));
        }
        if text.len() > 3 && text.starts_with("\"\"\"") {
            return self.quoted(rest, "\"\"\"");
        }
        if text.starts_with('`') {
            return self.quoted(rest, "`");
        }
        let line = self.trimmed(rest);
        if self.slice(line).ends_with('\\') {
            return Ok(self.continued(line));
        }
        self.remark_in(line);
        let end = self.slice(line).find(COMMENT).map_or(line.end, |at| line.start + at);
        let span = self.trimmed(Span::new(line.start, end));
        Ok((span, Cow::Borrowed(unquoted(self.slice(span)))))
    }

    /// Reads a value in quotes, which may span lines. Text behind the closing quote gets lost.
    fn quoted(&mut self, rest: Span, quote: &str) -> Result<(Span, Cow<'t, str>)> {
        let start = rest.start + quote.len();
        let mut line = Span::new(start, rest.end);
        loop {
            if let Some(at) = self.slice(line).rfind(quote) {
                let end = line.start + at;
                if line.start != start {
                    self.remark_in(Span::new(end, line.end));
                }
                let span = Span::new(rest.start, end + quote.len());
                return Ok((span, Cow::Borrowed(&self.text[start..end])));
            }
            let Some(next) = self.next_line() else {
                return Err(ParseError::new(rest.start, "a value has no closing quote"));
            };
            line = next;
        }
    }

    /// Reads a value that continues after a backslash at the end of its line.
    fn continued(&mut self, first: Span) -> (Span, Cow<'t, str>) {
        let mut value = self.slice(Span::new(first.start, first.end - 1)).to_owned();
        let mut end = first.end;
        while let Some(line) = self.next_line() {
            let line = self.trimmed(line);
            if line.is_empty() {
                break;
            }
            end = line.end;
            value.push_str(self.slice(line));
            if !value.ends_with('\\') {
                break;
            }
            value.pop();
        }
        (Span::new(first.start, end), Cow::Owned(value))
    }
}

/// Removes the quotes around a text, unless it contains more of their kind (`hasSurroundedQuote`).
fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"'] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
            return inner;
        }
    }
    text
}
