//! `sops-lint install`: writes a git hook where git looks for it.

use std::io::{self, Write};

use super::error::{CommandError, Exit};
use super::hook_file::{Done, HookFile};
use super::say::remark;
use crate::cli;
use crate::git::Repo;
use crate::host::Host;
use crate::text::printable::clean_path;

/// Writes or removes a hook, and says what happened.
pub fn run(
    args: &cli::Install,
    style: cli::StyleOptions,
    host: &Host,
) -> Result<Exit, CommandError> {
    let repo = Repo::discover(&host.directory)?;
    let directory = repo.hooks()?;
    let file = HookFile::new(args.hook, &directory, host);
    let fixes = if args.no_fix { Some(false) } else { args.fix.then_some(true) };
    let done = if args.uninstall { file.uninstall(host)? } else { file.install(fixes, host)? };
    if style.quiet {
        return Ok(Exit::Clean);
    }
    let said = match done {
        Done::Wrote => "Wrote",
        Done::Rewrote => "Rewrote",
        Done::Removed => "Removed",
        Done::NothingToDo => "Nothing to do: sops-lint is called already by",
        Done::KeptFix => "Nothing to do: sops-lint is called already, with --fix, by",
        Done::NoHook => "There is no hook of sops-lint at",
    };
    let shown = file.shown.display().to_string();
    writeln!(io::stdout(), "{said} {}", clean_path(&shown)).map_err(CommandError::stdout)?;
    if done == Done::KeptFix {
        remark("this hook encrypts plaintext; `sops-lint install --no-fix` makes it only refuse");
    }
    if done == Done::Wrote && !repo.is_own(&directory) {
        remark(
            "core.hooksPath names this directory: other repositories that use it run the hook, too",
        );
    }
    Ok(Exit::Clean)
}
