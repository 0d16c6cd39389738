//! A MAC that does not hold.

use super::comment_item;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::sops::verdict::{Caveat, MacCause, Refusal, Verdict};

declare_rule! {
    /// ## What it does
    ///
    /// Opens the file with your private keys, computes its MAC (message authentication code) as
    /// sops does, and compares it with the MAC in the file. It reports a difference, and a MAC that
    /// does not decrypt. Without a private key, the report counts the file as not verified.
    ///
    /// ## Why it matters
    ///
    /// Each value decrypts independently of the others, so they cannot prove that the file is
    /// intact. An unencrypted value may have changed, a key may be gone, two documents may be
    /// swapped, or two versions merged. Only the MAC shows this. `sops decrypt` rejects such a
    /// file. Flux never checks the MAC, and applies the file.
    ///
    /// The MAC covers only the values, in their order. It stays the same if someone renames the key
    /// of a plaintext value, edits a comment, or adds or removes an empty value: neither sops nor
    /// this rule notices such changes.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// data:
    ///     password: ENC[AES256_GCM,data:…]
    /// replicas: 5    # was 1 when the file was encrypted
    /// sops:
    ///     mac: ENC[AES256_GCM,data:…]
    /// ```
    ///
    /// ## How to fix
    ///
    /// Find out what changed: `git log -p FILE`. If no colleague made the change on purpose, treat
    /// the file as forged and restore the last good version. If one did, restore the last good
    /// version too, then make the change with `sops edit FILE`, which writes a new MAC. If the last
    /// commit has the good version, `git checkout HEAD -- FILE` restores it.
    ///
    /// After a merge, keep one side's version of the whole file, then make the other side's change
    /// with `sops edit FILE`.
    ///
    /// sops 3.13.2 has a bug: it includes encrypted comments inside lists in the MAC only when it
    /// decrypts, not when it encrypts, so it rejects its own files. All other versions accept them:
    /// use one of those. The rule reports this case at level info.
    MacMismatch, "mac-mismatch", Error, needs Keys, Weakness(70),
    "a file that was changed after it was encrypted"
}

impl FileRule for MacMismatch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        match subject.opening.map(|opening| &opening.verdict) {
            // `orphan-ciphertext` says what is wrong.
            Some(Verdict::Refused(_)) if comment_item::breaks(subject) => {}
            // `malformed-ciphertext` does.
            Some(Verdict::Refused(_)) if subject.has_disguised() => {}
            Some(Verdict::Refused(refusals)) => {
                for refusal in refusals {
                    if let Refusal::Mac { span, cause } = refusal {
                        drafts.push(mismatch(subject, *span, *cause));
                    }
                }
            }
            Some(Verdict::Verified(Caveat::ListComments)) => {
                let Some(metadata) = subject.metadata() else { return };
                let message = "sops 3.13.2 says of this file that its MAC does not match, and no other version does";
                drafts.push(
                    Draft::new(&META, metadata.span, message)
                        .level(Level::Info)
                        .note("it has encrypted comments inside lists, which that version counts by mistake")
                        .help("use another version of sops, or move the comments out of the lists"),
                );
            }
            _ => {}
        }
    }
}

fn mismatch<'s>(subject: &Subject<'s>, span: crate::text::Span, cause: MacCause) -> Draft<'s> {
    let edit = subject.sops("edit");
    let (message, note) = match cause {
        MacCause::Mismatch => (
            "the MAC does not match: the file was changed after it was encrypted",
            "every value decrypts, so one that is not encrypted was changed, or values were added, removed or put in another order",
        ),
        MacCause::Undecryptable => (
            "the MAC does not decrypt: `mac` or `lastmodified` is not what sops wrote",
            "every value decrypts, so the two lines are of another version of the file, as after a merge, or were edited",
        ),
        MacCause::Scope => (
            "the MAC does not match, because `mac_only_encrypted` was changed after the file was encrypted",
            "with the setting the other way round the MAC holds",
        ),
    };
    let help = match cause {
        MacCause::Scope => "restore `mac_only_encrypted` as it was".into(),
        _ => subject.restoring() + "; if the change is yours, make it again with " + edit,
    };
    Draft::new(&META, span, message).at(0, Some("sops.mac".to_owned())).note(note).help(help)
}
