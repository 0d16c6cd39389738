//! `sops-lint explain` and `sops-lint rules`: the manuals and the list of rules.

use std::io::{self, Write};

use super::error::{CommandError, Exit};
use super::markdown::rendered;
use crate::cli;
use crate::finding::{Level, Needs, RuleMeta};
use crate::host::Host;
use crate::report::{Look, Style, Tone, wrap};
use crate::rules;
use crate::settings;

/// Prints the manuals of the named rules: for a person if a terminal shows them, otherwise in Markdown.
pub fn explain(
    args: &cli::Explain,
    style: cli::StyleOptions,
    host: &Host,
) -> Result<Exit, CommandError> {
    let style = settings::style(style, host);
    let look = Look::new(&style);
    let is_rendered = style.color || host.stdout_is_terminal;
    let manuals = args.rules.iter().map(|meta| {
        let manual = manual(meta);
        if is_rendered { rendered(&manual, &look) } else { manual }
    });
    let manuals: Vec<String> = manuals.collect();
    print(&manuals.join("\n"))
}

/// Prints the list of rules.
pub fn rules(
    args: &cli::Rules,
    style: cli::StyleOptions,
    host: &Host,
) -> Result<Exit, CommandError> {
    match args.format {
        cli::ListFormat::Human => {
            let style = settings::style(style, host);
            let width = if host.stdout_is_terminal { style.width } else { usize::MAX };
            print(&list(&Look::new(&Style { width, ..style })))
        }
        cli::ListFormat::Json => print(&json()),
        cli::ListFormat::Markdown => print(&markdown()),
    }
}

fn print(text: &str) -> Result<Exit, CommandError> {
    io::stdout().write_all(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}

/// Returns the manual of a rule in Markdown.
pub fn manual(meta: &RuleMeta) -> String {
    let needs = match meta.needs {
        Needs::Text => "only the file",
        Needs::Policy => "the governing .sops.yaml",
        Needs::Change => "an earlier version of the file",
        Needs::Keys => "a private key",
    };
    format!(
        "# {}\n\n{}.\n\nLevel: {}. Needs: {needs}.\n\n{}\n",
        meta.id,
        meta.title(),
        meta.level,
        meta.text()
    )
}

fn list(look: &Look) -> String {
    const LEVEL: usize = "warning".len();
    let widest = rules::all().map(|meta| meta.id.as_str().len()).max().unwrap_or_default();
    let indent = widest + LEVEL + 4;
    let mut text = String::new();
    for level in [Level::Error, Level::Warning, Level::Info] {
        for meta in rules::all().filter(|meta| meta.level == level) {
            let id = look.paint(Tone::Strong, meta.id.as_str());
            let level = look.paint(meta.level.into(), meta.level.name());
            let (behind_id, behind_level) =
                (widest - meta.id.as_str().len() + 2, LEVEL - meta.level.name().len() + 2);
            let summary = wrap(meta.summary, look.width.saturating_sub(indent), 0);
            let summary = summary.join(&format!("\n{:indent$}", ""));
            text += &format!("{id}{:behind_id$}{level}{:behind_level$}{summary}\n", "", "");
        }
    }
    text + "\nRun `sops-lint explain ID` for the manual of a rule.\n"
}

/// Returns the text of `docs/rules.md`: a table, then the manuals.
fn markdown() -> String {
    let mut text = String::from(
        "# The rules\n\nGenerated from the manuals in `src/rules/` by `sops-lint rules --format markdown`; \
         `sops-lint explain ID` prints one of them.\n\n| rule | level | finds |\n|---|---|---|\n",
    );
    for meta in rules::all() {
        text += &format!("| [`{0}`](#{0}) | {1} | {2} |\n", meta.id, meta.level, meta.summary);
    }
    for meta in rules::all() {
        text.push('\n');
        text += &one_level_down(&manual(meta));
    }
    text
}

/// Adds a `#` to headings, but not to comments in examples.
fn one_level_down(manual: &str) -> String {
    let mut is_example = false;
    let mut text = String::new();
    for line in manual.lines() {
        is_example ^= line.starts_with("```");
        if line.starts_with('#') && !is_example {
            text.push('#');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn json() -> String {
    let rules: Vec<_> = rules::all()
        .map(|meta| {
            serde_json::json!({
                "id": meta.id,
                "level": meta.level,
                "needs": meta.needs,
                "summary": meta.summary,
                "manual": manual(meta),
            })
        })
        .collect();
    let list = serde_json::json!({ "schema_version": 1, "rules": rules });
    format!("{list:#}\n")
}
