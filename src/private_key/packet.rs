//! The first packet of an OpenPGP key.

/// Returns the offset of the body of a leading secret-key packet, tag 5 or 7: in the old format
/// `0x94..=0x9F`, in the new one `0xC5` and `0xC7`.
pub(super) fn secret_key_packet(bytes: &[u8]) -> Option<usize> {
    let tag = *bytes.first()?;
    matches!(tag, 0x94..=0x96 | 0x9c..=0x9e | 0xc5 | 0xc7).then(|| key_packet(bytes))?
}

/// Returns the same for a public-key packet, tag 6: no certificate begins with a subkey.
pub(super) fn public_key_packet(bytes: &[u8]) -> Option<usize> {
    let tag = *bytes.first()?;
    matches!(tag, 0x98..=0x9a | 0xc6).then(|| key_packet(bytes))?
}

/// Returns the offset of the body of a key packet. Its version byte tells a key from other files.
fn key_packet(bytes: &[u8]) -> Option<usize> {
    let body = match *bytes.first()? {
        0x94 | 0x98 | 0x9c => 2,
        0x95 | 0x99 | 0x9d => 3,
        0x96 | 0x9a | 0x9e => 5,
        0xc5..=0xc7 => match *bytes.get(1)? {
            0..=191 => 2,
            192..=223 => 3,
            255 => 6,
            _ => return None,
        },
        _ => return None,
    };
    // Version 3 to 6, then four bytes of creation time after 1990, then a known algorithm.
    let version = *bytes.get(body)?;
    let created = u32::from_be_bytes(bytes.get(body + 1..body + 5)?.try_into().ok()?);
    let algorithm = *bytes.get(body + 5)?;
    let is_algorithm = matches!(algorithm, 1..=3 | 16..=19 | 22 | 25..=28);
    (matches!(version, 4..=6) && created > 631_152_000 && is_algorithm).then_some(body)
}
