//! A transaction that dies at any of its writes: the next run undoes it or finishes it.
//!
//! No clock decides where it dies. An observer stops the run before its n-th write, for every n, and then
//! stops the recovery before its m-th write, for every m.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use sops_lint::fix::stage::{Operation, Recovered, Stage, StageError, Step};
use sops_lint::fix::{Bytes, Change};
use sops_lint::git::Repo;
use sops_lint::path::RepoPath;

use super::walk;
use crate::support::{Git, repository};

/// Files with their content before and after; `None`: there is no such file.
type States = &'static [(&'static str, Option<&'static str>, Option<&'static str>)];

/// Replaced files, a new name, and a line for `.gitignore`.
const PLAIN: States = &[
    ("a.yaml", Some("old a\n"), Some("new a\n")),
    ("deep/b.yaml", Some("old b\n"), Some("new b\n")),
    ("from.yaml", Some("moved\n"), None),
    ("to.yaml", None, Some("moved\n")),
    (".gitignore", Some("*.log"), Some("*.log\n/copy.yaml\n")),
];

/// Files that are also replaced in the index.
const STAGED: States = &[
    ("staged.yaml", Some("old s\n"), Some("new s\n")),
    ("deep/staged.yaml", Some("old t\n"), Some("new t\n")),
];

fn change(&(path, old, new): &(&str, Option<&str>, Option<&str>)) -> Change {
    let bytes = |text: Option<&str>| Bytes(text.expect("a content").as_bytes().to_vec());
    Change {
        path: RepoPath::from(path),
        old: bytes(old),
        new: bytes(new),
        edits: Vec::new(),
        done: String::new(),
        encryption: None,
    }
}

/// Runs the transaction or, without one, the recovery. Returns the number of writes before its death, or
/// its result.
fn run(
    root: &Path,
    is_git: bool,
    transaction: bool,
    death: usize,
) -> Result<(usize, Recovered), StageError> {
    let repo = is_git.then(|| Repo::discover(root).expect("a repository"));
    let writes = AtomicUsize::new(0);
    let observer = |_: Step| {
        let number = writes.fetch_add(1, Ordering::Relaxed);
        if number < death { Ok(()) } else { Err(io::Error::other("death")) }
    };
    let (mut stage, recovered) = Stage::open_observed(root, repo.as_ref(), &observer)?;
    if transaction {
        let replaced: Vec<Change> = PLAIN[..2].iter().map(change).collect();
        let staged: Vec<Change> =
            if is_git { STAGED.iter().map(change).collect() } else { Vec::new() };
        let (from, to) = (RepoPath::from("from.yaml"), RepoPath::from("to.yaml"));
        let mut operations: Vec<Operation<'_>> = replaced.iter().map(Operation::Replace).collect();
        operations.extend(staged.iter().map(Operation::Stage));
        operations.push(Operation::Rename { from: &from, to: &to });
        let (path, lines) = (RepoPath::from(".gitignore"), vec!["/copy.yaml".to_owned()]);
        operations.push(Operation::Append { path, lines });
        stage.commit(&operations)?;
    }
    drop(stage);
    Ok((writes.into_inner(), recovered))
}

/// Reports whether everything is new; fails if some of it is new and some is old.
fn is_new(root: &Path, git: Option<&Git>) -> bool {
    let states = PLAIN.iter().chain(if git.is_some() { STAGED } else { &[] });
    let mut found: Vec<(String, bool)> = Vec::new();
    for (path, old, new) in states {
        let text = fs::read_to_string(root.join(path)).ok();
        let is_new = text.as_deref() == *new;
        assert!(is_new || text.as_deref() == *old, "{path}: {text:?}");
        found.push(((*path).to_owned(), is_new));
    }
    if let Some(git) = git {
        for (path, old, new) in STAGED {
            let text = git.run(&["show", &format!(":{path}")]) + "\n";
            let is_new = Some(text.as_str()) == *new;
            assert!(is_new || Some(text.as_str()) == *old, "{path} in the index: {text:?}");
            found.push((format!("{path} in the index"), is_new));
        }
    }
    assert!(found.iter().all(|(_, is_new)| *is_new == found[0].1), "{found:?}");
    found[0].1
}

/// Checks that nothing is left but the files.
fn assert_tidy(root: &Path) {
    let left = walk(root);
    let is_left = |name: &String| name.contains("sops-lint-") || name.contains("journal");
    assert!(!left.iter().any(is_left), "{left:?}");
}

/// Dies before the n-th write of the transaction and the m-th write of each recovery, and returns whether
/// both died. `was` counts recoveries that undid the transaction, and that finished it.
fn die_twice(is_git: bool, death: usize, second: usize, was: &mut [usize; 2]) -> (bool, bool) {
    let states: Vec<_> = PLAIN.iter().chain(if is_git { STAGED } else { &[] }).collect();
    let files: Vec<(&str, &str)> =
        states.iter().filter_map(|(path, old, _)| Some((*path, (*old)?))).collect();
    let git = is_git.then(|| Git::with(&files));
    let tree = (!is_git).then(|| repository(&files));
    let root = git.as_ref().map_or_else(|| tree.as_ref().expect("made").path(), |git| &git.root);
    let root = root.canonicalize().expect("there");
    let died = match run(&root, is_git, true, death) {
        Ok(_) => false,
        Err(StageError::Stopped(_)) => true,
        Err(error) => panic!("death {death}: {error}"),
    };
    let died_again = match run(&root, is_git, false, second) {
        Ok(_) => false,
        Err(StageError::Stopped(_)) => true,
        Err(error) => panic!("deaths {death} and {second}: {error}"),
    };
    let (_, last) = run(&root, is_git, false, usize::MAX).expect("the recovery goes through");
    let is_new = is_new(&root, git.as_ref());
    assert_tidy(&root);
    assert!(died || is_new, "the transaction went through");
    assert!(last.left.is_empty(), "{last:?}");
    assert!(!last.is_undone || !is_new, "{last:?}");
    was[0] += usize::from(last.is_undone);
    was[1] += usize::from(!last.finished.is_empty());
    (died, died_again)
}

#[test]
fn a_transaction_that_dies_at_any_write_is_undone_or_finished() {
    for is_git in [true, false] {
        let (mut deaths, mut was) = (0, [0; 2]);
        for death in 0.. {
            let mut died = false;
            for second in 0.. {
                let (first, again) = die_twice(is_git, death, second, &mut was);
                (died, deaths) = (first, deaths + usize::from(first));
                if !again {
                    break;
                }
            }
            if !died {
                break;
            }
        }
        let [undone, finished] = was;
        assert!(deaths > 40 && undone > 10 && finished > 10, "{deaths} deaths: {was:?}");
    }
}

#[test]
fn a_journal_of_another_program_is_left_alone() {
    const JOURNAL: &str = ".sops-lint-journal";
    let states = PLAIN.iter().filter_map(|(path, old, _)| Some((*path, (*old)?)));
    for foreign in ["not ours\n", "{\"version\":2,\"entries\":[]}\n"] {
        let files: Vec<_> = states.clone().chain([(JOURNAL, foreign)]).collect();
        let tree = repository(&files);
        let refused = run(tree.path(), false, true, usize::MAX);
        assert!(matches!(refused, Err(StageError::ForeignJournal(_))), "{foreign}: {refused:?}");
        let journal = fs::read_to_string(tree.path().join(JOURNAL)).expect("still there");
        assert_eq!(journal, foreign);
        assert!(!is_new(tree.path(), None));
    }
}
