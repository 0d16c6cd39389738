//! `sops-lint install`: a hook of git, written where git looks for it and nothing else stands.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::{CommandError, Exit};
use super::say::remark;
use crate::cli::{self, HookName};
use crate::git::Repo;
use crate::host::Host;
use crate::source::worktree;
use crate::text::printable::clean_path;

/// What the hook that refuses says, and what the hook that encrypts says in its place.
const CALL: &str = "hook pre-commit ";
const FIXING_CALL: &str = "hook pre-commit --fix ";

/// Why a hook could not be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Somebody else's hook stands there.
    #[error("{} is there and does not call sops-lint; it was left as it is", .path.display())]
    Foreign {
        /// The hook.
        path: PathBuf,
        /// Which one.
        hook: HookName,
    },
    /// A hook was changed since it was written, or was never ours.
    #[error("{} has more in it than sops-lint wrote; it was left as it is", .0.display())]
    Changed(PathBuf),
    /// The hook is ours, and git would not run it.
    #[error("{} calls sops-lint and is not executable, so git does not run it", .0.display())]
    NotExecutable(PathBuf),
    /// Only what is not committed yet can be encrypted.
    #[error("only the hook pre-commit can encrypt: what is pushed was committed before")]
    NothingToFix,
    /// It could not be read or written.
    #[error("cannot write the hook {}", .path.display())]
    Io {
        /// The hook.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl InstallError {
    /// The next step.
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
            Self::Changed(_) => "remove the line that calls sops-lint from it",
            Self::NothingToFix => "leave out --fix, or name --hook pre-commit",
            Self::NotExecutable(_) => "make it executable: chmod +x",
            Self::Io { .. } => "check that the directory may be written to",
        }
    }
}

/// husky runs its own file, which runs the one beside its directory.
fn is_of_husky(path: &Path) -> bool {
    path.parent().is_some_and(|directory| directory.ends_with(".husky/_"))
}

/// Writes the hook, or says why not. What stands there is never changed.
pub fn run(args: &cli::Install, host: &Host) -> Result<Exit, CommandError> {
    let repo = Repo::discover(&host.directory)?;
    if args.fix && args.hook != HookName::PreCommit {
        return Err(InstallError::NothingToFix.into());
    }
    let (name, event, script) = script(args.hook);
    let variants = [script.to_owned(), script.replace(CALL, FIXING_CALL)];
    let script = &variants[usize::from(args.fix)];
    let directory = repo.hooks()?;
    let path = directory.join(name);
    let shown = path.strip_prefix(&host.directory).unwrap_or(&path).to_path_buf();
    let failed = |source| InstallError::Io { path: shown.clone(), source };
    let present = match worktree::read_whole(&path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error).into()),
    };
    let said = match present {
        Some(text) if args.uninstall && variants.contains(&text) => {
            host.remove(&path).map_err(failed)?;
            "Removed"
        }
        Some(text) if args.uninstall && calls(&text, event) => {
            return Err(InstallError::Changed(shown).into());
        }
        _ if args.uninstall => "There is no hook of sops-lint at",
        Some(text) if !calls(&text, event) => {
            return Err(InstallError::Foreign { path: shown, hook: args.hook }.into());
        }
        Some(_) if !host.is_program(&path) => {
            return Err(InstallError::NotExecutable(shown).into());
        }
        Some(text) if variants.contains(&text) && text != *script => {
            host.remove(&path).and_then(|()| host.write_program(&path, script)).map_err(failed)?;
            "Rewrote"
        }
        Some(_) => "Nothing to do: sops-lint is called already by",
        None => {
            host.write_program(&path, script).map_err(failed)?;
            "Wrote"
        }
    };
    let shown = clean_path(&shown.display().to_string()).into_owned();
    writeln!(io::stdout(), "{said} {shown}").map_err(CommandError::stdout)?;
    if said == "Wrote" && !repo.is_own(&directory) {
        remark(
            "core.hooksPath names that directory: other repositories that share it run the hook too",
        );
    }
    Ok(Exit::Clean)
}

/// What git calls it, what we call it, and the hook.
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

/// Whether a line of a hook calls us.
fn calls(text: &str, event: &str) -> bool {
    let call = format!(" hook {event}");
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    let mut ours = lines.filter(|line| {
        let is_named = line.contains("sops-lint") || line.contains("\"$program\"");
        is_named && line.contains(&call)
    });
    ours.next().is_some()
}
