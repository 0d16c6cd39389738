//! A change line by line, for a person to review. Plaintext is masked, and ciphertext shortened, so it is not a
//! patch.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::change::{Change, Encryption};
use crate::document;
use crate::document::splice::{Edit, apply};
use crate::redact::Redactor;
use crate::text::words::count;
use crate::text::{Span, printable};

/// Lines around a change.
const CONTEXT: usize = 2;

/// A ciphertext of sops.
static CIPHERTEXT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"ENC\[AES256_GCM,data:[^\]]*\]").expect("the pattern is valid"));

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Position of the lines that follow: `@@ -1,3 +1,3 @@`.
    Hunk(String),
    /// In both files.
    Same(String),
    /// In the old file only.
    Old(String),
    /// In the new file only.
    New(String),
}

/// Returns the lines that differ, with some around them: keys, shortened ciphertext, one line for each
/// `sops` block, and stars for everything else. Returns none if the whole file is replaced.
pub fn lines(change: &Change) -> Vec<Line> {
    let Some(masked) = masked(change) else { return Vec::new() };
    let edits: Vec<Edit> = match &change.encryption {
        Some(encryption) => change.edits.iter().map(|edit| shortened(edit, encryption)).collect(),
        None => change.edits.clone(),
    };
    let old: Vec<&str> = masked.lines().collect();
    let Some(chunks) = chunks(&masked, edits) else { return Vec::new() };
    let mut out = Vec::new();
    let mut shift = 0;
    for near in chunks.chunk_by(|one, next| next.old.start - one.old.end <= 2 * CONTEXT) {
        shift = hunk(&mut out, &old, near, shift);
    }
    out
}

/// Shortens ciphertext and metadata, which no person can review.
fn shortened(edit: &Edit, encryption: &Encryption) -> Edit {
    let text = &edit.text;
    let text = match text.find("sops").filter(|_| edit.span.is_empty()) {
        Some(at) => {
            let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let lines = count(text[start..].trim_end().lines().count(), "line");
            let recipients = count(encryption.recipients.len(), "recipient");
            let end = if text.ends_with('\n') { "\n" } else { "" };
            format!("{}sops: … ({lines}, {recipients}){end}", &text[..start])
        }
        None => CIPHERTEXT.replace_all(text, "ENC[AES256_GCM,data:…]").into_owned(),
    };
    Edit::new(edit.span, text)
}

/// Returns the old text with plaintext masked. Its length in bytes stays the same.
fn masked(change: &Change) -> Option<String> {
    let text = std::str::from_utf8(&change.old.0).ok().filter(|_| !change.edits.is_empty())?;
    let parsed = document::format_of(&change.path).map(|format| format.parse(text));
    let documents: Vec<_> = parsed.iter().flat_map(|parsed| &parsed.documents).collect();
    let redactor = if change.encryption.is_some() {
        Redactor::new(text.as_bytes(), &documents)
    } else {
        Redactor::for_config(text.as_bytes())
    };
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let length = line.trim_end_matches(['\n', '\r']).len();
        let start = masked.len();
        masked.push_str(&redactor.show(Span::new(start, start + length)));
        masked.push_str(&line[length..]);
    }
    (masked.len() == text.len()).then_some(masked)
}

/// Whole lines, and the lines that replace them.
struct Chunk {
    /// Numbers of the old lines, from 0.
    old: Range<usize>,
    new: Vec<String>,
}

/// Returns the lines that change, in their order. No line is in two chunks.
fn chunks(text: &str, mut edits: Vec<Edit>) -> Option<Vec<Chunk>> {
    let ends = text.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    let starts: Vec<usize> = std::iter::once(0).chain(ends).collect();
    let lines = starts.len() - 1;
    // The line of an offset; the end of the text belongs to the last line, unless a line end is before it.
    let line_of = |offset: usize| {
        let line = starts.partition_point(|start| *start <= offset) - 1;
        if offset == text.len() && !text.ends_with('\n') { lines.saturating_sub(1) } else { line }
    };
    edits.sort_by_key(|edit| edit.span);
    let mut groups: Vec<(Range<usize>, Vec<Edit>)> = Vec::new();
    for edit in edits {
        let first = line_of(edit.span.start);
        let is_between = edit.span.is_empty()
            && starts[first] == edit.span.start
            && (edit.text.ends_with('\n') || first == lines);
        let last = if is_between { first } else { (line_of(edit.span.end) + 1).min(lines) };
        match groups.last_mut().filter(|(range, _)| first < range.end) {
            Some((range, edits)) => {
                range.end = range.end.max(last);
                edits.push(edit);
            }
            None => groups.push((first..last, vec![edit])),
        }
    }
    groups.into_iter().map(|(range, edits)| chunk(text, &starts, range, edits)).collect()
}

/// Applies edits to whole lines. Lines that stay the same at the start and at the end are left out.
fn chunk(text: &str, starts: &[usize], range: Range<usize>, mut edits: Vec<Edit>) -> Option<Chunk> {
    let (start, end) = (starts[range.start], starts[range.end]);
    for edit in &mut edits {
        edit.span = Span::new(edit.span.start - start, edit.span.end - start);
    }
    let old = text.get(start..end)?;
    let new = apply(old, &edits)?;
    let (old, mut new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let rest = old[before..].iter().rev().zip(new[before..].iter().rev());
    let behind = rest.take_while(|(one, other)| one == other).count();
    new.truncate(new.len() - behind);
    let new = new[before..].iter().map(|line| (*line).to_owned()).collect();
    Some(Chunk { old: range.start + before..range.start + old.len() - behind, new })
}

/// Writes chunks that are near each other as one hunk. Returns by how many lines the new file is longer up
/// to here.
fn hunk(out: &mut Vec<Line>, old: &[&str], chunks: &[Chunk], shift: isize) -> isize {
    let clean = |line: &&str| printable::clean(line).into_owned();
    let (first, last) = (&chunks[0], &chunks[chunks.len() - 1]);
    let start = first.old.start.saturating_sub(CONTEXT);
    let end = (last.old.end + CONTEXT).min(old.len());
    let more: isize = chunks
        .iter()
        .map(|chunk| chunk.new.len().cast_signed() - chunk.old.len().cast_signed())
        .sum();
    out.push(Line::Hunk(format!(
        "@@ -{},{} +{},{} @@",
        start + 1,
        end - start,
        (start + 1).saturating_add_signed(shift),
        (end - start).saturating_add_signed(more)
    )));
    let mut at = start;
    for chunk in chunks {
        out.extend(old[at..chunk.old.start].iter().map(|line| Line::Same(clean(line))));
        out.extend(old[chunk.old.clone()].iter().map(|line| Line::Old(clean(line))));
        out.extend(chunk.new.iter().map(|line| Line::New(clean(&&**line))));
        at = chunk.old.end;
    }
    out.extend(old[at..end].iter().map(|line| Line::Same(clean(line))));
    shift + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::change::Bytes;
    use crate::path::RepoPath;

    fn change(old: &str, edits: Vec<Edit>) -> Change {
        let new = apply(old, &edits).expect("edits");
        Change {
            path: RepoPath::from("a.yaml"),
            old: Bytes(old.into()),
            new: Bytes(new.into()),
            edits,
            done: String::new(),
            encryption: Some(Encryption {
                recipients: vec![String::new()],
                ..Encryption::default()
            }),
        }
    }

    #[test]
    fn plaintext_is_masked_on_both_sides() {
        let old = "a: 1\nb: 2\nc: 3\nd: 4\npassword: canary # canary\nf: {x: canary, y: canary}\n";
        let at = old.find("canary").expect("there");
        let flow = old.rfind("x: ").expect("there") + 3;
        let edits = vec![
            Edit::new(Span::new(at, at + 6), "ENC[1]"),
            Edit::new(Span::new(flow, flow + 6), "\"ENC[2]\""),
            Edit::new(Span::at(old.len()), "sops: {}\n"),
        ];
        let lines = lines(&change(old, edits));
        let shown = format!("{lines:?}");
        assert!(!shown.contains("canary"), "{shown}");
        for part in
            ["@@ -3,4 +3,5 @@", "ENC[1]", "ENC[2]", "password", "sops: … (1 line, 1 recipient)"]
        {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert_eq!(lines.iter().filter(|line| matches!(line, Line::Old(_))).count(), 2);
        assert_eq!(lines.iter().filter(|line| matches!(line, Line::New(_))).count(), 3);
    }

    #[test]
    fn edits_that_are_far_apart_have_hunks_of_their_own() {
        let old: String = (0..20).map(|number| format!("k{number}: v\n")).collect();
        let edits = vec![Edit::new(Span::new(4, 5), "X"), Edit::new(Span::at(old.len()), "s: 1\n")];
        let lines = lines(&change(&old, edits));
        let hunks = lines.iter().filter(|line| matches!(line, Line::Hunk(_))).count();
        assert_eq!(hunks, 2);
        assert!(
            lines.contains(&Line::New("k0: X".to_owned()))
                && lines.contains(&Line::New("s: 1".to_owned()))
        );
    }
}
