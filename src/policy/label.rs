//! Texts that can be the name of a recipient.

use crate::private_key;
use crate::text::printable;

/// Maximum length of a name, in characters. Longer comments are notes.
const MAX_LENGTH: usize = 48;

/// Maximum words of a name.
const MAX_WORDS: usize = 5;

/// Maximum length of one word. Tokens and keys are longer.
const MAX_WORD: usize = 24;

/// Maximum digits of a name: a date has eight. Identifiers and numbers of accounts have more.
const MAX_DIGITS: usize = 10;

/// Returns the name in an anchor or a comment, without its sign. `None` for a text that could be a secret,
/// or that is no name.
pub(super) fn of(text: &str) -> Option<String> {
    let text = text.strip_prefix('&').unwrap_or_else(|| text.trim_start_matches('#'));
    let words: Vec<&str> = text.split_whitespace().collect();
    let name = words.join(" ");
    let is_short =
        !name.is_empty() && words.len() <= MAX_WORDS && name.chars().count() <= MAX_LENGTH;
    let is_name = is_short
        && name.chars().all(belongs_to_name)
        && name.chars().any(char::is_alphabetic)
        && name.chars().filter(char::is_ascii_digit).count() <= MAX_DIGITS
        && printable::clean_path(&name) == name
        && !private_key::is_mentioned(name.as_bytes())
        && !speaks_of_secrets(&name)
        && name.split(|c: char| !c.is_alphanumeric()).all(is_plain_word);
    is_name.then_some(name)
}

/// No sign that separates a key from a value, and none of base64 but `+` and `/`.
fn belongs_to_name(c: char) -> bool {
    c.is_alphanumeric() || " _-.,'@+/()&".contains(c)
}

fn speaks_of_secrets(name: &str) -> bool {
    const WORDS: [&str; 8] =
        ["passw", "passphrase", "pwd", "secret", "token", "todo", "fixme", "hvs."];
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Returns true unless a word looks random: long with digits, or letters and digits that alternate.
fn is_plain_word(word: &str) -> bool {
    const MAX_WITH_DIGITS: usize = 15;
    const MAX_CHANGES: usize = 3;
    let class = |c: char| (c.is_numeric(), c.is_uppercase());
    let classes: Vec<_> = word.chars().map(class).collect();
    let changes = classes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let has_digits = word.chars().any(char::is_numeric);
    let most = if has_digits { MAX_WITH_DIGITS } else { MAX_WORD };
    classes.len() <= most && changes <= MAX_CHANGES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_few_plain_words() {
        for (text, name) in [
            ("&bob", "bob"),
            ("&admin_bob", "admin_bob"),
            ("# Bob  Miller (laptop)", "Bob Miller (laptop)"),
            ("#bob@example.org", "bob@example.org"),
            ("# prod-eu-west-1", "prod-eu-west-1"),
            ("# Zoë, on call since 2024-11-05", "Zoë, on call since 2024-11-05"),
            ("## CI", "CI"),
            ("# McDonald", "McDonald"),
            ("# yubikey 12345678", "yubikey 12345678"),
        ] {
            assert_eq!(of(text).as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn what_could_be_a_secret_is_no_name() {
        for text in [
            "# AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
            "# ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "# AKIAIOSFODNN7EXAMPLE",
            "# wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "# xoxb-123456789012-1234567890123-4mt0t4l1yf3k3",
            "# 123e4567-e89b-12d3-a456-426614174000",
            "# password hunter2",
            "# pin: 4711",
            "# k=v",
            "# hK3dJ9sLq2",
            "# hvs.abc",
            "# TODO remove",
            "# a note of more words than any name has",
            "# bob\u{202e}",
            "# 4711",
            "#",
            "&",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
