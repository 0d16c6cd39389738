//! One file from bytes to findings: parse, classify, find its policy, ask every rule.

use super::context::Context;
use super::opening::{open, verification};
use super::outcome::Outcome;
use super::parse::parse_earlier;
use super::questions::Questions;
use super::reading::{Reading, Unread};
use super::settle::settle;
use crate::document::{self, Format, Parsed};
use crate::finding::Drafts;
use crate::input::{Content, Input};
use crate::path::RepoPath;
use crate::policy::{self, Aim, Config, Governing};
use crate::private_key;
use crate::rules::{Answers, FILE_RULES, Facts, Judged, Subject};
use crate::traces::{self, Traces};

/// Judges one file.
pub fn file(input: &Input, context: Context<'_>) -> Outcome {
    let questions = Questions::new(context, &input.path);
    let bytes = input.bytes();
    let traces = traces::look(&input.path, bytes);
    let claims_encryption = traces::claims_encryption(&input.path, context.encrypted_names);
    let governing = questions.governing();
    let config = governing.config().filter(|config| config.path == input.path);
    let format = document::format_of(&input.path);
    let has_twin = questions.has_encrypted_twin();
    let has_certificate = traces.certificate;
    let is_of_note = traces.any() || has_twin || claims_encryption || config.is_some();
    if !is_of_note && !is_suspect(input) && !is_ruled(&governing, input, format.is_some()) {
        let depends_on = questions.into_answers();
        return Outcome { has_certificate, depends_on, ..Outcome::default() };
    }
    let text = std::str::from_utf8(bytes);
    let (path, is_config) = (&input.path, config.is_some());
    let unread = Unread { path, bytes, text, format, traces, claims_encryption, is_config };
    let variants = unread.variants();
    let Reading { parsed, is_foreign } = unread.read(variants.as_ref());
    let documents = Judged::all(&parsed.documents);
    let is_unclear = is_unclear(text.unwrap_or_default(), format, traces);
    let ring = context.ring.filter(|_| !is_unclear && !is_unreadable_utf_16(input, format));
    let opening = ring.and_then(|ring| open(&parsed, &documents, ring));
    let (earlier, versions) = earlier(&documents, &questions);
    let earlier = earlier.as_ref().and_then(parse_earlier);
    let before = earlier.as_ref().map(|parsed| Judged::all(&parsed.documents));
    let versions: Vec<Parsed<'_>> = versions.iter().filter_map(parse_earlier).collect();
    let same_key: Vec<_> = versions.iter().map(|parsed| Judged::all(&parsed.documents)).collect();
    let subject = Subject {
        input,
        text: text.unwrap_or_default(),
        documents: &documents,
        before: before.as_deref().unwrap_or_default(),
        same_key: &same_key,
        duplicate_keys: &parsed.duplicate_keys,
        parse_error: parsed.error.as_ref(),
        governing,
        configs_above: configs_above(governing, &documents, &questions),
        misnamed_config: misnamed_config(input, governing, &documents, &questions),
        claims_encryption,
        traces,
        is_foreign,
        is_template: traces::is_template(&input.path) || is_in_chart(&input.path, &questions),
        config,
        opening: opening.as_ref(),
        answers: Answers::default(),
    };
    let drafts = ask_rules(&subject, context, is_unclear);
    let facts = facts(&subject, &drafts, has_twin, &questions);
    let verification = (subject.is_encrypted() || is_unclear)
        .then(|| verification(&subject, context.ring.is_some(), is_unclear));
    Outcome {
        findings: settle(&subject, drafts),
        facts,
        recipients: recipients(&documents),
        has_certificate,
        skipped: skip_reason(input),
        verification,
        depends_on: questions.into_answers(),
    }
}

/// Returns what an encrypted file was before the change, and earlier versions with the same data key.
fn earlier(documents: &[Judged<'_>], questions: &Questions<'_>) -> (Option<Input>, Vec<Input>) {
    if !is_encrypted(documents) {
        return (None, Vec::new());
    }
    (questions.earlier(), questions.same_key())
}

/// Returns the configs above the one that governs an encrypted file.
fn configs_above<'c>(
    governing: Governing<'c>,
    documents: &[Judged<'_>],
    questions: &Questions<'c>,
) -> Vec<&'c Config> {
    let nearest = governing.rule().filter(|_| is_encrypted(documents));
    nearest.map(|(config, _)| questions.configs_above(config)).unwrap_or_default()
}

/// Asks every rule. `is_unclear`: sops splits the file into other lines.
fn ask_rules<'s>(subject: &Subject<'s>, context: Context<'_>, is_unclear: bool) -> Drafts<'s> {
    let mut drafts = Drafts::default();
    let asked = FILE_RULES.iter().filter(|rule| context.runs(rule.meta()));
    for rule in asked.filter(|rule| !(is_unclear && rule.relies_on_lines())) {
        rule.check(subject, &mut drafts);
    }
    drafts
}

/// Keeps what the rules about the repository need.
fn facts(
    subject: &Subject<'_>,
    drafts: &Drafts<'_>,
    has_twin: bool,
    questions: &Questions<'_>,
) -> Option<Facts> {
    let root_config = subject.governing.rule().and_then(|_| questions.root_config());
    Facts::of(subject, root_config, drafts, &|path| questions.exists(path), has_twin)
}

/// Reports whether sops splits an encrypted file into other lines than we do.
fn is_unclear(text: &str, format: Option<&dyn Format>, traces: Traces) -> bool {
    let has_break = |format: &dyn Format| format.foreign_line_break(text).is_some();
    traces.sops && format.is_some_and(has_break)
}

/// Returns true for UTF-16 in a format that sops only reads as UTF-8.
fn is_unreadable_utf_16(input: &Input, format: Option<&dyn Format>) -> bool {
    matches!(input.content, Content::Utf16(_)) && !format.is_some_and(Format::reads_utf_16)
}

/// Returns a config that was meant for a plaintext file, under a name that sops does not look for.
fn misnamed_config(
    input: &Input,
    governing: Governing<'_>,
    documents: &[Judged<'_>],
    questions: &Questions<'_>,
) -> Option<RepoPath> {
    let is_asked = matches!(governing, Governing::NoConfig | Governing::Outside(_))
        && !is_encrypted(documents);
    let exists = |path: &RepoPath| questions.exists(path);
    is_asked.then(|| policy::misnamed_config(&input.path, &exists)).flatten()
}

/// Reports whether a file has to be looked into for its name or its size.
fn is_suspect(input: &Input) -> bool {
    matches!(input.content, Content::TooLarge(_))
        || traces::claims_decryption(&input.path).is_some()
        || policy::has_misleading_name(&input.path)
}

/// Reports whether a creation rule promises encryption for this file. It is asked last, because it
/// takes longest to find out.
fn is_ruled(governing: &Governing<'_>, input: &Input, has_format: bool) -> bool {
    match governing.aim(&input.path) {
        Aim::Anything => false,
        Aim::SecretsDirectory => has_format || private_key::is_pem_key(input.bytes()),
        Aim::PartOfName | Aim::File => true,
    }
}

/// Returns the recipients of an encrypted file.
fn recipients(documents: &[Judged<'_>]) -> Vec<String> {
    let metadata = documents.iter().filter_map(|judged| judged.metadata.as_ref());
    let recipients = metadata.flat_map(|metadata| metadata.recipe.recipients());
    recipients.map(|recipient| recipient.identity.id.clone()).collect()
}

/// Reports whether a file is a template of a Helm chart: below `templates/` next to a `Chart.yaml`.
fn is_in_chart(path: &RepoPath, questions: &Questions<'_>) -> bool {
    path.ancestors()
        .filter(|directory| *directory == "templates" || directory.ends_with("/templates"))
        .any(|directory| questions.exists(&RepoPath::from(directory).parent().join("Chart.yaml")))
}

fn skip_reason(input: &Input) -> Option<&'static str> {
    matches!(input.content, Content::TooLarge(_)).then_some("larger than the limit of 16 MiB")
}

/// Reports whether any document has metadata.
fn is_encrypted(documents: &[Judged<'_>]) -> bool {
    documents.iter().any(|judged| judged.metadata.is_some())
}
