//! A value that cannot be decrypted at its place in the file.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::sops::verdict::{Refusal, ValueCause, Verdict};
use crate::text::Span;
use crate::text::words::count;

declare_rule! {
    /// ## What it does
    ///
    /// Opens the file with your private keys, and reports every value that cannot be decrypted at
    /// its place. In a file with several documents, sops uses the selector of the first document
    /// for all of them. So the rule also reports a plaintext value that this selector covers, even
    /// if the selector of the value's own document does not. Without a private key, the report
    /// counts the file as not verified. In INI, a comment whose first line is empty counts too: sops
    /// encrypts it, and crashes when it decrypts it.
    ///
    /// ## Why it matters
    ///
    /// One such value is enough: sops and Flux reject the whole file, and the Kustomization stops
    /// reconciling.
    ///
    /// sops binds each encrypted value to its path: the names of all the YAML keys that lead to it.
    /// If you rename one of these keys or move the value, it no longer decrypts. The same happens
    /// if the value was copied from another file, is damaged, or belongs to another version of the
    /// file with another data key.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// stringData:
    ///     db-password: ENC[AES256_GCM,data:…]    # was `password` when it was encrypted
    /// ```
    ///
    /// ## How to fix
    ///
    /// Give the key its old name back, or restore the last good version of the file. Then make your
    /// change with `sops edit FILE`. After a merge, keep one side's version of the whole file.
    UndecryptableValue, "undecryptable-value", Error, needs Keys, Weakness(50),
    "a value that cannot be decrypted at its place in the file"
}

impl FileRule for UndecryptableValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(Verdict::Refused(refusals)) = subject.opening.map(|opening| &opening.verdict)
        else {
            return;
        };
        let block = subject.metadata().map(|metadata| metadata.span).unwrap_or_default();
        for refusal in refusals {
            match refusal {
                Refusal::Value { document, key_path, key_span, cause } => {
                    let place = (*document, key_path.as_str(), *key_span);
                    drafts.extend(undecryptable(subject, place, cause));
                }
                Refusal::AllValues { values, is_mac_good } => {
                    drafts.push(none_decrypts(subject, block, *values, *is_mac_good));
                }
                Refusal::DataKey => drafts.push(no_key(subject, block)),
                Refusal::Mac { .. } => {}
            }
        }
    }
}

fn undecryptable<'s>(
    subject: &Subject<'s>,
    (document, key_path, key_span): (usize, &str, Span),
    cause: &ValueCause,
) -> Option<Draft<'s>> {
    let edit = subject.sops("edit");
    let (message, help) = match cause {
        // Rules that need no key say what is wrong with these.
        ValueCause::Malformed if has_finding(subject, document, key_span) => return None,
        ValueCause::Malformed => (
            format!(
                "{key_path} is not encrypted, and the block of the first document, which counts for the whole file, covers it"
            ),
            "restore the blocks of the last good commit: all documents have the same".into(),
        ),
        ValueCause::Moved(from) => (
            format!("{key_path} does not decrypt here: it was encrypted for {from}"),
            subject.restoring() + ", and move the value with " + edit,
        ),
        ValueCause::Damaged => (
            format!(
                "{key_path} does not decrypt: a key above it was renamed, it was copied from elsewhere, or it is damaged"
            ),
            subject.repeating(),
        ),
        ValueCause::Unwritable => (
            format!("{key_path} has an empty line, and sops crashes when it decrypts the file"),
            "remove this line from the file: the MAC does not cover comments".into(),
        ),
        ValueCause::Type => (
            format!("{key_path} decrypts to something that its `type` cannot hold"),
            subject.repeating(),
        ),
    };
    let draft = Draft::new(&META, key_span, message);
    Some(
        draft
            .at(document, Some(key_path.to_owned()))
            .note("sops rejects the whole file")
            .help(help),
    )
}

/// Returns true if `plaintext_value` reports this value, because the block of its own document covers it.
fn has_finding(subject: &Subject<'_>, document: usize, key_span: Span) -> bool {
    let judged = subject.documents.iter().find(|judged| judged.document.index == document);
    judged.is_some_and(|judged| {
        let broken = judged.census.malformed.iter().map(|(spot, _)| spot);
        let mut spots = judged.census.plaintext.iter().chain(broken);
        spots.any(|spot| spot.key_span == key_span)
    })
}

fn none_decrypts<'s>(
    subject: &Subject<'s>,
    span: Span,
    values: usize,
    is_mac_good: bool,
) -> Draft<'s> {
    let values = count(values, "value");
    let (message, note) = if is_mac_good {
        (
            format!("none of the {values} decrypts with the data key of this block"),
            "a key above all of them was renamed, or they are of another version of the file",
        )
    } else {
        (
            format!(
                "neither the MAC nor any of the {values} decrypts with the data key of this block"
            ),
            "the data key is of another file, or of another version of this one, as after a merge",
        )
    };
    Draft::new(&META, span, message).note(note).help(
        subject.restoring()
            + ", and make the changes of the other version with "
            + subject.sops("edit"),
    )
}

fn no_key<'s>(subject: &Subject<'s>, span: Span) -> Draft<'s> {
    Draft::new(&META, span, "the shares of the key groups do not make a data key")
        .note("a key group is of another file, or of another version of this one")
        .help(
            subject.restoring()
                + "; "
                + subject.sops("rotate --in-place")
                + " writes all shares again",
        )
}
