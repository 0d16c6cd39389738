//! Settings of this program that cannot be used. `settings` reads them and makes the drafts.

use super::rule::declare_rule;

declare_rule! {
    /// ## What it does
    ///
    /// Reads `.sops-lint.yaml`, or the file that `--config` names, and reports its mistakes:
    /// invalid YAML, unknown keys, values of the wrong type, globs that cannot be used, rules and
    /// levels that do not exist, an `ignore` without a reason. If one setting is wrong, the others
    /// still apply. It also finds settings at the root under a similar name that sops-lint does not
    /// read, such as `.sops-lint.yml`.
    ///
    /// ## Why it matters
    ///
    /// A misspelt key has no effect, and the mistake goes unnoticed: the file is not excluded, the
    /// level is not raised. And if an `ignore` has no reason, later readers cannot judge it.
    ///
    /// ## Example
    ///
    /// Bad: `ignores` is not a key, and the reason is missing
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
    /// Correct the mistake at the place shown. docs/settings.md has every key with an example. An
    /// editor that uses docs/schema/settings.json marks most mistakes while you type. The settings
    /// cannot lower or ignore this rule, but the command line can.
    "invalid-settings", Error, needs Text,
    "settings of sops-lint that cannot be used"
}
