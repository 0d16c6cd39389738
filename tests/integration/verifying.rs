//! Tests when files are opened, and what is reported about the others.

use std::fs;
use std::path::Path;
use std::process::Command;

use sops_lint::report::REPORTERS;

use crate::peers;
use crate::support::{Run, fixtures, repository, sops_lint, sops_lint_as_alice};

/// Creates a tree with two files for Alice, and one for a PGP key.
fn tree(settings: Option<&str>) -> tempfile::TempDir {
    let tree = tempfile::tempdir().expect("made");
    for name in ["12-scalars.yaml", "29-pgp-ed25519.yaml", "39-dotenv.env"] {
        let vector = fixtures().join("vectors/3.11.0/enc").join(name);
        fs::copy(vector, tree.path().join(name)).expect("copied");
    }
    if let Some(settings) = settings {
        fs::write(tree.path().join(".sops-lint.yaml"), settings).expect("written");
    }
    tree
}

fn numbers(run: &Run) -> (u64, u64) {
    let number = |name: &str| run.json()["summary"][name].as_u64().expect("a number");
    (number("verified"), number("unverified"))
}

#[test]
fn the_user_says_when_files_are_opened_and_the_command_line_beats_the_settings() {
    const NEVER: Option<&str> = Some("verify: never\n");
    const ALWAYS: Option<&str> = Some("verify: always\n");
    for (settings, more, numbers_are, code) in [
        (None, &[][..], (2, 1), 0),
        (None, &["--verify", "auto"], (2, 1), 0),
        (None, &["--verify", "never"], (0, 3), 0),
        (None, &["--verify", "always"], (2, 1), 2),
        (NEVER, &[], (0, 3), 0),
        (NEVER, &["--verify", "auto"], (2, 1), 0),
        (ALWAYS, &[], (2, 1), 2),
        (ALWAYS, &["--verify", "never"], (0, 3), 0),
    ] {
        let tree = tree(settings);
        let args = [&["scan", "--format", "json"], more].concat();
        let run = sops_lint_as_alice(tree.path(), &args);
        assert_eq!(numbers(&run), numbers_are, "{settings:?} {more:?}: {run:?}");
        assert_eq!(run.code, Some(code), "{settings:?} {more:?}: {run:?}");
        let is_said = run.stderr.contains("cannot verify 29-pgp-ed25519.yaml: no private key");
        assert_eq!(is_said, code == 2, "{settings:?} {more:?}: {run:?}");
        let helps = run.stderr.matches("  help: name a private key with SOPS_AGE_KEY_FILE").count();
        assert_eq!(helps, usize::from(code == 2), "{settings:?} {more:?}: {run:?}");
    }
}

/// Skips GitLab's format, which has no place for it.
#[test]
fn every_format_says_what_was_not_verified_and_who_could_have() {
    const WHO: &str = "F28A701876913C5DD10A03ACCDC5E50F1403A017";
    let tree = tree(None);
    for reporter in REPORTERS.iter().filter(|it| it.name() != "gitlab") {
        let args = ["scan", "-v", "--format", reporter.name()];
        let run = sops_lint_as_alice(tree.path(), &args);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(
            text.contains("29-pgp-ed25519.yaml") && text.contains(WHO),
            "{}: {text}",
            reporter.name()
        );
        assert!(
            text.contains("erified") || text.contains("not checked"),
            "{}: {text}",
            reporter.name()
        );
    }
    let run = sops_lint(tree.path(), &["scan", "-v"]);
    assert!(run.stdout.contains("Not verified: 3 encrypted files"), "{run:?}");
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no private key for its recipient age1"), "{run:?}");
    let run = sops_lint(tree.path(), &["scan", "-v", "--verify", "never"]);
    assert!(run.stdout.contains("MACs were not compared (--verify never)"), "{run:?}");
}

/// Names, the format that sops is told, and a text.
const NAMED: &[(&str, &str, &str)] = &[
    ("a.yaml", "yaml", "a: b\n"),
    ("a.yaml.enc", "yaml", "a: b\n"),
    ("b.yml.sops", "yaml", "a: b\n---\nc: d\n"),
    ("a.env.enc", "dotenv", "A=b\n"),
    ("a.ini.encrypted", "ini", "[a]\nb = c\n"),
    ("a.json.enc", "json", "{\"a\": \"b\"}\n"),
    ("json.yaml", "json", "{\"a\": \"b\"}\n"),
    ("yaml.json", "yaml", "a: b\n"),
    ("dotenv.yaml", "dotenv", "A=b\n"),
    ("ini.env", "ini", "[a]\nb = c\n"),
    ("binary.enc", "binary", "text"),
    ("binary.yaml", "binary", "text"),
    ("binary.json", "binary", "text"),
    ("binary.env", "binary", "text"),
    ("crash.ini", "ini", "a = 1\n;\n; title\n[foo]\nb = 2\n"),
    ("crash-above-a-key.ini", "ini", "#\n# title\nb = 2\n"),
    ("one-sign.ini", "ini", "a = 1\n;\nb = 2\n"),
    ("empty-line-inside.ini", "ini", "; a\n;\n; b\nb = 2\n"),
];

#[test]
fn verified_is_what_sops_decrypts_under_the_name_of_the_file() {
    let Some(program) = peers::sops() else { return peers::skip("verified names", "sops") };
    let key = fixtures().join("keys/age/alice.txt");
    let alice = fs::read_to_string(fixtures().join("keys/age/alice.pub")).expect("a key");
    let sops = |tree: &Path, arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(tree).env("SOPS_AGE_KEY_FILE", &key);
        command.output().expect("sops runs")
    };
    let (mut opened, mut not_opened) = (0, 0);
    for (name, format, text) in NAMED {
        let tree = repository(&[(name, text)]);
        let types = ["--input-type", format, "--output-type", format];
        let arguments = [&["encrypt", "--in-place", "--age", alice.trim()], &types[..], &[name]];
        assert!(sops(tree.path(), &arguments.concat()).status.success(), "{name}");
        let opens = sops(tree.path(), &["decrypt", name]).status.success();
        let run = sops_lint_as_alice(tree.path(), &["scan", "-v", "--format", "json"]);
        let (verified, unverified) = numbers(&run);
        assert_eq!(verified, u64::from(opens), "{name}: {run:?}");
        let is_said = unverified == 1 || run.findings().iter().any(|finding| finding.1 == "error");
        assert_eq!(is_said, !opens, "{name}: {run:?}");
        opened += usize::from(opens);
        not_opened += usize::from(!opens);
    }
    assert!(opened > 5 && not_opened > 5, "{opened} {not_opened}");
}

#[test]
fn a_file_that_its_name_does_not_describe_comes_with_the_options_that_open_it() {
    let Some(program) = peers::sops() else { return peers::skip("a misleading name", "sops") };
    let key = fixtures().join("keys/age/alice.txt");
    let vector = fixtures().join("vectors/3.11.0/enc/12-scalars.yaml");
    let tree = tempfile::tempdir().expect("made");
    fs::copy(vector, tree.path().join("x.yaml.enc")).expect("copied");
    let run = sops_lint_as_alice(tree.path(), &["scan", "-v"]);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let options = "--input-type yaml --output-type yaml";
    let reason = format!(
        "it is yaml, and by its name sops reads it as binary, unless it is given {options}"
    );
    assert!(words.contains(&reason), "{run:?}");
    let output = Command::new(&program)
        .arg("decrypt")
        .args(options.split(' '))
        .arg("x.yaml.enc")
        .current_dir(tree.path())
        .env("SOPS_AGE_KEY_FILE", &key)
        .output()
        .expect("sops runs");
    assert!(output.status.success());
}

/// The MAC of such a file is valid, and the advice makes it one that sops opens.
#[test]
fn a_comment_on_which_sops_crashes_can_be_removed() {
    let Some(program) = peers::sops() else { return peers::skip("a crash of sops", "sops") };
    let key = fixtures().join("keys/age/alice.txt");
    let alice = fs::read_to_string(fixtures().join("keys/age/alice.pub")).expect("a key");
    let tree = repository(&[("a.ini", "a = 1\n;\n; title\n[foo]\nb = 2\n")]);
    let sops = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(tree.path()).env("SOPS_AGE_KEY_FILE", &key);
        command.output().expect("sops runs").status.success()
    };
    assert!(sops(&["encrypt", "--in-place", "--age", alice.trim(), "a.ini"]));
    assert!(!sops(&["decrypt", "a.ini"]));
    let run = sops_lint_as_alice(tree.path(), &["scan"]);
    assert!(run.code == Some(1) && run.stdout.contains("help: remove this line"), "{run:?}");
    let text = fs::read_to_string(tree.path().join("a.ini")).expect("readable");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(';')).collect();
    let kept = kept.join("\n") + "\n";
    fs::write(tree.path().join("a.ini"), &kept).expect("written");
    assert!(sops(&["decrypt", "a.ini"]), "{text}");
    let run = sops_lint_as_alice(tree.path(), &["scan", "--format", "json"]);
    assert_eq!(numbers(&run), (1, 0), "{run:?}");
    // One that is not encrypted.
    fs::write(tree.path().join("a.ini"), kept.replace("[foo]", ";\n; title\n[foo]"))
        .expect("written");
    assert!(!sops(&["decrypt", "a.ini"]));
    let run = sops_lint_as_alice(tree.path(), &["scan"]);
    assert!(run.code == Some(1) && run.stdout.contains("remove the line"), "{run:?}");
}

#[test]
fn utf_16_is_verified_only_where_sops_reads_it() {
    let Some(program) = peers::sops() else { return peers::skip("UTF-16", "sops") };
    let key = fixtures().join("keys/age/alice.txt");
    let names = ["12-scalars.yaml", "37-json.json", "39-dotenv.env", "41-ini.ini"];
    let mut opened = Vec::new();
    for name in names {
        let vector = fixtures().join("vectors/3.11.0/enc").join(name);
        let text = fs::read_to_string(vector).expect("readable");
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let tree = tempfile::tempdir().expect("made");
        let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        fs::write(tree.path().join(name), bytes).expect("written");
        let mut command = Command::new(&program);
        command.args(["decrypt", name]).current_dir(tree.path()).env("SOPS_AGE_KEY_FILE", &key);
        let opens = command.output().expect("sops runs").status.success();
        let run = sops_lint_as_alice(tree.path(), &["scan", "--format", "json"]);
        assert_eq!(numbers(&run).0, u64::from(opens), "{name}: {run:?}");
        assert_eq!(run.code, Some(i32::from(!opens)), "{name}: {run:?}");
        opened.extend(opens.then_some(name));
    }
    assert_eq!(opened, ["12-scalars.yaml"]);
}

#[test]
fn yaml_that_sops_refuses_is_an_error_and_not_verified() {
    let Some(program) = peers::sops() else { return peers::skip("refused YAML", "sops") };
    let key = fixtures().join("keys/age/alice.txt");
    let alice = fs::read_to_string(fixtures().join("keys/age/alice.pub")).expect("a key");
    let rule = format!(
        "creation_rules:\n  - age: {alice}    encrypted_regex: ^a$\n    mac_only_encrypted: true\n"
    );
    let tree = repository(&[(".sops.yaml", &rule), ("a.yaml", "a:\n    b: c\n    d: e\n")]);
    let sops = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(tree.path()).env("SOPS_AGE_KEY_FILE", &key);
        command.output().expect("sops runs").status.success()
    };
    assert!(sops(&["encrypt", "--in-place", "a.yaml"]));
    let text = fs::read_to_string(tree.path().join("a.yaml")).expect("readable");
    let changed = |from: &str, to: &str| text.replacen(from, to, 1);
    let texts = [
        text.clone() + "\t",
        text.clone() + "\t\n",
        changed("    d:", "  \t\n    d:"),
        changed("    d:", "\t\n    d:"),
        changed("sops:", "x: {na? me: a}\nsops:"),
        changed("sops:", "x: [a?b]\nsops:"),
        changed("sops:", "x: {a: :b}\nsops:"),
        changed("sops:", "x: &a.b c\nsops:"),
        changed("a:", "%YAML 1.2\n---\na:"),
        // These are fine.
        text.clone() + "\n",
        changed("    d:", "       \t\n    d:"),
        changed("sops:", "x: {na?: a}\ny: a?b\nsops:").replace("na?", "\"na?\""),
        changed("a:", "%YAML 1.1\n---\na:"),
    ];
    let mut refused = 0;
    for text in texts {
        fs::write(tree.path().join("a.yaml"), &text).expect("written");
        let opens = sops(&["decrypt", "a.yaml"]);
        let run = sops_lint_as_alice(tree.path(), &["scan", "--format", "json"]);
        assert_eq!(numbers(&run), if opens { (1, 0) } else { (0, 1) }, "{text}: {run:?}");
        let has_error = run.findings().iter().any(|finding| finding.0 == "unreadable-document");
        assert_eq!(has_error, !opens, "{text}: {run:?}");
        refused += usize::from(!opens);
    }
    assert_eq!(refused, 9);
}
