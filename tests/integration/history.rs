//! Scans of history.
#![cfg(unix)]

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Git, Run, git_in, sops_lint};

const PLAIN: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";
const HARMLESS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: db\ndata: {}\n";
const CONFIG: &str = "creation_rules:\n  - path_regex: \\.secret\\.yaml$\n    age: age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg\n";

/// Returns `(rule, path, commit)` of every finding.
fn found(run: &Run) -> Vec<(String, String, String)> {
    let rules = run.findings();
    let report = run.json();
    let commits = report["findings"].as_array().expect("findings").iter();
    let commits = commits.map(|one| one["commit"].as_str().expect("a commit").to_owned());
    rules.into_iter().zip(commits).map(|((rule, _, path), commit)| (rule, path, commit)).collect()
}

fn history(git: &Git, arguments: &[&str]) -> Vec<(String, String, String)> {
    found(&git.lint(&[&["scan", "--format", "json"], arguments].concat()))
}

fn plain(path: &str, commit: &str) -> (String, String, String) {
    ("unencrypted-secret".to_owned(), path.to_owned(), commit.to_owned())
}

#[test]
fn a_secret_stays_in_history_and_the_commit_that_brought_it_is_named() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let first = git.commit(&[("db.yaml", PLAIN)]);
    git.commit(&[("other.yaml", HARMLESS)]);
    git.commit(&[("db.yaml", HARMLESS)]);
    // Removed, and back again: it is one file, and its first commit brought it.
    git.commit(&[("db.yaml", PLAIN)]);
    git.commit(&[("db.yaml", HARMLESS)]);
    assert_eq!(history(&git, &["--history"]), [plain("db.yaml", &first)]);
    let run = git.lint(&["scan", "--history", "-q"]);
    let place = format!("db.yaml:6:3 (in {}, 2026-01-02, no longer at HEAD)", &first[..8]);
    assert!(run.stdout.contains(&place), "{}", run.stdout);
    assert!(run.stdout.contains("stays in history: change the secret"), "{}", run.stdout);
    assert!(!run.stdout.contains("canary"));
    let moved = git.commit(&[("moved.yaml", PLAIN)]);
    let findings = history(&git, &["--history"]);
    assert_eq!(findings, [plain("db.yaml", &first), plain("moved.yaml", &moved)]);
    let run = git.lint(&["scan", "--history", "-q"]);
    assert!(run.stdout.contains("2026-01-02, still at HEAD)"), "{}", run.stdout);
}

#[test]
fn branches_tags_and_merges_are_walked_once() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    let feature = git.commit(&[("feature.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "-b", "gone"]);
    let tagged = git.commit(&[("tagged.yaml", PLAIN)]);
    git.run(&["tag", "-a", "v1", "-m", "x"]);
    git.run(&["checkout", "--quiet", "main"]);
    git.run(&["branch", "--quiet", "-D", "gone"]);
    let main = git.commit(&[("main.yaml", PLAIN)]);
    git.run(&["merge", "--quiet", "--no-ff", "--no-commit", "feature"]);
    let merge = git.commit(&[("merge.yaml", PLAIN)]);
    let all = [
        plain("feature.yaml", &feature),
        plain("main.yaml", &main),
        plain("merge.yaml", &merge),
        plain("tagged.yaml", &tagged),
    ];
    assert_eq!(history(&git, &["--history"]), all);
    assert_eq!(history(&git, &["--history", "main"]), all[..3]);
    assert_eq!(history(&git, &["--history", "main^1..main"]), [all[0].clone(), all[2].clone()]);
    // A file that the merge has from a known parent is not new.
    assert_eq!(history(&git, &["--history", "main --not main^1 main^2"]), [all[2].clone()]);
    assert_eq!(history(&git, &["--history", "main ^feature", "main.yaml"]), [all[1].clone()]);
    assert_eq!(history(&git, &["--history", "main --not --all"]), []);
    assert_eq!(history(&git, &["--history", "feature...main"]).len(), 2);
}

#[test]
fn a_mirror_has_refs_that_are_neither_branches_nor_tags() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "-b", "theirs"]);
    let theirs = git.commit(&[("theirs.yaml", PLAIN)]);
    git.run(&["update-ref", "refs/pull/1/head", "theirs"]);
    git.run(&["checkout", "--quiet", "main"]);
    git.run(&["branch", "--quiet", "-D", "theirs"]);
    assert_eq!(history(&git, &["--history"]), []);
    let theirs = [plain("theirs.yaml", &theirs)];
    assert_eq!(history(&git, &["--history=--all"]), theirs);
    assert_eq!(history(&git, &["--history", "refs/pull/1/head"]), theirs);
    // What was fetched from a branch of a remote is a branch.
    git.run(&["update-ref", "refs/remotes/origin/theirs", "refs/pull/1/head"]);
    assert_eq!(history(&git, &["--history"]), theirs);
}

#[test]
fn the_versions_of_one_file_are_one_group() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    for number in 0..30 {
        git.commit(&[("db.yaml", &PLAIN.replace("canary", &format!("canary{number}")))]);
    }
    let text = git.lint(&["scan", "--history"]).stdout;
    // The version at HEAD has another help.
    assert_eq!(text.matches("error[").count(), 2, "{text}");
    assert!(text.contains("  also: db.yaml:6:3 (in "), "{text}");
    assert!(text.contains("more: `--format concise` lists all"), "{text}");
    assert!(text.contains("Found 30 errors"), "{text}");
}

#[test]
fn tags_of_directories_and_files_are_part_of_history() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.stage(&[("db.yaml", PLAIN), (".sops.yaml", CONFIG), ("x.secret.yaml", "a: canary\n")]);
    let tree = git.run(&["write-tree"]);
    let blob = git.run(&["rev-parse", ":db.yaml"]);
    git.run(&["reset", "--quiet", "--hard"]);
    git.run(&["tag", "tree", &tree]);
    git.run(&["tag", "-a", "blob", &blob, "-m", "x"]);
    let file = plain(&format!("{blob}.yaml"), &blob);
    let unencrypted = ("unencrypted-file".to_owned(), "x.secret.yaml".to_owned(), tree.clone());
    let found = history(&git, &["--history"]);
    let expected = HashSet::from([file.clone(), plain("db.yaml", &tree), unencrypted]);
    assert_eq!((found.len(), HashSet::from_iter(found)), (3, expected));
    assert_eq!(history(&git, &["--history", "blob"]), [file]);
    assert_eq!(history(&git, &["--history", "main --not tree blob"]), []);
    let run = git.lint(&["scan", "--history", "tree", "-q"]);
    let place = format!("db.yaml:6:3 (in {}, still at HEAD)", &tree[..8]);
    assert!(run.stdout.contains(&place), "{}", run.stdout);
    // What a commit brought is its own.
    let commit = git.commit(&[("db.yaml", PLAIN)]);
    assert!(history(&git, &["--history"]).contains(&plain("db.yaml", &commit)));
}

#[test]
fn a_file_is_judged_by_the_config_of_its_commit() {
    let git = Git::with(&[("old.secret.yaml", "a: canary\n")]);
    let with = git.commit(&[(".sops.yaml", CONFIG), ("apps/new.secret.yaml", "a: canary\n")]);
    git.run(&["rm", "--quiet", ".sops.yaml"]);
    git.commit(&[("late.secret.yaml", "a: canary\n")]);
    let findings = history(&git, &["--history"]);
    let rule = "unencrypted-file".to_owned();
    let expected = [(rule.clone(), "apps/new.secret.yaml".to_owned(), with.clone())];
    assert_eq!(findings, expected);
    // At the end of a range, its configs re-judge the files that they govern.
    let old = (rule.clone(), "old.secret.yaml".to_owned(), with.clone());
    let [new] = expected;
    assert_eq!(history(&git, &["--history", &format!("{with}^..{with}")]), [new, old]);
    // The commit before the range had the config too.
    let more = git.commit(&[(".sops.yaml", CONFIG)]);
    let last = git.commit(&[("more.secret.yaml", "a: canary\n")]);
    let findings = history(&git, &["--history", &format!("{more}..HEAD")]);
    assert_eq!(findings, [(rule, "more.secret.yaml".to_owned(), last)]);
}

#[test]
fn what_cannot_be_changed_any_more_is_reported_only_if_it_leaks() {
    let git = Git::with(&[(".sops.yaml", "creation_rules:\n  - path_regex: \"[\"\n")]);
    assert!(!history(&git, &["--history"]).is_empty());
    git.commit(&[(".sops.yaml", CONFIG)]);
    assert_eq!(history(&git, &["--history"]), []);
}

#[test]
fn ranges_that_mean_nothing_are_refused() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    for (range, message) in [
        ("nothing", "git knows no commit nothing"),
        ("HEAD --oneline", "is not a range of commits"),
        (" ", "is not a range of commits"),
        ("main..nothing", "git knows no commit nothing"),
    ] {
        let run = git.lint(&["scan", "--history", range]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(message), "{run:?}");
    }
    let empty = Git::init(&[]);
    let run = empty.lint(&["scan", "--history"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
}

#[test]
fn a_shallow_clone_says_that_something_is_missing() {
    let git = Git::with(&[("a.yaml", PLAIN)]);
    git.commit(&[("a.yaml", HARMLESS)]);
    git.commit(&[("b.yaml", PLAIN)]);
    let url = format!("file://{}", git.root.display());
    let clone = git.beside("shallow");
    git.run(&["clone", "--quiet", "--depth", "2", &url, clone.to_str().expect("UTF-8")]);
    let run = sops_lint(&clone, &["scan", "--history", "--format", "json"]);
    assert_eq!(found(&run).len(), 1, "{run:?}");
    assert!(run.stderr.contains("note: the clone is shallow"), "{run:?}");
}

#[test]
fn a_commit_that_a_shallow_clone_should_have_is_missed() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let secret = git.commit(&[("db.yaml", PLAIN)]);
    let middle = git.commit(&[("db.yaml", HARMLESS)]);
    git.commit(&[("b.yaml", HARMLESS)]);
    let url = format!("file://{}", git.root.display());
    let clone = git.beside("shallow");
    let target = clone.to_str().expect("UTF-8");
    git.run(&["-c", "fetch.unpackLimit=100", "clone", "--quiet", "--depth", "3", &url, target]);
    let pack = fs::read_dir(clone.join(".git/objects/pack")).expect("there");
    for entry in pack {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_owned();
        fs::rename(path, clone.join(name)).expect("moved");
    }
    let unpack = "for pack in *.pack; do git unpack-objects -q <$pack; done";
    let run = Command::new("sh").args(["-c", unpack]).current_dir(&clone).status();
    assert!(run.is_ok_and(|status| status.success()));
    let scan = || sops_lint(&clone, &["scan", "--history", "--format", "json"]);
    assert_eq!(found(&scan()), [plain("db.yaml", &secret)]);
    fs::remove_file(clone.join(".git/objects").join(&middle[..2]).join(&middle[2..]))
        .expect("it was loose");
    let run = scan();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run:?}");
    assert!(run.stderr.contains(&middle) && run.stderr.contains("`git fsck`"), "{run:?}");
}

/// Each fetch moves the end of the history, and leaves older commits behind.
#[test]
fn a_shallow_clone_ends_where_git_says() {
    let git = Git::with(&[("db.yaml", PLAIN)]);
    git.commit(&[("db.yaml", HARMLESS)]);
    git.commit(&[("a.yaml", PLAIN)]);
    let url = format!("file://{}", git.root.display());
    let clone = git.beside("shallow");
    git.run(&["clone", "--quiet", "--depth", "1", &url, clone.to_str().expect("UTF-8")]);
    git.commit(&[("a.yaml", HARMLESS)]);
    let next = |arguments: &[&str]| assert_eq!(git_in(&clone, arguments).code, Some(0));
    next(&["fetch", "--quiet", "--depth", "1"]);
    next(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    next(&["reflog", "expire", "--expire=all", "--all"]);
    next(&["prune", "--expire=1.week.ago"]);
    assert_eq!(git_in(&clone, &["rev-list", "--all"]).stdout.lines().count(), 1);
    let run = sops_lint(&clone, &["scan", "--history", "--format", "json"]);
    assert_eq!((found(&run), run.code), (Vec::new(), Some(0)), "{run:?}");
}

#[test]
fn a_push_is_judged_in_quarantine() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    let bare = git.beside("bare.git");
    let url = bare.to_str().expect("UTF-8").to_owned();
    git.run(&["clone", "--quiet", "--bare", ".", &url]);
    let hook = bare.join("hooks/pre-receive");
    let script = "#!/bin/sh\nwhile read -r old new ref; do\n  \"$SOPS_LINT\" scan --history \"$new --not --all\" || exit 1\ndone\n";
    fs::write(&hook, script).expect("written");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("made executable");
    git.commit(&[("b.yaml", &HARMLESS.replace("db", "b"))]);
    assert_eq!(git.attempt(&["push", "--quiet", &url, "main"]).code, Some(0));
    git.commit(&[("c.yaml", PLAIN)]);
    git.commit(&[("c.yaml", HARMLESS)]);
    let run = git.attempt(&["push", "--quiet", &url, "main:other"]);
    assert_ne!(run.code, Some(0));
    assert!(run.stderr.contains("c.yaml") && run.stderr.contains("pre-receive"), "{run:?}");
    // A commit by itself, in a pack and in loose objects.
    let script = "#!/bin/sh\nwhile read -r old new ref; do\n  \"$SOPS_LINT\" scan --rev \"$new\" || exit 1\ndone\n";
    fs::write(&hook, script).expect("written");
    git.run(&["-c", "transfer.unpackLimit=1", "push", "--quiet", &url, "main:fine"]);
    git_in(&bare, &["config", "transfer.unpackLimit", "1"]);
    git.commit(&[("d.yaml", PLAIN)]);
    let run = git.attempt(&["push", "--quiet", &url, "main:packed"]);
    assert!(run.stderr.contains("d.yaml"), "{run:?}");
    assert_eq!(git_in(&bare, &["for-each-ref"]).stdout.lines().count(), 2);
}

#[test]
fn every_format_names_the_commit_and_says_whether_it_is_over() {
    let git = Git::with(&[("db.yaml", PLAIN)]);
    let commit = git.run(&["rev-parse", "HEAD"]);
    git.run(&["rm", "--quiet", "db.yaml"]);
    git.commit(&[("api.yaml", PLAIN)]);
    let report = |format: &str| git.lint(&["scan", "--history", "--format", format]).stdout;
    let words = format!("(in {}, 2026-01-02, no longer at HEAD)", &commit[..8]);
    for format in ["human", "github", "markdown", "gitlab", "junit", "sarif"] {
        let report = report(format);
        assert!(report.contains(&words), "{format}: {report}");
        assert!(report.contains("still at HEAD)"), "{format}: {report}");
    }
    let json: serde_json::Value = serde_json::from_str(&report("json")).expect("JSON");
    let over = &json["findings"][1];
    assert_eq!(
        (&over["commit"], &over["commit_date"], &over["at_head"]),
        (&commit.clone().into(), &"2026-01-02".into(), &false.into())
    );
    let sarif: serde_json::Value = serde_json::from_str(&report("sarif")).expect("JSON");
    let over = &sarif["runs"][0]["results"][1]["properties"];
    assert_eq!(*over, serde_json::json!({"commit": commit, "date": "2026-01-02", "atHead": false}));
}

#[test]
fn what_git_packed_is_read_as_it_was_before() {
    let git = Git::init(&[]);
    let text = |number: usize, word: &str| {
        let filler: String = (0..60).map(|line| format!("  k{line}: v{line}\n")).collect();
        format!("apiVersion: v1\nkind: {word}\nmetadata:\n  name: n{number}\ndata:\n{filler}")
    };
    for number in 0..80 {
        let word = if number == 37 { "Secret" } else { "ConfigMap" };
        git.commit(&[("a/b/db.yaml", &*text(number, word)), ("other.yaml", &*text(number, "X"))]);
    }
    let loose = history(&git, &["--history"]);
    assert_eq!(loose.len(), 1, "{loose:?}");
    git.run(&["repack", "-adfq", "--depth=50"]);
    git.run(&["prune-packed"]);
    assert_eq!(history(&git, &["--history"]), loose, "one pack");
    git.run(&["gc", "--quiet", "--prune=now"]);
    git.commit(&[("late.yaml", PLAIN)]);
    git.run(&["repack", "-dq"]);
    git.run(&["multi-pack-index", "write"]);
    let two = history(&git, &["--history"]);
    assert!(two.len() == 2 && two.contains(&loose[0]), "two packs and an index of both: {two:?}");
    let borrower = git.beside("borrower");
    let target = borrower.to_str().expect("UTF-8");
    git.run(&["clone", "--quiet", "--shared", ".", target]);
    let run = sops_lint(&borrower, &["scan", "--history", "--format", "json"]);
    assert_eq!(found(&run), two, "the objects of another repository");
}

/// Otherwise, anyone who can push a branch could switch off the check of all branches.
#[test]
fn of_all_branches_none_decides_about_the_settings_but_that_of_today() {
    let git = Git::with(&[("db.yaml", PLAIN)]);
    for number in 0..8 {
        git.run(&["checkout", "--quiet", "-b", &format!("b{number}")]);
        git.commit(&[(".sops-lint.yaml", &format!("exclude: ['**'] # {number}\n"))]);
        git.run(&["checkout", "--quiet", "main"]);
    }
    assert_eq!(history(&git, &["--history=--all"]).len(), 1);
}

/// Returns the fingerprints of a JSON report, with the place of each.
fn fingerprints(run: &Run) -> Vec<(String, String)> {
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings");
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap_or("-").to_owned();
    let place = |one: &serde_json::Value| {
        let place = ["rule", "path", "key_path", "commit"].map(|key| text(one, key)).join(" ");
        format!("{place} {}", one["start"]["offset"])
    };
    findings.iter().map(|one| (place(one), text(one, "fingerprint"))).collect()
}

#[test]
fn each_content_of_a_file_has_a_finding_and_a_fingerprint() {
    let git = Git::with(&[("db.yaml", PLAIN)]);
    let scan = |arguments: &[&str]| {
        let arguments = [&["scan", "--format", "json"], arguments].concat();
        let mut found = fingerprints(&git.lint(&arguments));
        found.sort_unstable();
        found
    };
    let first = git.run(&["rev-parse", "HEAD"]);
    let then = scan(&["--rev", "HEAD"]);
    let second = git.commit(&[("db.yaml", &format!("# one more line\n{PLAIN}"))]);
    let third = git.commit(&[("db.yaml", &format!("# two\n# more lines\n{PLAIN}"))]);
    let all = scan(&["--history"]);
    assert_eq!(all.len(), 3, "{all:?}");
    let names: HashSet<&String> = all.iter().map(|(_, fingerprint)| fingerprint).collect();
    assert_eq!(names.len(), 3, "{all:?}");
    let of = |found: &[(String, String)], commit: &str| {
        let found = found.iter().find(|(place, _)| place.contains(commit));
        found.map(|(_, fingerprint)| fingerprint.clone())
    };
    // A finding at HEAD has the fingerprint that a scan gives it, from its first commit on.
    let now = scan(&[]);
    assert_eq!(now[0].1, then[0].1, "a line was added above");
    assert_eq!(scan(&["--rev", "HEAD"])[0].1, now[0].1);
    assert_eq!(of(&all, &third), Some(now[0].1.clone()));
    // A finding that is gone keeps its fingerprint in other ranges, and after later commits.
    assert_eq!(of(&scan(&["--history", &format!("{first}..HEAD")]), &second), of(&all, &second));
    git.commit(&[("db.yaml", &format!("# three\n# more\n# lines\n{PLAIN}"))]);
    let later = scan(&["--history"]);
    assert_eq!((later.len(), of(&later, &first)), (4, of(&all, &first)));
    assert_eq!(of(&later, &second), of(&all, &second));
}

#[test]
fn a_baseline_knows_a_finding_in_every_commit() {
    let git = Git::with(&[("db.yaml", PLAIN)]);
    assert_eq!(git.lint(&["baseline"]).code, Some(0));
    git.commit(&[("db.yaml", &format!("# one more line\n{PLAIN}"))]);
    git.commit(&[("db.yaml", HARMLESS), ("new.yaml", PLAIN)]);
    let run = git.lint(&[
        "scan",
        "--history",
        "--baseline",
        ".sops-lint-baseline.yaml",
        "--format",
        "json",
    ]);
    let paths: Vec<String> = run.findings().into_iter().map(|(_, _, path)| path).collect();
    assert_eq!(paths, ["new.yaml"]);
}

/// Several branches may have different files at one path, all of them at a head.
#[test]
fn fingerprints_are_unique_over_several_heads() {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    for name in ["one", "two"] {
        git.run(&["checkout", "--quiet", "-b", name, "main"]);
        git.commit(&[("db.yaml", &format!("# {name}\n{PLAIN}"))]);
    }
    let run = git.lint(&["scan", "--history", "one two", "--format", "json"]);
    let found = fingerprints(&run);
    let names: HashSet<_> = found.iter().map(|(_, fingerprint)| fingerprint).collect();
    assert_eq!((found.len(), names.len()), (2, 2), "{found:?}");
}

/// A branch `o` with a Secret, and `main` without one.
fn with_branch() -> (Git, String) {
    let git = Git::with(&[("a.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "-b", "o"]);
    let commit = git.commit(&[("db.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "main"]);
    (git, commit)
}

/// Returns the file of a loose object.
fn object(git: &Git, id: &str) -> PathBuf {
    git.root.join(".git/objects").join(&id[..2]).join(&id[2..])
}

/// Expects that history is not read: the message says which part, and what to do.
fn assert_unreadable(git: &Git, part: &str) {
    for range in ["--history", "--history=--all"] {
        let run = git.lint(&["scan", range]);
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{part}: {run:?}");
        let error = run.stderr.strip_prefix("error: cannot read ").unwrap_or_default();
        assert!(error.contains(part), "{part}: {run:?}");
        assert!(run.stderr.contains("\n  help: run `git fsck`"), "{part}: {run:?}");
    }
}

#[test]
fn a_ref_that_cannot_be_read_is_an_error() {
    for text in ["garbage\n", "", "0123\n", "ref: \n"] {
        let (git, _) = with_branch();
        git.write(".git/refs/heads/o", text);
        assert_unreadable(&git, "refs/heads/o");
    }
    let (git, commit) = with_branch();
    git.write(".git/refs/heads/o", &format!("{}\n", "1".repeat(commit.len())));
    assert_unreadable(&git, "refs/heads/o");
    let (git, _) = with_branch();
    git.write(".git/HEAD", "garbage\n");
    let run = git.lint(&["scan", "--history"]);
    assert_eq!(run.code, Some(2), "{run:?}");
}

#[test]
fn a_list_of_refs_that_cannot_be_read_is_an_error() {
    let (git, commit) = with_branch();
    git.run(&["pack-refs", "--all"]);
    let list = fs::read_to_string(git.root.join(".git/packed-refs")).expect("packed");
    for damaged in [
        list.replace(&commit, "garbage"),
        list.replace(&commit, &commit[..20]),
        list.replace("# pack-refs", "# garbage"),
        list.replace(&format!("{commit} "), &commit),
    ] {
        git.write(".git/packed-refs", &damaged);
        assert_unreadable(&git, "packed-refs has a line that is not a ref");
    }
    // After a crash, a file may have the bytes of another one.
    git.write(".git/packed-refs", &format!("{list}canary\n"));
    let run = git.lint(&["scan", "--history"]);
    assert!(run.code == Some(2) && !run.stderr.contains("canary"), "{run:?}");
    fs::remove_file(git.root.join(".git/packed-refs")).expect("removed");
    fs::create_dir(git.root.join(".git/packed-refs")).expect("made");
    assert_unreadable(&git, "packed-refs");
    fs::remove_dir(git.root.join(".git/packed-refs")).expect("removed");
    git.write(".git/packed-refs", &list.replace(&commit, &"1".repeat(40)));
    assert_unreadable(&git, "refs/heads/o");
}

#[test]
fn a_ref_to_a_missing_commit_is_an_error() {
    let (git, commit) = with_branch();
    fs::remove_file(object(&git, &commit)).expect("it was loose");
    assert_unreadable(&git, "refs/heads/o");
    // What a range leaves out makes it only smaller.
    assert_eq!(git.lint(&["scan", "--history", "main"]).code, Some(0));
    assert_eq!(git.lint(&["scan", "--history", "main --not --all"]).code, Some(0));
    let (git, _) = with_branch();
    git.run(&["tag", "-a", "v1", "o", "-m", "x"]);
    let tag = git.run(&["rev-parse", "v1"]);
    git.run(&["branch", "--quiet", "-D", "o"]);
    fs::remove_file(object(&git, &tag)).expect("it was loose");
    assert_unreadable(&git, "refs/tags/v1");
}

#[test]
fn a_head_without_its_commit_is_an_error() {
    let git = Git::with(&[("db.yaml", PLAIN)]);
    let commit = git.run(&["rev-parse", "HEAD"]);
    git.run(&["checkout", "--quiet", "--detach"]);
    git.run(&["branch", "--quiet", "-D", "main"]);
    fs::remove_file(object(&git, &commit)).expect("it was loose");
    assert_unreadable(&git, "HEAD");
    for option in [&["--staged"][..], &["--rev", "HEAD"]] {
        let run = git.lint(&[&["scan"], option].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
    }
}

#[test]
fn packs_that_cannot_be_read_are_an_error() {
    let (git, _) = with_branch();
    git.run(&["gc", "--quiet"]);
    let packs = fs::read_dir(git.root.join(".git/objects/pack")).expect("there");
    let packs: Vec<PathBuf> = packs.map(|entry| entry.expect("readable").path()).collect();
    for ending in ["idx", "pack"] {
        let is_wanted = |path: &&PathBuf| path.extension().is_some_and(|end| end == ending);
        let path = packs.iter().find(is_wanted).expect("git made a pack");
        let whole = fs::read(path).expect("readable");
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("made writable");
        for damaged in [&whole[..100], b"garbage", b""] {
            fs::write(path, damaged).expect("written");
            assert_unreadable(&git, "refs/heads/main");
        }
        fs::write(path, &whole).expect("written");
    }
    assert_eq!(git.lint(&["scan", "--history"]).code, Some(1));
}

#[test]
fn borrowed_objects_that_cannot_be_read_are_an_error() {
    let (git, _) = with_branch();
    let borrower = git.beside("borrower");
    git.run(&["clone", "--quiet", "--shared", ".", borrower.to_str().expect("UTF-8")]);
    let alternates = borrower.join(".git/objects/info/alternates");
    let whole = fs::read(&alternates).expect("there");
    for damaged in [&b"\"never ends\n"[..], b"/nowhere\n", b"", b"\xff\n"] {
        fs::write(&alternates, damaged).expect("written");
        let run = sops_lint(&borrower, &["scan", "--history"]);
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run:?}");
        assert!(run.stderr.contains("\n  help: run `git fsck`"), "{run:?}");
    }
    fs::remove_file(&alternates).expect("removed");
    fs::create_dir(&alternates).expect("made");
    let run = sops_lint(&borrower, &["scan", "--history"]);
    assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run:?}");
    fs::remove_dir(&alternates).expect("removed");
    fs::write(&alternates, whole).expect("written");
    assert_eq!(sops_lint(&borrower, &["scan", "--history"]).code, Some(1));
}

#[test]
fn a_ref_that_leads_to_no_branch_yet_is_no_error() {
    let (git, _) = with_branch();
    git.write(".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/gone\n");
    git.write(".git/refs/heads/.hidden", "garbage\n");
    git.write(".git/refs/heads/o.lock", "");
    let run = git.lint(&["scan", "--history"]);
    assert_eq!((run.code, &*run.stderr), (Some(1), ""), "{run:?}");
    git.run(&["checkout", "--quiet", "--orphan", "new"]);
    let run = git.lint(&["scan", "--history"]);
    assert_eq!((run.code, &*run.stderr), (Some(1), ""), "{run:?}");
    for arguments in [&[][..], &["--bare"], &["--ref-format=reftable"]] {
        let empty = Git::init(arguments);
        let run = empty.lint(&["scan", "--history"]);
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    }
}

#[test]
fn refs_in_tables_are_read_with_git() {
    let git = Git::init(&["--ref-format=reftable"]);
    git.commit(&[("a.yaml", HARMLESS)]);
    git.run(&["checkout", "--quiet", "-b", "o"]);
    let commit = git.commit(&[("db.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "main"]);
    assert_eq!(git.lint(&["scan", "--history"]).code, Some(1));
    fs::remove_file(object(&git, &commit)).expect("it was loose");
    assert_unreadable(&git, "refs/heads/o");
    git.run(&["update-ref", "-d", "refs/heads/o"]);
    assert_eq!(git.lint(&["scan", "--history"]).code, Some(0));
    let table = fs::read_dir(git.root.join(".git/reftable")).expect("there");
    for entry in table {
        fs::write(entry.expect("readable").path(), "garbage").expect("written");
    }
    let run = git.lint(&["scan", "--history"]);
    assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run:?}");
}
