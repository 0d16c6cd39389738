//! `sops-lint policy`: the config and the creation rule of a file, and the file compared with them.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use super::error::{CommandError, Exit};
use crate::cli;
use crate::host::Host;
use crate::input::{Content, Input};
use crate::judge;
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Config, CreationRule, Governing, Names, Policy};
use crate::report::{Look, Tone};
use crate::rules::{looks_like_glob, misses_files};
use crate::settings;
use crate::shell::{Command, Reader};
use crate::sops::census;
use crate::sops::metadata::{self, Found};
use crate::sops::recipe::{Recipe, drift};
use crate::source::{SourceError, WorkTree, config_above};
use crate::text::printable::{clean, clean_path};
use crate::text::words::count;
use crate::tree::read_config;

/// What precedes the name of a line.
const INDENT: &str = "  ";
/// The columns of the names of lines.
const NAMES: usize = "  governed by  ".len();

/// Prints the config and the creation rule of each path.
pub fn run(
    args: &cli::Policy,
    style: cli::StyleOptions,
    host: &Host,
) -> Result<Exit, CommandError> {
    let mut out = String::new();
    for path in &args.paths {
        if host.is_directory(&host.directory.join(path)) {
            line(&mut out, &clean_path(&path.display().to_string()));
            line(&mut out, "  the path     is a directory: name the files in it\n");
            continue;
        }
        let typed = clean_path(&path.display().to_string()).into_owned();
        let (tree, path) = locate(path, host)?;
        let directories: Vec<&str> = path.ancestors().collect();
        let policy = Policy::load(directories, |path| read_config(&tree, path))
            .below(config_above(&tree.root));
        line(&mut out, &typed);
        describe(&mut out, &tree, &policy, &path);
    }
    let out = painted(&out, &Look::new(&settings::style(style, host)));
    io::stdout().write_all(out.as_bytes()).map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}

/// Returns the text with paths and the names of lines in colour.
fn painted(text: &str, look: &Look) -> String {
    let painted = |line: &str| {
        let name = line.get(..NAMES).filter(|name| name.starts_with(INDENT));
        match name {
            None => look.paint(Tone::Strong, line),
            Some(name) => {
                let rest = &line[NAMES..];
                let is_bad =
                    ["verdict", "note"].contains(&name.trim()) && !rest.contains(" match the");
                let tone = if is_bad { Tone::Warning } else { Tone::Aside };
                format!("{}{rest}", look.paint(tone, name))
            }
        }
    };
    text.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { painted(line) + "\n" })
        .collect()
}

/// Returns the tree that contains a path, and the path in it. The file need not exist, but its directory
/// must.
fn locate(path: &Path, host: &Host) -> Result<(WorkTree, RepoPath), CommandError> {
    let full = host.directory.join(path);
    let not_found = || SourceError::NotFound(path.to_path_buf());
    let name = full.file_name().ok_or_else(not_found)?.to_owned();
    let parent = full.parent().ok_or_else(not_found)?;
    let tree = WorkTree::discover(&host.directory, &[parent.to_path_buf()])?;
    let parent = WorkTree::canonical(parent)?;
    let outside = || SourceError::OutsideRoot { path: path.to_path_buf(), root: tree.root.clone() };
    let relative = parent.strip_prefix(&tree.root).map_err(|_| outside())?.join(name);
    let path = RepoPath::new(&relative).ok_or_else(outside)?;
    Ok((tree, path))
}

fn describe(out: &mut String, tree: &WorkTree, policy: &Policy, path: &RepoPath) {
    let governing = policy.governing(path);
    match governing {
        Governing::NoConfig => {
            line(out, "  governed by  nothing: there is no .sops.yaml in a directory above");
        }
        Governing::Outside(outside) => {
            line(
                out,
                &format!(
                    "  governed by  {outside}, seen from the root: sops uses it, but it is outside the repository, and sops-lint does not read it"
                ),
            );
        }
        Governing::Unusable(config) => {
            line(
                out,
                &format!(
                    "  governed by  {}, which sops cannot use (see `sops-lint scan`)",
                    config.path
                ),
            );
        }
        Governing::NoRule(config) => {
            line(
                out,
                &format!("  governed by  nothing: no creation rule of {} matches", config.path),
            );
            tried(out, config, &config.rules, path);
        }
        Governing::Rule(config, rule) => {
            let regex = rule
                .path_regex()
                .map_or("any path".to_owned(), |regex| format!("path_regex {}", clean(regex)));
            line(out, &format!("  governed by  rule {} of {} ({regex})", rule.number, config.path));
            tried(out, config, &config.rules[..rule.number - 1], path);
            recipe(out, "requires", &rule.recipe, Some(&config.names));
        }
    }
    file(out, tree, path, governing);
    from_the_root(out, policy, path, governing);
    out.push('\n');
}

/// Lists rules that were tried and do not match, with the reason, if it is known.
fn tried(out: &mut String, config: &Config, rules: &[CreationRule], path: &RepoPath) {
    let directory = config.path.parent();
    let relative = path.below(directory.as_str()).unwrap_or_default();
    for rule in rules {
        let Some(regex) = rule.path_regex() else {
            line(out, &format!("  tried        rule {}: (broken regular expression)", rule.number));
            continue;
        };
        let why = match rule.correction_for(&directory, relative) {
            Some(correction) => format!(
                " ({}; {} would match)",
                misses_files(&correction, config),
                clean(correction.pattern.as_str())
            ),
            None if looks_like_glob(regex) => {
                " (sops reads it as a regular expression, not as a glob)".to_owned()
            }
            None => String::new(),
        };
        line(out, &format!("  tried        rule {}: {}{why}", rule.number, clean(regex)));
    }
}

/// Describes a recipe. Its recipients have their whole ids, to be copied, behind the names of the config.
fn recipe(out: &mut String, verb: &str, recipe: &Recipe, names: Option<&Names>) {
    let groups = recipe.key_groups.len();
    for (index, group) in recipe.key_groups.iter().enumerate() {
        let which = if groups > 1 { format!(" in key group {}", index + 1) } else { String::new() };
        for recipient in &group.recipients {
            let service = recipient.service.name();
            let named = match names.and_then(|names| names.name(recipient)) {
                Some(name) => format!("{name} ({recipient})"),
                None => recipient.to_string(),
            };
            line(out, &format!("  {verb:11}  {service} {named}{which}"));
        }
        for invalid in &group.invalid {
            line(
                out,
                &format!(
                    "  {verb:11}  {}: a recipient that {}{which}",
                    invalid.service.name(),
                    invalid.error
                ),
            );
        }
    }
    if groups > 1 {
        line(
            out,
            &format!("  {verb:11}  {} of {groups} key groups to decrypt", recipe.groups_needed()),
        );
    }
    line(out, &format!("  {verb:11}  {}", recipe.selector));
    if recipe.mac_only_encrypted {
        line(out, &format!("  {verb:11}  a MAC over encrypted values only"));
    }
}

/// Describes the file itself, compared with its rule.
fn file(out: &mut String, tree: &WorkTree, path: &RepoPath, governing: Governing<'_>) {
    let Some(bytes) = read_config(tree, path) else {
        return line(out, "  the file     does not exist");
    };
    if std::str::from_utf8(&bytes).is_err() {
        return line(out, "  the file     is not text");
    }
    let input = Input { path: path.clone(), content: Content::Bytes(bytes) };
    let parsed = judge::encrypted(&input);
    let documents = parsed.iter().flat_map(|parsed| &parsed.documents);
    let Some(Found::Metadata(metadata)) = documents.clone().next().map(metadata::find) else {
        return line(out, "  the file     is not encrypted");
    };
    let names = governing.config().map(|config| &config.names);
    recipe(out, "has", &metadata.recipe, names);
    let selector = &metadata.recipe.selector;
    let counted = documents.map(|document| census::take(document, Some(selector)));
    let (encrypted, plain) = counted.fold((0, 0), |(encrypted, plain), census| {
        (encrypted + census.encrypted, plain + census.plaintext.len() + census.unselected.len())
    });
    let plaintext = count(plain, "plaintext value");
    line(out, &format!("  has          {encrypted} encrypted and {plaintext}"));
    if encrypted == 0 && plain > 0 {
        line(out, "  verdict      no value is encrypted (see `sops-lint scan`)");
    }
    if let Some((_, rule)) = governing.rule() {
        let same = drift(&metadata.recipe, &rule.recipe).is_none();
        let same_selector = metadata.recipe.selector.is_equal(&rule.recipe.selector);
        line(
            out,
            match (same, same_selector) {
                (true, true) => "  verdict      the recipients and the selector match the rule",
                (true, false) => {
                    "  verdict      the recipients match the rule, the selector does not"
                }
                (false, true) => "  verdict      the recipients do not match the rule",
                (false, false) => {
                    "  verdict      neither the recipients nor the selector match the rule"
                }
            },
        );
    }
}

/// Adds a note if sops, run from the root, would use another config: it searches from its own directory.
fn from_the_root(out: &mut String, policy: &Policy, path: &RepoPath, governing: Governing<'_>) {
    let nearest = match governing {
        Governing::NoConfig | Governing::Outside(_) => return,
        Governing::Unusable(config) | Governing::NoRule(config) | Governing::Rule(config, _) => {
            config
        }
    };
    if nearest.path.as_str() == CONFIG_NAME {
        return;
    }
    let root = policy.config(&RepoPath::from(CONFIG_NAME));
    let words = match root.map(|config| config.governing(path)) {
        None => "finds no .sops.yaml".to_owned(),
        Some(Governing::Rule(config, rule)) => {
            format!("uses rule {} of {} instead", rule.number, config.path)
        }
        Some(_) => "finds no rule in ./.sops.yaml".to_owned(),
    };
    let sops = Command::new("sops").config(&nearest.path).line(&Reader::at_root());
    line(out, &format!("  note         sops run from the root {words}; there, use `{sops}`"));
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}
