//! Text from strangers, made safe to print.
//!
//! File names, YAML keys and recipients come from other people's pull requests. None of them
//! reaches a terminal or a log before it passes [`clean`].

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Longest name that is printed whole, in characters.
const LONGEST: usize = 120;

/// Characters that a reader cannot see, or that change what is around them: control characters,
/// format characters such as those for bidirectional text and the tags of U+E0000, line
/// separators, variation selectors, and all that Unicode leaves private or unassigned.
static HOSTILE: LazyLock<Regex> = LazyLock::new(|| {
    // Default ignorable code points without a property of that name in the `regex` crate.
    let blank_letters = r"\u{34F}\u{115F}\u{1160}\u{17B4}\u{17B5}\u{3164}\u{FFA0}";
    let class = format!(r"[\p{{C}}\p{{Zl}}\p{{Zp}}\p{{Variation_Selector}}{blank_letters}]");
    Regex::new(&class).expect("the class is valid")
});

/// Returns the text with hostile characters as `\u{..}`, and cut in the middle with `…` if it is
/// longer than 120 characters.
pub fn clean(text: &str) -> Cow<'_, str> {
    shorten(clean_path(text), LONGEST)
}

/// Returns the text with hostile characters as `\u{..}`, uncut: a path is of no use in parts. A command to the
/// runner of GitHub or Azure, which may be anywhere in a line, loses its bracket in the same way.
pub fn clean_path(text: &str) -> Cow<'_, str> {
    let clean = replaced(text, |hostile| hostile.escape_unicode().to_string());
    if clean.contains("##[") || clean.contains("##vso[") {
        return Cow::Owned(clean.replace("##[", "##\\u{5b}").replace("##vso[", "##vso\\u{5b}"));
    }
    clean
}

/// Returns the text with other text for each hostile character.
pub fn replaced(text: &str, replace: impl Fn(&str) -> String) -> Cow<'_, str> {
    // Most text is ASCII, and needs no tables of Unicode.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    HOSTILE.replace_all(text, |found: &regex::Captures<'_>| replace(&found[0]))
}

/// Returns the first and last characters of a long text with `…` between them, at most `most`
/// characters in all.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_neither_color_nor_break_nor_flood_the_terminal() {
        assert_eq!(clean("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\u{a}b");
        assert_eq!(clean("evil\u{202e}fdp"), "evil\\u{202e}fdp");
        assert_eq!(clean("a ##[b] ##vso[c]"), "a ##\\u{5b}b] ##vso\\u{5b}c]");
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), LONGEST);
    }

    #[test]
    fn invisible_characters_are_escaped() {
        for hostile in [
            '\0',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{2029}',
            '\u{2064}',
            '\u{2065}',
            '\u{2069}',
            '\u{206a}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff0}',
            '\u{fffb}',
            '\u{ffff}',
            '\u{1bca0}',
            '\u{1d173}',
            '\u{e0000}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{e0fff}',
            '\u{f0000}',
            '\u{10ffff}',
        ] {
            let expected = format!("a{}b", hostile.escape_unicode());
            assert_eq!(clean(&format!("a{hostile}b")), expected, "{:x}", hostile as u32);
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "plain/näme.yaml",
            "漢字",
            "ключ",
            "مفتاح",
            "नमस्ते",
            "한국어",
            "🔑",
            "e\u{301}",
            "a\u{a0}b\u{3000}c",
            "…–“”\u{fffd}",
        ] {
            assert_eq!(clean(text), text);
        }
    }
}
