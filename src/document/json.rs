//! JSON with spans, as strict and as lenient as the decoder that sops uses.
//!
//! sops reads JSON token by token (`stores/json/store.go` over Go's `encoding/json`): keys may
//! occur twice and stay in order, and a number is a float or, since 3.13.2, an int.

use std::borrow::Cow;

use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::decimal;
use super::format::Format;
use super::node::{Document, Element, Entry, Member, Node, Shape, Value};
use super::parsed::{
    DuplicateKey, MAX_DEPTH, MAX_DOCUMENTS, MAX_NODES, ParseError, Parsed, duplicates,
};
use super::scalar::Scalar;
use super::splice::{self, Block, Edit, Splice, Spliced, Unspliceable};
use crate::text::Span;

const BYTE_ORDER_MARK: &str =
    "the file begins with a byte order mark, which sops does not take in JSON";
const DIGITS: &str = "this number has more digits than sops keeps: write it as text";
const SURROGATE: &str =
    "this text has half of a surrogate pair, and sops replaces that with U+FFFD";

/// The format of `.json`, and of the envelope that sops puts around binary files.
#[derive(Debug)]
pub struct Json;

impl Json {
    /// Reads values one after the other, as Go's decoder does. Each is a document.
    pub fn parse_stream<'t>(&self, text: &'t str) -> Parsed<'t> {
        let mut reader = Reader::new(text);
        reader.at = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut documents = Vec::new();
        let mut error = None;
        while error.is_none() && reader.peek().is_some() {
            match reader.value() {
                Ok(_) if documents.len() == MAX_DOCUMENTS => {
                    let reason = format!("more than {MAX_DOCUMENTS} documents in one file");
                    error = Some(ParseError::limit(reader.at, reason));
                }
                Ok(root) => {
                    documents.push(Document::new(documents.len(), text, root, Shape::Nested));
                }
                Err(found) => error = Some(found),
            }
        }
        Parsed { documents, duplicate_keys: reader.duplicate_keys, error }
    }
}

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn recognizes(&self, text: &str) -> bool {
        text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
    }

    fn reads_json(&self) -> bool {
        true
    }

    fn has_only_floats(&self) -> bool {
        true
    }

    fn parse<'t>(&self, text: &'t str) -> Parsed<'t> {
        let mut reader = Reader::new(text);
        let (documents, error) = match reader.document() {
            Ok(root) => (vec![Document::new(0, text, root, Shape::Nested)], None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Parsed { documents, duplicate_keys: reader.duplicate_keys, error }
    }

    fn splice(&self, text: &str, parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced {
        let mut roots = parsed.documents.iter().map(|document| &document.root);
        if let Some(unfaithful) = roots.find_map(|root| unfaithful(text, root)) {
            return Err(unfaithful);
        }
        let quoted = |value: &Edit| Edit::new(value.span, format!("\"{}\"", value.text));
        let mut edits: Vec<Edit> = splice.values.iter().map(quoted).collect();
        let roots = parsed.documents.iter().map(|document| &document.root);
        edits.extend(roots.map(|root| append(text, root, splice.appended)));
        Ok(edits)
    }
}

/// Finds a number or a string that sops does not give back as it is.
fn unfaithful(text: &str, node: &Node<'_>) -> Option<Unspliceable> {
    let found = |span, reason| Some(Unspliceable { span, reason });
    match &node.value {
        Value::Scalar(Scalar::Float(float)) => {
            let is_exact = decimal::is_exact(&text[node.span.start..node.span.end], *float);
            if is_exact { None } else { found(node.span, DIGITS) }
        }
        Value::Scalar(Scalar::Str(value)) if is_replaced(text, node.span, value) => {
            found(node.span, SURROGATE)
        }
        Value::Scalar(_) => None,
        Value::Map(_) => node.entries().find_map(|entry| {
            if is_replaced(text, entry.key_span, &entry.key) {
                return found(entry.key_span, SURROGATE);
            }
            unfaithful(text, &entry.node)
        }),
        Value::List(_) => node.elements().find_map(|element| unfaithful(text, element)),
    }
}

/// Reports whether U+FFFD took the place of an escape that is half of a surrogate pair.
fn is_replaced(text: &str, span: Span, value: &str) -> bool {
    let count = |text: &str| text.matches('\u{fffd}').count();
    let source = &text[span.start..span.end];
    count(value) > count(source) + source.to_ascii_lowercase().matches("\\ufffd").count()
}

/// Returns the edit that adds a member in the style of the others: on its own line if the first is.
fn append(text: &str, root: &Node<'_>, (key, block): &(&str, Block)) -> Edit {
    let members = || root.entries().map(|entry| (entry.key_span.start, entry.node.span.end));
    let (first, last) = (members().next(), members().last());
    let Some(((first, _), (_, last))) = first.zip(last) else {
        let member = format!("\n\t\"{key}\": {}\n", pretty(block, "\t", 1));
        return Edit::new(Span::new(root.span.start + 1, root.span.end - 1), member);
    };
    let before = &text[root.span.start + 1..first];
    match before.rsplit_once('\n') {
        None => Edit::new(Span::at(last), format!(", \"{key}\": {}", compact(block))),
        Some((_, indent)) => {
            let newline = splice::line_end(text);
            let member = format!("{indent}\"{key}\": {}", pretty(block, indent, 1));
            Edit::new(Span::at(last), format!(",\n{member}").replace('\n', newline))
        }
    }
}

/// Writes a block on one line, with a blank behind colons: Flux looks for `"mac": "ENC[` byte for byte.
pub(super) fn compact(block: &Block) -> String {
    struct Spaced;

    impl Formatter for Spaced {
        fn begin_object_value<W: ?Sized + std::io::Write>(
            &mut self,
            out: &mut W,
        ) -> std::io::Result<()> {
            out.write_all(b": ")
        }

        fn begin_object_key<W: ?Sized + std::io::Write>(
            &mut self,
            out: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { out.write_all(b", ") }
        }
    }
    written(block, Spaced)
}

/// Writes a block over several lines, `levels` deep in other members.
pub fn pretty(block: &Block, indent: &str, levels: usize) -> String {
    let text = written(block, PrettyFormatter::with_indent(indent.as_bytes()));
    text.replace('\n', &format!("\n{}", indent.repeat(levels)))
}

fn written(block: &Block, formatter: impl Formatter) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(block, &mut serializer).expect("a block has text for its keys");
    String::from_utf8(out).expect("JSON is UTF-8")
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    nodes: usize,
    duplicate_keys: Vec<DuplicateKey>,
}

type Result<T> = std::result::Result<T, ParseError>;

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, depth: 0, nodes: 0, duplicate_keys: Vec::new() }
    }

    fn document(&mut self) -> Result<Node<'t>> {
        let root = self.value()?;
        if self.peek().is_some() {
            return Err(self.error("something follows the end of the JSON value"));
        }
        Ok(root)
    }

    fn error(&self, reason: &'static str) -> ParseError {
        ParseError::new(self.at, reason)
    }

    /// Returns the next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(self.error(reason));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Node<'t>> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(ParseError::limit(self.at, format!("more than {MAX_NODES} values")));
        }
        let first = self.peek();
        let start = self.at;
        let value = match first {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::Scalar(Scalar::Str(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Value::Scalar(self.number()?),
            Some(b't') => self.word("true", Scalar::Bool(true))?,
            Some(b'f') => self.word("false", Scalar::Bool(false))?,
            Some(b'n') => self.word("null", Scalar::Null)?,
            Some(0xef) if start == 0 => return Err(self.error(BYTE_ORDER_MARK)),
            Some(_) => return Err(self.error("a value is expected here")),
            None => return Err(self.error("the file ends where a value is expected")),
        };
        Ok(Node::new(Span::new(start, self.at), value))
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value<'t>>) -> Result<Value<'t>> {
        if self.depth == MAX_DEPTH {
            let reason = format!("objects and arrays are nested more than {MAX_DEPTH} levels deep");
            return Err(ParseError::limit(self.at, reason));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn map(&mut self) -> Result<Value<'t>> {
        let mut entries = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(Vec::new()));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in double quotes is expected here"));
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            self.expect(b':', "a colon is expected after the key")?;
            let node = self.value()?;
            entries.push(Entry { key, key_span, key_is_string: true, node });
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("a comma or a closing brace is expected here")),
            }
        }
        self.at += 1;
        self.duplicate_keys.extend(duplicates(0, entries.iter()));
        Ok(Value::Map(entries.into_iter().map(Member::Entry).collect()))
    }

    fn list(&mut self) -> Result<Value<'t>> {
        let mut elements = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(elements));
        }
        loop {
            elements.push(Element::Node(self.value()?));
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.error("a comma or a closing bracket is expected here")),
            }
        }
        self.at += 1;
        Ok(Value::List(elements))
    }

    fn word(&mut self, word: &'static str, scalar: Scalar<'t>) -> Result<Value<'t>> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("a value is expected here"));
        }
        self.at += word.len();
        Ok(Value::Scalar(scalar))
    }

    fn number(&mut self) -> Result<Scalar<'t>> {
        let rest = &self.text[self.at..];
        let length = rest
            .bytes()
            .take_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
            .count();
        let digits = &rest[..length];
        // serde_json knows JSON's grammar of numbers, which is Go's too.
        let float: f64 =
            serde_json::from_str(digits).map_err(|_| self.error("this is not a JSON number"))?;
        self.at += length;
        // To sops before 3.13.2 every number is a float, and only those know a negative zero.
        let is_float = digits.contains(['.', 'e', 'E']) || digits == "-0";
        let scalar = if is_float { None } else { digits.parse().ok() };
        Ok(scalar.map_or(Scalar::Float(float), Scalar::Int))
    }

    /// Reads a string from its opening quote to its closing quote.
    fn string(&mut self) -> Result<Cow<'t, str>> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut has_escapes = false;
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                None => {
                    return Err(ParseError::new(start, "this string has no closing quote"));
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    at += 2;
                }
                Some(0..=0x1f) => {
                    return Err(ParseError::new(at, "a string contains a control character"));
                }
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        if !has_escapes {
            return Ok(Cow::Borrowed(&self.text[start + 1..at]));
        }
        unescape(&self.text[start + 1..at])
            .map(Cow::Owned)
            .ok_or_else(|| ParseError::new(start, "a string has an escape that JSON does not know"))
    }
}

/// Half a surrogate pair becomes U+FFFD, as in Go.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        rest = rest.get(at + 2..)?;
        out.push(match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = code_unit(rest)?;
                rest = &rest[4..];
                let low = rest.strip_prefix("\\u").and_then(code_unit);
                match (high, low) {
                    (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
                        rest = &rest[6..];
                        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
                    }
                    _ => char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            _ => return None,
        });
    }
    out.push_str(rest);
    Some(out)
}

fn code_unit(text: &str) -> Option<u32> {
    let digits = text.get(..4).filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_the_source_tokens() {
        let text = "{\n\t\"a\": [1, \"x\\u00e9\\ud83d\\ude00\", {}],\n\t\"b\": null\n}\n";
        let parsed = Json.parse(text);
        assert_eq!(parsed.error, None);
        let root = &parsed.documents[0].root;
        let a = root.entry("a").expect("a is there");
        assert_eq!(&text[a.key_span.start..a.key_span.end], "\"a\"");
        let elements: Vec<_> = a.node.elements().collect();
        assert_eq!(elements[1].as_str(), Some("xé😀"));
        assert_eq!(&text[elements[2].span.start..elements[2].span.end], "{}");
        assert!(root.get("b").is_some_and(Node::is_null));
    }

    #[test]
    fn values_and_a_member_are_written_in_the_style_of_the_others() {
        let written = |text: &str| {
            let parsed = Json.parse(text);
            let values: Vec<Edit> = parsed.documents[0]
                .root
                .entries()
                .filter(|entry| entry.key == "s")
                .map(|entry| Edit::new(entry.node.span, "X"))
                .collect();
            let stanza = Block::map([("enc", Block::text("a\nb"))]);
            let block = Block::map([("age", Block::List(vec![stanza]))]);
            let splice = Splice {
                values: &values,
                comments: &[],
                reads_comments: false,
                appended: &("sops", block),
            };
            let edits = Json.splice(text, &parsed, &splice).expect(text);
            splice::apply(text, &edits).expect(text)
        };
        assert_eq!(
            written("{\"s\": 12,\"t\":[]}"),
            "{\"s\": \"X\",\"t\":[], \"sops\": {\"age\": [{\"enc\": \"a\\nb\"}]}}"
        );
        assert_eq!(
            written("{\n  \"s\": \"é\"\n}\n"),
            "{\n  \"s\": \"X\",\n  \"sops\": {\n    \"age\": [\n      {\n        \"enc\": \"a\\nb\"\n      }\n    ]\n  }\n}\n"
        );
        assert_eq!(
            written("{ }"),
            "{\n\t\"sops\": {\n\t\t\"age\": [\n\t\t\t{\n\t\t\t\t\"enc\": \"a\\nb\"\n\t\t\t}\n\t\t]\n\t}\n}"
        );
    }

    #[test]
    fn refuses_what_go_refuses_and_says_where() {
        for (text, offset) in [
            ("{\"a\": 1,, \"b\": 2}", 8),
            ("{\"a\": 1} g", 9),
            ("{\"a\": 01}", 6),
            ("{\"a\": \"\\x\"}", 6),
            ("{\"a\": tru}", 6),
            ("{\"a\"", 4),
            ("", 0),
        ] {
            let error = Json.parse(text).error.expect(text);
            assert_eq!(error.offset, offset, "{text}: {error}");
        }
    }

    #[test]
    fn notices_keys_that_stand_twice() {
        assert_eq!(Json.parse("{\"a\":1,\"b\":{\"c\":1,\"c\":2},\"a\":3}").duplicate_keys.len(), 2);
    }
}
