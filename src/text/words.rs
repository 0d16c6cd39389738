//! Numbers and lists in sentences.

/// Returns `1 value` or `2 values`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns the word that agrees with the number: `is` or `are`, `it` or `them`.
pub fn agree<'w>(number: usize, one: &'w str, many: &'w str) -> &'w str {
    if number == 1 { one } else { many }
}

/// Names the first three of many: `a, b, c, and 3 more`.
pub fn listing<T>(all: &[T], name: impl Fn(&T) -> String) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> = all.iter().take(SHOWN).map(name).collect();
    if all.len() > SHOWN {
        names.push(format!("and {} more", all.len() - SHOWN));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_and_long_lists_are_cut() {
        assert_eq!((count(1, "key"), count(0, "key")), ("1 key".into(), "0 keys".into()));
        assert_eq!((agree(1, "is", "are"), agree(2, "is", "are")), ("is", "are"));
        let letters = ["a", "b", "c", "d", "e"];
        assert_eq!(listing(&letters[..3], ToString::to_string), "a, b, c");
        assert_eq!(listing(&letters, ToString::to_string), "a, b, c, and 2 more");
    }
}
