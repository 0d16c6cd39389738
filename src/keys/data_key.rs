//! Checks of an encrypted data key, `enc`, that need no key.
//!
//! They look at its form only. Only the owner of the recipient's key can tell if it opens, and to the data
//! key of the file.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Base64 as Go reads it: padding is required, leftover bits in the last character are ignored.
pub(super) const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The reason why an encrypted data key cannot be used. Never quotes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct MalformedDataKey {
    /// A predicate whose subject is the data key: lower case, no full stop.
    pub reason: Cow<'static, str>,
    /// True if the key service is sure to refuse it.
    pub is_certain: bool,
}

impl MalformedDataKey {
    /// Returns a reason for which the service certainly refuses the key.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_certain: true }
    }

    /// Returns a reason that is only suspected: the form is unknown to sops-lint.
    pub fn unusual(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_certain: false }
    }
}

/// Decodes standard base64 as Go does: line breaks are ignored.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, MalformedDataKey> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = GO_BASE64.decode(joined.trim());
    bytes.map_err(|_| MalformedDataKey::new("is not base64 with its padding"))
}

/// Decodes the bytes of an armor. Ignores its headers and its checksum.
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
