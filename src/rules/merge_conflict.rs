//! Conflict markers in an encrypted file.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::document;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::shell::{Advice, Command};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds git's conflict markers (`<<<<<<<`, `=======`, `>>>>>>>` at the start of a line, in
    /// this order) in files that sops encrypted.
    ///
    /// ## Why it matters
    ///
    /// The file is no longer valid YAML. Resolving the conflict by hand breaks the MAC: two
    /// branches that edited one encrypted file always disagree about `mac` and `lastmodified`, and
    /// neither side's MAC matches the merged content.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// sops:
    /// <<<<<<< HEAD
    ///   mac: ENC[AES256_GCM,..]
    /// =======
    ///   mac: ENC[AES256_GCM,..]
    /// >>>>>>> feature
    /// ```
    ///
    /// ## How to fix
    ///
    /// Keep one side's version of the whole file: during a merge, `git checkout --ours FILE` or
    /// `--theirs`; if the markers are already committed, `git restore --source=COMMIT FILE` with a
    /// commit before the merge. Then repeat the other side's change with `sops edit FILE`.
    MergeConflict, "merge-conflict", Error, needs Text,
    "conflict markers of git in an encrypted file or a Secret"
}

impl FileRule for MergeConflict {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        // A manual may show a conflict; a file that sops reads may not have one.
        let is_read_by_sops = document::format_of(subject.path()).is_some();
        let is_encrypted = subject.traces.encrypted && is_read_by_sops;
        let may_hide_secret = subject.parse_error.is_some_and(|error| error.may_hide_secret);
        if !is_encrypted && !subject.claims_encryption && !may_hide_secret {
            return;
        }
        let mut expected = ["<<<<<<< ", "=======", ">>>>>>> "].iter();
        let mut wanted = expected.next();
        let mut first = None;
        let mut at = 0;
        for line in subject.text.split_inclusive('\n') {
            if wanted.is_some_and(|marker| line.starts_with(marker)) {
                first.get_or_insert(Span::new(at, at + line.trim_end().len()));
                wanted = expected.next();
            }
            at += line.len();
        }
        if let (Some(span), None) = (first, wanted) {
            drafts.push(
                Draft::new(&META, span, "git left conflict markers in the file")
                    .note("the conflict begins here")
                    .help(help(subject)),
            );
        }
    }
}

/// Tells how to keep one version of the whole file: parts of two have no MAC in common.
fn help(subject: &Subject<'_>) -> Advice {
    if !subject.traces.encrypted {
        return "resolve the conflict, then run sops-lint again: the file may hold a plaintext Secret".into();
    }
    let keep = |side| Command::new("git checkout").words(side).file(subject.path());
    Advice::from("keep one side's version of the whole file (while the merge is open, with ")
        + keep("--ours")
        + " or "
        + keep("--theirs")
        + "), then repeat the other change with "
        + subject.sops("edit")
}

/// Returns true if the file has all three markers. A file that cannot be parsed because of them gets
/// only this finding.
pub(super) fn has_markers(text: &str) -> bool {
    ["<<<<<<< ", "=======", ">>>>>>> "]
        .iter()
        .all(|marker| text.starts_with(marker) || text.contains(&format!("\n{marker}")))
}
