//! What the documents say is so.

use std::fs;

use crate::support::{fixtures, project, repository, sops_lint, sops_lint_as_alice};

fn readme() -> String {
    fs::read_to_string(project().join("README.md")).expect("there is a README")
}

#[test]
fn the_finding_in_the_readme_is_printed_by_its_first_command() {
    let readme = readme();
    let command =
        readme.lines().find_map(|line| line.strip_prefix("cargo run -- ")).expect("a command");
    let args: Vec<&str> =
        command.split('#').next().expect("a command").split_whitespace().collect();
    let run = sops_lint(&project(), &args);
    assert_eq!(run.code, Some(0), "{run:?}");
    let shown = readme
        .split_once("<!-- demo -->\n```text\n")
        .and_then(|(_, rest)| rest.split_once("```\n<!-- /demo -->"))
        .expect("the demo is marked")
        .0;
    assert!(shown.lines().count() > 5 && run.stdout.contains(shown), "{}", run.stdout);
}

#[test]
fn the_commands_in_the_readme_are_understood() {
    let commands: Vec<String> = readme()
        .split('`')
        .filter_map(|code| code.strip_prefix("sops-lint "))
        .map(|args| args.lines().next().unwrap_or_default().to_owned())
        .collect();
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("--help");
        let run = sops_lint(&project(), &args);
        assert_eq!(run.code, Some(0), "sops-lint {command}: {}", run.stderr);
    }
}

#[test]
fn the_config_in_the_readme_encrypts_a_secret_and_nothing_else() {
    let readme = readme();
    let config = readme
        .split_once("<!-- config -->\n```yaml\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .expect("the config is marked")
        .0;
    let key = |person: &str| {
        let key = fs::read_to_string(fixtures().join(format!("keys/age/{person}.pub")));
        key.expect("a key").trim().to_owned()
    };
    let [alice, bob] = ["alice", "bob"].map(key);
    let config = config.replacen("age1...", &alice, 1).replacen("age1...", &bob, 1);
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";
    let tree = repository(&[(".sops.yaml", &config), ("apps/db.yaml", secret)]);
    assert_eq!(sops_lint(tree.path(), &["fix"]).code, Some(0));
    let run = sops_lint_as_alice(tree.path(), &["scan", "-v", "--verify", "always"]);
    assert!(run.code == Some(0) && run.stdout.starts_with("No findings"), "{run:?}");
    let text = fs::read_to_string(tree.path().join("apps/db.yaml")).expect("it is there");
    assert!(text.contains("name: db") && text.contains(&bob) && !text.contains("canary"), "{text}");
}

/// The blocks of a language in a document.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    let opened = text.split(&*fence).skip(1);
    opened.filter_map(|rest| rest.split_once("```")).map(|(block, _)| block).collect()
}

#[test]
fn the_settings_in_the_manual_are_taken_and_name_every_key() {
    let manual = fs::read_to_string(project().join("docs/settings.md")).expect("it is there");
    let examples = blocks(&manual, "yaml");
    assert!(examples.len() > 6);
    for example in &examples {
        let tree = repository(&[
            (".sops-lint.yaml", example),
            (".sops-lint-baseline.yaml", "version: 2\nfindings: []\n"),
            ("a.yaml", "kind: ConfigMap\n"),
        ]);
        let args = ["scan", "--format", "json", "--only", "invalid-settings", "."];
        let run = sops_lint(tree.path(), &args);
        assert_eq!((run.code, run.findings()), (Some(0), Vec::new()), "{example}");
    }
    let schema = fs::read_to_string(project().join("docs/schema/settings.json")).expect("there");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    for key in schema["properties"].as_object().expect("keys").keys() {
        let line = format!("{key}:");
        let is_shown = |example: &&str| example.lines().any(|shown| shown.starts_with(&line));
        assert!(examples.iter().any(is_shown), "{key} has no example");
    }
    for command in blocks(&manual, "sh").iter().flat_map(|block| block.lines()) {
        let mut args: Vec<&str> = command.split_whitespace().skip(1).collect();
        args.push("--help");
        assert_eq!(sops_lint(&project(), &args).code, Some(0), "{command}");
    }
}

#[test]
fn the_page_of_reports_has_every_format_and_commands_that_run() {
    let page = fs::read_to_string(project().join("docs/reports.md")).expect("it is there");
    for reporter in sops_lint::report::REPORTERS {
        let name = reporter.name();
        assert!(name == "human" || page.contains(&format!("`{name}`")), "{name}");
    }
    let tree = repository(&[("a.yaml", "kind: ConfigMap\n")]);
    let commands: Vec<&str> = blocks(&page, "sh").iter().flat_map(|block| block.lines()).collect();
    let scripts = page.lines().filter_map(|line| line.strip_prefix("  script: "));
    let commands: Vec<&str> = commands.into_iter().chain(scripts).collect();
    assert!(commands.len() > 6, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words[0], "sops-lint");
        let run = sops_lint(tree.path(), &words[1..]);
        assert_eq!(run.code, Some(0), "{command}: {run:?}");
        if let Some(at) = words.iter().position(|word| *word == "--output") {
            let report = fs::read_to_string(tree.path().join(words[at + 1])).expect("written");
            assert!(!report.is_empty() && run.stdout.is_empty(), "{command}");
        }
    }
}

#[test]
fn the_page_of_rules_is_what_the_program_prints() {
    let path = project().join("docs/rules.md");
    let printed = sops_lint(&project(), &["rules", "--format", "markdown"]).stdout;
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &printed).expect("written");
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(page == printed, "docs/rules.md is stale: run the tests with UPDATE_FIXTURES=1");
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "docs/accuracy.md",
        "docs/baseline.md",
        "docs/git.md",
        "docs/hooks.md",
        "docs/performance.md",
        "docs/reports.md",
        "docs/settings.md",
    ] {
        let path = project().join(name);
        let text = fs::read_to_string(&path).expect("documents are there");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_local = !link.contains("://") && !link.starts_with('#');
            let target =
                path.parent().expect("a directory").join(link.split('#').next().unwrap_or(link));
            assert!(!is_local || target.exists(), "{name} links to {link}");
        }
    }
}

#[test]
fn every_rule_that_a_document_names_exists() {
    let listed = sops_lint(&project(), &["rules"]).stdout;
    let ids: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let text = readme();
    for option in ["explain ", "--only ", "--skip ", "--level "] {
        for (at, _) in text.match_indices(option) {
            let named = text[at + option.len()..].split(['`', ' ', '=']).next().unwrap_or_default();
            for id in named.split(',') {
                assert!(ids.contains(&id), "the README names the rule {id}");
            }
        }
    }
}
