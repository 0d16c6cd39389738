//! Obstacles outside the content of a file: what keeps it from being written, whatever is in it.

use super::change::Refusal;
use crate::git::{Index, Repo};
use crate::path::RepoPath;
use crate::shell::{Advice, Command};

/// Refuses a file whose name is not exact: under that name, another file would be written.
pub fn in_name(path: &RepoPath) -> Option<Refusal> {
    let reason = "its name is not UTF-8 (or contains U+FFFD), so it cannot be fixed automatically";
    (!path.is_exact()).then(|| Refusal::new(path, reason, "rename it, and run this again"))
}

/// Refuses the files that git changes between the work tree and the index, or whose place in the work
/// tree it leaves empty. `index` if they are to be fixed there as well.
pub fn in_git(paths: &[&RepoPath], repo: &Repo, index: Option<&Index>) -> Vec<Refusal> {
    let is_missing = |path: &RepoPath| {
        index.is_some_and(|index| index.skips(path.as_str())) && !repo.is_checked_out(path)
    };
    let (missing, present): (Vec<&RepoPath>, Vec<&RepoPath>) =
        paths.iter().partition(|path| is_missing(path));
    let is_sparse = !missing.is_empty() && repo.is_sparse();
    let missing = missing.into_iter().map(|path| missing_file(path, is_sparse));
    let filtered = repo.filtering(&present);
    let is_staged = index.is_some();
    let filtered =
        present.iter().filter_map(|path| Some(filtered_file(path, filtered.get(path)?, is_staged)));
    missing.chain(filtered).collect()
}

fn missing_file(path: &RepoPath, is_sparse: bool) -> Refusal {
    let (reason, commands) = if is_sparse {
        let add = Command::new("git sparse-checkout add");
        let directory = path.parent();
        let add = if directory == RepoPath::root() {
            add.word(format!("/{}", path.as_str()))
        } else {
            add.file(&directory)
        };
        ("it is outside the sparse checkout (skip-worktree)", Advice::from(add))
    } else {
        let unmark = Command::new("git update-index --no-skip-worktree").file(path);
        let restore = Command::new("git restore").file(path);
        let commands = Advice::from(unmark) + " and " + restore;
        ("it is missing from the work tree and marked skip-worktree", commands)
    };
    let help = Advice::from("run ") + commands + ", and run this again";
    Refusal::new(path, reason, help)
}

fn filtered_file(path: &RepoPath, filter: &str, is_staged: bool) -> Refusal {
    // Git looks again at a file that did not change only if it is told to.
    let renormalize = Command::new("git add --renormalize").file(path);
    let add = if is_staged { Advice::from("run ") + renormalize + ", " } else { Advice::default() };
    let attributes = path.parent().join(".gitattributes");
    Refusal::new(
        path,
        format!(
            "its git attribute filter={filter} changes it between the work tree and the index, with a program from git's configuration, which sops-lint does not run"
        ),
        Advice::from(format!(
            "if the filter protects it, ignore the finding in .sops-lint.yaml; if sops is to, add a line with its name and -filter to the end of {attributes} (of .git/info/attributes, if that names the filter), "
        )) + add
            + "and run this again",
    )
}
