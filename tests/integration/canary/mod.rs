//! No output ever holds a secret.
//!
//! Every value in the fixtures holds the word `canary`, in plaintext, in base64, or behind a
//! ciphertext. Whatever the program prints about them, in any format, must not.

mod keys;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256, Sha512};
use sops_lint::report::REPORTERS;

use crate::support::{Run, copy_of, directories, fixtures, name, sops_lint, sops_lint_as_alice};

/// The word itself, and the base64 of it at the three alignments (what surrounds it varies).
const SIGNS: [&str; 4] = ["canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn"];

/// Every case on its own, in the two formats that say most and the one that leaves most out.
#[test]
fn no_case_makes_the_program_print_a_secret() {
    let values = AtomicUsize::new(0);
    in_parallel(&cases(), |case| {
        let forbidden = forbidden(case);
        values.fetch_add(forbidden.len(), Ordering::Relaxed);
        let copy = copy_of(case, &["findings.txt"]);
        for args in [
            &["scan", "-v", "--color", "always"][..],
            &["scan", "-v", "--format", "github"],
            &["policy", "a.yaml", "secret.yaml"],
            &["fix", "--unsafe", "--diff"],
            &["fix", "--unsafe"],
        ] {
            let run = sops_lint_as_alice(copy.path(), args);
            assert_silent(&run, &forbidden, &format!("{args:?} on {}", case.display()));
        }
    });
    let values = values.into_inner();
    assert!(values > 50, "only {values} values were looked for");
}

/// The cases of one rule side by side, in every format, with a key and without.
#[test]
fn no_format_prints_a_secret() {
    let rules = directories(&fixtures().join("rules"));
    let groups: Vec<PathBuf> = rules
        .into_iter()
        .chain(["neighbours", "hostile", "demo"].map(|it| fixtures().join(it)))
        .collect();
    in_parallel(&groups, |group| {
        let forbidden = forbidden(group);
        let copy = copy_of(group, &["findings.txt"]);
        let formats = REPORTERS.iter().map(|one| vec!["scan", "-v", "--format", one.name()]);
        for args in formats.chain([vec!["scan", "-v", "--verify", "always"]]) {
            for run in [sops_lint(copy.path(), &args), sops_lint_as_alice(copy.path(), &args)] {
                assert_silent(&run, &forbidden, &format!("{args:?} on all of {}", name(group)));
            }
        }
    });
}

/// Judges what a run printed.
fn assert_silent(run: &Run, forbidden: &[String], what: &str) {
    let output = format!("{}{}", run.stdout, run.stderr);
    let lower = output.to_lowercase();
    assert!(matches!(run.code, Some(0..=2)), "{what} ends with {:?}:\n{output}", run.code);
    for sign in SIGNS {
        let printed = if sign == "canary" { lower.contains(sign) } else { output.contains(sign) };
        assert!(!printed, "{what} prints {sign}:\n{output}");
    }
    for secret in forbidden {
        assert!(!output.contains(secret), "{what} prints {secret}:\n{output}");
    }
    // A MAC: no identifier that the reports know is as long.
    let longest = output.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max();
    assert!(longest < Some(100), "{what} prints a hash:\n{output}");
}

/// Does something with every path, on as many threads as the machine has.
fn in_parallel(paths: &[PathBuf], work: impl Fn(&Path) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(path);
                }
            });
        }
    });
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
fn forbidden(case: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in files(case) {
        let text = String::from_utf8_lossy(&fs::read(&file).expect("readable")).into_owned();
        let words = text.split(|c: char| c.is_whitespace() || "\"'{}[],:".contains(c));
        for word in words.filter(|word| SIGNS.iter().any(|sign| word.contains(sign))) {
            found.push(word.to_owned());
            found.push(hex(&Sha256::digest(word)));
            found.push(hex(&Sha512::digest(word)));
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
