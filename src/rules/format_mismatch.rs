//! A file that sops wrote in another format than it will read.

use super::encrypting::obstacle;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document::{self, FORMATS, Shape};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Compares the format of an encrypted file with the one that sops chooses by its name, and
    /// finds
    ///
    /// * the envelope of a binary file (`data` with one ciphertext, and `sops`) under the name of
    ///   a YAML, JSON, dotenv or INI file,
    /// * YAML under a name that ends in `.json`,
    /// * dotenv or INI under a name that ends in `.yaml` or `.json`, or in the other's ending,
    /// * YAML or JSON under a name that ends in `.env` or `.ini`.
    ///
    /// An error below a directory that Flux or kubectl reads (`apps`, `clusters`, `kubernetes` and
    /// the like), a warning elsewhere: some tools, Ansible among them, name the format themselves.
    /// JSON under the name of a YAML file is fine, since JSON is YAML.
    ///
    /// ## Why it matters
    ///
    /// sops and Flux go by the name. They decrypt the envelope to a map with the one key `data`,
    /// find no metadata in the lines of a dotenv file, or cannot read the file at all.
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
    /// Rename the file so that it ends as its format does: `.yaml`, `.json`, `.env`, `.ini`. Where the
    /// name has to stay, decrypt it with `sops decrypt --input-type dotenv --output-type yaml FILE`, or
    /// whatever the two formats are, and encrypt what comes out of it. Decrypt an envelope with
    /// `sops decrypt --in-place --input-type binary --output-type binary FILE`, and encrypt the
    /// file under its name.
    FormatMismatch, "format-mismatch", Error, needs Text,
    "a file in another format than sops chooses by its name"
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
        let actual = actual(subject, first);
        // JSON is YAML.
        if actual == named.name() || (actual, named.name()) == ("json", "yaml") {
            return;
        }
        let message = format!(
            "the file was encrypted as {actual}, but by its name sops reads it as {}",
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

/// The name that sops has for the format that the file is in.
fn actual(subject: &Subject<'_>, first: &Judged<'_>) -> &'static str {
    match first.document.shape {
        Shape::Lines => "dotenv",
        Shape::Sections => "ini",
        Shape::Nested if !document::is_json(subject.text) => "yaml",
        Shape::Nested if subject.documents.len() == 1 && first.is_envelope() => "binary",
        Shape::Nested => "json",
    }
}

fn help(subject: &Subject<'_>, actual: &str) -> String {
    let format = FORMATS.iter().find(|format| format.name() == actual);
    if let Some(ending) = format.and_then(|format| format.endings().first()) {
        return format!("rename it so that it ends in .{ending}");
    }
    let decrypt = format!("decrypt --in-place --input-type {actual} --output-type {actual}");
    let (decrypt, encrypt) = (subject.sops(&decrypt), subject.sops("encrypt --in-place"));
    // What is decrypted has to be encrypted again.
    match obstacle(subject.governing, None, None) {
        Some(obstacle) => format!("{obstacle}, then run {decrypt}, then {encrypt}"),
        None => format!("run {decrypt}, then {encrypt}"),
    }
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
