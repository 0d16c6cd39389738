//! Texts without anything that sops' YAML library reads in its own way. Nearly all files of sops are such texts, and
//! a look at their bytes is far cheaper than the scanner.

/// Reports whether a text has only comments, block maps and lists, plain scalars, and texts in quotes that take one
/// line. Our parser has read it, so the scanner would find nothing.
pub(super) fn is_plain(text: &str) -> bool {
    text.split('\n').all(|line| is_plain_line(line.as_bytes()))
}

fn is_plain_line(line: &[u8]) -> bool {
    let is_text = |byte: &u8| *byte == b' ' || byte.is_ascii_graphic();
    if !line.iter().all(is_text) || line.starts_with(b"...") {
        return false;
    }
    let mut text = line.trim_ascii_start();
    if text.is_empty() || text.starts_with(b"#") || line == b"---" {
        return true;
    }
    while let Some(rest) = text.strip_prefix(b"- ") {
        text = rest.trim_ascii_start();
    }
    let colon = memchr::memmem::find(text, b": ");
    let value = colon.map_or(&b""[..], |at| text[at + 2..].trim_ascii_start());
    begins_plain(text) && !line.starts_with(b"---") && is_plain_value(value)
}

/// Reports whether a value is plain, or quoted on its line.
fn is_plain_value(value: &[u8]) -> bool {
    match value {
        [quote @ (b'"' | b'\''), rest @ ..] => {
            let end = memchr::memchr2(*quote, b'\\', rest);
            let behind = end.filter(|end| rest[*end] == *quote).map(|end| &rest[end + 1..]);
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(b" #"))
        }
        b"{}" | b"[]" | b"|" | b"|-" | b">" | b">-" => true,
        _ => begins_plain(value),
    }
}

/// Reports whether a scalar is plain by its first byte. Behind that, a byte means nothing but itself.
fn begins_plain(scalar: &[u8]) -> bool {
    scalar.first().is_none_or(|byte| byte.is_ascii_alphanumeric() || b"-_./(^$+=~".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::scanned;
    use super::*;
    use crate::document::yaml::reader;
    use crate::text::Span;
    use proptest::prelude::*;

    #[test]
    fn a_file_of_sops_is_plain() {
        let text = "# a comment\na: ENC[AES256_GCM,data:x,iv:y=,tag:z+/,type:str]\nb:\n    - c: d\nsops:\n    \
                    age:\n        - recipient: age1x\n          enc: |\n            -----BEGIN AGE ENCRYPTED \
                    FILE-----\n            aGk=\n    lastmodified: \"2026-01-01T00:00:00Z\"\n    encrypted_regex: \
                    ^(data|stringData)$\n    version: 3.11.0\n---\ne: f\n";
        assert!(is_plain(text));
        for other in ["a: b\t\n", "? a\n", "{a: b}\n", "a: &b c\n", "a: \"b\n", "...\n", "%A\n"] {
            assert!(!is_plain(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn the_scanner_finds_nothing_in_a_plain_text(
            lines in prop::collection::vec(
                "[ ]{0,4}(- |-|# ?|)[a-c]?(: |:|)[ab:#|>,.^($<~?*{}! -]{0,5}(\"a b\"|'a'|ENC\\[a\\]|)( #a|)",
                1..6,
            )
        ) {
            let text = lines.join("\n") + "\n";
            if is_plain(&text) && reader::read(&text, Span::new(0, text.len())).error.is_none() {
                prop_assert!(scanned(&text).is_none(), "{}", text);
            }
        }
    }
}
