//! Huawei Cloud KMS: a region and the id of a key.
//!
//! Follows `hckms/keysource.go` of sops (`parseKeyID`), which requires two non-empty
//! parts. Huawei itself requires a UUID in lower case.

use super::data_key::MalformedDataKey;
use super::fields::{required, required_in_group, screen};
use super::identity::{Identity, InvalidRecipient, Oddity};
use super::service::KeyService;
use crate::document::Node;

/// The Huawei Cloud KMS key service.
#[derive(Debug)]
pub(super) struct HuaweiKms;

impl KeyService for HuaweiKms {
    fn name(&self) -> &'static str {
        "Huawei Cloud KMS"
    }

    fn rule_field(&self) -> &'static str {
        "hckms"
    }

    fn label_field(&self) -> &'static str {
        "key_id"
    }

    /// Reads `REGION:KEY-UUID`.
    fn parse(&self, text: &str) -> Result<Identity, InvalidRecipient> {
        screen(text)?;
        let (region, key) = text.split_once(':').ok_or_else(no_key_id)?;
        let (region, key) = (region.trim(), key.trim());
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic());
        if !is_part(region) || !is_part(key) {
            return Err(no_key_id());
        }
        Ok(Identity {
            id: format!("{region}:{key}"),
            oddity: (!is_uuid(key)).then_some(NO_UUID_ODDITY),
        })
    }

    fn parse_group_item(&self, item: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        self.parse(required_in_group(item, "key_id")?)
    }

    fn item_fields(&self) -> &'static [&'static str] {
        &["key_id"]
    }

    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient> {
        self.parse(required(stanza, "key_id")?)
    }

    /// Accepts any text that is not empty: sops stores the answer of the service unchanged.
    fn check_data_key(&self, _identity: &Identity, enc: &str) -> Result<(), MalformedDataKey> {
        if enc.trim().is_empty() { Err(MalformedDataKey::new("is empty")) } else { Ok(()) }
    }
}

const NO_UUID_ODDITY: Oddity = Oddity {
    reason: "has a key id that is not a UUID in lower case",
    help: "copy the key's id from the console",
};

/// Reports whether a text is five groups of lower-case hexadecimal digits: 8-4-4-4-12.
fn is_uuid(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let groups = text.split('-').map(|group| group.bytes().all(is_digit).then_some(group.len()));
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

fn no_key_id() -> InvalidRecipient {
    InvalidRecipient::new(
        "is not a region and a key id",
        "write it as REGION:KEY-UUID, for example with the region tr-west-1",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::fields::node;

    const KEY: &str = "tr-west-1:12345678-aaaa-bbbb-cccc-1234567890ab";

    #[test]
    fn a_key_id_is_read_from_all_three_places() {
        let stanza = format!("key_id: {KEY}\nenc: x");
        assert_eq!(HuaweiKms.parse(KEY), Ok(Identity::new(KEY)));
        assert_eq!(HuaweiKms.parse(&KEY.replace(':', " : ")), Ok(Identity::new(KEY)));
        assert_eq!(HuaweiKms.parse_group_item(&node(&stanza)), Ok(Identity::new(KEY)));
        assert_eq!(HuaweiKms.parse_stanza(&node(&stanza)), Ok(Identity::new(KEY)));
    }

    #[test]
    fn a_key_id_of_another_form_is_odd() {
        for key in ["r:k", "r:a:b", &KEY.to_uppercase(), &KEY[..KEY.len() - 1]] {
            assert_eq!(HuaweiKms.parse(key), Ok(Identity::odd(key, NO_UUID_ODDITY)));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["12345678-aaaa-bbbb-cccc-1234567890ab", ":k", "r:", " : ", "r:a b"] {
            assert!(HuaweiKms.parse(text).is_err(), "{text}");
        }
        let error = HuaweiKms.parse_group_item(&node(&format!("'{KEY}'"))).expect_err("no map");
        assert!(error.reason.contains("a map with `key_id`"), "{error}");
    }
}
