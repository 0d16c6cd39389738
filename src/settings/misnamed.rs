//! Settings under a name that sops-lint does not look for.

use std::io;

use super::file::{SETTINGS_NAME, SettingsFile};
use crate::finding::{Draft, Finding, Level};
use crate::judge;
use crate::path::RepoPath;
use crate::rules::INVALID_SETTINGS;
use crate::shell::{Advice, Command};
use crate::source::Source;
use crate::text::Span;
use crate::tree::Tree as _;

/// Names that are not those of the settings in any file system.
const OTHER_NAMES: [&str; 3] = [".sops-lint.yml", "sops-lint.yaml", "sops-lint.yml"];

/// Names that differ in case only. Some file systems take them for the right one.
const OTHER_CASES: [&str; 8] = [
    ".sops-lint.YAML",
    ".sops-lint.Yaml",
    ".sops-lint.YML",
    ".Sops-lint.yaml",
    ".Sops-Lint.yaml",
    ".SOPS-lint.yaml",
    ".SOPS-LINT.yaml",
    ".SOPS-LINT.YAML",
];

/// Finds settings at the root under other names. `has_settings`: there are settings under the right name.
pub(super) fn misnamed(source: &Source, has_settings: bool) -> Vec<Finding> {
    let cases = OTHER_CASES.iter().filter(|_| !has_settings);
    let names = OTHER_NAMES.iter().chain(cases).map(|name| RepoPath::from(*name));
    let found = names.filter(|path| source.exists(path));
    found.filter_map(|path| finding(source, &path, has_settings).ok().flatten()).collect()
}

fn finding(source: &Source, path: &RepoPath, has_settings: bool) -> io::Result<Option<Finding>> {
    let bytes = source.read_settings(path)?;
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let file = SettingsFile::read(path.clone(), bytes.clone(), 0);
    let is_hidden = path.file_name().starts_with('.');
    // A file without a dot may be for `--config`, or for another program.
    if !is_hidden && !file.is_recognised {
        return Ok(None);
    }
    let help = match (has_settings, is_hidden) {
        (true, _) => {
            format!("move what is still needed to {SETTINGS_NAME}, then remove this file").into()
        }
        (false, true) => rename(path),
        (false, false) => rename(path) + "; ignore this if you pass it to `--config`",
    };
    let message = format!("sops-lint does not read {path}; it looks for {SETTINGS_NAME} only");
    let level = if is_hidden { INVALID_SETTINGS.level } else { Level::Warning };
    let draft = Draft::new(INVALID_SETTINGS, Span::new(0, end), message)
        .level(level)
        .note("these settings have no effect")
        .help(help);
    let drafts = vec![draft];
    Ok(judge::settle_settings(path, &bytes, file.is_recognised, drafts).pop())
}

fn rename(path: &RepoPath) -> Advice {
    Advice::from("run ") + Command::new("git mv").file(path).file(&SETTINGS_NAME.into())
}
