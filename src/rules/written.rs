//! The format that an encrypted file is in, and how sops opens a file that its name does not describe.

use super::subject::{Judged, Subject};
use crate::document::{self, FORMATS, Format, json::Json};

/// Returns the format that an encrypted file is in; `None` means binary.
pub(super) fn format_of(subject: &Subject<'_>) -> Option<&'static dyn Format> {
    let first = subject.documents.first()?;
    let is_shallow = first.document.is_shallow();
    if is_json(subject) && subject.documents.len() == 1 && first.is_envelope() {
        return None;
    }
    let mut formats = FORMATS.iter().copied().filter(|format| format.is_shallow() == is_shallow);
    // A file that was read by its name may lack the line by which others are recognized.
    let found = formats.find(|format| format.recognizes(subject.text));
    found.or_else(|| document::format_of(subject.path()))
}

/// Reports whether a file is JSON.
pub(super) fn is_json(subject: &Subject<'_>) -> bool {
    let is_shallow = |first: &Judged<'_>| first.document.is_shallow();
    !subject.documents.first().is_some_and(is_shallow) && Json.recognizes(subject.text)
}

/// Returns the name that sops has for a format.
pub(super) fn sops_name(format: Option<&dyn Format>) -> &'static str {
    format.map_or("binary", Format::name)
}

/// Returns the name that sops has for the format of an encrypted file, if sops does not read the file by its
/// own name.
pub(super) fn unlike_its_name(subject: &Subject<'_>) -> Option<&'static str> {
    if !subject.is_encrypted() {
        return None;
    }
    let (named, written) = (document::format_of(subject.path()), format_of(subject));
    // sops opens an envelope under the name of a JSON or YAML file as a map.
    let held = written.unwrap_or(&Json);
    let is_read = match named {
        None => written.is_none(),
        Some(named) => held.is_for(subject.path()) || named.reads_json() && is_json(subject),
    };
    (!is_read).then(|| sops_name(written))
}

/// Returns why sops does not open a file by its name; `None` if it opens it.
pub fn misread(subject: &Subject<'_>) -> Option<String> {
    let written = unlike_its_name(subject)?;
    let named = sops_name(document::format_of(subject.path()));
    Some(format!(
        "it is {written}, and by its name sops reads it as {named}, unless it is given --input-type {written} --output-type {written}"
    ))
}
