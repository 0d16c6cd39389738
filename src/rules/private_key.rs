//! A private key of age or OpenPGP, committed.

use super::command::untrack;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::private_key::{find, find_in_base64};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds age identities (`AGE-SECRET-KEY-1..` and `AGE-SECRET-KEY-PQ-1..` with a valid
    /// checksum) and OpenPGP secret keys (armored or binary). It looks in every file, in
    /// `.sops.yaml`, and inside the base64 of a Secret's `data`. It ignores truncated examples and
    /// keys inside encrypted values. A key below `testdata/` or in a `*_test` file is a warning.
    ///
    /// ## Why it matters
    ///
    /// With this key, anyone can read every file that was ever encrypted to it, in every commit.
    /// Removing the key in a new commit does not help.
    ///
    /// ## Example
    ///
    /// Bad: `age.agekey`, `keys.txt`, or a `.sops.pub.asc` made with `--export-secret-keys`.
    ///
    /// ## How to fix
    ///
    /// If the file holds only the key and git tracks it, remove it from the index with
    /// `git rm --cached FILE`, and add its name to `.gitignore`. If it holds anything else, delete
    /// only the key from it. If the key was ever pushed, consider it public: make a new key,
    /// replace the old public key with the new one in `.sops.yaml`, give the new private key to
    /// everything that decrypts (such as Flux), run `sops updatekeys FILE` and
    /// `sops rotate --in-place FILE` on every file, replace the secrets themselves, and only then
    /// delete the old key. A throw-away key for tests can stay: ignore it in `.sops-lint.yaml`, by
    /// path and with the reason.
    PrivateKey, "private-key", Error, needs Text, Leak(98),
    "an age or OpenPGP private key in a file"
}

impl FileRule for PrivateKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let bytes = subject.input.bytes();
        let level = if is_test_data(subject) { Level::Warning } else { META.level };
        if subject.traces.key {
            let found = find(bytes);
            let first = removal(subject, &found);
            for (span, what) in found {
                drafts.push(draft(span, what, &first).level(level));
            }
        }
        for judged in subject.documents {
            in_base64(judged, level, drafts);
        }
    }
}

/// Returns true for places of throw-away keys. Examples and documentation are not among them.
fn is_test_data(subject: &Subject<'_>) -> bool {
    let path = subject.path();
    let stem = path.file_name().split('.').next().unwrap_or_default();
    path.ancestors().any(|place| place == "testdata" || place.ends_with("/testdata"))
        || stem.ends_with("_test")
}

fn draft<'s>(span: Span, what: &str, first: &str) -> Draft<'s> {
    Draft::new(&META, span, format!("this file contains {what}"))
        .note("a private key")
        .help(format!("{first}; if it was ever pushed, make a new key, run `sops updatekeys` and `sops rotate` on every file that this one opens, and change the secrets themselves"))
}

/// Tells how to remove the key, or the whole file if it has nothing else.
fn removal(subject: &Subject<'_>, found: &[(Span, &str)]) -> String {
    let bytes = subject.input.bytes();
    let start = found.first().map_or(0, |(span, _)| span.start);
    let is_comment = |line: &[u8]| line.trim_ascii().is_empty() || line.starts_with(b"#");
    if bytes[..start].split(|byte| *byte == b'\n').all(is_comment) {
        untrack(subject.path())
    } else {
        "take the key out of this file".to_owned()
    }
}

/// Private keys behind the base64 of a Secret's `data`.
fn in_base64<'s>(judged: &Judged<'s>, level: Level, drafts: &mut Drafts<'s>) {
    for secret in &judged.secrets {
        for value in secret.values().filter(|value| value.field == "data") {
            let Some(text) = value.entry.node.as_str() else { continue };
            if let Some(what) = find_in_base64(text) {
                let path = judged.key_path(value.entry.node.span);
                drafts.push(
                    draft(value.entry.key_span, what, "take the key out of this Secret")
                        .level(level)
                        .at(judged.document.index, path)
                        .note("behind this base64"),
                );
            }
        }
    }
}
