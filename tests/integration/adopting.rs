//! The guide docs/adopting.md: a team with 200 findings gets a green build, and keeps it.
#![cfg(unix)]

use std::fs;

use crate::support::{Git, Run, fixtures};

/// Findings of each kind.
const PLAINTEXT: usize = 60;
const STRANGER: usize = 50;
const ADDED: usize = 50;
const NAMED: usize = 40;

const CLUSTERS: [&str; 5] = ["dev", "qa", "staging", "prod-eu", "prod-us"];

/// A team's repository, and the number of commands that were run in it.
struct Team {
    git: Git,
    commands: usize,
}

impl Team {
    /// Five clusters under three configs, with 200 findings of four rules.
    fn new() -> Self {
        let [alice, bob] = ["alice", "bob"].map(|person| {
            let key = fixtures().join(format!("keys/age/{person}.pub"));
            fs::read_to_string(key).expect("a key").trim().to_owned()
        });
        let config = |people: &str| {
            format!(
                "creation_rules:\n  - path_regex: \\.ya?ml$\n    encrypted_regex: ^(data|stringData)$\n    age: {people}\n"
            )
        };
        let rules = fixtures().join("rules");
        let read = |path: &str| fs::read_to_string(rules.join(path)).expect("a fixture");
        let stranger = read("recipients-mismatch/bad-age/extra.yaml");
        let added = read("plaintext-value/bad-added-key/database.yaml");
        let git = Git::init(&[]);
        git.write(".sops.yaml", &config(&alice));
        for cluster in ["staging", "prod-eu"] {
            git.write(
                &format!("clusters/{cluster}/.sops.yaml"),
                &config(&format!("{alice},{bob}")),
            );
        }
        let place = |number: usize| CLUSTERS[number % CLUSTERS.len()];
        for number in 0..PLAINTEXT {
            git.write(
                &format!("clusters/{}/plain-{number}.yaml", place(number)),
                &secret(number, ""),
            );
        }
        let under_the_root = ["dev", "qa", "prod-us"];
        for number in 0..STRANGER {
            let cluster = under_the_root[number % 3];
            git.write(&format!("clusters/{cluster}/stranger-{number}.yaml"), &stranger);
        }
        for number in 0..ADDED {
            let cluster = under_the_root[number % 3];
            git.write(&format!("clusters/{cluster}/added-{number}.yaml"), &added);
        }
        for number in 0..NAMED {
            let values = format!("database:\n  password: canary-{number}\n");
            git.write(&format!("clusters/{}/values-{number}.enc.yaml", place(number)), &values);
        }
        git.run(&["add", "--all"]);
        git.run(&["commit", "--quiet", "-m", "years of history"]);
        Self { git, commands: 0 }
    }

    fn lint(&mut self, arguments: &[&str]) -> Run {
        self.commands += 1;
        let run = self.git.lint(arguments);
        assert!(!format!("{run:?}").contains("canary"), "{run:?}");
        run
    }

    fn git(&mut self, arguments: &[&str]) -> Run {
        self.commands += 1;
        self.git.attempt(arguments)
    }
}

/// A Secret with one value, and more lines.
fn secret(number: usize, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s{number}\nstringData:\n  password: canary-{number}\n{more}"
    )
}

#[test]
fn a_team_with_two_hundred_findings_gets_a_green_build_and_keeps_it() {
    let mut team = Team::new();
    let all = PLAINTEXT + STRANGER + ADDED + NAMED;
    let run = team.lint(&["scan", "--statistics"]);
    assert!(run.code == Some(1) && run.stdout.contains("200"), "{all}: {run:?}");
    let run = team.lint(&["scan"]);
    assert!(run.stdout.lines().count() <= 100, "{}", run.stdout);
    // The values of the development cluster are made up. All else that can be encrypted is.
    let settings = "ignore:\n  - path: clusters/dev/**\n    rules: [unencrypted-file]\n    reason: made-up values\n    expires: 2027-01-31\noverrides:\n  - path: clusters/qa/**\n    levels: {recipients-mismatch: warning}\n";
    team.git.write(".sops-lint.yaml", settings);
    let run = team.lint(&["baseline"]);
    let line = "baseline: .sops-lint-baseline.yaml";
    assert!(run.code == Some(0) && run.stdout.contains(line), "{run:?}");
    let settings = format!("{settings}{line}\n");
    team.git.write(".sops-lint.yaml", &settings);
    assert_eq!(settings.lines().count(), 9, "docs/adopting.md says so");
    let run = team.lint(&["scan"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = team.lint(&["install"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(team.git(&["add", ".sops-lint.yaml", ".sops-lint-baseline.yaml"]).code, Some(0));
    let run = team.git(&["commit", "--quiet", "-m", "Check our secrets with sops-lint"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(team.commands, 7);
    assert_eq!(team.git.lint(&["scan", "--rev", "HEAD"]).code, Some(0));

    let known = "clusters/prod-eu/plain-3.yaml";
    team.git.stage(&[(known, &secret(3, "  second: canary-new\n"))]);
    let run = team.git(&["commit", "--quiet", "-m", "one more"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    let says = ["stringData.second", known, "1 of 2 is in the baseline"];
    let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(says.iter().all(|one| said.contains(one)), "{run:?}");
    team.git.run(&["reset", "--quiet", "--hard"]);

    // Later: what is in plaintext is encrypted, and the baseline gets shorter.
    let run = team.lint(&["fix", "--no-baseline"]);
    assert!(run.code.is_some_and(|code| code < 2), "{run:?}");
    assert_eq!(team.lint(&["baseline"]).code, Some(0));
    assert_eq!(team.lint(&["scan"]).code, Some(0));
    let baseline = fs::read_to_string(team.git.root.join(".sops-lint-baseline.yaml"));
    let baseline = baseline.expect("written");
    assert!(!baseline.contains("unencrypted-secret"), "{baseline}");
    assert!(baseline.contains("recipients-mismatch"), "{baseline}");
}
