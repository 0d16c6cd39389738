//! The public keys of whoever runs the program, for recipients that no key in the tree explains.

use std::collections::BTreeSet;

use crate::host::Host;
use crate::keys::certificate::{Certificates, Found};
use crate::keys::{self, Recipient, openpgp};
use crate::policy::Policy;
use crate::rules::Facts;

/// Most keys that gpg is asked for.
const MOST: usize = 200;
/// Digits of the shortest name that gpg is asked for: anybody can forge a shorter one.
const KEY_ID: usize = 16;

/// Adds what gpg knows of the recipients that `certificates` does not have. Quietly does nothing
/// where there are none, or no keyring, or no gpg.
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

/// PGP recipients that no certificate stands for: digits alone.
fn unknown(certificates: &Certificates, facts: &[Facts], policy: &Policy) -> BTreeSet<String> {
    let configs = policy.configs().into_iter();
    let rules = configs.flat_map(|config| &config.rules);
    let of_rules = rules.flat_map(|rule| rule.recipe.recipients());
    let of_files = facts.iter().flat_map(|facts| &facts.addressed).map(|one| &one.recipient);
    let digits = |recipient: &Recipient| {
        let id = recipient.identity.id.trim_end_matches('!').to_owned();
        let is_pgp = recipient.service.metadata_field() == "pgp";
        (is_pgp && id.len() >= KEY_ID && certificates.find(&id).is_none()).then_some(id)
    };
    of_rules.chain(of_files).filter_map(digits).take(MOST).collect()
}
