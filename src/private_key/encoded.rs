//! Base64 around a file or a value that has a private key.

use super::block::{decode, escaped, is_base64, line_end};
use crate::secret::Plaintext;

/// Maximum characters of base64 that are decoded. A bundle of certificates and a key has less.
const MAX_LENGTH: usize = 256 * 1024;

/// Returns true if base64 can begin at an offset: it is the start of a value or of a line.
pub(super) fn begins(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    before.ends_with(b"\\n") || before.last().is_none_or(|byte| *byte == b'=' || !is_base64(*byte))
}

/// Decodes the base64 at an offset, which may be wrapped. Returns the offset behind it too.
pub(super) fn decoded(bytes: &[u8], at: usize) -> (Option<Plaintext>, usize) {
    let mut base64 = Vec::new();
    let mut rest = &bytes[at..];
    // What follows the padding is another value.
    while base64.len() < MAX_LENGTH
        && base64.last() != Some(&b'=')
        && let Some((&byte, behind)) = rest.split_first()
    {
        let (part, length) = match byte {
            b'\\' => match escaped(behind) {
                Some((byte, length)) => (Some(byte), length),
                None if line_end(behind) > 0 => (None, line_end(behind)),
                // A line that goes on.
                None if behind.first().is_some_and(u8::is_ascii_whitespace) => (None, 0),
                None => break,
            },
            _ if byte.is_ascii_whitespace() => (None, 0),
            _ if is_base64(byte) => (Some(byte), 0),
            _ => break,
        };
        base64.extend(part);
        rest = &behind[length..];
    }
    (decode(&base64), bytes.len() - rest.len())
}
