//! The `encrypted_regex` that a creation rule for Secrets should have, with all that it names today.

use crate::kubernetes::VALUE_FIELDS;
use crate::pattern::{Pattern, alternatives};
use crate::sops::selector::{Field, Selector};
use crate::text::{Span, printable};

/// The selector for the values of Kubernetes Secrets, as in the guide of Flux.
pub(super) const VALUES_ALONE: &str = "^(data|stringData)$";

/// The fields that have to stay readable, with their key paths. A selector that covers only names
/// (`^name$`) is intended: KSOPS decrypts these.
const READABLE: [(&str, &[&[&str]]); 3] = [
    ("apiVersion", &[&["apiVersion"]]),
    ("kind", &[&["kind"]]),
    ("metadata", &[&["metadata"], &["metadata", "name"]]),
];

/// A selector that covers the values of Secrets and leaves their kind and name readable.
#[derive(Debug)]
pub(super) struct Proposal {
    /// The `encrypted_regex`.
    pub(super) selector: Selector,
    /// True if it may leave keys out that the old selector names, other than those of `metadata`.
    pub(super) is_narrower: bool,
}

/// Names the fields that a selector would encrypt although Kubernetes has to read them.
pub(super) fn hits(selector: &Selector) -> Vec<&'static str> {
    let is_hit = |ways: &[&[&str]]| ways.iter().all(|keys| selector.selects(keys));
    READABLE.into_iter().filter(|(_, ways)| is_hit(ways)).map(|(name, _)| name).collect()
}

/// Names fields in a sentence: `kind and metadata`.
pub(super) fn phrase(fields: &[&str]) -> String {
    match fields {
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
        [] => String::new(),
    }
}

/// Reports for `data` and `stringData` whether a selector leaves its values in plaintext.
pub(super) fn left(selector: &Selector) -> [bool; 2] {
    VALUE_FIELDS.map(|field| !selector.selects(&[field, "a value"]))
}

/// Returns the `encrypted_regex` for Secrets that keeps what a selector names: an alternative that
/// hits the kind or the metadata becomes the fields of Secrets that it names, and the others stay.
/// `None` if the selector has another field, or cannot be taken apart.
pub(super) fn proposal(selector: &Selector) -> Option<Proposal> {
    if selector.field != Field::EncryptedRegex || selector.error().is_some() {
        return None;
    }
    let (mut names, mut others, mut is_narrower) = (Vec::new(), Vec::new(), false);
    let has_hits = !hits(selector).is_empty();
    let is_one_piece = !has_hits && words(&selector.text).is_none();
    for piece in if is_one_piece { vec![selector.text.clone()] } else { pieces(&selector.text)? } {
        let is_field = has_hits && VALUE_FIELDS.contains(&&*piece);
        if let Some(word) = anchored_word(&piece).filter(|_| hits(&with_text(&piece)).is_empty()) {
            names.push(word.to_owned());
            continue;
        }
        if !is_field && hits(&with_text(&piece)).is_empty() {
            others.push(piece);
            continue;
        }
        let pattern = Pattern::new(&piece).ok()?;
        let named = VALUE_FIELDS.iter().filter(|field| pattern.is_match(field));
        let before = names.len();
        names.extend(named.map(|field| (*field).to_owned()));
        if names.len() == before {
            return None;
        }
        is_narrower = true;
    }
    let selector = composed(names, &others);
    let is_sound = selector.error().is_none() && hits(&selector).is_empty();
    (is_sound && left(&selector) == [false, false]).then_some(Proposal { selector, is_narrower })
}

/// Puts a selector together; `data` and `stringData` are added if it lacks them.
fn composed(mut names: Vec<String>, others: &[String]) -> Selector {
    let rest = with_text(&others.join("|"));
    let is_named = |field: &str| !others.is_empty() && rest.selects(&[field]);
    let missing = VALUE_FIELDS.into_iter().filter(|field| !is_named(field)).map(str::to_owned);
    names.extend(missing.collect::<Vec<_>>());
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    // The usual order, if there is nothing else.
    if unique.len() == VALUE_FIELDS.len()
        && VALUE_FIELDS.iter().all(|it| unique.iter().any(|one| one == it))
    {
        unique = VALUE_FIELDS.map(str::to_owned).to_vec();
    }
    let first = match &unique[..] {
        [] => None,
        [one] => Some(format!("^{one}$")),
        all => Some(format!("^({})$", all.join("|"))),
    };
    let all: Vec<String> = first.into_iter().chain(others.iter().cloned()).collect();
    with_text(&all.join("|"))
}

/// Returns the selector that covers the values of Secrets and nothing else.
pub(super) fn usual() -> Selector {
    with_text(VALUES_ALONE)
}

fn with_text(text: &str) -> Selector {
    Selector::new(Field::EncryptedRegex, text, Span::default())
}

/// Returns the key that a piece matches and no other: `data` for `^data$`.
fn anchored_word(piece: &str) -> Option<&str> {
    let word = piece.strip_prefix('^')?.strip_suffix('$')?;
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    (is_plain && !word.is_empty()).then_some(word)
}

/// Returns the names of `^(a|b)$`, or of a longer selector of such parts.
fn words(text: &str) -> Option<Vec<String>> {
    let pieces = pieces(text)?;
    pieces.iter().map(|piece| anchored_word(piece).map(str::to_owned)).collect()
}

/// Splits a pattern into patterns that match the same together: `^(a|b)$` into `^a$` and `^b$`.
fn pieces(text: &str) -> Option<Vec<String>> {
    // A flag also changes what follows it.
    if text.contains("(?") {
        return None;
    }
    let split = |part: &&str| {
        let (begin, rest) = part.strip_prefix('^').map_or(("", *part), |rest| ("^", rest));
        let (end, rest) = rest.strip_suffix('$').map_or(("", rest), |rest| ("$", rest));
        let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        // `(a)|(b)` has no group around it.
        let inner = inner.filter(|inner| Pattern::new(inner).is_ok());
        let choices = inner.map_or_else(|| vec![rest], alternatives);
        choices.into_iter().map(|choice| format!("{begin}{choice}{end}")).collect::<Vec<_>>()
    };
    let pieces: Vec<String> = alternatives(text).iter().flat_map(split).collect();
    pieces.iter().all(|piece| Pattern::new(piece).is_ok()).then_some(pieces)
}

/// Returns the text of an `encrypted_regex` for a person: `encrypted_regex: X`, with the quotes that it needs.
pub(super) fn written(selector: &Selector) -> String {
    let text = printable::clean(&selector.text);
    let quotes = if selector.text == VALUES_ALONE { "" } else { ", in single quotes" };
    format!("`encrypted_regex: {text}`{quotes}")
}

/// Returns the text of a selector as YAML.
pub(super) fn quoted(selector: &Selector) -> String {
    // In single quotes a quote is written twice.
    let text = &selector.text;
    if text == VALUES_ALONE { text.clone() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_keeps_what_the_selector_names() {
        for (text, proposed, is_narrower) in [
            ("data", "^(data|stringData)$", true),
            ("data|stringData", "^(data|stringData)$", true),
            ("(data|stringData|password)", "^(data|stringData)$|password", true),
            ("^(.*[dD]ata|config)$", "^(data|stringData|config)$", true),
            ("^data$", "^(data|stringData)$", false),
            ("^(token|ca)$", "^(token|ca|data|stringData)$", false),
            ("^data", "^stringData$|^data", false),
            ("password", "^(data|stringData)$|password", false),
            ("(?i)^pass", "^(data|stringData)$|(?i)^pass", false),
            ("^(stringData|data)$", "^(data|stringData)$", false),
        ] {
            let proposal = proposal(&with_text(text)).expect(text);
            assert_eq!((&*proposal.selector.text, proposal.is_narrower), (proposed, is_narrower));
        }
        for text in ["(?i)data", "meta|data", ".*", "^metadata$"] {
            let proposal = proposal(&with_text(text));
            assert!(proposal.is_none_or(|it| text == ".*" && it.is_narrower), "{text}");
        }
    }
}
