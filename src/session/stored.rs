//! Files of the work tree that git stores in another form: encrypted by git-crypt, for example.

use std::collections::{BTreeSet, HashMap};

use crate::finding::{Finding, Risk};
use crate::git::Repo;
use crate::input::Input;
use crate::path::RepoPath;
use crate::source::Source;
use crate::text::words::{agree, count, listing};

/// Returns what git stores of the files that leak something, if a filter of git changes them between the
/// work tree and the index. Only that is committed.
pub(super) fn stored(source: &Source, findings: &[Finding]) -> Vec<Input> {
    let Source::WorkTree(tree) = source else { return Vec::new() };
    let leaking = findings.iter().filter(|finding| matches!(finding.rule.risk, Risk::Leak(_)));
    let paths: BTreeSet<&RepoPath> = leaking.map(|finding| &finding.place.path).collect();
    if paths.is_empty() || !tree.is_repository {
        return Vec::new();
    }
    let Ok(repo) = Repo::discover(&tree.root) else { return Vec::new() };
    let paths: Vec<&RepoPath> = paths.into_iter().filter(|path| path.is_exact()).collect();
    let filtering: HashMap<&RepoPath, String> = repo.filtering(&paths);
    let index = if filtering.is_empty() { None } else { repo.index().ok() };
    let Some(index) = index else { return Vec::new() };
    let stored = paths.into_iter().filter(|path| filtering.contains_key(path)).filter_map(|path| {
        let content = repo.read(index.blob(path.as_str())?).ok()?;
        Some(Input { path: path.clone(), content })
    });
    stored.collect()
}

/// Says which files were judged as git stores them.
pub(super) fn remark(files: &[Input]) -> String {
    format!(
        "{} {} checked as git stores {}, because a filter of git changes {} ({})",
        count(files.len(), "file"),
        agree(files.len(), "was", "were"),
        agree(files.len(), "it", "them"),
        agree(files.len(), "it", "them"),
        listing(files, |file| file.path.as_str().to_owned())
    )
}
