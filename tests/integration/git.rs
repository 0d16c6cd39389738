//! The index, commits and their changes: files that are about to be committed, pushed or merged.
//!
//! Git itself makes every repository here, and runs the hooks.
#![cfg(unix)]

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{Git, fixtures, git_in, sops_lint, sops_lint_fed, sops_lint_in_bounds};

const PLAIN: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";
const HARMLESS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: db\ndata: {}\n";
/// A creation rule for all files named `*.secret.yaml`.
const CONFIG: &str = "creation_rules:\n  - path_regex: \\.secret\\.yaml$\n    age: age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\n";

/// A file that sops encrypted.
fn encrypted() -> String {
    let path = "rules/decrypted-artifact/silent-encrypted-after-all/secrets.dec.yaml";
    fs::read_to_string(crate::support::fixtures().join(path)).expect("a fixture")
}

fn plain_at(path: &str) -> Vec<(String, String)> {
    vec![("unencrypted-secret".to_owned(), path.to_owned())]
}

/// Writes a hook, which finds the binary in `SOPS_LINT`.
fn hook(git: &Git, name: &str, script: &str) {
    let hooks = git.run(&["rev-parse", "--git-path", "hooks"]);
    let path = git.root.join(hooks).join(name);
    fs::create_dir_all(path.parent().expect("hooks stand in a directory")).expect("made");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
}

#[test]
fn plaintext_in_the_index_is_refused_though_the_work_tree_is_encrypted() {
    let git = Git::with(&[("README.md", "x")]);
    git.stage(&[("apps/db.yaml", PLAIN)]);
    git.write("apps/db.yaml", &encrypted());
    assert_eq!(git.errors(&["--staged"]), plain_at("apps/db.yaml"));
    assert_eq!(git.errors(&[]), []);
}

#[test]
fn plaintext_in_the_work_tree_is_not_what_is_committed() {
    let git = Git::with(&[("README.md", "x")]);
    git.stage(&[("apps/db.yaml", &encrypted())]);
    git.write("apps/db.yaml", PLAIN);
    git.write("apps/new.yaml", PLAIN);
    assert_eq!(git.errors(&["--staged"]), []);
    assert_eq!(git.errors(&[]).len(), 2);
}

#[test]
fn findings_in_files_that_the_commit_does_not_touch_are_not_reported() {
    let git = Git::with(&[("old.yaml", PLAIN), ("a/b/c.yaml", PLAIN)]);
    git.stage(&[("new.yaml", PLAIN), ("a/b/d.yaml", HARMLESS)]);
    assert_eq!(git.errors(&["--staged"]), plain_at("new.yaml"));
    assert_eq!(git.errors(&["--staged", "a"]), []);
    assert_eq!(git.errors(&["--staged", "new.yaml"]), plain_at("new.yaml"));
    assert_eq!(
        sops_lint(&git.root.join("a"), &["scan", "--staged", "b", "../new.yaml"]).code,
        Some(1)
    );
    let run = git.lint(&["scan", "--staged", "nowhere.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = git.lint(&["scan", "--staged", "--format", "json"]).json();
    assert_eq!(report["summary"]["files"], 2);
}

#[test]
fn the_first_commit_is_judged_too() {
    let git = Git::init(&[]);
    git.stage(&[("a/db.yaml", PLAIN)]);
    assert_eq!(git.errors(&["--staged"]), plain_at("a/db.yaml"));
    let nothing = Git::init(&[]);
    let run = nothing.lint(&["scan", "--staged"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
}

#[test]
fn a_renamed_file_is_judged_at_its_new_place_and_a_deleted_one_not_at_all() {
    let git = Git::with(&[("a.yaml", PLAIN), ("b.yaml", PLAIN), ("c/d.yaml", PLAIN)]);
    git.run(&["mv", "a.yaml", "moved.yaml"]);
    git.run(&["rm", "--quiet", "b.yaml", "c/d.yaml"]);
    assert_eq!(git.errors(&["--staged"]), plain_at("moved.yaml"));
    git.run(&["reset", "--hard", "--quiet"]);
    git.run(&["rm", "--quiet", "b.yaml"]);
    assert_eq!(git.errors(&["--staged"]), []);
    assert_eq!(git.lint(&["scan", "--staged", "b.yaml"]).code, Some(0));
}

#[test]
fn a_file_that_becomes_a_directory_and_a_directory_that_becomes_a_file() {
    let git = Git::with(&[("a", HARMLESS), ("b/c.yaml", HARMLESS), ("b.yaml", HARMLESS)]);
    git.run(&["rm", "--quiet", "-r", "a", "b"]);
    git.stage(&[("a/x.yaml", PLAIN), ("b", "text")]);
    assert_eq!(git.errors(&["--staged"]), plain_at("a/x.yaml"));
    git.commit(&[]);
    assert_eq!(git.errors(&["--diff", "HEAD^"]), plain_at("a/x.yaml"));
}

#[test]
fn what_was_only_announced_is_not_committed() {
    let git = Git::with(&[("README.md", "x")]);
    git.write("later.yaml", PLAIN);
    git.run(&["add", "--intent-to-add", "later.yaml"]);
    assert_eq!(git.errors(&["--staged"]), []);
    git.run(&["add", "later.yaml"]);
    assert_eq!(git.errors(&["--staged"]), plain_at("later.yaml"));
}

#[test]
fn links_and_submodules_are_no_files_of_the_repository() {
    let inner = Git::with(&[("inner.yaml", PLAIN)]);
    let git = Git::with(&[("README.md", "x")]);
    fs::write(git.beside("outside.yaml"), PLAIN).expect("written");
    symlink("../outside.yaml", git.root.join("link.yaml")).expect("linked");
    git.run(&["add", "link.yaml"]);
    let url = inner.root.to_str().expect("UTF-8");
    git.run(&["submodule", "--quiet", "add", url, "sub"]);
    assert_eq!(git.errors(&["--staged"]), []);
    git.commit(&[]);
    assert_eq!(git.errors(&["--rev", "HEAD"]), []);
    // A file takes the place of a link.
    fs::remove_file(git.root.join("link.yaml")).expect("removed");
    git.stage(&[("link.yaml", PLAIN)]);
    assert_eq!(git.errors(&["--staged"]), plain_at("link.yaml"));
}

#[test]
fn odd_names_are_read_by_their_content() {
    let git = Git::with(&[("README.md", "x")]);
    git.stage(&[("with space.yaml", PLAIN), ("line\nbreak.yaml", PLAIN), ("ü/ö.yaml", PLAIN)]);
    let odd = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9.yaml"));
    fs::write(git.root.join(odd), PLAIN).expect("written");
    git.run(&["add", "--all"]);
    let paths: Vec<String> = git.errors(&["--staged"]).into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths, ["caf\u{fffd}.yaml", "line\nbreak.yaml", "with space.yaml", "ü/ö.yaml"]);
    git.commit(&[]);
    assert_eq!(git.errors(&["--rev", "HEAD"]).len(), 4);
    assert_eq!(git.errors(&["--diff", "HEAD^"]).len(), 4);
}

#[test]
fn a_large_file_is_skipped_by_its_size() {
    let git = Git::with(&[("README.md", "x")]);
    git.stage(&[("big.yaml", &format!("{PLAIN}# {}\n", "x".repeat(17 << 20)))]);
    let report = git.lint(&["scan", "--staged", "--format", "json"]).json();
    assert_eq!(report["skipped"][0]["path"], "big.yaml");
}

#[test]
fn a_staged_config_judges_staged_files_and_re_judges_what_it_governs() {
    let git = Git::with(&[
        ("apps/db.secret.yaml", "a: canary\n"),
        ("apps/own/.sops.yaml", "creation_rules: []\n"),
        ("apps/own/db.secret.yaml", "a: canary\n"),
    ]);
    git.stage(&[("apps/.sops.yaml", CONFIG)]);
    // The work tree has no such rule.
    fs::remove_file(git.root.join("apps/.sops.yaml")).expect("removed");
    let errors = git.errors(&["--staged"]);
    assert_eq!(errors, [("unencrypted-file".to_owned(), "apps/db.secret.yaml".to_owned())]);
    git.commit(&[]);
    assert_eq!(git.errors(&["--diff", "HEAD^"]), errors);
    // After a commit that removes it, the next config above governs its files.
    git.run(&["rm", "--quiet", "--cached", "apps/.sops.yaml"]);
    git.run(&["commit", "--quiet", "-m", "gone"]);
    git.commit(&[(".sops.yaml", CONFIG), ("apps/.sops.yaml", "creation_rules: []\n")]);
    git.run(&["rm", "--quiet", "apps/.sops.yaml"]);
    assert_eq!(git.errors(&["--staged"]), errors);
}

#[test]
fn a_change_that_makes_other_files_judgeable_re_judges_them() {
    let twins = crate::support::fixtures().join("rules/decrypted-artifact/bad-twin-of-a-dotfile/a");
    let twin = |name: &str| fs::read_to_string(twins.join(name)).expect("a fixture");
    let chart = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
    let settings = "exclude: [old/]\nlevels: {unencrypted-secret: warning}\n";
    let git = Git::with(&[
        ("shop/Chart.yaml", chart),
        ("shop/templates/a.enc.yaml", "password: canary\n"),
        ("old/a.yaml", PLAIN),
        ("b.yaml", PLAIN),
        (".sops-lint.yaml", settings),
        ("apps/.env", &twin(".env")),
    ]);
    // A new version of a chart, and settings that say the same, decide about nothing.
    git.stage(&[("shop/Chart.yaml", &chart.replace("1.0.0", "1.0.1"))]);
    git.stage(&[(".sops-lint.yaml", &format!("# The same.\n{settings}"))]);
    assert_eq!(git.errors(&["--staged"]), []);
    git.commit(&[]);
    // An exclude, and then a level that is gone.
    git.stage(&[(".sops-lint.yaml", "levels: {unencrypted-secret: warning}\n")]);
    let run = git.lint(&["scan", "--staged"]);
    assert!(run.stdout.contains("old/a.yaml") && !run.stdout.contains("b.yaml"), "{run:?}");
    git.commit(&[]);
    git.run(&["rm", "--quiet", "--cached", ".sops-lint.yaml"]);
    let both = [plain_at("b.yaml"), plain_at("old/a.yaml")].concat();
    assert_eq!(git.errors(&["--staged"]), both);
    git.run(&["commit", "--quiet", "-m", "gone"]);
    assert_eq!(git.errors(&["--diff", "HEAD^"]), both);
    // The encrypted twin of a file.
    git.stage(&[("apps/.env.enc", &twin(".env.enc"))]);
    let plain = ("decrypted-artifact".to_owned(), "apps/.env".to_owned());
    assert_eq!(git.errors(&["--staged"]), [plain]);
    git.commit(&[]);
    // Without its chart, a template is a manifest.
    git.run(&["rm", "--quiet", "shop/Chart.yaml"]);
    let plain = ("unencrypted-file".to_owned(), "shop/templates/a.enc.yaml".to_owned());
    assert_eq!(git.errors(&["--staged"]), [plain]);
}

#[test]
fn settings_come_from_the_index_and_from_the_commit() {
    let git = Git::with(&[("README.md", "x")]);
    let settings =
        "ignore:\n  - path: a.yaml\n    rules: [unencrypted-secret]\n    reason: a test\n";
    git.stage(&[("a.yaml", PLAIN)]);
    git.write(".sops-lint.yaml", settings);
    assert_eq!(git.errors(&["--staged"]), plain_at("a.yaml"));
    git.stage(&[(".sops-lint.yaml", settings)]);
    fs::remove_file(git.root.join(".sops-lint.yaml")).expect("removed");
    assert_eq!(git.errors(&["--staged"]), []);
    assert_eq!(git.errors(&["--staged", "--no-config"]), plain_at("a.yaml"));
    git.commit(&[]);
    assert_eq!(git.errors(&["--rev", "HEAD"]), []);
}

#[test]
fn a_hook_sees_the_index_that_git_hands_it() {
    let git = Git::with(&[("a.yaml", HARMLESS), ("b.yaml", HARMLESS), ("c.yaml", HARMLESS)]);
    hook(&git, "pre-commit", "exec \"$SOPS_LINT\" scan --staged -q");
    let refused = |arguments: &[&str]| {
        let run = git.attempt(&[&["commit", "--quiet", "-m", "x"], arguments].concat());
        let text = run.stdout + &run.stderr;
        assert!(!text.contains("error: cannot"), "{text}");
        (run.code == Some(1), text)
    };
    // `commit -a`: the index is a lock file.
    git.write("a.yaml", PLAIN);
    let (is_refused, text) = refused(&["-a"]);
    assert!(is_refused && text.contains("a.yaml"), "{text}");
    git.write("a.yaml", HARMLESS);
    // `commit PATH`: it is a temporary one, without other staged files.
    git.stage(&[("b.yaml", PLAIN)]);
    git.write("c.yaml", &HARMLESS.replace("db", "other"));
    assert_eq!(refused(&["c.yaml"]), (false, String::new()));
    assert!(refused(&["b.yaml"]).0);
    // For an amended commit, its changes are judged.
    assert!(refused(&["--amend"]).0);
    git.run(&["rm", "--quiet", "--cached", "b.yaml"]);
    assert_eq!(refused(&["--amend"]), (false, String::new()));
    // From a directory below.
    git.stage(&[("deep/er/x.yaml", PLAIN)]);
    let run = git_in(&git.root.join("deep/er"), &["commit", "--quiet", "-m", "x"]);
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn a_hook_works_in_a_linked_work_tree() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    hook(&git, "pre-commit", "exec \"$SOPS_LINT\" scan --staged -q");
    let linked = git.beside("linked");
    git.run(&["worktree", "add", "--quiet", linked.to_str().expect("UTF-8")]);
    fs::write(linked.join("new.yaml"), PLAIN).expect("written");
    git_in(&linked, &["add", "new.yaml"]);
    let run = git_in(&linked, &["commit", "--quiet", "-m", "x"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("new.yaml") || run.stderr.contains("new.yaml"), "{run:?}");
    assert_eq!(git.errors(&["--staged"]), []);
    let run = sops_lint(&linked, &["scan", "--staged"]);
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn a_merge_is_judged_and_a_conflict_is_named() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "-b", "other"]);
    git.commit(&[("b.yaml", PLAIN), ("a.yaml", "x: 1\n")]);
    git.run(&["checkout", "--quiet", "main"]);
    git.commit(&[("a.yaml", "x: 2\n")]);
    assert_ne!(git.attempt(&["merge", "--quiet", "other"]).code, Some(0));
    let run = git.lint(&["scan", "--staged"]);
    assert!(run.stderr.contains("1 file with merge conflicts is skipped"), "{run:?}");
    git.stage(&[("a.yaml", "x: 3\n")]);
    hook(&git, "pre-commit", "exec \"$SOPS_LINT\" scan --staged -q");
    let run = git.attempt(&["commit", "--quiet", "-m", "merge"]);
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn repositories_of_every_kind_are_read() {
    for arguments in [&["--object-format=sha256"][..], &["--ref-format=reftable"]] {
        let git = Git::init(arguments);
        git.stage(&[("first.yaml", PLAIN)]);
        assert_eq!(git.errors(&["--staged"]), plain_at("first.yaml"), "{arguments:?}");
        let first = git.commit(&[]);
        git.stage(&[("a/db.yaml", PLAIN)]);
        assert_eq!(git.errors(&["--staged"]), plain_at("a/db.yaml"), "{arguments:?}");
        git.commit(&[]);
        assert_eq!(git.errors(&["--rev", "HEAD"]).len(), 2, "{arguments:?}");
        assert_eq!(git.errors(&["--rev", &first]).len(), 1, "{arguments:?}");
        assert_eq!(git.errors(&["--diff", "HEAD^"]), plain_at("a/db.yaml"), "{arguments:?}");
        assert_eq!(git.errors(&["--history"]).len(), 2, "{arguments:?}");
    }
}

#[test]
fn split_and_sparse_indexes_are_read() {
    let git = Git::with(&[("in/a.yaml", HARMLESS), ("out/b.yaml", HARMLESS)]);
    git.run(&["update-index", "--split-index"]);
    git.stage(&[("in/new.yaml", PLAIN)]);
    assert_eq!(git.errors(&["--staged"]), plain_at("in/new.yaml"));
    git.run(&["update-index", "--no-split-index"]);
    git.commit(&[]);
    git.run(&["sparse-checkout", "set", "--sparse-index", "in"]);
    git.stage(&[("in/more.yaml", PLAIN)]);
    assert!(git.run(&["ls-files", "--sparse"]).lines().any(|entry| entry == "out/"));
    assert_eq!(git.errors(&["--staged"]), plain_at("in/more.yaml"));
}

#[test]
fn a_commit_of_a_bare_repository_is_read() {
    let git = Git::with(&[("a.yaml", PLAIN), ("b.yaml", HARMLESS)]);
    let bare = git.beside("bare.git");
    git.run(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("UTF-8")]);
    let run = sops_lint(&bare, &["scan", "--rev", "main", "--format", "json"]);
    assert_eq!(run.findings().len(), 1, "{run:?}");
    let run = sops_lint(&bare, &["scan", "--rev", "main", "b.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = sops_lint(&bare, &["scan", "--rev", "main", "c.yaml"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("c.yaml is not in commit main"), "{run:?}");
}

#[test]
fn the_own_files_of_git_are_not_looked_at() {
    let git = Git::with(&[("db.yaml", PLAIN)]);
    let bare = git.beside("bare.git");
    git.run(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("UTF-8")]);
    let inside = bare.join("hooks");
    for command in [&["scan"][..], &["baseline"], &["fix"], &["fix", "--dry-run"]] {
        for directory in [&bare, &inside] {
            let run = sops_lint(directory, command);
            assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{command:?}: {run:?}");
            assert!(run.stderr.contains("bare.git is a bare repository"), "{run:?}");
            assert!(run.stderr.contains("  help: run `sops-lint scan --rev HEAD`"), "{run:?}");
        }
    }
    for (directory, path) in [(&git.root, "../bare.git"), (&git.beside(""), "bare.git")] {
        let run = sops_lint(directory, &["scan", path]);
        assert!(run.code == Some(2) && run.stderr.contains("bare.git is a bare"), "{run:?}");
    }
    assert!(!bare.join(".sops-lint-baseline.yaml").exists());
    assert_eq!(sops_lint(&bare, &["scan", "--rev", "HEAD"]).code, Some(1));
    // A file on standard input has nothing to do with them.
    let run = sops_lint_fed(&bare, &["scan", "--stdin-filename", "a.yaml"], PLAIN.as_bytes());
    assert_eq!(run.code, Some(1), "{run:?}");
    // The directory of git in a work tree belongs to that, as does a bare repository that is tracked.
    assert_eq!(sops_lint(&git.root.join(".git"), &["scan"]).code, Some(1));
    git.run(&["clone", "--quiet", "--bare", ".", "tracked.git"]);
    assert_eq!(sops_lint(&git.root.join("tracked.git"), &["scan"]).code, Some(1));
}

#[test]
fn a_commit_and_the_whole_of_it() {
    let git = Git::with(&[("a.yaml", PLAIN)]);
    let first = git.run(&["rev-parse", "HEAD"]);
    git.run(&["tag", "-a", "-m", "x", "v1"]);
    git.commit(&[("a.yaml", HARMLESS)]);
    for name in [&*first, &first[..8], "v1", "HEAD^", "main~1"] {
        assert_eq!(git.errors(&["--rev", name]), plain_at("a.yaml"), "{name}");
    }
    assert_eq!(git.errors(&["--rev", "main"]), []);
    let run = git.lint(&["scan", "--rev", "nothing"]);
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(run.stderr.starts_with("error: git knows no commit nothing\n  help: "), "{run:?}");
    // A replacement does not hide the object.
    let plain = git.run(&["rev-parse", &format!("{first}:a.yaml")]);
    let harmless = git.run(&["rev-parse", "HEAD:a.yaml"]);
    git.run(&["replace", &plain, &harmless]);
    assert_eq!(git.errors(&["--rev", "v1"]), plain_at("a.yaml"));
}

#[test]
fn a_branch_is_compared_with_where_it_began() {
    let git = Git::with(&[("old.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    git.commit(&[("new.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "main"]);
    git.commit(&[("main.yaml", PLAIN)]);
    assert_eq!(git.errors(&["--diff", "main..feature"]), plain_at("new.yaml"));
    assert_eq!(git.errors(&["--diff", "main...feature"]), plain_at("new.yaml"));
    git.run(&["checkout", "--quiet", "feature"]);
    assert_eq!(git.errors(&["--diff", "main"]), plain_at("new.yaml"));
    // The work tree does not matter.
    git.write("new.yaml", HARMLESS);
    assert_eq!(git.errors(&["--diff", "main"]), plain_at("new.yaml"));
    git.run(&["checkout", "--quiet", "--force", "--orphan", "unrelated"]);
    git.commit(&[("x", "x")]);
    let run = git.lint(&["scan", "--diff", "main"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("main and HEAD have no commit in common"), "{run:?}");
}

#[test]
fn a_shallow_clone_says_so_and_does_what_it_can() {
    let git = Git::with(&[("old.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    git.commit(&[("new.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "main"]);
    git.commit(&[("main.yaml", HARMLESS)]);
    let url = format!("file://{}", git.root.display());
    let clone = |name: &str, branch: &str, depth: &str| {
        let path = git.beside(name);
        let target = path.to_str().expect("UTF-8");
        git.run(&["clone", "--quiet", "--depth", depth, "--branch", branch, &url, target]);
        path
    };
    let shallow = clone("shallow", "feature", "1");
    let run = sops_lint(&shallow, &["scan", "--diff", "origin/main", "--format", "json"]);
    assert!(run.stderr.starts_with("note: the clone is shallow"), "{run:?}");
    assert_eq!((run.code, run.findings().len()), (Some(1), 2), "{run:?}");
    // The commit that a forge checks out for a pull request.
    git.run(&["checkout", "--quiet", "--detach"]);
    git.run(&["merge", "--quiet", "--no-ff", "feature", "-m", "merge"]);
    git.run(&["branch", "pull"]);
    let merged = clone("merged", "pull", "2");
    let run = sops_lint(&merged, &["scan", "--diff", "origin/main", "--format", "json"]);
    assert_eq!((run.code, run.findings().len()), (Some(1), 2), "{run:?}");
    assert!(run.stderr.contains("use --diff HEAD^1"), "{run:?}");
    let run = sops_lint(&merged, &["scan", "--diff", "HEAD^1", "--format", "json"]);
    let paths: Vec<String> = run.findings().into_iter().map(|(_, _, path)| path).collect();
    assert_eq!(paths, ["new.yaml"], "{run:?}");
}

#[test]
fn only_one_state_is_looked_at() {
    let git = Git::with(&[("a", "x")]);
    let run = git.lint(&["scan", "--staged", "--rev", "HEAD"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("cannot be used with"), "{run:?}");
    let nowhere = crate::support::repository(&[("a", "x")]);
    let run = sops_lint(nowhere.path(), &["scan", "--staged"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains(" is not in a git repository\n"), "{run:?}");
}

#[test]
fn neighbours_say_what_a_changed_file_is() {
    let kustomization = "secretGenerator:\n  - name: db\n    envs: [password.env]\n";
    let env = "sops_version=3\nPASSWORD=ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\n";
    let git = Git::with(&[("apps/password.env", env), ("apps/x.enc.yaml", &encrypted())]);
    git.stage(&[("apps/kustomization.yaml", kustomization)]);
    let errors = git.errors(&["--staged"]);
    assert_eq!(errors, [], "what it names is encrypted");
    git.commit(&[("apps/plain.env", "PASSWORD=canary\n")]);
    git.stage(&[("apps/kustomization.yaml", &kustomization.replace("password.env", "plain.env"))]);
    let errors = git.errors(&["--staged"]);
    assert_eq!(errors[0].0, "plaintext-generator-source", "{errors:?}");
}

#[test]
fn what_is_tracked_is_looked_at_though_it_is_ignored() {
    let git = Git::with(&[(".gitignore", "*.yaml\n"), ("tracked.yaml", PLAIN)]);
    git.write("untracked.yaml", PLAIN);
    assert_eq!(git.errors(&[]), plain_at("tracked.yaml"));
    git.stage(&[("deep/er/too.yaml", PLAIN)]);
    assert_eq!(git.errors(&["deep"]), plain_at("deep/er/too.yaml"));
    fs::remove_file(git.root.join("tracked.yaml")).expect("removed");
    symlink("untracked.yaml", git.root.join("tracked.yaml")).expect("linked");
    assert_eq!(git.errors(&[]), plain_at("deep/er/too.yaml"));
}

/// A commit with the first state of a fixture, and the second in the work tree.
fn change(case: &str) -> Git {
    let git = Git::init(&[]);
    let directory = fixtures().join("rules/removed-recipient-not-rotated").join(case);
    for state in ["base", ""] {
        for name in [".sops.yaml", "database.yaml"] {
            let file = fs::read_to_string(directory.join(state).join(name)).expect("it is there");
            git.stage(&[(name, &*file)]);
        }
        if state == "base" {
            git.run(&["commit", "--quiet", "-m", "before"]);
        }
    }
    git
}

#[test]
fn a_recipient_that_is_removed_without_a_new_data_key_is_told_of_before_it_is_committed_and_merged()
{
    const RULE: &str = "removed-recipient-not-rotated";
    let git = change("bad-updatekeys-alone");
    let tells = |arguments: &[&str]| git.lint(arguments).stdout.contains(RULE);
    assert!(tells(&["scan", "--staged", "--fail-on", "warning"]));
    assert!(tells(&["hook", "pre-commit", "--fail-on", "warning"]));
    assert!(tells(&["hook", "pre-commit", "--fail-on", "warning", "database.yaml"]));
    assert!(!tells(&["scan"]) && !tells(&["scan", "--rev", "HEAD"]), "no change is judged here");
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    git.run(&["commit", "--quiet", "-m", "without Bob"]);
    assert!(tells(&["scan", "--diff", "main"]) && !tells(&["scan", "--staged"]));
    // The branch is judged as a whole, not commit by commit.
    let good = fixtures().join("rules/removed-recipient-not-rotated/good-rotated/database.yaml");
    git.commit(&[("database.yaml", &fs::read_to_string(good).expect("it is there"))]);
    assert!(!tells(&["scan", "--diff", "main"]) && !tells(&["scan", "--staged"]));
}

#[test]
fn the_first_commit_has_nothing_before_it() {
    let git = Git::init(&[]);
    git.stage(&[("db.yaml", &encrypted())]);
    let run = git.lint(&["scan", "--staged"]);
    assert!(!run.stdout.contains("removed-recipient"), "{run:?}");
}

/// Makes commits of these files with `git fast-import`.
fn import(git: &Git, commits: &[Vec<(String, String)>]) {
    let mut stream = String::new();
    for (number, files) in commits.iter().enumerate() {
        let time = 1_767_000_000 + number;
        stream += &format!(
            "commit refs/heads/main\ncommitter A <a@example.com> {time} +0000\ndata 1\nx\n"
        );
        for (path, text) in files {
            stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
    }
    git.write("../stream", &stream);
    let import = "git fast-import --quiet --force <../stream && git reset --quiet --hard main";
    let run = Command::new("sh").args(["-c", import]).current_dir(&git.root).status();
    assert!(run.is_ok_and(|status| status.success()));
}

#[test]
fn one_file_among_ten_thousand_is_refused_and_the_others_are_left_alone() {
    let git = Git::init(&[]);
    let file = |number: usize| (format!("d{}/f{number}.yaml", number % 100), PLAIN.to_owned());
    import(&git, &[(0..10_000).map(file).collect()]);
    hook(&git, "pre-commit", "exec \"$SOPS_LINT\" hook pre-commit");
    git.stage(&[("d7/new.yaml", PLAIN)]);
    let run = git.attempt(&["commit", "--quiet", "-m", "x"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(git.errors(&["--staged"]), plain_at("d7/new.yaml"));
    let report = git.lint(&["scan", "--staged", "--format", "json"]).json();
    assert_eq!(report["summary"]["files"], 1);
    git.stage(&[("d7/new.yaml", HARMLESS)]);
    assert_eq!(git.run(&["commit", "--quiet", "-m", "x"]), "");
}

#[test]
fn a_push_of_a_thousand_commits_takes_less_than_a_second() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let first = git.run(&["rev-parse", "HEAD"]);
    let commit = |number: usize| {
        let text = HARMLESS.replace("db", &format!("n{number}"));
        vec![(format!("d{}/f{}.yaml", number % 7, number % 100), text)]
    };
    let mut commits: Vec<_> = (0..1000).map(commit).collect();
    let judge = |git: &Git| {
        let tip = git.run(&["rev-parse", "HEAD"]);
        let refs = format!("refs/heads/main {tip} refs/heads/main {first}\n");
        let received = format!("{first} {tip} refs/heads/main\n");
        // The system ends this process after a second of processor time.
        let limited = |event: &str, input: &str| {
            git.write("../input", input);
            let script = "ulimit -t 1 && exec \"$SOPS_LINT\" hook \"$0\" <../input";
            let output = Command::new("sh")
                .args(["-c", script, event])
                .current_dir(&git.root)
                .env("SOPS_LINT", env!("CARGO_BIN_EXE_sops-lint"))
                .output()
                .expect("there is a shell");
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        [limited("pre-push", &refs), limited("pre-receive", &received)]
    };
    import(&git, &commits);
    // On the server, a branch has the old commit and none of the new ones.
    git.run(&["checkout", "--quiet", "--detach"]);
    git.run(&["branch", "--quiet", "--force", "main", &first]);
    for (code, out) in judge(&git) {
        assert_eq!(code, Some(0), "{out}");
    }
    git.run(&["checkout", "--quiet", "main"]);
    commits[500].push(("d1/middle.yaml".to_owned(), PLAIN.to_owned()));
    commits[501].push(("d1/middle.yaml".to_owned(), HARMLESS.to_owned()));
    import(&git, &commits);
    git.run(&["checkout", "--quiet", "--detach"]);
    git.run(&["branch", "--quiet", "--force", "main", &first]);
    for (code, out) in judge(&git) {
        assert!(code == Some(1) && out.contains("d1/middle.yaml"), "{code:?} {out}");
    }
}

const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nsecretGenerator:\n- name: db\n  envs: [config/secrets.env]\n";

/// A file that a kustomization names was decrypted.
#[test]
fn a_source_of_a_generator_is_judged_though_the_kustomization_stays() {
    let git = Git::with(&[("app/kustomization.yaml", KUSTOMIZATION)]);
    git.stage(&[("app/config/secrets.env", "PASSWORD=canary\n")]);
    let expected =
        vec![("plaintext-generator-source".to_owned(), "app/kustomization.yaml".to_owned())];
    assert_eq!(git.errors(&["--staged"]), expected);
    git.run(&["commit", "--quiet", "-m", "x"]);
    assert_eq!(git.errors(&["--diff", "HEAD~1"]), expected);
    git.stage(&[("app/other.yaml", HARMLESS)]);
    assert_eq!(git.errors(&["--staged"]), []);
}

#[test]
fn a_branch_that_merged_its_base_is_not_compared_with_itself() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    git.commit(&[("db.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "main"]);
    git.commit(&[("b.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "feature"]);
    git.run(&["merge", "--quiet", "--no-edit", "main"]);
    let (url, clone) = (format!("file://{}", git.root.display()), git.beside("clone"));
    let target = clone.to_str().expect("UTF-8");
    git.run(&["clone", "--quiet", "--depth", "2", "--branch", "feature", &url, target]);
    let run = sops_lint(&clone, &["scan", "--diff", "origin/main"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(git.lint(&["scan", "--diff", ""]).code, Some(2), "an unset variable is no base");
}

#[test]
fn another_repository_in_the_tree_is_left_alone() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.write("vendor/other/db.yaml", PLAIN);
    git_in(&git.root.join("vendor/other"), &["init", "--quiet"]);
    assert_eq!(git.errors(&[]), []);
    assert_eq!(git.errors(&["vendor/other"]), plain_at("db.yaml"), "it has a root of its own");
}

#[test]
fn a_config_in_a_sparse_directory_decides_about_its_files() {
    let other = CONFIG.replace("secret", "other");
    let git =
        Git::with(&[(".sops.yaml", CONFIG), ("in/x.yaml", HARMLESS), ("out/.sops.yaml", &other)]);
    git.run(&["checkout", "--quiet", "-b", "side"]);
    // The config at the root requires encryption, the nearest one does not.
    git.commit(&[("out/sub/a.secret.yaml", "a: b\n"), ("out/sub/b.other.yaml", "a: canary\n")]);
    git.run(&["checkout", "--quiet", "main"]);
    git.commit(&[("in/c.yaml", HARMLESS)]);
    git.run(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    git.run(&["merge", "--quiet", "--no-commit", "side"]);
    assert!(git.run(&["ls-files", "--sparse"]).lines().any(|entry| entry == "out/"));
    let findings = vec![("unencrypted-file".to_owned(), "out/sub/b.other.yaml".to_owned())];
    assert_eq!(git.errors(&["--staged"]), findings);
    // A changed config above re-judges its files.
    git.run(&["commit", "--quiet", "-m", "merge"]);
    git.stage(&[(".sops.yaml", &CONFIG.replace("secret", "x"))]);
    assert_eq!(git.errors(&["--staged"]), []);
}

#[test]
fn a_tree_that_names_itself_over_and_over_is_too_large() {
    let git = Git::with(&[("a", "a: b\n")]);
    let nest = "!tree=HEAD^{tree}; for level in 0 1 2 3 4 5 6 7 8 9; do \
        tree=$(for name in 0 1 2 3 4 5 6 7 8 9; do \
        printf '040000 tree %s\\t%s\\n' $(git rev-parse $tree) $name; done | git mktree); \
        done; echo $tree";
    let tree = git.run(&["-c", &format!("alias.nest={nest}"), "nest"]);
    let commit = git.run(&["commit-tree", &tree, "-m", "x"]);
    let run = sops_lint_in_bounds(&git.root, &["scan", "--rev", &commit]);
    assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run:?}");
    let message = "a tree of the git repository has more than 2000000 files and directories";
    assert!(run.stderr.contains(message), "{run:?}");
}
