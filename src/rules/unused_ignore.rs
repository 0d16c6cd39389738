//! An `ignore` that ignores nothing. `settings` counts what each of them does and makes the drafts.

use super::rule::declare_rule;

declare_rule! {
    /// ## What it does
    ///
    /// Reports entries of `ignore` in `.sops-lint.yaml` that match no finding. It reports nothing
    /// if you scan only some paths, because findings in the rest of the tree may need the entry.
    ///
    /// It also reports entries that have expired: those whose `expires` is before today, in UTC.
    /// They ignore nothing.
    ///
    /// ## Why it matters
    ///
    /// The mistake was corrected, but the entry is still there. It would hide the next mistake. If
    /// an entry has expired, the time that you gave yourself to correct the mistake is over.
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
    /// Remove the entry. If it has expired, correct what it ignored, or set a later date and say why
    /// in the reason. If it should have ignored something, check its path: it starts at the root
    /// of the repository, and `*` stays within a directory.
    "unused-ignore", Warning, needs Text,
    "an ignore in the settings that ignores nothing, or has expired"
}
