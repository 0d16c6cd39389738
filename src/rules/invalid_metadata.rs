//! A `sops` block that sops or Flux does not take.

use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document::Shape;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::shell::Advice;
use crate::sops::Problem;
use crate::sops::flat::{CHANGED_LINES, CRLF};
use crate::sops::walk::METADATA_KEY;
use crate::text::printable::clean_path;

declare_rule! {
    /// ## What it does
    ///
    /// Checks the `sops` block of an encrypted file: `mac`, `lastmodified` and `version` exist and
    /// are readable, there is at least one recipient, every recipient has an encrypted data key and
    /// (except for age) a time, at most one selector is set, the threshold fits the key groups, and
    /// the file has no duplicate key (in dotenv, where sops reads the last one, such a key is a
    /// warning). A top-level key `sops` that holds something else is a warning, unless the file
    /// contains ciphertext.
    ///
    /// ## Why it matters
    ///
    /// sops cannot decrypt such a file. Flux treats a document without a MAC as unencrypted.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// password: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// sops:
    ///   age: []
    ///   lastmodified: yesterday
    ///   mac: ""
    /// ```
    ///
    /// ## How to fix
    ///
    /// Do not repair the block by hand. Restore the file from the last good commit, then make the
    /// change again with `sops edit FILE`.
    InvalidMetadata, "invalid-metadata", Error, needs Text,
    "a sops block that sops rejects or Flux does not recognise"
}

impl FileRule for InvalidMetadata {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        for judged in subject.documents {
            let index = judged.document.index;
            // sops reads the block of the first document alone; the copies are as bad as it is.
            let is_copy =
                index > 0 && subject.metadata().is_some_and(|first| !first.problems.is_empty());
            let problems =
                judged.metadata.iter().filter(|_| !is_copy).flat_map(|metadata| &metadata.problems);
            // A MAC in quotes has the same cause as values in quotes.
            let is_disguised = subject.has_disguised();
            for problem in problems.filter(|it| !(is_disguised && it.reason.contains("`mac`"))) {
                if problem.reason == CHANGED_LINES {
                    drafts.push(changed_lines(subject, index, problem));
                    break;
                }
                if problem.reason == CRLF {
                    let draft = Draft::new(
                        &META,
                        problem.span,
                        "the lines of the file end in CRLF: to sops the carriage return is a part of every value",
                    );
                    let draft = draft.at(index, Some(METADATA_KEY.to_owned()));
                    drafts.push(draft.note("sops does not take this").help(line_ends(subject)));
                    break;
                }
                drafts.push(
                    Draft::new(&META, problem.span, format!("the sops block {}", problem.reason))
                        .at(index, Some(METADATA_KEY.to_owned()))
                        .note("sops does not take this")
                        .help(subject.repeating()),
                );
            }
            if let Some(span) = judged.unrelated {
                // A map without any of the fields is the settings of something named sops.
                let is_settings = judged
                    .document
                    .root
                    .get(METADATA_KEY)
                    .is_some_and(|node| node.entries().next().is_some());
                // Where something else took the place of the block, it may be a part of a text.
                let holds_ciphertext =
                    judged.census.misplaced.len() + judged.census.malformed.len() > 0
                        || (!is_settings && subject.has_ciphertext());
                if is_settings && !holds_ciphertext {
                    continue;
                }
                let level = if holds_ciphertext { META.level } else { Level::Warning };
                drafts.push(
                    Draft::new(
                        &META,
                        span,
                        "the top-level key sops holds no SOPS metadata, so sops rejects the file",
                    )
                    .level(level)
                    .at(index, Some(METADATA_KEY.to_owned()))
                    .note("not metadata")
                    .help("restore the block from the last good commit, or rename the key"),
                );
            }
        }
        duplicates(subject, drafts);
    }
}

/// Reports lines of metadata that an editor changed.
fn changed_lines<'s>(subject: &Subject<'s>, index: usize, problem: &Problem) -> Draft<'s> {
    let help = subject.restoring()
        + ", or remove what was added to its lines: a byte order mark, blanks at their beginning and around =, and export";
    Draft::new(&META, problem.span, format!("the sops block {}", problem.reason))
        .at(index, Some(METADATA_KEY.to_owned()))
        .note("not as sops wrote it")
        .help(help)
}

/// Tells how to keep git from converting the line ends of a file. Its last version in git may have them too.
fn line_ends(subject: &Subject<'_>) -> String {
    let name = clean_path(subject.path().file_name()).replace(' ', "[[:space:]]");
    let place = subject.path().parent().join(".gitattributes");
    format!(
        "write the line `{name} text eol=lf` into {place}, so that git does not convert the line ends, and save the file with LF line ends"
    )
}

/// Finds keys that occur twice. sops overlooks some of these and then decrypts something else than what a YAML
/// reader sees. In dotenv, the last one counts.
fn duplicates<'s>(subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
    let Some(first) = subject.duplicate_keys.first().filter(|_| subject.is_encrypted()) else {
        return;
    };
    let more = subject.duplicate_keys.len() - 1;
    let others = if more > 0 { format!(", and so do {more} more") } else { String::new() };
    let is_of_lines = |judged: &Judged<'_>| judged.document.shape == Shape::Lines;
    let level = if subject.documents.iter().any(is_of_lines) { Level::Warning } else { META.level };
    let message = format!("a key occurs twice in one map of an encrypted file{others}");
    drafts.push(
        Draft::new(&META, first.span, message)
            .level(level)
            .at(first.document, None)
            .note("the second one")
            .also(first.first, "the first one")
            .help(
                Advice::from("find out from the history which one is right, then ")
                    + subject.repeating(),
            ),
    );
}
