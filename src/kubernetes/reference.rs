//! Values that only point at a secret kept elsewhere.

use base64::Engine;

use super::literal::{holds_secret, is_comment_only, is_config_of_references};
use super::placeholder::is_placeholder;
use super::scheme::is_fetched;
use super::variable::{Rest, VARIABLE};

/// The part of a value that is a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// All of it: `${PASSWORD}`, `op://vault/item/field`, `<path:kv/data/db#password>`.
    Whole,
    /// Some of it: `postgres://app:${PASSWORD}@db`.
    Partly,
    /// Nothing of it, or the rest holds a secret: `postgres://app:hunter2@${HOST}`.
    None,
}

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
    if is_placeholder(text) || is_fetched(text) || is_comment_only(text) {
        return Reference::Whole;
    }
    let Some(rest) = Rest::of(text) else {
        let is_whole = is_config_of_references(text);
        return if is_whole { Reference::Whole } else { Reference::None };
    };
    let is_variable = |c: char| c == VARIABLE || c.is_whitespace();
    if !rest.has_default && rest.text.chars().all(is_variable) {
        Reference::Whole
    } else if holds_secret(&rest.text) {
        Reference::None
    } else if !rest.has_default && is_config_of_references(&rest.text) {
        Reference::Whole
    } else {
        Reference::Partly
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_references_from_secrets() {
        for whole in [
            "${PASSWORD}",
            "$(PASSWORD)",
            "$(params.password)",
            "{{ .Values.password }}",
            "<path:kv/data/db#password>",
            "<path:kv/data/db#url | jsonPath {.host}>",
            "${USER}${PASSWORD}",
            "<your-token>",
            "<password>",
            "<____>",
            "<template___>",
            "REPLACE_ME",
            "#{ password }#",
            " ${A}\n",
            "${A:=${B}}",
            "{{/* the password */}}{{ .x }}",
            "XXXXXX",
            "{{{ .db.password }}}",
            "<%= password %>",
            "$PASSWORD",
        ] {
            assert_eq!(classify(whole, false), Reference::Whole, "{whole}");
        }
        for none in [
            "hunter2",
            "change-me",
            "a<b",
            "$5",
            "<a>text</a>",
            "",
            "{}",
            "p${",
            "<hunter2>",
            "<a hunter2 b>",
            "<path:hunter2>",
            "$(echo hunter2)",
            "**hunter2**",
            "{{/* hunter2 */}}",
            "{{ printf \"hunter2\" }}",
            "{{{ \"hunter2\" }}}",
            "<%= 'hunter2' %>",
        ] {
            assert_eq!(classify(none, false), Reference::None, "{none}");
        }
        assert_eq!(classify("postgres://app:${PASSWORD}@db", false), Reference::Partly);
        assert_eq!(classify("${PASSWORD:=hunter2}", false), Reference::Partly);
        assert_eq!(classify("${PASSWORD:=}", false), Reference::Whole);
    }

    #[test]
    fn a_reference_has_the_form_of_its_tool() {
        for whole in [
            "op://vault/item/field",
            "op://Shop/my item/token",
            "op://vault/item/section/field?attribute=otp",
            "ref+vault://kv/db#/password",
            "ref+awssecrets://db",
            "secretref+vault://kv/db",
            "vault:secret/data/db#password",
            "vault:secret/data/db#password#2",
        ] {
            assert_eq!(classify(whole, false), Reference::Whole, "{whole}");
        }
        for none in [
            "op://hunter2",
            "op://vault/hunter2",
            "op://vault//field",
            "op://a/b/c\nhunter2",
            "ref+",
            "ref+hunter2",
            "ref+://hunter2",
            "ref+echo://hunter2",
            "ref+vault://",
            "vault:hunter2",
            "vault:hunter2#x",
            "vault:kv/db#",
            "vault:v1:hunter2/a",
            "vault:kv/db#a hunter2",
        ] {
            assert_eq!(classify(none, false), Reference::None, "{none}");
        }
    }

    #[test]
    fn a_value_with_a_literal_secret_is_no_reference() {
        for (text, expected) in [
            ("[client]\nhost=${HOST}\npassword=${PASS}\n", Reference::Whole),
            ("user: {{ .user }}\npassword: {{ .password }}\n", Reference::Whole),
            ("user: op://a/b/c\npassword: ref+vault://kv/db#/x", Reference::Whole),
            ("user=CHANGEME\npassword=CHANGEME", Reference::Whole),
            ("user=${X}\npassword=vault:kv/db#password", Reference::Whole),
            ("user=\npassword=", Reference::None),
            ("user=op://a/b/c\npassword=hunter2", Reference::None),
            ("user=${X}\nport=5432", Reference::Partly),
            ("password=${X:-hunter2}\nuser=${X}", Reference::Partly),
            ("password=hunter2\nuser=${X}", Reference::None),
            ("user=<your-user>\npassword=hunter2", Reference::None),
            ("postgres://app:hunter2@${HOST}/db", Reference::None),
            ("https://hooks.example.com/services/T0/B0/hunter2abc?x={{ .X }}", Reference::None),
        ] {
            assert_eq!(classify(text, false), expected, "{text}");
        }
    }

    #[test]
    fn brackets_are_those_that_open_first_and_close_again() {
        for (text, expected) in [
            ("${A} ${", Reference::Partly),
            ("${a}}", Reference::Partly),
            ("<a> </b> <c d>${A}", Reference::Partly),
            ("${\n}$(A)", Reference::Partly),
            ("<a> <b c>", Reference::Partly),
            ("$(a b)$(A)", Reference::Partly),
            ("${${A}}$(B)", Reference::Whole),
            ("{{ {{a}} }}<b c>", Reference::Whole),
            ("$(${)${A}", Reference::None),
            ("${ ${A}", Reference::None),
            ("${}${A}", Reference::None),
            ("<a\nb>", Reference::None),
            ("<a><b/>", Reference::None),
        ] {
            assert_eq!(classify(text, false), expected, "{text}");
        }
    }

    #[test]
    fn a_reference_that_brings_its_value_along_is_none() {
        for partly in [
            "${PASSWORD:=\"hunter2\"}",
            "${P:='hunter2'}",
            "${P-hunter2}",
            "${P=hunter2}",
            "${P:+hunter2}",
            "${P+hunter2}",
            "{{ .x | default \"hunter2\" }}",
            "{{ default \"hunter2\" .x | quote }}",
            "{{ x | default('hunter2') }}",
        ] {
            assert_eq!(classify(partly, false), Reference::Partly, "{partly}");
        }
        for whole in [
            "${PASSWORD:=\"\"}",
            "${P:-CHANGEME}",
            "${P:?is not set}",
            "${P-}",
            "${P:-${Q}}",
            "${db-password}",
            "${DB-PASSWORD}",
            "${P%.*}",
            "{{ .x | default \"\" }}",
            "{{ .x | default .y }}",
            "{{ index .x \"password\" }}",
            "{{ required \"no password\" .x }}",
            "{{ \"kv/db\" | lookup }}",
            "{{ printf \"%s\" .x }}",
            "{{ .x.default | replace \"a\" \"b\" }}",
            "{{ `{{ .x }}` }}",
        ] {
            assert_eq!(classify(whole, false), Reference::Whole, "{whole}");
        }
    }

    #[test]
    fn looks_through_base64_in_data_only() {
        assert_eq!(classify("JHtQQVNTV09SRH0=", true), Reference::Whole);
        assert_eq!(classify("JHtQQVNTV09SRH0=", false), Reference::None);
    }
}
