//! A module imports only what stands above it in `src/lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project;

#[test]
fn modules_import_only_leftwards() {
    let source = project().join("src");
    let lib = fs::read_to_string(source.join("lib.rs")).expect("lib.rs is there");
    let order: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(order.len() > 10, "the order of modules was not found in lib.rs");
    let rank = |module: &str| order.iter().position(|name| *name == module);
    let mut seen = 0;
    for file in rust_files(&source) {
        let relative =
            file.strip_prefix(&source).expect("below src").to_string_lossy().into_owned();
        let module = relative.split(['/', '.']).next().unwrap_or_default().to_owned();
        let Some(own) = rank(&module) else { continue };
        let text = fs::read_to_string(&file).expect("readable");
        for import in imports(&text) {
            let Some(other) = rank(&import) else {
                panic!("{relative} names crate::{import}, which lib.rs does not");
            };
            seen += 1;
            assert!(other <= own, "{relative} imports {import}, which stands to its right");
            check_bans(&relative, &module, &import);
        }
    }
    assert!(seen > 50, "only {seen} imports were found");
}

/// A reporter cannot print what it cannot name; rules do no I/O; few know the command line.
fn check_bans(file: &str, module: &str, import: &str) {
    let is_banned = match module {
        "report" => ["document", "keys", "sops", "kubernetes", "redact", "input"].contains(&import),
        "rules" => ["host"].contains(&import),
        "settings" | "commands" | "cli" => false,
        _ => import == "cli",
    };
    assert!(!is_banned, "{file} must not import {import}");
}

fn imports(text: &str) -> Vec<String> {
    let is_list = |(at, found): (usize, &str)| text[at + found.len()..].starts_with('{');
    assert!(!text.match_indices("crate::").any(is_list), "a list behind crate:: hides its modules");
    text.match_indices("crate::")
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .map(|(at, found)| {
            text[at + found.len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
#[should_panic(expected = "hides its modules")]
fn a_list_of_modules_cannot_pass_by() {
    imports("use crate::{cli, report};");
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("src can be listed") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}
