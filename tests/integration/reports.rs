//! Reports: how many, of what form, and where they go.

use std::fs;
use std::path::Path;

use crate::schemas::{Schema, schema, without_unknown_fields};
use crate::support::{fixtures, repository, sops_lint, sops_lint_with};

const PLAINTEXT: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary-reports\n";

#[test]
fn one_run_writes_several_reports() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let args = ["scan", "--format", "sarif", "--output", "a.sarif", "--format", "github"];
    let args = [&args[..], &["--format", "json", "--output", "a.json"]].concat();
    let run = sops_lint(tree.path(), &args);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    assert!(run.stdout.contains("::error file=a.yaml"), "{run:?}");
    let json = |name: &str| -> serde_json::Value {
        let text = fs::read_to_string(tree.path().join(name)).expect("written");
        serde_json::from_str(&text).expect("it is JSON")
    };
    assert_eq!(json("a.sarif")["version"], "2.1.0");
    assert_eq!(json("a.json")["findings"][0]["rule"], "unencrypted-secret");
    let args = ["scan", "--format", "json", "--output", "b", "--format", "jsonl", "--output", "c"];
    let run = sops_lint(tree.path(), &args);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(run.stderr, "note: 1 finding; the reports are in b, c\n");
}

#[test]
fn reports_are_written_all_or_none() {
    let tree = repository(&[("a.yaml", PLAINTEXT), ("first", "old")]);
    let args = ["scan", "--format", "human", "--format", "json", "--output", "first"];
    let args = [&args[..], &["--format", "sarif", "--output", "no/such/directory"]].concat();
    let run = sops_lint(tree.path(), &args);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stdout.contains("unencrypted-secret"), "findings are reported: {run:?}");
    assert!(run.stderr.contains("cannot write no/such/directory"), "{run:?}");
    assert_eq!(fs::read_to_string(tree.path().join("first")).expect("there"), "old");
    assert_eq!(fs::read_dir(tree.path()).expect("a directory").count(), 2, "nothing is left");
}

#[cfg(unix)]
#[test]
fn a_report_can_go_into_a_pipe() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let pipe = tempfile::tempdir().expect("made");
    let pipe = pipe.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("it runs");
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe)
    });
    let path = pipe.to_str().expect("UTF-8");
    let run = sops_lint(tree.path(), &["scan", "--format", "json", "--output", path]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let text = reader.join().expect("no panic").expect("read");
    assert!(text.contains("unencrypted-secret"), "{text}");
}

#[test]
fn a_single_output_may_precede_its_format() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let run = sops_lint(tree.path(), &["scan", "--output", "a.json", "--format", "json"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    let run = sops_lint(tree.path(), &["scan", "--format", "json", "--output", "-"]);
    assert_eq!(run.findings().len(), 1);
}

#[test]
fn formats_and_outputs_that_do_not_match_are_refused() {
    let tree = repository(&[]);
    for (args, says) in [
        (
            &["--format", "json", "--format", "human"][..],
            "two reports cannot go to standard output",
        ),
        (&["--output", "a", "--format", "json", "--format", "sarif"], "--output a has no format"),
        (&["--format", "json", "--output", "a", "--output", "b"], "--output b has no format"),
        (
            &["--format", "json", "--output", "a", "--format", "sarif", "--output", "./a"],
            "two reports cannot go to one file, a",
        ),
        (&["--statistics", "--format", "sarif"], "--statistics has no format sarif"),
        (&["--format", "jsno"], "a similar value exists: 'json'"),
    ] {
        let run = sops_lint(tree.path(), &[&["scan"], args].concat());
        assert_eq!(run.code, Some(2), "{args:?}: {run:?}");
        assert!(run.stderr.contains(says), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_variable_sets_the_format() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let run = |args: &[&str], format: &str| {
        sops_lint_with(tree.path(), args, &[("SOPS_LINT_FORMAT", Path::new(format))])
    };
    assert_eq!(run(&["scan"], "json").findings().len(), 1);
    assert!(run(&["scan"], "").stdout.starts_with("error[unencrypted-secret]"));
    assert_eq!(run(&["scan", "--format", "json"], "nonsense").findings().len(), 1);
    let failed = run(&["scan"], "nonsense");
    assert_eq!(failed.code, Some(2));
    assert!(failed.stderr.contains("SOPS_LINT_FORMAT is not the name of a format: nonsense"));
    assert_eq!(run(&["rules"], "nonsense").code, Some(0));
    let filed = run(&["scan", "--output", "report"], "jsonl");
    assert_eq!((filed.code, filed.stdout.as_str()), (Some(1), ""));
    let text = fs::read_to_string(tree.path().join("report")).expect("written");
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn a_concise_report_has_one_line_per_finding() {
    let covered = "creation_rules:\n  - path_regex: ^x/\n    age: age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh\n";
    let tree = repository(&[
        (".sops.yaml", covered),
        ("apps/a b.yaml", PLAINTEXT),
        ("apps/::error::x.yaml", PLAINTEXT),
        ("::error::x.yaml", PLAINTEXT),
        ("line\nbreak\u{1b}[31m.yaml", PLAINTEXT),
    ]);
    let run = sops_lint(tree.path(), &["scan", "--format", "concise"]);
    assert_eq!(run.code, Some(1));
    let json = sops_lint(tree.path(), &["scan", "--format", "json"]).findings();
    assert_eq!(run.stdout.lines().count(), json.len(), "{}", run.stdout);
    assert!(run.stdout.contains("apps/a b.yaml:6:3: error[unencrypted-secret] "), "{run:?}");
    let harmless = |line: &str| !line.starts_with("::") && !line.contains(char::is_control);
    assert!(run.stdout.lines().all(harmless), "{}", run.stdout);
    assert!(run.stderr.starts_with("Found 4 errors in 5 files"), "{run:?}");
    assert_eq!(sops_lint(tree.path(), &["scan", "--format", "concise", "-q"]).stderr, "");
}

#[test]
fn statistics_count_by_rule_and_directory() {
    let tree = repository(&[
        ("apps/a/x.yaml", PLAINTEXT),
        ("apps/b/x.yaml", PLAINTEXT),
        ("apps/b/y.yaml", PLAINTEXT),
        ("infra/x.yaml", PLAINTEXT),
    ]);
    let run = sops_lint(tree.path(), &["scan", "--statistics"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    for line in [
        "     4         0      0  unencrypted-secret",
        "     2         0      0  apps/b",
        "     1         0      0  apps/a",
        "     1         0      0  infra",
    ] {
        assert!(run.stdout.lines().any(|shown| shown == line), "{line}\n{}", run.stdout);
    }
    let document = sops_lint(tree.path(), &["scan", "--statistics", "--format", "json"]).json();
    let strict = Schema::new(without_unknown_fields(schema("statistics.json")), "");
    assert_eq!(strict.check(&document), Ok(()));
    assert_eq!(document["statistics"]["areas"][0]["path"], "apps/b");
    assert_eq!(document["summary"]["errors"], 4);
}

#[test]
fn two_hundred_findings_of_five_causes_fit_on_two_screens() {
    let alice = fs::read_to_string(fixtures().join("keys/age/alice.txt")).expect("a fixture");
    let recipient = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";
    let rule = |directory: &str| {
        format!(
            "  - path_regex: ^{directory}/\n    encrypted_regex: ^(data|stringData)$\n    age: {recipient}\n"
        )
    };
    let config = format!("creation_rules:\n{}{}", rule("prod"), rule("stage"));
    let mut files = vec![(".sops.yaml".to_owned(), config)];
    for (directory, name, content, number) in [
        ("prod", "secret.yaml", PLAINTEXT, 60),
        ("stage", "secret.yaml", PLAINTEXT, 50),
        ("legacy", "secret.yaml", PLAINTEXT, 40),
        ("legacy", "values.enc.yaml", "password: canary-reports\n", 30),
        ("infra", "key.txt", &alice, 20),
    ] {
        files.extend((0..number).map(|app| {
            let content = content.replace("name: db", &format!("name: db{app}"));
            (format!("{directory}/app{app}/{name}"), content)
        }));
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let tree = repository(&files);
    let run = sops_lint(tree.path(), &["scan"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.lines().count() <= 100, "{}", run.stdout);
    assert!(run.stdout.contains("Found 200 errors"), "{}", run.stdout);
    // Each finding is shown or counted.
    let counted = run.stdout.lines().filter_map(|line| line.trim().strip_prefix("and "));
    let counted: usize = counted
        .map(|rest| rest.split(' ').next().expect("a word").parse::<usize>().expect("a number"))
        .sum();
    let is_place = |line: &&str| {
        let line = line.strip_prefix("  also: ").or_else(|| line.strip_prefix("        "));
        let place = line.and_then(|line| line.split(": ").next());
        place.is_some_and(|place| {
            place.ends_with(|c: char| c.is_ascii_digit()) && place.contains("/app")
        })
    };
    let listed = run.stdout.lines().filter(is_place).count();
    let groups = run.stdout.matches("  also: ").count();
    assert_eq!((groups, groups + listed + counted), (5, 200), "{}", run.stdout);
    let all = sops_lint(tree.path(), &["scan", "-v"]).stdout;
    let one_line = sops_lint(tree.path(), &["scan", "--format", "concise"]).stdout;
    assert_eq!(one_line.lines().count(), 200);
    for line in one_line.lines() {
        let place = line.split(": ").next().expect("a place");
        assert!(all.contains(place), "{place}");
    }
}

#[test]
fn a_name_in_a_group_is_no_command_to_a_runner() {
    let names =
        ["a", "b", "c", "d", "::error::x", " ::error::x"].map(|name| format!("{name}.yaml"));
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), PLAINTEXT)).collect();
    let tree = repository(&files);
    let text = sops_lint(tree.path(), &["scan"]).stdout;
    assert!(text.contains("  also: ") && text.contains("::error::x.yaml:6:3"), "{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
}

#[cfg(unix)]
#[test]
fn a_report_replaces_no_file_that_git_tracks() {
    let git = crate::support::Git::with(&[("apps/db.yaml", PLAINTEXT)]);
    let arguments = ["scan", "--format", "json", "--output", "apps/db.yaml"];
    let run = git.lint(&arguments);
    assert!(run.code == Some(2) && run.stderr.contains("git tracks a file"), "{run:?}");
    let text = std::fs::read_to_string(git.root.join("apps/db.yaml")).expect("it is there");
    assert_eq!(text, PLAINTEXT);
    for _ in 0..2 {
        assert_eq!(git.lint(&["scan", "--format", "json", "--output", "new.json"]).code, Some(1));
    }
}
