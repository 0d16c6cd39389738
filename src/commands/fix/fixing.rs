//! The permissions of a run of `fix`, and the numbers of its changes.

use crate::commands::say::remark;
use crate::text::words::{agree, count};

/// Mode of the run: the destination of the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Mode {
    /// They are written.
    Write,
    /// They are listed.
    List,
    /// They are shown line by line.
    Diff,
}

/// The permissions of a run of `fix`.
#[derive(Clone, Copy)]
pub(in crate::commands) struct Fixing {
    /// Mode of the run: the destination of the changes.
    pub(in crate::commands) mode: Mode,
    /// True if it may also change what may be intended.
    pub(in crate::commands) takes_unsafe: bool,
    /// Files that it may encrypt.
    pub(in crate::commands) scope: Scope,
}

/// Files that may be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Scope {
    /// All that have a creation rule.
    Everywhere,
    /// Those that `fix.allow` of the settings names.
    Allowed,
}

/// The outcome, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::commands) struct Fixed {
    /// Files that were changed, or would be.
    pub(in crate::commands) changes: usize,
    /// Files that could not be changed.
    pub(super) refused: usize,
    /// Files that could not be read.
    pub(super) unread: usize,
    /// Findings that only a person can fix.
    pub(super) left: usize,
    /// The errors among them.
    pub(super) errors: usize,
    /// Findings that are fixed with `--unsafe` only.
    pub(super) only_unsafe: usize,
    /// True if only configs were corrected, so that files can be judged by them now.
    pub(super) is_halfway: bool,
}

impl Fixed {
    /// Says what was not fixed.
    pub(super) fn report_rest(&self) {
        if self.left > 0 {
            let (findings, are) = (count(self.left, "finding"), agree(self.left, "is", "are"));
            remark(&format!("{findings} {are} left for you to fix: see `sops-lint scan`"));
        }
        if self.only_unsafe > 0 {
            let findings = count(self.only_unsafe, "more finding");
            remark(&format!(
                "`sops-lint fix --unsafe` would fix {findings}; look at the changes with --diff first"
            ));
        }
        if self.changes + self.refused + self.left + self.only_unsafe == 0 {
            remark("there was nothing to fix");
        }
    }
}
