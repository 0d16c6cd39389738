//! A file that sops wrote in another format than it will read.

use super::{FileRule, Subject, declare_rule, is_envelope};
use crate::document;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Compares the format of an encrypted file with the one that sops chooses by its name, and
    /// finds
    ///
    /// * the envelope of a binary file (`data` with one ciphertext, and `sops`) under the name of
    ///   a YAML or JSON file,
    /// * YAML under a name that ends in `.json`.
    ///
    /// An error below a directory that Flux or kubectl reads (`apps`, `clusters`, `kubernetes` and
    /// the like), a warning elsewhere: some tools, Ansible among them, name the format themselves.
    /// JSON under the name of a YAML file is fine, since JSON is YAML.
    ///
    /// ## Why it matters
    ///
    /// sops and Flux go by the name. They decrypt the envelope to a map with the one key `data`,
    /// or cannot read the file at all.
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
    /// Rename a YAML file so that it ends in `.yaml`. Decrypt an envelope with
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
        let is_json = document::is_json(subject.text);
        let actual = if is_json && subject.documents.len() == 1 && is_envelope(first) {
            "binary"
        } else if !is_json && named.name() == "json" {
            "yaml"
        } else {
            return;
        };
        let message = format!(
            "the file was encrypted as {actual}, but by its name sops reads it as {}",
            named.name()
        );
        let decrypt = format!("decrypt --in-place --input-type {actual} --output-type {actual}");
        let (decrypt, encrypt) = (subject.sops(&decrypt), subject.sops("encrypt --in-place"));
        let level = if is_deployed(subject) { META.level } else { Level::Warning };
        drafts.push(
            Draft::new(&META, Span::new(0, first.document.root.span.start.max(1)), message)
                .level(level)
                .note("not what the name says")
                .help(if actual == "yaml" {
                    "rename it so that it ends in .yaml".to_owned()
                } else {
                    format!("run {decrypt}, then {encrypt}")
                }),
        );
    }
}

/// Whether the file stands where manifests stand.
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
