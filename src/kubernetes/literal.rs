//! Secrets in the literal text around the variables of a value.

use base64::Engine;

use super::placeholder::is_placeholder;
use super::scheme::is_fetched;
use super::variable::VARIABLE;
use crate::private_key;

/// Reports whether the literal text holds a secret: a private key, a line `password=hunter2`, or a
/// URL with a password or a token in it.
pub(super) fn holds_secret(text: &str) -> bool {
    let is_secret =
        |line: &str| settings(line).any(is_secret_setting) || urls(line).any(is_secret_url);
    private_key::has_pem_key(text)
        || private_key::has_age_identity(text)
        || text.lines().any(|line| !is_comment(line) && is_secret(line))
}

/// Reports whether a text has only comments, of several words, and none of them is a setting with a secret.
pub(super) fn is_comment_only(text: &str) -> bool {
    const WORDS: usize = 3;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some()
        && lines.all(|line| line.starts_with("# ") && is_line_of_references(line))
        && text.split_whitespace().filter(|word| *word != "#").count() >= WORDS
}

/// Reports whether a text is a config of several lines whose settings have only references as
/// values, at least one.
pub(super) fn is_config_of_references(text: &str) -> bool {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let refers = |line: &str| {
        line.contains(VARIABLE) || setting(line).is_some_and(|(_, value)| is_reference(value))
    };
    lines().nth(1).is_some() && lines().all(is_line_of_references) && lines().any(refers)
}

fn is_line_of_references(line: &str) -> bool {
    if is_comment(line) {
        // A setting that is switched off may still have its value.
        let line = line.trim_start_matches(['#', ';', '/']);
        return !settings(line).any(is_secret_setting);
    }
    let section = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if section.is_some_and(is_key) || is_empty(line) {
        return true;
    }
    let line = line.strip_prefix("- ").unwrap_or(line);
    let line = line.strip_prefix("export ").unwrap_or(line);
    setting(line)
        .is_some_and(|(key, value)| is_key(key) && (is_empty(value) || is_reference(value)))
}

fn is_reference(value: &str) -> bool {
    is_placeholder(unwrapped(value)) || is_fetched(unwrapped(value))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    // `//registry.npmjs.org/:_authToken=..` is a setting of npm.
    line.starts_with(['#', ';']) || line.starts_with("// ")
}

/// Reports whether a text has nothing but variables, quotes and brackets.
fn is_empty(text: &str) -> bool {
    text.chars().all(|c| c == VARIABLE || c.is_whitespace() || "\"'`{}[](),;".contains(c))
}

fn is_key(text: &str) -> bool {
    const LONGEST: usize = 64;
    let is_part = |c: char| c.is_alphanumeric() || c == VARIABLE || "_.-/\"' ".contains(c);
    let text = text.trim();
    !text.is_empty() && text.len() <= LONGEST && text.chars().all(is_part)
}

/// Splits `key=value`, `key: value` and `"key":"value"`.
fn setting(text: &str) -> Option<(&str, &str)> {
    let at = text.char_indices().find_map(|(at, c)| {
        let next = text[at + c.len_utf8()..].chars().next();
        let begins = |c: char| c.is_whitespace() || c == VARIABLE || "\"'".contains(c);
        (c == '=' || (c == ':' && next.is_none_or(begins))).then_some(at)
    })?;
    Some((&text[..at], text[at + 1..].trim_start_matches(['=', '>'])))
}

/// Returns the settings of a line: one, or several as in a URL, a connection string, JSON or XML.
fn settings(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let line = line.split(" #").next().unwrap_or(line);
    let pieces = line.split([';', ',', '&', '?', '{', '}']);
    let words = line.split([';', ',', '&', '?', '{', '}', ' ', '\t']);
    let elements = line.split('<').filter_map(|element| element.split_once('>'));
    std::iter::once(line).chain(pieces).chain(words).filter_map(setting).chain(elements)
}

fn is_secret_setting((key, value): (&str, &str)) -> bool {
    let (key, value) = (unwrapped(key), unwrapped(value));
    let (scheme, credential) = value.split_once(' ').unwrap_or(("", value));
    match key.to_ascii_lowercase().as_str() {
        // A header of HTTP.
        "authorization" => !scheme.is_empty() && is_secret_value(credential),
        // A login at a registry.
        "auth" => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(value);
            decoded.is_ok_and(|login| login.contains(&b':'))
        }
        _ => sounds_secret(key) && is_secret_value(value),
    }
}

fn unwrapped(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || "\"'`,;".contains(c))
}

/// Reports whether the key of a setting names a secret, and not its place.
pub fn sounds_secret(key: &str) -> bool {
    const ENDS: [&str; 16] = [
        "credential",
        "credentials",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "secretkeybase",
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "accountkey",
        "signingkey",
        "encryptionkey",
    ];
    /// Names of Secrets.
    const NAMES: [&str; 3] = ["existingsecret", "pullsecret", "externalsecret"];
    let last = key.rsplit([' ', '.', '/', '"']).next().unwrap_or(key);
    let is_pass = last.ends_with("Pass")
        || last.rsplit(['_', '-']).next().is_some_and(|word| matches!(word, "pass" | "PASS"));
    let key: String = last.chars().filter(|c| c.is_alphanumeric()).collect();
    let key = key.to_ascii_lowercase();
    let key = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let ends = |ends: &[&str]| ends.iter().any(|end| key.ends_with(end));
    is_pass || (ends(&ENDS) && !ends(&NAMES))
}

/// Reports whether a value is a literal, and no switch, number, path or piece of code.
fn is_secret_value(value: &str) -> bool {
    const SWITCHES: [&str; 10] =
        ["true", "false", "yes", "no", "on", "off", "null", "none", "enabled", "disabled"];
    let lower = value.to_ascii_lowercase();
    // `$PASSWORD`, `%PASSWORD%`, `/run/secrets/db`, `|` in front of a block, `&anchor`.
    let is_elsewhere = value
        .starts_with(['$', '%', '/', '.', '~', '|', '>', '&', '*', '<', '@', '!'])
        || ["file:", "env:"].iter().any(|start| lower.starts_with(start));
    let is_code =
        value.contains(|c: char| c == VARIABLE || c.is_whitespace() || "()[]{}".contains(c));
    let is_number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_setting = is_elsewhere || is_code || is_number || SWITCHES.contains(&&*lower);
    !(is_setting || is_reference(value))
}

/// Returns what follows `://` in each URL of a line.
fn urls(line: &str) -> impl Iterator<Item = &str> {
    line.split("://").skip(1).map(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>)],;".contains(c));
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// Reports whether a URL has a literal password in front of its host, or a token in its path.
fn is_secret_url(url: &str) -> bool {
    /// Parts of a path with a public name behind them.
    const PUBLIC: [&str; 8] =
        ["blob", "channel", "commit", "download", "playlist", "raw", "releases", "tree"];
    let (authority, path) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
    let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_login = match login.split_once(':') {
        Some((_, password)) => !password.is_empty() && is_secret_value(password),
        None => is_token(login),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let parts = || path.split('/').zip(path.split('/').skip(1));
    let has_token = || parts().any(|(before, part)| is_token(part) && !PUBLIC.contains(&before));
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // The last part of a web hook may be short: `/services/T0/B0/token`.
    let has_digit = last.bytes().any(|byte| byte.is_ascii_digit());
    let is_hook =
        host.starts_with("hooks.") && has_digit && last.len() > 5 && !last.contains(VARIABLE);
    is_login || is_hook || has_token()
}

/// Reports whether a part of a URL looks random: long, with letters and digits, and neither a UUID
/// nor a hash, which often are public names.
fn is_token(text: &str) -> bool {
    const SHORTEST: usize = 16;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:".contains(&byte);
    if text.len() < SHORTEST || !text.bytes().all(is_part) {
        return false;
    }
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_random = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.len() >= SHORTEST - 4 && digits > 1 && digits < word.len()
    };
    !is_hex && text.split(['_', '-', ':']).any(is_random)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_variables(text: &str) -> String {
        text.replace('%', "\0")
    }

    #[test]
    fn finds_secrets_beside_variables() {
        for text in [
            "password=hunter2\nuser=%",
            "user: %\n  password: hunter2",
            "{\"user\":\"%\",\"password\":\"hunter2\"}",
            "{\"user\": \"%\", \"clientSecret\": \"hunter2\"}",
            "host=% password=hunter2",
            "Server=%;Pwd=hunter2;",
            "DB_PASS='hunter2' # %",
            "dbPass = hunter2 # %",
            "Authorization: Bearer hunter2\nHost: %",
            "{\"auths\":{\"%\":{\"auth\":\"YTpodW50ZXIy\"}}}",
            "<user>%</user><password>hunter2</password>",
            "postgres://app:hunter2@%/db",
            "https://ghp0a1b2c3d4e5f6g7h@github.com/%",
            "https://hooks.slack.com/services/T0/B0/hunter2?x=%",
            "https://chat.example.com/api/4/a0b1c2d3e4f5g6h7 %",
            "https://api.telegram.org/bot1234567:AAa0b1c2d3e4f5g6h7/send?chat=%",
            "https://example.com/?token=hunter2&user=%",
            "%\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----",
        ] {
            assert!(holds_secret(&with_variables(text)), "{text}");
        }
    }

    #[test]
    fn settings_beside_variables_are_no_secrets() {
        for text in [
            "postgres://app:%@db",
            "postgres://%:%@db/name",
            "https://hooks.slack.com/services/%",
            "https://hooks.slack.com/services/T00000/B00000/%",
            "https://example.com/2f1c2b4e-0a1b-4c2d-9e3f-0123456789ab/%",
            "https://github.com/a/b/archive/0123456789abcdef0123456789abcdef01234567/%",
            "https://a-very-long-name-of-a-page-2024/%",
            "https://www.youtube.com/channel/UCAbCd1EfGh23IjKl4MnOpQr?x=%",
            "user=app\npassword=%",
            "password=a%",
            "password_file=/run/secrets/db\nuser=%",
            "password: true\nuser: %",
            "password: $PASSWORD %",
            "max_token=4096 %",
            "existingSecret: shop\nuser: %",
            "secretName: shop\nuser: %",
            "# password: hunter2\nuser: %",
            "password: CHANGE_ME\nuser: %",
            "password: ref+vault://kv/db#/password\nuser: %",
            "authorization: enabled %",
            "Authorization: Bearer %",
            "auth: required %",
            "<password>%</password>",
            "password = get(%)",
        ] {
            assert!(!holds_secret(&with_variables(text)), "{text}");
        }
    }

    #[test]
    fn comments_hold_no_value() {
        assert!(is_comment_only("# created by hand, not in git\n# kubectl create secret ...\n"));
        for text in
            ["", "# hunter2", "#hunter2 a b", "# a b c\nhunter2", "# a b\n# password: hunter2"]
        {
            assert!(!is_comment_only(text), "{text}");
        }
    }

    #[test]
    fn a_config_of_variables_has_no_value_of_its_own() {
        for text in [
            "[client]\nhost=%\npassword=%",
            "# the database\nhost: %\npassword: \"%\"\nempty:",
            "{\n  \"user\": \"%\",\n  \"inner\": {\n    \"password\": \"%\"\n  }\n}",
            "export USER=%\nexport PASSWORD='%'",
            "- user: %\n  password: %",
            "aws_access_key_id = %\naws_secret_access_key = CHANGE_ME",
            "%\nkey=%\n%",
        ] {
            assert!(is_config_of_references(&with_variables(text)), "{text}");
        }
        for text in [
            "host=%",
            "host=%\nport=5432",
            "host=%\nhunter2",
            "host=%\n#password=hunter2",
            "host=%\npassword=a%",
            "host: %\npassword: |\n  hunter2",
        ] {
            assert!(!is_config_of_references(&with_variables(text)), "{text}");
        }
    }
}
