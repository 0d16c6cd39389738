//! Words that others are meant to replace.

/// Words that stand for a value. Upper case only: `change-me` in lower case is what the Flux guide
/// uses as a password.
const WORDS: [&str; 5] = ["PLACEHOLDER", "REDACTED", "CHANGEME", "REPLACEME", "TODO"];

/// Verbs that an order begins with: `REPLACE_ME`, `CHANGE_THIS`, `INSERT_WITH_TOKEN`.
const VERBS: [&str; 7] = ["REPLACE", "CHANGE", "INSERT", "FILL", "PUT", "ENTER", "PASTE"];
const OBJECTS: [&str; 7] = ["ME", "WITH", "THIS", "IN", "IT", "BY", "YOUR"];

/// Words in `<..>` that say what belongs there.
const SUBJECTS: [&str; 47] = [
    "your",
    "my",
    "path",
    "insert",
    "replace",
    "placeholder",
    "changeme",
    "redacted",
    "todo",
    "template",
    "value",
    "example",
    "secret",
    "token",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "key",
    "apikey",
    "credential",
    "credentials",
    "user",
    "username",
    "login",
    "name",
    "email",
    "host",
    "hostname",
    "domain",
    "port",
    "url",
    "uri",
    "id",
    "region",
    "account",
    "certificate",
    "cert",
    "base64",
    "string",
    "hash",
    "data",
    "number",
    "num",
    "text",
    "json",
    "file",
];

/// Algorithms and encodings, whose names mix letters and digits.
const MIXED: [&str; 8] = ["base64", "sha1", "sha256", "sha512", "oauth2", "x509", "ed25519", "b64"];

/// Reports whether a whole value is visibly not the real one.
pub fn is_placeholder(text: &str) -> bool {
    // `?*` in a pattern of Kyverno means any text.
    let is_wildcard = !text.is_empty() && text.trim_start_matches(['*', '?']).is_empty();
    let is_crossed_out = text.len() > 4 && text.trim_start_matches(['*', 'x', 'X', '-']).is_empty();
    // `**SOPS**` is what `flux build` prints for a secret, and no placeholder.
    let starred = text.strip_prefix("**").and_then(|rest| rest.strip_suffix("**"));
    let is_starred = starred.map(str::trim).is_some_and(|inside| {
        is_subject(&inside.to_lowercase()) || (inside.contains(' ') && is_prose(inside))
    });
    let named = text.get(.."replace-me-with-".len());
    let is_named = named.is_some_and(|start| start.eq_ignore_ascii_case("replace-me-with-"))
        && is_prose(&text["replace-me-with-".len()..]);
    is_wildcard
        || is_crossed_out
        || is_starred
        || is_named
        || is_word(text)
        || is_shouted(text)
        || is_wrapped(text)
}

/// Reports whether a text is one of the words that no one uses as a password, in any case.
fn is_word(text: &str) -> bool {
    ["placeholder", "redacted"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Reports whether a text is a name in the marks of a tool: `[TOKEN]`, `[[ .token ]]`, `((token))`,
/// `__DB_TOKEN__`, `@@DB_TOKEN@@`, `###DB_TOKEN###`, `%DB_TOKEN%`, `$DB_TOKEN`.
fn is_wrapped(text: &str) -> bool {
    let inside = |open: &str, close: &str| {
        text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).map(str::trim)
    };
    let is_path = |name: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        !name.is_empty() && name.bytes().all(is_part)
    };
    let is_variable = |name: &str| {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        name.bytes().any(|byte| byte.is_ascii_uppercase())
            && name.bytes().all(is_part)
            && is_prose(name)
    };
    let is_words = |name: &str| {
        let is_part = |c: char| c.is_alphanumeric() || " _-".contains(c);
        name.chars().all(is_part) && is_description(name)
    };
    let marks = [("__", "__"), ("@@", "@@"), ("###", "###"), ("%", "%"), ("$", "")];
    inside("((", "))").is_some_and(is_path)
        || inside("[[", "]]").is_some_and(|name| name.starts_with('.') && is_path(name))
        || inside("[", "]").is_some_and(is_words)
        || marks.into_iter().any(|(open, close)| inside(open, close).is_some_and(is_variable))
}

/// Reports whether a text is an order in capitals: `REPLACE_WITH_BASE64_KEY`, `YOUR_TOKEN_HERE`.
fn is_shouted(text: &str) -> bool {
    let is_part = |byte: u8| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
    };
    if !text.bytes().all(is_part) {
        return false;
    }
    let words: Vec<&str> = text.split(['_', '-']).filter(|word| !word.is_empty()).collect();
    let (is_order, rest) = match &words[..] {
        [word] => return WORDS.contains(word),
        [verb, object, rest @ ..] if VERBS.contains(verb) && OBJECTS.contains(object) => {
            (true, rest)
        }
        ["YOUR", rest @ ..] | [rest @ .., "HERE"] => (true, rest),
        all => (all.iter().any(|word| WORDS.contains(word)), all),
    };
    is_order && is_prose(&rest.join(" "))
}

/// Reports whether the text in `<..>` says what belongs there: several words, or one such as
/// `token`, `dbPassword` and `yourkey`.
pub(super) fn is_description(text: &str) -> bool {
    let is_several = text.contains([' ', '_', '-']);
    (is_several && is_prose(text)) || words(text).any(|word| is_subject(&word)) || is_compound(text)
}

/// Reports whether a word ends with one that says what belongs there.
fn is_compound(word: &str) -> bool {
    /// The letters of a word that seldom ends another.
    const LONG: usize = 5;
    if !word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let capital = word.rfind(|c: char| c.is_ascii_uppercase());
    let lower = word.to_ascii_lowercase();
    let parts =
        [capital.map(|at| &lower[at..]), lower.strip_prefix("my"), lower.strip_prefix("your")];
    parts.into_iter().flatten().any(is_subject)
        || SUBJECTS.iter().any(|subject| subject.len() >= LONG && lower.ends_with(subject))
}

/// Reports whether a text consists of words and numbers, without one that mixes letters and digits
/// as passwords do; or one of its words says what belongs there.
fn is_prose(text: &str) -> bool {
    words(text).all(|word| !is_mixed(&word)) || words(text).any(|word| is_subject(&word))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

fn is_subject(word: &str) -> bool {
    SUBJECTS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()))
        || SUBJECTS.contains(&word)
}

fn is_mixed(word: &str) -> bool {
    /// `s3` and `db1` are names.
    const SHORT: usize = 3;
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = word.chars().any(char::is_alphabetic);
    has_digit && has_letter && word.len() > SHORT && !MIXED.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_orders_and_no_passwords() {
        for text in [
            "REPLACE_ME",
            "REPLACE_WITH_BASE64_ENCODED_KEY",
            "CHANGE_ME_32_CHAR_KEY",
            "YOUR_TOKEN_HERE",
            "YOUR-API-KEY",
            "INSERT_KEY_HERE",
            "PUT_YOUR_S3_KEY_HERE",
            "PLACEHOLDER_32_CHARS",
            "MY_REDACTED_TOKEN",
            "CHANGEME",
            "XXXXXX",
            "********",
            "**token goes here**",
            "**USER**",
            "replace-me-with-a-password",
            "Replace-Me-With-base64",
            "?*",
            "placeholder",
            "Redacted",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "",
            "change-me",
            "hunter2",
            "REPLACE",
            "YOUR",
            "REPLACE_ME_HUNTER2",
            "YOUR_HUNTER2",
            "HUNTER2_HERE",
            "MY_TOKEN",
            "**hunter2**",
            "****hunter2****",
            "**a hunter2 b**",
            "**SOPS**",
            "replace-me-with-hunter2",
            "réplace-me-with",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn a_name_in_the_marks_of_a_tool_is_a_placeholder() {
        for text in [
            "[BASE64_ENCODED_PASSWORD]",
            "[your password]",
            "[[ .token ]]",
            "((db/password))",
            "__DB_PASSWORD__",
            "@@DB_PASSWORD@@",
            "###ZARF_GIT_AUTH_PUSH###",
            "%DB_PASSWORD%",
            "$DB_PASSWORD",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "[hunter2]",
            "[\"a\"]",
            "[[hunter2]]",
            "((a hunter2))",
            "__HUNTER2__",
            "__hunter__",
            "@@hunter2@@",
            "%hunter2%",
            "$HUNTER2",
            "$5",
            "$",
            "%%",
            "____",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn descriptions_are_several_words_or_a_known_one() {
        for text in [
            "your-token",
            "a token",
            "some_thing",
            "TOKEN",
            "key1",
            "base64",
            "dbPassword",
            "apiKey",
            "mykey",
            "myemail",
            "dbpassword",
            "my-db12-password",
            "____",
            "template___",
            "path/to/file",
            "32 characters",
        ] {
            assert!(is_description(text), "{text}");
        }
        for text in ["hunter2", "canary", "a hunter2 b", "a/b", "hunterTwo", "é", "canary-hunter2"]
        {
            assert!(!is_description(text), "{text}");
        }
    }
}
