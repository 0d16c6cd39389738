//! Turns drafts into findings: offsets become lines, and the lines are redacted.

use crate::document::yaml::Yaml;
use crate::document::{Document, Format as _};
use crate::finding::{Draft, Drafts, Finding, Label, Place};
use crate::path::RepoPath;
use crate::redact::Redactor;
use crate::rules::Subject;
use crate::text::{LineIndex, Span};

/// Turns drafts about a settings file into findings. Its patterns, ids and reasons may be shown. Of a
/// file that is not `recognised` only keys are shown: any file can be passed as settings by mistake.
pub fn settle_settings(
    path: &RepoPath,
    bytes: &[u8],
    recognised: bool,
    drafts: Vec<Draft<'_>>,
) -> Vec<Finding> {
    let index = LineIndex::new(bytes);
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let parsed = Yaml.parse(if recognised { "" } else { text });
    let documents = parsed.documents.iter().filter(|_| parsed.error.is_none());
    let redactor = if recognised {
        Redactor::for_settings(bytes)
    } else {
        Redactor::new(bytes, &documents.collect::<Vec<_>>())
    };
    drafts.into_iter().map(|draft| finding(path, &index, &redactor, draft)).collect()
}

/// Turns the drafts about one file into findings. After this, its bytes are dropped.
pub(super) fn settle(subject: &Subject<'_>, drafts: Drafts<'_>) -> Vec<Finding> {
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

pub(super) fn finding(
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
        own_level: draft.level,
        place: place(path, index, redactor, draft.span),
        document: draft.document,
        key_path: draft.key_path,
        key_paths: draft.key_paths,
        unlisted: draft.unlisted,
        message: draft.message,
        note: draft.note,
        help: draft.help,
        related: related.collect(),
        recipients: draft.recipients,
        fix: draft.fix,
        about: draft.about,
        opener: draft.opener,
        is_raised: false,
        origin: None,
        new_values: Vec::new(),
        occurrence: 0,
    }
}

/// Returns the part of a line that a report shows around a place: a file can be one line of megabytes.
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
