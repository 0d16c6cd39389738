//! The real sops, gpg and kustomize use what was sealed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use super::{SECRET, SELECTOR, read, recipient, rules};
use crate::peers;
use crate::support::{fixtures, repository, sops_lint};

fn sops(program: &Path, directory: &Path, home: &Path, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("SOPS_AGE_KEY_FILE", fixtures().join("keys/age/alice.txt"))
        .output()
        .expect("sops runs")
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--help").output().is_ok()
}

#[test]
fn sops_sets_values_in_what_was_sealed() {
    let Some(program) = peers::sops() else { return peers::skip("sops set", "sops") };
    let json = "{\n  \"kind\": \"x\",\n  \"data\": {\"password\": \"canary\"}\n}\n";
    let tree = repository(&[
        (".sops.yaml", &rules()),
        ("db.yaml", &SECRET.replace("stringData", "data")),
        ("db.sops.json", json),
    ]);
    assert_eq!(sops_lint(tree.path(), &["fix"]).code, Some(0));
    for file in ["db.yaml", "db.sops.json"] {
        let run = |arguments: &[&str]| sops(&program, tree.path(), tree.path(), arguments);
        let set = run(&["set", file, "[\"data\"][\"new\"]", "\"value\""]);
        assert!(set.status.success(), "{file}: {}", String::from_utf8_lossy(&set.stderr));
        let decrypted = run(&["decrypt", "--extract", "[\"data\"]", file]);
        let text = String::from_utf8_lossy(&decrypted.stdout).into_owned();
        assert!(text.contains("canary") && text.contains("value"), "{file}: {text}");
    }
}

#[test]
fn blocks_of_empty_lines_are_encrypted_and_come_back() {
    let Some(program) = peers::sops() else { return peers::skip("blocks of empty lines", "sops") };
    let head = SECRET.split("  password").next().expect("a head");
    for (values, decrypted) in [
        ("  p: x\n  a: |+\n\n\n", r#"{"p":"x","a":"\n\n"}"#),
        ("  a: |+\n\n\n  b: y\n", r#"{"a":"\n\n","b":"y"}"#),
        ("  a: |2+ # c\n\n \n  b: y\n", r#"{"a":"\n\n","b":"y"}"#),
        ("  a: >+\n\n  b: |+\n\n", r#"{"a":"\n","b":"\n"}"#),
        ("  a: !!str |+\r\n\r\n  b: y\r\n", r#"{"a":"\n","b":"y"}"#),
        ("  l:\n  - |+\n\n  - y\n", r#"{"l":["\n","y"]}"#),
        ("  a: &z |+\n\n---\na: b\n", r#"{"a":"\n"}"#),
    ] {
        let tree = repository(&[(".sops.yaml", &rules()), ("db.yaml", &format!("{head}{values}"))]);
        let run = sops_lint(tree.path(), &["fix"]);
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{values:?}");
        let arguments =
            ["decrypt", "--extract", "[\"stringData\"]", "--output-type", "json", "db.yaml"];
        let output = sops(&program, tree.path(), tree.path(), &arguments);
        let text = String::from_utf8_lossy(&output.stdout).replace(['\n', '\t', ' '], "");
        assert_eq!(text, decrypted, "{values:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn gpg_opens_what_was_sealed_for_it_and_so_do_key_groups() {
    let Some(program) = peers::sops() else { return peers::skip("sops with gpg", "sops") };
    if !is_there("gpg") {
        return peers::skip("sops with gpg", "gpg");
    }
    // A short path: the sockets of gpg's agent lie below it.
    let home = tempfile::tempdir().expect("made");
    let keyring = home.path().join(".gnupg");
    fs::create_dir(&keyring).expect("made");
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o700)).expect("set");
    let gpg = |arguments: &[&str]| {
        Command::new("gpg")
            .args(["--batch", "--quiet", "--homedir"])
            .arg(&keyring)
            .args(arguments)
            .output()
            .expect("gpg runs")
    };
    let (rsa, ed) =
        ("5CCF8425D57B7B6B23A8F8B9B9A998A212A64C26", "F28A701876913C5DD10A03ACCDC5E50F1403A017");
    for name in ["rsa.sec.asc", "ed.sec.asc"] {
        let key = fixtures().join("keys/pgp").join(name);
        assert!(gpg(&["--import", key.to_str().expect("UTF-8")]).status.success(), "{name}");
    }
    let groups = |groups: &str| {
        format!("creation_rules:\n  - shamir_threshold: 2\n{SELECTOR}    key_groups:\n{groups}")
    };
    let (alice, bob) = (recipient("alice"), recipient("bob"));
    for rules in [
        format!("creation_rules:\n  - pgp: {rsa}\n{SELECTOR}"),
        format!("creation_rules:\n  - pgp: '{rsa},{ed}'\n{SELECTOR}"),
        groups(&format!("      - age: [{alice}]\n      - pgp: [{ed}]\n      - age: [{bob}]\n")),
        groups(&format!(
            "      - age: [{bob}]\n      - pgp: [{rsa}]\n      - age: [{alice}]\n        pgp: [{ed}]\n"
        )),
    ] {
        let tree = repository(&[(".sops.yaml", &rules), ("db.yaml", SECRET)]);
        // The public keys come from the keyring.
        let fixed =
            crate::support::sops_lint_with(tree.path(), &["fix"], &[("GNUPGHOME", &keyring)]);
        assert_eq!(fixed.code, Some(0), "{rules}: {fixed:?}");
        for arguments in [
            &["decrypt", "db.yaml"][..],
            &["rotate", "--in-place", "db.yaml"],
            &["decrypt", "db.yaml"],
        ] {
            let output = sops(&program, tree.path(), home.path(), arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments:?} {rules}: {said}");
        }
    }
    let _ = Command::new("gpgconf").arg("--homedir").arg(&keyring).args(["--kill", "all"]).output();
}

#[test]
fn kustomize_builds_a_directory_of_sealed_files() {
    if !is_there("kubectl") {
        return peers::skip("kustomize", "kubectl");
    }
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: prod\nresources: [db.yaml, two.yaml]\n";
    let two = format!(
        "{}---\n{}",
        SECRET.replace("name: db", "name: a"),
        SECRET.replace("name: db", "name: b")
    );
    let tree = repository(&[
        (".sops.yaml", &rules()),
        ("apps/kustomization.yaml", kustomization),
        ("apps/db.yaml", SECRET),
        ("apps/two.yaml", &two),
    ]);
    assert_eq!(sops_lint(tree.path(), &["fix"]).code, Some(0));
    let output = Command::new("kubectl")
        .args(["kustomize", "apps"])
        .current_dir(tree.path())
        .env("HOME", tree.path())
        .output()
        .expect("kubectl runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("kind: Secret").count(), 3, "{text}");
    assert_eq!(text.matches("namespace: prod").count(), 3, "{text}");
    assert!(!text.contains("canary") && text.contains("ENC["), "{text}");
    assert!(read(tree.path(), "apps/two.yaml").contains("---"));
}

/// What ends a line for the YAML library of sops and for no other is no damage, and not verified.
#[test]
fn a_line_separator_in_what_sops_wrote_is_no_error() {
    let Some(program) = peers::sops() else { return peers::skip("line separators", "sops") };
    let note = SECRET.replace("  name: db", "  name: db\n  annotations: {note: \"a\u{2028}b\"}");
    let tree = repository(&[(".sops.yaml", &rules()), ("db.yaml", &note)]);
    let run = sops_lint(tree.path(), &["fix"]);
    assert!(run.code == Some(1) && run.stderr.contains("a line separator"), "{run:?}");
    let sealed = sops(&program, tree.path(), tree.path(), &["encrypt", "--in-place", "db.yaml"]);
    assert!(sealed.status.success());
    let scan = crate::support::sops_lint_as_alice(tree.path(), &["scan", "--format", "json"]);
    assert_eq!((scan.code, scan.findings()), (Some(0), Vec::new()), "{scan:?}");
    assert_eq!(scan.json()["summary"]["unverified"], 1);
}

/// A password must not gain a line end.
#[test]
fn a_text_that_the_file_ends_in_stays_what_it_is() {
    let Some(program) = peers::sops() else { return peers::skip("an open end", "sops") };
    let head = SECRET.split("  password").next().expect("it has a head").to_owned();
    let sealed = format!("{head}  password: |\n    canary");
    let readable = format!("{sealed}\ndata: {{}}\nnote: |\n  open");
    let tree = repository(&[
        (".sops.yaml", &rules()),
        ("db.yaml", &sealed),
        ("readable/db.yaml", &readable),
    ]);
    let run = sops_lint(tree.path(), &["fix"]);
    assert!(run.stderr.contains("error: readable/db.yaml:10 was left as it is"), "{run:?}");
    let path = ["decrypt", "--extract", "[\"stringData\"][\"password\"]", "db.yaml"];
    let value = sops(&program, tree.path(), tree.path(), &path);
    assert_eq!(String::from_utf8_lossy(&value.stdout), "canary");
}
