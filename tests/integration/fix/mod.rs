//! `sops-lint fix`: what it encrypts, what it refuses, and that nothing is lost on the way.
#![cfg(unix)]

mod agreement;
mod attributes;
mod corpus;
mod interrupted;
mod killed;
mod sops;
mod staged;
mod unfaithful;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{
    Git, Run, copy_of, directories, fixtures, repository, sops_lint, sops_lint_as_alice,
    sops_lint_with,
};

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary # canary\n";
const SELECTOR: &str = "    encrypted_regex: ^(data|stringData)$\n";

fn recipient(name: &str) -> String {
    let path = fixtures().join(format!("keys/age/{name}.pub"));
    fs::read_to_string(path).expect("a public key").trim().to_owned()
}

/// Creation rules for Alice.
fn rules() -> String {
    format!("creation_rules:\n  - age: {}\n{SELECTOR}", recipient("alice"))
}

fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn assert_sealed(text: &str) {
    assert!(!text.contains("canary"), "{text}");
    assert!(text.contains("ENC[AES256_GCM,") && text.contains("sops:"), "{text}");
}

/// Neither in what was said nor beside the files is anything left that should not be.
fn assert_clean(root: &Path, run: &Run) {
    assert!(!run.stdout.contains("canary") && !run.stderr.contains("canary"), "{run:?}");
    let left: Vec<_> = walk(root).into_iter().filter(|name| name.contains(".sops-lint-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn walk(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(walk(&path));
        } else {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn plaintext_is_encrypted_and_the_next_scan_is_clean() {
    let tree = repository(&[
        (".sops.yaml", &rules()),
        ("apps/db.yaml", SECRET),
        ("apps/note.yaml", "kind: ConfigMap\napiVersion: v1\ndata:\n  a: b\n"),
    ]);
    let run = sops_lint(tree.path(), &["fix"]);
    assert_clean(tree.path(), &run);
    let said =
        "apps/db.yaml: encrypted 1 value and 1 comment for 1 recipient of rule 1 in .sops.yaml\n";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), said, ""));
    let text = read(tree.path(), "apps/db.yaml");
    assert_sealed(&text);
    assert!(text.starts_with(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: ENC["
    ));
    let scan = sops_lint_as_alice(tree.path(), &["scan", "--format", "json"]);
    assert_eq!((scan.code, scan.findings()), (Some(0), Vec::new()));
    assert_eq!(scan.json()["summary"]["verified"], 1);
    let again = sops_lint(tree.path(), &["fix"]);
    assert_eq!((again.code, &*again.stdout), (Some(0), ""));
    assert_eq!(read(tree.path(), "apps/db.yaml"), text);
}

#[test]
fn to_ask_changes_nothing_and_shows_no_value() {
    let tree = repository(&[(".sops.yaml", &rules()), ("db.yaml", SECRET)]);
    for option in ["--dry-run", "--diff"] {
        let run = sops_lint(tree.path(), &["fix", option]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert_clean(tree.path(), &run);
        assert_eq!(read(tree.path(), "db.yaml"), SECRET);
    }
    let diff = sops_lint(tree.path(), &["fix", "--diff"]).stdout;
    for part in
        ["--- a/db.yaml\n+++ b/db.yaml\n@@ -4,3 +4,", "\n-  password: ", "\n+  password: ENC["]
    {
        assert!(diff.contains(part), "{part}: {diff}");
    }
}

#[test]
fn keys_of_every_kind_open_what_was_encrypted_to_them() {
    let pgp = "5CCF8425D57B7B6B23A8F8B9B9A998A212A64C26";
    let public = fs::read_to_string(fixtures().join("keys/pgp/rsa.pub.asc")).expect("a key");
    let ssh = fs::read_to_string(fixtures().join("keys/ssh/id_ed25519.pub")).expect("a key");
    let (alice, bob) = (recipient("alice"), recipient("bob"));
    let groups = format!(
        "creation_rules:\n  - shamir_threshold: 2\n{SELECTOR}    key_groups:\n      - age: [{alice}]\n      \
         - pgp: [{pgp}]\n      - age: ['{}']\n",
        ssh.trim()
    );
    let flat =
        |field: &str, keys: &str| format!("creation_rules:\n  - {field}: '{keys}'\n{SELECTOR}");
    let both = format!("creation_rules:\n  - age: {bob}\n    pgp: {pgp}\n{SELECTOR}");
    for (rules, has_pgp) in [
        (flat("age", &format!("{bob},{alice}")), false),
        (flat("pgp", pgp), true),
        (flat("pgp", &pgp.to_lowercase()), true),
        (both, true),
        (groups, true),
    ] {
        let tree =
            repository(&[(".sops.yaml", &rules), (".sops.pub.asc", &public), ("db.yaml", SECRET)]);
        let run = sops_lint(tree.path(), &["fix"]);
        assert_eq!(run.code, Some(0), "{rules}: {run:?}");
        assert_sealed(&read(tree.path(), "db.yaml"));
        let pgp_key = fixtures().join("keys/pgp/rsa.sec.asc");
        let age_key = fixtures().join("keys/age/alice.txt");
        let mut keys: Vec<(&str, &Path)> = vec![("SOPS_AGE_KEY_FILE", &age_key)];
        keys.extend(has_pgp.then_some(("SOPS_LINT_PGP_KEY_FILE", &*pgp_key)));
        let scan = sops_lint_with(tree.path(), &["scan", "--format", "json"], &keys);
        assert_eq!(scan.json()["summary"]["verified"], 1, "{rules}: {scan:?}");
        assert_eq!(scan.code, Some(0), "{rules}: {scan:?}");
    }
}

/// Repositories of the fixtures for rules whose findings can be fixed.
#[test]
fn to_fix_twice_is_to_fix_once_and_leaves_nothing_that_could_be_fixed() {
    let mut encrypted = 0;
    for rule in
        ["unencrypted-secret", "unencrypted-file", "unknown-config-key", "selector-hits-metadata"]
    {
        for case in directories(&fixtures().join("rules").join(rule)) {
            let copy = copy_of(&case, &["findings.txt"]);
            let first = sops_lint(copy.path(), &["fix"]);
            assert!(matches!(first.code, Some(0 | 1)), "{}: {first:?}", case.display());
            assert_clean(copy.path(), &first);
            encrypted += first.stdout.matches(": encrypted ").count();
            let files = contents(copy.path());
            let second = sops_lint(copy.path(), &["fix"]);
            assert_eq!((&*second.stdout, second.code), ("", first.code), "{}", case.display());
            assert_eq!(contents(copy.path()), files, "{}", case.display());
            for line in first.stdout.lines().filter(|line| line.contains(": encrypted ")) {
                let path = line.split(": encrypted ").next().expect("a path");
                let scan = sops_lint_as_alice(copy.path(), &["scan", "--format", "json", path]);
                let errors = scan.findings().into_iter().filter(|(_, level, _)| level == "error");
                assert_eq!(errors.count(), 0, "{}: {scan:?}", case.display());
            }
        }
    }
    assert!(encrypted > 5, "only {encrypted} files were encrypted");
}

/// Whatever sops encrypted is encrypted.
#[test]
fn what_sops_wrote_is_never_touched() {
    let copy = copy_of(&fixtures().join("vectors/3.11.0/enc"), &[]);
    fs::write(copy.path().join(".sops.yaml"), rules()).expect("written");
    let files = contents(copy.path());
    let run = sops_lint(copy.path(), &["fix"]);
    // Some have other recipients or selectors than the rule, which takes a private key to fix.
    assert_eq!((run.code, &*run.stdout), (Some(1), ""), "{run:?}");
    assert!(run.stderr.contains("infos are left: see `sops-lint scan`"), "{run:?}");
    assert_eq!(contents(copy.path()), files);
}

fn contents(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = walk(root)
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).expect("readable")))
        .collect();
    all.sort();
    all
}

/// Creation rules and a file that they cannot be applied to, why, and what is to be done.
#[expect(clippy::too_many_lines, reason = "a table is as long as it is")]
fn refusals() -> Vec<(String, String, &'static str, &'static str)> {
    let (alice, pq) = (recipient("alice"), recipient("pq"));
    let kms = format!(
        "creation_rules:\n  - kms: arn:aws:kms:eu-west-1:111122223333:key/x\n    age: {alice}\n{SELECTOR}"
    );
    let anchors = SECRET.replace("password: canary # canary", "a: &a canary\n  b: *a");
    let nested = SECRET
        .replace("  password", "  a:\n    b: canary\n  # canary\n")
        .replace(": canary # canary", "");
    let flows = [
        "stringData: {password: canary} # canary\n",
        "stringData: {password: canary # canary\n  }\n",
        "stringData: {password: canary, # canary\n  user: canary}\n",
        "\"stringData\": {\"password\": \"canary\"} # canary\n",
    ];
    let head = SECRET.split("stringData").next().expect("it has a head").to_owned();
    let flows = flows.map(|flow| {
        (
            rules(),
            format!("{head}{flow}"),
            "sops would lose this comment",
            "change that in the file",
        )
    });
    let mut all = vec![
        (
            kms,
            SECRET.to_owned(),
            "a service that sops has to ask",
            "let sops do it: `sops encrypt --in-place db.yaml`",
        ),
        (
            format!("creation_rules:\n  - age: {pq}\n{SELECTOR}"),
            SECRET.to_owned(),
            "post-quantum",
            "let sops do it",
        ),
        (
            format!("creation_rules:\n  - age: {alice}\n"),
            SECRET.to_owned(),
            "would encrypt apiVersion",
            "set encrypted_regex",
        ),
        (
            rules().replace("(data|stringData)", "data"),
            SECRET.to_owned(),
            "would encrypt no value",
            "let its selector cover",
        ),
        (
            rules().replace("- age", "- path_regex: ^x/\n    age"),
            SECRET.to_owned(),
            "no creation rule matches it",
            "add a rule",
        ),
        (rules(), anchors, "an alias repeats a value", "change that in the file"),
        (rules(), nested, "sops would lose this comment", "change that in the file"),
        (
            rules().replace("(data|stringData)", "stringData"),
            format!("{SECRET}data:\n  token: Y2FuYXJ5\n"),
            "1 value of an encrypted Secret left in plaintext",
            "set encrypted_regex: ^(data|stringData)$ in rule 1 of .sops.yaml",
        ),
        (
            rules().replace("(data|stringData)", "("),
            SECRET.to_owned(),
            "selector that sops cannot compile",
            "correct the selector",
        ),
        (
            format!("creation_rules:\n  - pgp: {}\n{SELECTOR}", "AB".repeat(20)),
            SECRET.to_owned(),
            "has no public key here",
            "add it to the repository as .sops.pub.asc, or import it into gpg, or correct the recipients of rule 1 in .sops.yaml",
        ),
        (
            rules().replace("age1", "age2"),
            SECRET.to_owned(),
            "has no recipient",
            "correct its recipients",
        ),
    ];
    all.extend(flows);
    all
}

/// Their fingerprints are in `fixtures/make.py`.
#[test]
fn a_pgp_key_that_cannot_be_used_is_named_with_the_next_step() {
    for (name, fingerprint, reason, help) in [
        (
            "signing",
            "56D4508E8E8BD37EC59DFD42DA8547E79D1137B6",
            "has no subkey left that can be encrypted to",
            "let its owner add a subkey (`gpg --quick-add-key FINGERPRINT default encr`), and replace the public key in the repository or in gpg, or correct the recipients of rule 1 in .sops.yaml",
        ),
        (
            "expired",
            "89F0AB91FA2CDBF1A471FA6C0EC1CC31557E61F0",
            "has expired, or was revoked",
            "get a valid public key from its owner, and replace the old one in the repository or in gpg, or correct the recipients of rule 1 in .sops.yaml",
        ),
    ] {
        let path = fixtures().join(format!("keys/pgp/unusable/{name}.pub.asc"));
        let key = fs::read_to_string(path).expect("a key");
        let rules = format!("creation_rules:\n  - pgp: {fingerprint}\n{SELECTOR}");
        let tree =
            repository(&[(".sops.yaml", &rules), (".sops.pub.asc", &key), ("db.yaml", SECRET)]);
        let run = sops_lint(tree.path(), &["fix"]);
        assert!(run.code == Some(1) && run.stderr.contains(reason), "{reason}: {run:?}");
        assert!(run.stderr.contains(&format!("\n  help: {help}\n")), "{help}: {run:?}");
        assert_eq!(read(tree.path(), "db.yaml"), SECRET);
    }
}

#[test]
fn what_cannot_be_encrypted_is_named_and_left_alone() {
    for (rules, secret, reason, help) in refusals() {
        let tree = repository(&[
            (".sops.yaml", &rules),
            ("db.yaml", &secret),
            ("other/db.yaml", SECRET),
            ("other/.sops.yaml", &self::rules()),
        ]);
        let run = sops_lint(tree.path(), &["fix"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert_clean(tree.path(), &run);
        assert!(
            run.stderr.contains("error: db.yaml") && run.stderr.contains(reason),
            "{reason}: {run:?}"
        );
        assert!(run.stderr.contains(&format!("\n  help: {help}")), "{help}: {run:?}");
        assert_eq!(read(tree.path(), "db.yaml"), secret);
        assert_sealed(&read(tree.path(), "other/db.yaml"));
    }
    let tree = repository(&[("db.yaml", SECRET)]);
    let run = sops_lint(tree.path(), &["fix"]);
    assert!(
        run.code == Some(1) && run.stderr.contains("there is no .sops.yaml in a directory above"),
        "{run:?}"
    );
}

/// sops reads the rules in their order, and looks at one only if no rule before it matches.
#[test]
fn a_mistake_in_another_rule_is_in_the_way_only_if_it_is_for_sops() {
    for (other, is_encrypted) in [
        ("path_regex: '('\n    age: x\n", true),
        ("path_regex: ^b/\n", true),
        ("path_regex: ^b/\n    age: x\n    encrypted_regex: '('\n", true),
        ("path_regex: ^b/\n    encrypted_regex: a\n    encrypted_suffix: b\n", true),
        ("path_regex: [a]\n    age: x\n", false),
        ("path_regex: ^b/\n    shamir_threshold: x\n", false),
        ("path_regex: ^b/\n    mac_only_encrypted: 5\n", false),
    ] {
        let rules = rules().replace("- age", "- path_regex: ^a/\n    age") + "  - " + other;
        let tree = repository(&[(".sops.yaml", &rules), ("a/db.yaml", SECRET)]);
        let run = sops_lint(tree.path(), &["fix", "a"]);
        assert_eq!(
            run.stdout.starts_with("a/db.yaml: encrypted"),
            is_encrypted,
            "{other}: {run:?}"
        );
    }
    let rules = rules().replace("creation_rules:\n", "creation_rules:\n  - path_regex: '('\n");
    let tree = repository(&[(".sops.yaml", &rules), ("a/db.yaml", SECRET)]);
    assert_eq!(
        sops_lint(tree.path(), &["fix"]).stdout,
        "",
        "sops fails at a broken rule before it"
    );
}

#[test]
fn a_rule_without_a_selector_gets_one_if_that_is_wanted() {
    let bare = rules().replace(SELECTOR, "");
    let tree = repository(&[(".sops.yaml", &bare), ("db.yaml", SECRET)]);
    let run = sops_lint(tree.path(), &["fix"]);
    assert!(run.stderr.contains("`sops-lint fix --unsafe` would fix 1 of them"), "{run:?}");
    let run = sops_lint(tree.path(), &["fix", "--unsafe"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run:?}");
    assert_sealed(&read(tree.path(), "db.yaml"));
    assert!(
        read(tree.path(), ".sops.yaml")
            .contains("- encrypted_regex: ^(data|stringData)$\n    age: ")
    );
}

#[test]
fn mistakes_of_a_config_are_corrected_and_files_encrypted_by_what_it_says_then() {
    let wrong = rules().replace("encrypted_regex", "encrypted-regex");
    let tree = repository(&[(".sops.yaml", &wrong), ("db.yaml", SECRET)]);
    let run = sops_lint(tree.path(), &["fix"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with(".sops.yaml: corrected 1 mistake\ndb.yaml: encrypted 1 value"));
    assert_eq!(read(tree.path(), ".sops.yaml"), rules());
    assert!(read(tree.path(), "db.yaml").contains("kind: Secret"));

    let loose = rules().replace("^(data|stringData)$", "'data|stringData'");
    let tree = repository(&[(".sops.yaml", &loose), ("db.yaml", SECRET)]);
    // The values that it encrypts in addition to those of Secrets may be intended.
    assert_eq!(sops_lint(tree.path(), &["fix"]).code, Some(1));
    assert_eq!(sops_lint(tree.path(), &["fix", "--unsafe"]).code, Some(0));
    assert_eq!(read(tree.path(), ".sops.yaml"), rules());

    let tree = repository(&[(".sops.yml", &rules())]);
    let run = sops_lint(tree.path(), &["fix"]);
    assert_eq!(
        (run.code, &*run.stdout),
        (Some(0), ".sops.yml: renamed to .sops.yaml\n"),
        "{run:?}"
    );
    assert_eq!(read(tree.path(), ".sops.yaml"), rules());
    assert!(!tree.path().join(".sops.yml").exists());

    let glob = rules().replace("- age", "- path_regex: secrets/*.yaml\n    age");
    let tree =
        repository(&[(".sops.yaml", &glob), ("secrets/a.txt", "x"), ("secrets/b.yaml", "a: b\n")]);
    assert_eq!(sops_lint(tree.path(), &["fix", ".sops.yaml"]).stdout, "");
    // Whether a file falls out of the rule is known only if all files are.
    assert_eq!(sops_lint(tree.path(), &["fix", "--unsafe", ".sops.yaml"]).stdout, "");
    let run = sops_lint(tree.path(), &["fix", "--unsafe"]);
    assert!(run.code.is_some_and(|code| code < 2), "{run:?}");
    assert!(
        read(tree.path(), ".sops.yaml").contains("path_regex: '^secrets/[^/]*\\.yaml$'"),
        "{run:?}"
    );
}

#[test]
fn a_decrypted_file_is_told_to_git_as_one_to_ignore() {
    let tree = repository(&[
        (".sops.yaml", &rules()),
        ("a b/secrets.dec.yaml", "a: canary\n"),
        (".gitignore", "x"),
    ]);
    let run = sops_lint(tree.path(), &["fix", "a b"]);
    assert_clean(tree.path(), &run);
    assert_eq!(read(tree.path(), ".gitignore"), "x\n/a\\ b/secrets.dec.yaml\n", "{run:?}");
}

#[test]
fn a_line_of_gitignore_is_written_once_and_a_file_that_cannot_be_read_fails_the_run() {
    let tree = repository(&[(".sops.yaml", &rules()), ("db.yaml", SECRET)]);
    assert_eq!(sops_lint(tree.path(), &["fix"]).code, Some(0));
    fs::rename(tree.path().join("db.yaml"), tree.path().join("db.enc.yaml")).expect("renamed");
    fs::write(tree.path().join("db.yaml"), SECRET).expect("written");
    for _ in 0..2 {
        sops_lint(tree.path(), &["fix"]);
        assert_eq!(read(tree.path(), ".gitignore"), "/db.yaml\n");
    }
    if cfg!(target_os = "linux") {
        assert_eq!(sops_lint(tree.path(), &["fix", "/proc/self/mem"]).code, Some(2));
    }
}

/// Root may fix the files of other users.
#[test]
fn the_owner_of_a_file_stays() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let tree = repository(&[(".sops.yaml", &rules()), ("db.yaml", SECRET)]);
    let file = tree.path().join("db.yaml");
    if chown(&file, Some(12_345), Some(54_321)).is_err() {
        let notice = b"**** the_owner_of_a_file_stays DID NOT RUN: only root can change owners\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), notice);
        return;
    }
    let run = sops_lint(tree.path(), &["fix"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_sealed(&read(tree.path(), "db.yaml"));
    let metadata = fs::metadata(&file).expect("there");
    assert_eq!((metadata.uid(), metadata.gid()), (12_345, 54_321));
}

#[test]
fn permissions_stay_and_what_is_no_plain_file_is_not_touched() {
    let tree = repository(&[(".sops.yaml", &rules()), ("db.yaml", SECRET), ("ro/db.yaml", SECRET)]);
    let mode = |path: &str| {
        fs::metadata(tree.path().join(path)).expect("there").permissions().mode() & 0o777
    };
    let set = |path: &str, mode| {
        fs::set_permissions(tree.path().join(path), fs::Permissions::from_mode(mode)).expect("set");
    };
    set("db.yaml", 0o640);
    symlink("db.yaml", tree.path().join("link.yaml")).expect("linked");
    let run = sops_lint(tree.path(), &["fix", "db.yaml", "link.yaml"]);
    assert_eq!((run.code, mode("db.yaml")), (Some(0), 0o640), "{run:?}");
    assert!(tree.path().join("link.yaml").is_symlink());
    set("ro/db.yaml", 0o440);
    let run = sops_lint(tree.path(), &["fix"]);
    let said = "error: ro/db.yaml was left as it is: it is read-only\n  help: make it writable: chmod u+w\n";
    assert!(run.code == Some(2) && run.stderr.starts_with(said), "{run:?}");
    assert_eq!(read(tree.path(), "ro/db.yaml"), SECRET);
}

/// Starts the binary where files may have no more than some kibibytes.
fn fix_with_full_disk(root: &Path) -> Run {
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" fix --no-progress"])
        .arg(env!("CARGO_BIN_EXE_sops-lint"))
        .current_dir(root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", root.join("nowhere"))
        .output()
        .expect("there is a shell");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

#[test]
fn where_one_file_cannot_be_written_none_is() {
    let long = SECRET.replace("canary #", &format!("{} #", "canary".repeat(400)));
    let git = Git::with(&[(".sops.yaml", &rules()), ("a.yaml", SECRET), ("b.yaml", &long)]);
    let run = fix_with_full_disk(&git.root);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr.contains("nothing was changed") && run.stderr.contains("\n  help: "),
        "{run:?}"
    );
    assert_clean(&git.root, &run);
    assert_eq!((read(&git.root, "a.yaml"), read(&git.root, "b.yaml")), (SECRET.to_owned(), long));
    assert_eq!(git.lint(&["fix"]).code, Some(0));
    assert_sealed(&read(&git.root, "b.yaml"));
}

#[test]
fn where_one_write_is_refused_the_others_are_made() {
    let tree = repository(&[
        (".sops.yaml", &rules()),
        ("db.yaml", SECRET),
        ("apps/secrets.dec.yaml", "a: canary\n"),
        (".gitignore", "x\n"),
    ]);
    let ignore = tree.path().join(".gitignore");
    fs::set_permissions(&ignore, fs::Permissions::from_mode(0o444)).expect("set");
    let run = sops_lint(tree.path(), &["fix"]);
    let said = "db.yaml: encrypted 1 value and 1 comment for 1 recipient of rule 1 in .sops.yaml\n";
    assert_eq!((run.code, &*run.stdout), (Some(2), said), "{run:?}");
    assert!(run.stderr.contains(".gitignore was left as it is: it is read-only"), "{run:?}");
    assert_clean(tree.path(), &run);
    assert_eq!(read(tree.path(), ".gitignore"), "x\n");

    let wrong = rules().replace("encrypted_regex", "encrypted-regex");
    let tree = repository(&[(".sops.yaml", &wrong), ("apps/.sops.yml", &rules())]);
    symlink("nowhere", tree.path().join("apps/.sops.yaml")).expect("linked");
    let run = sops_lint(tree.path(), &["fix"]);
    assert_eq!((run.code, &*run.stdout), (Some(2), ".sops.yaml: corrected 1 mistake\n"), "{run:?}");
    let said = "error: apps/.sops.yaml was left as it is: another file has its name\n";
    assert!(run.stderr.contains(said), "{run:?}");
    assert_eq!(read(tree.path(), ".sops.yaml"), rules());
    assert_eq!(read(tree.path(), "apps/.sops.yml"), rules());
}
