//! Bytes that nobody may see: they cannot be printed, and are overwritten when they are dropped.

use std::fmt;
use std::io::{self, Read};

use zeroize::Zeroizing;

/// Length of a data key in bytes: AES-256.
pub const DATA_KEY_LENGTH: usize = 32;

/// The key that encrypts the values of one file.
pub struct DataKey(Zeroizing<[u8; DATA_KEY_LENGTH]>);

impl DataKey {
    /// The key with these bytes; `None` if they are not [`DATA_KEY_LENGTH`].
    pub fn new(bytes: &Plaintext) -> Option<Self> {
        bytes.expose().try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// A new key.
    pub fn random(dice: Dice<'_>) -> Self {
        let mut bytes = Zeroizing::new([0; DATA_KEY_LENGTH]);
        dice(&mut *bytes);
        Self(bytes)
    }

    /// The bytes, for a cipher.
    pub fn expose(&self) -> &[u8; DATA_KEY_LENGTH] {
        &self.0
    }
}

/// What fills bytes so that nobody can guess them.
pub type Dice<'d> = &'d (dyn Fn(&mut [u8]) + Sync);

/// What came out of a decryption, or a private key: a value, a share of a data key.
#[derive(Default)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Whoever calls this answers for where they go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The same, to be changed in place.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Whether both are the same bytes, in a time that says nothing about them but their length.
    pub fn is(&self, other: &Self) -> bool {
        let (one, other) = (self.expose(), other.expose());
        let differences = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
        one.len() == other.len() && std::hint::black_box(differences) == 0
    }

    /// The bytes as text, if they are UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Reads to the end, or to `most` bytes. Room for `expected` bytes is made at once: a vector that grows
/// leaves copies behind, which nobody overwrites.
pub fn read_all(from: impl Read, expected: usize, most: u64) -> io::Result<Plaintext> {
    // One byte more, or a vector that is full grows to see that there is nothing more.
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
