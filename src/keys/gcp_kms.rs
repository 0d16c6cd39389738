//! Google Cloud KMS: resource ids of keys.
//!
//! Follows `gcpkms/keysource.go` of sops. Names are compared as they are written: Google
//! distinguishes case.

use super::data_key::MalformedDataKey;
use super::data_key::decode;
use super::fields::{required, required_in_group, screen};
use super::identity::{Identity, InvalidRecipient};
use super::service::KeyService;
use crate::document::Node;

/// The Google Cloud KMS key service.
#[derive(Debug)]
pub(super) struct GcpKms;

impl KeyService for GcpKms {
    fn name(&self) -> &'static str {
        "GCP KMS"
    }

    fn rule_field(&self) -> &'static str {
        "gcp_kms"
    }

    fn label_field(&self) -> &'static str {
        "resource_id"
    }

    /// Reads `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient> {
        screen(text)?;
        let text = text.replace(' ', "");
        if text.contains("/cryptoKeyVersions/") {
            return Err(InvalidRecipient::new(
                "names one version of the key, which sops refuses: Google chooses the version",
                "drop /cryptoKeyVersions and what follows",
            ));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let ["projects", p, "locations", l, "keyRings", r, "cryptoKeys", k] = parts[..] else {
            return Err(no_resource_id());
        };
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        if ![p, l, r, k].into_iter().all(is_name) {
            return Err(no_resource_id());
        }
        Ok(Identity::new(text))
    }

    fn parse_group_item(&self, item: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        self.parse(required_in_group(item, "resource_id")?)
    }

    fn item_fields(&self) -> &'static [&'static str] {
        &["resource_id"]
    }

    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        self.parse(required(stanza, "resource_id")?)
    }

    /// Returns the project.
    fn endpoint(&self, identity: &Identity) -> Option<String> {
        let project = identity.id.strip_prefix("projects/")?.split('/').next()?;
        Some(format!("projects/{project}"))
    }

    fn check_data_key(&self, _identity: &Identity, enc: &str) -> Result<(), MalformedDataKey> {
        match decode(enc)?.as_slice() {
            [] => Err(MalformedDataKey::new("is empty")),
            _ => Ok(()),
        }
    }
}

fn no_resource_id() -> InvalidRecipient {
    InvalidRecipient::new(
        "is not the resource id of a Cloud KMS key",
        "write it as projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::fields::node;

    const KEY: &str = "projects/p-1/locations/global/keyRings/r/cryptoKeys/k";

    #[test]
    fn a_resource_id_is_read_from_all_three_places() {
        let stanza = format!("resource_id: {KEY}\nenc: x");
        assert_eq!(GcpKms.parse(KEY), Ok(Identity::new(KEY)));
        assert_eq!(GcpKms.parse(&KEY.replace('/', " / ")), Ok(Identity::new(KEY)));
        assert_eq!(GcpKms.parse_group_item(&node(&stanza)), Ok(Identity::new(KEY)));
        assert_eq!(GcpKms.parse_stanza(&node(&stanza)), Ok(Identity::new(KEY)));
        let other = Identity::new(KEY.replace("Keys/k", "Keys/K"));
        assert_eq!(GcpKms.parse(&other.id).as_ref(), Ok(&other));
    }

    #[test]
    fn a_version_is_refused_as_sops_refuses_it() {
        let versioned = GcpKms.parse(&format!("{KEY}/cryptoKeyVersions/1"));
        assert!(versioned.is_err_and(|error| error.reason.contains("one version")));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "k",
            &format!("{KEY}/"),
            &format!("/{KEY}"),
            &format!("{KEY}\n"),
            &format!("//cloudkms.googleapis.com/{KEY}"),
            &format!("{KEY}/cryptoKeyVersions"),
            &KEY.to_lowercase(),
            &KEY.replace("p-1", ""),
        ] {
            assert!(GcpKms.parse(text).is_err(), "{text}");
        }
        let error = GcpKms.parse_group_item(&node(KEY)).expect_err("an item is a map");
        assert!(error.reason.contains("a map with `resource_id`"), "{error}");
        assert!(GcpKms.parse_stanza(&node("enc: x")).is_err());
    }
}
