//! Files as trees: every value knows the bytes that it was read from.
//!
//! A tree holds what sops' own tree holds (`sops.TreeBranch` in sops' `sops.go`): maps in file
//! order, lists, typed scalars, and comments as members of their map or list. The trees borrow
//! from the file's text. Nothing here knows SOPS metadata or Kubernetes.
//!
//! A new format is one file and two lines here: its `mod` and its entry in [`FORMATS`].

mod decimal;
pub mod dotenv;
mod format;
pub mod ini;
pub mod json;
mod node;
mod parsed;
mod scalar;
pub mod splice;
mod timestamp;
pub mod yaml;

pub use format::Format;
pub use node::{Comment, Document, Element, Entry, Member, Node, Shape, Value};
pub use parsed::{DuplicateKey, MAX_DEPTH, MAX_DOCUMENTS, MAX_NODES, ParseError, Parsed};
pub use scalar::Scalar;

use crate::path::RepoPath;

/// All formats, in the order in which their contents are recognized. YAML recognizes the rest.
pub static FORMATS: &[&dyn Format] = &[&json::Json, &ini::Ini, &dotenv::Dotenv, &yaml::Yaml];

/// Returns the format that sops chooses for a file of this name; `None` means binary.
pub fn format_of(path: &RepoPath) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.is_for(path))
}

/// Returns the format of a file that was encrypted under another name.
pub fn format_by_content(text: &str) -> &'static dyn Format {
    let found = FORMATS.iter().copied().find(|format| format.recognizes(text));
    found.unwrap_or(&yaml::Yaml)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn every_format_has_endings_of_its_own_and_survives_hostile_text() {
        for format in FORMATS {
            assert!(!format.endings().is_empty(), "{format:?} can never be chosen");
            for ending in format.endings() {
                let owners =
                    FORMATS.iter().filter(|other| other.endings().contains(ending)).count();
                assert_eq!(owners, 1, ".{ending} is claimed by {owners} formats");
            }
            for text in [
                "",
                "\0",
                "{",
                "[",
                "]",
                "- ",
                "a: &a [*a]",
                "{\"a\":",
                "\u{feff}",
                "---\n...\n",
                "a=\"\"\"\"é",
                "`a`=`b",
                "a=\\\né\\",
                "[é] ;",
                "#\n\r\n",
                "\"\"\"é\"\"\"=1",
                "\"a",
            ] {
                for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                    format.parse(&text[..end]);
                }
            }
        }
    }

    /// Every span lies in the text, and text that needs no unescaping is found at its span.
    fn check(node: &Node<'_>, text: &str) {
        let span = node.span;
        assert!(span.start <= span.end && span.end <= text.len(), "{span:?} in {text:?}");
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        if let Value::Scalar(Scalar::Str(Cow::Borrowed(value))) = &node.value {
            assert!(text[span.start..span.end].contains(value.trim()), "{span:?} in {text:?}");
        }
        for entry in node.entries() {
            assert!(entry.key_span.end <= text.len(), "{text:?}");
            check(&entry.node, text);
        }
        for element in node.elements() {
            check(element, text);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_reader_panic_and_spans_stay_inside(
            text in proptest::string::string_regex(r#"([a-c:\-\[\]\{\},?&*!|>%@`"'#~ \n\t0-9é\\=;\r]|: |- |\n  |"""|=`){0,60}"#).expect("a regex"),
        ) {
            for format in FORMATS {
                for document in format.parse(&text).documents {
                    check(&document.root, &text);
                }
            }
        }
    }
}
