//! An `ignore` that ignores nothing. `settings` counts what each of them does and makes the drafts.

use super::rule::declare_rule;

declare_rule! {
    /// ## What it does
    ///
    /// Reports entries of `ignore` in `.sops-lint.yaml` that match no finding. It reports nothing
    /// if you scan only some paths, because findings in the rest of the tree may need the entry.
    ///
    /// ## Why it matters
    ///
    /// The mistake was corrected, but the entry is still there. It would hide the next mistake.
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
    /// Remove the entry. If it should have ignored something, check its path: it starts at the root
    /// of the repository, and `*` stays within a directory.
    "unused-ignore", Warning, needs Text,
    "an ignore in the settings that ignores nothing"
}
