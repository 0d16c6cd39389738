//! The permissions of a run of `fix`.

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
