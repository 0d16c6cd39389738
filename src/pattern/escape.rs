//! Escape sequences for one code point: `\n`, `\x41`, `\x{1F600}`, `\101`, `\.`.
//!
//! Callers first try the escapes for sets (`\d`, `\pL`) and positions (`\b`). Go supports few escapes and
//! refuses the others with one message. The messages here name what the author may have intended.

use super::cursor::{Cursor, quote};
use super::error::PatternError;

/// Maximum digits of an octal escape.
const MAX_OCTAL_DIGITS: u32 = 3;

/// Reads an escape sequence. The cursor is at its backslash.
///
/// *Shape*: a number up to 0x10FFFF, perhaps half of a surrogate pair.
/// *Source*: `parseEscape` in Go's `regexp/syntax`.
pub(super) fn code_point(cursor: &mut Cursor<'_>) -> Result<u32, PatternError> {
    let start = cursor.offset();
    cursor.next();
    let Some(character) = cursor.next() else {
        let reason = "a backslash at the end of the pattern escapes nothing";
        return Err(PatternError::new(reason, start));
    };
    let value = match character {
        'a' => Some(0x07),
        'f' => Some(0x0C),
        'n' => Some(0x0A),
        'r' => Some(0x0D),
        't' => Some(0x09),
        'v' => Some(0x0B),
        'x' => hexadecimal(cursor),
        '0' => Some(octal(cursor, 0)),
        '1'..='7' if cursor.peek().is_some_and(|next| next.is_digit(8)) => {
            character.to_digit(8).map(|digit| octal(cursor, digit))
        }
        _ if character.is_ascii() && !character.is_ascii_alphanumeric() => {
            Some(u32::from(character))
        }
        _ => None,
    };
    value.ok_or_else(|| refused(cursor, start, character))
}

/// Reads the digits after the first of an octal escape.
fn octal(cursor: &mut Cursor<'_>, first: u32) -> u32 {
    let mut value = first;
    for _ in 1..MAX_OCTAL_DIGITS {
        let Some(digit) = cursor.peek().and_then(|next| next.to_digit(8)) else {
            break;
        };
        cursor.next();
        value = value * 8 + digit;
    }
    value
}

/// Reads the digits after `\x`: two, or any number in braces.
fn hexadecimal(cursor: &mut Cursor<'_>) -> Option<u32> {
    if !cursor.eat("{") {
        let high = cursor.next()?.to_digit(16)?;
        let low = cursor.next()?.to_digit(16)?;
        return Some(high * 16 + low);
    }
    let digits = cursor.eat_while(|next| next.is_ascii_hexdigit());
    if !cursor.eat("}") {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return (!digits.is_empty()).then_some(0);
    }
    let value = u32::from_str_radix(significant, 16).ok()?;
    (value <= u32::from(char::MAX)).then_some(value)
}

fn refused(cursor: &Cursor<'_>, start: usize, character: char) -> PatternError {
    let escape = quote(cursor.text_from(start));
    let reason = match character {
        '1'..='9' | 'k' | 'g' => {
            format!("back-reference {escape} does not exist in Go's regular expressions")
        }
        'x' => format!("{escape} is not a hexadecimal escape; write `\\x7F` or `\\x{{10FFFF}}`"),
        'u' | 'U' => {
            format!("{escape} does not exist in Go's regular expressions; write `\\x{{10FFFF}}`")
        }
        'Z' => format!("{escape} does not exist in Go's regular expressions; write `\\z`"),
        'b' => format!("{escape} has no meaning in brackets; write `\\x08` for a backspace"),
        'A' | 'B' | 'Q' | 'z' => format!("{escape} has no meaning in brackets"),
        'E' => format!("{escape} has no `\\Q` before it"),
        'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'p' | 'P' => {
            format!("{escape} is a set of characters and cannot be the end of a range")
        }
        _ => format!("escape {escape} does not exist in Go's regular expressions"),
    };
    PatternError::new(reason, start)
}
