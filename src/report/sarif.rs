//! SARIF 2.1.0, for code scanning on GitHub and other readers.
//!
//! It contains no part of a file: no snippet, no contents. It has no `automationDetails`, because the
//! upload to GitHub sets its `category` only if there are none.

use std::io;

use serde_json::{Map, Value, json};

use super::content::Report;
use super::reporter::Reporter;
use super::style::Style;
use super::{json as plain_json, look, sentences};
use crate::finding::{Finding, Label, Level, Origin, Place, Risk, RuleMeta};
use crate::path::RepoPath;
use crate::shell::Reader;

/// GitHub refuses a run with more results.
const MAX_RESULTS: usize = 25_000;
/// Related places of a result that GitHub keeps.
const MAX_RELATED: usize = 100;
/// Notifications about skipped files, to keep the report readable.
const MAX_NOTIFICATIONS: usize = 1_000;
/// Characters of a rule's description that GitHub accepts.
const MAX_DESCRIPTION: usize = 1_024;
/// The largest number that every reader of SARIF can store.
const MAX_NUMBER: usize = 0x7fff_ffff;
/// The name of the repository's root in URIs.
const ROOT: &str = "%SRCROOT%";
/// The address of the project; empty until `Cargo.toml` has one.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");
/// The address of the package.
const PACKAGE: &str = concat!("https://crates.io/crates/", env!("CARGO_PKG_NAME"));
/// The address of the files in the package.
const PACKAGED: &str = concat!(
    "https://docs.rs/crate/",
    env!("CARGO_PKG_NAME"),
    "/",
    env!("CARGO_PKG_VERSION"),
    "/source"
);

/// `--format sarif`.
#[derive(Debug)]
pub(super) struct Sarif;

impl Reporter for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn summary(&self) -> &'static str {
        "SARIF 2.1.0, for code scanning"
    }

    fn write(&self, report: &Report, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let text = plain_json::escape(&serde_json::to_string_pretty(&log(report))?);
        writeln!(out, "{text}")
    }
}

fn log(report: &Report) -> Value {
    let mut findings = report.by_importance();
    findings.truncate(MAX_RESULTS);
    findings.sort_by(|one, other| one.order().cmp(&other.order()));
    let rules = rules(&findings);
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &rules)).collect();
    let driver = json!({
        "name": "sops-lint",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": if HOME.is_empty() { PACKAGE } else { HOME },
        "rules": rules.iter().map(|(meta, worst)| rule(meta, *worst)).collect::<Vec<_>>(),
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The root of the repository." } }
            },
            "invocations": [{
                "executionSuccessful": report.errors.is_empty(),
                "toolExecutionNotifications": notifications(report),
            }],
            "results": results,
        }],
    })
}

/// Returns the rules that have findings, by id, each with the worst level of its findings.
fn rules(findings: &[&Finding]) -> Vec<(&'static RuleMeta, Level)> {
    let mut rules: Vec<_> = findings.iter().map(|finding| (finding.rule, finding.level)).collect();
    rules.sort_by_key(|(meta, level)| (meta.id, std::cmp::Reverse(*level)));
    rules.dedup_by_key(|(meta, _)| meta.id);
    rules
}

fn rule(meta: &RuleMeta, worst: Level) -> Value {
    let title = meta.title();
    let manual = meta.text();
    let described = manual.split("\n\n").find(|part| !part.is_empty() && !part.starts_with('#'));
    let described = described.map_or_else(|| title.clone(), |part| part.replace('\n', " "));
    let described: String = described.chars().take(MAX_DESCRIPTION).collect();
    let mut properties = json!({ "tags": ["security", "sops"], "precision": "high" });
    if let Some(severity) = severity(meta.risk, worst) {
        // SARIF has no such field; GitHub wants a number in a string.
        properties["security-severity"] = format!("{}.{}", severity / 10, severity % 10).into();
    }
    json!({
        "id": meta.id,
        "name": pascal_case(meta.id.as_str()),
        "shortDescription": { "text": title },
        "fullDescription": { "text": described },
        "help": { "text": manual, "markdown": manual },
        "helpUri": help_address(HOME, meta.id.as_str()),
        "defaultConfiguration": { "level": level(meta.level) },
        "properties": properties,
    })
}

/// Returns the address of the rule in the manual of this version: of the project, or of the package.
fn help_address(home: &str, id: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let files =
        if home.is_empty() { PACKAGED.to_owned() } else { format!("{home}/blob/v{version}") };
    format!("{files}/docs/rules.md#{id}")
}

/// Returns the severity of a rule, limited by the worst level of its findings: users lower levels, and so
/// do rules that are unsure.
fn severity(risk: Risk, worst: Level) -> Option<u32> {
    let severity = match risk {
        Risk::Unrated => return None,
        Risk::Weakness(severity) | Risk::Leak(severity) => severity,
    };
    let most = match worst {
        Level::Error => 100,
        Level::Warning => 69,
        Level::Info => 39,
    };
    Some(severity.min(most))
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

fn pascal_case(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for word in id.split('-') {
        let mut chars = word.chars();
        name.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(chars.as_str());
    }
    name
}

fn result(finding: &Finding, rules: &[(&'static RuleMeta, Level)]) -> Value {
    let index = rules.binary_search_by_key(&finding.rule.id, |(meta, _)| meta.id);
    let mut primary = location(&finding.place, &finding.note);
    if let Some(key_path) = &finding.key_path {
        let name = look::clean(key_path);
        primary["logicalLocations"] = json!([{ "fullyQualifiedName": name, "kind": "member" }]);
    }
    let fingerprint = finding.fingerprint();
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index.expect("every finding has its rule in the list"),
        "level": level(finding.level),
        "message": { "text": sentences(finding) },
        "locations": [primary],
        "relatedLocations": finding.related.iter().take(MAX_RELATED).map(related).collect::<Vec<_>>(),
        "partialFingerprints": {
            // GitHub reads this one. If it is missing, the upload hashes the text of the line, which may
            // be a secret.
            "primaryLocationLineHash": fingerprint,
            "sopsLint/v1": fingerprint,
        },
    });
    if let Some(origin) = &finding.origin {
        let Origin { commit, day, is_at_head } = &**origin;
        result["properties"] = json!({ "commit": commit, "atHead": is_at_head });
        if let Some(day) = day {
            result["properties"]["date"] = json!(day);
        }
    }
    result
}

/// Returns the message, the number of places left out, and the next step.
fn sentences(finding: &Finding) -> String {
    let mut text = finding.sentence().into_owned();
    if finding.related.len() > MAX_RELATED {
        text += &format!(" ({MAX_RELATED} of {} other places follow)", finding.related.len());
    }
    if let Some(help) = finding.help_at_root() {
        text += &format!(". Help: {help}");
    }
    without_links(&text)
}

/// Breaks links: readers of SARIF would make one of a file that is called `[click here](https://..)`.
fn without_links(text: &str) -> String {
    look::clean(text).replace("](", "] (")
}

fn related(label: &Label) -> Value {
    location(&label.place, &label.message)
}

fn location(place: &Place, message: &str) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": artifact(&place.path),
            "region": region(place),
        },
    });
    if !message.is_empty() {
        location["message"] = json!({ "text": without_links(message) });
    }
    location
}

fn artifact(path: &RepoPath) -> Value {
    json!({ "uri": relative_uri(path.as_str()), "uriBaseId": ROOT })
}

fn region(place: &Place) -> Value {
    let (start, end) = (place.start, place.end);
    let number = |number: usize| Value::from(number.clamp(1, MAX_NUMBER));
    let mut region = Map::new();
    region.insert("startLine".to_owned(), number(start.line));
    region.insert("startColumn".to_owned(), number(start.column));
    if (end.line, end.column) > (start.line, start.column) {
        region.insert("endLine".to_owned(), number(end.line));
        region.insert("endColumn".to_owned(), number(end.column));
    }
    Value::Object(region)
}

/// Percent-encodes all characters except the unreserved ones of RFC 3986.
fn relative_uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}

/// Returns what was skipped or failed, so that a report without results is not mistaken for a clean one.
fn notifications(report: &Report) -> Vec<Value> {
    let note = |level: &str, text: &str| json!({ "level": level, "message": { "text": without_links(text) } });
    let mut notes: Vec<Value> = report.errors.iter().map(|error| note("error", error)).collect();
    if report.findings.len() > MAX_RESULTS {
        let text = format!(
            "the {} least important of {} findings are left out: GitHub accepts {MAX_RESULTS}",
            report.findings.len() - MAX_RESULTS,
            report.findings.len(),
        );
        notes.push(note("warning", &text));
    }
    let sentences = sentences::checked(report, true).into_iter();
    let sentences = sentences.chain(sentences::suppressed(&report.summary));
    notes.extend(sentences.map(|text| note("note", &text)));
    for file in report.skipped.iter().take(MAX_NOTIFICATIONS) {
        let mut skipped = note("note", &sentences::reason(file, &Reader::at_root()));
        let place = json!({ "physicalLocation": { "artifactLocation": artifact(&file.path) } });
        skipped["locations"] = json!([place]);
        notes.push(skipped);
    }
    if let more @ 1.. = report.skipped.len().saturating_sub(MAX_NOTIFICATIONS) {
        notes.push(note("note", &format!("{more} more files were skipped or checked in part")));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::report::summary::Summary;
    use crate::rules;

    fn written(report: &Report) -> Value {
        let mut out = Vec::new();
        Sarif.write(report, &Style::default(), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "the snapshot is long")]
    fn a_result_has_its_rule_its_places_and_its_fingerprint() {
        let run = &written(&samples::two_files())["runs"][0];
        let text = serde_json::to_string_pretty(&run["results"]).unwrap();
        insta::assert_snapshot!(text, @r##"
        [
          {
            "level": "error",
            "locations": [
              {
                "logicalLocations": [
                  {
                    "fullyQualifiedName": "stringData.password",
                    "kind": "member"
                  }
                ],
                "message": {
                  "text": "in plaintext"
                },
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "apps/db.yaml",
                    "uriBaseId": "%SRCROOT%"
                  },
                  "region": {
                    "endColumn": 21,
                    "endLine": 8,
                    "startColumn": 13,
                    "startLine": 8
                  }
                }
              }
            ],
            "message": {
              "text": "Secret prod/db has 2 plaintext values (stringData.user, stringData.password). Help: run sops encrypt --in-place apps/db.yaml, then change the password: anyone with access to the repository has seen it"
            },
            "partialFingerprints": {
              "primaryLocationLineHash": "e695c52efe24dd4af2359ce1c55a9760",
              "sopsLint/v1": "e695c52efe24dd4af2359ce1c55a9760"
            },
            "relatedLocations": [
              {
                "message": {
                  "text": "in plaintext"
                },
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "apps/db.yaml",
                    "uriBaseId": "%SRCROOT%"
                  },
                  "region": {
                    "endColumn": 14,
                    "endLine": 7,
                    "startColumn": 9,
                    "startLine": 7
                  }
                }
              },
              {
                "message": {
                  "text": "this creation rule governs the file"
                },
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": ".sops.yaml",
                    "uriBaseId": "%SRCROOT%"
                  },
                  "region": {
                    "endColumn": 24,
                    "endLine": 2,
                    "startColumn": 17,
                    "startLine": 2
                  }
                }
              }
            ],
            "ruleId": "unencrypted-secret",
            "ruleIndex": 0
          }
        ]
        "##);
    }

    #[test]
    fn a_rule_has_its_manual() {
        let meta = rules::find("unencrypted-secret").unwrap();
        let rule = rule(meta, Level::Error);
        assert_eq!(rule["name"], "UnencryptedSecret");
        assert_eq!(rule["properties"]["security-severity"], "9.1");
        assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("## What it does\n\nFinds"));
        assert!(rule["fullDescription"]["text"].as_str().unwrap().starts_with("Finds `v1/Secret`"));
        assert_eq!(
            help_address("https://example.com/sops-lint", meta.id.as_str()),
            format!(
                "https://example.com/sops-lint/blob/v{}/docs/rules.md#unencrypted-secret",
                env!("CARGO_PKG_VERSION")
            )
        );
        let packaged = rule["helpUri"].as_str().unwrap();
        assert!(packaged.ends_with("/docs/rules.md#unencrypted-secret"), "{packaged}");
    }

    #[test]
    fn every_rule_fits_into_what_github_takes() {
        for meta in rules::all() {
            let rule = super::rule(meta, meta.level);
            let length = |key: &str| rule[key]["text"].as_str().unwrap().chars().count();
            assert!((1..=MAX_DESCRIPTION).contains(&length("shortDescription")));
            assert!((1..=MAX_DESCRIPTION).contains(&length("fullDescription")), "{}", meta.id);
            assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 10);
        }
    }

    #[test]
    fn severities_are_on_the_scale_and_follow_the_level() {
        for meta in rules::all() {
            let severity = severity(meta.risk, Level::Error);
            assert!(severity.is_none_or(|number| (1..=100).contains(&number)), "{}", meta.id);
        }
        assert_eq!(severity(Risk::Leak(98), Level::Error), Some(98));
        assert_eq!(severity(Risk::Leak(98), Level::Warning), Some(69));
        assert_eq!(severity(Risk::Weakness(60), Level::Info), Some(39));
        assert_eq!(severity(Risk::Unrated, Level::Error), None);
    }

    #[test]
    fn fingerprints_tell_results_apart() {
        let results = written(&samples::hostile())["runs"][0]["results"].take();
        let results = results.as_array().unwrap();
        let prints: std::collections::HashSet<_> =
            results.iter().map(|one| one["partialFingerprints"].to_string()).collect();
        assert!(results.len() > 30 && prints.len() == results.len());
    }

    #[test]
    fn a_hostile_path_is_an_address_and_no_link() {
        assert_eq!(relative_uri("a b/[c]%:é\n.yaml"), "a%20b/%5Bc%5D%25%3A%C3%A9%0A.yaml");
        assert_eq!(
            without_links("[click](https://evil.example)"),
            "[click] (https://evil.example)"
        );
        let run = &written(&samples::hostile())["runs"][0];
        let place = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(
            place["artifactLocation"]["uri"],
            "a%2Cb%3Ac%25%0A%1B%5B31m%C2%9B%E2%80%AE.yaml"
        );
    }

    #[test]
    fn what_was_not_done_is_said() {
        let mut report = samples::mixed();
        report.errors.push("cannot read a.yaml: permission denied".to_owned());
        let invocation = &written(&report)["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let notes = invocation["toolExecutionNotifications"].as_array().unwrap();
        let levels: Vec<_> = notes.iter().map(|note| note["level"].as_str().unwrap()).collect();
        assert_eq!(levels, ["error", "note", "note", "note", "note"]);
        let invocation = &written(&samples::empty())["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], true);
    }

    #[test]
    fn what_github_would_refuse_is_cut_from_the_end_and_said() {
        let info = samples::mixed().findings.swap_remove(3);
        let mut findings = vec![info; MAX_RESULTS];
        let mut bad = samples::two_files().findings.swap_remove(0);
        bad.place.path = "z/last.yaml".into();
        bad.related = vec![bad.related[0].clone(); MAX_RELATED + 1];
        findings.push(bad);
        let report = Report::new(findings, Vec::new(), Summary::default());
        let run = &log(&report)["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), MAX_RESULTS);
        let last = results.last().unwrap();
        assert_eq!(last["level"], "error");
        assert_eq!(last["relatedLocations"].as_array().unwrap().len(), MAX_RELATED);
        assert!(last["message"]["text"].as_str().unwrap().contains("(100 of 101 other places"));
        let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
        assert!(note.as_str().unwrap().starts_with("the 1 least important of 25001 findings"));
    }
}
