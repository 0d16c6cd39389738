//! Numbers, lists and misspelt names in sentences.

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

/// Returns the name that was probably meant: at most a third of its letters are wrong.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    const MAX_LENGTH: usize = 50;
    let name = name.to_lowercase().replace(' ', "_");
    // The time of a comparison is the product of both lengths.
    if name.len() > MAX_LENGTH {
        return None;
    }
    let distance = |other: &str| strsim::damerau_levenshtein(&name, other);
    let near = known.iter().copied().min_by_key(|other| distance(other))?;
    let begins = name.len() >= 3 && (near.starts_with(&name) || name.starts_with(near));
    (begins || distance(near) <= near.len() / 3).then_some(near)
}

/// Returns the names in kebab case that were probably meant, at most three: the nearest one, or else
/// those with the same words in them, of which at most a third of the letters are wrong.
pub fn meant<'k>(name: &str, known: &[&'k str]) -> Vec<&'k str> {
    const MOST: usize = 3;
    const MAX_LENGTH: usize = 50;
    if let Some(near) = nearest(&name.replace('_', "-"), known) {
        return vec![near];
    }
    let name = name.to_lowercase().replace([' ', '_'], "-");
    if name.is_empty() || name.len() > MAX_LENGTH {
        return Vec::new();
    }
    let words = name.split('-').count();
    let distance = |other: &str| {
        let other: Vec<&str> = other.split('-').collect();
        let parts = other.windows(words).map(|part| part.join("-"));
        parts.map(|part| strsim::damerau_levenshtein(&name, &part)).min()
    };
    let mut near: Vec<(usize, &str)> =
        known.iter().filter_map(|other| Some((distance(other)?, *other))).collect();
    near.retain(|(distance, _)| *distance <= name.len() / 3);
    near.sort_unstable();
    let least = near.first().map(|(distance, _)| *distance);
    near.retain(|(distance, _)| Some(*distance) == least);
    near.into_iter().map(|(_, other)| other).take(MOST).collect()
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

    #[test]
    fn a_part_of_a_name_is_enough() {
        let known = ["plaintext-value", "private-key", "mac-mismatch", "plaintext-comment"];
        for (name, near) in [
            ("plaintxt", &["plaintext-comment", "plaintext-value"][..]),
            ("mac-mismach", &["mac-mismatch"]),
            ("MISMATCH", &["mac-mismatch"]),
            ("private_keys", &["private-key"]),
            ("colour", &[]),
            ("", &[]),
            (&*"x".repeat(10_000), &[]),
        ] {
            assert_eq!(meant(name, &known), near, "{name}");
        }
    }

    #[test]
    fn a_near_miss_is_guessed_and_a_far_one_is_not() {
        let known = ["exclude", "ignore", "levels", "encrypted_names"];
        for (name, near) in [
            ("excludes", Some("exclude")),
            ("ignored", Some("ignore")),
            ("encrypted-names", Some("encrypted_names")),
            ("Level", Some("levels")),
            ("colour", None),
            (&*"x".repeat(10_000), None),
        ] {
            assert_eq!(nearest(name, &known), near, "{name}");
        }
    }
}
