//! Texts that look like a private key, for those who hide or refuse such texts.

/// The beginning of an age identity.
pub(super) const AGE: &str = "AGE-SECRET-KEY-";
/// The beginning of a post-quantum age identity.
pub const AGE_HYBRID: &str = "AGE-SECRET-KEY-PQ-1";
/// The beginning of the name of a key in an age plugin.
pub const AGE_PLUGIN: &str = "AGE-PLUGIN-";
/// The end of the label of a private key in PEM, and a part of that of OpenPGP.
pub(super) const PEM_LABEL: &str = "PRIVATE KEY";
/// The label of an armored OpenPGP key.
pub const PGP_LABEL: &str = "PGP PRIVATE KEY BLOCK";
/// The base64 of `-----BEGIN`, which can only begin a value so.
pub(super) const PEM_IN_BASE64: &str = "LS0tLS1CRUdJTi";
/// The base64 of `AGE-SECRET-KEY-`.
pub(super) const AGE_IN_BASE64: &str = "QUdFLVNFQ1JFVC1LRVkt";

/// Returns true if a short text, such as a recipient, seems to be a private key.
pub fn is_hinted_at(text: &str) -> bool {
    let text = text.trim_start().to_ascii_uppercase();
    text.contains(AGE)
        || text.starts_with(AGE_PLUGIN)
        || (text.contains("-----BEGIN ") && text.contains(PEM_LABEL))
}

/// Returns true if any part of these bytes is shaped like a private key, in upper or lower case, or
/// like the beginning of one in base64.
pub fn is_mentioned(bytes: &[u8]) -> bool {
    let marks = [AGE, AGE_PLUGIN, PEM_LABEL, PEM_IN_BASE64, AGE_IN_BASE64];
    marks.iter().any(|mark| {
        bytes.windows(mark.len()).any(|window| window.eq_ignore_ascii_case(mark.as_bytes()))
    })
}

/// Returns true if a text has an age identity or the name of a plugin's key, and more behind its
/// beginning than the dots of an example.
pub fn has_age_identity(text: &str) -> bool {
    const SHORTEST: usize = 40;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    [AGE, AGE_PLUGIN].iter().any(|mark| {
        text.split(mark).skip(1).any(|rest| rest.bytes().take_while(is_part).count() >= SHORTEST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_a_hint_in_any_case() {
        for text in [
            "AGE-SECRET-KEY-1CANARY",
            " age-secret-key-pq-1canary",
            "AGE-PLUGIN-YUBIKEY-1CANARY",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        ] {
            assert!(is_hinted_at(text) && is_mentioned(text.as_bytes()), "{text}");
        }
        assert!(!is_hinted_at("ssh-ed25519 AAAA private key of my laptop"));
    }
}
