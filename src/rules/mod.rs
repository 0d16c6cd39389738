//! The rules: one file each, all in [`FILE_RULES`] or [`REPO_RULES`].
//!
//! A rule states facts about what it is shown. It does no I/O, cannot fail, and knows nothing of
//! levels that a user has changed or of findings that a user ignores.

mod ambiguous_sops_config;
mod glob_like_regex;
mod ignored_recipients;
mod invalid_metadata;
mod invalid_recipient;
mod invalid_regex;
mod invalid_sops_config;
mod loose_path_regex;
mod malformed_ciphertext;
mod merge_conflict;
mod misnamed_sops_config;
mod mixed_documents;
mod nothing_encrypted;
mod orphan_ciphertext;
mod plaintext_value;
mod private_key;
mod recipients_mismatch;
mod selector_hits_metadata;
mod selector_misses_data;
mod split_key_groups;
mod uncovered_file;
mod unencrypted_file;
mod unencrypted_secret;
mod unknown_config_key;
mod unreachable_rule;
mod unreadable_document;
mod unselected_value;

use std::collections::HashMap;
use std::fmt;

use crate::document::{Document, DuplicateKey, Node, ParseError, Value};
use crate::finding::{Draft, Drafts, Elsewhere, RuleMeta};
use crate::input::Input;
use crate::kubernetes::Secret;
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Config, CreationRule, Governing, Policy};
use crate::sops::census::{Census, Spot};
use crate::sops::metadata::Metadata;
use crate::sops::walk;
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
    &nothing_encrypted::NothingEncrypted,
    &mixed_documents::MixedDocuments,
    &private_key::PrivateKey,
    &invalid_metadata::InvalidMetadata,
    &malformed_ciphertext::MalformedCiphertext,
    &orphan_ciphertext::OrphanCiphertext,
    &merge_conflict::MergeConflict,
    &unreadable_document::UnreadableDocument,
    &recipients_mismatch::RecipientsMismatch,
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
    &uncovered_file::UncoveredFile,
    &selector_hits_metadata::SelectorHitsMetadata,
    &selector_misses_data::SelectorMissesData,
    &unreachable_rule::UnreachableRule,
    &ambiguous_sops_config::AmbiguousSopsConfig,
    &glob_like_regex::GlobLikeRegex,
    &loose_path_regex::LoosePathRegex,
];

/// The static facts of every rule: those of files first.
pub fn all() -> impl Iterator<Item = &'static RuleMeta> {
    let repo = REPO_RULES.iter().map(|rule| rule.meta());
    FILE_RULES.iter().map(|rule| rule.meta()).chain(repo)
}

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static RuleMeta> {
    all().find(|meta| meta.id == id)
}

/// Writes down a rule: its manual is its doc comment.
macro_rules! declare_rule {
    (
        $(#[doc = $line:literal])+
        $name:ident, $id:literal, $level:ident, needs $needs:ident, $summary:literal
    ) => {
        $(#[doc = $line])+
        #[derive(Debug)]
        pub(super) struct $name;

        pub(super) static META: crate::finding::RuleMeta = crate::finding::RuleMeta {
            id: $id,
            level: crate::finding::Level::$level,
            needs: crate::finding::Needs::$needs,
            summary: $summary,
            manual: concat!($($line, "\n"),+),
        };
    };
}
use declare_rule;

/// All that a rule may see of one file.
#[derive(Debug)]
pub struct Subject<'s> {
    /// The file.
    pub input: &'s Input,
    /// Its text; empty if it is not UTF-8.
    pub text: &'s str,
    /// Its documents; none if it was not parsed.
    pub documents: &'s [Judged<'s>],
    /// Keys that stand twice.
    pub duplicate_keys: &'s [DuplicateKey],
    /// Why parsing ended early.
    pub parse_error: Option<&'s ParseError>,
    /// Who governs it.
    pub governing: Governing<'s>,
    /// Whether its name says that it is encrypted.
    pub claims_encryption: bool,
    /// What its bytes gave away before it was parsed.
    pub traces: Traces,
    /// Whether it is a template of manifests rather than a manifest.
    pub is_template: bool,
    /// What it configures, if it is a `.sops.yaml`.
    pub config: Option<&'s Config>,
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

    /// Where it stands.
    pub fn path(&self) -> &'s RepoPath {
        &self.input.path
    }

    /// Whether it stands among examples, tests or documentation, where secrets are mostly made up.
    pub fn is_example(&self) -> bool {
        const PLACES: [&str; 10] = [
            "test", "tests", "testdata", "e2e", "doc", "docs", "example", "examples", "sample",
            "samples",
        ];
        let parent = self.path().parent();
        let stem = self.path().file_name().split('.').next().unwrap_or_default();
        parent.as_str().split('/').any(|place| PLACES.contains(&place))
            || stem.ends_with("_test")
            || stem.starts_with("example-")
    }

    /// The sops command that does `verb` to this file under its own config, run from the root.
    fn sops(&self, verb: &str) -> String {
        let path = quoted(self.path().as_str());
        match self.governing {
            Governing::Rule(config, _) if config.path.as_str() != CONFIG_NAME => {
                format!("`sops --config {} {verb} {path}`", quoted(config.path.as_str()))
            }
            _ => format!("`sops {verb} {path}`"),
        }
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
    draft.elsewhere(Elsewhere { path: &config.path, bytes: &config.bytes }, rule.span, message)
}

impl Judged<'_> {
    /// The way to the value at this place.
    pub fn key_path(&self, span: Span) -> Option<String> {
        walk::key_path_of(&self.document.root, span)
    }

    /// Whether one of its Secrets holds the value under its `data` or `stringData`.
    fn is_in_secret(&self, spot: &Spot<'_, '_>) -> bool {
        let holds =
            |secret: &Secret<'_, '_>| secret.values().any(|value| holds(&value.entry.node, spot));
        self.secrets.iter().any(holds)
    }
}

/// Whether the value stands in this tree: the very one, since an alias repeats its place.
fn holds(node: &Node<'_>, spot: &Spot<'_, '_>) -> bool {
    if let Value::Scalar(scalar) = &node.value {
        return std::ptr::eq(
            std::ptr::from_ref(scalar).cast::<()>(),
            std::ptr::from_ref(spot.scalar).cast(),
        );
    }
    node.entries().any(|entry| holds(&entry.node, spot))
        || node.elements().any(|element| holds(element, spot))
}

/// The first few of many, for a message: `a, b, c, and 3 more`.
fn listing<T>(all: &[T], name: impl Fn(&T) -> String) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> = all.iter().take(SHOWN).map(name).collect();
    if all.len() > SHOWN {
        names.push(format!("and {} more", all.len() - SHOWN));
    }
    names.join(", ")
}

/// Points at the values behind the first, which the draft is about.
fn with_others<'s>(mut draft: Draft<'s>, spots: &[Spot<'s, 's>], words: &str) -> Draft<'s> {
    const SHOWN: usize = 4;
    for spot in spots.iter().skip(1).take(SHOWN) {
        draft = draft.also(spot.key_span, words);
    }
    draft
}

/// What is kept of a file once it has been judged: no bytes and no values.
#[derive(Debug)]
pub struct Facts {
    /// The file.
    pub path: RepoPath,
    /// Whether it has metadata.
    pub is_encrypted: bool,
    /// How many Secrets are in it.
    pub secrets: usize,
    /// Whether it holds a Kubernetes object that has `metadata`, and is no template of one.
    pub is_manifest: bool,
    /// The values of its Secrets that have to be encrypted, or are.
    pub values: Covered,
    /// Whether the rule that the repository's own config has for it would encrypt other values of
    /// it than the governing rule.
    pub is_disputed: bool,
}

/// How many values of Secrets the selector of the governing rule covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Covered {
    /// Values that it would encrypt.
    pub covered: usize,
    /// Values under `data` and under `stringData` that it would leave in plaintext.
    pub exposed: [usize; 2],
}

/// All that a repository rule may see.
#[derive(Clone, Copy, Debug)]
pub struct Repository<'f> {
    /// The facts of all files that have any, sorted by path.
    pub facts: &'f [Facts],
    /// The creation rules.
    pub policy: &'f Policy,
    /// All files that were listed, whatever is in them, sorted.
    pub paths: &'f [&'f RepoPath],
    /// Whether they are all files below each directory; not where somebody named single files.
    pub is_whole: bool,
}

impl<'f> Repository<'f> {
    /// The configs among the files, sorted by path. Of those above them not all files are known.
    fn configs(&self) -> impl Iterator<Item = &'f Config> {
        let paths = self.paths;
        let is_listed = move |config: &&Config| paths.binary_search(&&config.path).is_ok();
        self.policy.configs().into_iter().filter(is_listed)
    }

    /// The files that a config can govern, as its rules see them; without the config itself. None
    /// where only some are known: what holds for those may not hold for all.
    fn paths_below(&self, config: &Config) -> Vec<&'f str> {
        if !self.is_whole {
            return Vec::new();
        }
        let directory = config.path.parent();
        let others = self.paths.iter().filter(|path| ***path != config.path);
        others.filter_map(|path| path.below(directory.as_str())).collect()
    }

    /// Every rule of these configs, with the facts of the files that it governs.
    fn rules(&self) -> Vec<(&'f Config, &'f CreationRule, Vec<&'f Facts>)> {
        let mut governed: HashMap<*const CreationRule, Vec<&'f Facts>> = HashMap::new();
        for facts in self.facts {
            if let Some((_, rule)) = self.policy.governing(&facts.path).rule() {
                governed.entry(std::ptr::from_ref(rule)).or_default().push(facts);
            }
        }
        let mut facts_of = |rule| governed.remove(&std::ptr::from_ref(rule)).unwrap_or_default();
        let rules = self.configs().flat_map(|config| config.rules.iter().map(move |r| (config, r)));
        rules.map(|(config, rule)| (config, rule, facts_of(rule))).collect()
    }
}

/// A path as one word of a POSIX shell.
fn quoted(path: &str) -> String {
    let path = printable::clean_path(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    let begins_plain = !path.starts_with('-');
    if path.chars().all(is_plain) && begins_plain {
        return path.into_owned();
    }
    let dash = if begins_plain { "" } else { "./" };
    format!("'{dash}{}'", path.replace('\'', r"'\''"))
}

/// `1 value`, `2 values`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

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
