//! Chooses the format of a file and parses it.

use std::str::Utf8Error;

use crate::document::json::Json;
use crate::document::{self, Format, Parsed, Shape, Value};
use crate::input::Input;
use crate::sops::metadata;
use crate::traces::{self, Traces};

/// Parses a file; `None` if its format is not supported.
pub(super) fn parse<'t>(
    text: &'t str,
    format: Option<&'static dyn Format>,
    traces: Traces,
    claims_encryption: bool,
) -> Option<Parsed<'t>> {
    let Some(format) = format else {
        return foreign(text, traces, claims_encryption);
    };
    let mut parsed = format.parse(text);
    // `sops --input-type` writes any format under any name.
    if traces.encrypted && !(is_likely(&parsed, text) && has_metadata(&parsed)) {
        let other = document::format_by_content(text).parse(text);
        if is_likely(&other, text) && (has_metadata(&other) || !is_likely(&parsed, text)) {
            return Some(other);
        }
    }
    if traces.encrypted && parsed.error.is_none() && has_metadata(&parsed) {
        parsed.error = format.refused_by_sops(text, &parsed);
    }
    Some(parsed)
}

fn has_metadata(parsed: &Parsed<'_>) -> bool {
    let first = parsed.documents.first();
    first.is_some_and(metadata::exists)
}

/// Parses an earlier version of a file, if it was encrypted.
pub(super) fn parse_earlier(input: &Input) -> Option<Parsed<'_>> {
    let bytes = input.bytes();
    let traces = traces::look(&input.path, bytes);
    let text = std::str::from_utf8(bytes).ok().filter(|_| traces.encrypted)?;
    parse(text, document::format_of(&input.path), traces, false)
}

/// Parses a file if sops encrypted it, in whatever format it is.
pub fn encrypted(input: &Input) -> Option<Parsed<'_>> {
    let traces = traces::look(&input.path, input.bytes());
    let text = std::str::from_utf8(input.bytes()).ok().filter(|_| traces.encrypted)?;
    let claims_encryption = traces::claims_encryption(&input.path, None);
    parse(text, document::format_of(&input.path), traces, claims_encryption).filter(has_metadata)
}

/// Parses a file whose name has no format: sops treats it as binary and writes a JSON envelope.
fn foreign(text: &str, traces: Traces, claims_encryption: bool) -> Option<Parsed<'_>> {
    if !traces.sops {
        return None;
    }
    if Json.recognizes(text) {
        let mut parsed = Json.parse(text);
        parsed.error = parsed.error.take().or_else(|| empty_envelope(&parsed));
        return Some(parsed);
    }
    let format = document::format_by_content(text);
    if claims_encryption {
        return Some(format.parse(text));
    }
    // Without such a name, it may be a page that quotes an encrypted file.
    let parsed = (format.is_shallow() && traces.encrypted).then(|| format.parse(text));
    parsed.filter(|parsed| parsed.error.is_none())
}

/// Reports an envelope with metadata and no content. sops keeps the content under `data`.
fn empty_envelope(parsed: &Parsed<'_>) -> Option<document::ParseError> {
    let document = parsed.documents.first()?;
    let entry = document.root.entries().next()?;
    let is_alone = document.root.entries().count() == 1;
    let is_empty = is_alone && metadata::exists(document);
    let reason = "it has SOPS metadata and no encrypted content";
    is_empty.then(|| document::ParseError::new(entry.key_span.start, reason))
}

/// Reports whether a file is in the format of its name. To YAML, lines of dotenv are a text; to dotenv,
/// JSON on one line is a line.
fn is_likely(parsed: &Parsed<'_>, text: &str) -> bool {
    parsed.error.is_none()
        && parsed.documents.first().is_none_or(|document| match document.shape {
            Shape::Nested => matches!(document.root.value, Value::Map(_) | Value::List(_)),
            Shape::Sections | Shape::Lines => !Json.recognizes(text),
        })
}

/// Represents a file that was not parsed: no documents, and the error, if it matters.
pub(super) fn unparsed<'t>(error: Option<Utf8Error>, may_hide_secret: bool) -> Parsed<'t> {
    let error = error.map(|error| document::ParseError {
        may_hide_secret,
        ..document::ParseError::new(error.valid_up_to(), "this byte is not UTF-8")
    });
    Parsed { documents: Vec::new(), duplicate_keys: Vec::new(), error }
}
