//! The trait that every key service implements.

use std::fmt;

use super::data_key::MalformedDataKey;
use super::fields::not_text;
use super::identity::{Identity, InvalidRecipient, Sameness};
use super::private::{PrivateKeys, Search};
use super::wrapping::{Unwrappable, Wrapping};
use crate::document::Node;
use crate::document::splice::Block;

/// A key service that sops knows. A new one is a file here and a line in [`KEY_SERVICES`].
pub trait KeyService: Sync + fmt::Debug {
    /// What people call it: "age", "AWS KMS".
    fn name(&self) -> &'static str;

    /// Reports whether this is the same service: metadata fields are unique.
    fn is(&self, other: &dyn KeyService) -> bool {
        self.metadata_field() == other.metadata_field()
    }

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

    /// Reports whether a stanza has the time of its making, `created_at`.
    fn dates_stanzas(&self) -> bool {
        true
    }

    /// Reports whether a recipient is an OpenPGP key, whose certificate tells more about it.
    fn has_certificates(&self) -> bool {
        false
    }

    /// The field of a stanza that people recognise the recipient by (`recipient`, `arn`).
    fn label_field(&self) -> &'static str;

    /// Reports whether a key group's list of this service holds strings that may themselves be lists
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

    /// Reports whether `wrap` can do it for most recipients: it takes a public key and nobody's service.
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
