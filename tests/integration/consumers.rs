//! Reports checked with official schemas and with programs that read the formats.
//!
//! These belong to other projects, so they are not committed: `tests/consumers/install` fetches them. A
//! test that lacks them prints a warning on the terminal, and fails in CI.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::schemas::{Schema, schema, without_unknown_fields};
use crate::support::{Git, directories, fixtures, project, repository, sops_lint};

const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";

/// File names of an attacker.
const HOSTILE: [&str; 9] = [
    "new\nline\r\n::error::owned.yaml",
    "a]]>&<b>\"'.yaml",
    "pipe|`tick`*[x](y).yaml",
    "right\u{202e}lmay.yaml",
    "percent%0A%s,:;.yaml",
    "escape\u{1b}[31m\u{7}\u{9b}\u{ffff}.yaml",
    "##[add-mask]a.yaml",
    "sp ace/%2e%2e/ü😀.yaml",
    "a/long/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.yaml",
];

/// Returns the directory of `tests/consumers/install`; `None`, with a warning, if it was not run.
fn consumers(what: &str) -> Option<PathBuf> {
    let binary = Path::new(env!("CARGO_BIN_EXE_sops-lint"));
    let target = binary.ancestors().nth(2).expect("binaries stand in target/debug");
    let directory = target.join("consumers");
    if directory.join("installed").exists() {
        return Some(directory);
    }
    let missing =
        format!("NOT CHECKED: {what}. Run tests/consumers/install {}", directory.display());
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    // Not a macro: the output of macros in passing tests is discarded.
    writeln!(std::io::stderr(), "\n**** {missing}").expect("standard error takes text");
    None
}

fn hostile() -> tempfile::TempDir {
    repository(&HOSTILE.map(|name| (name, SECRET)))
}

/// Returns reports of the demo, of a case of every rule, of hostile names, of history, and of an empty
/// repository.
fn reports(format: &str) -> Vec<String> {
    let rules = directories(&fixtures().join("rules"));
    let mut places: Vec<PathBuf> =
        rules.iter().filter_map(|rule| directories(rule).into_iter().next()).collect();
    let (hostile, empty) = (hostile(), repository(&[]));
    places.extend([fixtures().join("demo"), hostile.path().to_path_buf()]);
    let args = ["scan", "--exit-zero", "--format", format];
    let mut reports: Vec<String> = places
        .iter()
        // With a path, because the repository around a fixture is this one.
        .map(|place| sops_lint(place, &[&args[..], &["."]].concat()).stdout)
        .collect();
    let git = Git::with(&HOSTILE.map(|name| (name, SECRET)));
    git.run(&["rm", "--quiet", "-r", "."]);
    git.commit(&[("now.yaml", SECRET)]);
    reports.push(git.lint(&[&args[..], &["--history"]].concat()).stdout);
    // A test relies on it being the last one.
    reports.push(sops_lint(empty.path(), &args).stdout);
    reports
}

fn json_reports(format: &str) -> Vec<Value> {
    let parse = |text: &String| serde_json::from_str(text).expect("JSON");
    reports(format).iter().map(parse).collect()
}

#[test]
fn sarif_is_what_its_schema_says() {
    let Some(directory) = consumers("SARIF against the schema of OASIS") else { return };
    let text = fs::read_to_string(directory.join("sarif.json")).expect("installed");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert!(schema["id"].as_str().expect("an id").contains("docs.oasis-open.org/sarif/"));
    let schema = Schema::new(schema, "");
    let mut results = 0;
    for report in json_reports("sarif") {
        assert_eq!(schema.check(&report), Ok(()), "{report:#}");
        results += report["runs"][0]["results"].as_array().expect("results").len();
    }
    assert!(results > 50, "only {results} results were checked");
    assert!(schema.check(&serde_json::json!({ "version": "2.1.0" })).is_err());
}

#[test]
fn sarif_holds_no_line_of_a_file_and_points_into_it() {
    for report in json_reports("sarif") {
        let text = report.to_string();
        assert!(!text.contains("\"snippet\"") && !text.contains("\"contents\""), "{text}");
    }
    let tree = hostile();
    let report = sops_lint(tree.path(), &["scan", "--format", "sarif"]).json();
    let results = report["runs"][0]["results"].as_array().expect("results");
    for result in results {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        let name = decoded(place["uri"].as_str().expect("an address"));
        assert!(tree.path().join(&name).exists(), "{name:?} does not exist");
    }
    assert!(results.len() >= HOSTILE.len());
}

/// Undoes percent encoding.
fn decoded(uri: &str) -> String {
    let mut parts = uri.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).expect("names are UTF-8")
}

#[test]
fn junit_is_read_by_others() {
    let Some(directory) = consumers("JUnit against the schema of Jenkins") else { return };
    let files = tempfile::tempdir().expect("a directory can be made");
    let paths: Vec<PathBuf> = reports("junit")
        .iter()
        .enumerate()
        .map(|(number, report)| {
            let path = files.path().join(format!("{number}.xml"));
            fs::write(&path, report).expect("written");
            path
        })
        .collect();
    let read = Command::new(directory.join("python/bin/python"))
        .arg(project().join("tests/consumers/junit.py"))
        .arg(directory.join("jenkins-junit.xsd"))
        .args(&paths)
        .output()
        .expect("Python runs");
    let printed = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert_eq!(printed.lines().count(), paths.len());
    assert_eq!(printed.lines().last(), Some("1 0"), "an empty repository has one passed test");
}

#[test]
fn gitlab_finds_the_fields_that_it_documents() {
    let schema = Schema::new(without_unknown_fields(schema("gitlab.json")), "");
    for report in json_reports("gitlab") {
        assert_eq!(schema.check(&report), Ok(()), "{report:#}");
        let issues = report.as_array().expect("a list");
        let prints: HashSet<_> = issues.iter().map(|one| one["fingerprint"].to_string()).collect();
        assert_eq!(prints.len(), issues.len(), "GitLab drops issues with the same fingerprint");
    }
}

/// Returns the fingerprints of a report, in its order.
fn fingerprints(report: &Value) -> Vec<String> {
    let (list, pointer) = match report {
        Value::Array(_) => (report, "/fingerprint"),
        _ if report["runs"].is_array() => {
            (&report["runs"][0]["results"], "/partialFingerprints/sopsLint~1v1")
        }
        _ => (&report["findings"], "/fingerprint"),
    };
    let print = |one: &Value| one.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    list.as_array().expect("findings").iter().map(|one| print(one).expect("each has one")).collect()
}

#[test]
fn fingerprints_are_unique_and_the_same_in_every_format_and_run() {
    let reports = |format| {
        // All fixtures in one report, beside those of each rule and of history.
        let arguments = ["scan", "--exit-zero", "--format", format, "."];
        let fixtures = sops_lint(&fixtures(), &arguments).json();
        [json_reports(format), vec![fixtures]].concat()
    };
    let [json, again, sarif, gitlab] = ["json", "json", "sarif", "gitlab"].map(reports);
    let mut findings = 0;
    for (number, report) in json.iter().enumerate() {
        let prints = fingerprints(report);
        let unique: HashSet<_> = prints.iter().collect();
        assert_eq!(unique.len(), prints.len(), "report {number}");
        for others in [&again, &sarif, &gitlab] {
            assert_eq!(fingerprints(&others[number]), prints, "report {number}");
        }
        findings += prints.len();
    }
    assert!(findings > 500, "only {findings} findings were compared");
}

#[test]
fn a_file_name_gives_github_no_command() {
    for report in reports("github") {
        for line in report.lines() {
            let is_command = line.trim_start().starts_with("::");
            let is_ours = ["::error file=", "::warning file=", "::notice file="];
            assert!(!is_command || is_ours.iter().any(|start| line.starts_with(start)), "{line}");
            assert!(is_command || !line.contains("##["), "{line}");
            // After the second :: comes text; before it, every : and , of a name is escaped.
            let properties = line.strip_prefix("::").and_then(|rest| rest.split_once("::"));
            let is_property = |part: &str| part.contains('=');
            let all = properties.is_none_or(|(part, _)| part.split(',').all(is_property));
            assert!(all, "{line}");
        }
    }
}
