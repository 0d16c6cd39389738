//! A regular expression that Go does not compile, in `.sops.yaml` or in a file's metadata.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::policy::ProblemKind;
use crate::sops::census::Encryption;

declare_rule! {
    /// ## What it does
    ///
    /// Compiles every `path_regex` and every selector as sops does, with Go's regular expressions:
    /// these have no look-ahead, no back-references, no `**` and no `\Z`. It also checks the
    /// selectors in the metadata of encrypted files.
    ///
    /// ## Why it matters
    ///
    /// A broken `path_regex` stops sops. A broken `encrypted_regex` does not: sops ignores the
    /// error without any message, the expression matches nothing, and sops writes the whole file in
    /// PLAINTEXT, with valid metadata and exit code 0.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// encrypted_regex: ^(?!metadata)
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// encrypted_regex: ^(data|stringData)$
    /// ```
    ///
    /// ## How to fix
    ///
    /// Rewrite the expression without the construct that the message names. Then check every file
    /// that was made with it: `sops-lint scan` reports those as `nothing-encrypted`.
    InvalidRegex, "invalid-regex", Error, needs Text,
    "a regular expression that sops cannot compile"
}

impl FileRule for InvalidRegex {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let problems = subject.config.into_iter().flat_map(|config| &config.problems);
        for problem in problems.filter(|problem| problem.kind == ProblemKind::Regex) {
            drafts.push(
                Draft::new(&META, problem.span, &*problem.message)
                    .note("does not compile")
                    .help(&*problem.help),
            );
        }
        let Some(metadata) = subject.metadata() else { return };
        // Where it left the whole file in plaintext, `nothing-encrypted` says so.
        if subject.encryption() == Encryption::Nothing {
            return;
        }
        let selector = &metadata.recipe.selector;
        if let (Some(error), Some(span)) = (selector.error(), selector.span) {
            let message = format!(
                "sops cannot compile {} of this file: {}; it matches nothing",
                selector.field.name(),
                error.reason()
            );
            drafts.push(
                Draft::new(&META, span, message)
                    .at(0, Some("sops".to_owned()))
                    .note("does not compile")
                    .help("correct the creation rule, then decrypt the file and encrypt it again"),
            );
        }
    }
}
