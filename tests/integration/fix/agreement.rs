//! A fix reports the same remaining findings as the next scan.

use std::fs;
use std::path::Path;

use super::{SECRET, rules};
use crate::support::{
    Git, Run, copy_of, directories, fixtures, repository, sops_lint, sops_lint_as_alice,
};

/// The errors, warnings and infos that a fix leaves.
fn left(run: &Run) -> [u64; 3] {
    let mut lines = run.stderr.lines();
    let line = lines.find(|line| line.contains(": see `sops-lint scan")).unwrap_or_default();
    let words: Vec<&str> = line.split([' ', ',']).collect();
    ["error", "warning", "info"].map(|level| {
        let at = words.iter().position(|word| word.trim_end_matches('s') == level);
        at.map_or(0, |at| words[at - 1].parse().unwrap_or_else(|_| panic!("{run:?}")))
    })
}

/// The same of a scan.
fn found(run: &Run) -> [u64; 3] {
    let summary = &run.json()["summary"];
    ["errors", "warnings", "infos"].map(|level| summary[level].as_u64().expect("a number"))
}

fn assert_agree(root: &Path, arguments: &[&str]) {
    let fix = sops_lint_as_alice(root, &[&["fix"], arguments].concat());
    let scan = sops_lint_as_alice(root, &[&["scan", "--format", "json"], arguments].concat());
    assert_eq!(left(&fix), found(&scan), "{}: {fix:?}", root.display());
    assert_eq!(fix.code, scan.code, "{}: {fix:?} {scan:?}", root.display());
}

#[test]
fn after_a_fix_the_next_scan_says_what_it_says_in_every_fixture() {
    for rule in directories(&fixtures().join("rules")) {
        for case in directories(&rule) {
            assert_agree(copy_of(&case, &["findings.txt"]).path(), &[]);
        }
    }
}

#[test]
fn a_wrong_mac_is_left_and_fails() {
    let tree = repository(&[(".sops.yaml", &rules()), ("db.yaml", SECRET)]);
    assert_eq!(sops_lint(tree.path(), &["fix"]).code, Some(0));
    let path = tree.path().join("db.yaml");
    let text = fs::read_to_string(&path).expect("read");
    fs::write(&path, text.replace("name: db", "name: other")).expect("written");
    let run = sops_lint_as_alice(tree.path(), &["fix"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.stderr, "note: 1 error is left: see `sops-lint scan`\n");
    assert_agree(tree.path(), &[]);
}

#[test]
fn levels_ignores_the_baseline_and_the_selection_apply_to_a_fix() {
    let settings = |text: &str| {
        repository(&[(".sops.yaml", &rules()), ("db.yaml", SECRET), (".sops-lint.yaml", text)])
    };
    let ignored = "ignore:\n- {path: db.yaml, rules: [unencrypted-secret], reason: an example}\n";
    let tree = settings(ignored);
    let run = sops_lint(tree.path(), &["fix"]);
    let said = "note: there was nothing to fix (the settings ignore 1 finding)\n";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", said));
    let run = sops_lint(tree.path(), &["fix", "db.yaml"]);
    let said = "note: db.yaml was left as it is: the settings or the baseline suppress what was found in it (--no-baseline fixes what is in the baseline)\n";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", said));

    let tree = settings("baseline: known.yaml\n");
    let run = sops_lint(tree.path(), &["baseline", "--output", "known.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = sops_lint(tree.path(), &["fix"]);
    let said = "note: there was nothing to fix (the baseline suppresses 1 finding)\n";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", said));
    assert_agree(tree.path(), &[]);
    let run = sops_lint(tree.path(), &["fix", "--no-baseline"]);
    assert!(run.code == Some(0) && run.stdout.starts_with("db.yaml: encrypted"), "{run:?}");

    let tree = settings("levels: {unencrypted-secret: warning}\n");
    fs::remove_file(tree.path().join(".sops.yaml")).expect("removed");
    let run = sops_lint(tree.path(), &["fix"]);
    assert!(run.stderr.contains("note: 1 warning is left: see `sops-lint scan`"), "{run:?}");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_agree(tree.path(), &["--fail-on", "warning"]);

    let tree = settings("");
    for arguments in [&["--skip", "unencrypted-secret"][..], &["--only", "mac-mismatch"]] {
        let run = sops_lint(tree.path(), &[&["fix"], arguments].concat());
        assert_eq!((run.code, &*run.stdout), (Some(0), ""), "{run:?}");
    }
    let level = ["--level", "unencrypted-secret=info", "--fail-on", "info"];
    fs::remove_file(tree.path().join(".sops.yaml")).expect("removed");
    assert_agree(tree.path(), &level);
}

#[test]
fn what_is_staged_is_judged_again_as_it_is_staged() {
    let git = Git::with(&[(".sops.yaml", &rules())]);
    git.stage(&[("a.yaml", SECRET), ("b.txt", "-----BEGIN PRIVATE KEY-----\nx\n")]);
    let run = git.lint(&["fix", "--staged"]);
    assert!(run.stdout.starts_with("a.yaml: encrypted"), "{run:?}");
    let scan = git.lint(&["scan", "--staged", "--format", "json"]);
    assert_eq!((left(&run), run.code), (found(&scan), scan.code), "{run:?}");
}

#[test]
fn a_dry_run_says_what_would_be_left() {
    let secret = SECRET.replace("metadata:\n", "metadata:\n  annotations: {a: canary}\n");
    for text in [SECRET, &secret] {
        let tree =
            repository(&[(".sops.yaml", &rules()), ("a.yaml", text), ("b.sops.yaml", "a: [")]);
        let dry = sops_lint(tree.path(), &["fix", "--dry-run"]);
        let line = dry.stderr.replace("would be left", "are left");
        let fix = sops_lint(tree.path(), &["fix"]);
        assert_eq!(left(&Run { stderr: line, ..dry }), left(&fix), "{fix:?}");
    }
}

#[test]
fn a_dry_run_knows_what_a_corrected_config_leaves() {
    let glob = rules().replace("- age", "- path_regex: apps/*.yaml\n    age");
    let tree = repository(&[(".sops.yaml", &glob), ("apps/a.yaml", SECRET), ("b.yaml", SECRET)]);
    let dry = sops_lint(tree.path(), &["fix", "--unsafe", "--dry-run"]);
    let line = dry.stderr.replace("would be left", "are left");
    assert!(line.contains("note: nothing was written: 2 files would change\n"), "{line}");
    let fix = sops_lint(tree.path(), &["fix", "--unsafe"]);
    assert_eq!(left(&Run { stderr: line, ..dry }), left(&fix), "{fix:?}");
}
