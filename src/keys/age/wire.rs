//! The wire format of SSH (RFC 4251, section 5): strings, each with its length in four bytes.

/// Takes a string from the front.
pub(super) fn field<'w>(rest: &mut &'w [u8]) -> Option<&'w [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (field, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(field)
}

/// Writes strings.
pub(super) fn encode(fields: &[&[u8]]) -> Vec<u8> {
    let mut wire = Vec::new();
    for field in fields {
        let length = u32::try_from(field.len()).expect("a part of a file of 16 MiB");
        wire.extend(length.to_be_bytes());
        wire.extend(*field);
    }
    wire
}
