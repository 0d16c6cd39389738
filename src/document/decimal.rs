//! Compares a number in decimal notation with the float that holds it.

/// Reports whether a float has exactly the value that a text in decimal notation has: its shortest digits
/// are those of the text.
pub(super) fn is_exact(text: &str, float: f64) -> bool {
    normal(text) == normal(&format!("{float:e}"))
}

/// Returns the digits of a number without zeros at its ends, and the power of ten of the first of them.
/// Ignores signs.
fn normal(text: &str) -> Option<(String, i64)> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    let power =
        i64::try_from(whole.len()).ok()? - i64::try_from(digits.len() - significant.len()).ok()?;
    let significant = significant.trim_end_matches('0');
    let power = if significant.is_empty() { 0 } else { power.checked_add(exponent)? };
    Some((significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_exact_if_it_has_all_digits() {
        for (text, is_same) in [
            ("1.50", true),
            ("-0.001", true),
            ("0.0", true),
            ("1e3", true),
            ("1E+3", true),
            ("100000000000000000000.0", true),
            ("0.30000000000000004", true),
            ("5e-324", true),
            ("1e-400", false),
            ("0.1234567890123456789", false),
            ("12345678901234567890123", false),
            ("9007199254740993.0", false),
        ] {
            let float = text.parse().expect(text);
            assert_eq!(is_exact(text, float), is_same, "{text}");
        }
    }
}
