//! The type of a YAML scalar in sops: the typing rules of its YAML library.
//!
//! sops reads YAML with `go.yaml.in/yaml/v3`; which of text, number, boolean, time or null a
//! plain scalar is decides what is encrypted and which bytes the MAC covers. The rules follow
//! `resolve.go` of that library: they are neither YAML 1.1 nor YAML 1.2.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;

use super::timestamp;

/// A typed leaf.
#[derive(Clone, PartialEq)]
pub enum Scalar<'t> {
    /// `null`, `~` or nothing at all. sops neither encrypts nor signs it.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Fits 64 bits with a sign.
    Int(i64),
    /// From 2^63 to 2^64-1: sops refuses the whole file ("unknown type: uint64").
    TooLarge(u64),
    /// Any other number, `.inf` and `.nan`.
    Float(f64),
    /// A timestamp, as RFC 3339 with up to nine decimals and its own zone.
    Time(Box<str>),
    /// Text.
    Str(Cow<'t, str>),
    /// The content of a `!!binary` that is not text.
    Bytes(Box<[u8]>),
    /// A value that does not fit the tag before it (`!!int abc`). sops drops the error and takes
    /// null (`stores/yaml/store.go`, `yamlNodeToTreeBranchValue`); Kubernetes refuses the file.
    Misfit,
}

impl Scalar<'_> {
    /// Returns the noun for messages.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::TooLarge(_) | Self::Float(_) => "a number",
            Self::Time(_) => "a timestamp",
            Self::Str(_) => "text",
            Self::Bytes(_) => "binary data",
            Self::Misfit => "a value that does not fit its tag",
        }
    }

    /// Returns the day of a timestamp, counted from 1970-01-01; earlier ones are day 0.
    pub fn day_of(text: &str) -> Option<u32> {
        timestamp::day_of(text)
    }

    /// Reports whether a text is a timestamp when it has no quotes.
    pub fn is_timestamp(text: &str) -> bool {
        timestamp::rfc3339(text).is_some()
    }

    /// Returns a timestamp as sops writes it down: RFC 3339 with up to nine decimals and its own
    /// zone.
    pub fn rfc3339(text: &str) -> Option<Box<str>> {
        timestamp::rfc3339(text)
    }

    /// Reports whether sops has nothing to encrypt here: what it takes for null and `""` stay as
    /// they are.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null | Self::Misfit => true,
            Self::Str(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => false,
        }
    }
}

impl fmt::Debug for Scalar<'_> {
    /// Shows the kind alone: the value may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

/// An explicit tag on a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// None, or the lone `!`, which sops' library ignores.
    None,
    /// `!!str`, and every tag that the library does not know.
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
    /// `!!timestamp`
    Timestamp,
    /// `!!binary`
    Binary,
}

/// Types one scalar. `plain`: it has no quotes and is not in a block.
pub(super) fn resolve(text: Cow<'_, str>, plain: bool, tag: Tag) -> Scalar<'_> {
    match tag {
        Tag::None if plain => resolve_plain(text),
        Tag::None | Tag::Str => Scalar::Str(text),
        Tag::Binary => binary(&text),
        Tag::Timestamp => timestamp::rfc3339(&text).map_or(Scalar::Misfit, Scalar::Time),
        Tag::Null if text.is_empty() => Scalar::Null,
        _ => match (tag, resolve_plain(text)) {
            (Tag::Float, Scalar::Int(int)) => Scalar::Float(as_float(int)),
            (Tag::Int, scalar @ (Scalar::Int(_) | Scalar::TooLarge(_)))
            | (Tag::Float, scalar @ Scalar::Float(_))
            | (Tag::Bool, scalar @ Scalar::Bool(_))
            | (Tag::Null, scalar @ Scalar::Null) => scalar,
            _ => Scalar::Misfit,
        },
    }
}

fn binary(text: &str) -> Scalar<'static> {
    let base64: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    match base64::engine::general_purpose::STANDARD.decode(base64).map(String::from_utf8) {
        Ok(Ok(text)) => Scalar::Str(Cow::Owned(text)),
        Ok(Err(error)) => Scalar::Bytes(error.into_bytes().into()),
        Err(_) => Scalar::Misfit,
    }
}

fn resolve_plain(text: Cow<'_, str>) -> Scalar<'_> {
    let known = match text.as_bytes().first() {
        None => Some(Scalar::Null),
        Some(b'+' | b'-' | b'0'..=b'9') => word(&text).or_else(|| number_or_time(&text)),
        Some(b'.') => word(&text).or_else(|| dotted(&text)),
        Some(b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'~') => word(&text),
        Some(_) => None,
    };
    known.unwrap_or(Scalar::Str(text))
}

/// Returns the scalar of a word that is no text. `yes`, `no`, `on` and `off` are text.
fn word(text: &str) -> Option<Scalar<'static>> {
    Some(match text {
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// Text that begins with a dot goes to Go's `ParseFloat` unchanged.
fn dotted(text: &str) -> Option<Scalar<'static>> {
    if is_float(text) { float(text) } else { None }
}

fn number_or_time(text: &str) -> Option<Scalar<'static>> {
    if let Some(time) = timestamp::rfc3339(text) {
        return Some(Scalar::Time(time));
    }
    let digits: Cow<'_, str> =
        if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    integer(&digits).or_else(|| if is_float(&digits) { float(&digits) } else { None })
}

/// Go's `ParseInt(text, 0, 64)`, then `ParseUint(text, 0, 64)`: a leading `0` means octal.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.get(..2).map(str::to_ascii_lowercase);
    let (digits, radix) = match lower.as_deref() {
        Some("0x") => (&unsigned[2..], 16),
        Some("0o") => (&unsigned[2..], 8),
        Some("0b") => (&unsigned[2..], 2),
        Some(two) if two.starts_with('0') => (&unsigned[1..], 8),
        _ => (unsigned, 10),
    };
    // `from_str_radix` accepts another sign, Go does not.
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    match i64::try_from(magnitude) {
        Ok(int) => Some(Scalar::Int(int)),
        // Go's ParseUint takes no sign.
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Scalar::TooLarge(magnitude)),
    }
}

/// Reports whether a text matches `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits = digits(whole)
        && digits(fraction)
        && (!whole.is_empty() || (mantissa.starts_with('.') && !fraction.is_empty()));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

/// Go's `ParseFloat` fails on overflow, so `1e400` is text; an underflow is zero.
fn float(text: &str) -> Option<Scalar<'static>> {
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(Scalar::Float)
}

#[expect(clippy::cast_precision_loss, reason = "Go's float64(int) rounds the same way")]
fn as_float(int: i64) -> f64 {
    int as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the type that sops writes and the bytes that it encrypts, in the spelling of the
    /// table.
    fn typed(text: &str) -> (&'static str, String) {
        match resolve(Cow::Borrowed(text), true, Tag::None) {
            Scalar::Null => ("null", String::new()),
            Scalar::Bool(true) => ("bool", "True".into()),
            Scalar::Bool(false) => ("bool", "False".into()),
            Scalar::Int(int) => ("int", int.to_string()),
            Scalar::TooLarge(_) => ("error", String::new()),
            Scalar::Float(float) if float.is_nan() => ("float", "NaN".into()),
            Scalar::Float(f64::INFINITY) => ("float", "+Inf".into()),
            Scalar::Float(f64::NEG_INFINITY) => ("float", "-Inf".into()),
            Scalar::Float(float) => ("float", float.to_string()),
            Scalar::Time(time) => ("time", time.into()),
            Scalar::Str(text) => ("str", text.into()),
            Scalar::Bytes(_) => ("bytes", String::new()),
            Scalar::Misfit => ("misfit", String::new()),
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn scalars_are_typed_as_sops_types_them() {
        // Source, type and bytes as sops 3.11.0 encrypted them.
        let table = [
            ("abc", "str", "abc"),
            ("1", "int", "1"),
            ("+1", "int", "1"),
            ("-0", "int", "0"),
            ("00", "int", "0"),
            ("07", "int", "7"),
            ("08", "float", "8"),
            ("0777", "int", "511"),
            ("-0777", "int", "-511"),
            ("0o17", "int", "15"),
            ("0O17", "int", "15"),
            ("0o8", "str", "0o8"),
            ("-0o17", "int", "-15"),
            ("0x1F", "int", "31"),
            ("0X1f", "int", "31"),
            ("-0x10", "int", "-16"),
            ("0xG", "str", "0xG"),
            ("0b11", "int", "3"),
            ("0B11", "int", "3"),
            ("-0b11", "int", "-3"),
            ("0b2", "str", "0b2"),
            ("1_000", "int", "1000"),
            ("1__0", "int", "10"),
            ("_1", "str", "_1"),
            ("1_", "int", "1"),
            ("0x_1", "int", "1"),
            ("0_7", "int", "7"),
            ("1_000.5", "float", "1000.5"),
            ("9223372036854775807", "int", "9223372036854775807"),
            ("9223372036854775808", "error", ""),
            ("18446744073709551615", "error", ""),
            ("18446744073709551616", "float", "18446744073709552000"),
            ("-9223372036854775808", "int", "-9223372036854775808"),
            ("-9223372036854775809", "float", "-9223372036854776000"),
            ("1.0", "float", "1"),
            ("1.50", "float", "1.5"),
            (".5", "float", "0.5"),
            ("5.", "float", "5"),
            ("+.5", "float", "0.5"),
            ("-.5", "float", "-0.5"),
            ("1e3", "float", "1000"),
            ("1E3", "float", "1000"),
            ("1.e3", "float", "1000"),
            ("1e", "str", "1e"),
            ("e3", "str", "e3"),
            ("1e400", "str", "1e400"),
            ("-1e400", "str", "-1e400"),
            ("1e-400", "float", "0"),
            ("1e21", "float", "1000000000000000000000"),
            ("123456789.123456789", "float", "123456789.12345679"),
            (".inf", "float", "+Inf"),
            ("-.INF", "float", "-Inf"),
            ("+.Inf", "float", "+Inf"),
            (".iNF", "str", ".iNF"),
            (".nan", "float", "NaN"),
            (".Nan", "str", ".Nan"),
            ("nan", "str", "nan"),
            ("inf", "str", "inf"),
            ("Infinity", "str", "Infinity"),
            (".", "str", "."),
            ("..", "str", ".."),
            ("+", "str", "+"),
            ("1.2.3", "str", "1.2.3"),
            ("-0.0", "float", "-0"),
            ("true", "bool", "True"),
            ("TRUE", "bool", "True"),
            ("tRUE", "str", "tRUE"),
            ("False", "bool", "False"),
            ("yes", "str", "yes"),
            ("NO", "str", "NO"),
            ("on", "str", "on"),
            ("y", "str", "y"),
            ("t", "str", "t"),
            ("null", "null", ""),
            ("NULL", "null", ""),
            ("nULL", "str", "nULL"),
            ("~", "null", ""),
            ("", "null", ""),
            ("none", "str", "none"),
            ("2001-12-14", "time", "2001-12-14T00:00:00Z"),
            ("2001-1-2", "time", "2001-01-02T00:00:00Z"),
            ("2001-12-14T21:59:43Z", "time", "2001-12-14T21:59:43Z"),
            ("2001-12-14t21:59:43.10-05:00", "time", "2001-12-14T21:59:43.1-05:00"),
            ("2001-12-14 21:59:43.10", "time", "2001-12-14T21:59:43.1Z"),
            ("2001-12-14 21:59:43.10 -5", "str", "2001-12-14 21:59:43.10 -5"),
            ("2001-12-14T21:59:43", "str", "2001-12-14T21:59:43"),
            ("2001-02-30", "str", "2001-02-30"),
            ("2001-12-14T21:59:43+00:00", "time", "2001-12-14T21:59:43Z"),
            ("2001-12-14T21:59:43.123456789123Z", "time", "2001-12-14T21:59:43.123456789Z"),
            ("12:30:45", "str", "12:30:45"),
            ("2001-12", "str", "2001-12"),
            ("20011214", "int", "20011214"),
            ("9999-12-31T23:59:60Z", "str", "9999-12-31T23:59:60Z"),
            ("0000-01-01", "time", "0000-01-01T00:00:00Z"),
            ("0x", "str", "0x"),
            ("0b", "str", "0b"),
            ("0o", "str", "0o"),
            ("--1", "str", "--1"),
            ("1-2", "str", "1-2"),
            ("１", "str", "１"),
            ("٣", "str", "٣"),
            (".5.", "str", ".5."),
            ("+1_0", "int", "10"),
            ("0.0.0.0/0", "str", "0.0.0.0/0"),
            ("1:2", "str", "1:2"),
            ("<<", "str", "<<"),
        ];
        for (source, kind, bytes) in table {
            assert_eq!(typed(source), (kind, bytes.to_owned()), "{source:?}");
        }
    }

    #[test]
    fn tags_force_a_type_or_do_not_fit() {
        let with = |text: &'static str, plain, tag| resolve(Cow::Borrowed(text), plain, tag);
        assert_eq!(with("1", true, Tag::Str), Scalar::Str("1".into()));
        assert_eq!(with("3", false, Tag::Int), Scalar::Int(3));
        assert_eq!(with("3.0", true, Tag::Int), Scalar::Misfit);
        assert_eq!(with("1", true, Tag::Float), Scalar::Float(1.0));
        assert_eq!(with("yes", true, Tag::Bool), Scalar::Misfit);
        assert_eq!(with("x", true, Tag::Null), Scalar::Misfit);
        assert_eq!(with("aGk=", true, Tag::Binary), Scalar::Str("hi".into()));
        assert_eq!(with("/w==", false, Tag::Binary), Scalar::Bytes([0xff].into()));
        assert_eq!(with("aGk", true, Tag::Binary), Scalar::Misfit);
        assert_eq!(with("2001-02-30", true, Tag::Timestamp), Scalar::Misfit);
        assert_eq!(with("12", true, Tag::None), Scalar::Int(12));
        assert_eq!(with("12", false, Tag::None), Scalar::Str("12".into()));
    }

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(format!("{:?}", Scalar::Str("hunter2".into())), "text");
        assert_eq!(format!("{:?}", Scalar::Int(4711)), "a number");
    }
}
