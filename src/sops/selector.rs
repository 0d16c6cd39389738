//! Selects the values of a file that are encrypted (`sops.go`, `shouldBeEncrypted`).

use std::cell::RefCell;
use std::sync::Arc;

use crate::pattern::{Budget, Pattern, PatternError};
use crate::text::Span;

/// The selector fields of metadata and creation rules. At most one may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Everything except values below a key with this suffix.
    UnencryptedSuffix,
    /// Values below a key with this suffix.
    EncryptedSuffix,
    /// Everything except values below a key that matches.
    UnencryptedRegex,
    /// Values below a key that matches.
    EncryptedRegex,
    /// Everything except values after a comment that matches.
    UnencryptedCommentRegex,
    /// Values after a comment that matches.
    EncryptedCommentRegex,
}

/// All fields, in the order in which sops writes them.
pub const FIELDS: [Field; 6] = [
    Field::UnencryptedSuffix,
    Field::EncryptedSuffix,
    Field::UnencryptedRegex,
    Field::EncryptedRegex,
    Field::UnencryptedCommentRegex,
    Field::EncryptedCommentRegex,
];

/// The suffix that applies if no field is set (`sops.go`, `DefaultUnencryptedSuffix`).
const DEFAULT_SUFFIX: &str = "_unencrypted";

impl Field {
    /// Returns its name in YAML.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnencryptedSuffix => "unencrypted_suffix",
            Self::EncryptedSuffix => "encrypted_suffix",
            Self::UnencryptedRegex => "unencrypted_regex",
            Self::EncryptedRegex => "encrypted_regex",
            Self::UnencryptedCommentRegex => "unencrypted_comment_regex",
            Self::EncryptedCommentRegex => "encrypted_comment_regex",
        }
    }

    /// Reports whether a match means "encrypt".
    pub const fn selects(self) -> bool {
        matches!(self, Self::EncryptedSuffix | Self::EncryptedRegex | Self::EncryptedCommentRegex)
    }

    const fn is_suffix(self) -> bool {
        matches!(self, Self::UnencryptedSuffix | Self::EncryptedSuffix)
    }

    const fn reads_comments(self) -> bool {
        matches!(self, Self::UnencryptedCommentRegex | Self::EncryptedCommentRegex)
    }
}

/// A selector with its compiled text.
#[derive(Clone, Debug)]
pub struct Selector {
    /// The field that is set.
    pub field: Field,
    /// Its text.
    pub text: String,
    /// Its place; `None` for the default suffix.
    pub span: Option<Span>,
    /// The compiled text. sops silently ignores a regex that does not compile: it matches nothing.
    pattern: Option<Compiled>,
}

type Compiled = Arc<Result<Pattern, PatternError>>;

/// Maximum patterns in the cache of a thread. The files of a repository share a handful.
const KEPT_PATTERNS: usize = 16;

thread_local! {
    /// Compiled patterns. Every file has a selector, and compiling it takes as long as reading the file.
    static COMPILED: RefCell<Vec<(String, Compiled)>> = const { RefCell::new(Vec::new()) };
}

fn compile(source: &str, budget: &mut Budget) -> Compiled {
    COMPILED.with_borrow_mut(|kept| {
        if let Some((_, compiled)) = kept.iter().find(|(known, _)| known == source) {
            return Arc::clone(compiled);
        }
        let compiled = Arc::new(Pattern::within(source, budget));
        if budget.is_spent() {
            // It may compile if others have not used the budget.
            return compiled;
        }
        if kept.len() == KEPT_PATTERNS {
            kept.remove(0);
        }
        kept.push((source.to_owned(), Arc::clone(&compiled)));
        compiled
    })
}

impl Default for Selector {
    fn default() -> Self {
        Self {
            field: Field::UnencryptedSuffix,
            text: DEFAULT_SUFFIX.to_owned(),
            span: None,
            pattern: None,
        }
    }
}

impl Selector {
    /// Returns the selector with the text of a field.
    pub fn new(field: Field, text: &str, span: Span) -> Self {
        Self::within(field, text, span, &mut Budget::default())
    }

    /// Like [`Selector::new`], for one of many selectors that share a budget.
    pub fn within(field: Field, text: &str, span: Span, budget: &mut Budget) -> Self {
        let pattern = (!field.is_suffix()).then(|| compile(text, budget));
        Self { field, text: text.to_owned(), span: Some(span), pattern }
    }

    /// Returns the reason for which sops would ignore it.
    pub fn error(&self) -> Option<&PatternError> {
        self.pattern.as_deref()?.as_ref().err()
    }

    /// Reports whether both have the same field and text.
    pub fn is_equal(&self, other: &Self) -> bool {
        self.field == other.field && self.text == other.text
    }

    /// Reports whether it matches comments instead of keys.
    pub fn reads_comments(&self) -> bool {
        self.field.reads_comments()
    }

    /// Reports whether it matches a key, or a comment for the two fields that read comments.
    pub fn names(&self, text: &str) -> bool {
        match self.pattern.as_deref() {
            None => text.ends_with(&self.text),
            Some(Ok(pattern)) => pattern.is_match(text),
            Some(Err(_)) => false,
        }
    }

    /// Reports whether a value is encrypted. `was_named`: a key above it, or a comment, matches.
    pub fn decide(&self, was_named: bool) -> bool {
        was_named == self.field.selects()
    }

    /// Reports whether a value below these keys would be encrypted. False for the two fields that read
    /// comments.
    pub fn selects(&self, keys: &[&str]) -> bool {
        let was_named = !self.reads_comments() && keys.iter().any(|key| self.names(key));
        self.decide(was_named)
    }
}

impl std::fmt::Display for Selector {
    /// Writes it for messages: `encrypted_regex ^data$`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.field.name(), crate::text::printable::clean(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(field: Field, text: &str) -> Selector {
        Selector::new(field, text, Span::default())
    }

    #[test]
    fn any_key_on_the_path_decides() {
        let regex = selector(Field::EncryptedRegex, "^(data|stringData)$");
        assert!(regex.selects(&["stringData", "password"]));
        assert!(regex.selects(&["metadata", "annotations", "data"]));
        assert!(!regex.selects(&["metadata", "name"]));
        assert!(selector(Field::EncryptedRegex, "data").selects(&["metadata", "name"]));
        assert!(!selector(Field::UnencryptedSuffix, "_pub").selects(&["a_pub", "b"]));
        assert!(selector(Field::EncryptedSuffix, "_enc").selects(&["a_enc", "b"]));
        assert!(selector(Field::UnencryptedRegex, "^kind$").selects(&["data"]));
        assert!(Selector::default().selects(&["anything"]));
        assert!(!Selector::default().selects(&["note_unencrypted"]));
    }

    #[test]
    fn a_broken_regex_matches_nothing() {
        let broken = selector(Field::EncryptedRegex, "^(data");
        assert!(broken.error().is_some());
        assert!(!broken.selects(&["data"]), "sops leaves everything in plaintext");
        assert!(selector(Field::UnencryptedRegex, "^(data").selects(&["data"]));
    }
}
