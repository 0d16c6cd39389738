//! Baselines: what was there is suppressed, and nothing else.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{Git, Run, copy_of, directories, fixtures, repository, sops_lint};

const SETTINGS: (&str, &str) = (".sops-lint.yaml", "baseline: .sops-lint-baseline.yaml\n");
const BASELINE: &str = ".sops-lint-baseline.yaml";

/// A Secret with these lines under `stringData`.
fn secret(name: &str, lines: &str) -> String {
    let head = "apiVersion: v1\nkind: Secret\nmetadata:\n";
    format!("{head}  name: {name}\ntype: Opaque\nstringData:\n{lines}")
}

/// A repository whose one commit has these files and a baseline of them.
fn baselined(files: &[(&str, &str)]) -> Git {
    let git = Git::with(&[&[SETTINGS], files].concat());
    let run = git.lint(&["baseline"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    git.run(&["add", "--all"]);
    git.run(&["commit", "--quiet", "-m", "the baseline"]);
    git
}

/// Runs the hook.
fn hook(git: &Git) -> Run {
    let run = git.lint(&["hook", "pre-commit"]);
    assert!(!format!("{run:?}").contains("canary"), "{run:?}");
    run
}

fn passes(git: &Git) {
    let run = hook(git);
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""));
}

fn is_refused(git: &Git, path: &str) {
    let run = hook(git);
    assert!(run.code == Some(1) && run.stdout.contains(path), "{run:?}");
}

#[test]
fn a_team_with_sixty_findings() {
    let secrets: Vec<(String, String)> = (0..60)
        .map(|n| {
            let lines = format!("  password: canary-{n}\n  token: canary-token-{n}\n");
            (format!("clusters/c{}/s{n}.yaml", n % 5), secret(&format!("s{n}"), &lines))
        })
        .collect();
    let files: Vec<(&str, &str)> = secrets.iter().map(|(path, text)| (&**path, &**text)).collect();
    let git = Git::with(&files);
    let run = git.lint(&["baseline"]);
    let expected = "Wrote 60 findings to .sops-lint-baseline.yaml:\n    60 unencrypted-secret\nTo suppress them everywhere, hooks included, add this line to .sops-lint.yaml:\n  baseline: .sops-lint-baseline.yaml\n";
    assert_eq!((run.code, &*run.stdout), (Some(0), expected));
    git.write(SETTINGS.0, SETTINGS.1);
    git.run(&["add", "--all"]);
    assert_eq!(git.lint(&["scan"]).code, Some(0));
    passes(&git);
    git.run(&["commit", "--quiet", "-m", "the baseline"]);

    let (path, text) = &secrets[7];
    git.stage(&[(path, &format!("{text}  second: canary-new\n"))]);
    is_refused(&git, path);
    assert_eq!(git.errors(&[]).len(), 1);
    git.run(&["reset", "--quiet", "--hard"]);
    git.run(&["mv", path, "clusters/moved.yaml"]);
    passes(&git);
    git.stage(&[("clusters/moved.yaml", &text.replace("canary-7", "canary-changed"))]);
    is_refused(&git, "clusters/moved.yaml");
    git.run(&["reset", "--quiet", "--hard"]);
    git.stage(&[(path, &text.replace("canary-7", "canary-changed"))]);
    is_refused(&git, path);
    let run = git.lint(&["scan", "-v"]);
    assert_eq!(run.code, Some(0), "in a full scan the old value is not known: {run:?}");
    assert!(run.stdout.contains("Suppressed by the baseline: 60 findings.\n"), "{run:?}");
    assert!(run.stdout.contains("  clusters/c0/s0.yaml:7: unencrypted-secret: in the baseline\n"));
    assert_eq!(git.errors(&["--no-baseline"]).len(), 60);
    let run = git.lint(&["hook", "pre-commit", "--no-baseline"]);
    assert_eq!(run.code, Some(1));
}

#[test]
fn a_baseline_is_readable_and_sorted_and_holds_no_value() {
    let two = format!(
        "{}---\n{}",
        secret("a", "  z: canary\n  y: canary\n"),
        secret("b", "  x: canary\n")
    );
    let tree = repository(&[
        ("b.yaml", &two),
        ("docs/a.yaml", &secret("c", "  w: canary\n")),
        (".env", "A=canary\nB=canary\n"),
        (
            ".sops.yaml",
            "creation_rules:\n  - path_regex: ^\\.env$\n    age: age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\n",
        ),
    ]);
    assert_eq!(sops_lint(tree.path(), &["baseline"]).code, Some(0));
    let text = fs::read_to_string(tree.path().join(BASELINE)).expect("written");
    insta::assert_snapshot!(text, @r"
    # Known findings, which sops-lint suppresses. `sops-lint baseline` writes this file.
    version: 2
    findings:
    - path: .env
      rule: unencrypted-file
      key_path: A
    - path: .env
      rule: unencrypted-file
      key_path: B
    - path: b.yaml
      rule: unencrypted-secret
      key_path: stringData.y
    - path: b.yaml
      rule: unencrypted-secret
      key_path: stringData.z
    - path: b.yaml
      document: 1
      rule: unencrypted-secret
      key_path: stringData.x
    - path: docs/a.yaml
      rule: unencrypted-secret
      key_path: stringData.w
      level: warning
    ");
    let run = sops_lint(tree.path(), &["scan", "--baseline", BASELINE]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_new_key_document_or_object_is_new() {
    let one = secret("db", "  password: canary\n");
    let git = baselined(&[("db.yaml", &one)]);
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: x}\n  stringData: {password: canary}\n";
    for changed in [
        format!("{one}  other: canary\n"),
        format!("{one}  \"a.b\": canary\n"),
        format!("{one}---\n{}", secret("db", "  password: canary\n")),
        format!("{one}---\n{list}"),
        one.replace("stringData", "data").replace("canary", "Y2FuYXJ5"),
    ] {
        git.stage(&[("db.yaml", &changed)]);
        is_refused(&git, "db.yaml");
        assert_eq!(git.errors(&[]).len(), 1, "{changed}");
        assert_eq!(git.errors(&["--diff", "HEAD"]).len(), 0, "nothing is committed");
    }
    git.stage(&[("db.yaml", &format!("# a comment\n{}", one.replace("canary", "'canary' # x")))]);
    passes(&git);
    git.stage(&[("db.yaml", &one), ("other.yaml", &one)]);
    is_refused(&git, "other.yaml");
}

#[test]
fn what_has_no_key_path_is_counted() {
    let key = |name: &&str| {
        let path = fixtures().join(format!("keys/age/{name}.txt"));
        let text = fs::read_to_string(path).expect("a key");
        let mut lines = text.lines();
        format!("{}\n", lines.find(|line| line.starts_with("AGE-SECRET-KEY-")).expect("a key"))
    };
    let write = |tree: &Path, names: &[&str]| {
        let text: String = names.iter().map(key).collect();
        fs::write(tree.join("keys.txt"), text).expect("written");
    };
    let tree = repository(&[]);
    write(tree.path(), &["alice", "bob"]);
    assert_eq!(sops_lint(tree.path(), &["baseline"]).code, Some(0));
    let scan = || {
        let args = ["scan", "--format", "json", "--baseline", BASELINE];
        sops_lint(tree.path(), &args).findings().len()
    };
    assert_eq!(scan(), 0);
    write(tree.path(), &["alice", "bob", "carol", "mallory"]);
    assert_eq!(scan(), 2);
}

/// Only a hundred findings of a rule are reported in a file; the last says how many there are.
#[test]
fn findings_that_are_not_listed_are_counted_too() {
    let all = |count: usize| {
        (0..count).fold(String::new(), |mut text, n| {
            let _ = write!(text, "---\n{}", secret(&format!("s{n}"), "  a: canary\n"));
            text
        })
    };
    let tree = repository(&[("all.yaml", &all(150))]);
    assert_eq!(sops_lint(tree.path(), &["baseline"]).code, Some(0));
    let scan = || {
        let args = ["scan", "--format", "json", "--baseline", BASELINE];
        sops_lint(tree.path(), &args).findings().len()
    };
    assert_eq!(scan(), 0);
    fs::write(tree.path().join("all.yaml"), all(151)).expect("written");
    assert_eq!(scan(), 1);
    // The same for the values of one Secret.
    let keys = |count: usize| {
        (0..count).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "  k{n}: canary");
            text
        })
    };
    fs::write(tree.path().join("all.yaml"), secret("s", &keys(1500))).expect("written");
    assert_eq!(sops_lint(tree.path(), &["baseline"]).code, Some(0));
    assert_eq!(scan(), 0);
    fs::write(tree.path().join("all.yaml"), secret("s", &keys(1501))).expect("written");
    assert_eq!(scan(), 1);
}

#[test]
fn an_entry_of_a_warning_does_not_cover_an_error() {
    let uncertain = secret("db", "  username: canary\n");
    let git = baselined(&[("db.yaml", &uncertain)]);
    let text = fs::read_to_string(git.root.join(BASELINE)).expect("written");
    assert!(text.contains("level: warning"), "{text}");
    let worse = "  username: |\n    user=canary\n    password=canary\n";
    git.write("db.yaml", &secret("db", worse));
    let run = git.lint(&["scan", "--format", "json"]);
    assert!(run.findings().iter().any(|(_, level, _)| level == "error"), "{run:?}");
    // Levels in the settings change nothing about what is known.
    git.write("db.yaml", &uncertain);
    git.write(SETTINGS.0, &format!("{}levels: {{unencrypted-secret: error}}\n", SETTINGS.1));
    assert_eq!(git.lint(&["scan"]).code, Some(0));
}

#[test]
fn renames_that_git_sees_take_their_entries_along() {
    let one = secret("db", "  password: canary\n  user: canary-too\n");
    let git = baselined(&[("a/db.yaml", &one), ("a/other.yaml", "kind: ConfigMap\n")]);
    let base = git.run(&["rev-parse", "HEAD"]);
    // A copy is no rename.
    git.stage(&[("b/db.yaml", &one)]);
    is_refused(&git, "b/db.yaml");
    git.run(&["rm", "--quiet", "--cached", "a/db.yaml"]);
    passes(&git);
    let file = git.lint(&["hook", "pre-commit", "b/db.yaml"]);
    assert_eq!(file.code, Some(0), "{file:?}");
    // With other changes, too, as long as the values stay.
    git.stage(&[("b/db.yaml", &format!("# moved\n{one}"))]);
    passes(&git);
    git.stage(&[("b/db.yaml", &format!("{one}  new: canary\n"))]);
    is_refused(&git, "b/db.yaml");
    git.stage(&[("b/db.yaml", &format!("# moved\n{one}"))]);
    git.run(&["commit", "--quiet", "-m", "moved"]);
    assert_eq!(git.errors(&["--diff", &base]), []);
    // A full scan does not know of it.
    assert_eq!(git.errors(&[]).len(), 1);
    // One removed file is not two new ones.
    git.run(&["reset", "--quiet", "--hard", &base]);
    git.run(&["rm", "--quiet", "a/db.yaml"]);
    git.stage(&[("b/db.yaml", &one), ("c/db.yaml", &one)]);
    let run = git.lint(&["scan", "--staged", "--format", "json"]);
    assert_eq!(run.findings().len(), 1, "{run:?}");
    // Nor is a file with little in common.
    git.run(&["reset", "--quiet", "--hard", &base]);
    git.run(&["rm", "--quiet", "a/db.yaml"]);
    git.stage(&[(
        "b/db.yaml",
        "kind: Secret\napiVersion: v1\nstringData: {password: canary}\nmetadata: {name: x}\n",
    )]);
    is_refused(&git, "b/db.yaml");
}

/// What the baseline did not have before the change, its author has seen.
#[test]
fn a_baseline_that_is_rewritten_in_the_same_commit_is_believed() {
    let one = secret("db", "  password: canary\n");
    let git = baselined(&[("db.yaml", &one)]);
    git.stage(&[("db.yaml", &format!("{one}  new: canary\n")), ("new.yaml", &one)]);
    is_refused(&git, "new.yaml");
    assert_eq!(git.lint(&["baseline"]).code, Some(0));
    git.run(&["add", BASELINE]);
    passes(&git);
    // It says nothing about a value that changes at a known place.
    git.stage(&[("db.yaml", &format!("{}  new: canary\n", one.replace("canary", "canary-2")))]);
    is_refused(&git, "db.yaml");
}

#[test]
fn a_baseline_of_some_paths_keeps_the_entries_of_the_others() {
    let one = secret("db", "  password: canary\n");
    let git = baselined(&[("a/db.yaml", &one), ("ab/db.yaml", &one), ("b/db.yaml", &one)]);
    let before = fs::read_to_string(git.root.join(BASELINE)).expect("written");
    git.write("a/new.yaml", &one);
    let run = git.lint(&["baseline", "a"]);
    assert!(run.stdout.starts_with("Wrote 2 findings"), "{run:?}");
    assert_eq!(git.lint(&["scan"]).code, Some(0));
    fs::remove_file(git.root.join("a/new.yaml")).expect("removed");
    assert_eq!(git.lint(&["baseline", "a"]).code, Some(0));
    assert_eq!(before, fs::read_to_string(git.root.join(BASELINE)).expect("written"));
}

#[test]
fn a_branch_that_changes_a_known_value_is_refused() {
    let one = secret("db", "  password: canary\n  user: canary\n");
    let git = baselined(&[("db.yaml", &one), ("config.yaml", &in_config(&one))]);
    let base = git.run(&["rev-parse", "HEAD"]);
    git.commit(&[("db.yaml", &format!("# a comment\n{one}"))]);
    assert_eq!(git.errors(&["--diff", &base]), []);
    git.commit(&[("db.yaml", &one.replace("user: canary", "user: canary-2"))]);
    assert_eq!(git.errors(&["--diff", &base]).len(), 1);
    assert_eq!(git.errors(&["--rev", "HEAD"]), []);
    assert_eq!(git.errors(&["--history"]), []);
    // A Secret in the text of another manifest is one value.
    git.run(&["reset", "--quiet", "--hard", &base]);
    git.commit(&[("config.yaml", &in_config(&one.replace("user: canary", "user: canary-2")))]);
    assert_eq!(git.errors(&["--diff", &base]).len(), 1);
}

/// A manifest that has another one as text.
fn in_config(text: &str) -> String {
    let text = text.replace('\n', "\n    ");
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  m: |\n    {text}\n")
}

#[test]
fn a_file_that_comes_back_is_new() {
    let one = secret("db", "  password: canary\n");
    let git = baselined(&[("db.yaml", &one)]);
    git.run(&["rm", "--quiet", "db.yaml"]);
    git.run(&["commit", "--quiet", "-m", "gone"]);
    git.stage(&[("db.yaml", &one.replace("canary", "canary-2"))]);
    is_refused(&git, "db.yaml");
}

#[test]
fn a_whole_file_in_plaintext_has_its_keys_in_the_baseline() {
    let config = (
        ".sops.yaml",
        "creation_rules:\n  - path_regex: ^\\.env$\n    age: age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\n",
    );
    let git = baselined(&[config, (".env", "PASSWORD=canary\n")]);
    for changed in ["PASSWORD=canary\nTOKEN=canary\n", "PASSWORD=canary2\n"] {
        git.stage(&[(".env", changed)]);
        is_refused(&git, ".env");
    }
    git.stage(&[(".env", "# comment\nPASSWORD=canary\n")]);
    passes(&git);
}

#[test]
fn a_baseline_of_an_earlier_version_is_refused_with_the_command_that_rewrites_it() {
    let old = "version: 1\nfindings:\n- rule: private-key\n  path: a\n  fingerprint: '0123'\n";
    let one = secret("db", "  password: canary\n");
    let tree = repository(&[SETTINGS, ("db.yaml", &one), (BASELINE, old)]);
    let run = sops_lint(tree.path(), &["scan"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("an earlier version of sops-lint wrote it"), "{run:?}");
    let command = run.stderr.split('`').nth(1).expect("a command");
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    let run = sops_lint(tree.path(), &args);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    assert!(run.stdout.ends_with("The settings name it already.\n"), "{run:?}");
    assert_eq!(sops_lint(tree.path(), &["scan"]).code, Some(0));
}

#[test]
fn another_recipient_is_new_where_one_is_known() {
    let case = fixtures().join("rules/recipients-mismatch");
    let case = directories(&case);
    let case = case.iter().find(|case| case.ends_with("bad-extra")).unwrap_or(&case[0]);
    let copy = copy_of(case, &[]);
    let json = sops_lint(copy.path(), &["scan", "--format", "json"]).json();
    let findings = json["findings"].as_array().expect("findings");
    let mismatch = findings.iter().find(|one| one["rule"] == "recipients-mismatch");
    let paths = mismatch.expect("it is bad")["key_paths"].to_string();
    assert!(paths.contains("\"sops\""), "{paths}");
}

#[test]
fn a_baseline_that_cannot_be_read_loses_no_entries_of_other_files() {
    let git = baselined(&[
        ("a/x.yaml", &secret("x", "  password: canary-x\n")),
        ("b/y.yaml", &secret("y", "  password: canary-y\n")),
    ]);
    let path = git.root.join(BASELINE);
    let written = fs::read_to_string(&path).expect("written");
    let broken = format!("{written}<<<<<<< ours\n");
    git.write(BASELINE, &broken);
    let run = git.lint(&["baseline", "a"]);
    assert!(run.code == Some(2) && run.stderr.contains("entries of other files"), "{run:?}");
    assert_eq!(fs::read_to_string(&path).expect("still there"), broken);

    git.write(BASELINE, &written);
    git.write("a/x.yaml", &secret("x", "  password: canary-x\n  token: canary-new\n"));
    let scan = git.lint(&["scan"]);
    assert!(scan.stdout.contains("1 of 2 is in the baseline"), "{scan:?}");
    assert!(!scan.stdout.contains("No longer found"), "{scan:?}");
    let run = git.lint(&["baseline", "a"]);
    assert!(run.stdout.contains(", 1 of them new:"), "{run:?}");
    let now = fs::read_to_string(&path).expect("written");
    assert!(now.contains("b/y.yaml") && now.contains("stringData.token"), "{now}");
}
