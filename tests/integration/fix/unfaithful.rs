//! Files that `fix` refuses because sops would not read them, or would not give them back as they are.
//!
//! Each has a correction that follows the advice, and then it is encrypted.

use std::fs;

use super::recipient;
use crate::peers;
use crate::support::{fixtures, repository, sops_lint, sops_lint_as_alice};

struct Case {
    ending: &'static str,
    text: &'static str,
    /// A part of the reason.
    reason: &'static str,
    /// The text, corrected as the reason says.
    corrected: &'static str,
}

const fn yaml(text: &'static str, reason: &'static str, corrected: &'static str) -> Case {
    Case { ending: "yaml", text, reason, corrected }
}

const fn ini(text: &'static str, reason: &'static str, corrected: &'static str) -> Case {
    Case { ending: "ini", text, reason, corrected }
}

const fn other(
    ending: &'static str,
    text: &'static str,
    reason: &'static str,
    corrected: &'static str,
) -> Case {
    Case { ending, text, reason, corrected }
}

const TABS: &str = "sops does not accept a tab here: use spaces";
const INDICATOR: &str = "inside brackets, this is an indicator for sops: put the text in quotes";
const EMPTY_LINE: &str = "sops crashes when it decrypts a comment whose first line is empty";

const CASES: &[Case] = &[
    // sops would not read these.
    yaml("pw: x\n\t", TABS, "pw: x\n"),
    yaml("pw: x\n\t\n", TABS, "pw: x\n \n"),
    yaml("a:\n  pw: x\n  \t\n  b: z\n", TABS, "a:\n  pw: x\n   \n  b: z\n"),
    yaml("a:\n  - x\n \t\n  - z\n", TABS, "a:\n  - x\n  \n  - z\n"),
    yaml("pw: 'x'\n  \t\nb: z\n", TABS, "pw: 'x'\n   \nb: z\n"),
    yaml("pw: |\n  x\n\t\nb: z\n", TABS, "pw: |\n  x\n \nb: z\n"),
    yaml("a:\n-\tx\n", TABS, "a:\n-  x\n"),
    yaml("{na? me: a}\n", INDICATOR, "{'na? me': a}\n"),
    yaml("pw: [a?b, c]\n", INDICATOR, "pw: ['a?b', c]\n"),
    yaml("pw: {?a: b}\n", INDICATOR, "pw: {'?a': b}\n"),
    yaml("pw: [:a, b]\n", INDICATOR, "pw: [':a', b]\n"),
    yaml("pw: {a: :b}\n", INDICATOR, "pw: {a: ':b'}\n"),
    yaml("pw: &a.b x\n", "the name of an anchor", "pw: &a-b x\n"),
    yaml("%YAML 1.2\n---\npw: x\n", "this directive: remove it", "---\npw: x\n"),
    // sops would give back another value or type.
    yaml(
        "pw: 12345678901234567890123\n",
        "more digits than sops keeps",
        "pw: '12345678901234567890123'\n",
    ),
    yaml(
        "pw: 0.1234567890123456789\n",
        "more digits than sops keeps",
        "pw: '0.1234567890123456789'\n",
    ),
    yaml("pw: 0o17\n", "this number back in another form", "pw: '0o17'\n"),
    yaml("pw: 0777\n", "this number back in another form", "pw: '0777'\n"),
    yaml("pw: 1_000\n", "this number back in another form", "pw: 1000\n"),
    yaml("pw: 1e3\n", "this number back in another form", "pw: 1000\n"),
    yaml("pw: 1.0\n", "this number back as an integer", "pw: '1.0'\n"),
    yaml("pw: 2001-12-14\n", "this date back in another form", "pw: '2001-12-14'\n"),
    yaml("pw: off\n", "do not read this as text", "pw: false\n"),
    yaml("pw: 12:30\n", "do not read this as text", "pw: '12:30'\n"),
    yaml("pw: x\nport: 0o17\n", "this number back in another form", "pw: x\nport: '0o17'\n"),
    other(
        "json",
        "{\"pw\": 12345678901234567890123}\n",
        "more digits than sops keeps",
        "{\"pw\": \"12345678901234567890123\"}\n",
    ),
    other("json", "{\"pw\": \"a\\ud800\"}\n", "half of a surrogate pair", "{\"pw\": \"a\"}\n"),
    other("env", "PW=x\r\n", "a line ends in CRLF", "PW=x\n"),
    other("env", "PW=x\n# c\r\nB=z\n", "a line ends in CRLF", "PW=x\n# c\nB=z\n"),
    // sops would lose the tag.
    yaml("pw: !env DB_PW\n", "does not keep this tag", "pw: DB_PW\n"),
    yaml("pw: x\nid: !Ref z\n", "does not keep this tag", "pw: x\nid: z\n"),
    yaml("pw: !vault |\n  x\n", "does not keep this tag", "pw: |\n  x\n"),
    yaml("pw: !!binary aGk=\n", "does not keep this tag", "pw: aGk=\n"),
    yaml("pw: !Join [a, b]\n", "does not keep this tag", "pw: [a, b]\n"),
    yaml("pw: !!set {a: b}\n", "does not keep this tag", "pw: {a: b}\n"),
    yaml("pw: ! 12\n", "does not keep this tag", "pw: 12\n"),
    // sops crashes on these once they are encrypted, or takes them for something else.
    ini("a = 1\n;\n; title\n[foo]\nb = 2\n", EMPTY_LINE, "a = 1\n; title\n[foo]\nb = 2\n"),
    ini("a = 1\n#\n# title\nb = 2\n", EMPTY_LINE, "a = 1\n# title\nb = 2\n"),
    ini(";;\n; title\na = 1\n", EMPTY_LINE, "; title\na = 1\n"),
    ini("a = 1\n# \n\n#\n[s]\nb = 2\n", EMPTY_LINE, "a = 1\n\n#\n[s]\nb = 2\n"),
    ini(
        "[s] ; title\na = 1\n",
        "a part of the section's name: move it above",
        "; title\n[s]\na = 1\n",
    ),
    ini("- = x\n", "makes a comment of its line: rename it", "one = x\n"),
    ini("`#a` = x\n", "makes a comment of its line: rename it", "a = x\n"),
];

#[test]
fn what_sops_would_not_give_back_is_refused_and_its_correction_is_not() {
    let rules = format!("creation_rules:\n  - age: {}\n", recipient("alice"));
    let name = |at: usize, case: &Case| format!("case-{at}.sops.{}", case.ending);
    let tree = repository(&[(".sops.yaml", &rules)]);
    for (at, case) in CASES.iter().enumerate() {
        fs::write(tree.path().join(name(at, case)), case.text).expect("written");
    }
    let run = sops_lint(tree.path(), &["fix", "--verbose"]);
    assert_eq!(run.stdout, "", "{run:?}");
    for (at, case) in CASES.iter().enumerate() {
        let start = format!("error: {}:", name(at, case));
        let line = run.stderr.lines().find(|line| line.starts_with(&start));
        let said = line.unwrap_or_else(|| panic!("nothing about {:?}: {run:?}", case.text));
        assert!(said.contains(case.reason), "{:?}: {said}", case.text);
        fs::write(tree.path().join(name(at, case)), case.corrected).expect("written");
    }
    let run = sops_lint(tree.path(), &["fix"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    assert_eq!(run.stdout.lines().count(), CASES.len());
    let scan = sops_lint_as_alice(tree.path(), &["scan", "--format", "json"]);
    assert_eq!(scan.json()["summary"]["verified"], CASES.len());
}

/// A file whose first key has a `?` has its metadata in the column of the `?`.
#[test]
fn explicit_keys_are_encrypted() {
    let Some(program) = peers::sops() else { return peers::skip("explicit keys", "sops") };
    let rules = format!("creation_rules:\n  - age: {}\n", recipient("alice"));
    for text in ["? key\n: v\n", "? key\n: v\nb:\n  ? c\n  : d\n", "  ? 'a b'\n  : |\n    v\n"] {
        let tree = repository(&[(".sops.yaml", &rules), ("db.sops.yaml", text)]);
        let run = sops_lint(tree.path(), &["fix"]);
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{text:?}");
        let output = std::process::Command::new(&program)
            .args(["decrypt", "--output-type", "json", "db.sops.yaml"])
            .current_dir(tree.path())
            .env("SOPS_AGE_KEY_FILE", fixtures().join("keys/age/alice.txt"))
            .output()
            .expect("sops runs");
        assert!(output.status.success() && !output.stdout.is_empty(), "{text:?}");
    }
}
