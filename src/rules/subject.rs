//! One file and its documents, as rules see them.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::document::{self, Document, DuplicateKey, Format, Node, ParseError, Shape, Value};
use crate::finding::Draft;
use crate::input::Input;
use crate::keys::Recipient;
use crate::kubernetes::{self, Secret, VALUE_FIELDS};
use crate::path::RepoPath;
use crate::policy::{Config, Governing};
use crate::shell::Advice;
use crate::sops::census::{self, Census, Encryption, Spot};
use crate::sops::metadata::{self, Found, Metadata};
use crate::sops::open::Opening;
use crate::sops::value::{holds_ciphertext, looks_encrypted};
use crate::sops::verdict::Verdict;
use crate::sops::walk::{self, Step};
use crate::text::Span;
use crate::traces::Traces;

/// One file, as rules see it.
pub struct Subject<'s> {
    /// The file.
    pub input: &'s Input,
    /// The text. Empty if the file is not UTF-8.
    pub text: &'s str,
    /// The documents. None if the file was not parsed.
    pub documents: &'s [Judged<'s>],
    /// Keys that occur twice in one map.
    pub duplicate_keys: &'s [DuplicateKey],
    /// The documents of the file before the change under review. None without a change, or if there
    /// was no file at this path. No finding may point at them, since their spans are of other bytes.
    pub before: &'s [Judged<'s>],
    /// The documents of earlier versions that have the same data key and other recipients.
    pub same_key: &'s [Vec<Judged<'s>>],
    /// The error that ended parsing.
    pub parse_error: Option<&'s ParseError>,
    /// The config and creation rule that apply.
    pub governing: Governing<'s>,
    /// The configs above the nearest one, if the file is encrypted and governed by a rule. The nearest come
    /// first.
    pub configs_above: Vec<&'s Config>,
    /// The nearest config with a name that sops does not look for, if the file is not encrypted and
    /// has no other config.
    pub misnamed_config: Option<RepoPath>,
    /// True if its name says that it is encrypted.
    pub claims_encryption: bool,
    /// Observations about its bytes from before parsing.
    pub traces: Traces,
    /// True if kubectl or kustomize read these documents in the file, and sops cannot.
    pub is_foreign: bool,
    /// True for a template of manifests.
    pub is_template: bool,
    /// Its content as a config, if it is a `.sops.yaml`.
    pub config: Option<&'s Config>,
    /// The result of decryption, if there was a private key.
    pub opening: Option<&'s Opening>,
    /// Answers about the whole file.
    pub answers: Answers,
}

/// Answers about a whole file, computed on first use: a rule asks anew for every document and Secret.
#[derive(Debug, Default)]
pub struct Answers {
    /// What it takes to encrypt the file.
    pub(super) encrypting: OnceCell<Advice>,
    /// What has to be done before.
    pub(super) obstacles: OnceCell<Option<Advice>>,
    /// Whether the file may contain a ciphertext in any form.
    pub(super) may_hold_ciphertext: OnceCell<bool>,
    /// True if a ciphertext is one that sops does not recognise.
    pub(super) has_disguised: OnceCell<bool>,
    is_encrypted: OnceCell<bool>,
    has_ciphertext: OnceCell<bool>,
    holds_sops: OnceCell<bool>,
}

/// Prints none of the text.
impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

/// One document, with its metadata, Secrets and encrypted values.
#[derive(Debug)]
pub struct Judged<'s> {
    /// The document.
    pub document: &'s Document<'s>,
    /// The content of its `sops` block.
    pub metadata: Option<Metadata>,
    /// The key `sops`, if its value is not metadata.
    pub unrelated: Option<Span>,
    /// Its Secrets.
    pub secrets: Vec<Secret<'s, 's>>,
    /// Its encrypted and unencrypted values, by its own selector or that of its file.
    pub census: Census<'s, 's>,
    /// The paths of its values, computed on first use.
    paths: OnceCell<HashMap<Span, Box<[Step<'s>]>>>,
}

impl<'s> Subject<'s> {
    /// Returns the metadata that sops reads, which is that of the first document.
    pub fn metadata(&self) -> Option<&'s Metadata> {
        self.documents.first()?.metadata.as_ref()
    }

    /// Returns true if any document has metadata.
    pub fn is_encrypted(&self) -> bool {
        let has_metadata = |judged: &Judged<'_>| judged.metadata.is_some();
        *self.answers.is_encrypted.get_or_init(|| self.documents.iter().any(has_metadata))
    }

    /// Returns true if the file has a `sops` block or a ciphertext. If it could not be read, its bytes
    /// decide.
    pub(super) fn holds_sops(&self) -> bool {
        let claims_encryption = self.claims_encryption;
        *self.answers.holds_sops.get_or_init(|| {
            let is_read = !self.documents.is_empty() && self.parse_error.is_none();
            self.documents.iter().any(|judged| judged.holds_sops(claims_encryption))
                || self.has_ciphertext()
                || (!is_read && self.traces.encrypted)
        })
    }

    /// Returns true if the text contains a whole ciphertext, wherever it is.
    pub(super) fn has_ciphertext(&self) -> bool {
        *self.answers.has_ciphertext.get_or_init(|| holds_ciphertext(self.text))
    }

    /// Returns how much of the file sops has encrypted.
    pub(super) fn encryption(&self) -> Encryption {
        let documents = self.documents.iter();
        documents.map(|judged| judged.census.encryption()).max().unwrap_or(Encryption::Nothing)
    }

    /// Returns the key paths of all values that anyone can read.
    pub(super) fn readable_paths(&self) -> impl Iterator<Item = String> + use<'s> {
        let censuses = self.documents.iter().map(|judged| &judged.census);
        censuses
            .flat_map(|census| census.plaintext.iter().chain(&census.unselected))
            .map(Spot::key_path)
    }

    /// Returns its path.
    pub fn path(&self) -> &'s RepoPath {
        &self.input.path
    }

    /// Returns true for examples, tests and documentation, whose secrets are mostly made up.
    pub fn is_example(&self) -> bool {
        const PLACES: [&str; 10] = [
            // Not `test`: many clusters have this name.
            "tests",
            "testdata",
            "e2e",
            "doc",
            "docs",
            "example",
            "examples",
            "sample",
            "samples",
            ".chainsaw-test",
        ];
        let parent = self.path().parent();
        let stem = self.path().file_name().split('.').next().unwrap_or_default();
        parent.as_str().split('/').any(|place| PLACES.contains(&place) || place.ends_with("-tests"))
            // Values that the tests of a Helm chart use.
            || (parent.file_name() == "ci" && self.path().file_name().ends_with("values.yaml"))
            || stem.ends_with("_test")
            || stem.starts_with("example-")
    }

    /// Returns true if its name says that it holds secrets: `secrets.yaml`, `.env`, `prod.env`.
    pub(super) fn is_named_secret(&self) -> bool {
        const WORDS: [&str; 8] = [
            "secret",
            "secrets",
            "password",
            "passwords",
            "credential",
            "credentials",
            "token",
            "tokens",
        ];
        let name = self.path().file_name().to_ascii_lowercase();
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        name.rsplit('.').next() == Some("env") || words.any(|word| WORDS.contains(&word))
    }

    /// Returns true if the file cannot be read because of the byte order mark before it.
    pub(super) fn has_byte_order_mark(&self) -> bool {
        let is_unread = self.parse_error.is_some() || self.is_foreign;
        is_unread && self.text.starts_with('\u{feff}')
    }

    /// Returns true if the file consists of lines that end in CRLF, which sops takes for parts of the values.
    pub(super) fn has_foreign_line_ends(&self) -> bool {
        let has_lines = match self.documents.first() {
            Some(first) => first.document.shape == Shape::Lines,
            None => document::format_of(self.path()).is_some_and(Format::is_shallow),
        };
        has_lines && self.text.contains("\r\n")
    }

    /// Returns true if sops refuses the file because of faults that have findings of their own.
    pub(super) fn is_refused(&self) -> bool {
        let verdict = self.opening.map(|opening| &opening.verdict);
        let is_broken = |judged: &Judged<'_>| {
            let census = &judged.census;
            judged.metadata.is_some()
                && !(census.plaintext.is_empty() && census.malformed.is_empty())
        };
        matches!(verdict, Some(Verdict::Refused(_))) || self.documents.iter().any(is_broken)
    }

    /// Returns a recipient for a message: by the name that the config gives it, if there is one.
    pub(super) fn named(&self, recipient: &Recipient) -> String {
        let names = self.governing.config().map(|config| &config.names);
        names.map_or_else(|| recipient.to_string(), |names| names.show(recipient))
    }

    /// Adds the governing creation rule as a place, if there is one.
    pub fn with_rule(&self, draft: Draft<'s>, message: &str) -> Draft<'s> {
        match self.governing.rule() {
            Some((config, rule)) => draft.in_config(config, rule.span, message),
            None => draft,
        }
    }
}

impl<'s> Judged<'s> {
    /// Judges the documents of a file.
    pub fn all(documents: &'s [Document<'s>]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::with_capacity(documents.len());
        for document in documents {
            // sops applies the block of the first document to the whole file.
            let first = all.first().and_then(|first| first.metadata.as_ref());
            let judged = Self::new(document, first);
            all.push(judged);
        }
        all
    }

    /// Judges a document. The metadata of the `first` one applies where it has none.
    fn new(document: &'s Document<'s>, first: Option<&Metadata>) -> Self {
        let (metadata, unrelated) = match metadata::find(document) {
            Found::Nothing => (None, None),
            Found::Unrelated(span) => (None, Some(span)),
            Found::Metadata(metadata) => (Some(*metadata), None),
        };
        let census = match metadata.as_ref().or(first) {
            // Any guess at the selector would cause false findings.
            Some(metadata) if metadata.is_ambiguous => Census::unknown(),
            in_force => census::take(document, in_force.map(|it| &it.recipe.selector)),
        };
        let secrets = kubernetes::secrets(document);
        Self { document, metadata, unrelated, secrets, census, paths: OnceCell::new() }
    }

    /// Returns true for the envelope that sops puts around a binary file: one ciphertext and metadata.
    pub(super) fn is_envelope(&self) -> bool {
        let root = &self.document.root;
        let is_pair = root.entries().count() == 2 && self.metadata.is_some();
        let data = root.get("data").and_then(Node::as_str);
        is_pair && data.is_some_and(looks_encrypted)
    }

    /// Returns the path of the value at this place.
    pub fn key_path(&self, span: Span) -> Option<String> {
        let paths = self.paths.get_or_init(|| walk::paths(self.document));
        paths.get(&span).map(|path| walk::key_path(path))
    }

    /// Returns true if it has a `sops` block or a ciphertext, even a broken one.
    fn holds_sops(&self, claims_encryption: bool) -> bool {
        self.metadata.is_some() || !self.orphans(claims_encryption).is_empty()
    }

    /// Returns true if one of its Secrets has a value that is not encrypted.
    pub(super) fn has_readable_secret(&self) -> bool {
        let mut found = false;
        self.for_each_secret_scalar(&mut |node| found |= self.census.readable(node).is_some());
        found
    }

    /// Calls `visit` with every scalar at or below a value of a Secret. If `data` itself is a scalar,
    /// it counts as a value.
    pub(super) fn for_each_secret_scalar(&self, visit: &mut dyn FnMut(&Node<'_>)) {
        for secret in &self.secrets {
            secret.values().for_each(|value| for_each_scalar(&value.entry.node, visit));
            let fields = VALUE_FIELDS.iter().filter_map(|field| secret.node.get(field));
            fields.filter(|field| !field.is_map()).for_each(|field| for_each_scalar(field, visit));
        }
    }
}

/// Calls `visit` with every node at or below a node that is a scalar.
pub(super) fn for_each_scalar<'d, 't>(node: &'d Node<'t>, visit: &mut dyn FnMut(&'d Node<'t>)) {
    if matches!(node.value, Value::Scalar(_)) {
        return visit(node);
    }
    node.entries().for_each(|entry| for_each_scalar(&entry.node, visit));
    node.elements().for_each(|element| for_each_scalar(element, visit));
}
