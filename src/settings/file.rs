//! `.sops-lint.yaml`: its settings, and its mistakes.
//!
//! A mistake is a finding at its place; other, correct settings still apply. A mistake never
//! suppresses anything: an ignore that is not understood ignores nothing.

use std::collections::BTreeMap;
use std::path::Path;

use super::reader::{Problem, Reader, quoted};
use crate::document::{Entry, Format, Node, Parsed, yaml};
use crate::finding::{Draft, Finding, Level, RuleId};
use crate::judge;
use crate::path::RepoPath;
use crate::pattern::globs::Globs;
use crate::rules::{INVALID_SETTINGS, SETTINGS_RULES, UNUSED_IGNORE};
use crate::text::words::listing;
use crate::text::{Span, date};

/// The name of the settings file, at the root of the tree.
pub use crate::source::SETTINGS_NAME;

/// The maximum size of a settings file, in bytes. A long one has two hundred lines.
const MAX_SIZE: usize = 256 * 1024;

const KEYS: [&str; 10] = [
    "exclude",
    "encrypted_names",
    "fail_on",
    "levels",
    "overrides",
    "ignore",
    "trusted_endpoints",
    "baseline",
    "fix",
    "verify",
];

/// The settings of a file; the defaults if there is none.
#[derive(Debug, Default)]
pub struct SettingsFile {
    /// The path of the file.
    pub path: RepoPath,
    /// Files that are not read.
    pub exclude: Globs,
    /// Names that claim encryption; `None`: the usual ones.
    pub encrypted_names: Option<Globs>,
    /// The lowest level that fails a run.
    pub fail_on: Option<Level>,
    /// The levels of rules, by id.
    pub levels: Levels,
    /// The levels of rules in a part of the tree, in file order.
    pub overrides: Vec<Override>,
    /// Findings that are not reported, in file order.
    pub ignores: Vec<Ignore>,
    /// Files that the hook may encrypt.
    pub fix_allow: Globs,
    /// Trusted key services: hosts, or URLs without a path, in lower case.
    pub trusted_endpoints: Vec<String>,
    /// The path of the baseline, from the root of the tree.
    pub baseline: Option<RepoPath>,
    /// The setting that decides when MACs are compared.
    pub verify: Verify,
    /// The mistakes, in file order.
    pub problems: Vec<Problem>,
    today: u32,
    bytes: Vec<u8>,
    /// True if the file has one of the keys of a settings file.
    pub(super) is_recognised: bool,
}

/// Levels of rules, by id.
pub type Levels = BTreeMap<RuleId, Level>;

/// An entry of `overrides`: levels in a part of the tree.
#[derive(Debug)]
pub struct Override {
    /// The files; a directory means everything below it.
    pub paths: Globs,
    /// The levels of rules there.
    pub levels: Levels,
}

/// An entry of `ignore`: known findings that are acceptable.
#[derive(Debug)]
pub struct Ignore {
    /// The files; a directory means everything below it.
    pub paths: Globs,
    /// The ids of the rules.
    pub rules: Vec<RuleId>,
    /// The reason.
    pub reason: String,
    /// The last day on which it applies, counted from 1970-01-01 in UTC.
    pub expires: Option<u32>,
    /// The place of the entry, for `unused-ignore`.
    pub span: Span,
}

/// The setting that decides when MACs are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Compared if a key is available.
    #[default]
    Auto,
    /// Always: a missing key is an error.
    Always,
    /// Never.
    Never,
}

impl SettingsFile {
    /// Reads the bytes of a settings file, as they apply on a day, counted from 1970-01-01.
    pub fn read(path: RepoPath, bytes: Vec<u8>, today: u32) -> Self {
        let mut file = Self { path, today, ..Self::default() };
        let mut reader = Reader::default();
        match std::str::from_utf8(&bytes) {
            Ok(_) if bytes.len() > MAX_SIZE => reader.complain(
                Span::at(0),
                format!("the settings are larger than {} KiB, so none is applied", MAX_SIZE / 1024),
                "here",
                "write wider globs instead of many",
            ),
            Ok(text) => file.load(&yaml::Yaml.parse(text), &mut reader),
            Err(error) => reader.complain(
                Span::at(error.valid_up_to()),
                "the settings are not UTF-8",
                "this byte",
                "save the file as UTF-8",
            ),
        }
        file.bytes = bytes;
        file.problems = reader.problems;
        file.problems.sort_by_key(|problem| problem.span);
        file
    }

    /// Returns the findings about the file itself. `unused`: ignores without a finding.
    pub fn findings(&self, unused: &[&Ignore]) -> Vec<Finding> {
        let problems = self.problems.iter().map(|problem| {
            Draft::new(INVALID_SETTINGS, problem.span, &*problem.message)
                .note(problem.note)
                .help(&*problem.help)
        });
        let unused = unused.iter().map(|ignore| {
            let rules = listing(&ignore.rules, ToString::to_string);
            Draft::new(UNUSED_IGNORE, ignore.span, format!("nothing is ignored here ({rules})"))
                .note("this matches no finding")
                .help("remove it, or correct its path: paths begin at the root of the repository")
        });
        let expired = self.ignores.iter().filter_map(|ignore| {
            let rules = listing(&ignore.rules, ToString::to_string);
            let message = format!("an ignore expired on {} ({rules})", self.expiry(ignore)?);
            let draft = Draft::new(UNUSED_IGNORE, ignore.span, message);
            Some(draft.note("this ignores nothing any more").help(
                "correct what it ignored and remove it, or set a later date and say why in the reason",
            ))
        });
        let drafts = problems.chain(unused).chain(expired).collect();
        judge::settle_settings(&self.path, &self.bytes, self.is_recognised, drafts)
    }

    /// Returns the level of a rule at a path, if the settings change it. The last override decides.
    pub fn level(&self, rule: RuleId, path: &RepoPath) -> Option<Level> {
        let mut here = self.overrides.iter().rev().filter(|one| one.paths.covers(path.as_str()));
        let own = here.find_map(|one| one.levels.get(&rule));
        own.or_else(|| self.levels.get(&rule)).copied()
    }

    /// Returns the last day of an ignore that has expired.
    pub fn expiry(&self, ignore: &Ignore) -> Option<String> {
        ignore.expires.filter(|last| *last < self.today).map(date)
    }

    fn load(&mut self, parsed: &Parsed<'_>, reader: &mut Reader) {
        if let Some(error) = &parsed.error {
            let message = format!("the settings are not valid YAML: {error}");
            let help = "correct the syntax; until then no setting is applied";
            reader.complain(Span::at(error.offset), message, "here", help);
            return;
        }
        for key in &parsed.duplicate_keys {
            let help = "keep one of the two; the first is applied";
            reader.complain(key.span, "this key occurs twice in one map", "again", help);
        }
        if let Some(second) = parsed.documents.get(1) {
            let help = "move all settings into the first document";
            let message = "the settings have a second document, which is ignored";
            reader.complain(second.root.span, message, "second document", help);
        }
        let root = parsed.documents.first().map(|document| &document.root);
        let Some(root) = root.filter(|root| !root.is_null()) else { return };
        self.is_recognised = KEYS.iter().any(|key| root.get(key).is_some());
        if !reader.is_map(root, "the settings file", &KEYS) {
            return;
        }
        for key in KEYS {
            if let Some(entry) = root.entry(key) {
                self.load_key(entry, reader);
            }
        }
    }

    fn load_key(&mut self, entry: &Entry<'_>, reader: &mut Reader) {
        match &*entry.key {
            "exclude" => self.exclude = reader.globs(entry, false),
            "encrypted_names" => {
                let before = reader.complaints;
                let names = reader.globs(entry, false);
                // The usual names apply until all of the new ones are understood.
                self.encrypted_names = (reader.complaints == before).then_some(names);
            }
            "fail_on" => self.fail_on = reader.level(&entry.node, "`fail_on`"),
            "levels" => self.levels = levels(entry, reader),
            "overrides" => {
                let nodes = reader.list(entry);
                self.overrides = nodes.iter().filter_map(|node| overriding(node, reader)).collect();
            }
            "ignore" => {
                let nodes = reader.list(entry);
                self.ignores = nodes.iter().filter_map(|node| ignore(node, reader)).collect();
            }
            "trusted_endpoints" => {
                for (text, node) in reader.texts(entry, false) {
                    self.trusted_endpoints.extend(endpoint(text, node, reader));
                }
            }
            "baseline" => self.baseline = baseline(&entry.node, reader),
            "fix" if is_map(entry, &["allow"], reader) => {
                if let Some(allow) = entry.node.entry("allow") {
                    self.fix_allow = reader.globs(allow, false);
                }
            }
            "verify" => {
                let words = ["auto", "always", "never"];
                self.verify = match reader.word(&entry.node, "`verify`", &words) {
                    Some("always") => Verify::Always,
                    Some("never") => Verify::Never,
                    _ => Verify::Auto,
                };
            }
            _ => {}
        }
    }
}

/// Reads levels of rules.
fn levels(entry: &Entry<'_>, reader: &mut Reader) -> Levels {
    let mut levels = Levels::new();
    if !entry.node.is_map() {
        reader.wrong_type_of(entry, "a map");
        return levels;
    }
    for entry in entry.node.entries() {
        let rule = reader.rule(&entry.key, entry.key_span, &[INVALID_SETTINGS.id]);
        let what = format!("the level of {}", quoted(&entry.key));
        if let (Some(rule), Some(level)) = (rule, reader.level(&entry.node, &what)) {
            levels.entry(rule).or_insert(level);
        }
    }
    levels
}

/// Reads an entry of `overrides`. It needs a path and levels.
fn overriding(node: &Node<'_>, reader: &mut Reader) -> Option<Override> {
    if !reader.is_map(node, "an item of `overrides`", &["path", "levels"]) {
        return None;
    }
    for (key, help) in [
        ("path", "add path: with a glob, such as clusters/dev/**"),
        ("levels", "add levels: with the ids of rules and their levels"),
    ] {
        if is_missing(node, key) {
            let message = format!("an item of `overrides` has no {key}, so it changes nothing");
            reader.complain(start_of(node), message, "this item", help);
        }
    }
    let paths = node.entry("path").map(|entry| reader.globs(entry, true));
    let levels = node.entry("levels").map(|entry| levels(entry, reader));
    Some(Override { paths: paths.filter(|paths| !paths.is_empty())?, levels: levels? })
}

/// Returns the place where an item of a list begins.
fn start_of(node: &Node<'_>) -> Span {
    node.entries().next().map_or(node.span, |entry| entry.key_span)
}

/// Reports whether a key is missing, or its list is empty.
fn is_missing(node: &Node<'_>, key: &str) -> bool {
    let is_empty = |node: &Node<'_>| node.is_list() && node.elements().next().is_none();
    node.get(key).is_none_or(is_empty)
}

fn is_map(entry: &Entry<'_>, known: &[&str], reader: &mut Reader) -> bool {
    if entry.node.is_map() {
        return reader.is_map(&entry.node, &quoted(&entry.key), known);
    }
    reader.wrong_type_of(entry, "a map");
    false
}

/// Reads an entry of `ignore`. It needs a path, rules and a reason.
fn ignore(node: &Node<'_>, reader: &mut Reader) -> Option<Ignore> {
    let untouchable: Vec<RuleId> = SETTINGS_RULES.iter().map(|meta| meta.id).collect();
    if !reader.is_map(node, "an item of `ignore`", &["path", "rules", "reason", "expires"]) {
        return None;
    }
    let start = start_of(node);
    for (key, help) in [
        ("path", "add path: with a glob, such as docs/**"),
        ("rules", "add rules: with the ids of the rules to ignore here"),
        ("reason", "add `reason:` and say why this is acceptable; reviewers will ask"),
    ] {
        if is_missing(node, key) {
            let message = format!("an item of `ignore` has no {key}, so it ignores nothing");
            reader.complain(start, message, "this item", help);
        }
    }
    let paths = node.entry("path").map(|entry| reader.globs(entry, true));
    let ids = node.entry("rules").map(|entry| reader.texts(entry, true)).unwrap_or_default();
    let rules: Vec<_> =
        ids.iter().filter_map(|(id, node)| reader.rule(id, node.span, &untouchable)).collect();
    let expires = match node.entry("expires") {
        Some(entry) => Some(reader.day(&entry.node, "`expires`")?),
        None => None,
    };
    let reason = node.entry("reason")?;
    let text = reader.text(&reason.node, "`reason`")?.trim();
    if text.is_empty() {
        let help = "say why this is acceptable; reviewers will ask";
        reader.complain(
            reason.node.span,
            "an item of `ignore` has no reason, so it ignores nothing",
            "empty",
            help,
        );
        return None;
    }
    let paths = paths.filter(|paths| !paths.is_empty())?;
    let reason = text.to_owned();
    (!rules.is_empty()).then_some(Ignore { paths, rules, reason, expires, span: start })
}

/// Reads the path of the baseline.
fn baseline(node: &Node<'_>, reader: &mut Reader) -> Option<RepoPath> {
    let text = reader.text(node, "`baseline`")?;
    let path = RepoPath::new(Path::new(text)).filter(|path| !path.as_str().is_empty());
    if path.is_none() {
        let message = "`baseline` is not a path in the repository";
        let help = "write the path from the root, such as .sops-lint-baseline.yaml";
        reader.complain(node.span, message, "this path", help);
    }
    path
}

/// Reads `https://vault.example.com:8200` or a host. Returns lower case without a trailing slash.
fn endpoint(text: &str, node: &Node<'_>, reader: &mut Reader) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let address = lower.strip_suffix('/').unwrap_or(&lower);
    let authority = match address.split_once("://") {
        Some(("http" | "https", authority)) => authority,
        Some(_) => "",
        None => address,
    };
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    if host.split('.').all(is_label) && is_port {
        return Some(address.to_owned());
    }
    reader.complain(
        node.span,
        "an item of `trusted_endpoints` is neither a URL of a server nor a host",
        "this item",
        "write https://vault.example.com:8200 or vault.example.com, without a path",
    );
    None
}
