//! The file of a git hook: what sops-lint writes there, and what it leaves alone.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::HookName;
use crate::host::Host;
use crate::source::worktree;

/// The call in the hook that refuses plaintext, and the call in the hook that encrypts it.
const CALL: &str = "hook pre-commit ";
const FIXING_CALL: &str = "hook pre-commit --fix ";

/// The reason why a hook could not be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is a hook of another program.
    #[error("{} exists and does not call sops-lint; it was left unchanged", .path.display())]
    Foreign {
        /// The hook.
        path: PathBuf,
        /// Its name.
        hook: HookName,
    },
    /// The hook contains more than sops-lint wrote.
    #[error("{} contains more than sops-lint wrote; it was left unchanged", .0.display())]
    Changed(PathBuf),
    /// The hook calls sops-lint, but git would not run it.
    #[error("{} calls sops-lint and is not executable, so git does not run it", .0.display())]
    NotExecutable(PathBuf),
    /// The hook, or its directory, is a link to a missing file.
    #[error("{} is a link to a missing file or directory; it was left unchanged", .0.display())]
    DanglingLink(PathBuf),
    /// The other hooks run when the plaintext is already committed.
    #[error("only the pre-commit hook can encrypt: a push has only commits")]
    NothingToFix,
    /// The file could not be read or written.
    #[error("cannot write the hook {}", .path.display())]
    Io {
        /// The hook.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl InstallError {
    /// Returns the next step.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Foreign { path, hook } if is_of_husky(path) => match hook {
                HookName::PreCommit => "add to .husky/pre-commit: `sops-lint hook pre-commit`",
                HookName::PreMergeCommit => {
                    "add to .husky/pre-merge-commit: `sops-lint hook pre-commit`"
                }
                HookName::PrePush => "add to .husky/pre-push: `sops-lint hook pre-push \"$@\"`",
                HookName::PreReceive => "husky has no such hook: install it on the server",
            },
            Self::Foreign { hook, .. } => match hook {
                HookName::PreCommit | HookName::PreMergeCommit => {
                    "add this line to it: `sops-lint hook pre-commit || exit`"
                }
                HookName::PrePush => {
                    "add this line to it: `sops-lint hook pre-push \"$@\" || exit`; docs/hooks.md says how two hooks share standard input"
                }
                HookName::PreReceive => {
                    "add this line to it: `sops-lint hook pre-receive || exit`; docs/hooks.md says how two hooks share standard input"
                }
            },
            Self::Changed(_) => "remove the line that calls sops-lint",
            Self::DanglingLink(_) => "remove the link, or create what it leads to",
            Self::NothingToFix => "leave out --fix, or name --hook pre-commit",
            Self::NotExecutable(_) => "make it executable: chmod +x",
            Self::Io { .. } => "check the permissions of the directory",
        }
    }
}

/// Reports whether husky owns the file: it runs its own files, and these run the user's.
fn is_of_husky(path: &Path) -> bool {
    path.parent().is_some_and(|directory| directory.ends_with(".husky/_"))
}

/// The change to the file of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It was written for the first time.
    Wrote,
    /// Its other variant was replaced.
    Rewrote,
    /// It was removed.
    Removed,
    /// It calls sops-lint already.
    NothingToDo,
    /// It calls sops-lint already, and encrypts, which was not asked for this time.
    KeptFix,
    /// There is no hook of sops-lint to remove.
    NoHook,
}

/// The file of a hook.
pub(super) struct HookFile {
    hook: HookName,
    path: PathBuf,
    /// The path for messages.
    pub(super) shown: PathBuf,
}

impl HookFile {
    /// Returns the file of a hook in the directory of hooks. It need not exist.
    pub(super) fn new(hook: HookName, directory: &Path, host: &Host) -> Self {
        let path = directory.join(script(hook).0);
        let shown = for_messages(&path, host);
        Self { hook, path, shown }
    }

    /// Writes the hook. `fixes`: it encrypts plaintext, too; `None`: as before, or not. Never changes a
    /// hook of another program.
    pub(super) fn install(&self, fixes: Option<bool>, host: &Host) -> Result<Done, InstallError> {
        if fixes == Some(true) && self.hook != HookName::PreCommit {
            return Err(InstallError::NothingToFix);
        }
        let (_, event, _) = script(self.hook);
        let variants = self.variants();
        let script = &variants[usize::from(fixes.unwrap_or_default())];
        let shown = || self.shown.clone();
        match self.text()? {
            Some(text) if !calls(&text, event) => {
                Err(InstallError::Foreign { path: shown(), hook: self.hook })
            }
            Some(_) if !host.is_program(&self.path) => Err(InstallError::NotExecutable(shown())),
            Some(text) if fixes.is_none() && text != *script && text == variants[1] => {
                Ok(Done::KeptFix)
            }
            Some(text) if variants.contains(&text) && text != *script => {
                let removed = host.remove(&self.path);
                let written = removed.and_then(|()| host.write_program(&self.path, script));
                written.map(|()| Done::Rewrote).map_err(|source| self.failed(source))
            }
            Some(_) => Ok(Done::NothingToDo),
            None => {
                if let Some(link) = host.dangling_link(&self.path) {
                    return Err(InstallError::DanglingLink(for_messages(link, host)));
                }
                let written = host.write_program(&self.path, script);
                written.map(|()| Done::Wrote).map_err(|source| self.failed(source))
            }
        }
    }

    /// Removes the hook. Never removes more than sops-lint wrote.
    pub(super) fn uninstall(&self, host: &Host) -> Result<Done, InstallError> {
        let (_, event, _) = script(self.hook);
        match self.text()? {
            Some(text) if self.variants().contains(&text) => {
                let removed = host.remove(&self.path);
                removed.map(|()| Done::Removed).map_err(|source| self.failed(source))
            }
            Some(text) if calls(&text, event) => Err(InstallError::Changed(self.shown.clone())),
            _ => Ok(Done::NoHook),
        }
    }

    /// Returns the hook that refuses, and the hook that also encrypts.
    fn variants(&self) -> [String; 2] {
        let (_, _, script) = script(self.hook);
        [script.to_owned(), script.replace(CALL, FIXING_CALL)]
    }

    fn text(&self) -> Result<Option<String>, InstallError> {
        match worktree::read_whole(&self.path) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, source: io::Error) -> InstallError {
        InstallError::Io { path: self.shown.clone(), source }
    }
}

/// Returns a path as messages show it: from the current directory, if it is below.
fn for_messages(path: &Path, host: &Host) -> PathBuf {
    path.strip_prefix(&host.directory).unwrap_or(path).to_path_buf()
}

/// Returns the name of the file, the event of `sops-lint hook`, and the script.
fn script(hook: HookName) -> (&'static str, &'static str, &'static str) {
    match hook {
        HookName::PreCommit => ("pre-commit", "pre-commit", include_str!("../../hooks/pre-commit")),
        HookName::PreMergeCommit => {
            ("pre-merge-commit", "pre-commit", include_str!("../../hooks/pre-merge-commit"))
        }
        HookName::PrePush => ("pre-push", "pre-push", include_str!("../../hooks/pre-push")),
        HookName::PreReceive => {
            ("pre-receive", "pre-receive", include_str!("../../hooks/pre-receive"))
        }
    }
}

/// Reports whether a line of a hook calls sops-lint.
fn calls(text: &str, event: &str) -> bool {
    let call = format!(" hook {event}");
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    let mut ours = lines.filter(|line| {
        let is_named = line.contains("sops-lint") || line.contains("\"$program\"");
        is_named && line.contains(&call)
    });
    ours.next().is_some()
}
