//! Commands, exit codes and streams.

use std::fs;

use crate::support::{fixtures, repository, sops_lint};

const PLAINTEXT: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary-cli\n";

#[test]
fn exit_codes_say_clean_findings_or_failure() {
    let clean = repository(&[("a.yaml", "kind: ConfigMap\n")]);
    assert_eq!(sops_lint(clean.path(), &["scan"]).code, Some(0));
    let bad = repository(&[("a.yaml", PLAINTEXT)]);
    assert_eq!(sops_lint(bad.path(), &["scan"]).code, Some(1));
    assert_eq!(sops_lint(bad.path(), &["scan", "--exit-zero"]).code, Some(0));
    assert_eq!(sops_lint(bad.path(), &["scan", "--skip", "unencrypted-secret"]).code, Some(0));
    assert_eq!(
        sops_lint(bad.path(), &["scan", "--level", "unencrypted-secret=warning"]).code,
        Some(0)
    );
    let lowered = ["scan", "--level", "unencrypted-secret=warning", "--fail-on", "warning"];
    assert_eq!(sops_lint(bad.path(), &lowered).code, Some(1));
    let missing = sops_lint(bad.path(), &["scan", "nowhere.yaml"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("nowhere.yaml does not exist"), "{missing:?}");
    assert!(missing.stderr.contains("help: "), "{missing:?}");
    assert_eq!(sops_lint(bad.path(), &["scan", "--format", "xml"]).code, Some(2));
    assert_eq!(sops_lint(bad.path(), &["explain", "no-such-rule"]).code, Some(2));
}

#[test]
fn findings_go_to_standard_output_and_nothing_else_does() {
    let bad = repository(&[("a.yaml", PLAINTEXT)]);
    let run = sops_lint(bad.path(), &["scan"]);
    assert!(run.stdout.contains("unencrypted-secret"), "{run:?}");
    assert_eq!(run.stderr, "");
}

#[test]
fn a_named_file_is_judged_by_the_configs_above_it() {
    let tree = repository(&[
        (".git/HEAD", ""),
        (
            "apps/.sops.yaml",
            "creation_rules:\n  - path_regex: '^db\\.yaml$'\n    age: age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh\n",
        ),
        ("apps/db.yaml", "password: canary-named\n"),
    ]);
    let run = sops_lint(&tree.path().join("apps"), &["scan", "db.yaml", "--format", "json"]);
    assert_eq!(
        run.findings(),
        [("unencrypted-file".into(), "error".into(), "apps/db.yaml".into())]
    );
}

#[test]
fn what_git_ignores_is_not_looked_at_unless_it_is_named() {
    let tree = repository(&[(".gitignore", "secret.yaml\n"), ("secret.yaml", PLAINTEXT)]);
    assert_eq!(sops_lint(tree.path(), &["scan"]).code, Some(0));
    assert_eq!(sops_lint(tree.path(), &["scan", "secret.yaml"]).code, Some(1));
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let tree = repository(&[("a.yaml", PLAINTEXT), ("b.yaml", PLAINTEXT), ("c/d.yaml", PLAINTEXT)]);
    let report = || {
        let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
        let mut report = run.json();
        report["summary"]["duration_ms"] = 0.into();
        report.to_string()
    };
    assert_eq!(report(), report());
}

#[test]
fn output_can_go_to_a_file() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let run = sops_lint(tree.path(), &["scan", "--format", "jsonl", "--output", "report.jsonl"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    let report = std::fs::read_to_string(tree.path().join("report.jsonl")).expect("written");
    assert_eq!(report.lines().count(), 2, "{report}");
    let failed = sops_lint(tree.path(), &["scan", "--output", "no/such/directory"]);
    assert_eq!(failed.code, Some(2));
}

#[test]
fn policy_says_who_governs_a_file_and_what_it_has() {
    let demo = crate::support::fixtures().join("demo");
    let copy = crate::support::copy_of(&demo, &[]);
    let run = sops_lint(copy.path(), &["policy", "apps/wiki/oauth.yaml", "nowhere.yaml"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    for line in [
        "  governed by  rule 2 of .sops.yaml (path_regex ^apps/.*\\.yaml$)",
        "  has          1 encrypted and 4 plaintext values",
        "  verdict      the recipients do not match the rule",
        "  governed by  nothing: no creation rule of .sops.yaml matches",
        "  the file     does not exist",
    ] {
        assert!(run.stdout.lines().any(|printed| printed == line), "{line}\n{}", run.stdout);
    }
}

#[test]
fn policy_says_of_what_it_cannot_speak_well() {
    let rules = crate::support::fixtures().join("rules/nothing-encrypted");
    let copy = crate::support::copy_of(&rules.join("bad-values-file"), &[]);
    let name = std::fs::read_dir(copy.path())
        .expect("a directory")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .find(|name| name.starts_with("values"))
        .expect("a values file");
    let run = sops_lint(copy.path(), &["policy", &name, "."]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    for line in [
        "  has          0 encrypted and 3 plaintext values",
        "  verdict      no value is encrypted (see `sops-lint scan`)",
        "  the path     is a directory: name the files in it",
    ] {
        assert!(run.stdout.lines().any(|printed| printed == line), "{line}\n{}", run.stdout);
    }
}

#[test]
fn several_rules_can_be_explained_and_a_mistyped_one_is_guessed() {
    let tree = repository(&[]);
    let run = sops_lint(tree.path(), &["explain", "mac-mismatch", "private-key"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.starts_with("# mac-mismatch\n"), "{}", run.stdout);
    assert!(run.stdout.contains("\n\n# private-key\n"), "{}", run.stdout);
    for (arguments, says) in [
        (
            ["explain", "mac-mismach"],
            "no such rule; did you mean `mac-mismatch`? see `sops-lint rules`",
        ),
        (["explain", "colour"], "no such rule; see `sops-lint rules`"),
        (["scan", "--only=private-keys"], "did you mean `private-key`?"),
        (["scan", "--level=private-keys=info"], "did you mean `private-key`?"),
    ] {
        let run = sops_lint(tree.path(), &arguments);
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains(says) && run.stderr.len() < 300, "{}", run.stderr);
    }
}

#[test]
fn every_rule_can_be_explained() {
    let tree = repository(&[]);
    let listed = sops_lint(tree.path(), &["rules", "--format", "json"]).json();
    for rule in listed["rules"].as_array().expect("rules") {
        let id = rule["id"].as_str().expect("id");
        let manual = sops_lint(tree.path(), &["explain", id]);
        assert_eq!(manual.code, Some(0));
        assert!(manual.stdout.starts_with(&format!("# {id}\n")), "{}", manual.stdout);
        assert!(!manual.stdout.lines().any(|line| line.starts_with(' ') && line.starts_with(" #")));
    }
}

#[test]
fn what_holds_for_all_files_is_not_said_when_some_are_named() {
    let recipient = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";
    let config = format!(
        "creation_rules:\n- {{path_regex: '\\.yaml$', age: {recipient}}}\n- {{path_regex: ^live/, age: {recipient}}}\n"
    );
    let tree = repository(&[(".sops.yaml", &*config), ("live/a.yaml", "a: b\n")]);
    let rules = |arguments: &[&str]| -> Vec<String> {
        let run = sops_lint(tree.path(), &[&["scan", "--format", "json"], arguments].concat());
        run.findings().into_iter().map(|(rule, ..)| rule).collect()
    };
    assert_eq!(rules(&[]), ["unreachable-rule"]);
    assert_eq!(rules(&["."]), ["unreachable-rule"]);
    assert_eq!(rules(&[".sops.yaml", "live/a.yaml"]), [""; 0]);
}

#[test]
fn every_shell_has_completions_and_they_know_the_formats() {
    let tree = repository(&[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = sops_lint(tree.path(), &["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(run.stdout.contains("baseline"), "{shell}: {}", run.stdout);
    }
    let bash = sops_lint(tree.path(), &["completions", "bash"]).stdout;
    assert!(bash.contains("sarif"), "{bash}");
    assert_eq!(sops_lint(tree.path(), &["completions", "csh"]).code, Some(2));
}

#[test]
fn the_manual_page_has_every_command() {
    let tree = repository(&[]);
    let run = sops_lint(tree.path(), &["man"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.stdout.contains("\n.TH sops-lint 1"), "{}", run.stdout);
    for command in ["scan", "policy", "baseline", "explain", "rules", "completions", "man"] {
        let section = format!("\n.SH \"SOPS-LINT {}\"\n", command.to_uppercase());
        assert!(run.stdout.contains(&section), "{command}: {}", run.stdout);
    }
    assert!(run.stdout.contains("\\-\\-format"), "{}", run.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_error_that_cannot_be_written_changes_no_exit_code() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    for args in [&["scan", "missing.yaml"][..], &["fix"], &["hook", "pre-commit"]] {
        let code = |stderr: std::process::Stdio| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sops-lint"));
            let command = command.args(args).current_dir(&directory).env("HOME", directory.path());
            let status = command.stdout(std::process::Stdio::null()).stderr(stderr).status();
            status.expect("the binary runs").code()
        };
        let full = std::fs::File::create("/dev/full").expect("Linux has it");
        assert_eq!(code(full.into()), code(std::process::Stdio::null()), "{args:?}");
    }
}

#[test]
fn policy_lists_the_rules_that_were_tried_with_the_reasons() {
    let rules = crate::support::fixtures().join("rules/unmatched-path-regex");
    let copy = crate::support::copy_of(&rules.join("bad-before-a-rule-for-all"), &[]);
    let run = sops_lint(copy.path(), &["policy", "production/database.yaml"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    for line in [
        "  governed by  rule 3 of .sops.yaml (any path)",
        "  tried        rule 1: .*/production/.* (paths are relative to the directory of .sops.yaml, and the pattern needs a directory before the /; (^|/)production/.* would match)",
    ] {
        assert!(run.stdout.lines().any(|printed| printed == line), "{line}\n{}", run.stdout);
    }
}

#[test]
fn policy_reads_a_file_in_another_format_than_its_name_says() {
    let rules = crate::support::fixtures().join("rules/format-mismatch");
    let copy = crate::support::copy_of(&rules, &[]);
    let report =
        sops_lint(copy.path(), &["scan", "--only", "format-mismatch", "--format", "json"]).json();
    let findings = report["findings"].as_array().expect("findings");
    assert!(findings.len() > 4, "{findings:?}");
    for finding in findings {
        let path = finding["path"].as_str().expect("a path");
        let run = sops_lint(copy.path(), &["policy", path]);
        assert!(run.stdout.contains("  has          "), "{path}: {}", run.stdout);
    }
}

#[test]
fn a_config_above_the_repository_is_named() {
    let rules = crate::support::fixtures().join("rules/uncovered-file");
    let outer = tempfile::tempdir().expect("a directory");
    let copy = crate::support::copy_of(&rules.join("bad-no-config"), &[]);
    let root = outer.path().join("repository");
    std::fs::rename(copy.path(), &root).expect("a move");
    std::fs::create_dir(root.join(".git")).expect("a directory");
    std::fs::write(outer.path().join(".sops.yaml"), "creation_rules: []").expect("a file");
    let scan = sops_lint(&root, &["scan", "--verbose"]);
    assert!(scan.stdout.contains("is outside this repository (../.sops.yaml)"), "{}", scan.stdout);
    let policy = sops_lint(&root, &["policy", "new.yaml"]);
    assert!(policy.stdout.contains("  governed by  ../.sops.yaml, seen"), "{}", policy.stdout);
}

#[test]
fn global_options_are_taken_before_and_after_every_command() {
    let tree = repository(&[(".git/HEAD", ""), ("a.yaml", PLAINTEXT)]);
    let commands: &[&[&str]] = &[
        &["scan"],
        &["fix", "--dry-run"],
        &["policy", "a.yaml"],
        &["baseline", "--output", "b"],
        &["explain", "mac-mismatch"],
        &["rules"],
        &["completions", "bash"],
        &["man"],
    ];
    for command in commands {
        let plain = sops_lint(tree.path(), command);
        for options in [&["--color", "always"][..], &["-q"], &["--verbose"]] {
            let before = sops_lint(tree.path(), &[options, command].concat());
            let after = sops_lint(tree.path(), &[command, options].concat());
            assert_eq!(before.code, plain.code, "{options:?} {command:?}: {before:?}");
            let without_time = |text: &str| -> Vec<String> {
                text.lines().filter(|line| !line.contains(" ms.")).map(str::to_owned).collect()
            };
            assert_eq!(
                without_time(&before.stdout),
                without_time(&after.stdout),
                "{options:?} {command:?}"
            );
        }
        let both = sops_lint(tree.path(), &[&["-q"], *command, &["-v"]].concat());
        assert_eq!(both.code, Some(2), "{command:?}");
        assert!(both.stderr.contains("'--quiet' cannot be used with '--verbose'"), "{both:?}");
    }
    for command in [&["explain", "mac-mismatch"][..], &["rules"], &["policy", "a.yaml"]] {
        let run = |variables: &[(&str, &std::path::Path)]| {
            crate::support::sops_lint_with(tree.path(), command, variables)
        };
        assert!(!run(&[]).stdout.contains('\u{1b}'), "{command:?}");
        let one = std::path::Path::new("1");
        assert!(run(&[("FORCE_COLOR", one)]).stdout.contains("\u{1b}["), "{command:?}");
        assert!(run(&[("CLICOLOR_FORCE", one)]).stdout.contains("\u{1b}["), "{command:?}");
        let none = run(&[("FORCE_COLOR", one), ("NO_COLOR", one)]);
        assert!(!none.stdout.contains('\u{1b}'), "{command:?}");
    }
}

#[test]
fn a_wrong_command_is_answered_with_the_right_one() {
    let tree = repository(&[]);
    for (args, says) in [
        (&["lint"][..], "run 'sops-lint scan'"),
        (&["check"], "run 'sops-lint scan'"),
        (&["encrypt"], "run 'sops-lint fix'"),
        (&["self", "update"], "does not update itself"),
        (&["update"], "does not update itself"),
        (&["init"], "run 'sops-lint install'"),
        (&["apps/db.yaml"], "run 'sops-lint scan apps/db.yaml'"),
        (&["."], "run 'sops-lint scan .'"),
        (&["scna"], "'scan'"),
        (&["explian"], "'explain'"),
        (&["explain", "plaintxt"], "did you mean `plaintext-"),
        (&["explain", "Mac-Mismatch"], "did you mean `mac-mismatch`"),
    ] {
        let run = sops_lint(tree.path(), args);
        assert_eq!(run.code, Some(2), "{args:?}");
        assert!(run.stderr.contains(says), "{args:?}: {}", run.stderr);
    }
    let run = sops_lint(tree.path(), &["self", "update"]);
    assert!(!run.stderr.contains("similar"), "{}", run.stderr);
    // Errors obey the option as well.
    let plain = sops_lint(tree.path(), &["lint"]).stderr;
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let painted = sops_lint(tree.path(), &["--color=always", "lint"]).stderr;
    assert!(painted.contains("\u{1b}["), "{painted}");
}

#[test]
fn the_manual_page_says_what_a_script_needs_to_know() {
    let tree = repository(&[]);
    let page = sops_lint(tree.path(), &["man"]).stdout;
    for section in ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert!(
            page.contains(&format!("\n.SH \"{section}\"\n"))
                || page.contains(&format!("\n.SH {section}\n")),
            "{section}: {page}"
        );
    }
    for name in ["SOPS_LINT_FORMAT", ".sops\\-lint.yaml", "FORCE_COLOR"] {
        assert!(page.contains(name), "{name}: {page}");
    }
}

#[test]
fn a_broken_config_is_named_although_only_its_files_are_scanned() {
    let secret = fs::read_to_string(
        fixtures().join("rules/decrypted-artifact/silent-encrypted-after-all/secrets.dec.yaml"),
    );
    let secret = secret.expect("a fixture");
    let tree = repository(&[
        (".sops.yaml", "creation_rules:\n  - path_regex: \"[\n"),
        ("apps/db.yaml", &secret),
    ]);
    let run = sops_lint(tree.path(), &["scan", "apps"]);
    assert!(
        run.stdout.contains("uncovered-file") && run.stdout.contains("`sops-lint scan .sops.yaml`"),
        "{run:?}"
    );
    let whole = sops_lint(tree.path(), &["scan"]);
    assert!(!whole.stdout.contains("uncovered-file"), "{whole:?}");
}
