//! A MAC that does not hold.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::sops::verdict::{Caveat, MacCause, Refusal, Verdict};

declare_rule! {
    /// ## What it does
    ///
    /// Opens the file with the private keys at hand, computes its MAC (message authentication code)
    /// as sops does, and compares it with the one in the file. It reports a difference, and a MAC that
    /// does not decrypt. Without a private key the file is listed as not verified.
    ///
    /// ## Why it matters
    ///
    /// Every value decrypts by itself, so a file can be put together from parts: a value that is not
    /// encrypted was changed, a key was removed, two documents changed places, two versions were
    /// merged. The MAC is what notices. `sops decrypt` refuses such a file. Flux does not look at the
    /// MAC at all and applies it.
    ///
    /// The MAC is made of the values, one behind the other, and of nothing else. A renamed key that is
    /// not encrypted, a comment, or an empty value leave it as it is: neither sops nor this rule sees
    /// them.
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
    /// Find out what changed: `git log -p FILE`. If the change is not yours, treat the file as forged:
    /// take the last good version. If it is, take the last good version too, and make the change with
    /// `sops edit FILE`, which writes a new MAC. Where the last commit has the good version,
    /// `git restore --source=HEAD --staged --worktree FILE` brings it back.
    ///
    /// After a merge take one side whole, and make the change of the other with `sops edit`.
    ///
    /// sops 3.13.2 counts encrypted comments in lists when it decrypts, though not when it encrypts, so
    /// that it refuses its own files. All other versions take them. That is said at level info.
    MacMismatch, "mac-mismatch", Error, needs Keys, Weakness(70),
    "a file that was changed after it was encrypted"
}

impl FileRule for MacMismatch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        match subject.opening.map(|opening| &opening.verdict) {
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
        MacCause::Scope => "restore `mac_only_encrypted` as it was".to_owned(),
        _ => format!("{}; if the change is yours, make it again with {edit}", subject.restoring()),
    };
    Draft::new(&META, span, message).at(0, Some("sops.mac".to_owned())).note(note).help(help)
}
