//! The public keys of the user, for recipients whose certificate is not in the tree.

use std::collections::BTreeSet;

use crate::host::Host;
use crate::keys::certificate::{Certificates, Found};
use crate::keys::{self, Recipient, openpgp};
use crate::policy::Policy;
use crate::rules::Facts;

/// The maximum number of keys that gpg is asked for.
const MAX_KEYS: usize = 200;
/// The minimum number of digits of a name that gpg is asked for: shorter ones can be forged.
const KEY_ID: usize = 16;

/// Adds certificates of gpg for recipients that `certificates` lacks. Does nothing if there are no such
/// recipients, no keyring or no gpg.
pub(super) fn complete(
    mut certificates: Certificates,
    facts: &[Facts],
    policy: &Policy,
    host: &Host,
) -> Certificates {
    let unknown = unknown(&certificates, facts, policy);
    if unknown.is_empty() || host.gpg_home().is_none() {
        return certificates;
    }
    let ids: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let Some(exported) = keys::export(host, &ids) else { return certificates };
    for certificate in openpgp::certificates(exported.expose(), host.today()) {
        certificates.add(Found::Keyring, certificate);
    }
    certificates
}

/// Returns the fingerprints of PGP recipients without a certificate: digits only.
fn unknown(certificates: &Certificates, facts: &[Facts], policy: &Policy) -> BTreeSet<String> {
    let configs = policy.configs().into_iter();
    let rules = configs.flat_map(|config| &config.rules);
    let of_rules = rules.flat_map(|rule| rule.recipe.recipients());
    let of_files = facts.iter().flat_map(|facts| &facts.addressed).map(|one| &one.recipient);
    let digits = |recipient: &Recipient| {
        let id = recipient.identity.id.trim_end_matches('!').to_owned();
        let is_known_to_gpg = recipient.service.has_certificates();
        (is_known_to_gpg && id.len() >= KEY_ID && certificates.find(&id).is_none()).then_some(id)
    };
    of_rules.chain(of_files).filter_map(digits).take(MAX_KEYS).collect()
}
