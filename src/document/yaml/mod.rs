//! YAML, read with `granit-parser` and shaped as sops shapes it.
//!
//! As in sops, aliases are expanded, tags only decide the type of scalars, and `<<` stays a plain
//! key. What sops refuses (a map as a key, an alias inside its own anchor) is an error.

mod block;
mod comments;
mod faithful;
mod layout;
mod lines;
mod reader;
mod scanner;
mod splice;
mod unsteady;

use super::format::Format;
use super::parsed::{ParseError, Parsed};
use super::splice::{Splice, Spliced};
use crate::text::Span;

/// The format of `.yaml` and `.yml`.
#[derive(Debug)]
pub struct Yaml;

impl Yaml {
    /// Reads the documents in a part of a text. Their spans are places in the whole text.
    pub fn parse_part<'t>(&self, text: &'t str, part: Span) -> Parsed<'t> {
        reader::read(text, part)
    }
}

impl Format for Yaml {
    fn name(&self) -> &'static str {
        "yaml"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["yaml", "yml"]
    }

    fn recognizes(&self, _text: &str) -> bool {
        true
    }

    fn reads_json(&self) -> bool {
        true
    }

    fn reads_utf_16(&self) -> bool {
        true
    }

    fn foreign_line_break(&self, text: &str) -> Option<usize> {
        if text.is_ascii() { None } else { lines::line_separator(text) }
    }

    fn refused_by_sops(&self, text: &str, _parsed: &Parsed<'_>) -> Option<ParseError> {
        scanner::refused(text)
    }

    fn parse<'t>(&self, text: &'t str) -> Parsed<'t> {
        reader::read(text, Span::new(0, text.len()))
    }

    fn splice(&self, text: &str, parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced {
        splice::splice(text, parsed, splice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::node::{Element, Member, Node, Value};
    use crate::document::splice::{Block, Edit, apply};

    #[test]
    fn tags_of_yaml_1_1_count_however_they_are_written() {
        let text = "a: !!binary /w==\nb: !<tag:yaml.org,2002:binary> aGk=\nc: !!timestamp 2001-01-01\n\
                    d: !binary aGk=\n";
        let parsed = Yaml.parse(text);
        let root = &parsed.documents[0].root;
        let nouns: Vec<_> = root.entries().map(|entry| entry.node.noun()).collect();
        assert_eq!(nouns, ["binary data", "text", "a timestamp", "text"]);
        assert_eq!(root.get("b").and_then(Node::as_str), Some("hi"));
        assert_eq!(root.get("d").and_then(Node::as_str), Some("aGk="));
    }

    /// Returns the tree as one line: `# text`, `key`, `{..}` and `[..]`.
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
    fn a_foot_of_a_block_in_a_list_goes_behind_the_next_scalar() {
        for (text, shape) in [
            ("l:\n- k: 1\n# f\n\n- x\n- y\n", "{l:{{k:·} · #f ·}}"),
            ("l:\n- k: 1\n# f\r\n- x\r\n- y\r\n", "{l:{{k:·} · #f ·}}"),
            ("l:\n- k: 1\n# f\n# g\n\n- x\n- y\n", "{l:{{k:·} · #f #g ·}}"),
            ("l:\n- k: 1\n# f\r\n# g\r\n- x # x\r\n- y\r\n", "{l:{{k:·} #g #x · #f ·}}"),
            ("l:\n- k: 1\n# f\n\n# g\n- a: 1\n  b: 2\n", "{l:{{k:·} #g {a:· #f b:·}}}"),
            ("l:\n- k: 1\n# f\n\n- - - x\n    - y\n", "{l:{{k:·} {{· #f ·}}}}"),
            ("l:\n- k: 1\n# f\n\n- [x]\n- y\n", "{l:{{k:·} {· #f} ·}}"),
            // These are none: an empty line above, none below, no block above, one's own indentation.
            ("l:\n- k: 1\n\n# f\n\n- x\n- y\n", "{l:{{k:·} #f · ·}}"),
            ("l:\n- k: 1\n# f\n- x\n- y\n", "{l:{{k:·} #f · ·}}"),
            ("l:\n- k\n# f\n\n- x\n- y\n", "{l:{· #f · ·}}"),
            ("l:\n- k: 1\n  # f\n\n- x\n- y\n", "{l:{{k:· #f} · ·}}"),
        ] {
            assert_eq!(shape_of(text), shape, "{text}");
        }
    }

    #[test]
    fn a_foot_of_the_line_that_begins_a_document_belongs_to_the_one_before() {
        for (text, first, second) in [
            ("a: 1\n---\n# f\n\nb: 1\n", "{a:· #f}", "{b:·}"),
            ("a: 1\r\n---\r\n# f\r\n# g\r\nb: 1\r\n", "{a:· #f}", "{#g b:·}"),
            ("a: 1\n---\n# f\nb: 1\n", "{a:·}", "{#f b:·}"),
            ("a: 1\n---\n\n# f\n\nb: 1\n", "{a:·}", "{#f b:·}"),
            ("a: 1\n--- # f\n\nb: 1\n", "{a:·}", "{#f b:·}"),
            ("a: 1\n---\nb: 1 # f\n\nc: 1\n", "{a:·}", "{#f b:· c:·}"),
        ] {
            let parsed = Yaml.parse(text);
            let shapes: Vec<String> = parsed.documents.iter().map(|one| shape(&one.root)).collect();
            assert_eq!(shapes, [first, second], "{text}");
        }
    }

    #[test]
    fn a_comment_at_the_end_belongs_to_the_block_it_is_indented_for() {
        assert_eq!(
            shape_of("m:\n  x: 1\n  # in m\n# before n\nn: 2\n# end\n"),
            "{m:{x:· #in m} #before n n:· #end}"
        );
        assert_eq!(shape_of("a: {\n  # in a\n}\nb: 2\n"), "{a:{#in a} b:·}");
        assert_eq!(shape_of("a: [\n  # in a\n  ]\nb: 2\n"), "{a:{#in a} b:·}");
        assert_eq!(shape_of("a: |  # header\n  text\nb: 2\n"), "{#header a:· b:·}");
    }

    /// The shapes are those that sops 3.11.0 reads.
    #[test]
    fn a_comment_of_another_column_than_the_next_key_belongs_to_the_block_above() {
        for (text, shape) in [
            ("u:\n- b\n# c\no: x\n", "{u:{·} #c o:·}"),
            ("u:\n- b\n# c\n\no: x\n", "{u:{· #c} o:·}"),
            ("u:\n- b\n\n# c\no: x\n", "{u:{·} #c o:·}"),
            ("u:\n- b\n\n# c\n\no: x\n", "{u:{·} #c o:·}"),
            ("u:\n- a: b\n# c\no: x\n", "{u:{{a:·}} #c o:·}"),
            ("u:\n- a: b\n# c\n\no: x\n", "{u:{{a:·}} #c o:·}"),
            ("u:\n- b\n# c\n# d\no: x\n", "{u:{·} #c #d o:·}"),
            ("u:\n- []\n# c\n\no: x\n", "{u:{{} #c} o:·}"),
            ("u:\n  - b\n# c\n\no: x\n", "{u:{·} #c o:·}"),
            ("u:\r\n- b\r\n# c\r\n# d\r\no: x\r\n", "{u:{· #c} #d o:·}"),
            ("u:\r\n  - b\r\n# c\r\no: x\r\n", "{u:{·} #c o:·}"),
            ("u:\r\n  - b\r\n  # c\r\no: x\r\n", "{u:{· #c} o:·}"),
            ("u:\n- b\n # c\no: x\n", "{u:{·} #c o:·}"),
            ("u:\n  - b\n # c\no: x\n", "{u:{· #c} o:·}"),
            ("u:\n  - b\n  # c\no: x\n", "{u:{· #c} o:·}"),
            ("u:\n  a: b\n # c\no: x\n", "{u:{a:· #c} o:·}"),
            ("u:\n  a: b\n   # c\no: x\n", "{u:{a:· #c} o:·}"),
            ("u:\n  a: b\n# c\n  b: x\no: 1\n", "{u:{a:· #c b:·} o:·}"),
            ("u:\n  b:\n    c: x\n# c\n  d: x\n", "{u:{b:{c:· #c} d:·}}"),
            ("u:\n  b:\n    c: x\n   # c\n  d: x\n", "{u:{b:{c:· #c} d:·}}"),
            ("u:\n  b:\n    c: x\n# c\no: 1\n", "{u:{b:{c:·}} #c o:·}"),
            ("u:\n  b:\n    c: x\n  # c\no: 1\n", "{u:{b:{c:· #c}} o:·}"),
            ("u:\n  - a:\n      p: x # c\no: 1\n", "{u:{{a:{#c p:·}}} o:·}"),
        ] {
            assert_eq!(shape_of(text), shape, "{text}");
        }
    }

    /// The shapes are those that sops 3.11.0 reads.
    #[test]
    fn a_comment_to_the_right_of_brackets_goes_into_those_of_a_value() {
        for (text, shape) in [
            ("a: {p: 1} # c\nz: 1\n", "{a:{#c p:·} z:·}"),
            ("a: {p: 1 # c\n  }\nz: 1\n", "{a:{#c p:·} z:·}"),
            ("a: {p: 1, # c\n  q: 2}\nz: 1\n", "{a:{#c p:· q:·} z:·}"),
            ("a: {p: 1,\n  q: 2} # c\nz: 1\n", "{a:{#c p:· q:·} z:·}"),
            ("a: {p: 1\n  } # c\nz: 1\n", "{a:{#c p:·} z:·}"),
            ("a: # c\n  {p: 1, q: 2}\nz: 1\n", "{#c a:{p:· q:·} z:·}"),
            ("a: {p: {b: 1}} # c\nz: 1\n", "{a:{#c p:{b:·}} z:·}"),
            ("a: {p: [b, c]} # c\nz: 1\n", "{a:{#c p:{· ·}} z:·}"),
            ("a: {p: {b: 1}, # c\n  q: 2}\nz: 1\n", "{a:{p:{#c b:·} q:·} z:·}"),
            ("a: {p: {b: 1 # d\n  }, # c\n  q: 2}\n", "{a:{p:{#c #d b:·} q:·}}"),
            ("a:\n  p: {b: 1} # c\n  z: 1\n", "{a:{p:{#c b:·} z:·}}"),
            ("a: [p, q] # c\nz: 1\n", "{a:{#c · ·} z:·}"),
            ("a: [{b: 1}, q] # c\nz: 1\n", "{a:{#c {b:·} ·} z:·}"),
            ("a: {} # c\nz: 1\n", "{a:{#c} z:·}"),
            ("a: [] # c\nz: 1\n", "{a:{#c} z:·}"),
            // An element has its comment in front.
            ("a:\n  - [1, 2] # c\n  - [{b: 1}] # d\n  - x\n", "{a:{#c {· ·} #d {{b:·}} ·}}"),
            ("a:\n  - [1, # d\n    2] # c\n  - x\n", "{a:{#c {#d · ·} ·}}"),
            ("a:\n  - p: {b: 1} # c\n  - {p: 1} # d\n  - z\n", "{a:{{p:{#c b:·}} #d {p:·} ·}}"),
            ("x: &x {p: 1}\na: *x # c\nz: 1\n", "{x:{p:·} #c a:{p:·} z:·}"),
        ] {
            assert_eq!(shape_of(text), shape, "{text}");
        }
    }

    /// Returns the text with `X` in the place of every scalar below `secret`, `c` in that of
    /// comments there, and a small block at its end.
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
        let edits = splice::splice(text, &parsed, &splice).expect(text);
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
            ("secret: !!binary |\n  /w==\nd: 1\n", "secret: X\nd: 1\n"),
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
            ("!!str a: 1\n&b b: 2\n", format!("!!str a: 1\n&b b: 2\n{END}")),
            ("\u{feff}a:\n  b: 1\n", "\u{feff}a:\n  b: 1\nsops:\n  v: \"1\"\n".to_owned()),
            ("  a:\n     b: 1\n", "  a:\n     b: 1\n  sops:\n     v: \"1\"\n".to_owned()),
        ] {
            assert_eq!(edited(before), after, "{before:?}");
        }
    }
}
