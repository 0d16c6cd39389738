//! Tests when files are opened, and what is reported about the others.

use std::fs;

use sops_lint::report::REPORTERS;

use crate::support::{Run, fixtures, sops_lint, sops_lint_as_alice};

/// Creates a tree with two files for Alice, and one for a PGP key.
fn tree(settings: Option<&str>) -> tempfile::TempDir {
    let tree = tempfile::tempdir().expect("made");
    for name in ["12-scalars.yaml", "29-pgp-ed25519.yaml", "39-dotenv.env"] {
        let vector = fixtures().join("vectors/3.11.0/enc").join(name);
        fs::copy(vector, tree.path().join(name)).expect("copied");
    }
    if let Some(settings) = settings {
        fs::write(tree.path().join(".sops-lint.yaml"), settings).expect("written");
    }
    tree
}

fn numbers(run: &Run) -> (u64, u64) {
    let number = |name: &str| run.json()["summary"][name].as_u64().expect("a number");
    (number("verified"), number("unverified"))
}

#[test]
fn the_user_says_when_files_are_opened_and_the_command_line_beats_the_settings() {
    const NEVER: Option<&str> = Some("verify: never\n");
    const ALWAYS: Option<&str> = Some("verify: always\n");
    for (settings, more, numbers_are, code) in [
        (None, &[][..], (2, 1), 0),
        (None, &["--verify", "auto"], (2, 1), 0),
        (None, &["--verify", "never"], (0, 3), 0),
        (None, &["--verify", "always"], (2, 1), 2),
        (NEVER, &[], (0, 3), 0),
        (NEVER, &["--verify", "auto"], (2, 1), 0),
        (ALWAYS, &[], (2, 1), 2),
        (ALWAYS, &["--verify", "never"], (0, 3), 0),
    ] {
        let tree = tree(settings);
        let args = [&["scan", "--format", "json"], more].concat();
        let run = sops_lint_as_alice(tree.path(), &args);
        assert_eq!(numbers(&run), numbers_are, "{settings:?} {more:?}: {run:?}");
        assert_eq!(run.code, Some(code), "{settings:?} {more:?}: {run:?}");
        let is_said = run.stderr.contains("cannot verify 29-pgp-ed25519.yaml: no private key");
        assert_eq!(is_said, code == 2, "{settings:?} {more:?}: {run:?}");
        let helps = run.stderr.matches("  help: name a private key with SOPS_AGE_KEY_FILE").count();
        assert_eq!(helps, usize::from(code == 2), "{settings:?} {more:?}: {run:?}");
    }
}

/// Skips GitLab's format, which has no place for it.
#[test]
fn every_format_says_what_was_not_verified_and_who_could_have() {
    const WHO: &str = "F28A701876913C5DD10A03ACCDC5E50F1403A017";
    let tree = tree(None);
    for reporter in REPORTERS.iter().filter(|it| it.name() != "gitlab") {
        let args = ["scan", "-v", "--format", reporter.name()];
        let run = sops_lint_as_alice(tree.path(), &args);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(
            text.contains("29-pgp-ed25519.yaml") && text.contains(WHO),
            "{}: {text}",
            reporter.name()
        );
        assert!(
            text.contains("erified") || text.contains("not checked"),
            "{}: {text}",
            reporter.name()
        );
    }
    let run = sops_lint(tree.path(), &["scan", "-v"]);
    assert!(run.stdout.contains("Not verified: 3 encrypted files"), "{run:?}");
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no private key for its recipient age1"), "{run:?}");
    let run = sops_lint(tree.path(), &["scan", "-v", "--verify", "never"]);
    assert!(run.stdout.contains("MACs were not compared (--verify never)"), "{run:?}");
}
