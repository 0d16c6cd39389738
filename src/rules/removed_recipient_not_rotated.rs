//! A recipient that was removed and still knows the data key.

use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::keys::Recipient;
use crate::shell::Advice;
use crate::sops::recipe::drift;
use crate::sops::signs::signs;
use crate::sops::walk::METADATA_KEY;
use crate::text::words::{agree, count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds encrypted files from which a recipient was removed while the data key stayed the same.
    /// It compares a file with its earlier versions:
    ///
    /// * in the pre-commit hook and in `scan --staged`, with the last commit,
    /// * in `scan --diff`, with the start of the branch, and with the versions in the last 10,000
    ///   commits,
    /// * in `scan --history` and in the hooks for pushes, with all versions in the history of the
    ///   branch. So it finds the mistake at any later time, even if the file was moved or changed.
    ///
    /// A scan of the work tree has nothing to compare.
    ///
    /// The rule needs no private key. Two versions have the same data key if they have a ciphertext
    /// in common, the MAC, or the encrypted data key of a recipient: each of them is random. Equal
    /// IVs prove nothing, because `sops rotate` keeps the IVs. The versions may be linked by others
    /// between them: `sops updatekeys` keeps all ciphertexts, and `sops edit` keeps the encrypted
    /// data keys. If one commit both removes a recipient and changes every value, the rule has
    /// nothing to compare and reports nothing.
    ///
    /// Only versions of the file itself count: those at its path, and those at paths that no longer
    /// exist. A copy for another team, made with `cp` and `sops updatekeys`, is another file as long
    /// as the original exists: the recipients of the original know its data key too, but no recipient was
    /// removed. Rotate such a copy once. Recipients who were added again, and those of branches that
    /// are not merged, are not reported.
    ///
    /// ## Why it matters
    ///
    /// `sops updatekeys` removes the recipient from the file and encrypts the same data key to the
    /// others. The removed recipient may have kept that data key in plaintext. With it, they can
    /// decrypt everything that is written into this file later.
    ///
    /// It is a warning, so the hook prints it and lets the commit pass: to remove the recipient is
    /// right, and the next commit can rotate the key. To refuse such a commit, write
    /// `levels: {removed-recipient-not-rotated: error}` in the settings. Then run
    /// `sops rotate` before you commit.
    ///
    /// ## Example
    ///
    /// Bad, a change made with `sops updatekeys` alone:
    ///
    /// ```diff
    ///  stringData:
    ///      password: ENC[AES256_GCM,data:m5Vg..,iv:Zl1c..,tag:9rQx..,type:str]
    ///  sops:
    ///      age:
    /// -        - recipient: age1left..
    ///          - recipient: age1stays..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Run `sops rotate --in-place FILE`. This makes a new data key and encrypts every value again.
    /// The removed recipient can still read the old versions in history, so change the values too,
    /// in the systems that use them, if that person could have read them.
    RemovedRecipientNotRotated, "removed-recipient-not-rotated", Warning, needs Change, Weakness(60),
    "a recipient that was removed while the data key stayed the same"
}

impl FileRule for RemovedRecipientNotRotated {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(now) = subject.metadata() else { return };
        let before = Some(subject.before).filter(|before| share_a_sign(before, subject.documents));
        let versions = before.into_iter().chain(subject.same_key.iter().map(Vec::as_slice));
        let recipes =
            versions.filter_map(|version| Some(&version.first()?.metadata.as_ref()?.recipe));
        // One that may be the same key under another name is not counted.
        let mut removed: Vec<&Recipient> =
            recipes.flat_map(|recipe| drift(recipe, &now.recipe).extra).collect();
        removed.sort_by_key(|recipient| &recipient.identity.id);
        removed.dedup_by_key(|recipient| &recipient.identity.id);
        if removed.is_empty() {
            return;
        }
        let message = format!(
            "{} {} removed while the data key stayed the same: {}",
            count(removed.len(), "recipient"),
            agree(removed.len(), "was", "were"),
            listing(&removed, |one| subject.named(one)),
        );
        let help = Advice::from("run ")
            + subject.sops("rotate --in-place")
            + "; then change the values, if the removed "
            + agree(removed.len(), "recipient", "recipients")
            + " could have read them";
        drafts.push(
            Draft::new(&META, now.span, message)
                .at(0, Some(METADATA_KEY.to_owned()))
                .recipients(removed.iter().copied(), subject.governing.config())
                .note("the data key is that of an earlier version")
                .help(help),
        );
    }
}

/// Returns true if two versions of a file have the same data key.
fn share_a_sign(before: &[Judged<'_>], now: &[Judged<'_>]) -> bool {
    let signs = |version: &[Judged<'_>]| {
        signs(&version.iter().map(|judged| judged.document).collect::<Vec<_>>())
    };
    !before.is_empty() && !signs(before).is_disjoint(&signs(now))
}
