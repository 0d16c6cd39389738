//! Sets of characters: `[a-z]`, `\d`, `[[:alpha:]]`, `\p{Greek}`.
//!
//! This module reads Go's sets and writes them in brackets for the `regex` crate. `unicode` has the names
//! of Unicode's sets. The `regex` crate folds case as Go does: it folds the members first and negates
//! afterwards.
//!
//! Every set becomes a separate bracketed set, so it means the same alone, inside another set, or negated.

use super::cursor::{Cursor, quote};
use super::error::PatternError;
use super::node::{EVERYTHING, NOTHING, escaped};
use super::{escape, unicode};

/// The members of Go's `[:name:]` sets, all ASCII, in the syntax of a bracketed set.
const POSIX_SETS: [(&str, &str); 14] = [
    ("alnum", "0-9A-Za-z"),
    ("alpha", "A-Za-z"),
    ("ascii", r"\x00-\x7F"),
    ("blank", r"\t\x20"),
    ("cntrl", r"\x00-\x1F\x7F"),
    ("digit", "0-9"),
    ("graph", r"\x21-\x7E"),
    ("lower", "a-z"),
    ("print", r"\x20-\x7E"),
    ("punct", r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E"),
    ("space", r"\t-\r\x20"),
    ("upper", "A-Z"),
    ("word", "0-9A-Za-z_"),
    ("xdigit", "0-9A-Fa-f"),
];

/// Reads an escape for a set (`\d`, `\pL`), if it comes next.
///
/// *Shape*: a bracketed set.
pub(super) fn escaped_set(cursor: &mut Cursor<'_>) -> Result<Option<String>, PatternError> {
    let mut following = cursor.rest().chars();
    let (Some('\\'), Some(letter)) = (following.next(), following.next()) else {
        return Ok(None);
    };
    let members = match letter {
        'p' | 'P' => return unicode_set(cursor).map(Some),
        'd' | 'D' => "0-9",
        // Without the vertical tab, which `[:space:]` has.
        's' | 'S' => r"\t\n\x0C\r\x20",
        'w' | 'W' => "0-9A-Za-z_",
        _ => return Ok(None),
    };
    cursor.next();
    cursor.next();
    Ok(Some(bracketed(members, letter.is_ascii_uppercase())))
}

/// Reads a bracketed set. The cursor is at its `[`.
///
/// *Shape*: a bracketed set.
/// *Source*: `parseClass` in Go's `regexp/syntax`.
pub(super) fn bracketed_set(cursor: &mut Cursor<'_>) -> Result<String, PatternError> {
    let start = cursor.offset();
    cursor.eat("[");
    let is_negated = cursor.eat("^");
    let mut members = String::new();
    let mut is_first = true;
    while is_first || !cursor.eat("]") {
        is_first = false;
        if let Some(set) = posix_set(cursor)? {
            members.push_str(&set);
        } else if let Some(set) = escaped_set(cursor)? {
            members.push_str(&set);
        } else {
            members.push_str(&range(cursor, start)?);
        }
    }
    Ok(bracketed(&members, is_negated))
}

fn bracketed(members: &str, is_negated: bool) -> String {
    match (members.is_empty(), is_negated) {
        (true, false) => NOTHING.to_owned(),
        (true, true) => EVERYTHING.to_owned(),
        (false, false) => format!("[{members}]"),
        (false, true) => format!("[^{members}]"),
    }
}

/// Reads `[:name:]` or `[:^name:]`. Without a `:]` after it, `[:` is plain text.
fn posix_set(cursor: &mut Cursor<'_>) -> Result<Option<String>, PatternError> {
    let start = cursor.offset();
    if !cursor.rest().starts_with("[:") || !cursor.rest()[2..].contains(":]") {
        return Ok(None);
    }
    cursor.eat("[:");
    let is_negated = cursor.eat("^");
    let name = cursor.eat_until(":]").unwrap_or_default();
    let Some((_, members)) = POSIX_SETS.iter().find(|(known, _)| *known == name) else {
        let set = quote(cursor.text_from(start));
        let reason = format!("the named set {set} does not exist in Go's regular expressions");
        return Err(PatternError::new(reason, start));
    };
    Ok(Some(bracketed(members, is_negated)))
}

/// Reads `\pL`, `\p{Greek}`, `\P{Greek}` or `\p{^Greek}`.
fn unicode_set(cursor: &mut Cursor<'_>) -> Result<String, PatternError> {
    let start = cursor.offset();
    let mut is_negated = cursor.rest().starts_with(r"\P");
    cursor.next();
    cursor.next();
    let name_start = cursor.offset();
    let mut name = if cursor.eat("{") {
        cursor.eat_until("}").ok_or_else(|| {
            let reason = format!("{} has no closing `}}`", quote(cursor.text_from(start)));
            PatternError::new(reason, start)
        })?
    } else {
        cursor.next();
        cursor.text_from(name_start)
    };
    if let Some(positive) = name.strip_prefix('^') {
        is_negated = !is_negated;
        name = positive;
    }
    let set = unicode::set(name).ok_or_else(|| {
        let reason = format!(
            "{} is not a Unicode category or script that Go's regular expressions know",
            quote(name)
        );
        PatternError::new(reason, start)
    })?;
    Ok(if is_negated { bracketed(&set, true) } else { set })
}

/// Reads one character or a range of them.
///
/// *Shape*: members of a bracketed set, perhaps none.
fn range(cursor: &mut Cursor<'_>, set_start: usize) -> Result<String, PatternError> {
    let start = cursor.offset();
    let low = member(cursor, set_start)?;
    let rest = cursor.rest();
    // `[a-]` is the two characters `a` and `-`.
    let has_high = rest.len() >= 2 && rest.starts_with('-') && !rest.starts_with("-]");
    if !has_high {
        return Ok(char::from_u32(low).map(escaped).unwrap_or_default());
    }
    cursor.eat("-");
    let high = member(cursor, set_start)?;
    if high < low {
        let range = quote(cursor.text_from(start));
        let reason = format!("the range {range} ends before it begins");
        return Err(PatternError::new(reason, start));
    }
    // No text contains half of a surrogate pair, and the `regex` crate rejects one.
    let low = char::from_u32(low).unwrap_or('\u{E000}');
    let high = char::from_u32(high).unwrap_or('\u{D7FF}');
    if high < low {
        return Ok(String::new());
    }
    Ok(format!("{}-{}", escaped(low), escaped(high)))
}

fn member(cursor: &mut Cursor<'_>, set_start: usize) -> Result<u32, PatternError> {
    if cursor.peek() == Some('\\') {
        return escape::code_point(cursor);
    }
    cursor
        .next()
        .map(u32::from)
        .ok_or_else(|| PatternError::new("the set opened by `[` has no closing `]`", set_start))
}
