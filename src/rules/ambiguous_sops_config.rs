//! Two configs that disagree about a file.

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Config, CreationRule};
use crate::sops::recipe::drift;

declare_rule! {
    /// ## What it does
    ///
    /// Checks encrypted files, and files that contain Secrets, below a nested `.sops.yaml`. It
    /// reports a nested config once if, for at least one of these files, a rule in the repository's
    /// top-level `.sops.yaml` also matches, and has other recipients or would encrypt other values
    /// than the nested config.
    ///
    /// ## Why it matters
    ///
    /// sops searches for `.sops.yaml` from the directory in which you *run* it, not from the
    /// directory of the file. So the recipients depend on the current directory.
    ///
    /// ## Example
    ///
    /// `apps/.sops.yaml` names `age1alice..`, `.sops.yaml` names `age1bob..`, and both match:
    ///
    /// ```sh
    /// cd apps && sops encrypt -i db.yaml   # for Alice
    /// sops encrypt -i apps/db.yaml         # for Bob
    /// ```
    ///
    /// ## How to fix
    ///
    /// Keep one `.sops.yaml` at the top, with a rule for each directory, the most specific ones
    /// first. Or narrow the rule in the top-level config, so that it no longer matches the files of
    /// the nested one.
    AmbiguousSopsConfig, "ambiguous-sops-config", Warning, needs Policy,
    "a file that gets different recipients depending on where sops is run"
}

impl RepoRule for AmbiguousSopsConfig {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let Some(root) = repository.policy.config(&RepoPath::from(CONFIG_NAME)) else {
            return Vec::new();
        };
        let governed = repository.by_config();
        let nested = repository.configs().filter(|config| config.path != root.path);
        let drafts = nested.filter_map(|config| {
            let draft = draft(repository, root, config, governed.get(&config.path)?)?;
            Some((&config.path, draft))
        });
        drafts.collect()
    }
}

/// About the first file that the two configs disagree on.
fn draft<'f>(
    repository: &Repository<'f>,
    root: &'f Config,
    nested: &'f Config,
    governed: &[&'f Facts],
) -> Option<Draft<'f>> {
    let mut disputed = governed.iter().copied().filter_map(|facts| {
        let (_, near) = repository.governing(facts).rule()?;
        let (_, far) = root.governing(&facts.path).rule()?;
        Some((facts, near, far, difference(facts, near, far)?))
    });
    let (facts, near, far, difference) = disputed.next()?;
    let more = disputed.count();
    let file = &facts.path;
    let files = match more {
        0 => String::new(),
        1 => ", as for 1 more file".to_owned(),
        more => format!(", as for {more} more files"),
    };
    let message = format!(
        "for {file} it depends on where sops is run: this config and {} give it {difference}{files}",
        root.path
    );
    let help = format!(
        "keep one of the two rules; until then use sops --config {} for these files",
        nested.path
    );
    let draft = Draft::new(&META, near.span, message)
        .note("used when sops is run in this directory")
        .help(help);
    Some(draft.in_config(root, far.span, "used when sops is run at the top of the repository"))
}

fn difference(facts: &Facts, near: &CreationRule, far: &CreationRule) -> Option<&'static str> {
    let drift = drift(&near.recipe, &far.recipe);
    let are_read = |rule: &CreationRule| rule.recipe.invalid().next().is_none();
    let is_other_people =
        !drift.extra.is_empty() || !drift.missing.is_empty() || drift.is_regrouped;
    if is_other_people && are_read(near) && are_read(far) {
        return Some("different recipients");
    }
    facts.is_disputed.then_some("selectors that encrypt other values")
}
