//! A `.sops.yaml` that sops refuses.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::policy::ProblemKind;

declare_rule! {
    /// ## What it does
    ///
    /// Reads `.sops.yaml` as sops does and reports what sops would refuse: not YAML, no
    /// `creation_rules`, fields of the wrong type, keys that stand twice, a rule with two
    /// selectors, a rule or key group without recipients, a threshold that cannot be met.
    ///
    /// ## Why it matters
    ///
    /// Most of these are noticed only when somebody wants to encrypt, in a hurry, and then
    /// commits without. A config that is no YAML even breaks `sops decrypt` in the whole tree.
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
    /// Correct the place shown. `sops-lint policy FILE` shows which rule a file falls under.
    InvalidSopsConfig, "invalid-sops-config", Error, needs Text,
    "a .sops.yaml that sops refuses"
}

impl FileRule for InvalidSopsConfig {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let problems = subject.config.into_iter().flat_map(|config| &config.problems);
        for problem in problems.filter(|problem| problem.kind == ProblemKind::Structure) {
            drafts.push(Draft::new(&META, problem.span, &*problem.message).help(&*problem.help));
        }
    }
}
