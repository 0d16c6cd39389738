//! The public keys of the user.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Run, copy_of, fixtures, sops_lint_with};

/// Writes a fake gpg that logs its arguments and prints an expired key.
fn gpg(home: &Path) -> PathBuf {
    let key = fixtures().join("keys/pgp/unusable/expired.pub.asc");
    let asked = home.join("asked");
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{}'\ncat '{}'\nexit 2\n",
        asked.display(),
        key.display()
    );
    fs::write(home.join("pubring.kbx"), "").expect("a keyring can be written");
    let program = home.join("gpg");
    fs::write(&program, text).expect("a program can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it can be run");
    program
}

fn scan(case: &str, gpg: &Path, home: &Path) -> Run {
    let tree = copy_of(&fixtures().join("rules/unusable-pgp-key").join(case), &["findings.txt"]);
    let variables = [("SOPS_GPG_EXEC", gpg), ("GNUPGHOME", home)];
    sops_lint_with(tree.path(), &["scan", "--verify", "never", "--format", "json"], &variables)
}

#[test]
fn gpg_is_asked_for_keys_that_the_tree_does_not_have() {
    let home = tempfile::tempdir().expect("a directory can be made");
    let program = gpg(home.path());
    let tree = copy_of(&fixtures().join("rules/unusable-pgp-key/bad-expired"), &[".sops.pub.asc"]);
    let variables = [("SOPS_GPG_EXEC", &*program), ("GNUPGHOME", home.path())];
    let run =
        sops_lint_with(tree.path(), &["scan", "--verify", "never", "--format", "json"], &variables);
    assert!(run.findings().contains(&(
        "unusable-pgp-key".to_owned(),
        "error".to_owned(),
        ".sops.yaml".to_owned()
    )));
    assert!(run.stdout.contains("expired on 2025-01-01, says your gpg keyring"), "{run:?}");
    let asked = fs::read_to_string(home.path().join("asked")).expect("gpg was asked");
    assert_eq!(asked.lines().count(), 1, "{asked}");
    let id = asked.trim().rsplit(' ').next().expect("it ends in a key");
    assert!(id.len() == 40 && asked.contains("--batch"), "{asked}");
}

#[test]
fn gpg_is_not_run_if_it_cannot_add_a_key() {
    let home = tempfile::tempdir().expect("a directory can be made");
    let program = gpg(home.path());
    // All keys are in the tree; there is no keyring; there is no gpg.
    for (case, program, home) in [
        ("good-usable", &*program, home.path().to_owned()),
        ("silent-no-public-key", &*program, home.path().join("none")),
        ("silent-no-public-key", Path::new("/nowhere/gpg"), home.path().to_owned()),
    ] {
        let run = scan(case, program, &home);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{case}");
        assert!(!run.findings().iter().any(|(rule, ..)| rule == "unusable-pgp-key"), "{case}");
    }
    assert!(!home.path().join("asked").exists(), "gpg was asked");
}
