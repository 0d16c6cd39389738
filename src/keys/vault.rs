//! Vault and its fork `OpenBao`: keys of the transit engine.
//!
//! Follows `hcvault/keysource.go` of sops (`NewMasterKeyFromURI`, `engineAndKeyFromPath`). The
//! namespace is not recorded: sops takes it from the environment.

use super::data_key::MalformedDataKey;
use super::data_key::decode;
use super::fields::{required, screen};
use super::identity::{Identity, InvalidRecipient, Oddity};
use super::origin::web_origin;
use super::service::KeyService;
use crate::document::Node;

/// The Vault key service.
#[derive(Debug)]
pub(super) struct Vault;

impl KeyService for Vault {
    fn name(&self) -> &'static str {
        "HashiCorp Vault"
    }

    fn rule_field(&self) -> &'static str {
        "hc_vault_transit_uri"
    }

    fn group_field(&self) -> &'static str {
        "hc_vault"
    }

    fn metadata_field(&self) -> &'static str {
        "hc_vault"
    }

    fn label_field(&self) -> &'static str {
        "vault_address"
    }

    /// Reads `SCHEME://HOST[:PORT]/v1/ENGINE/keys/NAME`. The engine may have several segments.
    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient> {
        screen(text)?;
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(no_scheme());
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        check_path(path)?;
        let path: Vec<&str> = path.trim_matches('/').split('/').collect();
        let [version, engine @ .., keys, name] = &path[..] else {
            return Err(no_key_path());
        };
        if !is_version(version) || engine.is_empty() || path.contains(&"") {
            return Err(no_key_path());
        }
        let mut identity = identity(scheme, authority, &engine.join("/"), name)?;
        if *keys != "keys" {
            identity.oddity = identity.oddity.or(Some(PATH_ODDITY));
        }
        Ok(identity)
    }

    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        let address = required(stanza, "vault_address")?;
        let engine = required(stanza, "engine_path")?;
        let name = required(stanza, "key_name")?;
        for text in [address, engine, name] {
            screen(text)?;
        }
        let (scheme, authority) = address.split_once("://").ok_or_else(no_scheme)?;
        check_path(engine)?;
        check_path(name)?;
        identity(scheme, authority.trim_end_matches('/'), engine.trim_matches('/'), name)
    }

    /// Returns the address: sops reads it from the file and sends the Vault token there.
    fn endpoint(&self, identity: &Identity) -> Option<String> {
        let (origin, _) = identity.id.split_once("/v1/")?;
        Some(origin.to_owned())
    }

    /// Checks for `vault:vN:BASE64`, with at least a nonce, the data key and a tag.
    fn check_data_key(&self, _identity: &Identity, enc: &str) -> Result<(), MalformedDataKey> {
        const SHORTEST: usize = 12 + 32 + 16;
        let versioned = enc.trim().strip_prefix("vault:").and_then(|rest| rest.split_once(':'));
        let Some((version, base64)) = versioned.filter(|(version, _)| is_version(version)) else {
            return Err(MalformedDataKey::new("is not of the form vault:v1:BASE64"));
        };
        match decode(base64)?.len() {
            length if length < SHORTEST => Err(MalformedDataKey::new(format!(
                "is cut off: it has {length} bytes ({version} of the key), and needs at least {SHORTEST}"
            ))),
            _ => Ok(()),
        }
    }
}

fn identity(
    scheme: &str,
    authority: &str,
    engine: &str,
    name: &str,
) -> Result<Identity, InvalidRecipient> {
    let is_plain = scheme.eq_ignore_ascii_case("http");
    if !is_plain && !scheme.eq_ignore_ascii_case("https") {
        return Err(no_scheme());
    }
    let origin = web_origin(scheme, authority)?;
    let oddity = (is_plain && !is_loopback(&origin)).then_some(PLAIN_HTTP_ODDITY);
    Ok(Identity { id: format!("{origin}/v1/{engine}/keys/{name}"), oddity })
}

/// Refuses paths that sops would escape twice, or would take for part of the name.
fn check_path(path: &str) -> Result<(), InvalidRecipient> {
    let is_bad = |byte: u8| !byte.is_ascii_graphic() || b"%?#".contains(&byte);
    if path.bytes().any(is_bad) {
        return Err(InvalidRecipient::new(
            "contains white space, an escape, a query or a fragment",
            "write the bare address of the key",
        ));
    }
    // As in sops: a version must not follow another segment if a whole key path follows it.
    let words: Vec<&str> = path.split('/').collect();
    let is_prefixed = words
        .windows(5)
        .any(|words| is_version(words[1]) && [0, 2, 3, 4].iter().all(|at| !words[*at].is_empty()));
    if is_prefixed {
        return Err(InvalidRecipient::new(
            "has a path in front of its /v1/, which sops refuses",
            "give Vault its own host name",
        ));
    }
    Ok(())
}

/// Reports whether a segment is `v1` or similar.
fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Reports whether an origin is this machine.
fn is_loopback(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").unwrap_or(origin);
    if host.starts_with("[::1]") {
        return true;
    }
    let host = host.split(':').next().unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost") || is_127(host)
}

/// Reports whether a host is in `127.0.0.0/8`. `127.example.com` is another machine.
fn is_127(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

const PLAIN_HTTP_ODDITY: Oddity = Oddity {
    reason: "uses http://, which exposes the Vault token to the network",
    help: "use https://",
};

const PATH_ODDITY: Oddity = Oddity {
    reason: "has another word than `keys` in front of the key's name, which sops replaces",
    help: "write it as https://HOST/v1/ENGINE/keys/NAME",
};

fn no_scheme() -> InvalidRecipient {
    InvalidRecipient::new(
        "does not begin with https://",
        "write it as https://HOST/v1/ENGINE/keys/NAME",
    )
}

fn no_key_path() -> InvalidRecipient {
    InvalidRecipient::new(
        "is not the address of a key of Vault's transit engine",
        "write it as https://HOST/v1/ENGINE/keys/NAME",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::fields::node;

    const KEY: &str = "https://vault.example.com:8200/v1/transit/keys/sops";

    #[test]
    fn an_address_has_one_canonical_form() {
        let spelled = KEY.replace("https://vault", "HTTPS://Vault");
        let double = KEY.replace("/v1", "//v1");
        for text in [KEY, &spelled, &double, &format!("{KEY}/"), &KEY.replace("/v1/", "/v2/")] {
            assert_eq!(Vault.parse(text), Ok(Identity::new(KEY)), "{text}");
        }
        for (text, id) in [
            ("https://v:443/v1/a/b/keys/K", "https://v/v1/a/b/keys/K"),
            ("http://127.0.0.1:80/v1/transit/keys/k", "http://127.0.0.1/v1/transit/keys/k"),
            ("http://localhost:8200/v1/t/keys/k", "http://localhost:8200/v1/t/keys/k"),
            ("http://[::1]:8200/v1/t/keys/k", "http://[::1]:8200/v1/t/keys/k"),
            ("https://v/v1/secret/v2/keys/k", "https://v/v1/secret/v2/keys/k"),
        ] {
            assert_eq!(Vault.parse(text), Ok(Identity::new(id)), "{text}");
        }
    }

    #[test]
    fn a_stanza_has_the_address_in_three_parts() {
        let stanza = "vault_address: https://Vault.example.com:8200\n\
                      engine_path: transit\nkey_name: sops\nenc: x";
        assert_eq!(Vault.parse_stanza(&node(stanza)), Ok(Identity::new(KEY)));
        let slashes = stanza.replace(":8200", ":8200/").replace("transit", "/transit/");
        assert_eq!(Vault.parse_stanza(&node(&slashes)), Ok(Identity::new(KEY)));
        for text in [
            stanza.replace("https://", ""),
            stanza.replace("vault_address", "address"),
            stanza.replace("key_name: sops", ""),
            stanza.replace("Vault.", "root:hunter2@Vault."),
        ] {
            assert!(Vault.parse_stanza(&node(&text)).is_err(), "{text}");
        }
        assert!(Vault.parse_group_item(&node(KEY)).is_ok());
        let error = Vault.parse_group_item(&node(stanza)).expect_err("an item is text");
        assert!(error.reason.contains("is a map where text"), "{error}");
    }

    #[test]
    fn plain_http_to_another_machine_is_odd() {
        for host in ["vault.svc:8200", "127.example.com", "localhost.example.com", "10.0.0.1"] {
            let text = format!("http://{host}/v1/transit/keys/k");
            assert_eq!(Vault.parse(&text), Ok(Identity::odd(text.as_str(), PLAIN_HTTP_ODDITY)));
        }
        let encrypt = Vault.parse(&KEY.replace("/keys/", "/encrypt/"));
        assert_eq!(encrypt, Ok(Identity::odd(KEY, PATH_ODDITY)));
    }

    #[test]
    fn what_sops_refuses_or_cannot_reach_is_refused() {
        for (text, reason) in [
            (KEY.replace("https://", ""), "https://"),
            (KEY.replace("https", "ftp"), "https://"),
            (format!(" {KEY}"), "https://"),
            (format!("{KEY}\n"), "white space"),
            (format!("{KEY}?namespace=a"), "query"),
            (KEY.replace("/v1", "/proxy/v1"), "in front of"),
            (KEY.replace("transit", "team/v2/transit"), "in front of"),
            (KEY.replace("/v1", ""), "transit engine"),
            (KEY.replace("/transit", ""), "transit engine"),
            (KEY.replace("transit/", "transit//"), "transit engine"),
            (KEY.replace("/keys/sops", ""), "transit engine"),
            ("https://vault.example.com".to_owned(), "transit engine"),
            (KEY.replace("vault.example.com:8200", ""), "host"),
            (KEY.replace("8200", "port"), "host"),
            (KEY.replace("vault.", "root:hunter2@vault."), "password"),
        ] {
            let error = Vault.parse(&text).expect_err(&text);
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }
}
