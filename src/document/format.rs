//! [`Format`]: one way to write documents down.

use std::fmt;

use super::parsed::{ParseError, Parsed};
use super::splice::{Splice, Spliced};
use crate::path::RepoPath;

/// A file format that sops can encrypt value by value.
pub trait Format: Sync + fmt::Debug {
    /// Returns the name that sops has for it (`--input-type`).
    fn name(&self) -> &'static str;

    /// Returns the file name extensions that make sops choose it, without the dot; case matters to
    /// sops.
    fn endings(&self) -> &'static [&'static str];

    /// Reads all documents of a text.
    fn parse<'t>(&self, text: &'t str) -> Parsed<'t>;

    /// Returns what makes sops refuse a text that `parse` reads, `parsed` being its documents.
    fn refused_by_sops(&self, _text: &str, _parsed: &Parsed<'_>) -> Option<ParseError> {
        None
    }

    /// Returns the edits that write new values into a text, `parsed` being its documents.
    fn splice(&self, text: &str, parsed: &Parsed<'_>, splice: &Splice<'_>) -> Spliced;

    /// Returns true if sops chooses this format for a file of this name (`formats.go`).
    fn is_for(&self, path: &RepoPath) -> bool {
        let ending = path.file_name().rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| self.endings().contains(&ending))
    }

    /// Returns true if an encrypted text is in this format, whatever the name of its file: its
    /// first character shows it, or a line that only sops writes.
    fn recognizes(&self, text: &str) -> bool;

    /// Reports whether it cannot nest maps, so that sops folds its metadata into lines.
    fn is_shallow(&self) -> bool {
        false
    }

    /// Reports whether every JSON text is also a text of this format.
    fn reads_json(&self) -> bool {
        false
    }

    /// Reports whether sops before 3.13.2 reads every number as a float.
    fn has_only_floats(&self) -> bool {
        false
    }

    /// Returns true if sops reads UTF-16 with a byte order mark in this format.
    fn reads_utf_16(&self) -> bool {
        false
    }

    /// Returns the offset of a character that ends a line for sops but not for this reader.
    fn foreign_line_break(&self, _text: &str) -> Option<usize> {
        None
    }
}

/// Returns the lines of a text without their line ends, if it contains `piece` at all: a quick
/// search passes over most texts.
pub(super) fn lines_if<'t>(text: &'t str, piece: &str) -> impl Iterator<Item = &'t str> {
    let is_found = memchr::memmem::find(text.as_bytes(), piece.as_bytes()).is_some();
    let text = if is_found { text } else { "" };
    text.split('\n').map(|line| line.trim_end_matches('\r'))
}
