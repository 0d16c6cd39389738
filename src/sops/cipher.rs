//! The cipher of one file: AES-256-GCM under its data key (`aes/cipher.go`).

use std::borrow::Cow;

use aes_gcm::aead::AeadInPlace;
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::ArrayLength;
use aes_gcm::{AesGcm, KeyInit, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::value::{IV_LENGTH, PREFIX, Parts};
use crate::document::Scalar;
use crate::secret::{DataKey, Plaintext, SecureRandom};

/// Base64 as Go reads it: padding is required, leftover bits are ignored.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);
/// Length of a GCM tag in bytes.
const TAG_LENGTH: usize = 16;

/// The cipher of a file. The key schedule is computed once.
pub struct Cipher {
    usual: AesGcm<Aes256, U32>,
    key: DataKey,
}

/// A decrypted value.
pub enum Opened {
    /// A value: the bytes that the MAC covers.
    Value(Plaintext),
    /// A comment, which the MAC does not cover.
    Comment(Plaintext),
}

/// The reason why a value does not decrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is not a ciphertext of sops, or it is cut off.
    Form,
    /// Ciphertext, nonce, tag, key path or data key do not belong together.
    Authentication,
    /// The plaintext does not fit its type, or the type is unknown.
    Type,
    /// It decrypts, and its type is `bytes`, on which sops crashes (`aes/cipher.go`, `Decrypt`: such a value
    /// cannot be a key of its map). A comment with any other damage is kept.
    Crash,
}

impl Cipher {
    /// Returns the cipher for a data key.
    pub fn new(key: DataKey) -> Self {
        let usual = AesGcm::new(key.expose().into());
        Self { usual, key }
    }

    /// Returns the data key.
    pub fn key(&self) -> &DataKey {
        &self.key
    }

    /// Decrypts a value that is bound to `additional_data`. An empty text stays empty.
    pub fn open(&self, text: &str, additional_data: &str) -> Result<Opened, Damage> {
        if text.is_empty() {
            return Ok(Opened::Value(Plaintext::default()));
        }
        let parts = Parts::of(text).map_err(|_| Damage::Form)?;
        let [mut data, iv, mut tag] = [parts.data, parts.iv, parts.tag]
            .map(|part| GO_BASE64.decode(part).map_err(|_| Damage::Form));
        let (data, iv, tag) = (data.as_mut(), iv?, tag.as_mut());
        let (Ok(data), Ok(tag)) = (data, tag) else { return Err(Damage::Form) };
        // Go joins both and takes the last 16 bytes as the tag.
        data.append(tag);
        let tag = data.split_off(data.len().checked_sub(TAG_LENGTH).ok_or(Damage::Form)?);
        self.decrypt(&iv, additional_data.as_bytes(), data, &tag)?;
        let plaintext = Plaintext::new(std::mem::take(data));
        match parts.kind {
            "bytes" => Err(Damage::Crash),
            kind => typed(plaintext, kind).ok_or(Damage::Type),
        }
    }

    /// Encrypts a value of the type `kind`, and binds it to `additional_data`. An empty value stays empty.
    pub fn seal(
        &self,
        plaintext: &[u8],
        kind: &str,
        additional_data: &str,
        random: SecureRandom<'_>,
    ) -> String {
        if plaintext.is_empty() {
            return String::new();
        }
        let mut iv = [0; IV_LENGTH];
        random(&mut iv);
        let mut data = Plaintext::new(plaintext.to_vec());
        let tag = self
            .usual
            .encrypt_in_place_detached(
                Nonce::from_slice(&iv),
                additional_data.as_bytes(),
                data.expose_mut(),
            )
            .expect("a file is shorter than what GCM can encrypt");
        let [data, iv, tag] = [data.expose(), &iv[..], &tag[..]].map(|part| GO_BASE64.encode(part));
        format!("{PREFIX}data:{data},iv:{iv},tag:{tag},type:{kind}]")
    }

    /// Decrypts in place. sops writes nonces of 32 bytes and reads any; 12 and 16 occur in practice.
    fn decrypt(&self, iv: &[u8], aad: &[u8], data: &mut [u8], tag: &[u8]) -> Result<(), Damage> {
        let key = self.key.expose();
        match iv.len() {
            32 => decrypt(&self.usual, iv, aad, data, tag),
            12 => decrypt(&AesGcm::<Aes256, U12>::new(key.into()), iv, aad, data, tag),
            16 => decrypt(&AesGcm::<Aes256, U16>::new(key.into()), iv, aad, data, tag),
            _ => Err(Damage::Form),
        }
    }
}

fn decrypt<N: ArrayLength<u8>>(
    cipher: &AesGcm<Aes256, N>,
    iv: &[u8],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8],
) -> Result<(), Damage> {
    cipher
        .decrypt_in_place_detached(Nonce::from_slice(iv), aad, data, Tag::from_slice(tag))
        .map_err(|_| Damage::Authentication)
}

/// Converts a plaintext of a type to the bytes that the MAC covers (`sops.go`, `ToBytes`). If sops wrote it,
/// both are equal.
fn typed(plaintext: Plaintext, kind: &str) -> Option<Opened> {
    let text = plaintext.expose_text();
    let canonical = match kind {
        "str" => return Some(Opened::Value(plaintext)),
        "comment" => return Some(Opened::Comment(plaintext)),
        "int" => integer(text?)?.to_string(),
        "float" => signed_bytes(&Scalar::Float(float(text?)?))?.into_owned(),
        "bool" => signed_bytes(&Scalar::Bool(boolean(text?)?))?.into_owned(),
        "time" => Scalar::rfc3339(text?)?.into(),
        _ => return None,
    };
    Some(Opened::Value(Plaintext::new(canonical.into_bytes())))
}

/// Returns the bytes of a plaintext value that the MAC covers, if they are text. `None` for null, binary
/// data, and numbers that sops cannot represent.
pub fn signed_bytes<'s>(scalar: &'s Scalar<'_>) -> Option<Cow<'s, str>> {
    Some(match scalar {
        Scalar::Bool(true) => Cow::Borrowed("True"),
        Scalar::Bool(false) => Cow::Borrowed("False"),
        Scalar::Int(int) => Cow::Owned(int.to_string()),
        Scalar::Float(f64::INFINITY) => Cow::Borrowed("+Inf"),
        Scalar::Float(f64::NEG_INFINITY) => Cow::Borrowed("-Inf"),
        // Go's format 'f', -1: the shortest digits that round-trip, without an exponent.
        Scalar::Float(float) => Cow::Owned(float.to_string()),
        Scalar::Time(time) => Cow::Borrowed(time),
        Scalar::Str(text) => Cow::Borrowed(text),
        Scalar::Null | Scalar::Misfit | Scalar::TooLarge(_) | Scalar::Bytes(_) => return None,
    })
}

/// Returns the type that sops records for a value. `None` for null and for values that it cannot represent.
pub fn kind_of(scalar: &Scalar<'_>) -> Option<&'static str> {
    match scalar {
        Scalar::Null | Scalar::TooLarge(_) | Scalar::Misfit => None,
        Scalar::Bool(_) => Some("bool"),
        Scalar::Int(_) => Some("int"),
        Scalar::Float(_) => Some("float"),
        Scalar::Time(_) => Some("time"),
        Scalar::Str(_) | Scalar::Bytes(_) => Some("str"),
    }
}

/// Parses like Go's `strconv.Atoi`.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Parses like Go's `strconv.ParseFloat`, without hexadecimal numbers, which sops never writes.
fn float(text: &str) -> Option<f64> {
    // Both accept the same decimal forms, signs and words. Overflow is an error only in Go.
    let float: f64 = text.parse().ok()?;
    let is_word = text.bytes().any(|byte| matches!(byte, b'i' | b'I'));
    if float.is_infinite() && !is_word { None } else { Some(float) }
}

/// Parses like Go's `strconv.ParseBool`.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_at_its_place() {
        let key = Plaintext::new((0..32).collect());
        let cipher = Cipher::new(DataKey::new(&key).expect("32 bytes"));
        let random = |bytes: &mut [u8]| bytes.fill(7);
        let text = cipher.seal("é".as_bytes(), "str", "data:a:", &random);
        assert!(super::super::value::EncValue::parse(&text).is_ok(), "{text}");
        let opened = cipher.open(&text, "data:a:");
        assert!(matches!(opened, Ok(Opened::Value(value)) if value.expose() == "é".as_bytes()));
        assert!(matches!(cipher.open(&text, "data:b:"), Err(Damage::Authentication)));
        assert_eq!(cipher.seal(b"", "str", "a:", &random), "");
        let comment = cipher.seal(b" x", "comment", ":", &random);
        assert!(matches!(cipher.open(&comment, ":"), Ok(Opened::Comment(_))));
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let bytes = |float| signed_bytes(&Scalar::Float(float)).map(Cow::into_owned);
        for (float, text) in [
            (1e21, "1000000000000000000000"),
            (1.0, "1"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (5e-324, &format!("0.{}5", "0".repeat(323))),
        ] {
            assert_eq!(bytes(float).as_deref(), Some(text));
        }
    }

    #[test]
    fn types_are_read_as_go_reads_them() {
        assert_eq!(integer("+007"), Some(7));
        assert_eq!([integer("1_0"), integer(""), integer("-"), integer("1.0")], [None; 4]);
        assert_eq!(float("1e400"), None);
        assert_eq!(float("-Inf"), Some(f64::NEG_INFINITY));
        assert_eq!(float("infinity"), Some(f64::INFINITY));
        assert_eq!([boolean("yes"), boolean("t")], [None, Some(true)]);
    }

    #[test]
    fn a_type_that_sops_crashes_over_is_not_one_that_it_does_not_know() {
        let key = DataKey::new(&Plaintext::new(vec![7; 32])).expect("32 bytes");
        let mut data = b"5".to_vec();
        let tag = AesGcm::<Aes256, U32>::new(key.expose().into())
            .encrypt_in_place_detached(Nonce::from_slice(&[1; 32]), b"a:", &mut data)
            .expect("one byte is not too long");
        let cipher = Cipher::new(key);
        let opened = |kind: &str, place: &str| {
            let [data, iv, tag] = [&data[..], &[1; 32], &tag].map(|part| GO_BASE64.encode(part));
            let text = format!("ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{kind}]");
            cipher.open(&text, place).map(|_| ())
        };
        assert_eq!(["int", "str", "comment"].map(|kind| opened(kind, "a:")), [Ok(()); 3]);
        assert_eq!(["bool", "foo"].map(|kind| opened(kind, "a:")), [Err(Damage::Type); 2]);
        assert_eq!(opened("bytes", "a:"), Err(Damage::Crash));
        assert_eq!(opened("bytes", "b:"), Err(Damage::Authentication));
    }
}
