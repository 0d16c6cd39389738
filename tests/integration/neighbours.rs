//! Other tools that use SOPS, or look as if they did: `fixtures/neighbours/<tool>/`.
//!
//! Everything there is as its tool wants it, so nothing may be said about it. That this is no
//! blindness show the twins: the same places, with a secret in plaintext.

use std::fs;

use crate::support::{copy_of, directories, fixtures, name, sops_lint};

#[test]
fn nothing_is_said_about_what_other_tools_do_rightly() {
    let neighbours = directories(&fixtures().join("neighbours"));
    assert!(neighbours.len() >= 16, "only {} neighbours", neighbours.len());
    for neighbour in neighbours {
        let run = sops_lint(copy_of(&neighbour, &[]).path(), &["scan", "--format", "json"]);
        let findings: Vec<_> =
            run.findings().into_iter().filter(|(_, level, _)| level != "info").collect();
        assert!(findings.is_empty(), "{}: {findings:?}", name(&neighbour));
        let readme = fs::read_to_string(neighbour.join("README.md")).expect("it says what it is");
        assert_eq!(readme.lines().count(), 1, "{}: one line", name(&neighbour));
    }
}

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: database
stringData:
  password: canary-password
";

const OF_ISINDIR: &str = "\
apiVersion: isindir.github.com/v1alpha3
kind: SopsSecret
metadata:
  name: database
spec:
  secretTemplates:
    - name: database
      stringData:
        password: canary-password
";

const OF_CAPSULE: &str = "\
apiVersion: addons.projectcapsule.dev/v1alpha1
kind: SopsSecret
metadata:
  name: tenant
spec:
  secrets:
    - name: database
      stringData:
        password: canary-password
";

const VALUES: &str = "database:\n  password: canary-password\n";

/// The content of each place, and the rule that must say that it is not encrypted.
const TWINS: [(&str, &str, &str, &str); 13] = [
    ("ksops", "secret.enc.yaml", SECRET, "unencrypted-secret"),
    ("ksops", "values.enc.yaml", VALUES, "unencrypted-file"),
    ("sops-secret-generator", "secret.env", "PASSWORD=canary-password\n", "unencrypted-file"),
    ("helm-secrets", "shop/secrets.yaml", VALUES, "unencrypted-file"),
    ("sops-secrets-operator", "database.yaml", OF_ISINDIR, "unencrypted-secret"),
    ("sops-operator-of-capsule", "tenant.yaml", OF_CAPSULE, "unencrypted-secret"),
    ("talos", "talos/talsecret.sops.yaml", VALUES, "unencrypted-file"),
    ("terraform", "secrets/secrets.enc.json", "{\"a\": \"canary\"}\n", "unencrypted-file"),
    ("ansible", "group_vars/all.sops.yml", VALUES, "unencrypted-file"),
    ("sops-nix", "secrets/users.yaml", VALUES, "unencrypted-file"),
    ("dotenv", ".env.sops", "PASSWORD=canary-password\n", "unencrypted-file"),
    ("argo-cd-vault-plugin", "database.yaml", SECRET, "unencrypted-secret"),
    ("cluster-template", "bootstrap/github-deploy-key.sops.yaml", SECRET, "unencrypted-secret"),
];

#[test]
fn a_twin_in_clear_is_found() {
    for (neighbour, path, content, rule) in TWINS {
        let copy = copy_of(&fixtures().join("neighbours").join(neighbour), &[]);
        assert!(copy.path().join(path).is_file(), "{neighbour} has no {path}");
        fs::write(copy.path().join(path), content).expect("the copy can be written");
        let run = sops_lint(copy.path(), &["scan", "--format", "json"]);
        let is_found = run.findings().iter().any(|(id, _, at)| id == rule && at == path);
        assert!(is_found, "{neighbour}/{path}: no {rule}, but {:?}", run.findings());
    }
}
