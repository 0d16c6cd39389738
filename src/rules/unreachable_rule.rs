//! Creation rules that never apply, because an earlier one always does.

use std::collections::{BTreeSet, HashMap};

use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{Config, CreationRule, MAX_MATCHES, Matches, Meant, UnknownKey};
use crate::sops::recipe::Recipe;
use crate::text::words::count;

declare_rule! {
    /// ## What it does
    ///
    /// Finds creation rules that never apply, because an earlier rule
    ///
    /// * matches every file,
    /// * or has the same `path_regex`,
    /// * or already matches, alone or with other earlier rules, every file of the repository that
    ///   the later rule matches, and would also match new files in the same directories.
    ///
    /// It ignores a general rule after more specific ones, because the general rule is meant for
    /// all other files.
    ///
    /// ## Why it matters
    ///
    /// The first matching rule decides. sops does not add the recipients of later rules, so it
    /// encrypts files to the wrong people.
    ///
    /// ## Example
    ///
    /// Bad: production is encrypted to the developers
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: \.yaml$
    ///     age: age1developers..
    ///   - path_regex: ^production/.*\.yaml$
    ///     age: age1operators..
    /// ```
    ///
    /// Good: the specific rule first
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: ^production/.*\.yaml$
    ///     age: age1operators..
    ///   - path_regex: \.yaml$
    ///     age: age1developers..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Move the rule up, or remove it. Of two rules for all files, only the first one applies in any
    /// order: if the recipients of both should decrypt, write all of them into one rule. `sops-lint policy FILE` shows which rule decides.
    UnreachableRule, "unreachable-rule", Warning, needs Policy,
    "a creation rule that never applies, since an earlier one always matches first"
}

/// Files whose neighbours are tried.
const TRIED: usize = 50;

impl RepoRule for UnreachableRule {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let configs = repository.configs().filter(|config| config.rules.len() > 1);
        let drafts = configs.flat_map(|config| {
            check_config(repository, config).into_iter().map(|draft| (&config.path, draft))
        });
        drafts.collect()
    }
}

fn check_config<'f>(repository: &Repository<'f>, config: &'f Config) -> Vec<Draft<'f>> {
    // sops fails at a broken path_regex and never reads the rules after it.
    let is_broken = |rule: &CreationRule| rule.matches("").is_none();
    let end = config.rules.iter().position(is_broken).unwrap_or(config.rules.len());
    let rules = &config.rules[..end];
    let mut drafts = Vec::new();
    let mut by_path_regex: HashMap<Option<&str>, &CreationRule> = HashMap::new();
    let for_all = rules.iter().position(matches_everything);
    if let Some(at) = for_all {
        let blocker = &rules[at];
        let why = format!("rule {} matches every file", blocker.number);
        // A misspelt path_regex is one mistake, and `unknown-config-key` says so.
        let is_slip = |unknown: &UnknownKey| {
            let meant = Some(Meant::Key("path_regex"));
            unknown.rule == Some(blocker.number) && unknown.meant == meant
        };
        if !config.unknown_keys.iter().any(is_slip) {
            drafts.extend(rules[at + 1..].iter().map(|rule| {
                if matches_everything(rule) {
                    return for_all_too(rule, blocker, &why);
                }
                draft(rule, blocker, &why)
            }));
        }
    }
    let rest = &rules[..for_all.unwrap_or(end)];
    let matches = repository.matches(config);
    let pairs = rest.len().saturating_mul(rest.len());
    let are_few = pairs.saturating_mul(matches.paths().len()) < MAX_MATCHES;
    for (at, rule) in rest.iter().enumerate() {
        if let Some(blocker) = by_path_regex.get(&rule.path_regex()) {
            let why = format!("rule {} has the same path_regex", blocker.number);
            drafts.push(twin(rule, blocker, &why));
            continue;
        }
        by_path_regex.insert(rule.path_regex(), rule);
        if !are_few {
            continue;
        }
        if let Some((blocker, why)) = by_files(rest, at, &matches) {
            drafts.push(draft(rule, blocker, &why));
        }
    }
    drafts
}

/// Makes the draft for a second rule for all files: whichever comes first, the other never applies.
fn for_all_too<'f>(rule: &'f CreationRule, blocker: &'f CreationRule, why: &str) -> Draft<'f> {
    let (number, other) = (rule.number, blocker.number);
    let help = format!(
        "if the recipients of both rules should decrypt all files, write them into rule {other} and remove rule {number}; otherwise give rule {number} a path_regex and move it before rule {other}"
    );
    same_reach(rule, blocker, why, help)
}

/// Makes the draft for a rule with the same pattern as an earlier one: to move it would make that one
/// unreachable.
fn twin<'f>(rule: &'f CreationRule, blocker: &'f CreationRule, why: &str) -> Draft<'f> {
    let help = format!(
        "give rules {} and {} different patterns if they are for different files, or write one rule; the first match decides",
        blocker.number, rule.number
    );
    same_reach(rule, blocker, why, help)
}

/// Makes the draft for two rules for the same files. `help`: the next step if they demand different things.
fn same_reach<'f>(
    rule: &'f CreationRule,
    blocker: &'f CreationRule,
    why: &str,
    help: String,
) -> Draft<'f> {
    let draft = draft(rule, blocker, why);
    if demand_the_same(&rule.recipe, &blocker.recipe) {
        let help = format!("remove rule {}, which demands the same", rule.number);
        return draft.level(Level::Info).help(help);
    }
    draft.help(help)
}

fn draft<'f>(rule: &'f CreationRule, blocker: &'f CreationRule, why: &str) -> Draft<'f> {
    let message = format!("rule {} never applies: {why}", rule.number);
    let help = format!(
        "move rule {} before rule {}, or remove it; the first match decides",
        rule.number, blocker.number
    );
    let first = format!("rule {} comes first", blocker.number);
    Draft::new(&META, rule.span, message).note("never reached").also(blocker.span, first).help(help)
}

/// Returns true if two recipes have one key group each, with the same recipients, and equal selectors.
fn demand_the_same(one: &Recipe, other: &Recipe) -> bool {
    let ids = |recipe: &Recipe| -> BTreeSet<String> {
        recipe.recipients().map(|recipient| recipient.identity.id.clone()).collect()
    };
    let are_simple = one.key_groups.len() == 1 && other.key_groups.len() == 1;
    are_simple
        && ids(one) == ids(other)
        && one.selector.is_equal(&other.selector)
        && one.mac_only_encrypted == other.mac_only_encrypted
}

/// Returns true if a rule matches names that have nothing in common.
fn matches_everything(rule: &CreationRule) -> bool {
    const ODD_NAMES: [&str; 5] = ["q", "Z/9", "-", "\u{e9}/\u{3a9}", "x y/.z_7"];
    ODD_NAMES.iter().all(|name| rule.matches(name) == Some(true))
}

type Blocker<'f> = (&'f CreationRule, String);

/// Returns the first of the rules that match the files of the rule `at` before it does, if they
/// match all of them and would match new files too.
fn by_files<'f>(
    rules: &'f [CreationRule],
    at: usize,
    matches: &Matches<'f>,
) -> Option<Blocker<'f>> {
    let (earlier, rule) = (&rules[..at], &rules[at]);
    let first_match = |path: usize| (0..at).find(|other| matches.is_match(*other, path));
    let matched: Vec<usize> = matches.matched(at).collect();
    let blocker = first_match(*matched.first()?)?;
    // Cheap for most rules: the first file that is left over ends it.
    if matched.iter().any(|path| first_match(*path).is_none()) {
        return None;
    }
    // Rules are written for files to come as well.
    let is_match = |rule: &CreationRule, path: &str| rule.matches(path) == Some(true);
    let is_open =
        |path: &String| is_match(rule, path) && !earlier.iter().any(|other| is_match(other, path));
    let tried = matched.iter().take(TRIED).map(|path| matches.paths()[*path]);
    if tried.flat_map(neighbors).any(|path| is_open(&path)) {
        return None;
    }
    let files = if matched.len() == 1 {
        "the only file that it matches is".to_owned()
    } else {
        format!("all {} that it matches are", count(matched.len(), "file"))
    };
    let is_alone = matched.iter().all(|path| matches.is_match(blocker, *path));
    let blocker = &rules[blocker];
    let others = if is_alone { "" } else { " and others" };
    Some((blocker, format!("{files} matched by rule {}{others} first", blocker.number)))
}

/// Files of the same kind in other places, and of other names in the same place.
fn neighbors(path: &str) -> Vec<String> {
    const HIGHEST: usize = 12;
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, ending) = name.find('.').map_or((name, ""), |at| name.split_at(at));
    let names =
        [name, &format!("zq9-{name}"), &format!("{stem}-zq9{ending}"), &format!("zq9{ending}")]
            .map(str::to_owned);
    let mut places = vec![directory.to_owned(), format!("zq9/{directory}")];
    for place in RepoPath::from(path).ancestors().take(HIGHEST) {
        places.push(place.to_owned());
        places.push(if place.is_empty() { "zq9".to_owned() } else { format!("{place}/zq9") });
    }
    let inside = |place: &String, name: &String| match place.as_str() {
        "" => name.clone(),
        place => format!("{}/{name}", place.trim_end_matches('/')),
    };
    places.iter().flat_map(|place| names.iter().map(move |name| inside(place, name))).collect()
}
