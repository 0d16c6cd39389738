//! Values that only point at a secret kept elsewhere.

use std::ops::Range;

use base64::Engine;

/// The part of a value that is a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// All of it: `${PASSWORD}`, `op://vault/item`, `<path:kv/data/db#password>`.
    Whole,
    /// Some of it: `postgres://app:${PASSWORD}@db`.
    Partly,
    /// Nothing of it.
    None,
}

/// Schemes of tools that fetch the value when they deploy: 1Password, vals, Vault operators.
const SCHEMES: [&str; 3] = ["op://", "ref+", "vault:"];

/// Words that others are meant to replace. Upper case only: `change-me` in lower case is
/// what the Flux guide uses as a password.
const WORDS: [&str; 4] = ["PLACEHOLDER", "REDACTED", "CHANGEME", "REPLACEME"];

/// Verbs that such words begin with: `REPLACE_ME`, `CHANGE_THIS`, `INSERT_WITH_TOKEN`.
const VERBS: [&str; 4] = ["REPLACE", "CHANGE", "INSERT", "FILL"];
const OBJECTS: [&str; 4] = ["ME", "WITH", "THIS", "IN"];

/// Reports whether a whole value is visibly not the real one.
fn is_placeholder(text: &str) -> bool {
    if WORDS.contains(&text) {
        return true;
    }
    let words: Vec<&str> = text.split(['_', '-']).collect();
    let is_order = matches!(&words[..], [verb, object, rest @ ..]
        if VERBS.contains(verb) && OBJECTS.contains(object)
            && rest.iter().all(|word| word.bytes().all(|b| b.is_ascii_uppercase())));
    let is_crossed_out = text.len() > 4 && text.trim_start_matches(['*', 'x', 'X', '-']).is_empty();
    let is_starred = text.len() > 4 && text.starts_with("**") && text.ends_with("**");
    let is_named = text.to_ascii_lowercase().starts_with("replace-me-with-");
    // `**SOPS**` is what `flux build` prints for a secret, and no placeholder.
    is_order || is_crossed_out || (is_starred && text != "**SOPS**") || is_named
}

/// Looks at a value of `stringData`, or at one of `data` before and after its base64 is decoded.
pub fn classify(text: &str, is_base64: bool) -> Reference {
    let found = classify_text(text);
    if found != Reference::None || !is_base64 {
        return found;
    }
    let base64: String = text.split_ascii_whitespace().collect();
    let decoded = base64::engine::general_purpose::STANDARD.decode(base64);
    match decoded.map(String::from_utf8) {
        Ok(Ok(text)) => classify_text(&text),
        _ => Reference::None,
    }
}

fn classify_text(text: &str) -> Reference {
    let text = text.trim();
    // `vault:v1:..` is a ciphertext of Vault's transit engine, `vault:path#key` a reference.
    if is_placeholder(text) || SCHEMES.iter().any(|scheme| is_reference_by(scheme, text)) {
        return Reference::Whole;
    }
    let mut variables = Variables::new(text);
    let mut at = 0;
    let mut found = false;
    let mut literal = false;
    while let Some(variable) = variables.next(at) {
        found = true;
        literal |= !text[at..variable.start].trim().is_empty();
        at = variable.end;
        literal |= has_default(&text[variable]);
    }
    literal |= !text[at..].trim().is_empty();
    match (found, literal) {
        (false, _) => Reference::None,
        (true, true) => Reference::Partly,
        (true, false) => Reference::Whole,
    }
}

fn is_reference_by(scheme: &str, text: &str) -> bool {
    text.strip_prefix(scheme)
        .is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// The variables of a text: `${..}`, `$(..)`, `{{ .. }}`, `#{ .. }#` or `<..>`.
struct Variables<'t> {
    text: &'t str,
    brackets: [Brackets; 5],
    /// The end of XML and HTML, which have closing tags.
    markup: Option<usize>,
}

impl<'t> Variables<'t> {
    fn new(text: &'t str) -> Self {
        const BRACKETS: [(&str, &str); 5] =
            [("${", "}"), ("$(", ")"), ("{{", "}}"), ("<", ">"), ("#{", "}#")];
        let brackets = BRACKETS.map(|(open, close)| Brackets::new(text, open, close));
        Self { text, brackets, markup: text.rfind("</").max(text.rfind("/>")) }
    }

    /// Returns the first one from a place on. Places only grow.
    fn next(&mut self, from: usize) -> Option<Range<usize>> {
        let is_markup = self.markup >= Some(from);
        let found = self.brackets.iter_mut().filter_map(|brackets| {
            let first = brackets.first(self.text, from);
            first.filter(|_| !is_markup || brackets.open != "<")
        });
        found.min_by_key(|variable| variable.start)
    }
}

/// All brackets of a kind. A value may hold as many as its file has bytes, so each is looked at
/// once.
struct Brackets {
    open: &'static str,
    close: &'static str,
    /// The offsets of each opening bracket and its closing bracket; sorted.
    pairs: Vec<(usize, Option<usize>)>,
    /// The index of the next pair.
    next: usize,
    /// The range that the next pair encloses, if it was looked at and is a variable.
    variable: Option<Range<usize>>,
    is_looked_at: bool,
    /// The first line feed after the start of the last name that was looked at.
    line_feed: usize,
}

impl Brackets {
    /// `${A:=${B}}` nests.
    fn new(text: &str, open: &'static str, close: &'static str) -> Self {
        let mut pairs = Vec::new();
        let mut unclosed = Vec::new();
        let mut at = text.find(open).unwrap_or(text.len());
        while at < text.len() {
            let rest = &text.as_bytes()[at..];
            if rest.starts_with(open.as_bytes()) {
                unclosed.push(pairs.len());
                pairs.push((at, None));
                at += open.len();
            } else if rest.starts_with(close.as_bytes()) {
                if let Some(pair) = unclosed.pop() {
                    pairs[pair].1 = Some(at);
                }
                at += close.len();
            } else {
                at += 1;
            }
        }
        Self { open, close, pairs, next: 0, variable: None, is_looked_at: false, line_feed: 0 }
    }

    /// Returns the range that the first pair at or after `from` encloses, if it is a variable.
    fn first(&mut self, text: &str, from: usize) -> Option<Range<usize>> {
        while self.pairs.get(self.next).is_some_and(|(start, _)| *start < from) {
            self.next += 1;
            self.is_looked_at = false;
        }
        let &(start, end) = self.pairs.get(self.next)?;
        if !self.is_looked_at {
            let end = end.filter(|end| self.is_name(text, start + self.open.len(), *end));
            self.variable = end.map(|end| start..end + self.close.len());
            self.is_looked_at = true;
        }
        self.variable.clone()
    }

    /// `<` alone opens many things; a placeholder is one line of words and path characters.
    /// Behind `path:` a modifier may hold more: `<path:kv/db#url | jsonPath {.host}>`.
    fn is_name(&mut self, text: &str, start: usize, end: usize) -> bool {
        if self.line_feed < start {
            self.line_feed = text[start..].find('\n').map_or(text.len(), |at| start + at);
        }
        let name = &text[start..end];
        !name.trim_start().is_empty()
            && self.line_feed >= end
            && (self.open != "<"
                || name.starts_with("path:")
                || name.chars().all(|c| c.is_alphanumeric() || " _-.:/#|+".contains(c)))
    }
}

/// Reports whether a variable brings its own value along: `${PASSWORD:=hunter2}`, `{{ "hunter2"
/// }}`.
fn has_default(variable: &str) -> bool {
    if let Some(template) = variable.strip_prefix("{{") {
        return template_literal(template.trim_end_matches("}}")).is_some_and(is_literal);
    }
    let inside = variable.strip_prefix("${").or_else(|| variable.strip_prefix("$("));
    let Some(inside) = inside else {
        let default = variable.split_once(":=").or_else(|| variable.split_once(":-"));
        return default.is_some_and(|(_, default)| is_literal(default.trim_end_matches('>')));
    };
    let default = shell_default(inside.strip_suffix(['}', ')']).unwrap_or(inside));
    default.is_some_and(|default| is_literal(unquoted(default)))
}

/// Returns the text that a shell or envsubst uses if a variable is unset (`-`, `=`) or set (`+`).
fn shell_default(inside: &str) -> Option<&str> {
    let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let (name, rest) = inside.split_at(end);
    if let Some(rest) = rest.strip_prefix(':') {
        return rest.strip_prefix(['-', '=', '+']);
    }
    let default = rest.strip_prefix(['-', '=', '+'])?;
    // Some tools have names with dashes: `${db-password}`, `${DB-PASSWORD}`.
    let is_shouted = |text: &str| !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_dashed = rest.starts_with('-') && (!is_shouted(name) || is_shouted(default));
    (!is_dashed).then_some(default)
}

/// Returns the literal that a template prints, `{{ "hunter2" }}`, or has as a default. Others are
/// names of what is looked up, messages, and formats.
fn template_literal(template: &str) -> Option<&str> {
    /// Filters that change how a text is written but not what it says.
    const FILTERS: [&str; 6] = ["b64enc", "b64encode", "quote", "squote", "toString", "trim"];
    let template = template.trim_matches(['-', '~']).trim();
    if let Some((literal, rest)) = quoted(template) {
        let mut filters = rest.trim().split('|').map(str::trim).filter(|filter| !filter.is_empty());
        return filters.all(|filter| FILTERS.contains(&filter)).then_some(literal);
    }
    template.match_indices("default").find_map(|(at, word)| {
        let is_word = at == 0 || template[..at].ends_with([' ', '|', '(']);
        let behind = template[at + word.len()..].trim_start_matches([' ', '(']);
        quoted(behind).filter(|_| is_word).map(|(literal, _)| literal)
    })
}

/// Returns the text in the quotes that a text begins with, and what follows them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    text[1..].split_once(quote)
}

fn unquoted(text: &str) -> &str {
    quoted(text).filter(|(_, rest)| rest.is_empty()).map_or(text, |(literal, _)| literal)
}

/// Reports whether a text is more than nothing, and visibly neither a reference nor a placeholder.
fn is_literal(text: &str) -> bool {
    let text = text.trim();
    let is_reference = text.starts_with(['$', '}']) || text.contains("{{") || text.contains("}}");
    !(text.is_empty() || is_reference || is_placeholder(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_references_from_secrets() {
        for whole in [
            "${PASSWORD}",
            "$(PASSWORD)",
            "{{ .Values.password }}",
            "<path:kv/data/db#password>",
            "<path:kv/data/db#url | jsonPath {.host}>",
            "op://vault/item/field",
            "ref+vault://kv/db#/password",
            "vault:secret/data/db#password",
            "${USER}:${PASSWORD}".split(':').next().unwrap_or_default(),
            "<your-token>",
            "REPLACE_ME",
            "#{ password }#",
            " ${A}\n",
            "${A:=${B}}",
            "REPLACE_WITH_ACCESS_KEY",
            "**token goes here**",
            "XXXXXX",
            "replace-me-with-a-password",
        ] {
            assert_eq!(classify(whole, false), Reference::Whole, "{whole}");
        }
        for none in ["hunter2", "change-me", "a<b", "$5", "<a>text</a>", "", "{}", "ref+", "p${"] {
            assert_eq!(classify(none, false), Reference::None, "{none}");
        }
        assert_eq!(classify("postgres://app:${PASSWORD}@db", false), Reference::Partly);
        assert_eq!(classify("${PASSWORD:=hunter2}", false), Reference::Partly);
        assert_eq!(classify("${PASSWORD:=}", false), Reference::Whole);
    }

    #[test]
    fn brackets_are_those_that_open_first_and_close_again() {
        for (text, expected) in [
            ("${A} ${", Reference::Partly),
            ("${a}}", Reference::Partly),
            ("<a> </b> <c>${A}", Reference::Partly),
            ("${\n}$(A)", Reference::Partly),
            ("$(${)${A}", Reference::Whole),
            ("${${A}}$(B)", Reference::Whole),
            ("{{ {{a}} }}<b>", Reference::Whole),
            ("${ ${A}", Reference::None),
            ("${}${A}", Reference::None),
            ("<a\nb>", Reference::None),
            ("<a><b/>", Reference::None),
        ] {
            assert_eq!(classify(text, false), expected, "{text}");
        }
    }

    #[test]
    fn a_reference_that_brings_its_value_along_is_none() {
        for partly in [
            "${PASSWORD:=\"hunter2\"}",
            "${P:='hunter2'}",
            "${P-hunter2}",
            "${P=hunter2}",
            "${P:+hunter2}",
            "${P+hunter2}",
            "{{ \"hunter2\" }}",
            "{{- 'hunter2' | b64enc -}}",
            "{{ .x | default \"hunter2\" }}",
            "{{ default \"hunter2\" .x | quote }}",
            "{{ x | default('hunter2') }}",
        ] {
            assert_eq!(classify(partly, false), Reference::Partly, "{partly}");
        }
        for whole in [
            "${PASSWORD:=\"\"}",
            "${P:-CHANGEME}",
            "${P:?is not set}",
            "${P-}",
            "${P:-${Q}}",
            "${db-password}",
            "${DB-PASSWORD}",
            "${P%.*}",
            "{{ .x | default \"\" }}",
            "{{ .x | default .y }}",
            "{{ index .x \"password\" }}",
            "{{ required \"no password\" .x }}",
            "{{ \"kv/db\" | lookup }}",
            "{{ printf \"%s\" .x }}",
            "{{ .x.default | replace \"a\" \"b\" }}",
            "{{ `{{ .x }}` }}",
        ] {
            assert_eq!(classify(whole, false), Reference::Whole, "{whole}");
        }
    }

    #[test]
    fn looks_through_base64_in_data_only() {
        assert_eq!(classify("JHtQQVNTV09SRH0=", true), Reference::Whole);
        assert_eq!(classify("JHtQQVNTV09SRH0=", false), Reference::None);
    }
}
