//! Secret bytes: they cannot be printed, and are overwritten when they are dropped.

use std::fmt;
use std::io::{self, Read};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Length of a data key in bytes: AES-256.
pub const DATA_KEY_LENGTH: usize = 32;

/// The key that encrypts the values of one file.
pub struct DataKey(Zeroizing<[u8; DATA_KEY_LENGTH]>);

impl DataKey {
    /// Returns the key with these bytes; `None` if there are not [`DATA_KEY_LENGTH`] of them.
    pub fn new(bytes: &Plaintext) -> Option<Self> {
        bytes.expose().try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Returns a new key.
    pub fn random(random: SecureRandom<'_>) -> Self {
        let mut bytes = Zeroizing::new([0; DATA_KEY_LENGTH]);
        random(&mut *bytes);
        Self(bytes)
    }

    /// Returns the bytes, for a cipher.
    pub fn expose(&self) -> &[u8; DATA_KEY_LENGTH] {
        &self.0
    }
}

/// A source of unpredictable bytes: it fills the slice.
pub type SecureRandom<'r> = &'r (dyn Fn(&mut [u8]) + Sync);

/// Decrypted bytes or a private key: a value, a share of a data key.
#[derive(Clone, Default)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// Takes ownership of the bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the bytes. The caller is responsible for where they go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes for changes in place.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Compares in a time that depends only on the lengths.
    pub fn is(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }

    /// Returns the bytes as text, if they are UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Reads to the end, at most `most` bytes. Space for `expected` bytes is allocated at once: a vector that
/// grows leaves copies behind that are not overwritten.
pub fn read_all(from: impl Read, expected: usize, most: u64) -> io::Result<Plaintext> {
    // Spare bytes, because a full vector grows before it sees the end.
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected.saturating_add(32)));
    from.take(most).read_to_end(&mut bytes)?;
    Ok(Plaintext(bytes))
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_equal() {
        let of = |bytes: &[u8]| Plaintext::new(bytes.to_vec());
        assert!(of(b"abc").is(&of(b"abc")) && of(b"").is(&of(b"")));
        assert!(!of(b"abc").is(&of(b"abd")) && !of(b"abc").is(&of(b"ab")));
    }

    #[test]
    fn nothing_is_printed() {
        let plaintext = Plaintext::new(b"canary-canary-canary-canary-0123".to_vec());
        let key = DataKey::new(&plaintext).expect("32 bytes");
        assert_eq!(format!("{plaintext:?} {key:#?}"), "[secret] [secret]");
        assert!(DataKey::new(&Plaintext::new(vec![1; 31])).is_none());
    }
}
