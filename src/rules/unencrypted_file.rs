//! A file that says it is encrypted, by its name or by its creation rule, and is not.

use super::{FileRule, Subject, declare_rule};
use crate::finding::{Draft, Drafts, Fix, Level, RuleMeta};
use crate::kubernetes;
use crate::policy::Governing;
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds files without SOPS metadata
    ///
    /// * whose name says that they are encrypted: `*.sops.*`, `*.enc.*`, `*.encrypted`,
    /// * or that a creation rule of the governing `.sops.yaml` was written for. A rule that would
    ///   match any neighbour of the file too (`.*\.yaml`) says nothing about the file; where such
    ///   a rule covers a directory of secrets (`secrets/.*`), the finding is a warning.
    ///
    /// Silent for empty files, for templates, and for Kubernetes objects that are no Secrets:
    /// catch-all rules match those all the time. Plaintext Secrets are reported by
    /// `unencrypted-secret` instead.
    ///
    /// ## Why it matters
    ///
    /// Everybody who reads the name believes that the content is safe. This is how a file looks
    /// that was decrypted to be edited, and committed before it was encrypted again.
    ///
    /// ## Example
    ///
    /// Bad: `values.sops.yaml` with
    ///
    /// ```yaml
    /// password: in clear
    /// ```
    ///
    /// Good: the same file after `sops encrypt --in-place values.sops.yaml`.
    ///
    /// ## How to fix
    ///
    /// Encrypt it: `sops encrypt --in-place FILE`. If it holds no secret, rename it, or narrow
    /// the `path_regex` of the rule that matches it.
    UnencryptedFile, "unencrypted-file", Error, needs Policy,
    "a file that claims to be encrypted, by name or by creation rule, but is not"
}

impl FileRule for UnencryptedFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let is_judged_elsewhere = subject.is_template
            || subject.config.is_some()
            || subject.is_encrypted()
            || subject.traces.sops // broken metadata has rules of its own
            || subject.parse_error.is_some_and(|error| error.is_limit);
        if is_judged_elsewhere || is_blank(subject) || is_manifest(subject) {
            return;
        }
        let Some((level, message)) = claim(subject) else { return };
        let help = format!(
            "run {}; if it holds no secret, {}",
            subject.sops("encrypt --in-place"),
            if subject.claims_encryption { "rename it" } else { "narrow the rule's path_regex" }
        );
        let end = subject.text.find('\n').unwrap_or(subject.text.len());
        let draft = Draft::new(&META, Span::new(0, end), message)
            .level(level)
            .note("no sops metadata")
            .help(help)
            .fix(Fix { kind: "encrypt", safe: false });
        drafts.push(subject.with_rule(draft, "this creation rule matches the file"));
    }
}

fn claim(subject: &Subject<'_>) -> Option<(Level, String)> {
    if subject.claims_encryption {
        let message = format!(
            "the name of {} says that it is encrypted, but it is not",
            subject.path().file_name()
        );
        return Some((META.level, crate::text::printable::clean_path(&message).into_owned()));
    }
    // Rules often match more kinds of files than sops has a format for; those are no slips.
    subject.documents.first()?;
    let Governing::Rule(config, rule) = subject.governing else { return None };
    rule.path_regex()?;
    let parent = subject.path().parent();
    let top = config.path.parent();
    let directory = parent.below(top.as_str()).unwrap_or_default();
    let directory = if parent == top { "" } else { directory };
    let is_catch_all = rule.is_catch_all_in(directory);
    if is_catch_all && !is_secrets_directory(directory) {
        return None;
    }
    let level = if is_catch_all { Level::Warning } else { META.level };
    let message = format!(
        "rule {} of {} is for this file, but it is not encrypted",
        rule.number, config.path
    );
    Some((level, message))
}

fn is_secrets_directory(directory: &str) -> bool {
    directory.split('/').any(|name| matches!(name, "secrets" | "secret"))
}

/// Nothing but white space and comments: sops cannot encrypt that.
fn is_blank(subject: &Subject<'_>) -> bool {
    if subject.input.bytes().iter().all(u8::is_ascii_whitespace) {
        return true;
    }
    let documents = subject.documents;
    !documents.is_empty()
        && subject.parse_error.is_none()
        && documents.iter().all(|judged| {
            judged.document.root.is_null()
                || (judged.census.plaintext.is_empty() && judged.census.unselected.is_empty())
        })
}

/// Kubernetes objects: Secrets have a rule of their own, the others need no encryption.
fn is_manifest(subject: &Subject<'_>) -> bool {
    let is_named_kustomization = matches!(
        subject.path().file_name(),
        "kustomization.yaml" | "kustomization.yml" | "Kustomization"
    );
    let has_secrets = subject.documents.iter().any(|judged| !judged.secrets.is_empty());
    let is_object = subject.documents.iter().any(|judged| kubernetes::is_object(judged.document));
    // The name's claim is stronger than the kind: an encrypted ConfigMap is encrypted for a reason.
    has_secrets || (!subject.claims_encryption && (is_object || is_named_kustomization))
}
