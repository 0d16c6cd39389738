//! What is staged: the hook that encrypts, and what stays with git.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{SECRET, assert_clean, assert_sealed, read, rules};
use crate::peers::{self, Peer};
use crate::support::{Git, Run, fixtures, sops_lint_with};

/// A repository with rules, and a hook that encrypts below `apps`.
fn with_hook() -> Git {
    let git = Git::with(&[
        (".sops.yaml", &rules()),
        (".sops-lint.yaml", "fix:\n  allow: [\"apps/**\"]\n"),
    ]);
    assert_eq!(git.lint(&["install"]).code, Some(0));
    git
}

fn committed(git: &Git, path: &str) -> String {
    git.run(&["show", &format!("HEAD:{path}")])
}

#[test]
fn the_hook_encrypts_where_it_may_and_the_commit_goes_through() {
    let git = with_hook();
    let odd = "apps/a b\n\"ü\".yaml";
    git.stage(&[("apps/db.yaml", SECRET), (odd, SECRET)]);
    let run = git.attempt(&["commit", "--quiet", "-m", "x"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_clean(&git.root, &run);
    assert!(run.stderr.contains("stays in .git until `git gc --prune=now`"), "{run:?}");
    for path in ["apps/db.yaml", odd] {
        assert_sealed(&committed(&git, path));
        assert_eq!(committed(&git, path) + "\n", read(&git.root, path));
    }
    assert_eq!(git.run(&["status", "--porcelain"]), "");
    git.run(&["fsck", "--strict"]);
    // With -a the index is a copy that replaces the real one.
    git.write("apps/db.yaml", SECRET);
    let run = git.attempt(&["commit", "--quiet", "--all", "-m", "x"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_sealed(&committed(&git, "apps/db.yaml"));
    assert_eq!(git.run(&["status", "--porcelain"]), "");
}

#[test]
fn the_hook_refuses_where_it_may_not() {
    let git = with_hook();
    git.stage(&[("other/db.yaml", SECRET), ("apps/db.yaml", SECRET)]);
    let run = git.attempt(&["commit", "--quiet", "-m", "x"]);
    assert!(run.code != Some(0), "{run:?}");
    assert_eq!(read(&git.root, "other/db.yaml"), SECRET);
    // Whoever installs it so lets it encrypt everywhere.
    let run = git.lint(&["install", "--fix"]);
    assert!(run.code == Some(0) && run.stdout.starts_with("Rewrote"), "{run:?}");
    let run = git.attempt(&["commit", "--quiet", "-m", "x"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_sealed(&committed(&git, "other/db.yaml"));
    assert_eq!(git.lint(&["install", "--uninstall"]).code, Some(0));
    let run = git.lint(&["install", "--fix", "--hook", "pre-push"]);
    assert!(run.code == Some(2) && run.stderr.contains("only the pre-commit hook"), "{run:?}");
}

#[test]
fn a_file_that_is_staged_in_part_is_left_as_it_is() {
    let git = with_hook();
    git.stage(&[("apps/a.yaml", SECRET), ("apps/db.yaml", SECRET)]);
    let more = format!("{SECRET}  # canary, not staged\n");
    git.write("apps/db.yaml", &more);
    let before = git.run(&["ls-files", "--stage"]);
    for arguments in
        [&["commit", "--quiet", "-m", "x"][..], &["commit", "--quiet", "-m", "x", "apps/a.yaml"]]
    {
        let run = git.attempt(arguments);
        assert!(run.code != Some(0) && run.stderr.contains("nothing was written"), "{run:?}");
        assert!(run.stderr.contains("\n  help: "), "{run:?}");
        assert_clean(&git.root, &run);
        assert_eq!(git.run(&["ls-files", "--stage"]), before);
        assert_eq!(
            (read(&git.root, "apps/a.yaml"), read(&git.root, "apps/db.yaml")),
            (SECRET.to_owned(), more.clone())
        );
    }
    // Gone from the work tree is not the same either.
    fs::remove_file(git.root.join("apps/db.yaml")).expect("removed");
    let run = git.lint(&["fix", "--staged"]);
    assert!(run.code == Some(2) && run.stderr.contains("partly staged"), "{run:?}");
}

#[test]
fn line_ends_that_git_converts_are_converted_in_the_work_tree_alone() {
    let git = Git::init(&[]);
    git.run(&["config", "core.autocrlf", "true"]);
    git.commit(&[(".sops.yaml", &rules())]);
    git.stage(&[("db.yaml", &SECRET.replace('\n', "\r\n"))]);
    let run = git.lint(&["fix", "--staged"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let staged = git.run(&["show", ":db.yaml"]);
    assert_sealed(&staged);
    assert!(!staged.contains('\r'));
    assert_eq!(read(&git.root, "db.yaml"), (staged + "\n").replace('\n', "\r\n"));
    git.run(&["commit", "--quiet", "-m", "x"]);
    assert_eq!(git.run(&["status", "--porcelain"]), "");
}

#[test]
fn modes_and_linked_work_trees_are_kept() {
    let git = with_hook();
    let beside = git.beside("linked");
    git.run(&["worktree", "add", "--quiet", beside.to_str().expect("UTF-8")]);
    fs::create_dir(beside.join("apps")).expect("made");
    fs::write(beside.join("apps/db.yaml"), SECRET).expect("written");
    fs::set_permissions(beside.join("apps/db.yaml"), fs::Permissions::from_mode(0o755))
        .expect("set");
    let run = |arguments: &[&str]| crate::support::git_in(&beside, arguments);
    assert_eq!(run(&["add", "apps"]).code, Some(0));
    let commit = run(&["commit", "--quiet", "-m", "x"]);
    assert_eq!(commit.code, Some(0), "{commit:?}");
    assert!(run(&["ls-tree", "-r", "HEAD"]).stdout.contains("100755 blob"));
    assert_sealed(&run(&["show", "HEAD:apps/db.yaml"]).stdout);
    assert_eq!(run(&["status", "--porcelain"]).stdout, "");
}

#[test]
fn what_was_pushed_has_to_be_changed() {
    let git = Git::with(&[(".sops.yaml", &rules()), ("db.yaml", SECRET), ("new.yaml", "a: b\n")]);
    let bare = git.beside("bare.git");
    git.run(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("UTF-8")]);
    git.run(&["remote", "add", "origin", bare.to_str().expect("UTF-8")]);
    git.run(&["fetch", "--quiet", "origin"]);
    let commit = git.run(&["rev-parse", "--short=10", "HEAD"]);
    let run = git.lint(&["fix"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let said = format!("note: db.yaml was pushed with commit {commit}: change its values");
    assert!(run.stderr.contains(&said), "{run:?}");
    git.write("db.yaml", &SECRET.replace("canary", "another canary"));
    let run = git.lint(&["fix"]);
    assert!(
        run.stderr.contains(&format!("was pushed in plaintext with commit {commit}")),
        "{run:?}"
    );
    // Settings of the user's hide neither the first commit nor what a merge brings.
    git.run(&["config", "log.showRoot", "false"]);
    git.write("db.yaml", &SECRET.replace("canary", "a third canary"));
    let run = git.lint(&["fix"]);
    assert!(run.stderr.contains("was pushed in plaintext with commit"), "{run:?}");
}

#[test]
fn what_git_has_of_the_plaintext_is_said() {
    let git = Git::with(&[(".sops.yaml", &rules()), ("old.yaml", SECRET)]);
    let run = git.lint(&["fix"]);
    let commit = git.run(&["rev-parse", "--short=10", "HEAD"]);
    let said = format!(
        "note: old.yaml was committed with commit {commit}: rewrite that commit before you push"
    );
    assert!(run.stderr.contains(&said), "{run:?}");
    assert!(run.stderr.contains("run `git add old.yaml`"), "{run:?}");
    git.stage(&[("new.yaml", &SECRET.replace("canary", "another canary"))]);
    let run = git.lint(&["fix", "new.yaml"]);
    assert!(run.stderr.contains("until `git gc --prune=now` removes it"), "{run:?}");
    assert!(run.stderr.contains("run `git add new.yaml`"), "{run:?}");
    git.write("never.yaml", &SECRET.replace("canary", "a third canary"));
    let run = git.lint(&["fix", "never.yaml"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "git has nothing of it");
}

#[test]
fn under_pre_commit_and_prek_the_work_tree_is_changed_and_the_commit_refused() {
    let hook = format!(
        "repos:\n- repo: local\n  hooks:\n  - id: sops-lint-fix\n    name: sops-lint-fix\n    entry: {} fix\n    language: system\n    types: [text]\n    require_serial: true\n",
        env!("CARGO_BIN_EXE_sops-lint")
    );
    for (name, peer) in [("pre-commit", peers::pre_commit()), ("prek", peers::prek())] {
        let Some(peer) = peer else {
            peers::skip("fix under a framework", name);
            continue;
        };
        let git = Git::with(&[(".sops.yaml", &rules()), (".pre-commit-config.yaml", &hook)]);
        git.stage(&[("db.yaml", SECRET)]);
        let run = framework(&peer, &git);
        assert!(run.code == Some(1), "{name}: {run:?}");
        assert!(!run.stdout.contains("canary"), "{name}: {run:?}");
        assert_sealed(&read(&git.root, "db.yaml"));
        assert!(git.run(&["show", ":db.yaml"]).contains("canary"), "{name} leaves the index alone");
        git.run(&["add", "db.yaml"]);
        let run = framework(&peer, &git);
        assert_eq!(run.code, Some(0), "{name}: {run:?}");
    }
}

fn framework(peer: &Peer, git: &Git) -> Run {
    let output = Command::new(&peer.command[0])
        .args(&peer.command[1..])
        .arg("run")
        .current_dir(&git.root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PYTHONPATH", &peer.packages)
        .env("HOME", git.beside("home"))
        .env("PRE_COMMIT_HOME", git.beside("home/pre-commit"))
        .env("PREK_HOME", git.beside("home/prek"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

/// Whatever the link leads to is none of this repository.
#[test]
fn nothing_is_written_behind_a_directory_that_became_a_link() {
    let git = Git::with(&[(".sops.yaml", &rules())]);
    git.stage(&[("apps/db.yaml", SECRET)]);
    let outside = git.beside("outside");
    fs::rename(git.root.join("apps"), &outside).expect("moved");
    std::os::unix::fs::symlink(&outside, git.root.join("apps")).expect("linked");
    let run = git.lint(&["fix", "--staged"]);
    assert!(run.code == Some(2) && run.stderr.contains("behind a link"), "{run:?}");
    assert_eq!(read(&outside, "db.yaml"), SECRET);
}

/// Every scan asks gpg once for recipients that no certificate explains.
#[test]
fn a_hook_with_nothing_to_fix_scans_once() {
    let git = with_hook();
    let keyring = git.beside("keyring");
    fs::create_dir(&keyring).expect("made");
    fs::write(keyring.join("pubring.kbx"), "").expect("written");
    let (gpg, calls) = (git.beside("gpg"), git.beside("calls"));
    fs::write(&gpg, format!("#!/bin/sh\necho \"$*\" >> '{}'\n", calls.display())).expect("written");
    fs::set_permissions(&gpg, fs::Permissions::from_mode(0o755)).expect("set");
    let rule = format!("  - path_regex: ^pgp/\n    pgp: {}\n", "AB".repeat(20));
    let rules = rules().replace("creation_rules:\n", &format!("creation_rules:\n{rule}"));
    git.stage(&[(".sops.yaml", &rules), ("apps/note.yaml", "a: b\n")]);
    let variables: &[(&str, &Path)] = &[("SOPS_GPG_EXEC", &gpg), ("GNUPGHOME", &keyring)];
    let scans = |arguments: &[&str]| {
        let _ = fs::remove_file(&calls);
        let run = sops_lint_with(&git.root, arguments, variables);
        assert_eq!(run.code, Some(0), "{run:?}");
        fs::read_to_string(&calls).expect("gpg was asked").lines().count()
    };
    assert_eq!(scans(&["hook", "pre-commit"]), 1);
    assert_eq!(scans(&["hook", "pre-commit", "--fix"]), 1);
    git.stage(&[("apps/db.yaml", SECRET)]);
    assert_eq!(scans(&["hook", "pre-commit"]), 2, "what was encrypted is judged again");
    assert_sealed(&git.run(&["show", ":apps/db.yaml"]));
}

#[test]
fn a_refused_commit_names_the_one_step_if_there_is_one() {
    const STEP: &str = "note: nothing was committed: run `sops-lint fix --staged` to encrypt the files, then commit again\n";
    let by_hand = "note: nothing was committed: fix the files and `git add` them\n";
    let key = fs::read_to_string(fixtures().join("keys/age/alice.txt")).expect("a key");
    let anchors = SECRET.replace("password: canary # canary", "a: &a canary\n  b: *a");
    let leaked = SECRET.replace("metadata:\n", "metadata:\n  annotations: {a: canary}\n");
    for (files, rules, step) in [
        (&[("db.yaml", SECRET)][..], rules(), STEP),
        (&[("a.yaml", SECRET), ("b/c.yaml", &leaked)], rules(), STEP),
        (&[("db.yaml", SECRET), ("keys.txt", &key)], rules(), by_hand),
        (&[("db.yaml", SECRET), ("e.yaml", &anchors)], rules(), by_hand),
        (&[("db.yaml", SECRET)], rules().replace("- age", "- path_regex: ^x/\n    age"), by_hand),
    ] {
        let git = Git::with(&[(".sops.yaml", &rules)]);
        git.stage(files);
        let run = git.lint(&["hook", "pre-commit"]);
        assert!(run.code == Some(1) && run.stderr.ends_with(step), "{step}: {run:?}");
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let framework = git.lint(&[&["hook", "pre-commit"], &names[..]].concat());
        assert!(framework.code == Some(1) && framework.stderr.ends_with(step), "{framework:?}");
        if step == STEP {
            assert_eq!(git.lint(&["fix", "--staged"]).code, Some(0));
            assert_eq!(git.lint(&["hook", "pre-commit"]).code, Some(0));
        }
    }
    // What is staged in part, or was not staged, the step would not fix.
    let git = Git::with(&[(".sops.yaml", &rules()), ("old.yaml", SECRET)]);
    git.stage(&[("db.yaml", SECRET)]);
    let run = git.lint(&["hook", "pre-commit", "db.yaml", "old.yaml"]);
    assert!(run.code == Some(1) && run.stderr.ends_with(by_hand), "{run:?}");
    git.write("db.yaml", &format!("{SECRET}  # more\n"));
    let run = git.lint(&["hook", "pre-commit"]);
    assert!(run.code == Some(1) && run.stderr.ends_with(by_hand), "{run:?}");
}

#[test]
fn a_stage_that_fails_is_undone() {
    let git = Git::with(&[(".sops.yaml", &rules())]);
    git.stage(&[("a.yaml", SECRET), ("b.yaml", SECRET)]);
    let before = git.run(&["ls-files", "--stage"]);
    // Git fails after the temporary files and the blobs were written.
    git.write(".git/index.lock", "");
    let run = git.lint(&["fix", "--staged"]);
    assert!(run.code == Some(2) && run.stderr.contains("cannot write the index"), "{run:?}");
    assert!(run.stderr.contains("\n  help: wait for other git programs to end"), "{run:?}");
    fs::remove_file(git.root.join(".git/index.lock")).expect("removed");
    assert_eq!(git.run(&["ls-files", "--stage"]), before);
    for path in ["a.yaml", "b.yaml"] {
        assert_eq!(read(&git.root, path), SECRET);
    }
    assert_clean(&git.root, &run);
    let run = git.lint(&["fix", "--staged"]);
    assert_eq!((run.code, run.stderr.contains("interrupted")), (Some(0), false), "{run:?}");
}

/// Above a hundred paths, git is asked for its whole history.
#[test]
fn plaintext_in_commits_is_found_for_any_number_of_files() {
    for number in [100, 101] {
        let names: Vec<String> = (0..number).map(|one| format!("apps/db-{one:03}.yaml")).collect();
        let rules = rules();
        let mut files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, SECRET)).collect();
        files.extend([(".sops.yaml", &*rules), ("other.yaml", "a: b\n")]);
        let git = Git::init(&[]);
        for (path, text) in files {
            git.write(path, text);
        }
        git.run(&["add", "."]);
        git.run(&["commit", "--quiet", "-m", "x"]);
        let run = git.lint(&["fix"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_eq!(run.stderr.matches(": rewrite that commit before you push").count(), 10);
        let more = format!("note: {} more files were committed in plaintext", number - 10);
        assert!(run.stderr.contains(&more) && !run.stderr.contains("other.yaml"), "{run:?}");
    }
}
