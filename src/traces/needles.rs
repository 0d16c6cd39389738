//! One pass over the bytes of a file for all words that matter. Most files have none of them.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::private_key;
use crate::sops::value::PREFIX;

/// A word that one of the looks wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needle {
    Ciphertext,
    Sops,
    Secret,
    Data,
    StringData,
    Kind,
    Binary,
    Controller,
    Generator,
    Ksops,
    Goabout,
    /// A mark of a private key.
    Key,
}

/// None of them overlaps another or a mark of a key, since only the first of two that overlap is found. Marks of
/// keys may overlap each other: all mean the same here.
const NEEDLES: [(Needle, &str); 11] = [
    (Needle::Ciphertext, PREFIX),
    (Needle::Sops, "sops"),
    (Needle::Secret, "Secret"),
    (Needle::Data, "/data"),
    (Needle::StringData, "stringData"),
    (Needle::Kind, "/kind"),
    (Needle::Binary, "binary"),
    (Needle::Controller, "kustomize-controller"),
    (Needle::Generator, "Generator"),
    (Needle::Ksops, "viaduct.ai"),
    (Needle::Goabout, "goabout.com"),
];

static FINDER: LazyLock<Regex> = LazyLock::new(|| {
    let own = NEEDLES.iter().map(|(_, word)| *word);
    let words: Vec<String> = own.chain(private_key::marks()).map(regex::escape).collect();
    Regex::new(&format!("(?-u){}", words.join("|"))).expect("the words are valid")
});

/// The words that a file has.
#[derive(Clone, Copy)]
pub(super) struct Seen(u16);

impl Seen {
    /// The words of a file that has none.
    pub(super) const fn nothing() -> Self {
        Self(0)
    }

    /// Looks for all words.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut seen = Self(0);
        for found in FINDER.find_iter(bytes) {
            let found = found.as_bytes();
            let own = NEEDLES.iter().find(|(_, word)| word.as_bytes() == found);
            seen.0 |= 1 << own.map_or(Needle::Key, |(needle, _)| *needle) as u16;
        }
        seen
    }

    /// Returns true if a word is there.
    pub(super) fn has(self, needle: Needle) -> bool {
        self.0 & (1 << needle as u16) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_hides_another() {
        let own: Vec<&str> = NEEDLES.iter().map(|(_, word)| *word).collect();
        let all: Vec<&str> = own.iter().copied().chain(private_key::marks()).collect();
        for one in &all {
            let is_own = |word: &&&str| own.contains(*word) || own.contains(one);
            // `sopstringData` is no key that matters.
            let is_known = |other: &&&str| (*one, **other) == ("sops", "stringData");
            let others = all.iter().filter(is_own).filter(|other| *other != one);
            for other in others.filter(|other| !is_known(other)) {
                assert!(!one.contains(other), "{one} contains {other}");
                let is_shared = |length: &usize| one.ends_with(&other[..*length]);
                let shared = (1..one.len().min(other.len())).find(is_shared);
                assert_eq!(shared, None, "{one} ends as {other} begins");
            }
        }
    }

    #[test]
    fn each_word_is_seen() {
        for (needle, word) in NEEDLES {
            let seen = Seen::of(format!("x{word}x").as_bytes());
            let others = NEEDLES.iter().filter(|(other, _)| *other != needle);
            assert!(seen.has(needle) && !seen.has(Needle::Key), "{word}");
            assert!(others.into_iter().all(|(other, _)| !seen.has(*other)), "{word}");
        }
        assert!(Seen::of(b"AGE-SECRET-KEY-1").has(Needle::Key));
    }
}
