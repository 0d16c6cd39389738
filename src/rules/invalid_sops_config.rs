//! A `.sops.yaml` that sops rejects.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::policy::ProblemKind;

declare_rule! {
    /// ## What it does
    ///
    /// Reads `.sops.yaml` as sops does, and reports everything that sops would reject: invalid
    /// YAML, no `creation_rules`, fields of the wrong type, duplicate keys, a rule with two
    /// selectors, a rule or key group without recipients, a threshold that cannot be met.
    ///
    /// ## Why it matters
    ///
    /// Most of these mistakes appear only when an author wants to encrypt a file. An author in a
    /// hurry may then commit it unencrypted. If the config is not YAML, even `sops decrypt` fails
    /// in the whole tree.
    ///
    /// ## Example
    ///
    /// Bad: the line `creation_rules:` was lost
    ///
    /// ```yaml
    /// - path_regex: .*\.yaml
    ///   age: age1..
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: .*\.yaml
    ///     age: age1..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Correct the mistake at the place shown. `sops-lint policy FILE` shows which rule governs a
    /// file.
    InvalidSopsConfig, "invalid-sops-config", Error, needs Text,
    "a .sops.yaml that sops rejects"
}

impl FileRule for InvalidSopsConfig {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let problems = subject.config.into_iter().flat_map(|config| &config.problems);
        for problem in problems.filter(|problem| problem.kind != ProblemKind::Regex) {
            drafts.push(Draft::new(&META, problem.span, &*problem.message).help(&*problem.help));
        }
    }
}
