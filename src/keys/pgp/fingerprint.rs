//! Fingerprints and key ids of OpenPGP keys, in hexadecimal.

/// Hexadecimal digits of a version 4 fingerprint.
pub(super) const FINGERPRINT: usize = 40;
/// Hexadecimal digits of a version 5 or 6 fingerprint.
pub(super) const LONG_FINGERPRINT: usize = 64;
/// Hexadecimal digits of a key id.
pub(super) const KEY_ID: usize = 16;

/// Reports whether two ids are equal, or one is the key id of the other.
pub(in crate::keys) fn is_same_key(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short == long || (short.len() <= KEY_ID && key_id(long).ends_with(short))
}

/// Returns the key id of a fingerprint: the last 16 digits in version 4, the first 16 in later versions
/// (RFC 9580, section 5.5.4).
pub(in crate::keys) fn key_id(fingerprint: &str) -> &str {
    let range = match fingerprint.len() {
        LONG_FINGERPRINT => 0..KEY_ID,
        length => length.saturating_sub(KEY_ID)..length,
    };
    fingerprint.get(range).unwrap_or(fingerprint)
}
