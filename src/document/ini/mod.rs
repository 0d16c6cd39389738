//! INI as sops reads it: `stores/ini/store.go` over `parser.go` of `gopkg.in/ini.v1`.
//!
//! sops changes none of that library's defaults but one: sections of the same name stay apart.
//! Keys without a section belong to `DEFAULT`. A comment belongs to the key or section below it,
//! and is behind that key in sops' tree, so that a selector that reads comments sees it
//! before the next key.
//!
//! The library keeps only the last value of a key that occurs twice in a section. Both are kept here,
//! because the file shows both.

mod reader;

use super::format::{Format, lines_if};
use super::node::{Comment, Document, Member, Node, Shape, Value};
use super::parsed::{ParseError, Parsed};
use super::splice::{Edit, Splice, Spliced, Unspliceable, line_end};
use crate::text::Span;

const UNWRITABLE: &str =
    "sops crashes when it decrypts a comment whose first line is empty: remove the line";

/// The format of `.ini`.
#[derive(Debug)]
pub struct Ini;

impl Format for Ini {
    fn name(&self) -> &'static str {
        "ini"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["ini"]
    }

    fn recognizes(&self, text: &str) -> bool {
        lines_if(text, "[sops]").any(|line| line == "[sops]")
    }

    fn is_shallow(&self) -> bool {
        true
    }

    fn refused_by_sops(&self, _text: &str, parsed: &Parsed<'_>) -> Option<ParseError> {
        let sections = parsed.documents.iter().flat_map(|document| document.root.entries());
        let mut comments = sections.flat_map(|section| comments(&section.node));
        let comment = comments.find(|comment| !is_writable(&comment.text))?;
        Some(ParseError::new(comment.span.start, UNWRITABLE))
    }

    fn parse<'t>(&self, text: &'t str) -> Parsed<'t> {
        let (sections, duplicate_keys, error) = reader::read(text);
        let root = Node::new(Span::new(0, text.len()), Value::Map(sections));
        let document = Document::new(0, text, root, Shape::Sections);
        let documents = if error.is_none() { vec![document] } else { Vec::new() };
        Parsed { documents, duplicate_keys, error }
    }

    fn splice(&self, text: &str, parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced {
        let mut edits = Vec::new();
        let last = parsed.documents.iter().flat_map(|document| document.root.entries()).last();
        if let Some(Value::Map(members)) = last.map(|section| &section.node.value)
            && let Some(Member::Comment(comment)) = members.last()
            && is_below_all_keys(text, members, comment.span)
        {
            let reason =
                "sops would lose this comment, because no key follows it: move it further up";
            return Err(Unspliceable { span: comment.span, reason });
        }
        if let Some(lost) = lost_key(parsed) {
            return Err(lost);
        }
        for value in splice.values {
            let source = &text[value.span.start..value.span.end];
            let quote = source.chars().next().filter(|first| matches!(first, '"' | '\''));
            let rest = text[value.span.end..].lines().next().unwrap_or_default();
            // What sops reads of `"p;w"` is `"p`, and a comment.
            let is_cut = rest.trim_start().starts_with([';', '#']);
            if is_cut && quote.is_some_and(|quote| source.len() == 1 || !source.ends_with(quote)) {
                let reason = "sops would cut this value at its `;` or `#`, in spite of the quotes";
                return Err(Unspliceable { span: value.span, reason });
            }
            edits.push(value.clone());
        }
        for comment in splice.comments {
            let before = &text[..comment.span.start];
            let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
            if line.trim_start().starts_with('[') {
                let reason = "sops would take this comment, once it is encrypted, for a part of the section's name: move it above the section";
                return Err(Unspliceable { span: comment.span, reason });
            }
            edits.push(Edit::new(comment.span, format!("; {}", comment.text)));
        }
        edits.extend(merged_comments(parsed, splice.comments));
        let newline = line_end(text);
        let mut lines = String::new();
        let (section, block) = splice.appended;
        let width = block.lines().map(|(key, _)| key.len()).max().unwrap_or(0);
        lines.push_str(if text.is_empty() || text.ends_with('\n') { "" } else { "\n" });
        lines.push_str(&format!("\n[{section}]\n"));
        for (key, value) in block.lines() {
            lines.push_str(&format!("{key:width$} = {value}\n"));
        }
        edits.push(Edit::new(Span::at(text.len()), lines.replace('\n', newline)));
        Ok(edits)
    }
}

/// Reports whether sops can write a comment that it decrypted. It crashes on an empty line, which a comment
/// gets if it begins with a sign that nothing follows (`writeToBuffer` in `file.go` of the library).
pub fn is_writable(comment: &str) -> bool {
    comment.is_empty() || !comment.split('\n').any(str::is_empty)
}

fn comments<'n, 't>(section: &'n Node<'t>) -> impl Iterator<Item = &'n Comment<'t>> {
    let members = if let Value::Map(members) = &section.value { &members[..] } else { &[] };
    members.iter().filter_map(|member| match member {
        Member::Comment(comment) => Some(comment),
        Member::Entry(_) => None,
    })
}

/// Finds a key that is a comment once sops has written it.
fn lost_key(parsed: &Parsed<'_>) -> Option<Unspliceable> {
    let sections = parsed.documents.iter().flat_map(|document| document.root.entries());
    let mut keys = sections.flat_map(|section| section.node.entries());
    let reason = "sops would write this key without quotes, or with a number in its place, which makes a comment of its line: rename it";
    let key = keys.find(|key| key.key.starts_with(['#', ';']))?;
    Some(Unspliceable { span: key.key_span, reason })
}

/// Reports whether a comment is on a line below the last key. Comments above and next to a key are
/// behind it in the tree.
fn is_below_all_keys(text: &str, members: &[Member<'_>], comment: Span) -> bool {
    let last = members.iter().rev().find_map(|member| match member {
        Member::Entry(entry) => Some(entry.key_span.end.max(entry.node.span.end)),
        Member::Comment(_) => None,
    });
    last.is_none_or(|end| text.get(end..comment.start).is_some_and(|rest| rest.contains('\n')))
}

/// Returns the further lines of comments that were replaced: sops takes lines that follow each
/// other for one comment, whose text the first of them has here.
fn merged_comments(parsed: &Parsed<'_>, replaced: &[Edit]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let sections = parsed.documents.iter().flat_map(|document| document.root.entries());
    for section in sections {
        let Value::Map(members) = &section.node.value else { continue };
        let mut is_replaced = false;
        for member in members {
            match member {
                Member::Comment(comment) if comment.text.is_empty() && is_replaced => {
                    edits.push(Edit::new(comment.span, ""));
                }
                Member::Comment(comment) => {
                    is_replaced = replaced.iter().any(|edit| edit.span == comment.span);
                }
                Member::Entry(_) => is_replaced = false,
            }
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `section.key=value` of all values, in file order.
    fn read(text: &str) -> Vec<String> {
        let parsed = Ini.parse(text);
        assert_eq!(parsed.error, None, "{text:?}");
        let mut found = Vec::new();
        for section in parsed.documents[0].root.entries() {
            for entry in section.node.entries() {
                let value = entry.node.as_str().expect("text");
                found.push(format!("{}.{}={value}", section.key, entry.key));
            }
        }
        found
    }

    #[test]
    fn values_are_those_of_the_library() {
        for (line, expected) in [
            ("a=1", "a=1"),
            ("a: 1", "a=1"),
            (" a = b = c ", "a=b = c"),
            ("a=", "a="),
            ("a = 'x y'", "a=x y"),
            ("a = \"x y\"", "a=x y"),
            ("a = 'it's'", "a='it's'"),
            ("a = 'x\"", "a='x\""),
            ("a = x ; y", "a=x"),
            ("a = \"p;w\"", "a=\"p"),
            ("a = `p;w` # c", "a=p;w"),
            ("a = \"\"\"p\"w\"\"\"", "a=p\"w"),
            ("a = x\\\n  y\\\n\nb=2", "a=xy|b=2"),
            ("a = `x\ny` ; c\nb=2", "a=x\ny|b=2"),
            ("`a=b` = c", "a=b=c"),
            ("\"a:b\" : c", "a:b=c"),
            ("\"\"\"a`b\"\"\" = c", "a`b=c"),
            ("- = x\n- = y", "#1=x|#2=y"),
            ("\u{feff}a=1\r\nb=2\r\n", "a=1|b=2"),
            ("a = é\u{a0}", "a=é"),
        ] {
            let expected: Vec<String> =
                expected.split('|').map(|pair| format!("DEFAULT.{pair}")).collect();
            assert_eq!(read(line), expected, "{line:?}");
        }
    }

    #[test]
    fn sections_of_one_name_stay_apart() {
        let text = "a=0\n[s] ; x]y\na=1\n[ t ]\n[s]\na=2\na=3\n";
        assert_eq!(read(text), ["DEFAULT.a=0", "s] ; x.a=1", "s.a=2", "s.a=3"]);
        assert_eq!(Ini.parse(text).duplicate_keys.len(), 1);
    }

    #[test]
    fn comments_stand_behind_their_key() {
        let text = "; one\n# two\na = 1 ; three\n[s] # four\nb = 2\n; five\n";
        let parsed = Ini.parse(text);
        let mut found = Vec::new();
        for section in parsed.documents[0].root.entries() {
            let Value::Map(members) = &section.node.value else { panic!("no map") };
            for member in members {
                match member {
                    Member::Entry(entry) => found.push(entry.key.to_string()),
                    Member::Comment(comment) => {
                        let span = comment.span;
                        found.push(format!("{}<{}>", &text[span.start..span.end], comment.text));
                    }
                }
            }
        }
        let one = "; one<one\n# two\n; three>";
        assert_eq!(found, ["a", one, "# two<>", "; three<>", "# four<four>", "b", "; five<five>"]);
    }

    #[test]
    fn refuses_what_the_library_refuses_and_says_where() {
        for (text, offset) in [
            ("a=1\nb\n", 4),
            ("= 1", 0),
            ("[a\n", 0),
            ("[]\n", 0),
            ("\"a = 1", 0),
            ("\"\" = 1", 0),
            ("a=1\nb = `x\ny\n", 8),
        ] {
            assert_eq!(Ini.parse(text).error.expect(text).offset, offset, "{text:?}");
        }
    }
}
