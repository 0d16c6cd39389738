//! One file from bytes to findings: parse, classify, find its policy, ask every rule.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use crate::document::{self, Document, Format, Parsed, Shape, Value};
use crate::finding::{Draft, Drafts, Finding, Label, Place, Risk, RuleMeta};
use crate::input::{Content, Input};
use crate::keys::KeyRing;
use crate::keys::certificate::Certificate;
use crate::keys::openpgp;
use crate::path::RepoPath;
use crate::pattern::globs::Globs;
use crate::policy::{self, Aim, Governing, Policy};
use crate::redact::Redactor;
use crate::rules::{FILE_RULES, Facts, Judged, REPO_RULES, Repository, Subject};
use crate::sops::envelope;
use crate::sops::metadata::{self, Found};
use crate::sops::open::{self, Opening};
use crate::sops::verdict::{Unopened, Verdict};
use crate::sops::walk::obstacle;
use crate::text::{LineIndex, Span};
use crate::traces::{self, Traces};

/// What surrounds the files of one run.
#[derive(Clone, Copy)]
pub struct Surroundings<'p> {
    /// The creation rules.
    pub policy: &'p Policy,
    /// Whether a file exists in the tree that is judged.
    pub exists: &'p (dyn Fn(&RepoPath) -> bool + Sync),
    /// The names that claim encryption; the usual ones without it.
    pub encrypted_names: Option<&'p Globs>,
    /// Files after which one is named that says it is encrypted: `x.yaml` for `x.enc.yaml`.
    pub twins: &'p HashSet<RepoPath>,
    /// The file at a path before the change that is judged, if that is another; `None` where no
    /// change is judged.
    pub before: Option<&'p Earlier<'p>>,
    /// Whether the file is gone, so that nothing but a leak can be told of it.
    pub is_gone: bool,
    /// The private keys at hand; without it no file is opened.
    pub ring: Option<&'p KeyRing>,
    /// The day of the run, counted from 1970-01-01.
    pub today: u32,
}

impl Surroundings<'_> {
    /// Whether a rule is asked.
    fn ask(&self, rule: &RuleMeta) -> bool {
        !self.is_gone || matches!(rule.risk, Risk::Leak(_))
    }
}

/// Gives the file at a path as it was before.
pub type Earlier<'p> = dyn Fn(&RepoPath) -> Option<Input> + Sync + 'p;

/// What came out of one file.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order of the rules.
    pub findings: Vec<Finding>,
    /// What repository rules need to know; `None` of a file that has nothing to do with secrets.
    pub facts: Option<Facts>,
    /// The OpenPGP certificates in it.
    pub certificates: Vec<Certificate>,
    /// Why the file was not judged though it should have been.
    pub skipped: Option<&'static str>,
    /// Whether its MAC was compared; `None` if it is not encrypted.
    pub verification: Option<Verification>,
}

/// Whether the MAC of an encrypted file was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It holds.
    Verified,
    /// The file is not what sops wrote; a finding says so.
    Refused,
    /// It was not, and why: lower case, no full stop.
    Skipped(String),
}

/// Judges one file.
pub fn inspect(input: &Input, surroundings: Surroundings<'_>) -> Outcome {
    let bytes = input.bytes();
    let traces = traces::look(&input.path, bytes);
    let claims_encryption = traces::claims_encryption(&input.path, surroundings.encrypted_names);
    let config = surroundings.policy.config(&input.path);
    let governing = surroundings.policy.governing(&input.path);
    let format = document::format_of(&input.path);
    let is_twin = surroundings.twins.contains(&input.path);
    let is_of_note = traces.any() || is_twin || claims_encryption || config.is_some();
    if !is_of_note && !is_suspect(input) && !is_ruled(&governing, input, format.is_some()) {
        let certificates = certificates(bytes, traces, surroundings);
        return Outcome { certificates, ..Outcome::default() };
    }
    let text = std::str::from_utf8(bytes);
    let parsed = match text {
        Ok(text) if config.is_none() => parse(text, format, traces, claims_encryption),
        _ => None,
    };
    let parsed = parsed.unwrap_or_else(|| unparsed(&text, traces, claims_encryption, format));
    let documents = Judged::all(&parsed.documents);
    let is_unclear = is_unclear(text.unwrap_or_default(), format, traces);
    let opening = surroundings.ring.filter(|_| !is_unclear);
    let opening = opening.and_then(|ring| open(&parsed, &documents, ring));
    let earlier = surroundings.before.filter(|_| is_encrypted(&documents));
    let earlier = earlier.and_then(|before| before(&input.path));
    let earlier = earlier.as_ref().and_then(|earlier| parse_earlier(earlier, format));
    let before = earlier.as_ref().map(|parsed| Judged::all(&parsed.documents)).unwrap_or_default();
    let subject = Subject {
        input,
        text: text.unwrap_or_default(),
        documents: &documents,
        before: &before,
        duplicate_keys: &parsed.duplicate_keys,
        parse_error: parsed.error.as_ref(),
        governing,
        misnamed_config: misnamed_config(input, governing, &documents, surroundings),
        claims_encryption,
        traces,
        is_template: traces::is_template(&input.path)
            || is_in_chart(&input.path, surroundings.exists),
        config,
        opening: opening.as_ref(),
    };
    let mut drafts = Drafts::default();
    let asked = FILE_RULES.iter().filter(|rule| surroundings.ask(rule.meta()));
    for rule in asked.filter(|rule| !(is_unclear && rule.relies_on_lines())) {
        rule.check(&subject, &mut drafts);
    }
    let facts = Facts::of(&subject, surroundings.policy, &drafts, surroundings.exists, is_twin);
    let may_open = surroundings.ring.is_some();
    let verification = (subject.is_encrypted() || is_unclear)
        .then(|| verification(&subject, may_open, is_unclear));
    let certificates = certificates(bytes, traces, surroundings);
    Outcome {
        findings: settle(&subject, drafts),
        facts,
        certificates,
        skipped: skip_reason(&subject),
        verification,
    }
}

/// Why the MAC of a file is not compared that sops reads in other lines.
const UNCLEAR: &str = "a line separator (U+0085, U+2028 or U+2029) stands in it, which sops reads as the end of a line, and we do not";

/// Whether sops reads an encrypted file in other lines than we do.
fn is_unclear(text: &str, format: Option<&dyn Format>, traces: Traces) -> bool {
    let is_yaml = format.is_some_and(|format| format.name() == "yaml");
    is_yaml && traces.sops && document::yaml::line_separator(text).is_some()
}

/// A config that was meant for a plaintext file, and that sops does not find.
fn misnamed_config(
    input: &Input,
    governing: Governing<'_>,
    documents: &[Judged<'_>],
    surroundings: Surroundings<'_>,
) -> Option<RepoPath> {
    let is_asked = matches!(governing, Governing::NoConfig) && !is_encrypted(documents);
    is_asked.then(|| policy::misnamed_config(&input.path, surroundings.exists)).flatten()
}

/// Whether a file has to be looked into for its name or its size.
fn is_suspect(input: &Input) -> bool {
    matches!(input.content, Content::TooLarge(_))
        || traces::claims_decryption(&input.path).is_some()
        || policy::has_misleading_name(&input.path)
}

/// Whether a creation rule makes a promise for a file that this one can break; asked last, since it
/// takes longest to find out.
fn is_ruled(governing: &Governing<'_>, input: &Input, has_format: bool) -> bool {
    match governing.aim(&input.path) {
        Aim::Anything => false,
        Aim::SecretsDirectory => has_format || traces::is_pem_key(input.bytes()),
        Aim::File => true,
    }
}

/// Opens an encrypted file. `None` if it is damaged in a way that no key is needed to see: sops would
/// not even begin with it.
fn open(parsed: &Parsed<'_>, documents: &[Judged<'_>], ring: &KeyRing) -> Option<Opening> {
    let metadata = documents.first()?.metadata.as_ref()?;
    let is_known = metadata.problems.is_empty() && !metadata.is_ambiguous;
    let is_whole = parsed.error.is_none() && is_known;
    // INI takes the last of two equal keys.
    let is_plain = parsed.documents.iter().all(|document| document.shape == Shape::Sections)
        || parsed.duplicate_keys.is_empty();
    if !is_whole || !is_plain || parsed.documents.iter().any(|one| obstacle(one).is_some()) {
        return None;
    }
    let envelope = envelope::read(parsed.documents.first()?)?;
    let documents: Vec<&Document<'_>> = parsed.documents.iter().collect();
    Some(open::open(&documents, metadata, &envelope, ring))
}

fn verification(subject: &Subject<'_>, may_open: bool, is_unclear: bool) -> Verification {
    let skipped = |reason: &str| Verification::Skipped(reason.to_owned());
    if is_unclear {
        return skipped(UNCLEAR);
    }
    let Some(opening) = subject.opening else {
        return skipped(if may_open {
            "it is damaged in a way that keeps sops from opening it"
        } else {
            "no MAC was to be compared (--verify never)"
        });
    };
    match &opening.verdict {
        Verdict::Verified(_) => Verification::Verified,
        Verdict::Refused(_) => Verification::Refused,
        Verdict::Unopened(Unopened::NoKey) => Verification::Skipped(no_key(subject)),
        Verdict::Unopened(Unopened::NotOpened) => {
            skipped("a private key for it is at hand, but does not open its data key")
        }
        Verdict::Unopened(Unopened::TooFewGroups { have, need }) => Verification::Skipped(format!(
            "private keys for {have} of the {need} key groups that it takes"
        )),
        Verdict::Unopened(Unopened::TooManyDataKeys { tried }) => Verification::Skipped(format!(
            "its data keys are too many: {tried} of a key service were tried, and do not open it"
        )),
    }
}

/// Who could have opened the file.
fn no_key(subject: &Subject<'_>) -> String {
    const SHOWN: usize = 3;
    let recipients: Vec<_> =
        subject.metadata().into_iter().flat_map(|metadata| metadata.recipe.recipients()).collect();
    let mut names: Vec<String> = recipients.iter().take(SHOWN).map(ToString::to_string).collect();
    if recipients.len() > SHOWN {
        names.push(format!("and {} more", recipients.len() - SHOWN));
    }
    match recipients.len() {
        0 => "no private key for it".to_owned(),
        1 => format!("no private key for its recipient {}", names.join("")),
        number => {
            format!("no private key for any of its {number} recipients: {}", names.join(", "))
        }
    }
}

fn certificates(bytes: &[u8], traces: Traces, surroundings: Surroundings<'_>) -> Vec<Certificate> {
    if traces.certificate { openpgp::certificates(bytes, surroundings.today) } else { Vec::new() }
}

/// Judges what is known of all files. `read` gives the bytes of a file that a finding points at.
pub fn inspect_repository(
    repository: Repository<'_>,
    mut read: impl FnMut(&RepoPath) -> Vec<u8>,
) -> Vec<Finding> {
    let mut drafts: BTreeMap<&RepoPath, Drafts<'_>> = BTreeMap::new();
    for rule in REPO_RULES {
        for (path, draft) in rule.check(&repository) {
            drafts.entry(path).or_default().push(draft);
        }
    }
    let mut findings = Vec::new();
    for (path, drafts) in drafts {
        let drafts = drafts.into_all().into_iter();
        if let Some(config) = repository.policy.config(path) {
            let index = LineIndex::new(&config.bytes);
            let redactor = Redactor::for_policy(&config.bytes, &config.shown);
            findings.extend(drafts.map(|draft| finding(path, &index, &redactor, draft)));
            continue;
        }
        let bytes = read(path);
        let (index, redactor) = (LineIndex::new(&bytes), Redactor::new(&bytes, &[]));
        for draft in drafts {
            let mut found = finding(path, &index, &redactor, draft);
            // These speak of whole files: a masked line would say nothing.
            found.place.line.clear();
            findings.push(found);
        }
    }
    findings
}

/// Turns drafts about a file of settings into findings. Its patterns, ids and reasons may be shown;
/// nothing may where it is not `recognised`, since any file can be taken for settings by mistake.
pub fn settle_settings(
    path: &RepoPath,
    bytes: &[u8],
    recognised: bool,
    drafts: Vec<Draft<'_>>,
) -> Vec<Finding> {
    let index = LineIndex::new(bytes);
    let redactor =
        if recognised { Redactor::for_settings(bytes) } else { Redactor::new(bytes, &[]) };
    drafts.into_iter().map(|draft| finding(path, &index, &redactor, draft)).collect()
}

/// Parses a file that may matter; `None` where it is in no format that is read here.
fn parse<'t>(
    text: &'t str,
    format: Option<&'static dyn Format>,
    traces: Traces,
    claims_encryption: bool,
) -> Option<Parsed<'t>> {
    let Some(format) = format else {
        return foreign(text, traces, claims_encryption);
    };
    let parsed = format.parse(text);
    // `sops --input-type` can put any format under any name.
    if traces.encrypted {
        let by_content = document::format_by_content(text);
        let is_other = by_content.name() != format.name();
        if is_other && !(is_likely(&parsed, text) && has_metadata(&parsed)) {
            let other = by_content.parse(text);
            if is_likely(&other, text) && (has_metadata(&other) || !is_likely(&parsed, text)) {
                return Some(other);
            }
        }
    }
    Some(parsed)
}

fn has_metadata(parsed: &Parsed<'_>) -> bool {
    let first = parsed.documents.first();
    first.is_some_and(|document| matches!(metadata::find(document), Found::Metadata(_)))
}

/// Parses what a file was before, if it was encrypted.
fn parse_earlier<'t>(input: &'t Input, format: Option<&'static dyn Format>) -> Option<Parsed<'t>> {
    let bytes = input.bytes();
    let traces = traces::look(&input.path, bytes);
    let text = std::str::from_utf8(bytes).ok().filter(|_| traces.encrypted)?;
    parse(text, format, traces, false)
}

/// sops takes a file of any other name as binary and writes a JSON envelope around it.
fn foreign(text: &str, traces: Traces, claims_encryption: bool) -> Option<Parsed<'_>> {
    if !traces.sops {
        return None;
    }
    if document::is_json(text) {
        let mut parsed = document::json::Json.parse(text);
        parsed.error = parsed.error.take().or_else(|| empty_envelope(&parsed));
        return Some(parsed);
    }
    let format = document::format_by_content(text);
    if claims_encryption {
        return Some(format.parse(text));
    }
    // Without a claim it may be a page that quotes such a file.
    let is_shallow = format.name() == "dotenv" || format.name() == "ini";
    let parsed = (is_shallow && traces.encrypted).then(|| format.parse(text));
    parsed.filter(|parsed| parsed.error.is_none())
}

/// Metadata alone: sops would keep the content of the file under `data`.
fn empty_envelope(parsed: &Parsed<'_>) -> Option<document::ParseError> {
    let document = parsed.documents.first()?;
    let entry = document.root.entries().next()?;
    let is_alone = document.root.entries().count() == 1;
    let is_empty = is_alone && matches!(metadata::find(document), Found::Metadata(_));
    let reason = "it holds SOPS metadata and nothing that is encrypted";
    is_empty.then(|| document::ParseError::new(entry.key_span.start, reason))
}

/// Whether a file is in the format of its name. Lines of dotenv are a text to YAML, and JSON on
/// one line is a line of dotenv.
fn is_likely(parsed: &Parsed<'_>, text: &str) -> bool {
    parsed.error.is_none()
        && parsed.documents.first().is_none_or(|document| match document.shape {
            Shape::Nested => matches!(document.root.value, Value::Map(_) | Value::List(_)),
            Shape::Sections | Shape::Lines => !document::is_json(text),
        })
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

fn is_encrypted(documents: &[Judged<'_>]) -> bool {
    documents.iter().any(|judged| judged.metadata.is_some())
}

/// Whether a file is a template of a Helm chart: below `templates/` beside a `Chart.yaml`.
fn is_in_chart(path: &RepoPath, exists: &(dyn Fn(&RepoPath) -> bool + Sync)) -> bool {
    path.ancestors()
        .filter(|directory| *directory == "templates" || directory.ends_with("/templates"))
        .any(|directory| exists(&RepoPath::from(directory).parent().join("Chart.yaml")))
}

fn skip_reason(subject: &Subject<'_>) -> Option<&'static str> {
    matches!(subject.input.content, Content::TooLarge(_))
        .then_some("larger than the limit of 16 MiB")
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
        Some(config) => Redactor::for_policy(bytes, &config.shown),
        None => Redactor::new(bytes, &documents),
    };
    let (path, index) = (subject.path(), LineIndex::new(bytes));
    let drafts = drafts.into_all();
    drafts.into_iter().map(|draft| finding(path, &index, &redactor, draft)).collect()
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
            let redactor = Redactor::for_policy(other.bytes, other.shown);
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
        about: draft.about,
        origin: None,
        occurrence: 0,
    }
}

/// As much of a line as a report can show around a place: a file can be one line of megabytes.
fn window(line: Span, around: usize) -> Span {
    const BEFORE: usize = 400;
    const BEHIND: usize = 600;
    let start = line.start.max(around.saturating_sub(BEFORE));
    Span::new(start, line.end.min(around + BEHIND).max(start))
}

fn place(path: &RepoPath, index: &LineIndex<'_>, redactor: &Redactor<'_>, span: Span) -> Place {
    let (start, end) = (index.position(span.start), index.position(span.end.max(span.start)));
    let line = index.line(start.line).unwrap_or(Span::at(span.start));
    let line = window(line, start.offset);
    Place { path: path.clone(), start, end, line: redactor.show(line), line_start: line.start }
}
