//! Writes a block of keys as sops does.

use crate::document::json;
use crate::document::scalar::{Scalar, Tag, resolve};
use crate::document::splice::Block;

/// Returns the lines of a key and its block. The key begins in `column`, and each level inside it
/// `step` columns further right.
pub(super) fn written(key: &str, block: &Block, (column, step): (usize, usize)) -> String {
    let mut lines = Lines { step, out: String::new() };
    lines.entry(&" ".repeat(column), column, key, block);
    lines.out
}

/// Lines in sops' form: lists are indented below their key, and texts of several lines are
/// literals.
struct Lines {
    step: usize,
    out: String,
}

impl Lines {
    /// Writes one key, `lead` being the text before it on its line, and `column` the place where it
    /// begins.
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

/// Returns a value as it is written on the line of its key.
fn flat(value: &Block) -> String {
    match value {
        Block::Text(text) => plain(text),
        other => json::compact(other),
    }
}

/// Returns a text with the quotes that it needs to stay one: for YAML, and for the library of sops,
/// which takes a timestamp for no text.
fn plain(text: &str) -> String {
    let is_text = matches!(resolve(text.into(), true, Tag::None), Scalar::Str(_));
    let written = serde_yaml::to_string(text).unwrap_or_default();
    match written.strip_suffix('\n') {
        Some(written) if is_text && !written.contains('\n') => written.to_owned(),
        _ => json::compact(&Block::text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let expected = "sops:\n    shamir_threshold: 2\n    age:\n        - recipient: age1x\n          \
            enc: |\n            A\n\n            B\n    hc_vault: []\n    lastmodified: \
            \"2026-01-02T03:04:05Z\"\n    encrypted_regex: ^(data|stringData)$\n    \
            unencrypted_regex: 'a: #b'\n    pgp: |-\n      A\n      B\n    mac_only_encrypted: true\n";
        assert_eq!(written("sops", &block, (0, 4)), expected);
    }
}
