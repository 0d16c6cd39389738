//! The MAC of a file: SHA-512 over its values in plaintext (`sops.go`, `Encrypt` and `Decrypt`).
//!
//! Values follow each other without a separator, and keys are not covered. sops cannot detect changes that
//! this hides, and neither can sops-lint.

use std::fmt::Write;

use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::secret::Plaintext;

/// Number of digits of a MAC.
const LENGTH: usize = 128;

/// Prefix of the hash if the MAC covers only encrypted values, which keeps the two kinds of MAC apart:
/// SHA-256 of `sops` (`MACOnlyEncryptedInitialization`).
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A MAC that is being computed.
#[derive(Clone)]
pub struct Mac(Sha512);

impl Mac {
    /// Returns the MAC of no values.
    pub fn new(mac_only_encrypted: bool) -> Self {
        let mut hash = Sha512::new();
        if mac_only_encrypted {
            hash.update(ONLY_ENCRYPTED);
        }
        Self(hash)
    }

    /// Adds a value.
    pub fn add(&mut self, value: &[u8]) {
        self.0.update(value);
    }

    /// Reports whether this is the MAC of a file, in constant time.
    pub fn is(self, stored: &[u8]) -> bool {
        self.digits().expose().ct_eq(stored).into()
    }

    /// Returns the text of the MAC. A file contains it encrypted.
    pub fn digits(self) -> Plaintext {
        let mut sum = self.0.finalize();
        let mut digits = String::with_capacity(LENGTH);
        for byte in &sum {
            let _ = write!(digits, "{byte:02X}");
        }
        sum.as_mut_slice().zeroize();
        Plaintext::new(digits.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_hash_of_all_values_in_capital_letters() {
        let mut mac = Mac::new(false);
        mac.add(b"a");
        mac.add(b"bc");
        // printf abc | sha512sum
        let expected = b"DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A\
                         2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F";
        assert!(mac.clone().is(expected));
        assert!(!mac.clone().is(&expected.to_ascii_lowercase()));
        assert!(!mac.clone().is(&expected[..127]) && !mac.is(b""));
        let mut other = Mac::new(true);
        other.add(b"abc");
        assert!(!other.is(expected));
    }

    #[test]
    fn begins_with_the_hash_of_its_name() {
        assert_eq!(sha2::Sha256::digest("sops")[..], ONLY_ENCRYPTED);
    }
}
