//! An invalid recipient, in `.sops.yaml` or in a file's metadata.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::keys::Recipient;
use crate::shell::Advice;
use crate::sops::recipe::Recipe;

declare_rule! {
    /// ## What it does
    ///
    /// Checks every recipient of `.sops.yaml` and of encrypted files as far as possible offline:
    /// checksums of age recipients, the form of ssh keys, PGP fingerprints, KMS ARNs, key names and
    /// URLs. It warns about short PGP key ids (they can be forged), `http://` addresses (they
    /// expose the token to the network), key versions where a key is needed, and variables that
    /// were never replaced (`${KEY_FP}`).
    ///
    /// ## Why it matters
    ///
    /// sops notices a mistyped recipient only when it encrypts. It never notices one in the
    /// metadata of a file, because it does not check the recipients when it decrypts. A private key
    /// that was pasted as a recipient is published with the config.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - age: age1qqqq   # cut off
    ///   - pgp: 91510F85   # a short id
    /// ```
    ///
    /// ## How to fix
    ///
    /// Paste the complete recipient: the line `age1..` that `age-keygen -y` prints, the 40 digits
    /// of `gpg --fingerprint`, the complete ARN or URL.
    InvalidRecipient, "invalid-recipient", Error, needs Text,
    "a recipient that is mistyped, can be forged, or cannot be used at all"
}

impl FileRule for InvalidRecipient {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if let Some(config) = subject.config {
            for rule in &config.rules {
                check_recipe(&rule.recipe, &format!("of rule {}", rule.number), None, drafts);
            }
        }
        if let Some(metadata) = subject.metadata() {
            // What a file was encrypted to is past; how it was written is a matter of the config.
            let update = Advice::from("run ") + subject.sops("updatekeys");
            check_recipe(&metadata.recipe, "of this file", Some(&update), drafts);
        }
    }
}

/// `update` tells how to rewrite the recipients of a file, since metadata should not be edited by hand.
fn check_recipe(recipe: &Recipe, whose: &str, update: Option<&Advice>, drafts: &mut Drafts<'_>) {
    for invalid in recipe.invalid() {
        let message = format!("{} recipient {whose} {}", invalid.service.name(), invalid.error);
        let level = if invalid.error.is_placeholder { Level::Warning } else { META.level };
        drafts.push(
            Draft::new(&META, invalid.span, message)
                .level(level)
                .note("not a recipient")
                .help(update.cloned().unwrap_or_else(|| invalid.error.help.into())),
        );
    }
    if update.is_none() {
        for recipient in recipe.recipients() {
            odd(recipient, whose, drafts);
        }
    }
}

fn odd(recipient: &Recipient, whose: &str, drafts: &mut Drafts<'_>) {
    let Some(oddity) = &recipient.identity.oddity else { return };
    let message = format!("{} recipient {whose} {}", recipient.service.name(), oddity.reason);
    drafts.push(
        Draft::new(&META, recipient.span, message)
            .level(Level::Warning)
            .note("works, but should be changed")
            .help(oddity.help),
    );
}
