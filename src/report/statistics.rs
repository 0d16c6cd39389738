//! The findings, counted by rule and by area of the repository.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::closing;
use super::content::Report;
use super::json::{self, Tool};
use super::look::{Look, Tone, clean};
use super::reporter::Reporter;
use super::style::Style;
use super::summary::Summary;
use crate::finding::{Finding, Level};
use crate::path::RepoPath;
use crate::text::words::count;

/// Areas in the table. JSON has all.
const MAX_AREAS: usize = 25;
/// The area of files that are in no directory.
const TOP: &str = ".";

/// `--statistics --format human`.
#[derive(Debug)]
pub(super) struct Table;

/// `--statistics --format json`.
#[derive(Debug)]
pub(super) struct Json;

impl Reporter for Table {
    fn name(&self) -> &'static str {
        "human"
    }

    fn summary(&self) -> &'static str {
        "for people: two tables"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let look = Look::new(style);
        let Statistics { rules, areas } = Statistics::of(&report.findings);
        if !rules.is_empty() {
            let rows = rules.iter().map(|row| (&row.numbers, row.rule.to_owned()));
            write_table("rule", rows.collect(), &look, out)?;
            let shown = areas.iter().take(MAX_AREAS);
            let rows = shown.map(|row| (&row.numbers, clean(&row.path).into_owned()));
            writeln!(out)?;
            write_table("directory", rows.collect(), &look, out)?;
            if let Some(rest) = areas.get(MAX_AREAS..).filter(|rest| !rest.is_empty()) {
                let findings = rest.iter().map(|row| row.numbers.all()).sum();
                let (findings, areas) = (count(findings, "finding"), rest.len());
                writeln!(out, "and {findings} in {areas} more (--format json has all)")?;
            }
        }
        if style.quiet {
            return Ok(());
        }
        let mut text = String::new();
        if !rules.is_empty() {
            text.push('\n');
        }
        closing::write_numbers(report, style, &look, &mut text).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    }
}

impl Reporter for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn summary(&self) -> &'static str {
        "one JSON document"
    }

    fn write(&self, report: &Report, _: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let document = Document {
            schema_version: json::SCHEMA_VERSION,
            tool: Tool::this(),
            statistics: Statistics::of(&report.findings),
            errors: &report.errors,
            summary: report.summary,
        };
        writeln!(out, "{}", json::escape(&serde_json::to_string_pretty(&document)?))
    }
}

#[derive(Serialize)]
struct Document<'r> {
    schema_version: u32,
    tool: Tool,
    statistics: Statistics,
    errors: &'r [String],
    summary: Summary,
}

/// Rules and areas, those with the most errors first.
#[derive(Debug, Serialize)]
struct Statistics {
    rules: Vec<RuleRow>,
    areas: Vec<AreaRow>,
}

#[derive(Debug, Serialize)]
struct RuleRow {
    rule: &'static str,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Debug, Serialize)]
struct AreaRow {
    path: String,
    #[serde(flatten)]
    numbers: Numbers,
}

/// Numbers of findings by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Numbers {
    errors: usize,
    warnings: usize,
    infos: usize,
}

impl Numbers {
    fn add(&mut self, level: Level) {
        *match level {
            Level::Error => &mut self.errors,
            Level::Warning => &mut self.warnings,
            Level::Info => &mut self.infos,
        } += 1;
    }

    fn all(self) -> usize {
        self.errors + self.warnings + self.infos
    }
}

impl Statistics {
    fn of(findings: &[Finding]) -> Self {
        let rules = counted(findings, |finding| finding.rule.id.as_str());
        let rules = rules.into_iter().map(|(rule, numbers)| RuleRow { rule, numbers }).collect();
        let areas = areas(findings).into_iter();
        let areas = areas.map(|(path, numbers)| AreaRow { path: path.to_owned(), numbers });
        Self { rules, areas: areas.collect() }
    }
}

/// Counts the findings of each directory of the first level. A directory with most of them is divided
/// into its subdirectories, unless these have hardly more than one each.
fn areas(findings: &[Finding]) -> Vec<(&str, Numbers)> {
    let first = counted(findings, |finding| directory(&finding.place.path, 1));
    let Some((most, numbers)) = first.iter().max_by_key(|(_, numbers)| numbers.all()) else {
        return first;
    };
    let divided = counted(findings, |finding| {
        let path = &finding.place.path;
        directory(path, if directory(path, 1) == *most { 2 } else { 1 })
    });
    let parts = divided.len() + 1 - first.len();
    let is_crowded = 2 * numbers.all() > findings.len();
    if is_crowded && 3 * parts <= 2 * numbers.all() { divided } else { first }
}

/// Returns the directory of a file, cut to this number of levels.
fn directory(path: &RepoPath, levels: usize) -> &str {
    let path = path.as_str();
    let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).take(levels).collect();
    ends.last().map_or(TOP, |end| &path[..*end])
}

/// Counts the findings of each name, and sorts the names: those with the most errors first.
fn counted<'f, 'n>(
    findings: &'f [Finding],
    name: impl Fn(&'f Finding) -> &'n str,
) -> Vec<(&'n str, Numbers)> {
    let mut numbers: BTreeMap<&str, Numbers> = BTreeMap::new();
    for finding in findings {
        numbers.entry(name(finding)).or_default().add(finding.level);
    }
    let mut rows: Vec<_> = numbers.into_iter().collect();
    rows.sort_by_key(|(_, numbers)| Reverse(*numbers));
    rows
}

fn write_table(
    title: &str,
    rows: Vec<(&Numbers, String)>,
    look: &Look,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let head = format!("{:>6}  {:>8}  {:>5}  {title}", "errors", "warnings", "infos");
    writeln!(out, "{}", look.paint(Tone::Strong, &head))?;
    for (numbers, name) in rows {
        let cell = |number: usize, width: usize, tone| {
            let text = format!("{number:>width$}");
            if number == 0 { text } else { look.paint(tone, &text) }
        };
        let Numbers { errors, warnings, infos } = *numbers;
        let errors = cell(errors, 6, Tone::Error);
        let (warnings, infos) = (cell(warnings, 8, Tone::Warning), cell(infos, 5, Tone::Info));
        writeln!(out, "{errors}  {warnings}  {infos}  {name}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(reporter: &dyn Reporter, report: &Report) -> String {
        let mut out = Vec::new();
        reporter.write(report, &Style::default(), &mut out).expect("a vector takes all bytes");
        String::from_utf8(out).expect("reports are UTF-8")
    }

    fn in_files(paths: &[&str]) -> Report {
        let findings = paths.iter().map(|path| {
            samples::finding(&samples::PLAINTEXT, samples::place(path, "a: b", "a"), "")
        });
        samples::report(findings.collect())
    }

    #[test]
    fn the_tables_count_rules_and_directories() {
        insta::assert_snapshot!(written(&Table, &samples::mixed()), @r"
        errors  warnings  infos  rule
             1         0      0  unencrypted-secret
             1         0      0  unreadable-document
             0         1      0  recipient-drift
             0         0      1  uncovered-file

        errors  warnings  infos  directory
             2         0      0  apps
             0         1      0  clusters
             0         0      1  docs

        Found 2 errors, 1 warning and 1 info in 812 files (41 Secrets, 40 encrypted files) in 37 ms.
        Not verified: 40 encrypted files. Tampering with them would go unnoticed (run with -v to see why).
        Skipped: 1 file (run with -v to see which).
        ");
        insta::assert_snapshot!(written(&Table, &samples::empty()), @"No files were found.");
    }

    #[test]
    fn a_directory_with_most_findings_is_divided() {
        let names = |report: &Report| -> Vec<String> {
            let Statistics { areas, .. } = Statistics::of(&report.findings);
            areas.into_iter().map(|row| format!("{} {}", row.numbers.all(), row.path)).collect()
        };
        let report = in_files(&["a/x", "b/x", "c.yaml", "a/b/c/x"]);
        assert_eq!(names(&report), ["2 a", "1 .", "1 b"]);
        let report = in_files(&["a/p/x", "a/p/q/x", "a/p/y", "a/r/x", "a/x", "c.yaml"]);
        assert_eq!(names(&report), ["3 a/p", "1 .", "1 a", "1 a/r"]);
        let report = in_files(&["a/p/x", "a/q/x", "a/r/x", "a/s/x", "c.yaml"]);
        assert_eq!(names(&report), ["4 a", "1 ."]);
    }

    #[test]
    fn what_does_not_fit_into_the_table_is_counted() {
        let paths: Vec<String> = (0..40).map(|number| format!("d{number}/x")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let text = written(&Table, &in_files(&paths));
        assert!(text.contains("\nand 15 findings in 15 more (--format json has all)\n"), "{text}");
        let document: serde_json::Value =
            serde_json::from_str(&written(&Json, &in_files(&paths))).expect("it is JSON");
        assert_eq!(document["statistics"]["areas"].as_array().map(Vec::len), Some(40));
        assert_eq!(document["statistics"]["rules"][0]["errors"], 40);
    }
}
