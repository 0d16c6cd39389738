//! Actions of a template, `{{ .. }}`: what they print.

use super::placeholder::is_placeholder;

/// What an action of a template prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Something that is looked up: `{{ .password }}`.
    Found,
    /// The same, or else a literal: `{{ .password | default "hunter2" }}`.
    Default,
    /// A literal: `{{ printf "hunter2" }}`.
    Literal,
    /// Nothing: `{{ "" }}`.
    Nothing,
    /// Nothing, but it has text that anyone can read: `{{/* hunter2 */}}`.
    Comment,
}

/// Functions that change how a text is written, but bring no other text.
const PRINTING: [&str; 32] = [
    "abbrev",
    "b64dec",
    "b64decode",
    "b64enc",
    "b64encode",
    "base64",
    "cat",
    "concat",
    "html",
    "indent",
    "int",
    "join",
    "list",
    "lower",
    "nindent",
    "print",
    "printf",
    "println",
    "quote",
    "repeat",
    "replace",
    "squote",
    "string",
    "title",
    "toJson",
    "toString",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "trunc",
    "upper",
    "urlquery",
];

/// Looks at the text between `{{` and `}}`.
pub(super) fn action(text: &str) -> Action {
    let text = text.trim_matches(['-', '~']).trim();
    if text.starts_with("/*") {
        return Action::Comment;
    }
    if default(text).is_some_and(is_literal) {
        return Action::Default;
    }
    let mut has_literal = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((literal, behind)) = quoted(rest) {
            if !literal.is_empty() && !is_literal(literal) {
                return Action::Found;
            }
            has_literal |= !literal.is_empty();
            rest = behind;
            continue;
        }
        let end = rest.find(ends_word).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, behind) = rest.split_at(end);
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number && !word.starts_with(ends_word) && !PRINTING.contains(&word) {
            return Action::Found;
        }
        has_literal |= is_number;
        rest = behind;
    }
    if has_literal { Action::Literal } else { Action::Nothing }
}

/// Reports whether a character ends a name or a number.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || "|()[],+~\"'`".contains(c)
}

/// Returns the literal that an action has as a default. Others are names of what is looked up,
/// messages, and formats.
fn default(text: &str) -> Option<&str> {
    text.match_indices("default").find_map(|(at, word)| {
        let is_word = at == 0 || text[..at].ends_with([' ', '|', '(']);
        let behind = text[at + word.len()..].trim_start_matches([' ', '(']);
        quoted(behind).filter(|_| is_word).map(|(literal, _)| literal)
    })
}

/// Returns the text in the quotes that a text begins with, and what follows them.
pub(super) fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.bytes().next().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == quote && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped && quote == b'"';
        is_end
    })?;
    Some((&text[1..=end], &text[end + 2..]))
}

/// Reports whether a text is more than nothing, and visibly neither a reference nor a placeholder.
pub(super) fn is_literal(text: &str) -> bool {
    let text = text.trim();
    let is_reference = text.starts_with(['$', '}']) || text.contains("{{") || text.contains("}}");
    !(text.is_empty() || is_reference || is_placeholder(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_looked_up_from_literals() {
        for (text, expected) in [
            (".password", Action::Found),
            ("- .Values.a.b | quote -", Action::Found),
            ("include \"a\" .", Action::Found),
            ("lookup('env', 'PASSWORD')", Action::Found),
            ("\"kv/db\" | lookup", Action::Found),
            ("printf \"%s\" .x", Action::Found),
            ("printf \"%s\" $x", Action::Found),
            ("randAlphaNum 32", Action::Found),
            ("index .x \"password\"", Action::Found),
            ("required \"no password\" .x", Action::Found),
            ("`{{ .x }}`", Action::Found),
            ("end", Action::Found),
            (".x | default \"hunter2\"", Action::Default),
            ("x | default('hunter2')", Action::Default),
            (".x | default \"\"", Action::Found),
            ("printf \"hunter2\"", Action::Literal),
            ("print \"a\\\"b\"", Action::Literal),
            ("\"hunter2\" | upper | b64enc", Action::Literal),
            ("upper (print 'hunter2')", Action::Literal),
            ("'a' ~ 'b'", Action::Literal),
            ("12345", Action::Literal),
            ("- `hunter2` -", Action::Literal),
            ("\"\"", Action::Nothing),
            ("/* hunter2 */", Action::Comment),
            ("- /* hunter2 */ -", Action::Comment),
        ] {
            assert_eq!(action(text), expected, "{text}");
        }
    }
}
