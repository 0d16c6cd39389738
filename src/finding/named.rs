//! The recipients that a finding is about.

use serde::Serialize;

use crate::keys::Recipient;
use crate::policy::Names;

/// A recipient that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedRecipient {
    /// The service, as the metadata of a file names it: `age`, `azure_kv`.
    pub service: &'static str,
    /// The canonical id.
    pub id: String,
    /// The name that the config gives it.
    pub name: Option<String>,
}

impl NamedRecipient {
    /// Names a recipient.
    pub fn of(recipient: &Recipient, names: Option<&Names>) -> Self {
        Self {
            service: recipient.service.metadata_field(),
            id: recipient.identity.id.clone(),
            name: names.and_then(|names| names.name(recipient)).map(Into::into),
        }
    }
}
