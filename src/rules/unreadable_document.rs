//! A file that should be judged and cannot be read.

use super::merge_conflict;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::input::{Content, MAX_FILE_SIZE};
use crate::sops::walk::{misfit, obstacle};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Reports files that cannot be parsed although sops encrypted them or their name says so, and
    /// files that exceed a limit: 16 MiB, 100 levels of nesting, 10,000 documents, 1,000,000
    /// values and comments. It also reports the envelope of a binary file that has lost its
    /// content, and a value of an encrypted file that does not fit the tag before it (`!!binary`
    /// without base64). It ignores other files that do not parse: templates look like YAML and are
    /// not.
    ///
    /// ## Why it matters
    ///
    /// sops cannot read the file either, so the file cannot be decrypted, and its content was never
    /// checked. sops reads a value that does not fit its tag as null, and drops it the next time it
    /// writes the file.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// password: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    ///  user: wrongly indented
    /// sops:
    ///   ..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Correct the syntax at the place shown, or restore the file from its last good commit.
    UnreadableDocument, "unreadable-document", Error, needs Text,
    "an encrypted file that cannot be parsed, or a file that exceeds a limit"
}

impl FileRule for UnreadableDocument {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn relies_on_lines(&self) -> bool {
        true
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if let Content::TooLarge(size) = subject.input.content {
            return too_large(subject, size, drafts);
        }
        // What was never encrypted is a matter of `unencrypted-file`.
        if subject.is_encrypted() {
            drafts.extend(subject.documents.iter().filter_map(refused));
            drafts.extend(subject.documents.iter().filter_map(lost));
        }
        let Some(error) = subject.parse_error else { return };
        let is_ours = subject.traces.encrypted || subject.has_ciphertext();
        let has_finding = merge_conflict::has_markers(subject.text) && is_ours;
        if subject.is_template
            || has_finding
            || subject.config.is_some()
            || !(is_ours || error.is_limit)
        {
            return;
        }
        let level = if is_ours { META.level } else { Level::Warning };
        let message = if error.is_limit {
            format!("the file was not judged to its end: {error}")
        } else {
            format!("the file cannot be read: {error}")
        };
        drafts.push(
            Draft::new(&META, Span::at(error.offset), message)
                .level(level)
                .note("reading stopped here")
                .help("correct the syntax here, or restore the file from its last good commit"),
        );
    }
}

/// Finds a value that sops reads as null, without any message.
fn lost<'s>(judged: &Judged<'s>) -> Option<Draft<'s>> {
    let message = "a value does not fit the tag before it, so sops reads null here";
    let draft = Draft::new(&META, misfit(judged.document)?, message);
    Some(
        draft
            .at(judged.document.index, None)
            .note("lost")
            .help("correct the value or its tag, or restore the file from its last good commit"),
    )
}

/// Finds valid YAML that sops rejects.
fn refused<'s>(judged: &Judged<'s>) -> Option<Draft<'s>> {
    let (span, reason) = obstacle(judged.document)?;
    let draft = Draft::new(&META, span, format!("sops rejects the file: {reason}"));
    Some(
        draft
            .at(judged.document.index, None)
            .note("this")
            .help("correct it, or restore the file from its last good commit"),
    )
}

fn too_large<'s>(subject: &Subject<'s>, size: u64, drafts: &mut Drafts<'s>) {
    let is_structured = document::format_of(subject.path()).is_some();
    if !is_structured && !subject.claims_encryption {
        return;
    }
    let level = if subject.claims_encryption { META.level } else { Level::Warning };
    let mebibytes = MAX_FILE_SIZE / (1024 * 1024);
    drafts.push(
        Draft::new(
            &META,
            Span::at(0),
            format!(
                "the file was not looked at: it has {size} bytes, the limit is {mebibytes} MiB"
            ),
        )
        .level(level)
        .note("too large")
        .help("split the file; Kubernetes takes no Secret over 1 MiB anyway"),
    );
}
