//! Whoever does what a help says ends with an encrypted file.

use std::fs;
use std::path::Path;

use crate::support::{copy_of, fixtures, sops_lint, sops_lint_as_alice};

const ALICE: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";
const VALUES_ALONE: &str = "    encrypted_regex: ^(data|stringData)$\n";

/// The case, what its help begins with, the config that whoever follows it writes, and the file.
fn cases() -> [(&'static str, &'static str, String, &'static str); 8] {
    let rule = |more: &str| format!("  - age: {ALICE}\n{more}");
    let config = |rules: String| format!("creation_rules:\n{rules}");
    let for_secrets = || config(rule(VALUES_ALONE));
    let first = |file: &str, more: &str| {
        let pattern = format!("    path_regex: ^{file}$\n{more}");
        config(rule(&pattern) + &rule(VALUES_ALONE))
    };
    let (secret, values, release) = ("database.yaml", "values.sops.yaml", "shop.sops.yaml");
    let of_values = "    encrypted_regex: ^values$\n";
    [
        ("unencrypted-secret/bad-data", "write a .sops.yaml with", for_secrets(), "tls.yaml"),
        (
            "unencrypted-secret/bad-under-an-empty-config",
            "correct .sops.yaml",
            for_secrets(),
            secret,
        ),
        (
            "unencrypted-secret/bad-under-a-broken-pattern",
            "correct .sops.yaml",
            for_secrets(),
            secret,
        ),
        (
            "unencrypted-secret/bad-under-a-rule-without-recipients",
            "name the",
            for_secrets(),
            secret,
        ),
        ("unencrypted-secret/bad-under-an-invalid-recipient", "correct the", for_secrets(), secret),
        (
            "unencrypted-secret/bad-under-a-rule-without-a-selector",
            "set `enc",
            for_secrets(),
            secret,
        ),
        (
            "unencrypted-file/bad-values-under-a-selector-for-secrets",
            "rule 1 of .sops.yaml encrypts only",
            first(values, ""),
            values,
        ),
        (
            "unencrypted-file/bad-release-under-a-selector-for-secrets",
            "rule 1 of .sops.yaml encrypts only",
            first(release, of_values),
            release,
        ),
    ]
}

#[test]
fn what_a_help_says_encrypts_the_file() {
    for (case, begins, config, file) in cases() {
        let copy = copy_of(&fixtures().join("rules").join(case), &["findings.txt"]);
        let help = help_of(copy.path(), case.split('/').next().expect("a rule"));
        assert!(help.starts_with(begins), "{case}: {help}");
        assert!(help.contains(&format!("then run `sops-lint fix {file}`")), "{case}: {help}");
        fs::write(copy.path().join(".sops.yaml"), config).expect("the config is written");
        let fixed = sops_lint(copy.path(), &["fix", file]);
        assert_eq!(fixed.code, Some(0), "{case}: {fixed:?}");
        let scan = sops_lint_as_alice(copy.path(), &["scan", "--verify", "always"]);
        assert_eq!(scan.code, Some(0), "{case}: {scan:?}");
    }
}

fn help_of(tree: &Path, rule: &str) -> String {
    let report = sops_lint(tree, &["scan", "--only", rule, "--format", "json"]).json();
    report["findings"][0]["help"].as_str().expect("a help").to_owned()
}
