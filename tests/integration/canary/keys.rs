//! The same with private keys available, and with all that can go wrong with them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sops_lint::report::REPORTERS;

use super::assert_silent;
use crate::support::{Run, copy_of, fixtures, project, sops_lint_with};

fn vectors() -> PathBuf {
    fixtures().join("vectors/3.11.0")
}

/// Everything that must not be printed: values, comments, data keys, MACs and private keys of the vectors.
fn secrets() -> Vec<String> {
    let mut secrets = Vec::new();
    let text = fs::read_to_string(vectors().join("datakeys.json")).expect("read");
    let files: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for file in files.as_object().expect("a map").values() {
        let key = file["datakey_hex"].as_str().expect("digits");
        let bytes: Vec<u8> = (0..key.len() / 2)
            .map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).expect("hexadecimal"))
            .collect();
        let mac = file["mac_plain"].as_str().expect("digits");
        secrets.extend([key.to_owned(), key.to_uppercase(), STANDARD.encode(bytes)]);
        secrets.extend([mac.to_owned(), mac.to_lowercase()]);
    }
    for file in super::files(&vectors().join("keys")) {
        let is_private = !file.to_string_lossy().contains(".pub");
        let lines = fs::read_to_string(&file).unwrap_or_default();
        let lines = lines.lines().filter(|line| line.len() > 40 && !line.contains(' '));
        let is_key = |line: &&str| !line.contains("colons") && !line.contains("fpr:");
        secrets.extend(lines.filter(|_| is_private).filter(is_key).map(str::to_owned));
    }
    secrets.extend(values());
    secrets
}

/// Words that a vector has only when it is decrypted, but for those of everyday: the manual has them,
/// or a run without keys shows them.
fn values() -> Vec<String> {
    let words = |text: &str| -> HashSet<String> {
        let words = text.split(|c: char| c.is_whitespace() || "\"'{}[],:=".contains(c));
        words.filter(|word| word.len() >= 6).map(str::to_owned).collect()
    };
    let of_file = |path: &Path| words(&String::from_utf8_lossy(&fs::read(path).expect("read")));
    let tree = tree();
    let mut known = of_file(&project().join("docs/rules.md"));
    for format in ["human", "json"] {
        let args = ["scan", "-v", "--verify", "never", "--format", format];
        known.extend(words(&sops_lint_with(tree.path(), &args, &[]).stdout));
    }
    let mut values = HashSet::new();
    for file in super::files(&vectors().join("dec")) {
        let encrypted = vectors().join("enc").join(file.file_name().expect("named"));
        let decrypted = of_file(&file);
        values.extend(decrypted.difference(&of_file(&encrypted)).cloned());
    }
    let values: Vec<String> = values.difference(&known).cloned().collect();
    assert!(values.len() > 20, "only {} values to look for", values.len());
    values
}

/// Files for every kind of key, in every format; some damaged, one over which sops panics.
fn tree() -> tempfile::TempDir {
    const NAMES: &[&str] = &[
        "enc/12-", "enc/18-", "enc/20-", "enc/23-", "enc/26-", "enc/27-", "enc/28-", "enc/29-",
        "enc/30-", "enc/31-", "enc/33-", "enc/34-", "enc/38-", "enc/39-", "enc/41-", "enc/43-",
        "enc/54-", "neg/n01-", "neg/n15-", "neg/n16-", "neg/n25-", "neg/n33-", "neg/n51-",
    ];
    let tree = tempfile::tempdir().expect("made");
    let mut count = 0;
    for file in ["enc", "neg"].iter().flat_map(|it| super::files(&vectors().join(it))) {
        let name = file.strip_prefix(vectors()).expect("below").to_string_lossy().into_owned();
        if NAMES.iter().any(|start| name.starts_with(start)) {
            fs::copy(&file, tree.path().join(file.file_name().expect("named"))).expect("copied");
            count += 1;
        }
    }
    assert_eq!(count, NAMES.len(), "a vector was renamed");
    tree
}

/// A scan that says as much as it can, for people and for programs.
fn scans(tree: &Path, variables: &[(&str, &Path)]) -> [Run; 2] {
    [&["scan", "-v", "--verify", "always"][..], &["scan", "--format", "json"]]
        .map(|args| sops_lint_with(tree, args, variables))
}

fn key(name: &str) -> PathBuf {
    vectors().join("keys").join(name)
}

#[test]
fn nothing_of_what_was_opened_is_printed() {
    let secrets = secrets();
    let tree = copy_of(&vectors(), &["positive.json", "negative.json", "datakeys.json"]);
    for directory in ["plain", "dec", "keys"] {
        fs::remove_dir_all(tree.path().join(directory)).expect("removed");
    }
    let all = tempfile::NamedTempFile::new().expect("made");
    let who = ["alice", "bob", "carol"].map(|it| fs::read(key(&format!("age/{it}.txt"))));
    fs::write(all.path(), who.map(|it| it.expect("read")).concat()).expect("written");
    let variables = [
        ("SOPS_AGE_KEY_FILE", all.path()),
        ("SOPS_LINT_PGP_KEY_FILE", &key("pgp/ed.sec.asc")),
        ("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &key("ssh/id_ed25519")),
    ];
    for reporter in REPORTERS {
        let args = ["scan", "-v", "--format", reporter.name()];
        let run = sops_lint_with(tree.path(), &args, &variables);
        assert_silent(&run, &secrets, reporter.name());
        assert_eq!(run.code, Some(1), "tampering is found: {run:?}");
    }
    let run = sops_lint_with(tree.path(), &["scan", "--format", "json"], &variables);
    assert!(run.json()["summary"]["verified"].as_u64() > Some(60), "hardly anything was opened");
}

#[test]
fn keys_that_are_of_no_use_are_not_printed() {
    let (secrets, tree) = (secrets(), tree());
    let directory = tempfile::tempdir().expect("made");
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    let alice = fs::read_to_string(key("age/alice.txt")).expect("read");
    let identity = alice.lines().find(|line| line.starts_with("AGE-")).expect("an identity");
    let armored = fs::read_to_string(key("pgp/rsa.sec.asc")).expect("read");
    let mistyped = write("mistyped", identity.replace("KEY-1", "KEY-1Q").as_bytes());
    let mixed = write("mixed", format!("# canary\n{identity}\ncanary-password\n").as_bytes());
    let cut = write("cut", &armored.as_bytes()[..armored.len() / 2]);
    let garbage = write("garbage", b"canary \xff\xfe canary");
    let locked =
        write("locked", b"age-encryption.org/v1\n-> scrypt canary 18\ncanary\n--- canary\n");
    let broken_ssh = write(
        "id",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\ncanarycanary\n-----END OPENSSH PRIVATE KEY-----\n",
    );
    let text = |text: &str| PathBuf::from(text);
    for (variable, value) in [
        ("SOPS_AGE_KEY_FILE", key("age/mallory.txt")),
        ("SOPS_AGE_KEY_FILE", key("age/pq.txt")),
        ("SOPS_AGE_KEY_FILE", mistyped),
        ("SOPS_AGE_KEY_FILE", mixed),
        ("SOPS_AGE_KEY_FILE", garbage.clone()),
        ("SOPS_AGE_KEY_FILE", locked),
        ("SOPS_AGE_KEY_FILE", directory.path().to_owned()),
        ("SOPS_AGE_KEY_FILE", key("ssh/id_ed25519")),
        ("SOPS_AGE_KEY", text("canary-password")),
        ("SOPS_AGE_KEY", text(&format!("{identity}CANARY"))),
        ("SOPS_AGE_KEY", text("AGE-PLUGIN-CANARY-1CANARY")),
        ("SOPS_AGE_SSH_PRIVATE_KEY_FILE", broken_ssh),
        ("SOPS_AGE_SSH_PRIVATE_KEY_FILE", garbage.clone()),
        ("SOPS_AGE_KEY_CMD", text("canary-is-no-program 'canary canary'")),
        ("SOPS_AGE_KEY_CMD", text("canary 'quote that does not end")),
        ("SOPS_LINT_PGP_KEY_FILE", key("pgp/ed.sec.asc")),
        ("SOPS_LINT_PGP_KEY_FILE", key("pgp/rsa.pub.asc")),
        ("SOPS_LINT_PGP_KEY_FILE", key("age/alice.txt")),
        ("SOPS_LINT_PGP_KEY_FILE", cut),
        ("SOPS_LINT_PGP_KEY_FILE", garbage),
    ] {
        for run in scans(tree.path(), &[(variable, &value)]) {
            assert_silent(&run, &secrets, &format!("{variable}={}", value.display()));
        }
    }
}

#[cfg(unix)]
#[test]
fn what_programs_print_is_not_printed() {
    use crate::gpg::{FakeGpg, write_program};

    const LOUD: &str = "echo canary-out; echo canary-error >&2";
    let (secrets, tree) = (secrets(), tree());
    let directory = tempfile::tempdir().expect("made");
    for (number, ending) in ["exit 1", "exit 0", "kill -9 $$"].iter().enumerate() {
        let program = directory.path().join(format!("command-{number}"));
        write_program(
            &program,
            &format!("cat '{}'; {LOUD}; {ending}\n", key("age/alice.txt").display()),
        );
        for variable in ["SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_CMD"] {
            for run in scans(tree.path(), &[(variable, &program)]) {
                assert_silent(&run, &secrets, &format!("{variable} that does {ending}"));
            }
        }
    }
    let long = "i=0; while [ $i -lt 20000 ]; do echo canary; i=$((i+1)); done";
    for decrypt in [
        &format!("{LOUD}; exit 1"),
        &format!("cat > /dev/null; {LOUD}; exit 1"),
        &format!("exec 0<&-; {LOUD}"),
        "exit 0",
        "kill -9 $$",
        "printf canary-canary-canary-canary-0123",
        "printf canary-canary-canary-canary-012",
        "cat",
        long,
    ] {
        let gpg = FakeGpg::new(&["ed", "rsa"], decrypt);
        let program = gpg.program();
        let variables = [("SOPS_GPG_EXEC", &*program), ("GNUPGHOME", gpg.home())];
        for run in scans(tree.path(), &variables) {
            assert_silent(&run, &secrets, &format!("gpg that does {decrypt}"));
        }
        assert!(!gpg.asked("--decrypt").is_empty(), "gpg was not asked");
    }
}
