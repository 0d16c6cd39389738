//! Notes about plaintext that git still has after a fix.

use crate::commands::say::remark;
use crate::fix::Change;
use crate::git::{InPlaintext, ObjectId, Repo};
use crate::path::RepoPath;
use crate::shell::{Command, Reader};
use crate::text::words::{agree, count};

/// Says where git still has the plaintext: in pushed commits, in local commits, or as objects only.
pub(super) fn report_remains(changes: &[Change], repo: &Repo) {
    let plaintext = changes.iter().filter(|change| change.encryption.is_some());
    let mut files: Vec<_> =
        plaintext.map(|change| (&change.path, repo.blob_of(&change.old.0))).collect();
    let advice = "change its values, because others may know them: encrypting the file does not undo the push";
    let found = repo.brought_in_plaintext("--remotes", &files);
    report_brought(&mut files, found, "pushed", advice);
    let advice = "rewrite that commit before you push, with `git commit --amend` or `git rebase -i`, or change its values";
    let found = repo.brought_in_plaintext("HEAD", &files);
    report_brought(&mut files, found, "committed", advice);
    files.retain(|(_, blob)| repo.holds(*blob));
    if !files.is_empty() {
        remark("plaintext that was staged stays in .git until `git gc --prune=now` removes it");
    }
}

/// Names the files that the next commit would still have in plaintext.
pub(super) fn report_staged(changes: &[Change], repo: &Repo, reader: &Reader) {
    let Ok(index) = repo.index() else { return };
    let is_staged = |change: &&Change| {
        let entry = index.entry(change.path.as_str());
        change.encryption.is_some()
            && entry.is_some_and(|entry| entry.blob == repo.blob_of(&change.old.0))
    };
    match &changes.iter().filter(is_staged).collect::<Vec<_>>()[..] {
        [] => {}
        [change] => remark(&format!(
            "git has the plaintext staged or committed: run `{}`",
            Command::new("git add").file(&change.path).line(reader)
        )),
        [first, others @ ..] => remark(&format!(
            "git has the plaintext of {} and {} more staged or committed: `git add` them",
            first.path,
            others.len()
        )),
    }
}

/// Names the files that commits have in plaintext, and keeps the others in `files`.
fn report_brought(
    files: &mut Vec<(&RepoPath, ObjectId)>,
    found: Vec<InPlaintext>,
    verb: &str,
    advice: &str,
) {
    const SHOWN: usize = 10;
    let mut known = Vec::new();
    let mut found = found.into_iter();
    files.retain(|(path, _)| match found.next() {
        None | Some(InPlaintext::Never) => true,
        Some(InPlaintext::Same(commit)) => {
            known.push(format!("{path} was {verb} with commit {commit}"));
            false
        }
        Some(InPlaintext::Other(commit)) => {
            known.push(format!("{path} was {verb} in plaintext with commit {commit}"));
            false
        }
    });
    for known in known.iter().take(SHOWN) {
        remark(&format!("{known}: {advice}"));
    }
    if known.len() > SHOWN {
        let more = known.len() - SHOWN;
        remark(&format!(
            "{} {} {verb} in plaintext: do the same for {}",
            count(more, "more file"),
            agree(more, "was", "were"),
            agree(more, "it", "them"),
        ));
    }
}
