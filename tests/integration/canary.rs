//! No output ever holds a secret.
//!
//! Every value in the fixtures holds the word `canary`, in clear, in base64, or behind a
//! ciphertext. Whatever the program prints about them, in any format, must not.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256, Sha512};
use sops_lint::report::REPORTERS;

use crate::support::{copy_of, directories, fixtures, sops_lint, sops_lint_as_alice};

/// The word itself, and the base64 of it at the three alignments (what surrounds it varies).
const SIGNS: [&str; 4] = ["canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn"];

#[test]
fn no_command_prints_a_secret() {
    let mut values = 0;
    for case in cases() {
        let forbidden = forbidden(&case);
        values += forbidden.len();
        let copy = copy_of(&case, &["findings.txt"]);
        let formats = REPORTERS.iter().map(|one| vec!["scan", "-v", "--format", one.name()]);
        // What says most; a report without -v, or a quiet one, is a part of it.
        let others = [
            &["scan", "-v", "--color", "always"][..],
            &["scan", "-v", "--verify", "always"],
            &["policy", "a.yaml", "secret.yaml"],
        ];
        for args in formats.chain(others.map(<[_]>::to_vec)) {
            let without_key = sops_lint(copy.path(), &args);
            let with_key = sops_lint_as_alice(copy.path(), &args);
            let output =
                without_key.stdout + &without_key.stderr + &with_key.stdout + &with_key.stderr;
            let lower = output.to_lowercase();
            for sign in SIGNS {
                let printed =
                    if sign == "canary" { lower.contains(sign) } else { output.contains(sign) };
                assert!(!printed, "{args:?} on {} prints {sign}:\n{output}", case.display());
            }
            for (value, hash) in &forbidden {
                assert!(!output.contains(value), "{args:?} on {} prints a value", case.display());
                assert!(!lower.contains(hash), "{args:?} on {} prints a hash", case.display());
            }
        }
    }
    assert!(values > 50, "only {values} values were looked for");
}

/// All repositories of the fixtures.
fn cases() -> Vec<PathBuf> {
    let rules = directories(&fixtures().join("rules"));
    let mut cases: Vec<PathBuf> = rules.iter().flat_map(|rule| directories(rule)).collect();
    cases.extend(directories(&fixtures().join("neighbours")));
    cases.extend(directories(&fixtures().join("hostile")));
    cases.push(fixtures().join("demo"));
    cases
}

/// Words with a canary in the files of a case, each with its SHA-256 and its SHA-512.
fn forbidden(case: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files(case) {
        let text = String::from_utf8_lossy(&fs::read(&file).expect("readable")).into_owned();
        let words = text.split(|c: char| c.is_whitespace() || "\"'{}[],:".contains(c));
        for word in words.filter(|word| SIGNS.iter().any(|sign| word.contains(sign))) {
            found.push((word.to_owned(), hex(&Sha256::digest(word))));
            found.push((word.to_owned(), hex(&Sha512::digest(word))));
        }
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
    {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().is_some_and(|name| name != "findings.txt") {
            found.push(path);
        }
    }
    found
}
