//! Settings, baselines, and who beats whom.

use std::fs;

use crate::support::{Git, repository, sops_lint};

const PLAINTEXT: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary-set\n";

fn finding(rule: &str, level: &str, path: &str) -> (String, String, String) {
    (rule.to_owned(), level.to_owned(), path.to_owned())
}

#[test]
fn settings_lie_at_the_root_of_the_tree_wherever_the_run_starts() {
    let settings = "levels: {unencrypted-secret: warning}\n";
    let tree = repository(&[
        (".git/HEAD", ""),
        (".sops-lint.yaml", settings),
        ("apps/db.yaml", PLAINTEXT),
    ]);
    let found = [finding("unencrypted-secret", "warning", "apps/db.yaml")];
    for (directory, paths) in [("", &[][..]), ("apps", &["db.yaml"]), ("apps", &["."])] {
        let args = [&["scan", "--format", "json"][..], paths].concat();
        let run = sops_lint(&tree.path().join(directory), &args);
        assert_eq!(run.findings(), found, "{directory} {paths:?}");
        assert_eq!(run.code, Some(0));
    }
}

#[test]
fn the_command_line_beats_the_settings() {
    let settings = "levels: {unencrypted-secret: warning}\nignore:\n  - path: known.yaml\n    rules: [unencrypted-secret]\n    reason: made up\n";
    let tree = repository(&[
        (".sops-lint.yaml", settings),
        ("db.yaml", PLAINTEXT),
        ("known.yaml", PLAINTEXT),
        ("ci.yaml", "exclude: [db.yaml, known.yaml]\n"),
    ]);
    let scan = |args: &[&str]| {
        sops_lint(tree.path(), &[&["scan", "--format", "json"], args].concat()).findings()
    };
    let db = |level| finding("unencrypted-secret", level, "db.yaml");
    let known = finding("unencrypted-secret", "error", "known.yaml");
    assert_eq!(scan(&[]), [db("warning")]);
    assert_eq!(scan(&["--level", "unencrypted-secret=info"]), [db("info")]);
    assert_eq!(scan(&["--skip", "unencrypted-secret"]), []);
    assert_eq!(scan(&["--no-config"]), [db("error"), known]);
    assert_eq!(scan(&["--config", "ci.yaml"]), []);
    let both = sops_lint(tree.path(), &["scan", "--no-config", "--config", "ci.yaml"]);
    assert_eq!(both.code, Some(2));
}

#[test]
fn an_ignore_is_unused_only_where_everything_was_looked_at() {
    let settings = "ignore:\n  - path: gone.yaml\n    rules: [private-key]\n    reason: made up\n";
    let tree = repository(&[(".sops-lint.yaml", settings), ("a.yaml", "kind: ConfigMap\n")]);
    let scan = |args: &[&str]| {
        sops_lint(tree.path(), &[&["scan", "--format", "json"], args].concat()).findings()
    };
    assert_eq!(scan(&[]), [finding("unused-ignore", "warning", ".sops-lint.yaml")]);
    assert_eq!(scan(&["a.yaml"]), []);
    assert_eq!(scan(&["--skip", "unused-ignore"]), []);
}

#[test]
fn the_settings_say_which_level_fails_a_run() {
    let warning =
        "kind: Secret\napiVersion: v1\nmetadata: {name: x}\nstringData: {username: canary}\n";
    let tree = repository(&[(".sops-lint.yaml", "fail_on: warning\n"), ("db.yaml", warning)]);
    let code = |args: &[&str]| sops_lint(tree.path(), &[&["scan"], args].concat()).code;
    assert_eq!(code(&[]), Some(1));
    assert_eq!(code(&["--fail-on", "error"]), Some(0));
    assert_eq!(code(&["--exit-zero"]), Some(0));
    assert_eq!(code(&["--no-config"]), Some(0));
    fs::write(tree.path().join(".sops-lint.yaml"), "fail_on: error\n").expect("writable");
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--fail-on", "warning"]), Some(1));
    // What fails the run is shown.
    let settings = "fail_on: info\nlevels: {unencrypted-secret: info}\n";
    fs::write(tree.path().join(".sops-lint.yaml"), settings).expect("writable");
    let run = sops_lint(tree.path(), &["scan"]);
    assert!(run.code == Some(1) && run.stdout.starts_with("info[unencrypted-secret]"), "{run:?}");
    let git = Git::with(&[(".sops-lint.yaml", "fail_on: warning\n")]);
    git.stage(&[("db.yaml", warning)]);
    assert_eq!(git.lint(&["hook", "pre-commit"]).code, Some(1));
    assert_eq!(git.lint(&["hook", "pre-commit", "--fail-on", "error"]).code, Some(0));
}

#[test]
fn levels_below_a_path_replace_the_others_and_the_last_one_decides() {
    let settings = "levels: {unencrypted-secret: warning}\noverrides:\n- path: dev/**\n  levels: {unencrypted-secret: info}\n- path: [\"*.prod.yaml\", \"dev/shared\"]\n  levels: {unencrypted-secret: error}\n- path: dev/shared\n  levels: {private-key: info}\n";
    let tree = repository(&[
        (".sops-lint.yaml", settings),
        ("a.yaml", PLAINTEXT),
        ("dev/a.prod.yaml", PLAINTEXT),
        ("dev/a.yaml", PLAINTEXT),
        ("dev/shared/a.yaml", PLAINTEXT),
    ]);
    let levels = |args: &[&str]| -> Vec<String> {
        let run = sops_lint(tree.path(), &[&["scan", "--format", "json"], args].concat());
        run.findings().into_iter().map(|(_, level, _)| level).collect()
    };
    assert_eq!(levels(&[]), ["warning", "error", "info", "error"]);
    let all = levels(&["--level", "unencrypted-secret=error,private-key=info"]);
    assert_eq!(all, ["error"; 4]);
}

#[test]
fn what_is_ignored_is_listed_with_the_reason() {
    let settings = "ignore:\n  - path: db.yaml\n    rules: [unencrypted-secret]\n    reason: made up\n    expires: 2026-06-30\n";
    let tree = repository(&[(".sops-lint.yaml", settings), ("db.yaml", PLAINTEXT)]);
    let run = sops_lint(tree.path(), &["scan", "-v"]);
    assert!(run.stdout.contains("  db.yaml:6: unencrypted-secret: made up\n"), "{run:?}");
    assert!(!sops_lint(tree.path(), &["scan"]).stdout.contains("made up"));
    // From the day after, it ignores nothing.
    let late = settings.replace("2026-06-30", "2026-06-29");
    fs::write(tree.path().join(".sops-lint.yaml"), late).expect("writable");
    let run = sops_lint(tree.path(), &["scan", "--format", "json", "db.yaml"]);
    assert_eq!(run.findings().len(), 2, "{run:?}");
    assert_eq!(run.code, Some(1));
}

#[test]
fn a_mistake_in_the_settings_is_reported_once_in_the_history() {
    let expired = "ignore:\n- {path: x, rules: [private-key], reason: y, expires: 2020-01-01}\n";
    let git = Git::with(&[(".sops-lint.yaml", &format!("{expired}bogus: 1\n"))]);
    git.commit(&[("a.yaml", "a: b\n")]);
    for range in ["--history", "--history=HEAD~1..HEAD"] {
        let run = git.lint(&["scan", range, "--format", "json"]);
        assert_eq!(run.findings().len(), 2, "{range}: {run:?}");
    }
}

#[test]
fn settings_under_another_name_are_refused() {
    for name in [".sops-lint.yml", ".sops-lint.YAML", ".SOPS-LINT.yaml"] {
        let tree = repository(&[("apps/db.yaml", "a: b\n"), (name, "exclude: [apps]\n")]);
        for paths in [&[][..], &["apps"]] {
            let run = sops_lint(tree.path(), &[&["scan", "--format", "json"], paths].concat());
            assert_eq!(run.findings(), [finding("invalid-settings", "error", name)], "{run:?}");
        }
        assert_eq!(sops_lint(tree.path(), &["scan", "--config", name]).code, Some(0));
        assert_eq!(sops_lint(tree.path(), &["scan", "--no-config"]).code, Some(0));
    }
}

#[test]
fn what_is_ignored_is_counted() {
    let settings =
        "ignore:\n  - path: db.yaml\n    rules: [unencrypted-secret]\n    reason: made up\n";
    let tree = repository(&[(".sops-lint.yaml", settings), ("db.yaml", PLAINTEXT)]);
    let run = sops_lint(tree.path(), &["scan"]);
    assert!(run.stdout.contains("Ignored by the settings: 1 finding.\n"), "{run:?}");
    let json = sops_lint(tree.path(), &["scan", "--format", "json"]).json();
    assert_eq!(json["summary"]["ignored"], 1);
}

#[test]
fn excluded_files_are_not_read_even_if_they_are_named() {
    let settings = "exclude: [vendor]\n";
    let tree = repository(&[
        (".sops-lint.yaml", settings),
        ("vendor/db.yaml", PLAINTEXT),
        ("vendor/.sops.yaml", "no config at all"),
    ]);
    for paths in [&["scan"][..], &["scan", "vendor/db.yaml"], &["scan", "vendor"]] {
        let run = sops_lint(tree.path(), paths);
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{paths:?}: {run:?}");
    }
}

#[test]
fn settings_that_cannot_be_read_fail_the_run_and_findings_are_reported_all_the_same() {
    let tree = repository(&[("db.yaml", PLAINTEXT), ("directory.yaml/a", "")]);
    for config in ["nowhere.yaml", "directory.yaml"] {
        let run = sops_lint(tree.path(), &["scan", "--format", "json", "--config", config]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(config), "{run:?}");
        assert_eq!(run.findings(), [finding("unencrypted-secret", "error", "db.yaml")]);
    }
    let broken = repository(&[("db.yaml", PLAINTEXT), (".sops-lint.yaml", "levels: [\n")]);
    let run = sops_lint(broken.path(), &["scan", "--format", "json"]);
    let found = [
        finding("invalid-settings", "error", ".sops-lint.yaml"),
        finding("unencrypted-secret", "error", "db.yaml"),
    ];
    assert_eq!((run.code, run.findings()), (Some(1), found.to_vec()));
}

#[test]
fn a_file_that_is_no_settings_file_shows_nothing_of_itself() {
    let tree = repository(&[("db.yaml", PLAINTEXT), ("cut.yaml", "password: [canary-set\n")]);
    for config in ["db.yaml", "cut.yaml"] {
        for format in ["human", "json"] {
            let run = sops_lint(tree.path(), &["scan", "--format", format, "--config", config]);
            assert!(run.stdout.contains("invalid-settings"), "{run:?}");
            assert!(!format!("{run:?}").contains("canary"), "{run:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn settings_are_no_link_to_somewhere_else() {
    let tree = repository(&[("ci.yaml", "exclude: [db.yaml]\n"), ("db.yaml", PLAINTEXT)]);
    let link = tree.path().join(".sops-lint.yaml");
    std::os::unix::fs::symlink("ci.yaml", link).expect("links can be made");
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    assert_eq!((run.code, run.findings().len()), (Some(2), 1), "{run:?}");
    assert!(run.stderr.contains("symbolic link"), "{run:?}");
}

/// What was not asked may need them.
#[test]
fn an_ignore_of_a_rule_that_was_not_asked_is_not_called_unused() {
    let ignore = |rule: &str| {
        format!("ignore:\n  - path: a.yaml\n    rules: [{rule}]\n    reason: it is known\n")
    };
    for (rule, count) in
        [("mac-mismatch", 0), ("removed-recipient-not-rotated", 0), ("unencrypted-secret", 1)]
    {
        let tree = repository(&[(".sops-lint.yaml", &ignore(rule)), ("a.yaml", "a: b\n")]);
        let run = sops_lint(tree.path(), &["scan", "--verify", "never", "--format", "json"]);
        assert_eq!(run.findings().len(), count, "{rule}: {run:?}");
    }
}

#[test]
fn a_baseline_holds_back_what_was_there_before_and_nothing_else() {
    let tree = repository(&[("a.yaml", PLAINTEXT), ("b/c.yaml", PLAINTEXT)]);
    let written = sops_lint(tree.path(), &["baseline"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let path = tree.path().join(".sops-lint-baseline.yaml");
    let text = fs::read_to_string(&path).expect("written");
    assert!(!text.contains("canary"));
    assert!(written.stdout.starts_with("Wrote 2 findings to .sops-lint-baseline.yaml:"));
    let paths: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- path: ")).collect();
    assert_eq!(paths, ["a.yaml", "b/c.yaml"], "{text}");
    let scan = ["scan", "--baseline", ".sops-lint-baseline.yaml"];
    let run = sops_lint(tree.path(), &scan);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("Suppressed by the baseline: 2 findings.\n"), "{run:?}");

    fs::write(tree.path().join("a.yaml"), format!("# moved\n{PLAINTEXT}")).expect("writable");
    fs::write(tree.path().join("new.yaml"), PLAINTEXT).expect("writable");
    fs::remove_file(tree.path().join("b/c.yaml")).expect("removable");
    let run = sops_lint(tree.path(), &[&scan[..], &["--format", "json"]].concat());
    assert_eq!(run.findings(), [finding("unencrypted-secret", "error", "new.yaml")]);
    let summary = &run.json()["summary"];
    assert_eq!((&summary["in_baseline"], &summary["gone_from_baseline"]), (&1.into(), &1.into()));
    let run = sops_lint(tree.path(), &[&scan[..], &["a.yaml"]].concat());
    assert!(run.stdout.contains("Suppressed") && !run.stdout.contains("No longer"), "{run:?}");

    // The settings can name it for hooks and all others.
    fs::write(tree.path().join(".sops-lint.yaml"), "baseline: .sops-lint-baseline.yaml\n")
        .expect("writable");
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    assert_eq!(run.findings(), [finding("unencrypted-secret", "error", "new.yaml")]);

    let again = sops_lint(tree.path(), &["baseline", "--output", "again.yaml"]);
    assert_eq!(again.code, Some(0));
    let once = fs::read_to_string(tree.path().join("again.yaml")).expect("written");
    sops_lint(tree.path(), &["baseline", "--output", "again.yaml"]);
    assert_eq!(once, fs::read_to_string(tree.path().join("again.yaml")).expect("written"));
}

/// A stranger's commit can have brought the link.
#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let tree = repository(&[("repo/db.yaml", "a: b\n"), ("victim", "old\n")]);
    let root = tree.path().join("repo");
    let link = root.join(".sops-lint-baseline.yaml");
    std::os::unix::fs::symlink("../victim", &link).expect("links can be made");
    for arguments in [&["baseline"][..], &["scan", "--output", ".sops-lint-baseline.yaml"]] {
        let run = sops_lint(&root, arguments);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains("it is a symbolic link"), "{run:?}");
    }
    assert_eq!(std::fs::read_to_string(tree.path().join("victim")).expect("there"), "old\n");
}

#[test]
fn the_baseline_that_the_settings_name_can_be_written_for_the_first_time() {
    let settings = "baseline: known.yaml\n";
    let tree = repository(&[("db.yaml", PLAINTEXT), (".sops-lint.yaml", settings)]);
    let run = sops_lint(tree.path(), &["baseline"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    assert!(run.stdout.contains("known.yaml"), "{run:?}");
    assert_eq!(sops_lint(tree.path(), &["scan"]).code, Some(0));
    fs::write(tree.path().join("known.yaml"), "not a baseline\n").expect("written");
    assert_eq!(sops_lint(tree.path(), &["scan"]).code, Some(2));
    assert_eq!(sops_lint(tree.path(), &["baseline"]).code, Some(0), "it is written again");
}

#[test]
fn a_baseline_that_cannot_be_used_fails_the_run() {
    let tree = repository(&[("db.yaml", PLAINTEXT), ("no.yaml", "findings: []\n")]);
    for baseline in ["nowhere.yaml", "no.yaml", "db.yaml"] {
        let run = sops_lint(tree.path(), &["scan", "--format", "json", "--baseline", baseline]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(baseline), "{run:?}");
        assert_eq!(run.findings().len(), 1);
    }
}

#[test]
fn a_baseline_never_holds_back_mistakes_in_the_settings() {
    let tree = repository(&[(".sops-lint.yaml", "excludes: []\n"), ("db.yaml", PLAINTEXT)]);
    let written = sops_lint(tree.path(), &["baseline"]);
    assert!(written.stdout.starts_with("Wrote 1 finding to"), "{written:?}");
    let scan = ["scan", "--format", "json", "--baseline", ".sops-lint-baseline.yaml"];
    let run = sops_lint(tree.path(), &scan);
    assert_eq!(run.findings(), [finding("invalid-settings", "error", ".sops-lint.yaml")]);
}

#[test]
fn infos_are_for_those_who_ask() {
    let settings = "levels: {unencrypted-secret: info}\n";
    let tree = repository(&[(".sops-lint.yaml", settings), ("db.yaml", PLAINTEXT)]);
    let scan = |args: &[&str]| sops_lint(tree.path(), &[&["scan"], args].concat());
    let run = scan(&[]);
    assert!(run.stdout.starts_with("Found 1 info in 2 files"), "{run:?}");
    assert!(run.stdout.contains("Not shown: 1 info (run with -v to see it).\n"), "{run:?}");
    assert!(scan(&["-v"]).stdout.starts_with("info[unencrypted-secret]: "));
    let strict = scan(&["--fail-on", "info", "--quiet"]);
    assert!(strict.stdout.starts_with("info[unencrypted-secret]: "));
    assert_eq!(strict.code, Some(1));
    assert_eq!(sops_lint(tree.path(), &["scan", "--format", "json"]).findings().len(), 1);
}
