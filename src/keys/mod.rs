//! Recipients of every key service, in a form that can be compared.
//!
//! One recipient is written differently in the flat fields of a creation rule, in its
//! `key_groups` and in the metadata of a file. A [`KeyService`] reads all three into the same
//! canonical text, so "drift" is a set difference. Only [`KeyRing`] opens data keys with the user's
//! private keys.

mod age;
mod aws_kms;
mod azure_kv;
mod data_key;
mod fields;
mod gcp_kms;
mod huawei_kms;
mod identity;
mod origin;
mod pgp;
mod private;
mod recipient;
mod ring;
mod service;
mod vault;
mod wrapping;

pub use data_key::MalformedDataKey;
pub use fields::split_flat;
pub use identity::{Identity, InvalidRecipient, Oddity, Sameness};
pub use pgp::{PublicKeys, certificate, export, openpgp};
pub use private::{Effort, PrivateKeys, Search, Unwrapped};
pub use recipient::Recipient;
pub use ring::{KeyRing, Wrapped};
pub use service::KeyService;
pub use wrapping::{Unwrappable, Wrapping};

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
    fn no_service_accepts_an_empty_data_key_or_quotes_one() {
        for service in KEY_SERVICES {
            let identity = Identity::new("canary");
            assert!(service.check_data_key(&identity, "").is_err(), "{service:?}");
            if let Err(error) = service.check_data_key(&identity, "canary-VALUE-4711") {
                assert!(!format!("{error:?}{error}").contains("canary"), "{service:?}");
            }
        }
    }

    #[test]
    fn a_service_names_the_fields_of_its_items() {
        for service in KEY_SERVICES {
            let error =
                service.parse_group_item(&fields::node("canary")).expect_err("no recipient");
            let Some((_, rest)) = error.reason.split_once("a map with `") else { continue };
            let needed = rest.split('`').next().expect("a name");
            assert!(
                service.item_fields().contains(&needed),
                "{service:?} has no item field {needed}"
            );
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
}
