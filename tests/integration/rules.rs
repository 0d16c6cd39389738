//! Every rule on small repositories: `fixtures/rules/<rule>/<case>/`.
//!
//! A case whose name begins with `bad-` has a finding of the rule, one with `good-` or `silent-`
//! has none. `findings.txt` holds the whole report and is reviewed like code; run the tests with
//! `UPDATE_FIXTURES=1` to rewrite it. Alice's private key is available for rules that need one, and
//! in cases whose name ends in `-with-own-key`.
//!
//! Where a case has a directory `base`, that is what git has in its last commit. The other files are
//! staged on top of it, and what is judged is the change.

use std::fs;
use std::path::Path;

use crate::support::{copy_of, directories, fixtures, git_in, name, sops_lint, sops_lint_as_alice};

const EXPECTED: &str = "findings.txt";
const BASE: &str = "base";
const NEED_KEYS: [&str; 2] = ["mac-mismatch", "undecryptable-value"];

#[test]
fn every_case_reports_what_it_should() {
    let mut wrong = Vec::new();
    for rule in directories(&fixtures().join("rules")) {
        for case in directories(&rule) {
            wrong.extend(check(&name(&rule), &case));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_bad_a_good_and_a_silent_case() {
    let listed = sops_lint(&fixtures(), &["rules", "--format", "json"]).json();
    let ids: Vec<&str> = listed["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| rule["id"].as_str().expect("id"))
        .collect();
    for id in &ids {
        let cases: Vec<String> =
            directories(&fixtures().join("rules").join(id)).iter().map(|case| name(case)).collect();
        for kind in ["bad-", "good-", "silent-"] {
            assert!(cases.iter().any(|case| case.starts_with(kind)), "{id} has no {kind} case");
        }
    }
    for rule in directories(&fixtures().join("rules")) {
        assert!(ids.contains(&name(&rule).as_str()), "{} is a case of no rule", rule.display());
    }
}

fn check(rule: &str, case: &Path) -> Option<String> {
    let copy = copy_of(case, &[EXPECTED, BASE]);
    let is_change = case.join(BASE).is_dir();
    if is_change {
        stage_on_base(case, copy.path());
    }
    let view: &[&str] = if is_change { &["--staged"] } else { &[] };
    let has_key = NEED_KEYS.contains(&rule) || name(case).ends_with("-with-own-key");
    let sops_lint = if has_key { sops_lint_as_alice } else { sops_lint };
    let json = sops_lint(copy.path(), &[&["scan", "--format", "json"], view].concat());
    let has_finding = json.findings().iter().any(|(id, ..)| id == rule);
    let errors = json.json()["summary"]["errors"].as_u64().expect("a number");
    let (case_name, title) = (name(case), format!("{rule}/{}", name(case)));
    let complaint = if case_name.starts_with("bad-") && !has_finding {
        Some(format!("{title}: no finding of the rule"))
    } else if !case_name.starts_with("bad-") && has_finding {
        Some(format!("{title}: a finding of the rule"))
    } else if case_name.starts_with("silent-") && errors > 0 {
        Some(format!("{title}: {errors} errors"))
    } else {
        None
    };
    let human = sops_lint(copy.path(), &[&["scan", "--quiet", "--fail-on", "info"], view].concat());
    assert_eq!(human.stderr, "", "{title}");
    let expected = case.join(EXPECTED);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&expected, &human.stdout).expect("fixtures can be written");
    }
    let reviewed = fs::read_to_string(&expected).unwrap_or_default();
    complaint.or_else(|| {
        (reviewed != human.stdout)
            .then(|| format!("{title}: expected\n{reviewed}\nbut found\n{}", human.stdout))
    })
}

/// Makes the directory of a case a repository whose last commit is its base, and whose index is
/// what stands there.
pub(crate) fn stage_on_base(case: &Path, copy: &Path) {
    let git = |arguments: &[&str]| {
        let run = git_in(copy, arguments);
        assert_eq!(run.code, Some(0), "git {arguments:?}: {run:?}");
    };
    let base = copy_of(&case.join(BASE), &[]);
    git(&["init", "--quiet", "--initial-branch=main"]);
    let there = base.path().to_str().expect("UTF-8");
    git(&["--work-tree", there, "add", "--all", "--force"]);
    git(&["commit", "--quiet", "-m", "before"]);
    git(&["add", "--all", "--force"]);
}
