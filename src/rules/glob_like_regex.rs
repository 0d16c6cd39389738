//! A `path_regex` written as a glob.

use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::document::splice::Edit;
use crate::finding::{Draft, Fix, Level, Remedy, RuleMeta};
use crate::path::RepoPath;
use crate::pattern::Pattern;
use crate::policy::{Config, CreationRule, Matches};
use crate::text::printable;
use crate::text::words::{agree, count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `path_regex` that compiles but looks like a glob: `/*.`, `^*`, `db*.`, `/?/`, `{a,b}`. It
    /// reports how many files of the repository the expression matches, how many the glob would match,
    /// and the correct regular expression. The finding is an info if the expression already matches all
    /// files of the glob. The help names the files that the correct expression would no longer match.
    ///
    /// `invalid-regex` reports globs that do not compile, such as `*.yaml` and `**/*.yaml`.
    ///
    /// ## Why it matters
    ///
    /// In a regular expression, `/*` means "any number of slashes", and `.` means any character. So
    /// the rule matches no file, or the wrong files. sops then cannot encrypt the files, or uses
    /// the next rule with other recipients.
    ///
    /// ## Example
    ///
    /// Bad: matches `secrets.yaml` and `secrets/-yaml`, but not `secrets/db.yaml`
    ///
    /// ```yaml
    /// path_regex: secrets/*.yaml
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// path_regex: ^secrets/[^/]*\.yaml$
    /// ```
    ///
    /// ## How to fix
    ///
    /// Use the regular expression from the message, and test it: `sops-lint policy FILE`.
    GlobLikeRegex, "glob-like-regex", Warning, needs Policy,
    "a path_regex written as a glob"
}

impl RepoRule for GlobLikeRegex {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let mut found = Vec::new();
        for config in repository.configs() {
            let matches = repository.matches(config);
            let rules = config.rules.iter().enumerate();
            let drafts =
                rules.filter_map(|(at, rule)| draft(repository, (config, rule), at, &matches));
            found.extend(drafts.map(|draft| (&config.path, draft)));
        }
        found
    }
}

/// The draft about one rule, `at` being its place in the config.
fn draft<'f>(
    repository: &Repository<'f>,
    (config, rule): (&'f Config, &'f CreationRule),
    at: usize,
    matches: &Matches<'f>,
) -> Option<Draft<'f>> {
    let text = rule.path_regex().filter(|text| looks_like_glob(text))?;
    let translated = translated(text);
    let meant = Pattern::new(&translated).ok();
    let paths = matches.paths_to_try();
    let tried = paths.iter().enumerate().map(|(number, path)| {
        let is_meant = meant.as_ref().is_some_and(|meant| meant.is_match(path));
        (matches.is_match(at, number), is_meant)
    });
    let tried: Vec<(bool, bool)> = tried.collect();
    let matched = tried.iter().filter(|(is_matched, _)| *is_matched).count();
    let meant_count = tried.iter().filter(|(_, is_meant)| *is_meant).count();
    let is_same = tried.iter().all(|(is_matched, is_meant)| is_matched == is_meant);
    let shown = printable::clean(text);
    let mut message = format!("path_regex {shown} of rule {} looks like a glob", rule.number);
    if !paths.is_empty() {
        let files = count(paths.len(), "file");
        message.push_str(&format!("; as a regular expression it matches {matched} of {files}"));
    }
    if meant.is_some() && !is_same {
        message.push_str(&format!(", where the glob would match {meant_count}"));
    }
    let lost: Vec<usize> = (0..tried.len()).filter(|at| tried[*at] == (true, false)).collect();
    let lost = falling_out(config, at, matches, &lost);
    // An expression that then matches nothing is not what the author means.
    let is_useless = matched > 0 && meant_count == 0;
    let meant = meant.filter(|_| !is_useless);
    let help = match meant {
        Some(_) => {
            let write = format!("write `{}`, in single quotes", printable::clean(&translated));
            lost.as_ref().map_or(write.clone(), |lost| format!("{write}; {lost}"))
        }
        None => {
            "write it as a regular expression: [^/]* for *, .* for **, \\. for a dot".to_owned()
        }
    };
    // Where no file falls out, it does what it should by accident.
    let is_enough = tried.iter().all(|(is_matched, is_meant)| *is_matched || !is_meant);
    let level = if is_enough && matched > 0 { Level::Info } else { META.level };
    let draft = Draft::new(&META, rule.span, message).level(level).note("sops knows no globs");
    let draft = draft.help(help);
    // In single quotes a quote is written twice, and all else as it is.
    let written = format!("'{}'", translated.replace('\'', "''"));
    let remedy = Remedy::Edit(Edit::new(rule.span, written));
    // A file that falls out would get other recipients. Where not all files are known, it may.
    let is_harmless = repository.is_whole && tried.len() == matches.paths().len() && lost.is_none();
    let is_fixed = meant.is_some() && is_harmless;
    Some(if is_fixed { draft.fix(Fix::uncertain(remedy)) } else { draft })
}

/// Says which files a rule would no longer match, and which rule they would get; `None` if there are none.
/// `lost`: the places of paths that it matches now.
pub(super) fn falling_out(
    config: &Config,
    at: usize,
    matches: &Matches<'_>,
    lost: &[usize],
) -> Option<String> {
    let is_governed = |path: &&usize| (0..at).all(|earlier| !matches.is_match(earlier, **path));
    let lost: Vec<usize> = lost.iter().filter(is_governed).copied().collect();
    let first = *lost.first()?;
    let next = |path: usize| (at + 1..config.rules.len()).find(|it| matches.is_match(*it, path));
    let name = |path: &usize| config.path.parent().join(matches.paths()[*path]).to_string();
    let rule = next(first);
    let (same, others): (Vec<usize>, Vec<usize>) =
        lost.into_iter().partition(|path| next(*path) == rule);
    let whose = match rule {
        Some(rule) => format!("rule {} then governs", config.rules[rule].number),
        None => "no rule then matches".to_owned(),
    };
    let also = match others.len() {
        0 => String::new(),
        number => format!(", and {} out to other rules", falls(number)),
    };
    Some(format!("{whose} {}, which this rule matches now{also}", listing(&same, name)))
}

/// `1 more file falls`, `2 more files fall`.
fn falls(number: usize) -> String {
    format!("{} {}", count(number, "more file"), agree(number, "falls", "fall"))
}

/// Returns true if a pattern has a construct that is usual in globs and rare in regular expressions.
pub fn looks_like_glob(text: &str) -> bool {
    alternatives(text).is_some() || wildcards(text).into_iter().any(|is_wild| is_wild)
}

/// Tells for each character if it is a wildcard of a glob: a `*` behind a slash, a `^` or a letter, or a `?`
/// between slashes.
fn wildcards(text: &str) -> Vec<bool> {
    let characters: Vec<char> = text.chars().collect();
    let (mut is_escaped, mut in_class) = (false, false);
    // The character before, if it is a literal.
    let mut before = None;
    let mut found = Vec::new();
    for (at, character) in characters.iter().enumerate() {
        let is_plain = !is_escaped && !in_class;
        found.push(match character {
            '*' if is_plain => {
                before.is_some_and(|c: char| c.is_alphanumeric() || "/^-_".contains(c))
            }
            '?' if is_plain => before == Some('/') && characters.get(at + 1) == Some(&'/'),
            _ => false,
        });
        before = Some(*character).filter(|c| is_plain && *c != '\\' || is_escaped && *c == '/');
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    found
}

/// The first `{a,b}` that is no number of repetitions: from its brace to behind the other.
fn alternatives(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let close = open + text[open..].find('}')?;
        let inside = &text[open + 1..close];
        let is_count = inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
        let is_class = text[..open].ends_with("\\p") || text[..open].ends_with("\\x");
        if inside.contains(',') && !is_count && !is_class {
            return Some((open, close + 1));
        }
        from = close + 1;
    }
    None
}

/// The glob as a regular expression. What is one already stays: `.*`, `\.`, `(a|b)`, `ya?ml`.
fn translated(text: &str) -> String {
    let (begins_with_choice, is_path) = (text.starts_with('{'), text.contains('/'));
    let mut text = text.to_owned();
    while let Some((open, close)) = alternatives(&text) {
        let choices = format!("({})", text[open + 1..close - 1].replace(',', "|"));
        text.replace_range(open..close, &choices);
    }
    let characters: Vec<char> = text.chars().collect();
    let wildcards = wildcards(&text);
    let mut out = String::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let is_wild = wildcards[at] || (character == '*' && at == 0);
        let after = characters.get(at + 1).copied();
        at += 1;
        match character {
            '\\' => {
                out.push('\\');
                out.extend(after);
                at += 1;
            }
            '*' if is_wild => out.push_str("[^/]*"),
            '?' if is_wild => out.push_str("[^/]"),
            '.' if !matches!(after, Some('*' | '+' | '?' | '{')) => out.push_str(r"\."),
            _ => out.push(character),
        }
    }
    let begin = match out.strip_prefix('/') {
        Some(rest) => format!("(^|/){rest}"),
        None if out.starts_with(".*/") => format!("(^|/){}", &out[3..]),
        None if begins_with_choice && is_path => format!("^{out}"),
        None if begins_with_choice => format!("(^|/){out}"),
        None if out.starts_with(['^', '(', '\\']) || out.starts_with(".*") => out,
        None if is_path => format!("^{out}"),
        // A name alone matches in any directory.
        None => format!("(^|/){out}"),
    };
    if begin.ends_with('$') { begin } else { format!("{begin}$") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_globs_from_regular_expressions() {
        for glob in [
            "secrets/*.yaml",
            "a/.*/*.enc.ya?ml",
            "^*.yaml",
            "x.{yaml,yml}",
            "secret*.yaml",
            "apps/?/s.yaml",
        ] {
            assert!(looks_like_glob(glob), "{glob}");
        }
        for regex in [
            r"\.ya?ml$",
            ".*.yaml",
            "a/.*",
            r"^a{1,3}/[^/]*\.yaml$",
            r"\p{L}+",
            "a{2}",
            r"^/?apps/",
            r"a\d*\.yaml",
            "[a*]",
            "[a-z]*",
        ] {
            assert!(!looks_like_glob(regex), "{regex}");
        }
    }

    #[test]
    fn translates() {
        for (glob, regex) in [
            ("secrets/*.yaml", r"^secrets/[^/]*\.yaml$"),
            ("a/.*/*.enc.ya?ml", r"^a/.*/[^/]*\.enc\.ya?ml$"),
            ("/x.{yaml,yml}", r"(^|/)x\.(yaml|yml)$"),
            (r"^*\.yaml$", r"^[^/]*\.yaml$"),
            (r"\.{yaml,yml}$", r"\.(yaml|yml)$"),
            ("secret*.yaml", r"(^|/)secret[^/]*\.yaml$"),
            (".*/secret-*.yaml", r"(^|/)secret-[^/]*\.yaml$"),
            ("apps/?/secret.yaml", r"^apps/[^/]/secret\.yaml$"),
            ("{apps,production}/*.yaml", r"^(apps|production)/[^/]*\.yaml$"),
            ("values.{yaml,yml}", r"(^|/)values\.(yaml|yml)$"),
        ] {
            assert_eq!(translated(glob), regex);
            assert!(Pattern::new(regex).is_ok());
        }
    }
}
