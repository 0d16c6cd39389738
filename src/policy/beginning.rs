//! The beginning of a `path_regex` because of which it misses files.
//!
//! sops matches a path that is relative to the directory of the config (`config/config.go`), without `./`
//! or `/` before it. People write patterns for other paths.

use super::config::Config;
use super::creation_rule::CreationRule;
use crate::path::RepoPath;
use crate::pattern::{Pattern, alternatives};

/// Maximum directories of an absolute path that are removed.
pub const MAX_DIRECTORIES: usize = 8;

/// Maximum rules that are corrected for one file.
const MAX_RULES: usize = 100;

/// A path that no pattern is written for.
const ODD_NAME: &str = "zq9/zq9";

/// Patterns for a directory.
const ANY_DIRECTORY: [&str; 8] =
    [".*/", ".+/", "(.*)/", "(.+)/", "[^/]*/", "[^/]+/", ".*?/", r".*\/"];

/// A `path_regex` without the beginning that keeps it from matching.
#[derive(Debug)]
pub struct Correction {
    /// The corrected pattern.
    pub pattern: Pattern,
    /// The beginning that it lacks.
    pub beginning: Beginning,
}

/// The beginning of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// `./`, with which no path begins.
    Dot,
    /// `/`, with which no path begins, or the directories of an absolute path.
    Slash,
    /// `~/` or `$HOME/`, which only a shell knows.
    Home,
    /// Backslashes between directories.
    Backslash,
    /// The directory of the config.
    OwnDirectory,
    /// `.*/`, which needs a directory above.
    AnyDirectory,
}

impl CreationRule {
    /// Returns its `path_regex` without a beginning that no path in the directory of the config may have.
    /// The first ones remove least.
    pub fn corrections(&self, directory: &RepoPath) -> Vec<Correction> {
        let Some(source) = self.path_regex() else { return Vec::new() };
        let parts = alternatives(source);
        let corrected: Vec<_> = parts.iter().map(|part| corrected(part, directory)).collect();
        let most = corrected.iter().map(Vec::len).max().unwrap_or(0);
        let at = |number: usize| {
            let mut beginning = None;
            let pieces = parts.iter().zip(&corrected).map(|(part, found)| {
                let found = found.get(number).or(found.last());
                beginning = beginning.or(found.map(|(_, beginning)| *beginning));
                found.map_or((*part).to_owned(), |(text, _)| text.clone())
            });
            let source = pieces.collect::<Vec<_>>().join("|");
            Some(Correction { pattern: Pattern::new(&source).ok()?, beginning: beginning? })
        };
        (0..most).filter_map(at).collect()
    }

    /// Returns the correction with which the rule matches a path that it does not match now.
    pub fn correction_for(&self, directory: &RepoPath, relative: &str) -> Option<Correction> {
        if self.matches(relative) != Some(false) {
            return None;
        }
        // What is left of an absolute path may match any file, and says nothing about this one.
        let corrections = self.corrections(directory).into_iter().enumerate();
        let mut plain =
            corrections.filter(|(at, found)| *at == 0 || !found.pattern.is_match(ODD_NAME));
        let found = plain.find(|(_, correction)| correction.pattern.is_match(relative));
        found.map(|(_, correction)| correction)
    }
}

impl Config {
    /// Returns the first rule that would match a path without the beginning of its `path_regex`. Rules behind
    /// the one that governs the path do not matter.
    pub fn missed_by(&self, path: &RepoPath) -> Option<(&CreationRule, Correction)> {
        let directory = self.path.parent();
        let relative = path.below(directory.as_str())?;
        let tried = self.rules.iter().take_while(|rule| rule.matches(relative) == Some(false));
        tried
            .take(MAX_RULES)
            .find_map(|rule| Some((rule, rule.correction_for(&directory, relative)?)))
    }
}

/// Returns an alternative without its beginning, in the ways that are possible. A group at the beginning
/// counts as alternatives.
fn corrected(source: &str, directory: &RepoPath) -> Vec<(String, Beginning)> {
    let (anchor, rest) = source.strip_prefix('^').map_or(("", source), |rest| ("^", rest));
    let Some((inner, behind)) = group(rest) else { return corrected_part(source, directory) };
    let choices = alternatives(inner);
    // `(^|/)` and `(.*)/` are beginnings, not directories.
    if choices.iter().any(|choice| matches!(*choice, "^" | "" | ".*" | ".+")) {
        return corrected_part(source, directory);
    }
    let parts = choices.iter().map(|choice| format!("{anchor}{choice}{behind}"));
    let found = parts.map(|part| (corrected_part(&part, directory), part));
    let found: Vec<(Vec<(String, Beginning)>, String)> = found.collect();
    let most = found.iter().map(|(ways, _)| ways.len()).max().unwrap_or(0);
    let at = |number: usize| {
        let chosen = |ways: &[(String, Beginning)]| ways.get(number).or(ways.last()).cloned();
        let beginning = found.iter().find_map(|(ways, _)| chosen(ways)).map(|(_, it)| it);
        let texts = found.iter().map(|(ways, part)| chosen(ways).map_or(part.clone(), |it| it.0));
        Some((joined(&texts.collect::<Vec<_>>(), behind), beginning?))
    };
    (0..most).filter_map(at).collect()
}

/// Returns `^(a|b)/` for `^a/` and `^b/`, where `/` is their common end.
fn joined(parts: &[String], end: &str) -> String {
    let inner = |begin: &str| {
        let stripped = parts.iter().map(|part| part.strip_prefix(begin)?.strip_suffix(end));
        stripped.collect::<Option<Vec<_>>>()
    };
    let found = ["(^|/)", "^"].into_iter().find_map(|begin| Some((begin, inner(begin)?)));
    match found {
        Some((begin, inner)) => format!("{begin}({}){end}", inner.join("|")),
        None => parts.join("|"),
    }
}

/// Returns the inside of a group at the beginning of a pattern, and what is behind the group. `None` if it
/// is repeated or has flags.
fn group(source: &str) -> Option<(&str, &str)> {
    let inside = source.strip_prefix('(')?;
    let inside = inside.strip_prefix("?:").unwrap_or(inside);
    let closes = inside.match_indices(')').map(|(at, _)| (&inside[..at], &inside[at + 1..]));
    // The first inside that is complete ends where the group does.
    let (inner, behind) = closes.take(MAX_RULES).find(|(inner, _)| Pattern::new(inner).is_ok())?;
    let is_special = inside.starts_with('?') || behind.starts_with(['?', '*', '+', '{']);
    (!is_special).then_some((inner, behind))
}

fn corrected_part(source: &str, directory: &RepoPath) -> Vec<(String, Beginning)> {
    let (anchor, rest) = source.strip_prefix('^').map_or(("", source), |rest| ("^", rest));
    if let Some(rest) = strip_any(rest, &[r"\./", "./", "[.]/", r"\.\/"]) {
        return vec![(format!("^{rest}"), Beginning::Dot)];
    }
    if let Some(rest) = strip_any(rest, &["/", r"\/"]) {
        return without_slash(anchor, rest);
    }
    if let Some(rest) = without_home(rest) {
        return without_directories(vec![(format!("^{rest}"), Beginning::Home)], rest);
    }
    if let Some((begin, _)) = rest.split_once(r"\\").filter(|_| !rest.contains('/')) {
        let slashes = rest.replace(r"\\", "/");
        let relative = slashes.trim_start_matches('/');
        let text =
            if begin.is_empty() { format!("^{relative}") } else { format!("{anchor}{relative}") };
        return vec![(text, Beginning::Backslash)];
    }
    if let Some(rest) = strip_any(rest, &ANY_DIRECTORY).filter(|rest| !rest.is_empty()) {
        return vec![(format!("(^|/){rest}"), Beginning::AnyDirectory)];
    }
    without_directory(anchor, rest, directory)
}

fn strip_any<'s>(source: &'s str, beginnings: &[&str]) -> Option<&'s str> {
    beginnings.iter().find_map(|beginning| source.strip_prefix(beginning))
}

/// Removes the slash at the beginning. If an absolute path follows, also its directories, one after the other.
fn without_slash(anchor: &str, rest: &str) -> Vec<(String, Beginning)> {
    const TOPS: [&str; 14] = [
        "home",
        "Users",
        "root",
        "mnt",
        "srv",
        "opt",
        "var",
        "tmp",
        "usr",
        "data",
        "builds",
        "github",
        "workspace",
        "workspaces",
    ];
    let begin = if anchor.is_empty() { "(^|/)" } else { anchor };
    let found = vec![(format!("{begin}{rest}"), Beginning::Slash)];
    if !first_directory(rest).is_some_and(|(top, _)| TOPS.contains(&&*top)) {
        return found;
    }
    without_directories(found, rest)
}

/// Adds what is left if the directories are removed one after the other.
fn without_directories(
    mut found: Vec<(String, Beginning)>,
    mut rest: &str,
) -> Vec<(String, Beginning)> {
    let beginning = found[0].1;
    while let Some(behind) = behind_directory(rest).filter(|_| found.len() < MAX_DIRECTORIES) {
        rest = behind;
        if !rest.is_empty() {
            found.push((format!("^{rest}"), beginning));
        }
    }
    found
}

/// Returns what is behind the first slash that is in no group and no class.
fn behind_directory(source: &str) -> Option<&str> {
    let mut slashes = source.match_indices('/').take(MAX_RULES);
    let (at, _) =
        slashes.find(|(at, _)| Pattern::new(source[..*at].trim_end_matches('\\')).is_ok())?;
    Some(&source[at + 1..])
}

/// Returns the rest of a pattern that begins with the home directory or another variable of a shell.
fn without_home(source: &str) -> Option<&str> {
    let (first, rest) = source.split_once('/')?;
    let first = first.replace('\\', "");
    let name = first.strip_prefix('$');
    let name =
        name.map(|name| name.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(name));
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (first == "~" || name.is_some_and(is_name)).then_some(rest)
}

/// Removes the directory of the config, or the last part of it.
fn without_directory(anchor: &str, source: &str, directory: &RepoPath) -> Vec<(String, Beginning)> {
    let parts: Vec<&str> = directory.as_str().split('/').filter(|part| !part.is_empty()).collect();
    let ways = (0..parts.len()).filter_map(|from| {
        let mut rest = source;
        for part in &parts[from..] {
            let (name, behind) = first_directory(rest)?;
            rest = (name == *part).then_some(behind)?;
        }
        (!rest.is_empty()).then(|| (format!("{anchor}{rest}"), Beginning::OwnDirectory))
    });
    ways.collect()
}

/// Returns the name of the directory with which a pattern begins, if it is literal, and the rest.
fn first_directory(source: &str) -> Option<(String, &str)> {
    let (name, rest) = source.split_once('/')?;
    let name = name.trim_end_matches('\\').replace(r"\.", ".").replace(r"\-", "-");
    let is_literal = |c: char| c.is_alphanumeric() || "._- @".contains(c);
    (!name.is_empty() && name.chars().all(is_literal)).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_removed() {
        let sources = |source: &str, directory: &str| {
            let text = format!("creation_rules:\n  - path_regex: '{source}'\n");
            let config = Config::read(RepoPath::from(directory).join(".sops.yaml"), text.into());
            let found = config.rules[0].corrections(&directory.into());
            found.iter().map(|one| one.pattern.as_str().to_owned()).collect::<Vec<_>>()
        };
        for (source, corrected) in [
            (r"^\./infra/", &["^infra/"][..]),
            ("./infra/.*", &["^infra/.*"]),
            ("^/infra/", &["^infra/"]),
            ("/infra/a", &["(^|/)infra/a"]),
            ("^/home/me/infra/.*", &["^home/me/infra/.*", "^me/infra/.*", "^infra/.*", "^.*"]),
            (".*/production/.*", &["(^|/)production/.*"]),
            ("^.*/x|^/y", &["(^|/)x|^y"]),
            (r"^(\./apps|\./production)/", &["^(apps|production)/"]),
            ("(/apps|/production)/", &["(^|/)(apps|production)/"]),
            ("(^|/)apps/", &[]),
            ("~/apps/.*", &["^apps/.*", "^.*"]),
            ("${HOME}/apps/.*", &["^apps/.*", "^.*"]),
            (r"\\apps\\.*", &["^apps/.*"]),
            ("^infra/", &[]),
            (r"\.yaml$", &[]),
            (".*", &[]),
        ] {
            assert_eq!(sources(source, ""), corrected, "{source}");
        }
        let grouped = sources("^/home/me/(src|code)/repo/apps/.*", "");
        assert!(grouped.contains(&"^apps/.*".to_owned()), "{grouped:?}");
        assert_eq!(sources("^apps/db/", "apps"), ["^db/"]);
        assert_eq!(sources("apps/db/", "apps"), ["db/"]);
        assert_eq!(sources("^clusters/prod/x", "clusters/prod"), ["^x"]);
        assert_eq!(sources("^prod/x", "clusters/prod"), ["^x"]);
        assert_eq!(sources("^prod/x", "clusters/test"), [""; 0]);
    }
}
