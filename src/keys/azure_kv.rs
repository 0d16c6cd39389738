//! Azure Key Vault: a vault, a key and an optional version.
//!
//! Follows `azkv/keysource.go` of sops. If the version is missing, sops asks Azure for the
//! newest one and writes it into the file. So a rule without a version matches every version.

use base64::Engine;

use super::data_key::MalformedDataKey;
use super::fields::{field, required, required_in_group, screen};
use super::identity::{Identity, InvalidRecipient, Sameness};
use super::origin::web_origin;
use super::service::KeyService;
use crate::document::Node;

/// The Azure Key Vault key service.
#[derive(Debug)]
pub(super) struct AzureKv;

impl KeyService for AzureKv {
    fn name(&self) -> &'static str {
        "Azure Key Vault"
    }

    fn rule_field(&self) -> &'static str {
        "azure_keyvault"
    }

    fn metadata_field(&self) -> &'static str {
        "azure_kv"
    }

    fn label_field(&self) -> &'static str {
        "vault_url"
    }

    /// Reads `https://VAULT/keys/NAME[/VERSION]`.
    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient> {
        screen(text)?;
        let (vault, key) = text.trim().split_once("/keys/").ok_or_else(|| {
            InvalidRecipient::new(
                "is not the address of a key in a vault",
                "write it as https://VAULT/keys/NAME/VERSION",
            )
        })?;
        let (name, version) = key.split_once('/').unwrap_or((key, ""));
        identity(vault, name, version)
    }

    fn parse_group_item(&self, item: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        let vault = required_in_group(item, "vaultUrl")?.trim_end_matches('/');
        let name = required_in_group(item, "key")?;
        identity(vault, name, field(item, "version").unwrap_or_default())
    }

    fn item_fields(&self) -> &'static [&'static str] {
        &["vaultUrl", "key", "version"]
    }

    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        let vault = required(stanza, "vault_url")?.trim_end_matches('/');
        let name = required(stanza, "name")?;
        identity(vault, name, field(stanza, "version").unwrap_or_default())
    }

    /// Returns the vault.
    fn endpoint(&self, identity: &Identity) -> Option<String> {
        let (vault, _) = identity.id.split_once("/keys/")?;
        Some(vault.to_owned())
    }

    /// Checks for URL-safe base64 without padding, as long as the RSA key: 2048, 3072 or 4096 bits.
    fn check_data_key(&self, _identity: &Identity, enc: &str) -> Result<(), MalformedDataKey> {
        let enc = enc.trim().trim_end_matches('=');
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(enc)
            .map_err(|_| MalformedDataKey::new("is not URL-safe base64"))?;
        match bytes.len() {
            256 | 384 | 512 => Ok(()),
            0 => Err(MalformedDataKey::new("is empty")),
            length => Err(MalformedDataKey::unusual(format!(
                "has {length} bytes, and no RSA key of a vault makes that"
            ))),
        }
    }

    /// A key without a version is the same key as one with a version.
    fn compare(&self, one: &Identity, other: &Identity) -> Sameness {
        let (key, version) = split_version(&one.id);
        let (other_key, other_version) = split_version(&other.id);
        let has_both = !version.is_empty() && !other_version.is_empty();
        if key == other_key && (!has_both || version == other_version) {
            Sameness::Same
        } else {
            Sameness::Different
        }
    }
}

/// Returns `https://VAULT/keys/NAME[/VERSION]` in lower case: Azure ignores case everywhere.
fn identity(vault: &str, name: &str, version: &str) -> Result<Identity, InvalidRecipient> {
    for part in [vault, name] {
        screen(part)?;
    }
    let Some(host) = vault.strip_prefix("https://") else {
        return Err(InvalidRecipient::new(
            "is not at an https:// address",
            "begin the vault's address with https://, in small letters",
        ));
    };
    let origin = web_origin("https", host)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !name.chars().chain(version.chars()).all(is_word) {
        return Err(InvalidRecipient::new(
            "contains characters that Azure does not allow in key names and versions",
            "copy the key identifier again",
        ));
    }
    let slash = if version.is_empty() { "" } else { "/" };
    let key = format!("{name}{slash}{version}").to_ascii_lowercase();
    Ok(Identity::new(format!("{origin}/keys/{key}")))
}

/// Splits an id into the part without its version, and the version.
fn split_version(id: &str) -> (&str, &str) {
    let slash = id.match_indices('/').nth(4).map_or(id.len(), |(slash, _)| slash);
    id.split_at(slash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::fields::node;

    const KEY: &str = "https://v.vault.azure.net/keys/sops";
    const VERSIONED: &str = "https://v.vault.azure.net/keys/sops/0123456789abcdef0123456789abcdef";

    #[test]
    fn an_address_has_one_canonical_form() {
        let spelled = VERSIONED.replace("v.vault", "V.Vault").replace("sops", "SOPS");
        for text in [VERSIONED, &spelled, &format!(" {VERSIONED}\n")] {
            assert_eq!(AzureKv.parse(text), Ok(Identity::new(VERSIONED)), "{text}");
        }
        for text in [KEY, &format!("{KEY}/"), &KEY.replace(".net", ".net:443")] {
            assert_eq!(AzureKv.parse(text), Ok(Identity::new(KEY)), "{text}");
        }
        let hsm = "https://h.managedhsm.azure.net/keys/k-1";
        assert_eq!(AzureKv.parse(hsm), Ok(Identity::new(hsm)));
    }

    #[test]
    fn items_and_stanzas_have_field_names_of_their_own() {
        let version = VERSIONED.rsplit('/').next().expect("it has a version");
        let item = format!("vaultUrl: https://v.vault.azure.net/\nkey: sops\nversion: {version}");
        let stanza =
            format!("vault_url: https://V.vault.azure.net\nname: sops\nversion: {version}");
        assert_eq!(AzureKv.parse_group_item(&node(&item)), Ok(Identity::new(VERSIONED)));
        assert_eq!(AzureKv.parse_stanza(&node(&stanza)), Ok(Identity::new(VERSIONED)));
        for (text, reason) in [
            (stanza.as_str(), "no text under `vaultUrl`"),
            ("vaultUrl: https://v", "no text under `key`"),
            ("vaultUrl: http://v\nkey: k", "https://"),
            ("vaultUrl: v\nkey: k", "https://"),
            ("vaultUrl: ${VAULT}\nkey: k", "variable"),
            ("https://v/keys/k", "a map with `vaultUrl`"),
        ] {
            let error = AzureKv.parse_group_item(&node(text)).expect_err(text);
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "sops",
            &VERSIONED.replace("https", "http"),
            &VERSIONED.replace("https", "HTTPS"),
            &VERSIONED.replace("/keys/", "/secrets/"),
            &VERSIONED.replace("/keys/", "/x/keys/"),
            &VERSIONED.replace("v.vault", "user:password@v.vault"),
            &format!("{VERSIONED}/"),
            &format!("{VERSIONED}?x=1"),
            "https://v.vault.azure.net/keys/",
            "https:///keys/k",
        ] {
            assert!(AzureKv.parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_missing_version_fits_every_version() {
        use Sameness::{Different, Same};
        let other_version = VERSIONED.replace("/0123", "/9999");
        let other_key = VERSIONED.replace("sops", "spos");
        let cases = [
            (KEY, VERSIONED, Same),
            (KEY, KEY, Same),
            (VERSIONED, VERSIONED, Same),
            (VERSIONED, &other_version, Different),
            (KEY, &other_key, Different),
            (VERSIONED, &other_key, Different),
        ];
        for (one, other, expected) in cases {
            let (one, other) = (Identity::new(one), Identity::new(other));
            assert_eq!(AzureKv.compare(&one, &other), expected, "{one:?} {other:?}");
            assert_eq!(AzureKv.compare(&other, &one), expected, "{other:?} {one:?}");
        }
    }
}
