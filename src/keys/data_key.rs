//! The encrypted data key of one recipient, `enc`: what can be said about it without a key.
//!
//! Only the shape is looked at. Whether it opens with the recipient's key, and to the data key of
//! the file, is known to nobody but the owner of that key.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Go ignores leftover bits in the last character, and insists on the padding.
pub(super) const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Why an encrypted data key cannot be used. Never quotes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct MalformedDataKey {
    /// Follows "the data key of X": lower case, no full stop.
    pub reason: Cow<'static, str>,
    /// True if the key service is sure to refuse it.
    pub is_certain: bool,
}

impl MalformedDataKey {
    /// A key that no service would take.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_certain: true }
    }

    /// A key of a form that has not been seen yet.
    pub fn unusual(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_certain: false }
    }
}

/// Standard base64 as Go reads it: line breaks do not count.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, MalformedDataKey> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = GO_BASE64.decode(joined.trim());
    bytes.map_err(|_| MalformedDataKey::new("is not base64 with its padding"))
}

/// The bytes between the lines of an armor. Lines of headers and the checksum do not count.
pub(super) fn dearmor(text: &str, label: &str) -> Result<Vec<u8>, MalformedDataKey> {
    let text = text.trim();
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let body = text.strip_prefix(&begin).ok_or_else(|| {
        MalformedDataKey::new(format!("does not begin with the line -----BEGIN {label}-----"))
    })?;
    let body = body.strip_suffix(&end).ok_or_else(|| {
        MalformedDataKey::new(format!("is cut off: the line -----END {label}----- is missing"))
    })?;
    let lines = body.lines().map(str::trim);
    let is_payload = |line: &&str| !line.contains(": ") && !line.starts_with('=');
    decode(&lines.filter(is_payload).collect::<String>())
}
