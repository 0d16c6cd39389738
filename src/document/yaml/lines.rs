//! The lines around a place in YAML: columns, and comments alone on their lines.

use crate::document::node::Comment;
use crate::text::Span;

/// Returns the column of the next key, or of the dash of the next element.
pub(super) fn column_of_child(text: &str, start: usize) -> usize {
    let line = line_start(text, start);
    let blanks = text[line..start].len() - text[line..start].trim_start().len();
    if text[line + blanks..start].starts_with('-') { blanks } else { start - line }
}

/// Returns where the line begins that holds this place.
pub(super) fn line_start(text: &str, offset: usize) -> usize {
    memchr::memrchr(b'\n', &text.as_bytes()[..offset]).map_or(0, |at| at + 1)
}

/// Returns how many of these consecutive comments are feet of the content above the first.
pub(super) fn feet<'c, 't: 'c>(
    comments: impl Iterator<Item = &'c Comment<'t>>,
    text: &str,
) -> usize {
    let mut comments = comments.map(|comment| comment.span).peekable();
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let Some(first) = comments.peek() else { return 0 };
    if !line_above(text, first.start).is_some_and(is_content) {
        return 0;
    }
    let mut count = 0;
    while let Some(span) = comments.next() {
        count += 1;
        let below = text[span.end..].strip_prefix('\r').unwrap_or(&text[span.end..]);
        if below.len() < text.len() - span.end && count == 1 {
            return 1;
        }
        let line = below.strip_prefix('\n').and_then(|below| below.lines().next());
        if line.is_none_or(|line| line.trim().is_empty()) {
            return count;
        }
        let between = |next: &Span| text[span.end..next.start].trim_matches([' ', '\t']);
        if comments.peek().is_none_or(|next| between(next) != "\n") {
            return 0;
        }
    }
    0
}

/// Returns the line above a comment; `None` if there is none, or the comment is not alone on its
/// line.
pub(super) fn line_above(text: &str, comment: usize) -> Option<&str> {
    let (above, own) = text.get(..comment)?.rsplit_once('\n')?;
    own.trim().is_empty().then(|| above.rsplit('\n').next().unwrap_or(above))
}

/// Returns the offset of the first character that ends a line only for sops' YAML library, which
/// reads YAML 1.1: U+0085, U+2028 or U+2029.
pub(super) fn line_separator(text: &str) -> Option<usize> {
    text.find(['\u{85}', '\u{2028}', '\u{2029}'])
}
