//! Reads a file: as sops does, or as kubectl and kustomize do if sops' reading shows none of its Secrets.

use std::str::Utf8Error;

use super::parse::{parse, unparsed};
use crate::document::json::Json;
use crate::document::yaml::Yaml;
use crate::document::{Document, Format, Parsed};
use crate::kubernetes::patch::{Target, patched_values};
use crate::kubernetes::reading::Variants;
use crate::kubernetes::secrets;
use crate::path::RepoPath;
use crate::traces::{self, Traces};

/// The bytes of a file, and everything that decides how to read them.
#[derive(Clone, Copy)]
pub(super) struct Unread<'t> {
    pub path: &'t RepoPath,
    pub bytes: &'t [u8],
    pub text: Result<&'t str, Utf8Error>,
    /// The format that sops infers from the name.
    pub format: Option<&'static dyn Format>,
    pub traces: Traces,
    /// True if the name says that the file is encrypted.
    pub claims_encryption: bool,
    /// True for a `.sops.yaml`.
    pub is_config: bool,
}

/// The documents of a file.
pub(super) struct Reading<'t> {
    pub parsed: Parsed<'t>,
    /// True if kubectl or kustomize read these documents, and sops cannot.
    pub is_foreign: bool,
}

impl<'t> Unread<'t> {
    /// Makes the other forms of the text, if it may hold a Secret and sops left nothing in it.
    pub(super) fn variants(&self) -> Option<Variants<'t>> {
        self.text.ok().filter(|_| self.is_manifest()).map(Variants::of)
    }

    /// Reads the documents.
    pub(super) fn read(&self, variants: Option<&'t Variants<'t>>) -> Reading<'t> {
        let own = self.as_sops();
        let is_foreign = |variants: &&Variants<'_>| has_more(own.as_ref(), variants);
        if let Some(parsed) = variants.filter(is_foreign).and_then(|it| self.as_kubectl(it)) {
            return Reading { parsed, is_foreign: true };
        }
        let own = own.map(|parsed| self.with_suspicion(parsed, variants));
        let parsed = own.unwrap_or_else(|| {
            let is_ours = self.traces.encrypted || self.claims_encryption;
            let may_hide_secret = self.text.is_err() && self.is_manifest() && self.holds_secret();
            let matters = may_hide_secret || (self.format.is_some() && is_ours);
            unparsed(self.text.err().filter(|_| matters), may_hide_secret)
        });
        Reading { parsed, is_foreign: false }
    }

    /// Marks an error of broken JSON that may hide a Secret. Read as YAML, such a text often has no error, and
    /// other content.
    fn with_suspicion(
        &self,
        mut parsed: Parsed<'t>,
        variants: Option<&Variants<'_>>,
    ) -> Parsed<'t> {
        let is_suspect = Json.is_for(self.path)
            && has_type(self.bytes)
            && variants.is_some_and(Variants::are_literal);
        if let Some(error) = parsed.error.as_mut().filter(|_| is_suspect) {
            error.may_hide_secret = true;
        }
        parsed
    }

    fn as_sops(&self) -> Option<Parsed<'t>> {
        let text = self.text.ok().filter(|_| !self.is_config)?;
        let is_yaml = traces::is_kustomization(self.path) && !self.traces.sops;
        let format = self.format.or(is_yaml.then_some(&Yaml));
        parse(text, format, self.traces, self.claims_encryption)
    }

    fn is_manifest(&self) -> bool {
        let may_be = self.traces.secret && !self.traces.sops && !self.is_config;
        may_be
            && match kind_of(self.path) {
                Kind::Manifest => true,
                // Most such files are programs and pictures.
                Kind::Template | Kind::Other | Kind::Prose => {
                    has_type(self.bytes) || is_list(self.bytes)
                }
                Kind::Example => false,
            }
    }

    /// Reads the documents as kubectl does. Returns `None` if there is no Secret and no error that may hide
    /// one.
    fn as_kubectl<'v>(&self, variants: &'v Variants<'_>) -> Option<Parsed<'v>> {
        let kind = kind_of(self.path);
        let reading = variants.read();
        let holds_secrets = reading.holds_secrets;
        let error = reading.error.filter(|_| kind == Kind::Manifest);
        // A kustomization can name a patch in a file of any name.
        let is_patch = || {
            let root =
                |document: &Document<'_>| patched_values(&document.root, Target::Unknown).len();
            reading.documents.iter().any(|document| root(document) > 0)
        };
        let is_wanted = match kind {
            Kind::Manifest => holds_secrets || error.is_some(),
            Kind::Template => holds_secrets,
            Kind::Other => holds_secrets && reading.begins_well || is_patch(),
            // A kustomization can list it.
            Kind::Prose => holds_secrets && reading.is_well,
            Kind::Example => false,
        };
        let documents = reading.documents;
        is_wanted.then(|| Parsed { documents, duplicate_keys: Vec::new(), error })
    }

    /// Returns true if kubectl, which replaces bytes that are not UTF-8, may find a Secret.
    fn holds_secret(&self) -> bool {
        let chunks = self.bytes.utf8_chunks();
        let text = chunks.fold(String::new(), |text, chunk| {
            text + chunk.valid() + &"?".repeat(chunk.invalid().len())
        });
        kind_of(self.path) == Kind::Manifest || self.as_kubectl(&Variants::of(&text)).is_some()
    }
}

/// Returns true for a text that begins as a list, such as a JSON patch.
fn is_list(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    bytes.starts_with(b"- ") || bytes.starts_with(b"[")
}

/// Returns true for a text with one of the words that every object has.
fn has_type(bytes: &[u8]) -> bool {
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    (has("apiVersion") || has("kind")) && memchr::memchr(0, bytes).is_none()
}

/// Returns true if kubectl may find a Secret that sops' reading does not have.
fn has_more(own: Option<&Parsed<'_>>, variants: &Variants<'_>) -> bool {
    own.is_none_or(|own| {
        let may_differ = variants.differ() || own.documents.iter().any(Document::is_shallow);
        let holds_secrets = || own.documents.iter().any(|one| !secrets(one).is_empty());
        own.error.is_some() || (may_differ && !holds_secrets())
    })
}

/// The use of a file, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// kubectl and kustomize read it.
    Manifest,
    /// A template engine reads it first.
    Template,
    /// A backup, or a manifest that a kustomization lists by a name of its own.
    Other,
    /// Prose, which may quote manifests.
    Prose,
    /// An example of another file.
    Example,
}

fn kind_of(path: &RepoPath) -> Kind {
    let name = path.file_name();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_manifest = ["yaml", "yml", "json"].iter().any(|one| one.eq_ignore_ascii_case(ending));
    if is_manifest || traces::is_kustomization(path) {
        Kind::Manifest
    } else if traces::is_template(path) {
        Kind::Template
    } else if traces::is_prose(path) {
        Kind::Prose
    } else if traces::is_about_another(path) {
        Kind::Example
    } else {
        Kind::Other
    }
}
