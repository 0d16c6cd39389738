//! One file from bytes to findings: parse, classify, find its policy, ask every rule.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::document::{self, Document, Format, Parsed};
use crate::finding::{Draft, Drafts, Finding, Label, Place};
use crate::input::{Content, Input};
use crate::kubernetes::public::is_public;
use crate::kubernetes::reference::{Reference, classify};
use crate::kubernetes::{self, Secret, SecretValue, VALUE_FIELDS};
use crate::path::RepoPath;
use crate::policy::{self, Aim, CONFIG_NAME, Governing, Policy};
use crate::redact::Redactor;
use crate::rules::{Covered, FILE_RULES, Facts, Judged, REPO_RULES, Repository, Subject};
use crate::sops::census::{self, Census};
use crate::sops::metadata::{self, Found};
use crate::sops::walk;
use crate::text::{LineIndex, Span};
use crate::traces::{self, Traces};

/// What surrounds the files of one run.
#[derive(Clone, Copy)]
pub struct Surroundings<'p> {
    /// The creation rules.
    pub policy: &'p Policy,
    /// Whether a file exists in the tree that is judged.
    pub exists: &'p (dyn Fn(&RepoPath) -> bool + Sync),
}

/// What came out of one file.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order of the rules.
    pub findings: Vec<Finding>,
    /// What repository rules need to know; `None` of a file that has nothing to do with secrets.
    pub facts: Option<Facts>,
    /// Why the file was not judged though it should have been.
    pub skipped: Option<&'static str>,
}

/// Judges one file.
pub fn inspect(input: &Input, surroundings: Surroundings<'_>) -> Outcome {
    let bytes = input.bytes();
    let traces = traces::look(bytes);
    let claims_encryption = traces::claims_encryption(&input.path);
    let config = surroundings.policy.config(&input.path);
    let governing = surroundings.policy.governing(&input.path);
    let format = document::format_of(&input.path);
    // Only structured files can break a promise that a creation rule makes for them.
    let is_ruled = format.is_some() && governing.aim(&input.path) != Aim::Anything;
    let is_oversized = matches!(input.content, Content::TooLarge(_));
    let may_configure = config.is_some() || policy::has_misleading_name(&input.path);
    if !(traces.any() || claims_encryption || is_ruled || may_configure || is_oversized) {
        return Outcome::default();
    }
    let text = std::str::from_utf8(bytes);
    let parsed = match text {
        Ok(text) if config.is_none() => parse(input, text, format, traces, claims_encryption),
        _ => None,
    };
    let parsed = parsed.unwrap_or_else(|| unparsed(&text, traces, claims_encryption, format));
    let documents = judge(&parsed.documents);
    let subject = Subject {
        input,
        text: text.unwrap_or_default(),
        documents: &documents,
        duplicate_keys: &parsed.duplicate_keys,
        parse_error: parsed.error.as_ref(),
        governing,
        claims_encryption,
        traces,
        is_template: traces::is_template(&input.path)
            || is_in_chart(&input.path, surroundings.exists),
        config,
    };
    let mut drafts = Drafts::default();
    for rule in FILE_RULES {
        rule.check(&subject, &mut drafts);
    }
    let skipped = skip_reason(&subject);
    Outcome {
        findings: settle(&subject, drafts),
        facts: facts(&subject, surroundings.policy, skipped),
        skipped,
    }
}

/// Judges what is known of all files. `read` gives the bytes of a file that a finding points at.
pub fn inspect_repository(
    repository: Repository<'_>,
    mut read: impl FnMut(&RepoPath) -> Vec<u8>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut indexes: HashMap<&RepoPath, LineIndex<'_>> = HashMap::new();
    for rule in REPO_RULES {
        for (path, draft) in rule.check(&repository) {
            if let Some(config) = repository.policy.config(path) {
                let index = indexes.entry(path).or_insert_with(|| LineIndex::new(&config.bytes));
                let redactor = Redactor::for_config(&config.bytes);
                findings.push(finding(path, index, &redactor, draft));
                continue;
            }
            let bytes = read(path);
            let redactor = Redactor::new(&bytes, &[]);
            let mut found = finding(path, &LineIndex::new(&bytes), &redactor, draft);
            // These speak of whole files: a masked line would say nothing.
            found.place.line.clear();
            findings.push(found);
        }
    }
    findings
}

/// Parses a file that may matter; `None` where it is in no format that is read here.
fn parse<'t>(
    input: &Input,
    text: &'t str,
    format: Option<&'static dyn Format>,
    traces: Traces,
    claims_encryption: bool,
) -> Option<Parsed<'t>> {
    let Some(format) = format else {
        // sops takes a file of any other name as binary and writes a JSON envelope around it.
        let is_envelope = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
        let is_named = claims_encryption && other_store(&input.path).is_none();
        return (traces.sops && (is_envelope || is_named))
            .then(|| document::format_by_content(text).parse(text));
    };
    let parsed = format.parse(text);
    if parsed.error.is_some() && traces.encrypted {
        // `sops --input-type` can put any format under any name.
        let by_content = document::format_by_content(text);
        if by_content.name() != format.name() {
            let other = by_content.parse(text);
            if other.error.is_none() {
                return Some(other);
            }
        }
    }
    Some(parsed)
}

/// Stands in for a file without documents; an error where it should have had some.
fn unparsed<'t>(
    text: &Result<&'t str, std::str::Utf8Error>,
    traces: Traces,
    claims_encryption: bool,
    format: Option<&'static dyn Format>,
) -> Parsed<'t> {
    let matters = format.is_some() && (traces.encrypted || claims_encryption);
    let error = match text {
        Err(error) if matters => Some(document::ParseError::new(
            error.valid_up_to(),
            Cow::Borrowed("a byte stands here that is not UTF-8"),
        )),
        _ => None,
    };
    Parsed { documents: Vec::new(), duplicate_keys: Vec::new(), error }
}

fn judge<'s>(documents: &'s [Document<'s>]) -> Vec<Judged<'s>> {
    let mut judged: Vec<Judged<'s>> = Vec::with_capacity(documents.len());
    for document in documents {
        let (metadata, unrelated) = match metadata::find(document) {
            Found::Nothing => (None, None),
            Found::Unrelated(span) => (None, Some(span)),
            Found::Metadata(metadata) => (Some(*metadata), None),
        };
        // sops reads the first document's block and applies it to the whole file.
        let first = judged.first().and_then(|first| first.metadata.as_ref());
        let metadata_in_force = metadata.as_ref().or(first);
        let census = match metadata_in_force {
            // Every guess at the selector would make false findings.
            Some(metadata) if metadata.is_ambiguous => Census::unknown(),
            _ => {
                census::take(document, metadata_in_force.map(|metadata| &metadata.recipe.selector))
            }
        };
        let secrets = kubernetes::secrets(document);
        judged.push(Judged { document, metadata, unrelated, secrets, census });
    }
    judged
}

/// Whether a file is a template of a Helm chart: below `templates/` beside a `Chart.yaml`.
fn is_in_chart(path: &RepoPath, exists: &(dyn Fn(&RepoPath) -> bool + Sync)) -> bool {
    path.ancestors()
        .filter(|directory| *directory == "templates" || directory.ends_with("/templates"))
        .any(|directory| exists(&RepoPath::from(directory).parent().join("Chart.yaml")))
}

/// The store that sops would choose by name and that is not read here yet.
fn other_store(path: &RepoPath) -> Option<&'static str> {
    let name = path.file_name();
    [".env", ".ini"].into_iter().find(|ending| name.ends_with(ending))
}

fn skip_reason(subject: &Subject<'_>) -> Option<&'static str> {
    if let Content::TooLarge(_) = subject.input.content {
        return Some("larger than the limit of 16 MiB");
    }
    if !subject.documents.is_empty() || !subject.traces.sops || subject.config.is_some() {
        return None;
    }
    match other_store(subject.path()) {
        Some(".env") => Some("dotenv files are not judged by this version"),
        Some(_) => Some("INI files are not judged by this version"),
        None => None,
    }
}

fn facts(subject: &Subject<'_>, policy: &Policy, skipped: Option<&'static str>) -> Option<Facts> {
    let secrets = subject.documents.iter().map(|judged| judged.secrets.len()).sum();
    let is_encrypted = subject.is_encrypted();
    if secrets == 0 && !is_encrypted || skipped.is_some() {
        return None;
    }
    let mut manifests = subject.documents.iter().map(|judged| judged.document);
    Some(Facts {
        path: subject.path().clone(),
        is_encrypted,
        secrets,
        is_manifest: !subject.is_template && manifests.any(kubernetes::is_manifest),
        values: covered(subject),
        is_disputed: is_disputed(subject, policy),
    })
}

/// Whether it depends on the config, the nearest or the topmost, which values are encrypted.
fn is_disputed(subject: &Subject<'_>, policy: &Policy) -> bool {
    let top = policy.config(&RepoPath::from(CONFIG_NAME));
    let Some((config, near)) = subject.governing.rule() else { return false };
    let far = top.filter(|top| top.path != config.path).map(|top| top.governing(subject.path()));
    let Some((_, far)) = far.and_then(Governing::rule) else { return false };
    let (near, far) = (&near.recipe.selector, &far.recipe.selector);
    let selected = |document: &Document<'_>, selector| {
        let mut selected = Vec::new();
        walk::leaves(&document.root, selector, &mut |leaf| {
            selected.push(leaf.is_selected && !leaf.scalar.is_empty());
        });
        selected
    };
    let mut documents = subject.documents.iter().map(|judged| judged.document);
    !near.is_equal(far)
        && documents.any(|document| selected(document, near) != selected(document, far))
}

/// What the governing rule would do to the Secrets of a file, value by value.
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

/// Whether a value of a Secret is more than nothing, a reference or something public.
fn is_confidential(secret: &Secret<'_, '_>, value: &SecretValue<'_, '_>) -> bool {
    let is_base64 = value.field == "data";
    value.entry.node.as_str().is_some_and(|text| {
        !text.is_empty()
            && classify(text, is_base64) != Reference::Whole
            && !is_public(secret, &value.entry.key, text, is_base64)
    })
}

/// Turns drafts into findings: the last moment at which the file's bytes are at hand.
fn settle(subject: &Subject<'_>, drafts: Drafts<'_>) -> Vec<Finding> {
    if drafts.drafts.is_empty() {
        return Vec::new();
    }
    let bytes = subject.input.bytes();
    let documents: Vec<&Document<'_>> =
        subject.documents.iter().map(|judged| judged.document).collect();
    let redactor = match subject.config {
        Some(_) => Redactor::for_config(bytes),
        None => Redactor::new(bytes, &documents),
    };
    let (path, index) = (subject.path(), LineIndex::new(bytes));
    drafts.drafts.into_iter().map(|draft| finding(path, &index, &redactor, draft)).collect()
}

fn finding(
    path: &RepoPath,
    index: &LineIndex<'_>,
    redactor: &Redactor<'_>,
    draft: Draft<'_>,
) -> Finding {
    let related = draft.labels.into_iter().map(|label| match label.elsewhere {
        None => Label { place: place(path, index, redactor, label.span), message: label.message },
        Some(other) => {
            let index = LineIndex::new(other.bytes);
            let redactor = Redactor::for_config(other.bytes);
            let place = place(other.path, &index, &redactor, label.span);
            Label { place, message: label.message }
        }
    });
    Finding {
        rule: draft.rule,
        level: draft.level,
        place: place(path, index, redactor, draft.span),
        document: draft.document,
        key_path: draft.key_path,
        message: draft.message,
        note: draft.note,
        help: draft.help,
        related: related.collect(),
        fix: draft.fix,
        occurrence: 0,
    }
}

fn place(path: &RepoPath, index: &LineIndex<'_>, redactor: &Redactor<'_>, span: Span) -> Place {
    let (start, end) = (index.position(span.start), index.position(span.end.max(span.start)));
    let line = index.line(start.line).unwrap_or(Span::at(span.start));
    Place { path: path.clone(), start, end, line: redactor.show(line), line_start: line.start }
}
