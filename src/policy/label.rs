//! Texts that can be the name of a recipient.
//!
//! Reports print names, and a comment may hold anything. So a name has a few short words of letters, and
//! whatever could be a password, a PIN or a token is none.

use crate::private_key;
use crate::text::printable;

/// Maximum length of a name, in characters. Longer comments are notes.
const MAX_LENGTH: usize = 40;

/// Maximum words of letters. Passphrases have more.
const MAX_WORDS: usize = 3;

/// Maximum length of a word, in characters. Tokens and keys are longer.
const MAX_WORD: usize = 15;

/// Words beside which something secret may be, in several languages, and beginnings of tokens.
const SUSPECT: [&str; 47] = [
    "akia",
    "change",
    "changeme",
    "clave",
    "code",
    "contrasena",
    "contraseña",
    "fixme",
    "geheim",
    "gho",
    "ghp",
    "ghs",
    "glpat",
    "haslo",
    "heslo",
    "hvs",
    "kennwort",
    "login",
    "mfa",
    "otp",
    "parola",
    "pass",
    "passe",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "pat",
    "pin",
    "puk",
    "pw",
    "pwd",
    "recovery",
    "secret",
    "secrets",
    "senha",
    "sk",
    "temp",
    "test",
    "tmp",
    "todo",
    "token",
    "tokens",
    "totp",
    "wachtwoord",
    "xoxb",
    "xoxp",
];

/// Returns the name in an anchor or a comment, without its sign. `None` for a text that could be a secret,
/// or that is no name.
pub(super) fn of(text: &str) -> Option<String> {
    let text = text.strip_prefix('&').unwrap_or_else(|| text.trim_start_matches('#'));
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: Vec<&str> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let (numbers, letters): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.chars().all(char::is_numeric));
    let is_name = name.chars().count() <= MAX_LENGTH
        && (1..=MAX_WORDS).contains(&letters.len())
        && name.chars().all(belongs_to_name)
        && letters.iter().all(|word| is_plain(word))
        && numbers.iter().all(|number| is_ordinal_or_year(number))
        && numbers.len() <= MAX_WORDS
        && printable::clean_path(&name) == name
        && !private_key::is_mentioned(name.as_bytes());
    is_name.then_some(name)
}

/// No sign that separates a key from a value.
fn belongs_to_name(c: char) -> bool {
    c.is_alphanumeric() || " _-.@/()".contains(c)
}

/// Returns true for a word that is neither suspect nor looks random. Letters and digits are mixed in short
/// names only, such as `k8s`.
fn is_plain(word: &str) -> bool {
    const MAX_MIXED: usize = 3;
    const MAX_CAPITALS: usize = 2;
    let length = word.chars().count();
    let is_mixed = word.chars().any(char::is_numeric);
    let capitals = word.chars().filter(|c| c.is_uppercase()).count();
    let has_plain_case = capitals <= MAX_CAPITALS || capitals == length;
    length <= if is_mixed { MAX_MIXED } else { MAX_WORD }
        && has_plain_case
        && !SUSPECT.contains(&&*word.to_lowercase())
}

fn is_ordinal_or_year(number: &str) -> bool {
    number.len() <= 2 || number.len() == 4 && (number.starts_with("19") || number.starts_with("20"))
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
            ("# the cluster", "the cluster"),
            ("# Zoë since 2024-11-05", "Zoë since 2024-11-05"),
            ("## CI", "CI"),
            ("# flux (k8s)", "flux (k8s)"),
            ("# McDonald", "McDonald"),
        ] {
            assert_eq!(of(text).as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn what_could_be_a_secret_is_no_name() {
        for text in [
            "# AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
            "# ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "&ghp_abcdefghijklmnop",
            "# glpat-x_Yz1234-abcDEFghijk",
            "# 1//0gabcdEFGHijkl-mnop",
            "# s.abcdefghijklmnopqrst",
            "# AKIAIOSFODNN7EXAMPLE",
            "# wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "# xoxb-123456789012-1234567890123-4mt0t4l1yf3k3",
            "# 123e4567-e89b-12d3-a456-426614174000",
            "# password hunter2",
            "# hunter2",
            "# bob pw hunter2",
            "# bob (pw canary)",
            "# bob, canary",
            "# admin-pass-canary",
            "# kennwort canary",
            "# mot de passe canary",
            "# Summer2024",
            "# changeme",
            "# correct-horse-battery-staple",
            "# yubikey PIN 123456",
            "# yubikey 123456",
            "# recovery 1234-5678",
            "# pin: 4711",
            "# pin 4711",
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
