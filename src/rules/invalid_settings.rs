//! Settings of this program that cannot be used. `settings` reads them and makes the drafts.

use super::rule::declare_rule;

declare_rule! {
    /// ## What it does
    ///
    /// Reads `.sops-lint.yaml`, or what `--config` names, and reports what is wrong with it: not
    /// YAML, unknown keys, values of the wrong type, globs that cannot be used, rules and levels
    /// that do not exist, an `ignore` without a reason. What is right beside it is still applied.
    ///
    /// ## Why it matters
    ///
    /// A misspelt key does nothing, and nobody notices: the file that you wanted to exclude, the
    /// level that you wanted to raise, stay as they were. And an ignored leak without a reason
    /// is one that nobody can judge later.
    ///
    /// ## Example
    ///
    /// Bad: `ignores` is no key, and nothing says why
    ///
    /// ```yaml
    /// ignores:
    ///   - path: docs/**
    ///     rules: [unencrypted-secret]
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// ignore:
    ///   - path: docs/**
    ///     rules: [unencrypted-secret]
    ///     reason: examples in the manual
    /// ```
    ///
    /// ## How to fix
    ///
    /// Correct the place shown; docs/settings.md has every key with an example. An editor that knows
    /// docs/schema/settings.json marks most mistakes while you type. Settings cannot lower or
    /// ignore this rule; the command line can.
    "invalid-settings", Error, needs Text,
    "settings of sops-lint that cannot be used"
}
