//! Files that another tool encrypted as a whole: ansible-vault, age, OpenPGP, OpenSSL, git-crypt.

/// The first bytes of formats that no plaintext begins with.
const BEGINNINGS: [&[u8]; 6] = [
    b"$ANSIBLE_VAULT;",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
    b"-----BEGIN PGP MESSAGE-----",
    // `openssl enc`, and the same in base64.
    b"Salted__",
    b"U2FsdGVkX1",
    b"\0GITCRYPT\0",
];

/// Returns true if another tool encrypted the file from its first byte on.
pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
        || is_binary_age(bytes)
        || is_openpgp(bytes)
}

/// Returns true for the version of age and a first stanza. The version alone may precede plaintext.
fn is_binary_age(bytes: &[u8]) -> bool {
    let behind = bytes.strip_prefix(b"age-encryption.org/v1").unwrap_or_default();
    behind.starts_with(b"\n-> ") || behind.starts_with(b"\r\n-> ")
}

/// Returns true for an encrypted OpenPGP message (RFC 9580, 10.3): packets with session keys, then one
/// with encrypted data.
fn is_openpgp(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut has_session_key = false;
    while let Some(packet) = Packet::read(rest) {
        let version = packet.body.first().copied().unwrap_or_default();
        match (packet.tag, version) {
            // Session keys: for a public key, and for a password.
            (1, 3 | 6) | (3, 4..=6) => has_session_key = true,
            (PADDING, _) => {}
            (MARKER, _) if packet.body.starts_with(b"PGP") => {}
            // Without integrity protection there is no version.
            (9, _) | (18, 1 | 2) | (20, 1) => return has_session_key,
            _ => return false,
        }
        let Some(next) = packet.length.and_then(|length| packet.body.get(length..)) else {
            return false;
        };
        rest = next;
    }
    false
}

const MARKER: u8 = 10;
const PADDING: u8 = 21;

/// A packet of OpenPGP (RFC 9580, 4.2).
struct Packet<'b> {
    tag: u8,
    /// The body and what follows it.
    body: &'b [u8],
    /// The length of the body. `None` if the body comes in parts or has no end.
    length: Option<usize>,
}

impl<'b> Packet<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        match first {
            0xc0.. => {
                let (body, length) = new_length(rest)?;
                Some(Self { tag: first & 0x3f, body, length })
            }
            0x80.. => {
                let (body, length) = old_length(rest, first & 3)?;
                Some(Self { tag: first >> 2 & 0xf, body, length })
            }
            _ => None,
        }
    }
}

/// Reads a length of the current packet format.
fn new_length(bytes: &[u8]) -> Option<(&[u8], Option<usize>)> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0..=191 => Some((rest, Some(usize::from(first)))),
        192..=223 => {
            let (&second, rest) = rest.split_first()?;
            let length = ((usize::from(first) - 192) << 8) + usize::from(second) + 192;
            Some((rest, Some(length)))
        }
        224..=254 => Some((rest, None)),
        255 => big_endian(rest, 4),
    }
}

/// Reads a length of the legacy packet format.
fn old_length(bytes: &[u8], kind: u8) -> Option<(&[u8], Option<usize>)> {
    if kind == 3 { Some((bytes, None)) } else { big_endian(bytes, 1 << kind) }
}

fn big_endian(bytes: &[u8], digits: usize) -> Option<(&[u8], Option<usize>)> {
    let (number, rest) = bytes.split_at_checked(digits)?;
    let number = number.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    Some((rest, Some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session key of ten bytes: in the legacy format, and in the current one.
    const SESSION_KEYS: [[u8; 12]; 2] =
        [[0x84, 10, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1], [0xc1, 10, 3, 1, 2, 3, 4, 5, 6, 7, 8, 1]];

    #[test]
    fn a_message_is_recognised_in_both_packet_formats() {
        for key in SESSION_KEYS {
            for data in [&[0xd2, 5, 1, 9, 9, 9, 9][..], &[0xd2, 0xe9, 1, 9], &[0xa7, 9], &[0xc9, 1]]
            {
                assert!(is_encrypted(&[&key, data].concat()), "{key:?} {data:?}");
            }
        }
        let password = [0x8c, 4, 4, 9, 0, 2];
        assert!(is_encrypted(&[&password[..], &[0xd2, 5, 1]].concat()));
        assert!(is_encrypted(&[&[0xca, 3][..], b"PGP", &password, &[0xd2, 5, 1]].concat()));
    }

    #[test]
    fn other_packets_and_other_bytes_are_no_message() {
        for key in SESSION_KEYS {
            assert!(!is_encrypted(&key));
            assert!(!is_encrypted(&key[..7]));
            assert!(!is_encrypted(&[&key[..], b"plaintext"].concat()));
            assert!(!is_encrypted(&[&key[..], &[0xd2, 5, 7]].concat()));
        }
        for bytes in [
            &b"age-encryption.org"[..],
            b"age-encryption.org/v1\npassword: hunter2\n",
            b"",
            b"\xd2\x05\x01",
            b"\xcb\x05b\0\0",
            b"\xff",
            b"\x85\x01",
        ] {
            assert!(!is_encrypted(bytes), "{bytes:?}");
        }
    }
}
