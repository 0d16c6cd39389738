//! A config that sops does not find, because of its name.

use super::command::rename;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::document::{Format, yaml};
use crate::finding::{Draft, Drafts, Fix, Level, Remedy, RuleMeta};
use crate::policy::{CONFIG_NAME, has_misleading_name};

declare_rule! {
    /// ## What it does
    ///
    /// Finds files with names like `.sops.yml`, `sops.yaml` or `.sops.yaml.txt` that contain
    /// `creation_rules`. The finding is a warning if the name has no leading dot, because the file
    /// may be meant for `sops --config`. It is also a warning if the same directory has a
    /// `.sops.yaml`.
    ///
    /// It ignores names that mark a file as unused: `.sops.yaml.bak`, `.sops.yaml.example`,
    /// `.sops.yaml.disabled`.
    ///
    /// ## Why it matters
    ///
    /// sops only looks for `.sops.yaml`. The rules in the misnamed file have no effect: sops
    /// refuses to encrypt, or uses the rules of a parent directory, with other recipients. Recent
    /// versions warn about `.sops.yml`, but not about other names.
    ///
    /// ## Example
    ///
    /// Bad: `clusters/prod/.sops.yml`
    ///
    /// Good: `clusters/prod/.sops.yaml`
    ///
    /// ## How to fix
    ///
    /// Rename it: `git mv .sops.yml .sops.yaml`.
    MisnamedSopsConfig, "misnamed-sops-config", Error, needs Text,
    "creation rules in a file that sops does not look for"
}

impl FileRule for MisnamedSopsConfig {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let path = subject.path();
        if !has_misleading_name(path) {
            return;
        }
        let parsed = yaml::Yaml.parse(subject.text);
        let root = parsed.documents.first().map(|document| &document.root);
        let rules = root.and_then(|root| root.entry("creation_rules"));
        let Some(rules) = rules.filter(|entry| entry.node.is_list()) else { return };
        let right = path.parent().join(CONFIG_NAME);
        let is_beside = subject.governing.config().is_some_and(|config| config.path == right);
        let (level, help) = if is_beside {
            let help = format!("move what is still needed to {right}, then remove this file");
            (Level::Warning, help.into())
        } else if path.file_name().starts_with('.') {
            (META.level, rename(path, &right))
        } else {
            let help = rename(path, &right) + "; ignore this if you pass it to sops --config";
            (Level::Warning, help)
        };
        let message = format!("sops does not read {path}; it looks for {CONFIG_NAME} only");
        let mut draft = Draft::new(&META, rules.key_span, message);
        if level == META.level {
            draft = draft.fix(Fix::safe(Remedy::Rename(right)));
        }
        drafts.push(draft.level(level).note("these rules have no effect").help(help));
    }
}
