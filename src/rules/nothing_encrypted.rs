//! SOPS metadata over a file in which not one value is encrypted.

use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::shell::Advice;
use crate::sops::census::{self, Encryption, Spot};
use crate::sops::selector::Selector;
use crate::sops::walk::Step;

declare_rule! {
    /// ## What it does
    ///
    /// Finds files with SOPS metadata in which no value is encrypted although some could be. Files
    /// with only empty values are fine, because sops leaves those alone.
    ///
    /// The finding is an info if three things are true: neither the file's selector nor the one of
    /// its creation rule covers any value, the file is not a Secret, and its name does not say that
    /// it is encrypted. Such a file may have nothing to hide.
    ///
    /// ## Why it matters
    ///
    /// sops itself writes such a file, without any message, if the selector matches nothing, either
    /// because the selector misspells a key (`encrypted_regex: ^stringdata$`) or because Go cannot
    /// compile the regular expression. The file has a MAC, `sops filestatus` calls it encrypted,
    /// and every hook that looks for a `sops` block accepts it. Yet the secret is readable.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// kind: Secret
    /// stringData:
    ///   password: plaintext
    /// sops:
    ///   mac: ENC[AES256_GCM,..]
    ///   encrypted_regex: ^stringdata$
    ///   ..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Correct the selector in `.sops.yaml`, remove the `sops` block from the file, and encrypt it
    /// again. If the file was pushed, change its values.
    NothingEncrypted, "nothing-encrypted", Error, needs Policy, Leak(90),
    "a file with SOPS metadata in which no value is encrypted"
}

impl FileRule for NothingEncrypted {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(metadata) = subject.metadata() else { return };
        if subject.encryption() != Encryption::Nothing {
            return;
        }
        // A Secret of empty values still has a name; what counts is whether a value is exposed.
        let has_secrets = subject.documents.iter().any(|judged| !judged.secrets.is_empty());
        let exposes = if has_secrets { has_exposed_value(subject) } else { has_value(subject) };
        if !exposes {
            return;
        }
        let selector = &metadata.recipe.selector;
        // sops uses no selector for a binary file.
        let is_binary = document::format_of(subject.path()).is_none();
        let claims_secret = subject.claims_encryption || subject.is_named_secret();
        let level = if has_secrets || claims_secret || is_binary {
            META.level
        } else {
            gentler(subject, selector)
        };
        let is_covered = subject.documents.iter().any(|judged| !judged.census.plaintext.is_empty());
        let because = if is_covered { String::new() } else { because(selector) };
        let message =
            format!("the file carries SOPS metadata, but none of its values is encrypted{because}");
        let draft = Draft::new(&META, metadata.span, message)
            .level(level)
            .at(0, Some(crate::sops::walk::METADATA_KEY.to_owned()))
            .note("says encrypted")
            .help(help(subject));
        let draft = match selector.span {
            Some(span) if !is_covered => draft.also(span, "the selector of this file"),
            _ => draft,
        };
        drafts.push(subject.with_rule(draft, "this creation rule governs the file"));
    }
}

/// Explains why sops encrypted nothing.
fn because(selector: &Selector) -> String {
    let field = selector.field.name();
    match selector.error() {
        Some(error) => format!(": sops cannot compile {field} ({})", error.reason()),
        None if selector.field.selects() => format!(": {selector} names no value"),
        None => format!(": {selector} leaves every value out"),
    }
}

fn help(subject: &Subject<'_>) -> Advice {
    let encrypt = subject.sops("encrypt --in-place");
    // Under the same rule sops would write the same again.
    let first = subject.obstacles().map(|first| first + ", ").unwrap_or_default();
    first
        + "remove the sops block from the file, run "
        + encrypt
        + ", and change the values if they were ever pushed"
}

/// For files that need not hold a secret: many repositories run sops over every values file.
fn gentler(subject: &Subject<'_>, selector: &Selector) -> Level {
    let Some((_, rule)) = subject.governing.rule() else { return META.level };
    let demanded = &rule.recipe.selector;
    if selector.error().is_some() || demanded.error().is_some() {
        return META.level;
    }
    let covers =
        |judged: &Judged<'_>| !census::take(judged.document, Some(demanded)).plaintext.is_empty();
    if subject.documents.iter().any(covers) { META.level } else { Level::Info }
}

fn has_value(subject: &Subject<'_>) -> bool {
    let has_value = |judged: &Judged<'_>| {
        let census = &judged.census;
        census.plaintext.iter().chain(&census.unselected).any(|spot| !is_type(spot))
    };
    subject.documents.iter().any(has_value)
}

/// Returns true for the kind and the version of an object, which are no secrets.
fn is_type(spot: &Spot<'_, '_>) -> bool {
    matches!(*spot.path, [Step::Key("kind" | "apiVersion")])
}

fn has_exposed_value(subject: &Subject<'_>) -> bool {
    subject.documents.iter().any(|judged| {
        judged.census.has_readable() && (judged.secrets.is_empty() || judged.has_readable_secret())
    })
}
