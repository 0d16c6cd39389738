//! The published JSON Schemas describe the program.
//!
//! Every report that a test reads is checked against `docs/schema/report.json`: see `Run::findings`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Map, Value, json};
use sops_lint::document::{Format, Node, Scalar, yaml};

use crate::support::{directories, fixtures, name, project, repository, sops_lint};

const SETTINGS: &str = ".sops-lint.yaml";

/// A compiled schema.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    pub(crate) fn new(schema: Value, part: &str) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("https://example.com/schema", schema).expect("a schema");
        let location = format!("https://example.com/schema{part}");
        let index = compiler.compile(&location, &mut schemas).expect("a valid schema");
        Self { schemas, index }
    }

    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        self.schemas.validate(value, self.index).map_err(|error| format!("{error:#}"))
    }
}

pub(crate) fn schema(name: &str) -> Value {
    let text = fs::read_to_string(project().join("docs/schema").join(name)).expect("committed");
    serde_json::from_str(&text).expect("schemas are JSON")
}

/// Returns the schema without room for unknown fields: readers accept them, but the program must describe
/// all fields that it writes.
pub(crate) fn without_unknown_fields(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(map) => {
            if map.contains_key("properties") && map.get("type") == Some(&json!("object")) {
                map.insert("additionalProperties".to_owned(), false.into());
            }
            for value in map.values_mut() {
                *value = without_unknown_fields(value.take());
            }
        }
        Value::Array(list) => {
            for value in list {
                *value = without_unknown_fields(value.take());
            }
        }
        _ => {}
    }
    schema
}

/// Checks a JSON report. The error explains what is wrong.
pub(crate) fn check_report(report: &Value) -> Result<(), String> {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA
        .get_or_init(|| Schema::new(without_unknown_fields(schema("report.json")), ""))
        .check(report)
}

/// Returns a settings file as JSON, for its schema.
fn as_json(node: &Node<'_>) -> Value {
    if node.is_map() {
        let entries = node.entries().map(|entry| (entry.key.to_string(), as_json(&entry.node)));
        return Value::Object(entries.collect::<Map<_, _>>());
    }
    if node.is_list() {
        return node.elements().map(as_json).collect();
    }
    match node.as_str() {
        Some(text) => text.into(),
        None if node.is_null() => Value::Null,
        None => match &node.value {
            sops_lint::document::Value::Scalar(Scalar::Bool(_)) => true.into(),
            // For YAML 1.2 a date is text.
            sops_lint::document::Value::Scalar(Scalar::Time(time)) => time[..10].into(),
            _ => 0.into(),
        },
    }
}

/// Returns all settings files of the fixtures, with their directories.
fn settings_files() -> Vec<PathBuf> {
    let rules = directories(&fixtures().join("rules"));
    let cases = rules.iter().flat_map(|rule| directories(rule));
    cases.filter(|case| case.join(SETTINGS).exists()).collect()
}

fn has_invalid_settings(case: &Path) -> bool {
    let run = sops_lint(case, &["scan", "--format", "json", "--only", "invalid-settings", "."]);
    !run.findings().is_empty()
}

#[test]
fn the_schema_takes_what_the_program_takes_and_refuses_most_of_what_it_refuses() {
    // Only the program checks syntax, globs and names of files.
    const UNSEEN: [&str; 5] =
        ["bad-not-yaml", "bad-not-utf-8", "bad-key-twice", "bad-globs", "bad-two-names"];
    let schema = Schema::new(schema("settings.json"), "");
    let cases = settings_files();
    assert!(cases.len() > 15, "{} settings files", cases.len());
    for case in cases {
        let copy = crate::support::copy_of(&case, &[]);
        let is_refused = has_invalid_settings(copy.path());
        if UNSEEN.contains(&&*name(&case)) {
            continue;
        }
        let text = fs::read_to_string(case.join(SETTINGS)).expect("readable");
        let parsed = yaml::Yaml.parse(&text);
        let value = parsed.documents.first().map_or(Value::Null, |first| as_json(&first.root));
        let checked = schema.check(&value);
        assert_eq!(checked.is_err(), is_refused, "{}: {checked:?}", case.display());
    }
}

#[test]
fn the_schema_of_settings_names_every_rule_and_every_key() {
    let mut ids: Vec<&str> = sops_lint::rules::all().map(|meta| meta.id.as_str()).collect();
    ids.sort_unstable();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        write_rules(&ids);
    }
    let schema = schema("settings.json");
    assert_eq!(schema["$defs"]["rule"]["enum"], json!(ids), "docs/schema/settings.json: rule");
    let tree = repository(&[(SETTINGS, "no_such_key: 1\n")]);
    let run = sops_lint(tree.path(), &["scan", "--format", "json"]).json();
    let help = run["findings"][0]["help"].as_str().expect("a list of keys").to_owned();
    let properties = schema["properties"].as_object().expect("an object");
    let keys: Vec<&str> = help.trim_start_matches("the known names are ").split(", ").collect();
    assert_eq!(keys.len(), properties.len());
    for key in keys {
        assert!(properties[key]["description"].is_string(), "{key} is not described");
    }
}

/// Rewrites the list of rules in the schema of settings. Everything else there is written by hand.
fn write_rules(ids: &[&str]) {
    const START: &str = "\"enum\": [";
    let path = project().join("docs/schema/settings.json");
    let text = fs::read_to_string(&path).expect("committed");
    let rule = text.find("\"rule\": {").expect("it defines a rule");
    let start = rule + text[rule..].find(START).expect("a list of rules") + START.len();
    let end = start + text[start..].find(']').expect("the list ends");
    let ids: Vec<String> = ids.iter().map(|id| format!("\n        \"{id}\"")).collect();
    let list = format!("{}\n      ", ids.join(","));
    fs::write(&path, [&text[..start], &list, &text[end..]].concat()).expect("it can be written");
}

#[test]
fn a_line_of_jsonl_is_what_the_schema_says() {
    let schema = Schema::new(without_unknown_fields(schema("report.json")), "#/$defs/line");
    let run = sops_lint(&fixtures().join("demo"), &["scan", "--format", "jsonl", "."]);
    assert!(run.stdout.lines().count() > 5);
    for line in run.stdout.lines() {
        let value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(schema.check(&value), Ok(()), "{line}");
    }
}

#[test]
fn a_report_with_a_field_that_nobody_described_is_noticed() {
    let tree = repository(&[("a.yaml", "kind: ConfigMap\n")]);
    let mut report = sops_lint(tree.path(), &["scan", "--format", "json"]).json();
    assert_eq!(check_report(&report), Ok(()));
    report["summary"]["surprise"] = 1.into();
    assert!(check_report(&report).is_err());
}
