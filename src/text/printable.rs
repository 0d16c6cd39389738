//! Names from strangers, made safe to print.
//!
//! File names, YAML keys and recipients come from other people's pull requests. Nothing of that
//! kind reaches a terminal or a log before it went through [`clean`].

use std::borrow::Cow;

/// Longest name that is printed whole, in characters.
const LONGEST: usize = 120;

/// The text with control, bidirectional and line-breaking characters shown as `\u{..}`, and cut
/// in the middle with `…` where it is longer than 120 characters.
pub fn clean(text: &str) -> Cow<'_, str> {
    let escaped: Cow<'_, str> =
        if text.chars().any(is_hostile) { Cow::Owned(escape(text)) } else { Cow::Borrowed(text) };
    shorten(escaped, LONGEST)
}

/// As [`clean`], but of any length: for file paths, which have to stay whole to be of use.
pub fn clean_path(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_hostile) { Cow::Owned(escape(text)) } else { Cow::Borrowed(text) }
}

/// The first and last characters of a long text with `…` between them, at most `most` characters.
pub fn shorten(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= most {
        return text;
    }
    let tail = most / 3;
    let head = most - tail - 1;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    Cow::Owned(format!("{start}…{end}"))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hostile(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that move the cursor, end a line or turn the writing direction round.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' // line and paragraph separators
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_neither_colour_nor_break_nor_flood_the_terminal() {
        assert_eq!(clean("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\u{a}b");
        assert_eq!(clean("evil\u{202e}fdp"), "evil\\u{202e}fdp");
        assert_eq!(clean("plain/näme.yaml"), "plain/näme.yaml");
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), LONGEST);
    }
}
