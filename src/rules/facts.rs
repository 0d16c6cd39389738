//! The facts about each file that repository rules need.

use super::copy::{Copy, copy_of};
use super::endpoint::{Endpoint, endpoints};
use super::generator_source::{GeneratorSource, sources};
use super::identity::{Damage, damage};
use super::secret_selector::{hits, proposal, usual};
use super::subject::Subject;
use super::written::unlike_its_name;
use super::written::{format_of, sops_name};
use crate::document::{self, Document};
use crate::finding::Drafts;
use crate::input::Content;
use crate::kubernetes::public::is_public;
use crate::kubernetes::reference::{Reference, classify};
use crate::kubernetes::{self, Secret, SecretValue, VALUE_FIELDS};
use crate::path::RepoPath;
use crate::policy::{Config, Governing, Ruling};
use crate::sops::metadata::Addressed;
use crate::sops::recipe::drift;
use crate::sops::selector::Field;
use crate::sops::value::looks_encrypted;
use crate::sops::walk::{self, Step};
use crate::text::Span;

/// The facts that are kept about a judged file. They hold no bytes and no values.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations")]
pub struct Facts {
    /// The file.
    pub path: RepoPath,
    /// True if it has SOPS metadata.
    pub is_encrypted: bool,
    /// The name that sops has for its format, if sops does not see that by the name of the file.
    pub foreign_format: Option<&'static str>,
    /// The day on which its data key was first encrypted, and the place of that date.
    pub oldest_stanza: Option<(u32, Span)>,
    /// Its recipients whose encrypted data keys say which public keys they are for.
    pub addressed: Vec<Addressed>,
    /// The format in which it is encrypted, by the name that sops has for it.
    pub written: Option<&'static str>,
    /// The number of Secrets in it.
    pub secrets: usize,
    /// The services that decrypt its data key: one for each recipient of a remote key service.
    pub endpoints: Vec<Endpoint>,
    /// True if it holds anything that sops made, even in a format that sops-lint does not read. The
    /// word "sops" alone is no evidence.
    pub has_sops: bool,
    /// True if a rule about files reports that it is not encrypted.
    pub is_reported: bool,
    /// The damage to the kind and name of a manifest in it.
    pub damage: Option<Damage>,
    /// The sources of the Secrets that it makes, if it is a kustomization or a generator.
    pub generator_sources: Vec<GeneratorSource>,
    /// The evidence that it is, or has, a decrypted copy.
    pub copy: Copy,
    /// True if it holds a Kubernetes object with `metadata` and is not a template of one.
    pub is_manifest: bool,
    /// The values of its Secrets that have to be encrypted, or are.
    pub values: Covered,
    /// True if its recipients are not those of the governing rule, which has a finding.
    pub is_mismatched: bool,
    /// The rule that misses it because of the beginning of its pattern, if it has the recipients of that rule.
    pub agrees_with: Option<usize>,
    /// True if the topmost config has a rule for it that would encrypt other values than the
    /// governing rule.
    pub is_disputed: bool,
    /// True if it has values that the governing rule covers, and that a selector for Secrets would not.
    pub is_uncovered: bool,
    /// The rule that governs it: `Repository::governing`.
    pub ruling: Ruling,
}

impl Facts {
    /// Collects the facts about a file that repository rules need; `None` if it has nothing to do
    /// with secrets. For a file that could not be judged, these are only its traces. `root_config`:
    /// the topmost config, if a rule governs the file; `drafts`: the findings of the rules about
    /// files; `exists`: asks for a file of the repository; `is_twin`: an encrypted file has the same
    /// name.
    pub fn of(
        subject: &Subject<'_>,
        root_config: Option<&Config>,
        drafts: &Drafts<'_>,
        exists: &dyn Fn(&RepoPath) -> bool,
        is_twin: bool,
    ) -> Option<Self> {
        let was_judged = !matches!(subject.input.content, Content::TooLarge(_));
        let documents = if was_judged { subject.documents } else { &[] };
        let is_encrypted = documents.iter().any(|judged| judged.metadata.is_some());
        let secrets = documents.iter().map(|judged| judged.secrets.len()).sum();
        let generator_sources = sources(subject, exists);
        let has_sops = subject.holds_sops();
        let copy = copy_of(subject, is_twin);
        let is_reported = drafts.report_plaintext();
        let is_interesting = secrets > 0 || is_encrypted || has_sops || is_twin || copy.is_named();
        if !is_interesting && !is_reported && generator_sources.is_empty() {
            return None;
        }
        let endpoints = endpoints(subject);
        let path = subject.path().clone();
        let metadata = subject.metadata();
        let mut manifests = documents.iter().map(|judged| judged.document);
        Some(Self {
            path,
            is_encrypted,
            foreign_format: unlike_its_name(subject),
            oldest_stanza: metadata.and_then(|metadata| metadata.oldest_stanza),
            addressed: metadata.map(|metadata| metadata.addressed.clone()).unwrap_or_default(),
            written: is_encrypted.then(|| sops_name(format_of(subject))),
            secrets,
            endpoints,
            has_sops,
            is_reported,
            damage: damage(subject),
            generator_sources,
            copy,
            is_manifest: !subject.is_template && manifests.any(kubernetes::is_manifest),
            values: covered(subject),
            is_mismatched: is_mismatched(subject),
            agrees_with: agrees_with(subject),
            is_disputed: is_disputed(subject, root_config),
            is_uncovered: is_uncovered(subject),
            ruling: subject.governing.ruling(),
        })
    }
}

/// The number of values of Secrets that the selector of the governing rule covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Covered {
    /// Values that it would encrypt.
    pub covered: usize,
    /// Values under `data` and under `stringData` that it would leave in plaintext.
    pub exposed: [usize; 2],
}

impl Facts {
    /// Returns true if it is a manifest whose kind is encrypted.
    pub(super) fn is_hidden(&self) -> bool {
        matches!(self.damage, Some(Damage::Encrypted { .. }))
    }
}

impl Facts {
    /// Returns true if it also has ciphertexts that a selector for Secrets would leave in plaintext.
    pub(super) fn has_other_values(&self) -> bool {
        matches!(self.damage, Some(Damage::Encrypted { has_other_values: true, .. }))
    }
}

impl Covered {
    /// Returns true if there is any value.
    pub(super) fn any(self) -> bool {
        self.covered > 0 || self.exposed != [0, 0]
    }
}

/// Returns true if a file has other recipients than the governing rule demands.
fn is_mismatched(subject: &Subject<'_>) -> bool {
    let (Some(metadata), Some((_, rule))) = (subject.metadata(), subject.governing.rule()) else {
        return false;
    };
    !rule.lacks_recipients() && !drift(&metadata.recipe, &rule.recipe).is_none()
}

/// Returns the number of the rule that misses a file, if the file has its recipients already.
fn agrees_with(subject: &Subject<'_>) -> Option<usize> {
    let metadata = subject.metadata()?;
    let (rule, _) = subject.governing.config()?.missed_by(subject.path())?;
    drift(&metadata.recipe, &rule.recipe).is_none().then_some(rule.number)
}

/// Returns true if the nearest and the topmost config would encrypt different values.
fn is_disputed(subject: &Subject<'_>, top: Option<&Config>) -> bool {
    let Some((config, near)) = subject.governing.rule() else { return false };
    let far = top.filter(|top| top.path != config.path).map(|top| top.governing(subject.path()));
    let Some((_, far)) = far.and_then(Governing::rule) else { return false };
    let (near, far) = (&near.recipe.selector, &far.recipe.selector);
    let selected = |document: &Document<'_>, selector| {
        let mut selected = Vec::new();
        walk::leaves(document, selector, &mut |leaf| {
            selected.push(leaf.is_selected && !leaf.scalar.is_empty());
        });
        selected
    };
    let mut documents = subject.documents.iter().map(|judged| judged.document);
    !near.is_equal(far)
        && documents.any(|document| selected(document, near) != selected(document, far))
}

/// Returns true if a rule for the values of Secrets would leave values in plaintext that the rule covers.
fn is_uncovered(subject: &Subject<'_>) -> bool {
    let Some((_, rule)) = subject.governing.rule() else { return false };
    let old = &rule.recipe.selector;
    // Nothing has to become narrower.
    let is_sound = old.field == Field::EncryptedRegex && hits(old).is_empty();
    if is_sound || subject.config.is_some() || document::format_of(subject.path()).is_none() {
        return false;
    }
    let new = proposal(old).map_or_else(usual, |proposal| proposal.selector);
    subject.documents.iter().any(|judged| {
        let selected = |selector| {
            let mut selected = Vec::new();
            walk::leaves(judged.document, selector, &mut |leaf| {
                // The type of a Secret is public.
                let first = leaf.path.first();
                let is_public = matches!(
                    first,
                    Some(Step::Key("apiVersion" | "kind" | "type" | "immutable" | "metadata"))
                );
                selected.push(leaf.is_selected && !is_public && !leaf.scalar.is_empty());
            });
            selected
        };
        selected(old).into_iter().zip(selected(&new)).any(|(old, new)| old && !new)
    })
}

/// Counts the values in the Secrets of a file that the governing rule would encrypt.
fn covered(subject: &Subject<'_>) -> Covered {
    let mut covered = Covered::default();
    let Some((_, rule)) = subject.governing.rule() else { return covered };
    if subject.is_template || (!subject.is_encrypted() && subject.is_example()) {
        return covered;
    }
    let selector = &rule.recipe.selector;
    for judged in subject.documents {
        // What an operator makes Secrets of has no kind, and is encrypted in its own way.
        let secrets = judged.secrets.iter().filter(|secret| secret.node.get("kind").is_some());
        for secret in secrets.filter(|secret| !secret.is_deletion()) {
            for value in secret.values().filter(|value| is_confidential(secret, value)) {
                if selector.selects(&[value.field, &value.entry.key]) {
                    covered.covered += 1;
                } else {
                    covered.exposed[usize::from(value.field == VALUE_FIELDS[1])] += 1;
                }
            }
        }
    }
    covered
}

/// Returns true unless a value of a Secret is empty, a reference or public.
fn is_confidential(secret: &Secret<'_, '_>, value: &SecretValue<'_, '_>) -> bool {
    let is_base64 = value.field == "data";
    value.entry.node.as_str().is_some_and(|text| {
        // Whatever is encrypted was worth it, and is no base64 to be decoded.
        looks_encrypted(text)
            || !text.is_empty()
                && classify(text, is_base64) != Reference::Whole
                && !is_public(secret, &value.entry.key, text, is_base64)
    })
}
