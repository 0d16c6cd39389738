//! The trait that every key service implements.

use std::fmt;

use super::data_key::MalformedDataKey;
use super::fields::not_text;
use super::identity::{Identity, InvalidRecipient, Sameness};
use super::private::{PrivateKeys, Search};
use super::wrapping::{Unwrappable, Wrapping};
use crate::document::Node;
use crate::document::splice::Block;
use crate::private_key::FoundKey;

/// A key service of sops. A new one is a file here and two lines in `mod.rs`.
pub trait KeyService: Sync + fmt::Debug {
    /// Returns its display name: "age", "AWS KMS".
    fn name(&self) -> &'static str;

    /// Reports whether this is the same service: metadata fields are unique.
    fn is(&self, other: &dyn KeyService) -> bool {
        self.metadata_field() == other.metadata_field()
    }

    /// Returns its field in a creation rule (`age`, `hc_vault_transit_uri`).
    fn rule_field(&self) -> &'static str;

    /// Returns its field in a key group of a creation rule (`age`, `hc_vault`).
    fn group_field(&self) -> &'static str {
        self.rule_field()
    }

    /// Returns its field in a file's metadata (`age`, `azure_kv`).
    fn metadata_field(&self) -> &'static str {
        self.rule_field()
    }

    /// Reports whether a stanza has the time of its creation, `created_at`.
    fn dates_stanzas(&self) -> bool {
        true
    }

    /// Reports whether recipients are OpenPGP keys, which have certificates.
    fn has_certificates(&self) -> bool {
        false
    }

    /// Returns the field of a stanza that identifies the recipient (`recipient`, `arn`).
    fn label_field(&self) -> &'static str;

    /// Reports whether sops splits the items of a key group's list at commas. It does so for age only.
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

    /// Returns the fields of an item of a key group, for a service that writes it as a map. Other fields
    /// are unknown to sops, and their values are not shown.
    fn item_fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads one stanza of a file's metadata: a map.
    fn parse_stanza(&self, stanza: &Node<'_>) -> Result<Identity, InvalidRecipient>;

    /// Returns the address or account that decrypts the data key, in a form that can be compared.
    /// `None` if the private key is on the user's machine.
    fn endpoint(&self, _identity: &Identity) -> Option<String> {
        None
    }

    /// Checks the form of `enc`, a data key that is encrypted to a recipient.
    fn check_data_key(&self, identity: &Identity, enc: &str) -> Result<(), MalformedDataKey>;

    /// Finds the private keys of the user, in the places where sops looks. `None` if there are none, as
    /// for services over a network.
    fn private_keys(&self, _search: &mut Search<'_>) -> Option<Box<dyn PrivateKeys>> {
        None
    }

    /// Returns the recipients that a private key opens files of, as [`Identity::id`] has them.
    fn recipients_of(&self, _key: &FoundKey) -> Vec<String> {
        Vec::new()
    }

    /// Returns the public keys that `enc` names as those it is encrypted to. `None` if the service
    /// does not record them.
    fn addressees(&self, _enc: &str) -> Option<Vec<String>> {
        None
    }

    /// Reports whether `wrap` works for most recipients: it needs a public key and no network.
    fn can_wrap(&self) -> bool {
        false
    }

    /// Encrypts a data key, or a share of it, to a recipient. Returns the stanza of the metadata, its
    /// fields sorted. sops-lint does not ask services over a network; sops can.
    fn wrap(&self, _wrapping: &Wrapping<'_>) -> Result<Block, Unwrappable> {
        Err(Unwrappable::only_sops("is a key of a service that sops has to ask"))
    }

    /// Compares two recipients of this service.
    fn compare(&self, one: &Identity, other: &Identity) -> Sameness {
        if one.id == other.id { Sameness::Same } else { Sameness::Different }
    }
}
