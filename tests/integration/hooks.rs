//! What git's hooks refuse: real commits and real pushes, through hooks that were installed.
#![cfg(unix)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{self, Peer};
use crate::support::{Git, Run, fixtures, git_in, project, sops_lint};

const PLAIN: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";
const HARMLESS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: db\ndata: {}\n";

/// A file that sops encrypted.
fn encrypted() -> String {
    let path = "rules/decrypted-artifact/silent-encrypted-after-all/secrets.dec.yaml";
    fs::read_to_string(fixtures().join(path)).expect("a fixture")
}

/// Installs a hook and gives its path.
fn install(git: &Git, name: &str) -> PathBuf {
    let run = git.lint(&["install", "--hook", name]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    let shown = run.stdout.strip_prefix("Wrote ").expect("it says what it did").trim_end();
    let path = git.root.join(shown);
    assert_eq!(fs::metadata(&path).expect("written").permissions().mode() & 0o111, 0o111);
    path
}

fn is_refused(run: &Run, path: &str) -> bool {
    assert!(!run.stderr.contains("canary") && !run.stdout.contains("canary"), "{run:?}");
    let text = format!("{}{}", run.stdout, run.stderr);
    run.code != Some(0) && text.contains(path) && text.contains("unencrypted-secret")
}

/// A repository, and a bare one that has its first commit.
fn with_remote() -> (Git, PathBuf) {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let bare = git.beside("bare.git");
    git.run(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("UTF-8")]);
    git.run(&["remote", "add", "origin", bare.to_str().expect("UTF-8")]);
    git.run(&["fetch", "--quiet", "origin"]);
    (git, bare)
}

#[test]
fn a_commit_in_plaintext_is_refused_and_passes_when_it_is_encrypted() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    assert_eq!(install(&git, "pre-commit"), git.root.join(".git/hooks/pre-commit"));
    git.stage(&[("db.yaml", PLAIN)]);
    let run = git.attempt(&["commit", "--quiet", "-m", "x"]);
    assert!(is_refused(&run, "db.yaml"), "{run:?}");
    assert!(run.stderr.contains("note: nothing was committed"), "{run:?}");
    git.stage(&[("db.yaml", &encrypted())]);
    let run = git.attempt(&["commit", "--quiet", "-m", "x"]);
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""));
}

#[test]
fn a_hook_without_the_program_says_so_and_refuses() {
    for name in ["pre-commit", "pre-push", "pre-receive"] {
        let output = std::process::Command::new("sh")
            .arg(project().join("hooks").join(name))
            .env("SOPS_LINT", "/nowhere/sops-lint")
            .output()
            .expect("there is a shell");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.starts_with("error: ") && text.contains("\n  help: "), "{text}");
    }
}

#[test]
fn a_hook_that_is_there_is_never_changed() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let path = git.root.join(".git/hooks/pre-commit");
    fs::create_dir_all(path.parent().expect("a directory")).expect("made");
    let foreign = "#!/bin/sh\n# sops-lint hook pre-commit\nmake lint\n";
    fs::write(&path, foreign).expect("written");
    let run = git.lint(&["install"]);
    assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run:?}");
    assert!(run.stderr.contains(".git/hooks/pre-commit exists"), "{run:?}");
    assert!(
        run.stderr.contains("  help: add this line to it: `sops-lint hook pre-commit || exit`")
    );
    assert_eq!(fs::read_to_string(&path).expect("there"), foreign);
    // With the line in it all is well, but for the bit without which git does not run it.
    let chained = format!("{foreign}sops-lint hook pre-commit || exit\n");
    fs::write(&path, &chained).expect("written");
    let run = git.lint(&["install"]);
    assert!(run.code == Some(2) && run.stderr.contains("is not executable"), "{run:?}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
    let run = git.lint(&["install"]);
    assert!(run.code == Some(0) && run.stdout.starts_with("Nothing to do"), "{run:?}");
    let run = git.lint(&["install", "--uninstall"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(fs::read_to_string(&path).expect("there"), chained);
    // A link that leads nowhere is somebody's too.
    fs::remove_file(&path).expect("removed");
    symlink("nowhere", &path).expect("linked");
    let run = git.lint(&["install"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr.contains(".git/hooks/pre-commit is a link to a missing file or directory"),
        "{run:?}"
    );
    assert!(run.stderr.contains("\n  help: remove the link"), "{run:?}");
    assert!(!path.exists());
    // The same in place of its directory.
    fs::remove_dir_all(git.root.join(".git/hooks")).expect("removed");
    symlink("nowhere", git.root.join(".git/hooks")).expect("linked");
    let run = git.lint(&["install"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains(".git/hooks is a link to a missing file or directory"), "{run:?}");
}

#[test]
fn to_install_twice_is_to_install_once_and_it_can_be_undone() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let path = install(&git, "pre-push");
    let written = fs::read(&path).expect("there");
    let run = git.lint(&["install", "--hook", "pre-push"]);
    assert!(run.code == Some(0) && run.stdout.starts_with("Nothing to do"), "{run:?}");
    assert_eq!(fs::read(&path).expect("there"), written);
    assert_eq!(git.lint(&["install", "--hook", "pre-push", "--uninstall"]).code, Some(0));
    assert!(!path.exists());
    let run = git.lint(&["install", "--hook", "pre-push", "--uninstall"]);
    assert!(run.code == Some(0) && run.stdout.starts_with("There is no hook"), "{run:?}");
    let nowhere = crate::support::repository(&[("a", "x")]);
    let run = sops_lint(nowhere.path(), &["install"]);
    assert!(run.code == Some(2) && run.stderr.contains("is not in a git repository"), "{run:?}");
}

#[test]
fn a_hook_that_encrypts_goes_on_doing_so_until_it_is_told_to_stop() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let path = git.root.join(".git/hooks/pre-commit");
    let text = || fs::read_to_string(&path).expect("there");
    assert_eq!(git.lint(&["install", "--fix"]).code, Some(0));
    assert!(text().contains("hook pre-commit --fix"));
    let again = git.lint(&["install"]);
    assert!(
        again.stdout.starts_with("Nothing to do: ") && again.stdout.contains("--fix"),
        "{again:?}"
    );
    assert!(again.stderr.contains("`sops-lint install --no-fix`"), "{again:?}");
    assert!(text().contains("hook pre-commit --fix"));
    let stopped = git.lint(&["install", "--no-fix"]);
    assert!(stopped.stdout.starts_with("Rewrote "), "{stopped:?}");
    assert!(!text().contains("--fix"));
    assert!(git.lint(&["install", "--no-fix"]).stdout.starts_with("Nothing to do: "));
    assert_eq!(git.lint(&["install", "--fix", "--no-fix"]).code, Some(2));
    assert_eq!(git.lint(&["install", "--uninstall", "-q"]).stdout, "");
}

#[test]
fn the_hook_names_the_one_command_where_that_is_enough() {
    let config = "creation_rules:\n  - path_regex: ^apps/\n    encrypted_regex: ^(data|stringData)$\n    age: age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh\n";
    let git = Git::with(&[(".sops.yaml", config)]);
    git.stage(&[("apps/db.yaml", PLAIN)]);
    let run = git.lint(&["hook", "pre-commit"]);
    assert!(run.stderr.contains("run `sops-lint fix --staged`"), "{run:?}");
    git.stage(&[("elsewhere/db.yaml", PLAIN)]);
    let run = git.lint(&["hook", "pre-commit"]);
    // Staged files are encrypted all or none, and this one cannot be.
    assert!(!run.stderr.contains("fix --staged"), "{run:?}");
    git.run(&["rm", "--quiet", "--cached", "apps/db.yaml"]);
    let run = git.lint(&["hook", "pre-commit"]);
    assert!(!run.stderr.contains("fix --staged"), "{run:?}");
}

#[test]
fn the_hook_goes_where_git_looks_for_it() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["config", "core.hooksPath", "tools/hooks"]);
    assert_eq!(install(&git, "pre-commit"), git.root.join("tools/hooks/pre-commit"));
    git.stage(&[("db.yaml", PLAIN)]);
    assert!(is_refused(&git.attempt(&["commit", "--quiet", "-m", "x"]), "db.yaml"));
    git.run(&["rm", "--quiet", "--cached", "db.yaml"]);
    // A linked work tree has the hooks of its repository.
    git.run(&["config", "--unset", "core.hooksPath"]);
    let linked = git.beside("linked");
    git.run(&["worktree", "add", "--quiet", linked.to_str().expect("UTF-8")]);
    let run = sops_lint(&linked, &["install"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    assert!(git.root.join(".git/hooks/pre-commit").exists());
    // From a directory below, and for many repositories at once.
    let shared = git.beside("shared");
    git.run(&["config", "core.hooksPath", shared.to_str().expect("UTF-8")]);
    fs::create_dir(git.root.join("below")).expect("made");
    let run = sops_lint(&git.root.join("below"), &["install"]);
    assert!(run.code == Some(0) && run.stderr.contains("other repositories"), "{run:?}");
    assert!(shared.join("pre-commit").exists());
}

#[test]
fn husky_has_a_place_of_its_own() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["config", "core.hooksPath", ".husky/_"]);
    git.write(".husky/_/pre-commit", "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n");
    let run = git.lint(&["install"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr.contains("add to .husky/pre-commit: `sops-lint hook pre-commit`"),
        "{run:?}"
    );
}

#[test]
fn named_files_are_judged_as_the_index_has_them_changed_or_not() {
    let config = "creation_rules:\n  - path_regex: \\.secret\\.yaml$\n    age: age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\n";
    let git =
        Git::with(&[("old.yaml", PLAIN), ("x.secret.yaml", "a: canary\n"), ("k/l.yaml", PLAIN)]);
    git.write("old.yaml", HARMLESS);
    assert_eq!(git.lint(&["hook", "pre-commit"]).code, Some(0));
    assert!(is_refused(&git.lint(&["hook", "pre-commit", "old.yaml"]), "old.yaml"));
    assert!(is_refused(
        &sops_lint(&git.root.join("k"), &["hook", "pre-commit", "l.yaml"]),
        "l.yaml"
    ));
    git.stage(&[("old.yaml", HARMLESS), (".sops.yaml", config)]);
    let run = git.lint(&["hook", "pre-commit", "old.yaml"]);
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""));
    // What a config governs is judged with it.
    let run = git.lint(&["hook", "pre-commit", ".sops.yaml"]);
    assert!(run.code == Some(1) && run.stdout.contains("x.secret.yaml"), "{run:?}");
    git.write("new.yaml", PLAIN);
    let run = git.lint(&["hook", "pre-commit", "new.yaml"]);
    assert!(run.stderr.contains("note: new.yaml is not in the index"), "{run:?}");
    let run = git.lint(&["hook", "pre-commit", "--config", "nowhere.yaml"]);
    assert_eq!(run.code, Some(2), "{run:?}");
}

#[test]
fn a_push_is_refused_for_a_commit_in_its_middle() {
    let (git, _) = with_remote();
    install(&git, "pre-push");
    git.commit(&[("b.yaml", &encrypted())]);
    let run = git.attempt(&["push", "--quiet", "origin", "main"]);
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""));
    let middle = git.commit(&[("c.yaml", PLAIN)]);
    git.commit(&[("c.yaml", HARMLESS)]);
    for refspec in ["main", "main:new-branch", "HEAD~0:refs/heads/x"] {
        let run = git.attempt(&["push", "--quiet", "origin", refspec]);
        assert!(is_refused(&run, "c.yaml"), "{refspec}: {run:?}");
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(text.contains(&middle[..8]) && text.contains("nothing was pushed"), "{text}");
    }
    // What is there already is not looked at again, by whatever name.
    git.run(&["push", "--quiet", "--no-verify", "origin", "main"]);
    git.commit(&[("d.yaml", &encrypted())]);
    for refspec in ["main", "main:other"] {
        let run = git.attempt(&["push", "--quiet", "origin", refspec]);
        assert_eq!(run.code, Some(0), "{refspec}: {run:?}");
    }
    // To delete brings nothing.
    git.run(&["push", "--quiet", "origin", ":other"]);
    // A URL has no branches here: all of it is new to a remote that has nothing.
    let empty = Git::init(&["--bare"]);
    let run = git.attempt(&["push", "--quiet", empty.root.to_str().expect("UTF-8"), "main"]);
    assert!(is_refused(&run, "c.yaml"), "{run:?}");
}

#[test]
fn a_push_over_commits_that_were_never_fetched_is_judged() {
    let (git, bare) = with_remote();
    let other = git.beside("other");
    git.run(&["clone", "--quiet", bare.to_str().expect("UTF-8"), other.to_str().expect("UTF-8")]);
    git_in(&other, &["commit", "--quiet", "--allow-empty", "-m", "theirs"]);
    assert_eq!(git_in(&other, &["push", "--quiet"]).code, Some(0));
    install(&git, "pre-push");
    git.commit(&[("b.yaml", &encrypted())]);
    let run = git.attempt(&["push", "--quiet", "--force", "origin", "main"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    git.commit(&[("b.yaml", PLAIN)]);
    assert!(is_refused(&git.attempt(&["push", "--quiet", "--force", "origin", "main"]), "b.yaml"));
}

#[test]
fn a_server_refuses_a_push_for_a_commit_in_its_middle() {
    let (git, bare) = with_remote();
    let run = sops_lint(&bare, &["install", "--hook", "pre-receive"]);
    assert_eq!((run.code, &*run.stdout), (Some(0), "Wrote hooks/pre-receive\n"), "{run:?}");
    git.commit(&[("b.yaml", &encrypted())]);
    let run = git.attempt(&["push", "--quiet", "origin", "main", "main:same"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    git.commit(&[("c.yaml", PLAIN)]);
    git.commit(&[("c.yaml", HARMLESS)]);
    let run = git.attempt(&["push", "--quiet", "origin", "main", "HEAD~2:refs/heads/fine"]);
    assert!(is_refused(&run, "c.yaml") && run.stderr.contains("nothing was accepted"), "{run:?}");
    assert_eq!(git_in(&bare, &["for-each-ref"]).stdout.lines().count(), 2);
    git.run(&["push", "--quiet", "origin", ":same"]);
}

/// A tag can name a directory or a file instead of a commit.
#[test]
fn a_tag_of_files_without_a_commit_is_judged() {
    let (git, bare) = with_remote();
    let push = |object: &str| {
        let refspec = format!("{object}:refs/tags/new");
        git.attempt(&["push", "--quiet", "--force", "origin", &refspec])
    };
    let tree_of = |files: &[(&str, &str)]| {
        git.stage(files);
        let tree = git.run(&["write-tree"]);
        git.run(&["reset", "--quiet", "--hard"]);
        tree
    };
    let harmless = tree_of(&[("b.yaml", &encrypted())]);
    let leak = tree_of(&[("apps/db.yaml", PLAIN)]);
    let blob = git.run(&["rev-parse", &format!("{leak}:apps/db.yaml")]);
    git.run(&["tag", "-a", "annotated", &leak, "-m", "x"]);
    let judge = || {
        for object in ["HEAD^{tree}", &*harmless, "HEAD:a.yaml"] {
            let run = push(object);
            assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""), "{object}");
        }
        assert!(is_refused(&push(&leak), "apps/db.yaml"));
        assert!(is_refused(&push("annotated"), "apps/db.yaml"));
        assert!(is_refused(&push(&blob), &format!("{blob}.yaml")));
    };
    let path = install(&git, "pre-push");
    judge();
    fs::remove_file(path).expect("removed");
    assert_eq!(sops_lint(&bare, &["install", "--hook", "pre-receive"]).code, Some(0));
    judge();
}

#[test]
fn what_git_does_not_say_is_asked_for() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let zeros = "0".repeat(40);
    for (name, input) in [
        ("pre-push", "one two\n".to_owned()),
        ("pre-push", format!("a b c {zeros}\n")),
        ("pre-receive", format!("{zeros} --all main\n")),
    ] {
        let input_file = git.beside("input");
        fs::write(&input_file, input).expect("written");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_sops-lint"))
            .args(["hook", name])
            .current_dir(&git.root)
            .stdin(fs::File::open(&input_file).expect("there"))
            .output()
            .expect("it runs");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("line 1 of standard input") && text.contains("  help: "), "{text}");
    }
}

/// A repository whose hooks are run by pre-commit or prek, from our manifest.
struct Framework {
    peer: Peer,
    git: Git,
    home: tempfile::TempDir,
}

impl Framework {
    fn new(peer: Peer) -> Self {
        let manifest = fs::read_to_string(project().join(".pre-commit-hooks.yaml")).expect("there");
        let ours = Git::with(&[(".pre-commit-hooks.yaml", &manifest)]);
        let config = format!(
            "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n      - id: sops-lint-system\n      - id: sops-lint-push-system\n",
            ours.root.display(),
            ours.run(&["rev-parse", "HEAD"]),
        );
        let (git, _) = with_remote();
        git.commit(&[(".pre-commit-config.yaml", &config)]);
        let home = tempfile::tempdir().expect("a home can be made");
        let framework = Self { peer, git, home };
        let run =
            framework.run(&["install", "--hook-type", "pre-commit", "--hook-type", "pre-push"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let run = framework.run(&["install-hooks"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        framework
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let [program, first @ ..] = &self.peer.command[..] else { panic!("a program") };
        let arguments = first.iter().cloned().chain(arguments.iter().map(OsString::from));
        self.start(program.as_ref(), arguments.collect())
    }

    fn git(&self, arguments: &[&str]) -> Run {
        self.start(Path::new("git"), arguments.iter().map(OsString::from).collect())
    }

    fn start(&self, program: &Path, arguments: Vec<OsString>) -> Run {
        let binary = Path::new(env!("CARGO_BIN_EXE_sops-lint"));
        let mut path = vec![binary.parent().expect("a directory").to_path_buf()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let output = Command::new(program)
            .args(arguments)
            .current_dir(&self.git.root)
            .env_clear()
            .env("PATH", std::env::join_paths(path).expect("a path"))
            .env("HOME", self.home.path())
            .env("PYTHONPATH", &self.peer.packages)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .output()
            .expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Run { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
    }
}

fn the_manifest_works_in(peer: Peer) {
    let framework = Framework::new(peer);
    let git = &framework.git;
    // The staged content counts, not the content on disk.
    git.stage(&[("db.yaml", PLAIN)]);
    git.write("db.yaml", &encrypted());
    assert!(is_refused(&framework.git(&["commit", "-m", "x"]), "db.yaml"));
    git.run(&["add", "db.yaml"]);
    git.write("db.yaml", PLAIN);
    let run = framework.git(&["commit", "-m", "x"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    git.run(&["checkout", "--quiet", "db.yaml"]);
    let run = framework.git(&["push", "origin", "main"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    // In CI nothing is staged, and all files are named.
    let run = framework.run(&["run", "--all-files"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    git.run(&["commit", "--quiet", "--no-verify", "--allow-empty", "-m", "x"]);
    git.stage(&[("c.yaml", PLAIN)]);
    git.run(&["commit", "--quiet", "--no-verify", "-m", "x"]);
    assert!(is_refused(&framework.run(&["run", "--all-files"]), "c.yaml"));
    // The next commit takes it out again, which does not help.
    git.stage(&[("c.yaml", HARMLESS)]);
    git.run(&["commit", "--quiet", "--no-verify", "-m", "x"]);
    assert_eq!(framework.run(&["run", "--all-files"]).code, Some(0));
    for refspec in ["main", "main:refs/heads/new"] {
        assert!(is_refused(&framework.git(&["push", "origin", refspec]), "c.yaml"), "{refspec}");
    }
    let by_hand = ["run", "--all-files", "--hook-stage", "pre-push"];
    assert!(is_refused(&framework.run(&by_hand), "c.yaml"));
    // A remote that has nothing yet.
    let empty = Git::init(&["--bare"]);
    git.run(&["remote", "add", "empty", empty.root.to_str().expect("UTF-8")]);
    assert!(is_refused(&framework.git(&["push", "empty", "main"]), "c.yaml"));
}

#[test]
fn the_real_pre_commit_runs_the_manifest() {
    let Some(peer) = peers::pre_commit() else {
        return peers::skip("the manifest in pre-commit", "pre-commit");
    };
    the_manifest_works_in(peer);
}

#[test]
fn the_real_prek_runs_the_manifest() {
    let Some(peer) = peers::prek() else { return peers::skip("the manifest in prek", "prek") };
    the_manifest_works_in(peer);
}

#[test]
fn the_real_pre_commit_takes_the_manifest_for_valid() {
    let Some(peer) = peers::pre_commit() else {
        return peers::skip("the manifest against its schema", "pre-commit");
    };
    let framework = Framework::new(peer);
    let manifest = project().join(".pre-commit-hooks.yaml");
    let run = framework.run(&["validate-manifest", manifest.to_str().expect("UTF-8")]);
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""));
}

/// Git says where its index is as seen from the top.
#[test]
fn a_hook_that_goes_into_a_directory_judges_the_same_index() {
    let git = Git::with(&[("apps/a.yaml", HARMLESS)]);
    let path = install(&git, "pre-commit");
    let script = fs::read_to_string(&path).expect("written");
    fs::write(&path, script.replace("exec ", "cd apps\nexec ")).expect("written");
    git.stage(&[("apps/db.yaml", PLAIN)]);
    let run = git.attempt(&["commit", "--quiet", "-m", "x"]);
    // The directory of the program is that of its advice.
    assert!(is_refused(&run, "db.yaml"), "{run:?}");
}

/// Git runs hooks at the root, with an index of its own for `--all`.
#[test]
fn advice_is_for_the_directory_and_the_index_of_the_commit() {
    let config = "creation_rules:\n  - encrypted_regex: ^(data|stringData)$\n    age: age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh\n";
    let git = Git::with(&[(".sops.yaml", config), ("apps/db.yaml", HARMLESS)]);
    install(&git, "pre-commit");
    git.write("apps/db.yaml", PLAIN);
    let commit = |arguments: &[&str]| {
        let run = git_in(&git.root.join("apps"), &[&["commit", "-m", "x"], arguments].concat());
        assert!(run.code != Some(0) && run.stderr.contains("`sops-lint fix db.yaml`"), "{run:?}");
        run.stderr
    };
    assert!(commit(&["--all"]).contains("run `sops-lint fix` to encrypt the files"));
    git.run(&["add", "--all"]);
    assert!(commit(&[]).contains("run `sops-lint fix --staged` to encrypt the files"));
}

/// A commit can bring any name, and pre-commit puts names behind the options.
#[test]
fn a_name_that_looks_like_an_option_switches_nothing_off() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.stage(&[("db.yaml", PLAIN), ("--help", "x\n")]);
    let run = Command::new(env!("CARGO_BIN_EXE_sops-lint"))
        .args(["hook", "pre-commit", "--help", "db.yaml"])
        .current_dir(&git.root)
        .env("PRE_COMMIT", "1")
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--help is a file whose name looks like an option"), "{stderr}");
}

/// pre-commit and prek pass the refs of a push in variables.
#[test]
fn the_variables_of_pre_commit_say_what_is_pushed() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let clean = git.run(&["rev-parse", "HEAD"]);
    let leak = git.commit(&[("db.yaml", PLAIN)]);
    let code = |variables: &[(&str, &str)]| {
        let run = Command::new(env!("CARGO_BIN_EXE_sops-lint"))
            .args(["hook", "pre-push"])
            .current_dir(&git.root)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", git.beside("home"))
            .env("PRE_COMMIT", "1")
            .envs(variables.iter().copied())
            .output()
            .expect("the binary runs");
        run.status.code()
    };
    let (from, to) = ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF");
    assert_eq!(code(&[(from, &clean), (to, &leak)]), Some(1), "the pushed commits have a leak");
    assert_eq!(code(&[(from, &leak), (to, &leak)]), Some(0), "nothing is new to the remote");
    assert_eq!(code(&[(to, &clean)]), Some(0), "the leak is not pushed");
    assert_eq!(code(&[("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main")]), Some(1));
    assert_eq!(code(&[]), Some(1), "a run by hand judges HEAD");
    git.run(&["update-ref", "refs/remotes/origin/main", &leak]);
    let remote = "PRE_COMMIT_REMOTE_NAME";
    assert_eq!(code(&[(to, &leak), (remote, "origin")]), Some(0), "the remote has the leak");
    assert_eq!(code(&[(to, &leak), (remote, "fork")]), Some(1), "another remote lacks it");
}

/// What a rule about the repository says of the files that a push leaves behind.
#[test]
fn a_push_is_judged_as_it_will_stand_there() {
    let sealed = encrypted();
    let (git, _) = with_remote();
    install(&git, "pre-push");
    git.commit(&[("apps/db.enc.yaml", &sealed)]);
    assert_eq!(git.attempt(&["push", "--quiet", "origin", "main"]).code, Some(0));
    // The decrypted copy of an encrypted file.
    let copy = sealed.split("sops:").next().expect("a head").replace("ENC[", "canary[");
    git.commit(&[("apps/db.yaml", &copy)]);
    let run = git.attempt(&["push", "--quiet", "origin", "main"]);
    assert!(run.code != Some(0) && run.stdout.contains("decrypted-artifact"), "{run:?}");
    // A rule that came after its file.
    let (git, _) = with_remote();
    install(&git, "pre-push");
    git.commit(&[("config/db.env", "PASSWORD=canary\n")]);
    let rule = "creation_rules:\n  - path_regex: ^config/db\\.env$\n    age: age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\n";
    git.commit(&[(".sops.yaml", rule)]);
    let run = git.attempt(&["push", "--quiet", "origin", "main"]);
    assert!(run.code != Some(0) && run.stdout.contains("unencrypted-file"), "{run:?}");
}

#[test]
fn every_branch_of_a_push_is_judged() {
    let (git, _) = with_remote();
    install(&git, "pre-push");
    git.run(&["checkout", "--quiet", "-b", "wrong"]);
    git.commit(&[(".sops.yaml", "creation_rules:\n  - path_regex: \"[\"\n")]);
    git.run(&["checkout", "--quiet", "-b", "aaa", "main"]);
    git.commit(&[("b.yaml", HARMLESS)]);
    for branches in [&["wrong"][..], &["aaa", "wrong"], &["wrong", "aaa"]] {
        let run = git.attempt(&[&["push", "--quiet", "origin"], branches].concat());
        assert!(
            run.code != Some(0) && run.stdout.contains("invalid-regex"),
            "{branches:?}: {run:?}"
        );
    }
    assert_eq!(git.attempt(&["push", "--quiet", "origin", "aaa"]).code, Some(0));
}

/// The settings of one branch are no licence for another.
#[test]
fn every_branch_of_a_push_has_its_own_settings() {
    let (git, _) = with_remote();
    install(&git, "pre-push");
    git.run(&["checkout", "--quiet", "-b", "zzz"]);
    git.commit(&[("db.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "-b", "aaa", "main"]);
    git.commit(&[(".sops-lint.yaml", "exclude: ['**']\n")]);
    for branches in [["aaa", "zzz"], ["zzz", "aaa"]] {
        let run = git.attempt(&[&["push", "--quiet", "origin"], &branches[..]].concat());
        assert!(is_refused(&run, "db.yaml"), "{branches:?}: {run:?}");
    }
    assert_eq!(git.attempt(&["push", "--quiet", "origin", "aaa"]).code, Some(0));
}

#[test]
fn a_merge_is_refused_by_a_hook_of_its_own() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "-b", "side"]);
    git.commit(&[("db.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "main"]);
    git.commit(&[("b.yaml", HARMLESS)]);
    install(&git, "pre-merge-commit");
    let run = git.attempt(&["merge", "--no-edit", "side"]);
    assert!(is_refused(&run, "db.yaml"), "{run:?}");
    let again = git.lint(&["install", "--hook", "pre-merge-commit"]);
    assert!(again.stdout.starts_with("Nothing to do"), "{again:?}");
    let removed = git.lint(&["install", "--hook", "pre-merge-commit", "--uninstall"]);
    assert!(removed.stdout.starts_with("Removed"), "{removed:?}");
}
