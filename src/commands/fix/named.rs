//! Files that were named and not changed, and why.

use super::plan::{Plan, Scene};
use crate::commands::say::remark;
use crate::path::RepoPath;
use crate::policy::Governing;
use crate::shell::{Command, Reader};
use crate::source::{View, normal};
use crate::text::words::{count, listing};

/// Says why named files were neither changed nor refused. Returns true if there are any.
pub(super) fn report(scene: &Scene<'_>, plan: &Plan) -> bool {
    let reader = &scene.session.reader(scene.source);
    let mut groups: Vec<(String, Vec<RepoPath>)> = Vec::new();
    for path in named(scene).into_iter().filter(|path| !plan.is_about(path)) {
        let reason = reason(scene, &path, reader);
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, paths)) => paths.push(path),
            None => groups.push((reason, vec![path])),
        }
    }
    for (reason, paths) in &groups {
        match &paths[..] {
            [path] => remark(&format!("{} was left as it is: {reason}", reader.shown(path))),
            paths => {
                let names = listing(paths, |path| reader.shown(path));
                let files = count(paths.len(), "file");
                remark(&format!("{files} were left as they are ({names}): {reason}"));
            }
        }
    }
    !groups.is_empty()
}

/// Returns the files among the paths of the command line.
fn named(scene: &Scene<'_>) -> Vec<RepoPath> {
    let options = scene.settings.options;
    if options.view != View::WorkTree {
        return Vec::new();
    }
    let root = scene.source.root();
    let paths = options.paths.iter().filter_map(|path| normal(&options.directory.join(path)));
    let paths = paths.filter_map(|path| RepoPath::new(path.strip_prefix(root).ok()?));
    let files = &scene.examined.files;
    let is_file = |path: &RepoPath| files.input(path).is_some() || is_excluded(scene, path);
    paths.filter(is_file).collect()
}

fn is_excluded(scene: &Scene<'_>, path: &RepoPath) -> bool {
    scene.settings.file.exclude.covers(path.as_str())
}

/// Returns the reason why there is nothing to fix in a file, or why it takes a person.
fn reason(scene: &Scene<'_>, path: &RepoPath, reader: &Reader) -> String {
    let examined = scene.examined;
    if is_excluded(scene, path) {
        return "the settings exclude it".to_owned();
    }
    let mut findings = examined.finished.report.findings.iter();
    if findings.any(|finding| finding.place.path == *path) {
        let scan = Command::new("sops-lint scan").file(path).line(reader);
        return format!("no safe fix is known for what is wrong with it, see `{scan}`");
    }
    if examined.has_suppressed(path) {
        return "the settings or the baseline suppress what was found in it (--no-baseline fixes what is in the baseline)".to_owned();
    }
    if examined.is_encrypted(path) {
        return "it is encrypted already".to_owned();
    }
    match examined.policy.governing(path) {
        Governing::Rule(config, rule) => {
            let (number, config) = (rule.number, &config.path);
            format!("rule {number} of {config} matches it, but nothing in it looks like a secret")
        }
        Governing::NoConfig | Governing::Outside(_) | Governing::NoRule(_) => {
            "no creation rule matches it, and nothing in it looks like a secret".to_owned()
        }
        Governing::Unusable(config) => format!("{} cannot be used", config.path),
    }
}
