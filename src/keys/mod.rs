//! Who can decrypt: recipients of every key service, in a form that can be compared.
//!
//! One recipient is written differently in the flat fields of a creation rule, in its
//! `key_groups` and in the metadata of a file. A [`KeyService`] reads all three into the same
//! canonical text, so that "drift" is a difference of sets. The private keys of a user open data keys
//! through [`KeyRing`], and nowhere else.

mod age;
mod age_file;
mod age_hybrid;
mod age_private;
mod aws_kms;
mod azure_kv;
pub mod certificate;
mod data_key;
mod gcp_kms;
mod huawei_kms;
pub mod openpgp;
mod pgp;
mod pgp_private;
mod pgp_public;
mod private;
pub mod public;
mod vault;

use std::borrow::Cow;
use std::fmt;

pub use data_key::MalformedDataKey;
pub use pgp_public::export;
pub use private::{Effort, KeyRing, PrivateKeys, Search, Unwrapped};
pub use public::{PublicKeys, Unwrappable, Wrapping};

use crate::document::Node;
use crate::document::splice::Block;
use crate::private_key;
use crate::text::Span;

/// A key service that sops knows. A new one is a file here and a line in [`KEY_SERVICES`].
pub trait KeyService: Sync + fmt::Debug {
    /// What people call it: "age", "AWS KMS".
    fn name(&self) -> &'static str;

    /// Its field in a creation rule (`age`, `hc_vault_transit_uri`).
    fn rule_field(&self) -> &'static str;

    /// Its field in a key group of a creation rule (`age`, `hc_vault`).
    fn group_field(&self) -> &'static str {
        self.rule_field()
    }

    /// Its field in a file's metadata (`age`, `azure_kv`).
    fn metadata_field(&self) -> &'static str {
        self.rule_field()
    }

    /// The field of a stanza that people recognise the recipient by (`recipient`, `arn`).
    fn label_field(&self) -> &'static str;

    /// Whether a key group's list of this service holds strings that may themselves be lists
    /// with commas (age does, sops leaves the others whole).
    fn splits_group_items(&self) -> bool {
        false
    }

    /// Reads one recipient from text: a piece of a flat field, or an item of a key group.
    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient>;

    /// Reads one item of a key group. Most services write it as text.
    fn parse_group_item(&self, item: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        let text = item.as_str().ok_or_else(|| not_text(item))?;
        self.parse(text)
    }

    /// Reads one stanza of a file's metadata: a map.
    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient>;

    /// Where the data key is sent to be decrypted: the address or account behind a recipient, in
    /// a form that can be compared. `None` where the key stands on the machine that decrypts.
    fn endpoint(&self, _identity: &Identity) -> Option<String> {
        None
    }

    /// Says what is wrong with the data key that is encrypted to a recipient, `enc`.
    fn check_data_key(&self, identity: &Identity, enc: &str) -> Result<(), MalformedDataKey>;

    /// The private keys of the user, looked for where sops looks for them. Services elsewhere have
    /// none on this machine.
    fn private_keys(&self, _search: &mut Search<'_>) -> Option<Box<dyn PrivateKeys>> {
        None
    }

    /// The public keys that the data key in `enc` says it is encrypted to. `None` where the service
    /// has no way to say so.
    fn addressees(&self, _enc: &str) -> Option<Vec<String>> {
        None
    }

    /// Whether `wrap` can do it for most recipients: it takes a public key and nobody's service.
    fn can_wrap(&self) -> bool {
        false
    }

    /// Encrypts a data key, or a share of it, to a recipient: the stanza of the metadata, its fields
    /// sorted. Services elsewhere are not asked; sops can.
    fn wrap(&self, _wrapping: &Wrapping<'_>) -> Result<Block, Unwrappable> {
        Err(Unwrappable::only_sops("is a key of a service that sops has to ask"))
    }

    /// How sure it is that two recipients of this service are or are not the same key.
    fn compare(&self, one: &Identity, other: &Identity) -> Sameness {
        if one.id == other.id { Sameness::Same } else { Sameness::Different }
    }
}

/// All key services, in the order in which sops fills a key group (`config/config.go`).
pub static KEY_SERVICES: &[&dyn KeyService] = &[
    &age::Age,
    &pgp::Pgp,
    &aws_kms::AwsKms,
    &gcp_kms::GcpKms,
    &huawei_kms::HuaweiKms,
    &azure_kv::AzureKv,
    &vault::Vault,
];

/// Who a recipient is, apart from where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The canonical form: equal for equal keys.
    pub id: String,
    /// What is odd about the way it is written, though sops takes it.
    pub oddity: Option<Oddity>,
}

impl Identity {
    /// A recipient that is written as it should be.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), oddity: None }
    }

    /// The same, with something to say about it.
    pub fn odd(id: impl Into<String>, oddity: Oddity) -> Self {
        Self { id: id.into(), oddity: Some(oddity) }
    }
}

/// Something about a recipient that works and should still be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What it is: lower case, no full stop, never quotes the text.
    pub reason: &'static str,
    /// What to do: an imperative sentence without full stop.
    pub help: &'static str,
}

/// Whether two recipients are one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// They are.
    Same,
    /// They are not.
    Different,
    /// Nobody can tell offline: a KMS key and an alias, an OpenPGP subkey (`FPR!`) and a primary key.
    Unknown,
}

/// Why a text is no recipient. Never quotes the text: people paste private keys here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidRecipient {
    /// Lower case, no full stop.
    pub reason: Cow<'static, str>,
    /// What to do: an imperative sentence without full stop.
    pub help: &'static str,
    /// Whether the text still holds a variable such as `${KEY_FP}` that a tool fills in later.
    pub is_placeholder: bool,
}

impl InvalidRecipient {
    /// An error with its way out.
    pub fn new(reason: impl Into<Cow<'static, str>>, help: &'static str) -> Self {
        Self { reason: reason.into(), help, is_placeholder: false }
    }
}

/// A recipient where it stands.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The key service.
    pub service: &'static dyn KeyService,
    /// Who it is.
    pub identity: Identity,
    /// Its text, in the creation rule or in the metadata.
    pub span: Span,
}

impl Recipient {
    /// Whether this and `other` are the same key.
    pub fn compare(&self, other: &Self) -> Sameness {
        if self.service.name() == other.service.name() {
            self.service.compare(&self.identity, &other.identity)
        } else {
            Sameness::Different
        }
    }
}

impl fmt::Display for Recipient {
    /// Whole, since two keys of one cloud differ in a few characters; but no post-quantum one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::text::printable::{clean, shorten};
        f.write_str(&shorten(clean(&self.identity.id), 160))
    }
}

/// The pieces of a flat field as sops cuts them (`config/config.go`, `parseKeyField`): at commas,
/// trimmed, empty ones dropped. Each with its offset in `text`.
pub fn split_flat(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split(',').filter_map(move |piece| {
        let start = offset + (piece.len() - piece.trim_start().len());
        offset += piece.len() + 1;
        let piece = piece.trim();
        (!piece.is_empty()).then_some((start, piece))
    })
}

/// What every service refuses before it looks closer: a variable, nothing at all, a private key.
fn screen(text: &str) -> Result<(), InvalidRecipient> {
    if has_placeholder(text.trim_start()) {
        return Err(placeholder());
    }
    if text.trim().is_empty() {
        return Err(InvalidRecipient::new("is empty", "write the recipient, or remove the item"));
    }
    if private_key::is_hinted_at(text) {
        return Err(InvalidRecipient::new(
            "is a PRIVATE key where a public recipient belongs",
            "remove it, make a new key pair, and rotate every file that this key opens",
        ));
    }
    Ok(())
}

/// Whether a text holds a variable that some other tool fills in: `${X}`, `$X`, `{{ x }}`, `<x>`.
fn has_placeholder(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.starts_with(['$', '<'])
}

/// The error for a text that is still a template.
fn placeholder() -> InvalidRecipient {
    InvalidRecipient {
        reason: "still holds a variable that nobody has filled in".into(),
        help: "write the recipient itself; sops does not expand variables",
        is_placeholder: true,
    }
}

/// The error for an item that is no text.
fn not_text(node: &Node<'_>) -> InvalidRecipient {
    InvalidRecipient::new(
        format!("is {} where text is expected", node.noun()),
        "write the recipient as text, in quotes if it looks like a number",
    )
}

/// A text field of a stanza or group item; absent, null and empty are `None`.
fn field<'n>(map: &'n Node<'_>, name: &str) -> Option<&'n str> {
    map.get(name).and_then(Node::as_str).filter(|text| !text.is_empty())
}

/// A text field that has to be there.
fn required<'n>(map: &'n Node<'_>, name: &'static str) -> Result<&'n str, InvalidRecipient> {
    field(map, name).ok_or_else(|| {
        InvalidRecipient::new(
            format!("has no text under `{name}`"),
            "restore the stanza from a good copy, or run `sops updatekeys`",
        )
    })
}

/// A text field of a key group's item, which has to be a map that has it.
fn required_in_group<'n>(
    item: &'n Node<'_>,
    name: &'static str,
) -> Result<&'n str, InvalidRecipient> {
    if !item.is_map() {
        return Err(InvalidRecipient::new(
            format!("is {} where a map with `{name}` is expected", item.noun()),
            "write the key's fields as a map; in a key group only age, pgp and hc_vault are text",
        ));
    }
    field(item, name).ok_or_else(|| {
        InvalidRecipient::new(format!("has no text under `{name}`"), "add the field to the item")
    })
}

/// The canonical `scheme://host[:port]`: lower case, without the scheme's own port.
fn web_origin(scheme: &str, authority: &str) -> Result<String, InvalidRecipient> {
    if authority.contains('@') {
        return Err(InvalidRecipient::new(
            "holds a user name or password in its address",
            "remove it from the address, and change the password",
        ));
    }
    let no_host = || {
        InvalidRecipient::new(
            "has no valid host behind `://`",
            "write the address as https://HOST or https://HOST:PORT",
        )
    };
    let scheme = scheme.to_ascii_lowercase();
    let own_port = if scheme == "http" { "80" } else { "443" };
    // The colons inside `[::1]` are none that a port follows.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_in_address = |c: char| c.is_ascii_hexdigit() || ":.".contains(c);
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(address) => !address.is_empty() && address.chars().all(is_in_address),
        None => !host.is_empty() && host.chars().all(is_in_name),
    };
    if !is_host {
        return Err(no_host());
    }
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Err(no_host());
    }
    let host = host.to_ascii_lowercase();
    let is_default = port.is_empty() || port == own_port;
    Ok(if is_default { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

/// The only document of a YAML text, for the tests of the services.
#[cfg(test)]
fn node(text: &str) -> Node<'_> {
    use crate::document::{Format, yaml};
    yaml::Yaml.parse(text).documents.remove(0).root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_names_of_its_own() {
        for service in KEY_SERVICES {
            let same_field = KEY_SERVICES
                .iter()
                .filter(|other| other.metadata_field() == service.metadata_field())
                .count();
            assert_eq!(same_field, 1, "{service:?} shares its metadata field");
            assert!(service.parse("").is_err(), "{service:?} takes an empty recipient");
            let error = service.parse("${KEY}").expect_err("a variable is no recipient");
            assert!(error.is_placeholder, "{service:?} does not see a variable: {error}");
        }
    }

    #[test]
    fn no_service_takes_or_quotes_a_data_key_of_nothing() {
        for service in KEY_SERVICES {
            let nobody = Identity::new("canary");
            assert!(service.check_data_key(&nobody, "").is_err(), "{service:?}");
            if let Err(error) = service.check_data_key(&nobody, "canary-VALUE-4711") {
                assert!(!format!("{error:?}{error}").contains("canary"), "{service:?}");
            }
        }
    }

    #[test]
    fn no_error_quotes_the_text() {
        for service in KEY_SERVICES {
            let canary = "canary-VALUE-4711";
            if let Err(error) = service.parse(canary) {
                assert!(!format!("{error:?}{error}").contains("canary"), "{service:?}");
            }
        }
    }

    #[test]
    fn a_private_key_is_named_as_such_and_never_quoted() {
        let keys = [
            "AGE-SECRET-KEY-1CANARYCANARY",
            "age-secret-key-pq-1canary",
            "# created: today\n# public key: age1canary\nAGE-SECRET-KEY-1CANARY\n",
            "AGE-PLUGIN-YUBIKEY-1CANARY",
            "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\ncanary\n",
        ];
        for (service, key) in KEY_SERVICES.iter().flat_map(|s| keys.map(|key| (s, key))) {
            let error = service.parse(key).expect_err("a private key is no recipient");
            assert!(error.reason.contains("PRIVATE"), "{service:?}: {error}");
            assert!(!format!("{error:?}").to_lowercase().contains("canary"), "{service:?}");
        }
    }

    #[test]
    fn origins_are_compared_without_case_and_default_port() {
        let canonical = |scheme, authority| web_origin(scheme, authority).ok();
        assert_eq!(canonical("HTTPS", "A.example:443").as_deref(), Some("https://a.example"));
        assert_eq!(canonical("http", "a:443").as_deref(), Some("http://a:443"));
        assert_eq!(canonical("http", "[::1]:80").as_deref(), Some("http://[::1]"));
        assert_eq!(canonical("http", "[::1]").as_deref(), Some("http://[::1]"));
        for authority in
            ["", ":80", "a:b", "a:99999", "a b", "u:p@a", "a?b", "a::80", "a:80:", "[a", "[]"]
        {
            assert_eq!(canonical("https", authority), None, "{authority}");
        }
    }

    #[test]
    fn flat_fields_are_cut_at_commas() {
        let pieces: Vec<_> = split_flat(" a,\n b ,,c,").collect();
        assert_eq!(pieces, [(1, "a"), (5, "b"), (9, "c")]);
    }
}
