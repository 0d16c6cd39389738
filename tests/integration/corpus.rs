//! Real repositories: what is found in them was looked at, and is right.
//!
//! The files are not part of this project. They are read from `../shared/corpus/repos`, or from
//! where `SOPS_LINT_CORPUS` says.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use crate::support::{directories, name, project, sops_lint};

/// Findings by repository, rule and level, and why they are right.
const REVIEWED: &[(&str, &str, &str, usize, &str)] = &[
    ("ahgraber__homelab-gitops-k3s", "uncovered-file", "warning", 1, "bootstrap/ is under no rule"),
    (
        "dcplaya__k8s-at-home",
        "invalid-recipient",
        "warning",
        2,
        "a template directory holds a .sops.yaml full of ${..}",
    ),
    (
        "dcplaya__k8s-at-home",
        "recipients-mismatch",
        "error",
        2,
        "two files are still encrypted to three keys that the rule has since replaced",
    ),
    (
        "dcplaya__k8s-at-home",
        "recipients-mismatch",
        "warning",
        2,
        "two files lack the newest of the three keys",
    ),
    (
        "onedr0p__home-ops",
        "uncovered-file",
        "warning",
        1,
        "six archived applications under no rule",
    ),
    (
        "operate-first__apps",
        "recipients-mismatch",
        "error",
        19,
        "members and clusters that the nearest rule does not name; each compared by hand with the fingerprints of its rule",
    ),
    (
        "operate-first__apps",
        "recipients-mismatch",
        "warning",
        6,
        "groups that lack the three keys which prod/common demands",
    ),
    (
        "pagopa__cstar-securehub-infra",
        "uncovered-file",
        "info",
        1,
        "no config at all: recipients come from the command line",
    ),
    (
        "ronaldlokers__homelab",
        "uncovered-file",
        "warning",
        1,
        "the configs stand beside the files: clusters/<env>/.sops.yaml for apps/<env>",
    ),
    (
        "sulibot__home-ops",
        "recipients-mismatch",
        "warning",
        8,
        "the Vault key that every rule demands was never added to these files",
    ),
    ("sulibot__home-ops", "uncovered-file", "warning", 1, "an archived values file under no rule"),
    (
        "sulibot__home-ops",
        "unselected-value",
        "warning",
        2,
        "cephx Secrets: userID is plain on purpose",
    ),
    (
        "zacheryph__k8s-gitops",
        "invalid-recipient",
        "warning",
        6,
        "three rules with two 16-digit PGP key ids each",
    ),
    (
        "Diaoul__home-ops",
        "selector-drift",
        "info",
        20,
        "the rule has mac_only_encrypted now; two files also have an older regex",
    ),
    ("MaRDI4NFDI__portal-k8s", "loose-path-regex", "info", 1, "path_regex is .*.yaml"),
    (
        "MaRDI4NFDI__portal-k8s",
        "selector-drift",
        "info",
        3,
        "files still have |secrets in their regex",
    ),
    ("USA-RedDragon__home-cluster-flux", "loose-path-regex", "info", 1, "path_regex is .*.yaml"),
    (
        "ansible-collections__community.sops",
        "format-mismatch",
        "warning",
        8,
        "test files whose names and formats differ on purpose",
    ),
    ("j0sh3rs__k3s-at-home", "selector-drift", "info", 17, "the rule gained Authorization"),
    (
        "j0sh3rs__k3s-at-home",
        "unreachable-rule",
        "warning",
        1,
        "the first rule has no path_regex, so the second is dead",
    ),
    (
        "operate-first__apps",
        "ambiguous-sops-config",
        "info",
        10,
        "nested configs that name other recipients, or encrypt other values, than the one at the root",
    ),
    (
        "operate-first__apps",
        "selector-drift",
        "info",
        36,
        "the nearest rules changed: users came and went",
    ),
    (
        "operate-first__apps",
        "selector-misses-data",
        "warning",
        4,
        "^data$ or stringData alone, so the other field would stay plain",
    ),
    (
        "ronaldlokers__homelab",
        "loose-path-regex",
        "info",
        2,
        "path_regex is .*.yaml in both configs",
    ),
    (
        "ronaldlokers__homelab",
        "plaintext-generator-source",
        "warning",
        1,
        "a literal SIDECAR_IMAGE in a secretGenerator: no secret, so no error",
    ),
    ("sulibot__home-ops", "selector-drift", "info", 1, "the rule was rewritten"),
    (
        "sulibot__home-ops",
        "selector-hits-metadata",
        "warning",
        1,
        "a fallback rule without selector governs two Secrets; one is encrypted whole",
    ),
    ("xUnholy__k8s-gitops", "glob-like-regex", "info", 2, "/*.enc. works by accident"),
    (
        "xUnholy__k8s-gitops",
        "loose-path-regex",
        "info",
        2,
        "enc.ya?ml has neither backslash nor end",
    ),
    (
        "xUnholy__k8s-gitops",
        "unknown-config-key",
        "warning",
        2,
        "unencrypted-regex with a hyphen, beside an encrypted_regex that works",
    ),
    (
        "2i2c-org__infrastructure",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
    ("Diaoul__home-ops", "stale-data-key", "info", 1, "data keys of years ago, one note for all"),
    (
        "MaRDI4NFDI__portal-k8s",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
    (
        "USA-RedDragon__home-cluster-flux",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
    (
        "ansible-collections__community.sops",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
    (
        "dcplaya__k8s-at-home",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
    (
        "operate-first__apps",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
    (
        "pagopa__cstar-securehub-infra",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
    (
        "xUnholy__k8s-gitops",
        "stale-data-key",
        "info",
        1,
        "data keys of years ago, one note for all",
    ),
];

/// The repositories of others, which are not part of this one. Without them a test says so, past the
/// capture of the test runner, and passes in CI too.
pub(crate) fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("SOPS_LINT_CORPUS").map(PathBuf::from);
    let path = named.unwrap_or_else(|| project().join("../shared/corpus/repos"));
    if !path.is_dir() {
        let notice = b"\n*** SKIPPED: no corpus of real repositories at ../shared/corpus/repos.\n\
            *** Set SOPS_LINT_CORPUS to a directory of checked-out repositories.\n\n";
        std::io::stderr().write_all(notice).expect("standard error takes text");
        return None;
    }
    Some(path)
}

#[test]
fn findings_in_real_repositories_are_the_reviewed_ones() {
    let Some(corpus) = corpus() else { return };
    let mut found: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let repositories = directories(&corpus);
    assert_eq!(repositories.len(), 16, "{} is not the corpus", corpus.display());
    for repository in &repositories {
        let run = sops_lint(repository, &["scan", "--format", "json", "--exit-zero"]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{}", repository.display());
        for (rule, level, _) in run.findings() {
            *found.entry((name(repository), rule, level)).or_default() += 1;
        }
    }
    let reviewed: BTreeMap<_, _> = REVIEWED
        .iter()
        .map(|(repository, rule, level, count, _)| {
            (((*repository).to_owned(), (*rule).to_owned(), (*level).to_owned()), *count)
        })
        .collect();
    assert_eq!(found, reviewed, "findings that nobody has looked at");
}
