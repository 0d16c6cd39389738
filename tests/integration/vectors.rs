//! Files that the real sops made, and damaged twins of them (`fixtures/vectors`).

use std::collections::BTreeMap;
use std::fs;

use crate::support::{fixtures, sops_lint};

#[test]
fn nothing_that_sops_wrote_is_an_error_under_its_own_config() {
    let vectors = fixtures().join("vectors/3.11.0");
    let tree = tempfile::tempdir().expect("made");
    fs::copy(vectors.join(".sops.yaml"), tree.path().join(".sops.yaml")).expect("copied");
    // The rules of the config are for the paths that the files had before they were encrypted.
    fs::create_dir(tree.path().join("plain")).expect("made");
    let mut files = 0;
    for entry in fs::read_dir(vectors.join("enc")).expect("listed") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("named");
        fs::copy(&path, tree.path().join("plain").join(name)).expect("copied");
        files += 1;
    }
    assert_eq!(files, 60, "the vectors are not all there");
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    let errors: Vec<_> =
        run.findings().into_iter().filter(|(_, level, _)| level == "error").collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(run.json()["summary"]["encrypted_files"], 60, "every format is recognised");
}

/// What the rules say of each damaged file without a key. Damage that only a key shows, and
/// changes that sops itself accepts, stand in neither list.
const ERRORS: &[(&str, &[&str])] = &[
    ("n18-type-unknown.yaml", &["malformed-ciphertext"]),
    ("n19-b64-truncated.yaml", &["malformed-ciphertext"]),
    ("n20-tag-short.yaml", &["malformed-ciphertext"]),
    ("n21-iv-12.yaml", &["malformed-ciphertext"]),
    ("n22-value-not-enc.yaml", &["plaintext-value"]),
    ("n23-plain-added-to-encrypted.yaml", &["plaintext-value"]),
    ("n24-plain-in-data.yaml", &["plaintext-value"]),
    ("n25-int-in-encrypted.yaml", &["plaintext-value"]),
    ("n34-mac-missing.yaml", &["invalid-metadata"]),
    ("n35-mac-empty.yaml", &["invalid-metadata"]),
    ("n38-lastmodified-missing.yaml", &["invalid-metadata"]),
    ("n39-lastmodified-garbage.yaml", &["invalid-metadata"]),
    ("n42-version-missing.yaml", &["invalid-metadata"]),
    ("n43-version-garbage.yaml", &["invalid-metadata"]),
    ("n46-selector-removed.yaml", &["plaintext-value"]),
    ("n47-selector-changed.yaml", &["orphan-ciphertext"]),
    ("n48-two-selectors.yaml", &["invalid-metadata"]),
    ("n49-bad-regex.yaml", &["invalid-regex", "orphan-ciphertext"]),
    ("n56-recipient-label-garbage.yaml", &["invalid-recipient"]),
    ("n57-age-enc-truncated.yaml", &["malformed-data-key"]),
    ("n58-age-list-empty.yaml", &["invalid-metadata"]),
    ("n59-no-keys.yaml", &["invalid-metadata"]),
    ("n60-sops-not-a-map.yaml", &["invalid-metadata"]),
    ("n61-sops-missing.yaml", &["orphan-ciphertext"]),
    ("n62-sops-null.yaml", &["orphan-ciphertext"]),
    ("n63-sops-empty-map.yaml", &["invalid-metadata"]),
    ("n64-duplicate-key.yaml", &["invalid-metadata"]),
    ("n65-duplicate-nested-key.yaml", &["invalid-metadata", "plaintext-value"]),
    ("n66-conflict-markers.yaml", &["merge-conflict"]),
    ("n67-conflict-markers-mac.yaml", &["merge-conflict"]),
    ("n70-multidoc-first-meta-removed.yaml", &["mixed-documents"]),
    ("n73-multidoc-doc-added.yaml", &["mixed-documents"]),
    ("n77-json-dup-key.json", &["invalid-metadata"]),
    ("n78-json-trailing.json", &["unreadable-document"]),
    ("n79-json-trailing-comma.json", &["unreadable-document"]),
    ("n80-env-no-eq.env", &["plaintext-value"]),
    ("n81-env-mac-removed.env", &["invalid-metadata"]),
    ("n83-binary-data-removed.bin", &["unreadable-document"]),
    ("n84-pgp-fp-label-lies.yaml", &["invalid-recipient"]),
    ("n85-created-at-missing.yaml", &["invalid-metadata"]),
    ("n88-tabs.yaml", &["unreadable-document"]),
    ("n94-enc-lowercase-hexlike.yaml", &["malformed-ciphertext"]),
    ("n95-wrapped-value.yaml", &["malformed-ciphertext"]),
    ("n96-hard-wrapped-b64.yaml", &["malformed-ciphertext"]),
    ("n97-b64-newline.yaml", &["malformed-ciphertext"]),
];

/// What sops accepts and a second look does not.
const WARNINGS: &[(&str, &[&str])] = &[
    ("n28-trailing-garbage.yaml", &["malformed-ciphertext"]),
    ("n57-age-enc-truncated.yaml", &["encrypted-manifest"]),
    ("n69-multidoc-second-meta-removed.yaml", &["mixed-documents"]),
];

#[test]
fn damage_that_shows_without_a_key_is_named() {
    let vectors = fixtures().join("vectors/3.11.0/neg");
    let tree = crate::support::copy_of(&vectors, &[]);
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]);
    for (level, expected) in [("error", ERRORS), ("warning", WARNINGS)] {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (rule, of, path) in run.findings() {
            if of == level {
                found.entry(path).or_default().push(rule);
            }
        }
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, rules) in expected {
            wanted
                .insert((*path).to_owned(), rules.iter().map(|rule| (*rule).to_owned()).collect());
        }
        for rules in found.values_mut() {
            rules.sort();
        }
        assert_eq!(found, wanted, "findings of level {level}");
    }
}

// Only a private key shows these: a wrong MAC (51), a value that does not decrypt (25), no
// key (128). The others are not encrypted at all.
const NEEDS_KEY: [i64; 3] = [25, 51, 128];
const NOT_YET: [&str; 2] = ["n92-empty-file.yaml", "n98-sequence-root.yaml"];

#[test]
fn what_sops_refuses_for_its_form_is_an_error_here() {
    let text = fs::read_to_string(fixtures().join("vectors/3.11.0/negative.json")).expect("read");
    let negative: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for case in negative.as_array().expect("a list") {
        let file = case["file"].as_str().expect("a name");
        let code = case["rc"].as_i64().expect("a number");
        if code == 0 || NEEDS_KEY.contains(&code) || NOT_YET.contains(&file) {
            continue;
        }
        assert!(ERRORS.iter().any(|(name, _)| *name == file), "sops exits with {code} on {file}");
    }
}

/// Private keys of everybody to whom the vectors are encrypted.
struct Keys {
    age: tempfile::NamedTempFile,
    pgp: tempfile::NamedTempFile,
}

impl Keys {
    fn new() -> Self {
        let keys = fixtures().join("vectors/3.11.0/keys");
        let joined = |names: &[&str]| {
            let file = tempfile::NamedTempFile::new().expect("made");
            let texts = names.iter().map(|name| fs::read_to_string(keys.join(name)).expect(name));
            fs::write(file.path(), texts.collect::<String>()).expect("written");
            file
        };
        Self {
            age: joined(&["age/alice.txt", "age/bob.txt", "age/carol.txt", "age/pq.txt"]),
            pgp: joined(&["pgp/rsa.sec.asc", "pgp/ed.sec.asc"]),
        }
    }

    /// The numbers of a scan of these files: verified, errors.
    fn scan(&self, files: &[std::path::PathBuf]) -> (u64, u64) {
        let tree = tempfile::tempdir().expect("made");
        for file in files {
            fs::copy(file, tree.path().join(file.file_name().expect("named"))).expect("copied");
        }
        let ssh = fixtures().join("vectors/3.11.0/keys/ssh");
        let command = format!("cat '{}'", ssh.join("id_rsa").display());
        let variables = [
            ("SOPS_AGE_KEY_FILE", self.age.path()),
            ("SOPS_LINT_PGP_KEY_FILE", self.pgp.path()),
            ("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &*ssh.join("id_ed25519")),
            ("SOPS_AGE_SSH_PRIVATE_KEY_CMD", command.as_ref()),
        ];
        let args = ["scan", "--format", "json"];
        let run = crate::support::sops_lint_with(tree.path(), &args, &variables);
        let number = |name: &str| run.json()["summary"][name].as_u64().expect("a number");
        (number("verified"), number("errors"))
    }
}

#[test]
fn everything_that_sops_wrote_verifies() {
    let entries = fs::read_dir(fixtures().join("vectors/3.11.0/enc")).expect("listed");
    let files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    // Three are for a KMS or a Vault.
    assert_eq!((files.len(), Keys::new().scan(&files).0), (60, 57));
}

#[test]
fn the_verdict_on_damaged_files_is_that_of_sops() {
    // Two were tried without the key for them, and two are not encrypted at all.
    const OTHERS: [&str; 4] = [
        "n53-wrong-recipient.yaml",
        "n54-no-key.yaml",
        "n92-empty-file.yaml",
        "n98-sequence-root.yaml",
    ];
    let vectors = fixtures().join("vectors/3.11.0");
    let text = fs::read_to_string(vectors.join("negative.json")).expect("read");
    let negative: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let keys = Keys::new();
    let mut wrong = Vec::new();
    for case in negative.as_array().expect("a list") {
        let file = case["file"].as_str().expect("a name");
        let is_taken = case["rc"] == 0;
        let (verified, errors) = keys.scan(&[vectors.join("neg").join(file)]);
        let is_same = (verified == 1) == is_taken && (is_taken || errors > 0);
        if !is_same && !OTHERS.contains(&file) {
            wrong
                .push(format!("{file}: sops {}, {verified} verified, {errors} errors", case["rc"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
