//! The forms of single fields of a `sops` block: times and versions.

use crate::document::{Entry, Node, Scalar, Value};

/// Returns the day of a time, counted from 1970-01-01.
pub(super) fn day_of(node: &Node<'_>) -> Option<u32> {
    match &node.value {
        Value::Scalar(Scalar::Time(time)) => Scalar::day_of(time),
        Value::Scalar(Scalar::Str(time)) => Scalar::day_of(time),
        _ => None,
    }
}

/// Reports whether a value is a time as Go's `time.RFC3339` has it, with or without a fraction. The parser
/// has already turned an unquoted one into a timestamp.
pub(super) fn is_rfc3339(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Scalar(Scalar::Time(_)) => true,
        Value::Scalar(Scalar::Str(text)) => {
            text.as_bytes().get(10) == Some(&b'T')
                && text.len() >= "2006-01-02T15:04:05Z".len()
                && Scalar::is_timestamp(text)
        }
        _ => false,
    }
}

/// Reports whether sops reads an unquoted number or boolean as its text. It does in YAML, not in JSON, whose
/// keys are quoted.
pub(super) fn is_bare(entry: &Entry<'_>) -> bool {
    let is_taken = matches!(
        entry.node.value,
        Value::Scalar(Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_))
    );
    is_taken && entry.key_span.len() == entry.key.len()
}

/// Reports whether a number is a version that begins with `1.`.
pub(super) fn is_first_version(node: &Node<'_>) -> bool {
    matches!(node.value, Value::Scalar(Scalar::Float(number)) if (1.0..2.0).contains(&number))
}

/// Reports whether a text is `Major.Minor.Patch`, with or without a suffix (`github.com/blang/semver`). sops
/// accepts a leading `v`, and everything that begins with `1.` (`version.AIsNewerThanB`).
pub(super) fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    if text.starts_with("1.") {
        return true;
    }
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let mut parts = numbers.split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.clone().count() == 3 && parts.all(is_number)
}
