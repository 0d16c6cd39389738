//! A file whose data key is decrypted at a place that no config names.

use std::collections::BTreeMap;

use super::endpoint::Endpoint;
use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::text::printable;
use crate::text::words::count;

declare_rule! {
    /// ## What it does
    ///
    /// Checks the service to which sops sends the encrypted data key of a file: the address of a
    /// Vault, the host of an Azure vault, the account and region of AWS KMS, the project of GCP
    /// KMS. It compares this service with those that the `.sops.yaml` files of the repository name.
    ///
    /// The rule only runs if a `.sops.yaml` names a key of the same kind of service. The finding is
    /// a warning if a `.sops.yaml` has recipients of this kind that sops-lint cannot read.
    ///
    /// ## Why it matters
    ///
    /// sops and Flux take the address from the file, not from their own settings, and send their
    /// token or credentials to it. An attacker can open a pull request with a file that names the
    /// attacker's Vault, and collect the token of the pipeline that decrypts the file.
    ///
    /// ## Example
    ///
    /// Bad: `.sops.yaml` names `https://vault.example.com/v1/transit/keys/sops`, and a file
    ///
    /// ```yaml
    /// sops:
    ///   hc_vault:
    ///     - vault_address: https://vault.example.net
    /// ```
    ///
    /// ## How to fix
    ///
    /// Do not decrypt the file, and reject the change. If the service is yours, name it in a
    /// creation rule, or under `trusted_endpoints` in `.sops-lint.yaml`. For Vault, set
    /// `SOPS_HC_VAULT_ALLOWLIST`: sops 3.13 and later then only contact the addresses in that list.
    UntrustedKeyEndpoint, "untrusted-key-endpoint", Error, needs Policy, Weakness(80),
    "a file whose data key sops would send to a service that no .sops.yaml names"
}

/// The endpoints of one service that the configs name.
#[derive(Default)]
struct Known {
    places: Vec<String>,
    has_unreadable: bool,
}

impl RepoRule for UntrustedKeyEndpoint {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let known = known(repository);
        let check = |facts: &'f Facts| {
            let strangers = facts.endpoints.iter().filter_map(|endpoint| {
                let known = known.get(endpoint.service)?;
                let is_known = known.places.is_empty()
                    || known.places.contains(&endpoint.place)
                    || is_trusted(&endpoint.place, repository.trusted_endpoints);
                (!is_known).then(|| (&facts.path, draft(endpoint, known)))
            });
            strangers.collect::<Vec<_>>()
        };
        repository.facts.iter().flat_map(check).collect()
    }
}

/// Returns true if the settings name the endpoint, in full or by its host.
fn is_trusted(place: &str, trusted: &[String]) -> bool {
    let server = place.split_once("://").map_or(place, |(_, server)| server);
    let host = server.split(':').next().unwrap_or(server);
    trusted.iter().any(|name| [place, server, host].contains(&name.as_str()))
}

fn known(repository: &Repository<'_>) -> BTreeMap<&'static str, Known> {
    let mut known: BTreeMap<&'static str, Known> = BTreeMap::new();
    for rule in repository.policy.configs().into_iter().flat_map(|config| &config.rules) {
        for recipient in rule.recipe.recipients() {
            if let Some(place) = recipient.service.endpoint(&recipient.identity) {
                known.entry(recipient.service.name()).or_default().places.push(place);
            }
        }
        for invalid in rule.recipe.invalid() {
            known.entry(invalid.service.name()).or_default().has_unreadable = true;
        }
    }
    known
}

fn draft<'f>(endpoint: &Endpoint, known: &Known) -> Draft<'f> {
    let place = printable::clean(&endpoint.place);
    let mut places: Vec<&String> = known.places.iter().collect();
    places.sort();
    places.dedup();
    let message = format!(
        "{} {place} is not named by any .sops.yaml ({} named); decrypting the file logs in there",
        endpoint.service,
        count(places.len(), "other")
    );
    let level = if known.has_unreadable { Level::Warning } else { META.level };
    let help = if endpoint.service == "HashiCorp Vault" {
        "do not decrypt the file unless the address is yours; then name it in a creation rule. SOPS_HC_VAULT_ALLOWLIST limits where sops sends a token"
    } else {
        "do not decrypt the file unless the place is yours; then name it in a creation rule"
    };
    Draft::new(&META, endpoint.span, message)
        .level(level)
        .at(0, Some("sops".to_owned()))
        .note("unknown to this repository")
        .help(help)
}
