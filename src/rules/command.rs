//! Commands in the help of findings.

use crate::path::RepoPath;
use crate::policy::Governing;
use crate::shell::{Advice, Command};

/// Returns the sops command that does `verb` to a file under its own config. `format`: the name of its
/// format, if sops does not see that by the name of the file.
pub fn sops_command(
    governing: Governing<'_>,
    verb: &str,
    format: Option<&str>,
    path: &RepoPath,
) -> Command {
    let config = match governing {
        Governing::Rule(config, _) | Governing::NoRule(config) => Some(config),
        Governing::Unusable(_) | Governing::NoConfig => None,
    };
    let sops = Command::new("sops");
    let sops = config.map_or(sops.clone(), |config| sops.config(&config.path)).words(verb);
    let typed = match format {
        None => sops,
        // It writes what it read.
        Some(format) if verb == "updatekeys" => sops.words("--input-type").word(format),
        Some(format) => sops.words("--input-type").word(format).words("--output-type").word(format),
    };
    typed.file(path)
}

/// Tells how to remove a file from git, but not from the disk.
pub(super) fn untrack(path: &RepoPath) -> Advice {
    let remove = Command::new("git rm --cached").file(path);
    Advice::from("run ") + remove + " if git tracks it, and add it to .gitignore"
}

/// Tells how to rename a file.
pub(super) fn rename(from: &RepoPath, to: &RepoPath) -> Advice {
    Advice::from("run ") + Command::new("git mv").file(from).file(to)
}
