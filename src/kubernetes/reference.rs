//! Values that only point at a secret kept elsewhere.

use base64::Engine;

/// How much of a value is a reference.
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

/// Words that people leave for somebody to fill in. Upper case only: `change-me` in lower case is
/// what the Flux guide uses as a password.
const WORDS: [&str; 6] =
    ["REPLACE_ME", "REPLACEME", "CHANGE_ME", "CHANGEME", "PLACEHOLDER", "REDACTED"];

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
    if WORDS.contains(&text) || SCHEMES.iter().any(|scheme| is_reference_by(scheme, text)) {
        return Reference::Whole;
    }
    let mut rest = text;
    let mut found = false;
    let mut literal = false;
    while let Some((before, after)) = next_variable(rest) {
        found = true;
        literal |= !before.trim().is_empty();
        rest = after;
    }
    literal |= !rest.trim().is_empty();
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

/// What stands before and behind the first `${..}`, `$(..)`, `{{ .. }}` or `<..>`.
fn next_variable(text: &str) -> Option<(&str, &str)> {
    const BRACKETS: [(&str, &str); 4] = [("${", "}"), ("$(", ")"), ("{{", "}}"), ("<", ">")];
    BRACKETS
        .iter()
        .filter_map(|(open, close)| {
            let start = text.find(open)?;
            let inside = &text[start + open.len()..];
            let end = inside.find(close)?;
            let name = &inside[..end];
            // `<` alone opens many things; a placeholder is one line of words and path characters.
            let is_name = !name.trim().is_empty()
                && !name.contains('\n')
                && (*open != "<"
                    || name.chars().all(|c| c.is_alphanumeric() || " _-.:/#|+".contains(c)));
            let is_tag = *open == "<" && is_markup(text);
            (is_name && !is_tag).then(|| (start, &text[..start], &inside[end + close.len()..]))
        })
        .min_by_key(|(start, ..)| *start)
        .map(|(_, before, after)| (before, after))
}

/// XML and HTML have closing tags.
fn is_markup(text: &str) -> bool {
    text.contains("</") || text.contains("/>")
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
            "op://vault/item/field",
            "ref+vault://kv/db#/password",
            "vault:secret/data/db#password",
            "${USER}:${PASSWORD}".split(':').next().unwrap_or_default(),
            "<your-token>",
            "REPLACE_ME",
            " ${A}\n",
        ] {
            assert_eq!(classify(whole, false), Reference::Whole, "{whole}");
        }
        for none in ["hunter2", "change-me", "a<b", "$5", "<a>text</a>", "", "{}", "ref+", "p${"] {
            assert_eq!(classify(none, false), Reference::None, "{none}");
        }
        assert_eq!(classify("postgres://app:${PASSWORD}@db", false), Reference::Partly);
    }

    #[test]
    fn looks_through_base64_in_data_only() {
        assert_eq!(classify("JHtQQVNTV09SRH0=", true), Reference::Whole);
        assert_eq!(classify("JHtQQVNTV09SRH0=", false), Reference::None);
    }
}
