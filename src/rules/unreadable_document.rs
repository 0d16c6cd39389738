//! A file that should be judged and cannot be read.

use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use super::{merge_conflict, other_encryption};
use crate::document::{self, Format};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::input::{Content, MAX_FILE_SIZE};
use crate::sops::walk::{misfit, obstacle};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// If a file cannot be parsed, reports it only if its content or name says that it is
    /// encrypted, or if it may hold a plaintext Secret. It also reports files that exceed a limit:
    /// 16 MiB, 100 levels of nesting, 10,000 documents, 400,000 values and comments. Such a file
    /// is a warning unless it is encrypted or may hold a Secret. It also reports the envelope of a
    /// binary file that has lost its content, and a value of an encrypted file that does not fit
    /// the tag before it (`!!binary` without base64). It ignores other files that do not parse,
    /// because many of them are templates, which look like YAML but are not.
    ///
    /// ## Why it matters
    ///
    /// If a file cannot be parsed, sops cannot decrypt it either. sops-lint has not checked the
    /// content of a file that cannot be parsed or exceeds a limit, so a plaintext Secret in it
    /// could go unnoticed. sops reads a value that does not fit its tag as null, and drops it the
    /// next time it writes the file.
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
    "an encrypted file or a Secret that cannot be parsed, or a file that exceeds a limit"
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
            drafts.extend(utf_16(subject));
            drafts.extend(subject.documents.iter().filter_map(refused));
            drafts.extend(subject.documents.iter().filter_map(lost));
        }
        let Some(error) = subject.parse_error else { return };
        let is_ours = subject.traces.encrypted || error.may_hide_secret || subject.has_ciphertext();
        let has_finding = merge_conflict::has_markers(subject.text) && is_ours;
        if (subject.is_template && !error.may_hide_secret)
            || has_finding
            || other_encryption::is_encrypted(subject.input.bytes())
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
                .help(if subject.has_byte_order_mark() {
                    "save the file without a byte order mark"
                } else {
                    "correct the syntax here, or restore the file from its last good commit"
                }),
        );
    }
}

/// Finds UTF-16 in a format that sops only reads as UTF-8.
fn utf_16<'s>(subject: &Subject<'s>) -> Option<Draft<'s>> {
    let format = document::format_of(subject.path());
    let is_read = format.is_some_and(Format::reads_utf_16);
    let is_garbled = matches!(subject.input.content, Content::Utf16(_)) && !is_read;
    let message = "the file is UTF-16, which sops reads only in YAML";
    is_garbled.then(|| {
        Draft::new(&META, Span::at(0), message).note("UTF-16").help("save the file as UTF-8")
    })
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
