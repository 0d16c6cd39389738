//! Public keys of SSH: `id_ed25519.pub`, `authorized_keys` and `known_hosts`.

use base64::Engine;

/// The kinds of keys. Each may have `-cert-v01@openssh.com` behind it.
/// *Source*: sshkey.c of OpenSSH.
const KINDS: [&str; 8] = [
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// Returns true if each line of a text is a public key, with options or hosts in front of it, or a
/// comment, and at least one is a key.
pub(super) fn is_public_ssh(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut found = false;
    lines.all(|line| {
        let is_key = is_public_key(line);
        found |= is_key;
        is_key || line.starts_with('#')
    }) && found
}

/// Reports whether a line is `[@marker] [hosts or options] kind base64 [comment]`.
fn is_public_key(line: &str) -> bool {
    let marked = line.strip_prefix("@cert-authority ").or_else(|| line.strip_prefix("@revoked "));
    let line = marked.unwrap_or(line).trim_start();
    let (first, rest) = first_word(line);
    let (kind, rest) = if is_kind(first) { (first, rest) } else { first_word(rest) };
    let (key, comment) = first_word(rest);
    // An option can set variables, and a comment can hold anything.
    let has_setting =
        line[..line.len() - rest.len()].contains("environment=") || comment.contains(['=', ':']);
    is_kind(kind) && !has_setting && is_key_of(kind, key)
}

fn is_kind(word: &str) -> bool {
    KINDS.contains(&word)
        || word.strip_suffix("-cert-v01@openssh.com").is_some_and(|kind| {
            KINDS.iter().any(|known| known.trim_end_matches("@openssh.com") == kind)
        })
}

/// Splits a text behind its first word. A word may have blanks in quotes.
fn first_word(text: &str) -> (&str, &str) {
    let mut is_quoted = false;
    let end = text.find(|c: char| {
        is_quoted ^= c == '"';
        c.is_whitespace() && !is_quoted
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word, rest.trim_start())
}

/// Reports whether base64 begins with the name of its kind, as public keys do.
fn is_key_of(kind: &str, text: &str) -> bool {
    let base64 = text.trim_end_matches('=');
    let whole = &text.as_bytes()[..base64.len() / 4 * 4];
    let decoded = base64::engine::general_purpose::STANDARD.decode(whole);
    let length = u32::try_from(kind.len()).unwrap_or_default().to_be_bytes();
    decoded.is_ok_and(|bytes| {
        bytes.strip_prefix(&length).is_some_and(|rest| rest.starts_with(kind.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str) -> String {
        let length = u32::try_from(kind.len()).unwrap().to_be_bytes();
        let bytes = [&length[..], kind.as_bytes(), &[0, 0, 0, 32], &[7; 32]].concat();
        format!("{kind} {}", base64::engine::general_purpose::STANDARD.encode(bytes))
    }

    #[test]
    fn public_keys_are_public_wherever_they_are() {
        let (ed, rsa) = (key("ssh-ed25519"), key("ssh-rsa"));
        for text in [
            ed.clone(),
            format!("{ed} me@example.org\n"),
            format!("# all of us\n\n{ed}\r\n{rsa} my laptop\r\n"),
            format!("command=\"echo a b\",no-pty {ed} backup"),
            format!("no-pty,from=\"10.0.0.0/8\" {rsa}"),
            format!("git.example.org,10.0.0.1 {ed}\n[git.example.org]:2222 {rsa}"),
            format!("|1|YWJj|ZGVm {}", key("ecdsa-sha2-nistp256")),
            format!("@cert-authority *.example.org {rsa}"),
            key("sk-ssh-ed25519@openssh.com"),
            key("ssh-ed25519-cert-v01@openssh.com"),
            key("sk-ssh-ed25519-cert-v01@openssh.com"),
        ] {
            assert!(is_public_ssh(&text), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_something_else_is_not_public() {
        let ed = key("ssh-ed25519");
        for text in [
            String::new(),
            "# hunter2".to_owned(),
            "hunter2".to_owned(),
            "ssh-ed25519".to_owned(),
            "ssh-ed25519 hunter2".to_owned(),
            ed.replace("ssh-ed25519", "ssh-rsa"),
            format!("{ed}\nhunter2"),
            format!("password=hunter2\n{ed}"),
            format!("hunter2 a {ed}"),
            format!("{ed} password=hunter2"),
            format!("environment=\"PASSWORD=hunter2\" {ed}"),
            "é\" é".to_owned(),
        ] {
            assert!(!is_public_ssh(&text), "{text}");
        }
    }
}
