//! A change line by line. Plaintext is masked.

use super::change::Change;
use crate::document;
use crate::document::splice::{Edit, apply};
use crate::redact::Redactor;
use crate::text::{LineIndex, Span, printable};

/// Lines around a change.
const CONTEXT: usize = 2;

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

/// Returns the lines that differ, with some around them: keys, ciphertext, and stars for everything else.
/// Returns none if the whole file is replaced.
pub fn lines(change: &Change) -> Vec<Line> {
    let Some(masked) = masked(change) else { return Vec::new() };
    let index = LineIndex::new(masked.as_bytes());
    let mut out = Vec::new();
    let mut shift = 0;
    for group in groups(&masked, &index, &change.edits) {
        let edits: Vec<Edit> = group
            .edits
            .iter()
            .map(|edit| {
                let start = edit.span.start - group.span.start;
                Edit::new(Span::new(start, start + edit.span.len()), &*edit.text)
            })
            .collect();
        let old = &masked[group.span.start..group.span.end];
        let new = apply(old, &edits).unwrap_or_default();
        shift = hunk(&mut out, group.line, shift, (old, &new));
    }
    out
}

/// Returns the old text with plaintext masked. Its length in bytes stays the same.
fn masked(change: &Change) -> Option<String> {
    let text = std::str::from_utf8(&change.old.0).ok().filter(|_| !change.edits.is_empty())?;
    let parsed = document::format_of(&change.path).map(|format| format.parse(text));
    let documents: Vec<_> = parsed.iter().flat_map(|parsed| &parsed.documents).collect();
    let redactor = if change.was_plaintext {
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

/// Edits that are near each other, and the whole lines around them.
struct Group<'e> {
    /// The number of the first line, from 1.
    line: usize,
    span: Span,
    edits: Vec<&'e Edit>,
}

fn groups<'e>(text: &str, index: &LineIndex<'_>, edits: &'e [Edit]) -> Vec<Group<'e>> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    let mut groups: Vec<Group<'e>> = Vec::new();
    for edit in sorted {
        let first = index.position(edit.span.start).line.saturating_sub(CONTEXT).max(1);
        let last = index.position(edit.span.end).line + CONTEXT;
        let start = index.line(first).map_or(0, |span| span.start);
        let end = index.line(last + 1).map_or(text.len(), |span| span.start);
        match groups.last_mut().filter(|group| group.span.end >= start) {
            Some(group) => {
                group.span.end = group.span.end.max(end);
                group.edits.push(edit);
            }
            None => {
                groups.push(Group { line: first, span: Span::new(start, end), edits: vec![edit] });
            }
        }
    }
    groups
}

/// Writes one hunk. Returns by how many lines the new file is longer up to here.
fn hunk(out: &mut Vec<Line>, line: usize, shift: isize, (old, new): (&str, &str)) -> isize {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let rest = old[before..].iter().rev().zip(new[before..].iter().rev());
    let behind = rest.take_while(|(one, other)| one == other).count();
    let clean = |line: &&str| printable::clean(line).into_owned();
    out.push(Line::Hunk(format!(
        "@@ -{line},{} +{},{} @@",
        old.len(),
        line.saturating_add_signed(shift),
        new.len()
    )));
    out.extend(old[..before].iter().map(|line| Line::Same(clean(line))));
    out.extend(old[before..old.len() - behind].iter().map(|line| Line::Old(clean(line))));
    out.extend(new[before..new.len() - behind].iter().map(|line| Line::New(clean(line))));
    out.extend(old[old.len() - behind..].iter().map(|line| Line::Same(clean(line))));
    shift + new.len().cast_signed() - old.len().cast_signed()
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
            was_plaintext: true,
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
        for part in ["@@ -3,4 +3,5 @@", "ENC[1]", "ENC[2]", "password", "sops: {}"] {
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
