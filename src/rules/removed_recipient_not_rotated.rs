//! A recipient that was removed and still knows the data key.

use std::collections::HashSet;

use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document::Scalar;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::shell::Advice;
use crate::sops::recipe::drift;
use crate::sops::selector::Selector;
use crate::sops::value::Parts;
use crate::sops::walk::{self, METADATA_KEY};
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Compares an encrypted file with its version before a change, at `HEAD` or at the start of
    /// the branch. It runs only where there is a change to check: in `scan --staged`, in
    /// `scan --diff`, and in the pre-commit hook. It warns if a recipient was removed but the data
    /// key stayed the same.
    ///
    /// The rule needs no private key for this. If one value has the same ciphertext and tag as
    /// before, the data key is the same, because another data key would produce different ones.
    /// Equal IVs prove nothing, because `sops rotate` keeps the IVs.
    ///
    /// It reports nothing if every value changed too, or if the file was moved, because then it has
    /// nothing to compare.
    ///
    /// ## Why it matters
    ///
    /// `sops updatekeys` removes the recipient from the file and encrypts the same data key to the
    /// others. The removed recipient may have kept that data key in plaintext. With it, they can
    /// decrypt everything that is written into this file later.
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
    /// Run `sops rotate --in-place FILE` and commit the result together with the change. This makes
    /// a new data key and encrypts every value again. The removed recipient can still read the old
    /// versions in history, so replace the secret itself if that person must not know it.
    RemovedRecipientNotRotated, "removed-recipient-not-rotated", Warning, needs Change, Weakness(60),
    "a recipient that was removed while the data key stayed the same"
}

impl FileRule for RemovedRecipientNotRotated {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let before = subject.before.first().and_then(|judged| judged.metadata.as_ref());
        let (Some(now), Some(before)) = (subject.metadata(), before) else { return };
        // One that may be the same key under another name is not counted.
        let removed = drift(&before.recipe, &now.recipe).extra;
        if removed.is_empty() || !share_a_ciphertext(subject.before, subject.documents) {
            return;
        }
        let verb = if removed.len() == 1 { "was" } else { "were" };
        let message = format!(
            "{} {verb} removed while the data key stayed the same: {}",
            count(removed.len(), "recipient"),
            listing(&removed, ToString::to_string),
        );
        let help = Advice::from("run ")
            + subject.sops("rotate --in-place")
            + "; who was removed has read the secret, so change it too if that matters";
        drafts.push(
            Draft::new(&META, now.span, message)
                .at(0, Some(METADATA_KEY.to_owned()))
                .note("values are encrypted as before, so the data key is that of before")
                .help(help),
        );
    }
}

/// Returns true if a value has the same ciphertext at the same place: the data key is the same.
fn share_a_ciphertext(before: &[Judged<'_>], now: &[Judged<'_>]) -> bool {
    let old: HashSet<_> = before.iter().flat_map(ciphertexts).collect();
    now.iter().flat_map(ciphertexts).any(|one| old.contains(&one))
}

/// Lists the additional data, the ciphertext and the tag of each value.
fn ciphertexts<'s>(judged: &Judged<'s>) -> Vec<(String, &'s str, &'s str)> {
    let mut found = Vec::new();
    walk::leaves(judged.document, &Selector::default(), &mut |leaf| {
        let Scalar::Str(text) = leaf.scalar else { return };
        if let Ok(Parts { data, tag, .. }) = Parts::of(text) {
            found.push((walk::additional_data(leaf.path), data, tag));
        }
    });
    found
}
