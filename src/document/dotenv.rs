//! dotenv as sops reads it (`stores/dotenv/store.go`): lines, nothing else.
//!
//! Quotes, `export` and blanks mean nothing to sops: the key is everything before the first
//! `=`, the value everything behind it. A carriage return at the end of a line belongs to the value.

use std::borrow::Cow;

use super::format::{Format, lines_if};
use super::node::{Comment, Document, Entry, Member, Node, Shape, Value};
use super::parsed::{MAX_NODES, ParseError, Parsed};
use super::scalar::Scalar;
use super::splice::{Edit, Splice, Spliced, Unspliceable};
use crate::text::Span;

/// The format of `.env`.
#[derive(Debug)]
pub struct Dotenv;

impl Format for Dotenv {
    fn name(&self) -> &'static str {
        "dotenv"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["env"]
    }

    fn recognizes(&self, text: &str) -> bool {
        const FIELDS: [&str; 3] = ["sops_mac=", "sops_version=", "sops_lastmodified="];
        lines_if(text, "sops_").any(|line| FIELDS.iter().any(|field| line.starts_with(field)))
    }

    fn is_shallow(&self) -> bool {
        true
    }

    fn parse<'t>(&self, text: &'t str) -> Parsed<'t> {
        let (documents, error) = match members(text) {
            Ok(members) => {
                let root = Node::new(Span::new(0, text.len()), Value::Map(members));
                (vec![Document::new(0, text, root, Shape::Lines)], None)
            }
            Err(error) => (Vec::new(), Some(error)),
        };
        // sops and the programs that read the file later keep both of two equal keys.
        Parsed { documents, duplicate_keys: Vec::new(), error }
    }

    fn splice(&self, text: &str, _parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced {
        if let Some(at) = memchr::memmem::find(text.as_bytes(), b"\r\n") {
            let reason = "a line ends in CRLF, and sops takes the carriage return for a part of the value: end all lines in LF";
            return Err(Unspliceable { span: Span::at(at), reason });
        }
        let mut edits = splice.values.to_vec();
        let comments = splice.comments.iter();
        edits.extend(comments.map(|comment| Edit::new(comment.span, format!("#{}", comment.text))));
        let mut lines = String::new();
        if !text.is_empty() && !text.ends_with('\n') {
            lines.push('\n');
        }
        let (prefix, block) = splice.appended;
        for (key, value) in block.lines() {
            lines.push_str(&format!("{prefix}_{key}={value}\n"));
        }
        edits.push(Edit::new(Span::at(text.len()), lines));
        Ok(edits)
    }
}

fn members(text: &str) -> Result<Vec<Member<'_>>, ParseError> {
    let mut members = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        if !line.is_empty() {
            if members.len() == MAX_NODES {
                return Err(ParseError::limit(start, format!("more than {MAX_NODES} lines")));
            }
            members.push(member(line, start)?);
        }
        start += line.len() + 1;
    }
    Ok(members)
}

/// Reads one line that is not empty, `start` being its place in the file.
fn member(line: &str, start: usize) -> Result<Member<'_>, ParseError> {
    let end = start + line.len();
    if let Some(text) = line.strip_prefix('#') {
        let comment = Comment { text: Cow::Borrowed(text), span: Span::new(start, end) };
        return Ok(Member::Comment(comment));
    }
    let Some((key, value)) = line.split_once('=') else {
        if line == "\r" {
            let reason = "lines end in CRLF, so this one is not empty to sops: end all lines in LF";
            return Err(ParseError::new(start, reason));
        }
        return Err(ParseError::new(start, "a line has no `=`, and sops takes no other lines"));
    };
    let value = if value.contains("\\n") {
        Cow::Owned(value.replace("\\n", "\n"))
    } else {
        Cow::Borrowed(value)
    };
    let border = start + key.len();
    let node = Node::new(Span::new(border + 1, end), Value::Scalar(Scalar::Str(value)));
    let key_span = Span::new(start, border);
    Ok(Member::Entry(Entry { key: Cow::Borrowed(key), key_span, key_is_string: true, node }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, String)> {
        let parsed = Dotenv.parse(text);
        assert_eq!(parsed.error, None, "{text:?}");
        let root = &parsed.documents[0].root;
        root.entries()
            .map(|entry| (entry.key.to_string(), entry.node.as_str().expect("text").to_owned()))
            .collect()
    }

    #[test]
    fn keys_and_values_stand_as_they_are_written() {
        for (line, key, value) in [
            ("A=1", "A", "1"),
            ("A=b=c", "A", "b=c"),
            ("A = 1 ", "A ", " 1 "),
            ("export A=\"x y\"", "export A", "\"x y\""),
            ("A='x # y'", "A", "'x # y'"),
            ("A=x\\ny", "A", "x\ny"),
            ("A=\\\\n", "A", "\\\n"),
            ("A=", "A", ""),
            ("=x", "", "x"),
            ("A=x\r", "A", "x\r"),
            (" # no comment=é", " # no comment", "é"),
        ] {
            assert_eq!(entries(line), [(key.to_owned(), value.to_owned())], "{line:?}");
        }
        assert_eq!(entries("\n\nA=1\n\nA=2\n").len(), 2, "keys may occur twice");
    }

    #[test]
    fn comments_are_members_and_spans_are_exact() {
        let text = "# one\nKEY=va\\nl\n";
        let parsed = Dotenv.parse(text);
        let Value::Map(members) = &parsed.documents[0].root.value else { panic!("no map") };
        let [Member::Comment(comment), Member::Entry(entry)] = &members[..] else {
            panic!("{members:?}")
        };
        assert_eq!(
            (&*comment.text, &text[comment.span.start..comment.span.end]),
            (" one", "# one")
        );
        assert_eq!(&text[entry.key_span.start..entry.key_span.end], "KEY");
        assert_eq!(&text[entry.node.span.start..entry.node.span.end], "va\\nl");
    }

    #[test]
    fn the_error_at_an_empty_line_that_ends_in_crlf_names_the_line_ends() {
        let error = Dotenv.parse("A=1\r\n\r\n").error.expect("an error");
        assert!(error.to_string().contains("CRLF"), "{error}");
    }

    #[test]
    fn a_line_without_an_equals_sign_is_an_error_at_that_line() {
        for (text, offset) in [("A=1\nB\n", 4), ("A=1\r\n\r\n", 5), (" ", 0)] {
            assert_eq!(Dotenv.parse(text).error.expect(text).offset, offset, "{text:?}");
        }
    }
}
