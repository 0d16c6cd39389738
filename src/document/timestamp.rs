//! Timestamps as sops' YAML library reads them.

/// Returns a timestamp in one of the forms that the library knows, as RFC 3339:
/// `Y-M-D`, `Y-M-D[Tt]h:m:s[.f]ZONE` and `Y-M-D h:m:s[.f]`.
pub(super) fn rfc3339(text: &str) -> Option<Box<str>> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut rest = &text[5..];
    let year: u32 = text[..4].parse().ok()?;
    let month = number(&mut rest, 2)?;
    rest = rest.strip_prefix('-')?;
    let day = number(&mut rest, 2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.is_empty() {
        return Some(format!("{date}T00:00:00Z").into());
    }
    let zoned = rest.starts_with(['T', 't']);
    rest = rest.strip_prefix(['T', 't', ' '])?;
    let time = clock(&mut rest)?;
    let zone = if zoned { zone(rest)? } else { rest.is_empty().then(|| "Z".to_owned())? };
    Some(format!("{date}T{time}{zone}").into())
}

/// Returns the day of a timestamp, counted from 1970-01-01; earlier ones are day 0.
pub(super) fn day_of(text: &str) -> Option<u32> {
    rfc3339(text).map(|time| day_number(&time))
}

/// Returns the day that a time in RFC 3339 begins with, counted from 1970-01-01.
/// *Source*: `days_from_civil`, <https://howardhinnant.github.io/date_algorithms.html>.
fn day_number(time: &str) -> u32 {
    let part = |range: std::ops::Range<usize>| time[range].parse::<u32>().unwrap_or_default();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    if year < 1970 {
        return 0;
    }
    // Years begin in March, so that the leap day is the last of one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Reads `h:m:s[.fraction]`; returns it with two digits each and the fraction cut to nanoseconds.
fn clock(rest: &mut &str) -> Option<String> {
    let hour = number(rest, 2)?;
    *rest = rest.strip_prefix(':')?;
    let minute = number(rest, 2)?;
    *rest = rest.strip_prefix(':')?;
    let second = number(rest, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut fraction = "";
    // Go takes a comma for the point.
    if let Some(after) = rest.strip_prefix(['.', ',']) {
        let length = after.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        fraction = after[..length.min(9)].trim_end_matches('0');
        *rest = &after[length..];
    }
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{hour:02}:{minute:02}:{second:02}{point}{fraction}"))
}

/// Reads `Z` or `+hh:mm`; an offset of zero becomes `Z`.
fn zone(text: &str) -> Option<String> {
    if text == "Z" {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 6 && matches!(bytes[0], b'+' | b'-') && bytes[3] == b':';
    if !shaped || !text[1..3].bytes().chain(text[4..].bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (text[1..3].parse().ok()?, text[4..].parse().ok()?);
    if hours > 24 || minutes > 60 {
        return None;
    }
    Some(if hours == 0 && minutes == 0 { "Z".to_owned() } else { text.to_owned() })
}

/// Reads one to `most` digits.
fn number(rest: &mut &str, most: usize) -> Option<u32> {
    let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at(length);
    *rest = after;
    digits.parse().ok()
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let days = ["1970-01-01", "1970-03-01", "2000-02-29", "2026-11-22", "1969-12-31"];
        assert_eq!(days.map(day_of), [Some(0), Some(59), Some(11_016), Some(20_779), Some(0)]);
        assert_eq!(day_of("2026-11-22T23:59:59Z"), Some(20_779));
        assert_eq!(day_of("yesterday"), None);
    }
}
