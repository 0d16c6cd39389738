//! The rules: one file each, all in [`FILE_RULES`] or [`REPO_RULES`].
//!
//! A rule states facts about what it is shown. It does no I/O, cannot fail, and knows nothing of
//! levels that a user has changed or of findings that a user ignores.

mod ambiguous_sops_config;
mod decrypted_artifact;
mod decryption_credentials;
mod encrypting;
mod facts;
mod format_mismatch;
mod glob_like_regex;
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
mod mixed_documents;
mod nothing_encrypted;
mod orphan_ciphertext;
mod pgp_data_key_mismatch;
mod plaintext_comment;
mod plaintext_generator_source;
mod plaintext_value;
mod private_key;
mod recipients_mismatch;
mod removed_recipient_not_rotated;
mod selector_drift;
mod selector_hits_metadata;
mod selector_misses_data;
mod split_key_groups;
mod stale_data_key;
mod uncovered_file;
mod undecryptable_value;
mod unencrypted_file;
mod unencrypted_secret;
mod unknown_config_key;
mod unreachable_rule;
mod unreadable_document;
mod unselected_value;
mod untrusted_key_endpoint;
mod unusable_pgp_key;
mod unused_ignore;

pub use decrypted_artifact::Copy;
pub use encrypting::{hidden, sops_command};
pub use facts::{Covered, Facts, Repository};
pub use plaintext_generator_source::GeneratorSource;
pub use untrusted_key_endpoint::Endpoint;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;

use crate::document::{Document, DuplicateKey, Node, ParseError, Scalar, Value};
use crate::finding::{Draft, Drafts, Elsewhere, Needs, RuleMeta};
use crate::input::Input;
use crate::kubernetes::{Secret, VALUE_FIELDS};
use crate::path::RepoPath;
use crate::policy::{Config, CreationRule, Governing};
use crate::sops::census::{Census, Spot};
use crate::sops::metadata::Metadata;
use crate::sops::open::Opening;
use crate::sops::value::holds_ciphertext;
use crate::sops::verdict::Verdict;
use crate::sops::walk::{self, Step};
use crate::text::Span;
use crate::text::printable;
use crate::traces::Traces;

/// A rule that judges one file.
pub trait FileRule: Sync + fmt::Debug {
    /// Its static facts.
    fn meta(&self) -> &'static RuleMeta;

    /// Says what is wrong with the file.
    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>);
}

/// A rule that judges what is known of all files.
pub trait RepoRule: Sync + fmt::Debug {
    /// Its static facts.
    fn meta(&self) -> &'static RuleMeta;

    /// Says what is wrong with the repository. Every draft belongs to the file it comes with.
    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)>;
}

/// Rules that judge one file at a time, in the order in which people should meet them.
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
    &ignored_recipients::IgnoredRecipients,
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
    &decrypted_artifact::DecryptedArtifact,
    &selector_hits_metadata::SelectorHitsMetadata,
    &selector_misses_data::SelectorMissesData,
    &unreachable_rule::UnreachableRule,
    &ambiguous_sops_config::AmbiguousSopsConfig,
    &glob_like_regex::GlobLikeRegex,
    &loose_path_regex::LoosePathRegex,
];

/// Rules about the settings of this program. Only who reads those can judge them, so the drafts are
/// made in `settings`; here stand the manuals.
pub static SETTINGS_RULES: &[&RuleMeta] = &[INVALID_SETTINGS, UNUSED_IGNORE];

/// Settings that cannot be used.
pub static INVALID_SETTINGS: &RuleMeta = &invalid_settings::META;

/// An ignore that ignores nothing.
pub static UNUSED_IGNORE: &RuleMeta = &unused_ignore::META;

/// The static facts of every rule: those of files first, those of settings last.
pub fn all() -> impl Iterator<Item = &'static RuleMeta> {
    let repo = REPO_RULES.iter().map(|rule| rule.meta());
    let settings = SETTINGS_RULES.iter().copied();
    FILE_RULES.iter().map(|rule| rule.meta()).chain(repo).chain(settings)
}

/// The ids of the rules that look into a file with a private key, sorted.
pub fn needing_keys() -> Vec<&'static str> {
    let mut ids: Vec<_> =
        all().filter(|meta| meta.needs == Needs::Keys).map(|meta| meta.id).collect();
    ids.sort_unstable();
    ids
}

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static RuleMeta> {
    all().find(|meta| meta.id == id)
}

/// Writes down a rule: its manual is its doc comment. One that a secret can come to harm by says so
/// before the summary, as in `Leak(90),` or `Weakness(50),`; see [`crate::finding::Risk`].
macro_rules! declare_rule {
    (risk) => { crate::finding::Risk::Unrated };
    (risk $risk:ident($tenths:literal)) => { crate::finding::Risk::$risk($tenths) };
    (
        $(#[doc = $line:literal])+
        $name:ident, $id:literal, $level:ident, needs $needs:ident,
        $($risk:ident($tenths:literal),)? $summary:literal
    ) => {
        $(#[doc = $line])+
        #[derive(Debug)]
        pub(super) struct $name;

        declare_rule! {
            $(#[doc = $line])+ $id, $level, needs $needs, $($risk($tenths),)? $summary
        }
    };
    (
        $(#[doc = $line:literal])+
        $id:literal, $level:ident, needs $needs:ident,
        $($risk:ident($tenths:literal),)? $summary:literal
    ) => {
        $(#[doc = $line])+
        pub(super) static META: crate::finding::RuleMeta = crate::finding::RuleMeta {
            id: $id,
            level: crate::finding::Level::$level,
            needs: crate::finding::Needs::$needs,
            risk: declare_rule!(risk $($risk($tenths))?),
            summary: $summary,
            manual: concat!($($line, "\n"),+),
        };
    };
}
use declare_rule;

/// All that a rule may see of one file.
pub struct Subject<'s> {
    /// The file.
    pub input: &'s Input,
    /// Its text; empty if it is not UTF-8.
    pub text: &'s str,
    /// Its documents; none if it was not parsed.
    pub documents: &'s [Judged<'s>],
    /// Keys that stand twice.
    pub duplicate_keys: &'s [DuplicateKey],
    /// The documents of the file before the change that is judged; none where no change is, or
    /// where it did not stand at the same path. Their places are in other bytes: no finding may
    /// point at them.
    pub before: &'s [Judged<'s>],
    /// Why parsing ended early.
    pub parse_error: Option<&'s ParseError>,
    /// Who governs it.
    pub governing: Governing<'s>,
    /// The nearest config under a name that sops does not look for, where the file is not encrypted
    /// and nothing governs it.
    pub misnamed_config: Option<RepoPath>,
    /// Whether its name says that it is encrypted.
    pub claims_encryption: bool,
    /// What its bytes gave away before it was parsed.
    pub traces: Traces,
    /// Whether it is a template of manifests rather than a manifest.
    pub is_template: bool,
    /// What it configures, if it is a `.sops.yaml`.
    pub config: Option<&'s Config>,
    /// What it came to, if it was opened with the private keys at hand.
    pub opening: Option<&'s Opening>,
}

/// Shows nothing of the text.
impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

/// One document with all that was found out about it.
#[derive(Debug)]
pub struct Judged<'s> {
    /// The document.
    pub document: &'s Document<'s>,
    /// Its `sops` block.
    pub metadata: Option<Metadata>,
    /// The key `sops`, where what stands under it is no metadata.
    pub unrelated: Option<Span>,
    /// Its Secrets.
    pub secrets: Vec<Secret<'s, 's>>,
    /// What is encrypted in it and what is not, by its own selector or its file's.
    pub census: Census<'s, 's>,
    /// The ways to its values, once somebody asks.
    pub paths: OnceCell<HashMap<Span, Box<[Step<'s>]>>>,
}

impl<'s> Subject<'s> {
    /// The metadata that sops reads: the first document's.
    pub fn metadata(&self) -> Option<&'s Metadata> {
        self.documents.first()?.metadata.as_ref()
    }

    /// Whether any document has metadata.
    pub fn is_encrypted(&self) -> bool {
        self.documents.iter().any(|judged| judged.metadata.is_some())
    }

    /// Whether sops left more in it than a word: a block, or a ciphertext. Where it could not be
    /// read, its bytes have to tell.
    fn holds_sops(&self) -> bool {
        let is_read = !self.documents.is_empty() && self.parse_error.is_none();
        self.documents.iter().any(Judged::holds_sops)
            || holds_ciphertext(self.text)
            || (!is_read && self.traces.encrypted)
    }

    /// Where it stands.
    pub fn path(&self) -> &'s RepoPath {
        &self.input.path
    }

    /// Whether it stands among examples, tests or documentation, where secrets are mostly made up.
    pub fn is_example(&self) -> bool {
        const PLACES: [&str; 9] = [
            // Not `test`: that is the name of many a cluster.
            "tests", "testdata", "e2e", "doc", "docs", "example", "examples", "sample", "samples",
        ];
        let parent = self.path().parent();
        let stem = self.path().file_name().split('.').next().unwrap_or_default();
        parent.as_str().split('/').any(|place| PLACES.contains(&place) || place.ends_with("-tests"))
            || stem.ends_with("_test")
            || stem.starts_with("example-")
    }

    /// How to go back to the last version of the file that was right.
    fn restoring(&self) -> String {
        let path = quoted(self.path().as_str());
        format!(
            "restore the last good version of the file (`git restore --source=HEAD --staged --worktree {path}` if the last commit has it)"
        )
    }

    /// Whether sops refuses the encrypted file for what stands in it, as other findings say.
    fn is_refused(&self) -> bool {
        let verdict = self.opening.map(|opening| &opening.verdict);
        let is_broken = |judged: &Judged<'_>| {
            let census = &judged.census;
            judged.metadata.is_some()
                && !(census.plaintext.is_empty() && census.malformed.is_empty())
        };
        matches!(verdict, Some(Verdict::Refused(_))) || self.documents.iter().any(is_broken)
    }

    /// Points at the creation rule, if there is one.
    pub fn with_rule(&self, draft: Draft<'s>, message: &str) -> Draft<'s> {
        match self.governing.rule() {
            Some((config, rule)) => point_at(draft, config, rule, message),
            None => draft,
        }
    }
}

/// Adds a creation rule as a second place.
fn point_at<'s>(
    draft: Draft<'s>,
    config: &'s Config,
    rule: &'s CreationRule,
    message: &str,
) -> Draft<'s> {
    draft.elsewhere(Elsewhere::of(config), rule.span, message)
}

impl Judged<'_> {
    /// The way to the value at this place.
    pub fn key_path(&self, span: Span) -> Option<String> {
        let paths = self.paths.get_or_init(|| walk::paths(self.document));
        paths.get(&span).map(|path| walk::key_path(path))
    }

    /// Whether it has a `sops` block, or a value that is, or was meant to be, a ciphertext.
    fn holds_sops(&self) -> bool {
        let census = &self.census;
        self.metadata.is_some() || !census.misplaced.is_empty() || !census.malformed.is_empty()
    }

    /// Whether one of its Secrets has a value that is not encrypted.
    fn has_readable_secret(&self) -> bool {
        let mut found = false;
        self.for_each_secret_scalar(&mut |scalar| found |= self.census.readable(scalar).is_some());
        found
    }

    /// Calls `visit` with every scalar that is, or is part of, a value of a Secret. A text in the place
    /// of all values is one too.
    fn for_each_secret_scalar(&self, visit: &mut dyn FnMut(&Scalar<'_>)) {
        for secret in &self.secrets {
            secret.values().for_each(|value| for_each_scalar(&value.entry.node, visit));
            let fields = VALUE_FIELDS.iter().filter_map(|field| secret.node.get(field));
            fields.filter(|field| !field.is_map()).for_each(|field| for_each_scalar(field, visit));
        }
    }
}

/// Calls `visit` with every scalar at or below a node.
fn for_each_scalar<'d>(node: &'d Node<'_>, visit: &mut dyn FnMut(&'d Scalar<'_>)) {
    if let Value::Scalar(scalar) = &node.value {
        return visit(scalar);
    }
    node.entries().for_each(|entry| for_each_scalar(&entry.node, visit));
    node.elements().for_each(|element| for_each_scalar(element, visit));
}

/// Whether a document is what sops puts around a binary file: one ciphertext and its metadata.
fn is_envelope(judged: &Judged<'_>) -> bool {
    let root = &judged.document.root;
    let is_pair = root.entries().count() == 2 && judged.metadata.is_some();
    let data = root.get("data").and_then(Node::as_str);
    is_pair && data.is_some_and(crate::sops::value::looks_encrypted)
}

/// Points at the values behind the first, which the draft is about.
fn with_others<'s>(mut draft: Draft<'s>, spots: &[Spot<'s, 's>], words: &str) -> Draft<'s> {
    const SHOWN: usize = 4;
    for spot in spots.iter().skip(1).take(SHOWN) {
        draft = draft.also(spot.key_span, words);
    }
    draft
}

/// A path as one word of a POSIX shell.
pub fn quoted(path: &str) -> String {
    let path = printable::clean_path(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    let begins_plain = !path.starts_with('-');
    if path.chars().all(is_plain) && begins_plain {
        return path.into_owned();
    }
    let dash = if begins_plain { "" } else { "./" };
    format!("'{dash}{}'", path.replace('\'', r"'\''"))
}

/// The selector for the values of Kubernetes Secrets, as the guide of Flux has it.
const VALUES_ALONE: &str = "^(data|stringData)$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_a_summary_and_a_whole_manual() {
        for meta in all() {
            let id = meta.id;
            assert_eq!(all().filter(|other| other.id == id).count(), 1, "{id} stands twice");
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
