//! A file that sops wrote in another format than it will read.

use super::command::rename;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use super::written::{self, sops_name};
use crate::document::{self, Format};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::policy::{Config, CreationRule};
use crate::shell::Advice;
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Compares the format of an encrypted file with the format that sops infers from its name. It
    /// finds
    ///
    /// * the envelope of a binary file (`data` with one ciphertext, and `sops`) under the name of a
    ///   YAML, JSON, dotenv or INI file,
    /// * YAML under a name that ends in `.json`,
    /// * dotenv under a name that ends in `.yaml`, `.json` or `.ini`, or INI under a name that ends
    ///   in `.yaml`, `.json` or `.env`,
    /// * YAML or JSON under a name that ends in `.env` or `.ini`.
    ///
    /// The finding is an error below a directory that Flux or kubectl reads (`apps`, `clusters`,
    /// `kubernetes` and similar ones). It is a warning elsewhere, because some tools, such as
    /// Ansible, choose the format themselves. JSON under the name of a YAML file is fine, because
    /// JSON is YAML.
    ///
    /// ## Why it matters
    ///
    /// sops and Flux infer the format from the name. They decrypt the envelope to a map with the
    /// single key `data`, find no metadata in the lines of a dotenv file, or cannot read the file
    /// at all.
    ///
    /// ## Example
    ///
    /// Bad: `apps/shop/database.yaml`, made with `sops encrypt --input-type binary`:
    ///
    /// ```json
    /// {"data": "ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]", "sops": {}}
    /// ```
    ///
    /// ## How to fix
    ///
    /// Give the file the ending of its format: `.yaml`, `.json`, `.env`, `.ini`. If the name has to
    /// stay, decrypt the file with `sops decrypt --input-type dotenv --output-type yaml FILE`
    /// (insert the actual formats) and encrypt the result. Decrypt an envelope with
    /// `sops decrypt --in-place --input-type binary --output-type binary FILE`, then run
    /// `sops encrypt --in-place FILE`, so that sops infers the format from the name.
    FormatMismatch, "format-mismatch", Error, needs Text,
    "a file whose format is not the one that sops infers from its name"
}

impl FileRule for FormatMismatch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(named) = document::format_of(subject.path()) else { return };
        let Some(first) = subject.documents.first().filter(|first| first.metadata.is_some()) else {
            return;
        };
        let actual = written::format_of(subject);
        // JSON is YAML.
        let is_json = written::is_json(subject);
        let is_read =
            |actual: &dyn Format| actual.is_for(subject.path()) || is_json && named.reads_json();
        if actual.is_some_and(is_read) {
            return;
        }
        let message = format!(
            "the file was encrypted as {}, but by its name sops reads it as {}",
            sops_name(actual),
            named.name()
        );
        let level = if is_deployed(subject) { META.level } else { Level::Warning };
        drafts.push(
            Draft::new(&META, Span::new(0, first.document.root.span.start.max(1)), message)
                .level(level)
                .note("not what the name says")
                .help(help(subject, actual)),
        );
    }
}

fn help(subject: &Subject<'_>, actual: Option<&dyn Format>) -> Advice {
    let path = subject.path();
    let name = path.file_name();
    let name = match actual.and_then(|format| format.endings().first()) {
        Some(ending) => {
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            format!("{stem}.{ending}")
        }
        // Its content need not be what its name says, so sops could not encrypt it under this name.
        None => format!("{name}.enc"),
    };
    let new = path.parent().join(&name);
    let rule = subject.governing.rule();
    let covers = |(config, rule): &(&Config, &CreationRule)| {
        let governing = config.governing(&new).rule();
        governing.is_some_and(|(_, other)| other.number == rule.number)
    };
    let pattern = rule.filter(|rule| !covers(rule)).map(|(config, rule)| {
        format!(", let rule {} of {} match the new name", rule.number, config.path)
    });
    rename(path, &new) + pattern.unwrap_or_default() + ", and correct the places that name it"
}

/// Returns true if the file is in a directory for manifests.
fn is_deployed(subject: &Subject<'_>) -> bool {
    const PLACES: [&str; 10] = [
        "apps",
        "base",
        "cluster",
        "clusters",
        "flux",
        "flux-system",
        "infrastructure",
        "kubernetes",
        "k8s",
        "overlays",
    ];
    let parent = subject.path().parent();
    let is_place = |place: &str| PLACES.contains(&place);
    !subject.is_example() && parent.as_str().split('/').any(is_place)
}
