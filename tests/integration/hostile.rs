//! Input that wants to do harm: `fixtures/hostile/<what it tries>/`.
//!
//! Written by hand. `findings.txt` next to the directories lists
//! the findings of each, and is reviewed like code; run the tests with `UPDATE_FIXTURES=1` to write
//! it again. That no value is printed is tested where all fixtures are.

use std::fmt::Write;
use std::fs;

use crate::support::{copy_of, directories, fixtures, name, sops_lint_in_bounds, sops_lint_with};

#[test]
fn hostile_input_gives_clear_findings_or_none() {
    let mut report = String::new();
    // With private keys more of a stranger's file is read.
    let (age, pgp) =
        (fixtures().join("keys/age/alice.txt"), fixtures().join("keys/pgp/ed.sec.asc"));
    let keys = [("SOPS_AGE_KEY_FILE", &*age), ("SOPS_LINT_PGP_KEY_FILE", &*pgp)];
    let cases = directories(&fixtures().join("hostile"));
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    for case in cases {
        let copy = copy_of(&case, &[]);
        let run = sops_lint_in_bounds(copy.path(), &["scan", "--format", "json"]);
        assert!(matches!(run.code, Some(0 | 1)) && run.stderr.is_empty(), "{case:?}: {run:?}");
        writeln!(report, "{}: exit {}", name(&case), run.code.unwrap_or(-1)).expect("written");
        run.findings(); // as the schema wants them
        for finding in run.json()["findings"].as_array().expect("a list") {
            let text = |key: &str| finding[key].as_str().expect("text").to_owned();
            let (rule, level, path, message) =
                (text("rule"), text("level"), text("path"), text("message"));
            let line = &finding["start"]["line"];
            writeln!(report, "  {level} {rule} {path}:{line}: {message}").expect("written");
        }
        for args in [&["scan", "--verbose", "--fail-on", "info"][..], &["policy", "a.yaml"]] {
            let run = sops_lint_with(copy.path(), args, &keys);
            assert!(matches!(run.code, Some(0..=2)), "{case:?} {args:?}: {run:?}");
            let output = run.stdout + &run.stderr;
            let is_control = |c: char| c.is_control() && c != '\n';
            assert!(!output.contains(is_control), "{case:?} {args:?} prints control characters");
            assert!(!output.contains("##["), "{case:?} {args:?} prints a command to a runner");
            let unseen = ['\u{202e}', '\u{61c}', '\u{200b}', '\u{fe0f}', '\u{e0041}', '\u{e0042}'];
            assert!(!output.contains(unseen), "{case:?} {args:?} prints characters that hide");
        }
    }
    let path = fixtures().join("hostile/findings.txt");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &report).expect("fixtures can be written");
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    assert!(reviewed == report, "expected\n{reviewed}\nbut found\n{report}");
}
