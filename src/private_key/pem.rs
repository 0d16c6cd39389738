//! Values that are PEM: public material, and private keys among other text.

use std::borrow::Cow;

use super::hint::PEM_LABEL;

/// Returns true if a file is a private key in PEM (RFC 7468), as OpenSSL and OpenSSH write it.
pub fn is_pem_key(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    first.starts_with(b"-----BEGIN ") && first.ends_with(b"PRIVATE KEY-----")
}

/// Returns true if a text is nothing but PEM without a private key: certificates and public keys, or
/// blocks with nothing in them, as manuals show them. Its lines may be folded or escaped.
pub fn is_public_pem(text: &str) -> bool {
    let text = unescaped(text);
    let mut rest = text.trim();
    let mut found = false;
    while !rest.is_empty() {
        let Some(block) = PemBlock::first(rest) else { return false };
        if !block.is_public() {
            return false;
        }
        found = true;
        rest = block.behind.trim_start();
    }
    found
}

/// Returns true if a text contains a private key in PEM. Examples that are cut short do not count.
pub fn has_pem_key(text: &str) -> bool {
    if !text.contains(PEM_BEGIN) {
        return false;
    }
    let text = unescaped(text);
    let mut blocks =
        text.match_indices(PEM_BEGIN).filter_map(|(at, _)| PemBlock::first(&text[at..]));
    blocks.any(|block| block.label.contains(PEM_LABEL) && block.has_key())
}

const PEM_BEGIN: &str = "-----BEGIN ";

/// Replaces line ends that are written as two characters.
fn unescaped(text: &str) -> Cow<'_, str> {
    if text.contains('\\') {
        Cow::Owned(text.replace("\\r", " ").replace("\\n", " ").replace("\\t", " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// One block of PEM.
struct PemBlock<'t> {
    label: &'t str,
    body: &'t str,
    /// True if it has an `END`.
    is_closed: bool,
    behind: &'t str,
}

impl<'t> PemBlock<'t> {
    /// Reads the block that a text begins with.
    fn first(text: &'t str) -> Option<Self> {
        let (label, rest) = text.strip_prefix(PEM_BEGIN)?.split_once("-----")?;
        let (body, behind) = rest.split_at(rest.find("-----").unwrap_or(rest.len()));
        let end = behind.strip_prefix("-----END ").and_then(|rest| rest.split_once("-----"));
        let behind = end.map_or(behind, |(_, behind)| behind);
        Some(Self { label, body, is_closed: end.is_some(), behind })
    }

    fn is_public(&self) -> bool {
        let label = self.label;
        let is_public = label.ends_with("CERTIFICATE")
            || label.contains("PUBLIC KEY")
            || label.ends_with("PARAMETERS")
            || matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" | "X509 CRL");
        // Base64 has `=` at its end only.
        let is_setting = |word: &str| {
            let (key, value) = word.split_once('=').unwrap_or_default();
            !key.is_empty() && !value.trim_start_matches('=').is_empty()
        };
        let body = self.body.trim_end();
        let is_whole = self.is_closed || body.is_empty() || body.ends_with(['.', '\u{2026}']);
        let is_plain = !body.split_whitespace().any(is_setting);
        is_whole && is_plain && (is_public || !self.has_key())
    }

    /// Reports whether the body has enough base64 for a key.
    fn has_key(&self) -> bool {
        const SHORTEST: usize = 20;
        let mut length = 0;
        let mut words = self.body.split_whitespace();
        while let Some(word) = words.next() {
            if word.ends_with(':') {
                // The value of a header, such as `Proc-Type: 4,ENCRYPTED`.
                words.next();
            } else if is_key_material(word) {
                length += word.len();
            }
        }
        length >= SHORTEST
    }
}

/// Reports whether a word is base64, and not a word of a language or a row of `X`.
fn is_key_material(word: &str) -> bool {
    const SHORTEST: usize = 8;
    const LONGEST_WORD: usize = 16;
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let is_lower = |b: u8| b.is_ascii_lowercase();
    let is_word = word.len() < LONGEST_WORD
        && (word.bytes().skip(1).all(is_lower) || word.bytes().all(|b| b.is_ascii_uppercase()));
    let is_row = word.bytes().all(|b| Some(b) == word.bytes().next());
    word.len() >= SHORTEST && word.bytes().all(is_base64) && !is_word && !is_row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A private key whose lines are joined by `gap`, and its certificate.
    fn pem(label: &str, gap: &str) -> String {
        let body = ["MIIEvQIBADANBgkqhkiG9w0B", "canarycanarycanary0canary", "canary0A"].join(gap);
        format!("-----BEGIN {label}-----{gap}{body}{gap}-----END {label}-----{gap}")
    }

    #[test]
    fn a_key_in_pem_is_one_in_every_wrapping() {
        for gap in ["\n", "\r\n", "\r", " ", "", "\\n", "\\r\\n", "\n    ", "\n\n", "\t"] {
            let certificate = pem("CERTIFICATE", gap);
            assert!(is_public_pem(&certificate) && !has_pem_key(&certificate), "{gap:?}");
            assert!(is_public_pem(&(certificate.clone() + &certificate)), "{gap:?}");
            for label in ["PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
                let key = pem(label, gap);
                let chain = certificate.clone() + &key;
                for text in [&key, &chain, &format!("  {key}"), &format!("key: {key}")] {
                    assert!(!is_public_pem(text) && has_pem_key(text), "{text:?}");
                }
            }
        }
        let short = "canary0canary0A\n".repeat(4);
        let short = format!("-----BEGIN PRIVATE KEY-----\n{short}-----END PRIVATE KEY-----");
        assert!(!is_public_pem(&short) && has_pem_key(&short));
    }

    #[test]
    fn text_beside_public_pem_is_not_public() {
        let certificate = pem("CERTIFICATE", "\n");
        for text in [
            certificate.clone() + "password=canary",
            format!("password=canary\n{certificate}"),
            format!("{certificate}password=canary\n{certificate}"),
            certificate.replace("canarycanary", "password=canary"),
            "-----BEGIN CERTIFICATE----- canary".to_owned(),
            "-----BEGIN CERTIFICATE".to_owned(),
            "canary".to_owned(),
            String::new(),
        ] {
            assert!(!is_public_pem(&text), "{text:?}");
        }
        for text in [
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n...",
            "-----BEGIN PRIVATE KEY-----\nreplace this by your private key\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nXXXXXXXXXXXXXXXXXXXXXXXXXXXX\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhki...",
            "-----BEGIN CERTIFICATE REQUEST-----\nMIIEvQ==\n-----END CERTIFICATE REQUEST-----",
        ] {
            assert!(is_public_pem(text) && !has_pem_key(text), "{text:?}");
        }
    }
}
