//! Corrects mistakes in a `.sops.yaml`.

use super::change::{Bytes, Change, Refusal};
use crate::document::splice::{Edit, apply};
use crate::finding::SELECTOR;
use crate::path::RepoPath;
use crate::policy::Config;
use crate::text::Span;
use crate::text::words::count;

/// Works out the corrected config.
pub fn correct(path: &RepoPath, bytes: &[u8], edits: Vec<Edit>) -> Result<Change, Refusal> {
    let refused = |reason| Refusal::new(path, reason, "correct it by hand");
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
    let new = apply(text, &edits).ok_or_else(|| refused("two corrections overlap"))?;
    let problems = |text: &str| Config::read(path.clone(), text.as_bytes().to_vec()).problems.len();
    if problems(&new) > problems(text) {
        return Err(refused("its corrections would cause other mistakes"));
    }
    let done = format!("corrected {}", count(edits.len(), "mistake"));
    Ok(Change {
        path: path.clone(),
        old: Bytes(bytes.to_vec()),
        new: Bytes(new.into_bytes()),
        edits,
        done,
        encryption: None,
    })
}

/// Returns the edit that gives a selector to a creation rule without one. `place`: its `path_regex`, or else its
/// first key.
pub fn selector(bytes: &[u8], place: Span) -> Option<Edit> {
    const KEY: &str = "path_regex";
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text.get(..place.start)?.rfind('\n').map_or(0, |end| end + 1);
    // The selector goes before the key that it finds here.
    let key = text[line..place.start].rfind(KEY).map_or(place.start, |at| line + at);
    let quote = text[line..key].ends_with(['"', '\'']);
    let key = key - usize::from(quote);
    let is_flow = text[..key].trim_end().ends_with(['{', ',']);
    let separator = if is_flow { ", ".to_owned() } else { format!("\n{}", " ".repeat(key - line)) };
    Some(Edit::new(Span::at(key), format!("{SELECTOR}{separator}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_never_cause_mistakes() {
        let path = RepoPath::from(".sops.yaml");
        let text = b"creation_rules:\n  - age: x\n    encrypted-regex: y\n";
        let edit = |text: &str| vec![Edit::new(Span::new(31, 46), text)];
        let change = correct(&path, text, edit("encrypted_regex")).expect("corrected");
        assert!(change.new.0.ends_with(b"encrypted_regex: y\n"));
        assert!(correct(&path, text, edit("age")).is_err());
        let twice = [edit("encrypted_regex"), edit("encrypted_regex")].concat();
        assert!(correct(&path, text, twice).is_err());
    }

    #[test]
    fn a_rule_gets_a_selector_in_its_own_style() {
        for (text, corrected) in [
            ("- age: x\n", "- encrypted_regex: ^(data|stringData)$\n  age: x\n"),
            ("- age:\n  - x\n", "- encrypted_regex: ^(data|stringData)$\n  age:\n  - x\n"),
            (
                "- age: x\n  path_regex: ^a/\n",
                "- age: x\n  encrypted_regex: ^(data|stringData)$\n  path_regex: ^a/\n",
            ),
            (
                "-   'path_regex': ^a/\n",
                "-   encrypted_regex: ^(data|stringData)$\n    'path_regex': ^a/\n",
            ),
            (
                " [{age: x, path_regex: ^a/}]",
                " [{age: x, encrypted_regex: ^(data|stringData)$, path_regex: ^a/}]",
            ),
            (" [{age: x}]", " [{encrypted_regex: ^(data|stringData)$, age: x}]"),
        ] {
            let text = format!("creation_rules:\n{text}");
            let config = Config::read(RepoPath::from(".sops.yaml"), text.clone().into_bytes());
            let edit = selector(text.as_bytes(), config.rules[0].span).expect("an edit");
            let new = apply(&text, &[edit]).expect("applied");
            assert_eq!(new, format!("creation_rules:\n{corrected}"));
            let config = Config::read(RepoPath::from(".sops.yaml"), new.into_bytes());
            assert!(config.rules[0].recipe.selector.span.is_some());
        }
    }
}
