//! Hostile input: a clear finding or message, never a crash or a hang.

use std::time::{Duration, Instant};

use crate::support::{Run, repository, sops_lint};

const RECIPIENT: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";

/// A file that sops could have made, with `body` above its block.
fn encrypted(body: &str) -> String {
    format!("{body}\nx: ENC[AES256_GCM,data:AA==]\nsops:\n  lastmodified: '2026-01-01T00:00:00Z'\n")
}

fn scan(files: &[(&str, &str)]) -> Run {
    let tree = repository(files);
    let started = Instant::now();
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    assert!(started.elapsed() < Duration::from_secs(20), "it hangs");
    assert!(matches!(run.code, Some(0..=2)), "{run:?}");
    run
}

fn rules(run: &Run) -> Vec<String> {
    run.findings().into_iter().map(|(rule, ..)| rule).collect()
}

#[test]
fn deep_nesting_is_a_finding() {
    for (open, name) in [("[", "a.yaml"), ("- ", "a.yaml"), ("{\"a\":", "a.json"), ("[", "a.json")]
    {
        let run = scan(&[(name, &encrypted(&format!("a: {}", open.repeat(50_000))))]);
        assert_eq!(rules(&run), ["unreadable-document"], "{open}");
    }
}

#[test]
fn aliases_that_explode_are_a_finding() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        bomb += &format!("a{level}: &a{level} [{alias}]\n");
    }
    let run = scan(&[("a.yaml", &encrypted(&bomb))]);
    assert_eq!(rules(&run), ["unreadable-document"]);
    assert!(run.stdout.contains("aliases"), "{}", run.stdout);
}

#[test]
fn an_alias_inside_its_own_anchor_is_a_finding() {
    let run = scan(&[("a.yaml", &encrypted("a: &a [*a]"))]);
    assert_eq!(rules(&run), ["unreadable-document"]);
}

#[test]
fn ten_thousand_documents_are_the_limit() {
    let run = scan(&[("a.yaml", &encrypted(&"---\na: b\n".repeat(10_001)))]);
    assert!(rules(&run).contains(&"unreadable-document".to_owned()), "{run:?}");
}

#[test]
fn a_file_past_the_size_limit_is_named() {
    let tree = repository(&[("small.yaml", "a: b\n")]);
    let large = std::fs::File::create(tree.path().join("large.sops.yaml")).expect("made");
    large.set_len(1 << 30).expect("sparse");
    let movie = std::fs::File::create(tree.path().join("movie.mkv")).expect("made");
    movie.set_len(1 << 30).expect("sparse");
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    let found = run.findings();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].0.as_str(), found[0].2.as_str()),
        ("unreadable-document", "large.sops.yaml")
    );
    assert!(
        run.stdout.contains("larger than the limit"),
        "the skipped movie is not named: {run:?}"
    );
}

#[test]
fn bytes_that_are_no_text_are_a_finding_where_text_is_promised() {
    let tree = repository(&[]);
    let broken = [encrypted("a: b").as_bytes(), b"\xff\xfe"].concat();
    std::fs::write(tree.path().join("a.sops.yaml"), broken).expect("written");
    std::fs::write(tree.path().join("b.png"), b"\x89PNG\0\0\xff").expect("written");
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    assert_eq!(rules(&run), ["unreadable-document"]);
}

#[test]
fn a_hundred_thousand_keys_take_no_time() {
    let keys: String = (0..100_000).map(|number| format!("k{number}: v\n")).collect();
    scan(&[("a.yaml", &encrypted(&keys))]);
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let name = "a\u{1b}[31m\nb.sops.yaml";
    let tree = repository(&[(name, "password: canary-name\n")]);
    let run = sops_lint(tree.path(), &["scan"]);
    assert_eq!(run.code, Some(1));
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    assert!(run.stdout.contains("\\u{1b}[31m\\u{a}b.sops.yaml"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_left_alone() {
    use std::os::unix::fs::symlink;
    let outside = repository(&[("secret.sops.yaml", "password: canary-outside\n")]);
    let tree = repository(&[("a/b.yaml", "a: b\n")]);
    symlink(outside.path(), tree.path().join("out")).expect("linked");
    symlink(outside.path().join("secret.sops.yaml"), tree.path().join("x.sops.yaml"))
        .expect("linked");
    symlink(tree.path(), tree.path().join("a/loop")).expect("linked");
    let made =
        std::process::Command::new("mkfifo").arg(tree.path().join("pipe.sops.yaml")).status();
    assert!(made.expect("mkfifo runs").success());
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    assert_eq!(run.findings(), []);
    assert_eq!(run.json()["summary"]["files"], 1);
}

#[test]
fn a_config_of_many_rules_is_read_in_time() {
    let rules: String = (0..20_000)
        .map(|number| format!("  - {{path_regex: '^apps/{number}/(a+)+$', age: {RECIPIENT}}}\n"))
        .collect();
    let config = format!("creation_rules:\n{rules}");
    let run = scan(&[
        (".sops.yaml", &config),
        ("apps/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!/a.yaml", "a: b\n"),
    ]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_config_that_repeats_its_mistakes_is_read_in_time() {
    let groups = "*g, ".repeat(10_000);
    let config = format!(
        "creation_rules:\n  - path_regex: .*\n    key_groups: [&g {{age: [{RECIPIENT}], {}: {}}}, {groups}]\n",
        "k".repeat(1_000),
        "v".repeat(100_000)
    );
    let run = scan(&[(".sops.yaml", &config)]);
    assert!(rules(&run).contains(&"unknown-config-key".to_owned()), "{run:?}");
}
