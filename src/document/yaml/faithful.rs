//! Scalars and tags that sops gives back as something else.
//!
//! sops decrypts to a tree and writes that: a number gets another form, and tags are gone. A scalar is
//! faithful if programs that read YAML 1.1, as kubectl does, and programs that read YAML 1.2 find the same
//! type and value before and after.

use std::borrow::Cow;

use granit_parser::{Event, ScalarStyle};

use super::reader::known_tag;
use crate::document::decimal;
use crate::document::scalar::{self, Scalar, Tag};

const TAG: &str = "sops does not keep this tag: remove it";
const NUMBER: &str = "sops would give this number back in another form: put it in quotes, or write it in plain decimal";
const INTEGER: &str =
    "sops would give this number back as an integer: put it in quotes, or write it without `.0`";
const TAGGED_INTEGER: &str =
    "sops would give this number back as an integer: put it in quotes, or write it without its tag";
const DIGITS: &str = "this number has more digits than sops keeps: put it in quotes";
const TIME: &str = "sops would give this date back in another form: put it in quotes";
const WORD: &str = "kubectl and other programs do not read this as text, and sops would give it back as text: put it in quotes, or write true, false or a number";

/// Returns the reason if sops would not give back the scalar or the tag of an event as it is.
pub(super) fn unfaithful(event: &Event<'_>) -> Option<&'static str> {
    match event {
        Event::Scalar(text, style, _, tag) => {
            let is_plain = *style == ScalarStyle::Plain;
            match tag {
                None => of_plain(text).filter(|_| is_plain),
                Some(tag) => of_tagged(text, is_plain, tag),
            }
        }
        Event::MappingStart(_, _, Some(tag)) | Event::SequenceStart(_, _, Some(tag)) => {
            let is_implied = matches!(tag.core_suffix(), Some("map" | "seq"));
            (!is_implied && tag.original() != "!").then_some(TAG)
        }
        _ => None,
    }
}

fn of_tagged(text: &str, is_plain: bool, tag: &granit_parser::Tag) -> Option<&'static str> {
    let known = known_tag(tag);
    let resolved = scalar::resolve(Cow::Borrowed(text), is_plain, known);
    let is_kept = match (known, &resolved) {
        // To YAML, `!` makes text of anything.
        (Tag::None, _) => matches!(resolved, Scalar::Str(_)),
        (Tag::Str, _) => tag.core_suffix() == Some("str"),
        (Tag::Binary, _) => matches!(resolved, Scalar::Bytes(_)),
        (Tag::Float, _) if !text.contains('.') => return Some(TAGGED_INTEGER),
        _ => return of_plain(text),
    };
    (!is_kept).then_some(TAG)
}

/// Judges a scalar without quotes.
fn of_plain(text: &str) -> Option<&'static str> {
    match scalar::resolve(Cow::Borrowed(text), true, Tag::None) {
        Scalar::Int(_) => (!is_simple_integer(text)).then_some(NUMBER),
        Scalar::Float(float) if float.is_finite() => of_float(text, float),
        Scalar::Time(time) => (*time != *text).then_some(TIME),
        Scalar::Str(text) => (is_old_word(&text) || is_sexagesimal(&text)).then_some(WORD),
        _ => None,
    }
}

/// Reports whether every program reads an integer here, and the same one.
fn is_simple_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_simple = is_decimal && (digits == "0" || !digits.starts_with('0'));
    let is_hexadecimal = text
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_simple || is_hexadecimal
}

fn of_float(text: &str, float: f64) -> Option<&'static str> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "+0"));
    let is_signed = text.starts_with(['+', '-']);
    let unsigned = mantissa.trim_start_matches(['+', '-']);
    let is_plain = unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !(is_signed && unsigned.starts_with('.'));
    if !unsigned.contains('.') && is_plain && exponent == "+0" {
        let is_large = !unsigned.starts_with('0') && !decimal::is_exact(text, float);
        return Some(if is_large { DIGITS } else { NUMBER });
    }
    if !is_plain || !unsigned.contains('.') || !exponent.starts_with(['+', '-']) {
        return Some(NUMBER);
    }
    if !decimal::is_exact(text, float) {
        return Some(DIGITS);
    }
    // Go's format `g` writes an exponent from 10^6 on and below 10^-4.
    let has_exponent = float != 0.0 && !(1e-4..1e6).contains(&float.abs());
    let written = if has_exponent { format!("{float:e}") } else { float.to_string() };
    (!written.contains('.')).then_some(INTEGER)
}

/// Reports whether a text is a boolean in YAML 1.1 alone. Libraries disagree about `y` and `n`.
fn is_old_word(text: &str) -> bool {
    let is_one = |word: &str| word.eq_ignore_ascii_case(text);
    let is_in_one_case = |rest: &str| {
        rest.bytes().all(|byte| byte.is_ascii_lowercase())
            || text.bytes().all(|byte| byte.is_ascii_uppercase())
    };
    ["yes", "no", "on", "off"].into_iter().any(is_one) && text.get(1..).is_some_and(is_in_one_case)
}

/// Reports whether a text is a number to the base 60 in YAML 1.1: `190:20:30`.
fn is_sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = unsigned.split_once('.').map_or(unsigned, |(whole, _)| whole);
    let Some((first, rest)) = whole.split_once(':') else { return false };
    let is_number = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let is_below_60 =
        |part: &str| is_number(part) && part.parse().is_ok_and(|number: u8| number < 60);
    is_number(first) && rest.split(':').all(is_below_60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::yaml::reader::events;

    /// Returns the reason for the value of `k`.
    fn reason(value: &str) -> Option<&'static str> {
        let text = format!("k: {value}\n");
        events(&text).find_map(|event| unfaithful(&event.expect(value).0))
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_scalar_is_faithful_if_every_program_finds_it_again() {
        for value in [
            "abc",
            "'yes'",
            "\"12:30\"",
            "1",
            "-1",
            "+1",
            "0",
            "0x1F",
            "1.5",
            "1.50",
            ".5",
            "-0.25",
            "1.5e-7",
            ".inf",
            ".nan",
            "true",
            "TRUE",
            "null",
            "~",
            "",
            "2001-12-14T21:59:43Z",
            "1e400",
            "0o8",
            "1.2.3",
            "10:70",
            "a:b",
            "yEs",
            "none",
            "!!str 1",
            "!!int 3",
            "!!bool true",
            "!!float 1.5",
            "!!null ''",
            "!!map {a: b}",
            "!!seq [a]",
            "!!binary /w==",
            "! abc",
            "! '1'",
            "|\n  0777",
        ] {
            assert_eq!(reason(value), None, "{value}");
        }
        for (value, expected) in [
            ("12345678901234567890123", DIGITS),
            ("-9223372036854775809", DIGITS),
            ("0.1234567890123456789", DIGITS),
            ("0o17", NUMBER),
            ("0777", NUMBER),
            ("08", NUMBER),
            ("00", NUMBER),
            ("0b11", NUMBER),
            ("-0x10", NUMBER),
            ("1_000", NUMBER),
            ("1_000.5", NUMBER),
            ("1e3", NUMBER),
            ("1.5e3", NUMBER),
            ("+.5", NUMBER),
            ("1.0", INTEGER),
            ("5.", INTEGER),
            ("1000000.0", INTEGER),
            ("!!float 1", TAGGED_INTEGER),
            ("2001-12-14", TIME),
            ("2001-12-14 21:59:43.10", TIME),
            ("2001-12-14t21:59:43.10-05:00", TIME),
            ("!!timestamp 2001-01-01", TIME),
            ("yes", WORD),
            ("Off", WORD),
            ("NO", WORD),
            ("12:30:45", WORD),
            ("22:22", WORD),
            ("!env DB_PW", TAG),
            ("!Ref x", TAG),
            ("!vault |\n  x", TAG),
            ("!Join [a, b]", TAG),
            ("!foo {a: b}", TAG),
            ("!!binary aGk=", TAG),
            ("!!set {a, b}", TAG),
            ("!!omap [a: b]", TAG),
            ("!!python/tuple [a]", TAG),
            ("!<x> a", TAG),
            ("! 12", TAG),
            ("[a, {b: !c d}]", TAG),
        ] {
            assert_eq!(reason(value), Some(expected), "{value}");
        }
    }
}
