//! What there is to look at: lists of paths, one file on standard input, a part of all files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{Git, Run, fixtures, repository, sops_lint, sops_lint_fed};

const PLAIN: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";
const PROMISE: &str = "creation_rules:\n  - path_regex: ^apps/.*\\.secret\\.yaml$\n    age: age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\n";

/// Where errors are.
fn places(run: &Run) -> Vec<String> {
    let errors = run.findings().into_iter().filter(|(_, level, _)| level == "error");
    errors.map(|(_, _, path)| path).collect()
}

fn fed(directory: &Path, arguments: &[&str], input: &[u8]) -> Run {
    sops_lint_fed(directory, &[&["scan", "--format", "json"], arguments].concat(), input)
}

#[test]
fn listed_files_are_looked_at_and_no_others() {
    let tree = repository(&[
        ("a.yaml", PLAIN),
        ("b.yaml", PLAIN),
        ("odd\nname.yaml", PLAIN),
        ("-0.yaml", PLAIN),
        ("dir/in.yaml", PLAIN),
        ("list", "a.yaml\n\ndir\n"),
    ]);
    let at = tree.path();
    assert_eq!(places(&fed(at, &["--files-from", "list"], b"")), ["a.yaml", "dir/in.yaml"]);
    assert_eq!(places(&fed(at, &["--files-from", "-"], b"-0.yaml\nb.yaml")), ["-0.yaml", "b.yaml"]);
    let names = b"odd\nname.yaml\0a.yaml\0";
    assert_eq!(places(&fed(at, &["--files-from", "-", "-0"], names)), ["a.yaml", "odd\nname.yaml"]);
    // Beside paths that are typed, and relative to where it was started.
    assert_eq!(places(&fed(at, &["--files-from", "list", "b.yaml"], b"")).len(), 3);
    assert_eq!(places(&fed(&at.join("dir"), &["--files-from", "-"], b"in.yaml")), ["in.yaml"]);
}

#[test]
fn a_list_narrows_what_is_staged_too() {
    let git = Git::init(&[]);
    git.stage(&[("a.yaml", PLAIN), ("b.yaml", PLAIN)]);
    assert_eq!(
        places(&fed(&git.root, &["--staged", "--files-from", "-"], b"b.yaml\n")),
        ["b.yaml"]
    );
}

#[test]
fn an_empty_list_is_nothing_to_look_at_and_not_everything() {
    let git = Git::with(&[("a.yaml", PLAIN)]);
    for view in [&[][..], &["--staged"], &["--history"]] {
        let run = fed(&git.root, &[view, &["--files-from", "-"]].concat(), b"\n");
        assert_eq!((run.code, places(&run)), (Some(0), Vec::new()), "{run:?}");
        assert!(run.stderr.contains("names no file"), "{run:?}");
        assert_eq!(run.json()["summary"]["files"], 0, "{run:?}");
    }
}

#[test]
fn lists_that_cannot_be_used_are_refused() {
    let tree = repository(&[("a.yaml", PLAIN)]);
    for (arguments, input, words) in [
        (&["--files-from", "no-such-list"][..], &b""[..], "no-such-list"),
        (&["--files-from", "-"], b"a.yaml\ngone.yaml\n", "gone.yaml does not exist"),
        (&["--files-from", "-"], b"../../elsewhere.yaml\n", "elsewhere.yaml"),
        (&["--files-from", "-", "--stdin-filename", "a.yaml"], b"", "cannot be used with"),
        (&["-0"], b"", "--files-from"),
        (&["--files-from", "."], b"", "cannot read the list"),
    ] {
        let run = fed(tree.path(), arguments, input);
        assert!(run.code == Some(2) && run.stderr.contains(words), "{arguments:?}: {run:?}");
        assert!(run.stdout.is_empty(), "{arguments:?}: {run:?}");
    }
}

#[test]
fn a_file_on_standard_input_is_judged_as_if_it_stood_where_it_says() {
    let tree = repository(&[(".sops.yaml", PROMISE), ("apps/there.secret.yaml", "a: 1\n")]);
    let run =
        |path: &str, input: &str| fed(tree.path(), &["--stdin-filename", path], input.as_bytes());
    assert_eq!(places(&run("db.yaml", PLAIN)), ["db.yaml"]);
    // The rule for the path decides, whether the file stands there, or its directory, or not.
    for path in ["apps/there.secret.yaml", "apps/new.secret.yaml", "apps/no/such/x.secret.yaml"] {
        assert_eq!(places(&run(path, "password: canary\n")), [path]);
    }
    assert_eq!(places(&run("elsewhere/x.secret.yaml", "password: canary\n")), [""; 0]);
    let encrypted = fs::read_to_string(
        fixtures().join("rules/decrypted-artifact/silent-encrypted-after-all/secrets.dec.yaml"),
    );
    let clean = run("db.yaml", &encrypted.expect("it is there"));
    assert_eq!((clean.code, clean.json()["summary"]["files"].as_u64()), (Some(0), Some(1)));
    // Nothing is written, and nothing that stands there is read instead.
    assert!(!tree.path().join("db.yaml").exists());
    fs::write(tree.path().join("plain.yaml"), PLAIN).expect("written");
    assert_eq!(places(&run("plain.yaml", "a: 1\n")), [""; 0]);
}

#[test]
fn configs_and_settings_can_come_in_on_standard_input() {
    let tree = repository(&[(".sops.yaml", PROMISE)]);
    let run = |path: &str, input: &[u8]| fed(tree.path(), &["--stdin-filename", path], input);
    let broken = run(".sops.yaml", b"creation_rules: 1\n");
    assert!(broken.code == Some(1) && broken.stdout.contains("invalid-sops-config"), "{broken:?}");
    let broken = run(".sops-lint.yaml", b"no_such_key: 1\n");
    assert!(broken.code == Some(1) && broken.stdout.contains("invalid-settings"), "{broken:?}");
    let large = run("db.yaml", &vec![b'a'; 16 * 1024 * 1024 + 1]);
    assert!(large.stdout.contains("16 MiB") && large.code == Some(0), "{:?}", large.code);
}

#[test]
fn one_file_on_standard_input_is_one_state_and_one_path() {
    let tree = repository(&[("dir/a.yaml", PLAIN)]);
    for arguments in [
        &["--stdin-filename", "a.yaml", "--staged"][..],
        &["--stdin-filename", "a.yaml", "b.yaml"],
        &["--stdin-filename", "a.yaml", "--shard", "1/2"],
        &["--stdin-filename", "dir"],
        &["--stdin-filename", ""],
    ] {
        let run = fed(tree.path(), arguments, b"");
        assert!(run.code == Some(2) && run.stdout.is_empty(), "{arguments:?}: {run:?}");
    }
}

/// The findings of a run, each as one text.
fn all(run: &Run) -> BTreeSet<String> {
    assert!(run.code.is_some_and(|code| code < 2), "{run:?}");
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(ToString::to_string).collect()
}

#[test]
fn the_shards_together_find_what_one_job_finds_and_each_finding_once() {
    let tree = crate::support::copy_of(&fixtures().join("demo"), &["findings.txt"]);
    for number in 0..20 {
        fs::write(tree.path().join(format!("{number}.yaml")), PLAIN).expect("written");
    }
    let scan = |arguments: &[&str]| {
        sops_lint(tree.path(), &[&["scan", "--format", "json"], arguments].concat())
    };
    let whole = scan(&[]);
    let mut together = BTreeSet::new();
    let mut files = 0;
    for number in 1..=3 {
        let run = scan(&["--shard", &format!("{number}/3")]);
        let part = all(&run);
        assert!(!part.is_empty() && together.is_disjoint(&part), "{number}");
        together.extend(part);
        files += run.json()["summary"]["files"].as_u64().expect("a number");
    }
    assert_eq!(together, all(&whole));
    assert_eq!(Some(files), whole.json()["summary"]["files"].as_u64());
    assert_eq!(all(&scan(&["--shard", "1/1"])), together);
}

#[test]
fn history_is_divided_too() {
    let git = Git::init(&[]);
    for number in 0..12 {
        git.stage(&[(&*format!("{number}.yaml"), PLAIN)]);
    }
    git.run(&["commit", "--quiet", "-m", "all"]);
    let scan = |arguments: &[&str]| {
        all(&git.lint(&[&["scan", "--history", "--format", "json"], arguments].concat()))
    };
    let (one, other) = (scan(&["--shard", "1/2"]), scan(&["--shard", "2/2"]));
    assert!(!one.is_empty() && !other.is_empty() && one.is_disjoint(&other));
    assert_eq!(&one | &other, scan(&[]));
}

#[test]
fn shards_that_do_not_exist_are_refused() {
    let tree = repository(&[("a.yaml", PLAIN)]);
    for shard in ["0/2", "3/2", "1", "1/0", "/", "a/b", "1/2/3", "-1/2", "+1/2", "1/4294967296"] {
        let run = sops_lint(tree.path(), &["scan", &format!("--shard={shard}")]);
        assert!(run.code == Some(2) && run.stderr.contains("--shard"), "{shard}: {run:?}");
    }
}
