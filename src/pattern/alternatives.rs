//! The alternatives of a pattern: the parts between the `|` of its top level.

/// Splits a pattern at the `|` that are in no group, no class and no escape.
pub fn alternatives(source: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut in_class, mut is_escaped, mut start) = (0_usize, false, false, 0);
    for (at, character) in source.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            ']' if in_class => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(&source[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&source[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_top_level_is_split() {
        assert_eq!(alternatives("a|b"), ["a", "b"]);
        assert_eq!(alternatives(r"(a|b)\||[|]c|"), [r"(a|b)\|", "[|]c", ""]);
        assert_eq!(alternatives("a"), ["a"]);
    }
}
