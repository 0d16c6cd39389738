//! An `ignore` that ignores nothing. `settings` counts what each of them does and makes the drafts.

use super::rule::declare_rule;

declare_rule! {
    /// ## What it does
    ///
    /// Reports entries of `ignore` in `.sops-lint.yaml` that no finding needed. Silent where paths
    /// were given: then nobody knows what the rest of the tree would have needed.
    ///
    /// ## Why it matters
    ///
    /// The mistake was corrected and the exception stayed. It would hide the next one.
    ///
    /// ## Example
    ///
    /// Bad: nothing below `docs` has a finding any more
    ///
    /// ```yaml
    /// ignore:
    ///   - path: docs/**
    ///     rules: [unencrypted-secret]
    ///     reason: examples in the manual
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// ignore: []
    /// ```
    ///
    /// ## How to fix
    ///
    /// Remove the entry. If it should have ignored something, look at its path: it begins at the root
    /// of the repository, and `*` stays within a directory.
    "unused-ignore", Warning, needs Text,
    "an ignore in the settings that ignores nothing"
}
