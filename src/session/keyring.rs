//! The public keys of the user, for recipients whose certificate is not in the tree.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::host::Host;
use crate::keys::certificate::{Certificates, Found};
use crate::keys::{self, Recipient, openpgp};
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::rules::Facts;

/// The maximum number of keys that gpg is asked for.
const MAX_KEYS: usize = 200;
/// The minimum number of digits of a name that gpg is asked for: shorter ones can be forged.
const KEY_ID: usize = 16;

/// Returns the certificates of the recipients: those in `files`, and those that gpg has and `files` lack. Reads
/// nothing if there are no recipients with certificates.
pub(super) fn certificates(
    files: &[RepoPath],
    read: impl Fn(&RepoPath) -> Vec<u8> + Sync,
    recipients: &BTreeSet<String>,
    host: &Host,
) -> Certificates {
    let mut certificates = Certificates::default();
    if recipients.is_empty() {
        return certificates;
    }
    let today = host.today();
    let found = files.par_iter().map(|path| (path, openpgp::certificates(&read(path), today)));
    for (path, found) in found.collect::<Vec<_>>() {
        for certificate in found {
            certificates.add(Found::File(path.clone()), certificate);
        }
    }
    let is_unknown = |id: &&String| id.len() >= KEY_ID && certificates.find(id).is_none();
    let unknown: Vec<&str> =
        recipients.iter().filter(is_unknown).map(String::as_str).take(MAX_KEYS).collect();
    if unknown.is_empty() || host.gpg_home().is_none() {
        return certificates;
    }
    let Some(exported) = keys::export(host, &unknown) else { return certificates };
    for certificate in openpgp::certificates(exported.expose(), today) {
        certificates.add(Found::Keyring, certificate);
    }
    certificates
}

/// Returns the fingerprints of recipients that have certificates: digits only.
pub(super) fn recipients(facts: &[Facts], policy: &Policy) -> BTreeSet<String> {
    let configs = policy.configs().into_iter();
    let rules = configs.flat_map(|config| &config.rules);
    let of_rules = rules.flat_map(|rule| rule.recipe.recipients());
    let of_files = facts.iter().flat_map(|facts| &facts.addressed).map(|one| &one.recipient);
    let digits = |recipient: &Recipient| {
        let id = recipient.identity.id.trim_end_matches('!').to_owned();
        recipient.service.has_certificates().then_some(id)
    };
    of_rules.chain(of_files).filter_map(digits).collect()
}
