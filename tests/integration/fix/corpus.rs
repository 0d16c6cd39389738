//! Real files, decrypted to made-up values: what is sealed again differs in nothing but ciphertext.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{repository, sops_lint};

#[test]
fn nothing_but_ciphertext_and_metadata_changes_in_real_files() {
    let Some(corpus) = crate::corpus::corpus() else { return };
    let tree = repository(&[]);
    let mut made: Vec<(PathBuf, String)> = Vec::new();
    for file in super::walk(&corpus) {
        let Some(plain) = fs::read_to_string(&file).ok().and_then(|text| plaintext(&file, &text))
        else {
            continue;
        };
        let directory = tree.path().join(format!("case-{}", made.len()));
        fs::create_dir(&directory).expect("made");
        let rules = super::rules().replace(super::SELECTOR, &format!("    {}\n", plain.selector));
        fs::write(directory.join(".sops.yaml"), rules).expect("written");
        let path = directory.join("file.sops.yaml");
        fs::write(&path, &plain.text).expect("written");
        made.push((path, plain.text));
    }
    assert!(made.len() > 400, "only {} files could be made", made.len());
    let run = sops_lint(tree.path(), &["fix", "-v"]);
    let mut sealed = 0;
    for (path, plain) in &made {
        let text = fs::read_to_string(path).expect("there");
        if text == *plain {
            let name = path.strip_prefix(tree.path()).expect("inside").display().to_string();
            let line = run.stderr.lines().find(|line| line.contains(&name)).unwrap_or_default();
            let is_known = [
                "would lose this comment",
                "may take this comment",
                "would encrypt",
                "alias repeats",
                "left in plaintext",
            ];
            assert!(is_known.iter().any(|known| line.contains(known)), "{name}: {line}");
            continue;
        }
        sealed += 1;
        let (new, old) = (without_metadata(&masked(&text)), masked(plain));
        assert_eq!(with_equal_comments(&new), with_equal_comments(&old), "{}", path.display());
    }
    assert!(sealed * 10 > made.len() * 9, "only {sealed} of {} were sealed", made.len());
}

struct Plain {
    text: String,
    selector: String,
}

/// A file as it may have been before it was encrypted. `None` of all that is no YAML with metadata at
/// its end.
fn plaintext(path: &str, text: &str) -> Option<Plain> {
    let is_yaml =
        Path::new(path).extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_yaml || !text.contains("\nsops:\n") || text.contains("<<<<") {
        return None;
    }
    let selector = text.lines().map(str::trim).find(|line| {
        ["encrypted_regex:", "unencrypted_regex:", "encrypted_suffix:", "unencrypted_suffix:"]
            .iter()
            .any(|field| line.starts_with(field))
    });
    let masked = masked(&without_metadata(text));
    let has_values = masked.contains("canary");
    has_values.then(|| Plain { text: masked, selector: selector.unwrap_or_default().to_owned() })
}

/// With a word in the place of every ciphertext, which is as long as a value may be.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("ENC[AES256_GCM,") {
        let end = rest[at..].find(']').map_or(rest.len(), |end| at + end + 1);
        let before = rest[..at].strip_suffix('#').map_or(&rest[..at], |before| before);
        out.push_str(before);
        out.push_str(if before.len() < at { "# canary" } else { "canary" });
        rest = &rest[end..];
    }
    out + rest
}

/// Comments that were in plaintext may be encrypted now.
fn with_equal_comments(text: &str) -> String {
    let equal = |line: &str| match line.split_once('#') {
        Some((blanks, _)) if blanks.trim().is_empty() => format!("{blanks}#\n"),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(equal).collect()
}

/// Without the `sops` block of every document, whose lines are indented.
fn without_metadata(text: &str) -> String {
    let mut out = String::new();
    let mut is_inside = false;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "sops:" {
            is_inside = true;
        } else if is_inside && !line.starts_with(' ') && !line.trim().is_empty() {
            is_inside = false;
        }
        if !is_inside {
            out.push_str(line);
        }
    }
    out
}
