//! Bytes that nobody may see: they cannot be printed, and are overwritten when they are dropped.

use std::fmt;

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

    /// The bytes as text, if they are UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
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
    fn nothing_is_printed() {
        let plaintext = Plaintext::new(b"canary-canary-canary-canary-0123".to_vec());
        let key = DataKey::new(&plaintext).expect("32 bytes");
        assert_eq!(format!("{plaintext:?} {key:#?}"), "[secret] [secret]");
        assert!(DataKey::new(&Plaintext::new(vec![1; 31])).is_none());
    }
}
