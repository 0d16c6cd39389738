//! The mask that `flux build` prints in place of a secret, committed by mistake.

use super::exposure::is_mask;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::shell::Advice;
use crate::sops::census::Spot;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds values that consist only of the mask that `flux build kustomization` and
    /// `flux diff kustomization` print in place of a secret: `**SOPS**`, in base64 `KipTT1BTKio=`.
    /// This value is not a secret, so `unencrypted-secret` does not report it.
    ///
    /// ## Why it matters
    ///
    /// The manifest contains the output of `flux build`. If Flux applies it, the mask replaces the
    /// real value in the cluster, and the application loses its password.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Secret
    /// metadata:
    ///   name: db
    /// data:
    ///   password: KipTT1BTKio=
    /// ```
    ///
    /// ## How to fix
    ///
    /// Restore the file from its last good commit. If there is none, replace the mask with the real
    /// value and run `sops encrypt --in-place FILE`. If the file still has a `sops` block, use
    /// `sops edit FILE` instead.
    MaskedPlaceholder, "masked-placeholder", Warning, needs Text,
    "a value that flux build replaced with its mask"
}

impl FileRule for MaskedPlaceholder {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if subject.is_template {
            return;
        }
        for judged in subject.documents {
            let plain = judged.census.plaintext.iter().chain(&judged.census.unselected);
            let mut spots: Vec<_> = plain.filter(|spot| is_mask(spot.scalar)).cloned().collect();
            spots.sort_by_key(|spot| spot.span);
            let Some(first) = spots.first() else { continue };
            let verb = if spots.len() == 1 { "is" } else { "are" };
            let message = format!(
                "{} {verb} the mask of flux build, not the secret ({})",
                count(spots.len(), "value"),
                listing(&spots, Spot::key_path)
            );
            let draft = Draft::new(&META, first.key_span, message)
                .at(judged.document.index, Some(first.key_path()))
                .note("a mask")
                .help(help(subject));
            drafts.push(draft.also_each(spots.iter().skip(1).map(|spot| spot.key_span), "a mask"));
        }
    }
}

/// Tells how to get the values back.
fn help(subject: &Subject<'_>) -> Advice {
    let again = ", or set the value again";
    if subject.is_encrypted() {
        subject.restoring() + again + " with " + subject.sops("edit")
    } else {
        subject.restoring() + again + ", then " + subject.encrypting()
    }
}
