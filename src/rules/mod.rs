//! The rules: one file each, all in [`FILE_RULES`] or [`REPO_RULES`].
//!
//! A rule reports faults in what it is given. It does no I/O, cannot fail, and does not know which
//! levels a user has changed or which findings a user ignores.

mod ambiguous_sops_config;
mod command;
mod comment_item;
mod copy;
mod decrypted_artifact;
mod decryption_credentials;
mod disguise;
mod embedded;
mod encrypted_manifest;
mod encrypting;
mod endpoint;
mod exposure;
mod facts;
mod format_mismatch;
mod generator_format;
mod generator_source;
mod glob_like_regex;
mod identity;
mod ignored_recipients;
mod invalid_metadata;
mod invalid_recipient;
mod invalid_regex;
mod invalid_settings;
mod invalid_sops_config;
mod last_applied_leak;
mod loose_path_regex;
mod mac_mismatch;
mod malformed_ciphertext;
mod malformed_data_key;
mod masked_placeholder;
mod merge_conflict;
mod misnamed_sops_config;
mod missing_recipients;
mod mixed_documents;
mod nothing_encrypted;
mod orphan_ciphertext;
mod other_encryption;
mod pgp_data_key_mismatch;
mod plaintext_comment;
mod plaintext_generator_source;
mod plaintext_value;
mod private_key;
mod recipients_mismatch;
mod removed_recipient_not_rotated;
mod repair;
mod repository;
mod rule;
mod secret_selector;
mod selecting;
mod selector_drift;
mod selector_hits_metadata;
mod selector_misses_data;
mod split_key_groups;
mod stale_data_key;
mod subject;
mod uncovered_file;
mod undecryptable_value;
mod unencrypted_file;
mod unencrypted_secret;
mod unknown_config_key;
mod unmatched_path_regex;
mod unreachable_rule;
mod unreadable_document;
mod unselected_value;
mod untrusted_key_endpoint;
mod unusable_pgp_key;
mod unused_ignore;
mod written;

pub use command::sops_command;
pub use encrypting::{hidden, selector_for_secrets};
pub use facts::{Covered, Facts};
pub use glob_like_regex::looks_like_glob;
pub use plaintext_generator_source::read_otherwise;
pub use private_key::raise as raise_private_key;
pub use repository::Repository;
pub use rule::{FileRule, RepoRule};
pub use subject::{Answers, Judged, Subject};
pub use unmatched_path_regex::reason as misses_files;
pub use written::misread;

use crate::finding::{Needs, RuleMeta};

/// Rules that judge one file, the most important ones first.
pub static FILE_RULES: &[&dyn FileRule] = &[
    &unencrypted_secret::UnencryptedSecret,
    &unencrypted_file::UnencryptedFile,
    &plaintext_value::PlaintextValue,
    &unselected_value::UnselectedValue,
    &plaintext_comment::PlaintextComment,
    &nothing_encrypted::NothingEncrypted,
    &mixed_documents::MixedDocuments,
    &private_key::PrivateKey,
    &decryption_credentials::DecryptionCredentials,
    &last_applied_leak::LastAppliedLeak,
    &masked_placeholder::MaskedPlaceholder,
    &invalid_metadata::InvalidMetadata,
    &malformed_ciphertext::MalformedCiphertext,
    &malformed_data_key::MalformedDataKey,
    &orphan_ciphertext::OrphanCiphertext,
    &undecryptable_value::UndecryptableValue,
    &mac_mismatch::MacMismatch,
    &merge_conflict::MergeConflict,
    &format_mismatch::FormatMismatch,
    &unreadable_document::UnreadableDocument,
    &recipients_mismatch::RecipientsMismatch,
    &removed_recipient_not_rotated::RemovedRecipientNotRotated,
    &selector_drift::SelectorDrift,
    &invalid_recipient::InvalidRecipient,
    &invalid_sops_config::InvalidSopsConfig,
    &invalid_regex::InvalidRegex,
    &misnamed_sops_config::MisnamedSopsConfig,
    &unknown_config_key::UnknownConfigKey,
    &split_key_groups::SplitKeyGroups,
];

/// Rules that judge the repository.
pub static REPO_RULES: &[&dyn RepoRule] = &[
    &stale_data_key::StaleDataKey,
    &uncovered_file::UncoveredFile,
    &untrusted_key_endpoint::UntrustedKeyEndpoint,
    &unusable_pgp_key::UnusablePgpKey,
    &pgp_data_key_mismatch::PgpDataKeyMismatch,
    &plaintext_generator_source::PlaintextGeneratorSource,
    &generator_format::GeneratorFormat,
    &decrypted_artifact::DecryptedArtifact,
    &encrypted_manifest::EncryptedManifest,
    &selector_hits_metadata::SelectorHitsMetadata,
    &selector_misses_data::SelectorMissesData,
    &missing_recipients::MissingRecipients,
    &unreachable_rule::UnreachableRule,
    &unmatched_path_regex::UnmatchedPathRegex,
    &ambiguous_sops_config::AmbiguousSopsConfig,
    &ignored_recipients::IgnoredRecipients,
    &glob_like_regex::GlobLikeRegex,
    &loose_path_regex::LoosePathRegex,
];

/// Rules about the settings of sops-lint. Module `settings` reads those and checks them; this one has
/// the manuals.
pub static SETTINGS_RULES: &[&RuleMeta] = &[INVALID_SETTINGS, UNUSED_IGNORE];

/// Invalid settings.
pub static INVALID_SETTINGS: &RuleMeta = &invalid_settings::META;

/// An ignore entry that matches no finding.
pub static UNUSED_IGNORE: &RuleMeta = &unused_ignore::META;

/// A file that claims to be encrypted and is not.
pub static UNENCRYPTED_FILE: &RuleMeta = &unencrypted_file::META;

/// A value of an encrypted Secret that the selector leaves in plaintext.
pub static UNSELECTED_VALUE: &RuleMeta = &unselected_value::META;

/// Returns the static facts of every rule: those about files first, those about settings last.
pub fn all() -> impl Iterator<Item = &'static RuleMeta> {
    let repo = REPO_RULES.iter().map(|rule| rule.meta());
    let settings = SETTINGS_RULES.iter().copied();
    FILE_RULES.iter().map(|rule| rule.meta()).chain(repo).chain(settings)
}

/// Returns the sorted ids of the rules that need a private key.
pub fn needing_keys() -> Vec<&'static str> {
    let mut ids: Vec<_> =
        all().filter(|meta| meta.needs == Needs::Keys).map(|meta| meta.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

/// Returns the rule with this id.
pub fn find(id: &str) -> Option<&'static RuleMeta> {
    all().find(|meta| meta.id.as_str() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_a_summary_and_a_whole_manual() {
        for meta in all() {
            let id = meta.id.as_str();
            assert_eq!(all().filter(|other| other.id == meta.id).count(), 1, "{id} is not unique");
            assert!(
                id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{id} is not kebab case"
            );
            assert!(meta.summary.len() <= 100 && !meta.summary.ends_with('.'), "{id}: summary");
            for part in ["## What it does", "## Why it matters", "## Example", "## How to fix"] {
                assert!(meta.manual.contains(part), "the manual of {id} has no {part}");
            }
        }
    }
}
