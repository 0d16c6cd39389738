//! The sources from which generators make Secrets.

use super::subject::{Judged, Subject};
use super::written::sops_name;
use crate::document::dotenv::Dotenv;
use crate::document::json::Json;
use crate::document::yaml::Yaml;
use crate::document::{Format, Node, format_of};
use crate::finding::Level;
use crate::kubernetes::generator::{Generator, generator};
use crate::kubernetes::reference::{Reference, classify};
use crate::kubernetes::{field, literal};
use crate::path::RepoPath;
use crate::sops::value::looks_encrypted;
use crate::text::Span;
use crate::traces::{KUSTOMIZATIONS, claims_encryption};

/// The kind of the generator of kustomize, if it is a manifest.
const PLUGIN: &str = "SecretGenerator";

/// Most files of one generator that are looked for on the disk.
const MAX_FILES: usize = 1_000;

/// A source from which a generator makes a Secret. It holds names and no values.
#[derive(Clone, Debug)]
pub struct GeneratorSource {
    /// The generator's kind and name.
    pub(super) generator: String,
    pub(super) source: Source,
    /// The field of its manifest.
    pub(super) field: &'static str,
    pub(super) span: Span,
    pub(super) document: usize,
    pub(super) level: Level,
    /// The format in which Flux decrypts the file, by the name that sops has for it; `None` if something else
    /// decrypts it.
    pub(super) consumer: Option<&'static str>,
    /// True in examples and tests.
    pub(super) is_example: bool,
}

impl GeneratorSource {
    /// Returns the file that the generator decrypts, if it does that.
    pub(super) fn decrypted(&self) -> Option<&RepoPath> {
        match &self.source {
            Source::Decrypted(path) => Some(path),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The key of a literal.
    Literal(String),
    /// A file whose bytes are taken.
    File(RepoPath),
    /// A file that the generator decrypts.
    Decrypted(RepoPath),
    /// A file that the generator would decrypt, if it were there.
    Missing(RepoPath),
}

/// Returns the sources of a kustomization or a generator, and none for other files. `exists` also knows
/// files that are not scanned.
pub(super) fn sources(
    subject: &Subject<'_>,
    exists: &dyn Fn(&RepoPath) -> bool,
) -> Vec<GeneratorSource> {
    let is_kustomization = KUSTOMIZATIONS.contains(&subject.path().file_name());
    if !subject.traces.generator || subject.is_template {
        return Vec::new();
    }
    let own = subject.documents.iter().flat_map(|judged| kustomize_sources(subject, judged));
    if is_kustomization {
        return own.collect();
    }
    let generators = subject
        .documents
        .iter()
        .filter_map(|judged| Some((judged.document.index, generator(judged.document)?)));
    generators
        .flat_map(|(document, generator)| decrypted_sources(subject, document, &generator, exists))
        .chain(own)
        .collect()
}

/// The files that a generator decrypts. It runs in the directory of the kustomization that names
/// it, which may stand above it.
fn decrypted_sources(
    subject: &Subject<'_>,
    document: usize,
    generator: &Generator<'_, '_>,
    exists: &dyn Fn(&RepoPath) -> bool,
) -> Vec<GeneratorSource> {
    let title = format!("{} {}", generator.kind, generator.name.unwrap_or("without a name"));
    let own = subject.path().parent();
    let above = own.ancestors().map(RepoPath::from);
    let above = above.filter(|place| KUSTOMIZATIONS.iter().any(|name| exists(&place.join(name))));
    let places: Vec<RepoPath> = std::iter::once(own.clone()).chain(above).collect();
    let mut sources = Vec::new();
    for file in generator.files.iter().take(MAX_FILES) {
        let found = places.iter().find_map(|place| resolve(place, file.path).filter(exists));
        let last = file.path.rsplit('/').next().unwrap_or_default();
        let is_name = !file.path.contains(['$', '{', '*']) && !matches!(last, "" | "." | "..");
        let (source, level) = match found {
            Some(path) => (Source::Decrypted(path), Level::Error),
            None if !is_name || subject.is_example() => continue,
            None => match resolve(&own, file.path) {
                Some(path) => (Source::Missing(path), Level::Warning),
                None => continue,
            },
        };
        let level = if subject.is_example() { Level::Warning } else { level };
        let (generator, field, span) = (title.clone(), file.field, file.node.span);
        let consumer = None;
        let is_example = subject.is_example();
        sources.push(GeneratorSource {
            generator,
            source,
            field,
            span,
            document,
            level,
            consumer,
            is_example,
        });
    }
    sources
}

/// Lists the sources of the generators of a kustomization, or of a `SecretGenerator` in a file of its own.
fn kustomize_sources(subject: &Subject<'_>, judged: &Judged<'_>) -> Vec<GeneratorSource> {
    const FIELD: &str = "secretGenerator";
    let root = &judged.document.root;
    let document = judged.document.index;
    let mut sources = Vec::new();
    for generator in any_case(root, FIELD).into_iter().flat_map(Node::elements) {
        let name = any_case(generator, "name").and_then(Node::as_str);
        sources.extend(sources_of(subject, generator, (FIELD, name, document), None));
    }
    let mut add_plugin = |plugin: &Node<'_>, place| {
        let metadata = field(plugin, "metadata");
        let name = metadata.and_then(|metadata| field(metadata, "name")?.as_str());
        sources.extend(sources_of(subject, plugin, (PLUGIN, name, document), place));
    };
    for plugin in plugins(root) {
        add_plugin(plugin, None);
    }
    // A kustomization may have the manifest of a generator as text.
    for text in any_case(root, "generators").into_iter().flat_map(Node::elements) {
        let parsed =
            text.as_str().filter(|text| text.contains(PLUGIN)).map(|text| Yaml.parse(text));
        for document in parsed.iter().flat_map(|parsed| &parsed.documents) {
            for plugin in plugins(&document.root) {
                add_plugin(plugin, Some(text.span));
            }
        }
    }
    sources
}

/// Returns the generators of Secrets in a manifest: itself, or the items of a list.
fn plugins<'n, 't>(root: &'n Node<'t>) -> Vec<&'n Node<'t>> {
    let items = field(root, "items").into_iter().flat_map(Node::elements);
    let all = std::iter::once(root).chain(items);
    all.filter(|one| field(one, "kind").and_then(Node::as_str) == Some(PLUGIN)).collect()
}

/// Returns the value under a key of a kustomization, which kustomize finds in any case of its letters.
fn any_case<'n, 't>(node: &'n Node<'t>, key: &str) -> Option<&'n Node<'t>> {
    let same = || node.entries().filter(|entry| entry.key.eq_ignore_ascii_case(key)).last();
    field(node, key).or_else(|| same().map(|entry| &entry.node))
}

/// Lists the sources of one generator. `place`: the text that contains it, if it is not a part of the file.
fn sources_of(
    subject: &Subject<'_>,
    generator: &Node<'_>,
    (field, name, document): (&'static str, Option<&str>, usize),
    place: Option<Span>,
) -> Vec<GeneratorSource> {
    let name = name.unwrap_or("without a name");
    let mut sources = Vec::new();
    let mut add = |source, span, level, consumer| {
        let level = if subject.is_example() { Level::Warning } else { level };
        let (generator, span) = (format!("{field} {name}"), place.unwrap_or(span));
        let is_example = subject.is_example();
        sources.push(GeneratorSource {
            generator,
            source,
            field,
            span,
            document,
            level,
            consumer,
            is_example,
        });
    };
    for node in items(generator, "literals") {
        if let Some((key, level)) = node.as_str().and_then(plaintext_literal) {
            add(Source::Literal(key.to_owned()), node.span, level, None);
        }
    }
    let single = any_case(generator, "env").into_iter();
    let envs = items(generator, "envs").chain(single).map(|node| (node, true));
    for (node, is_env) in items(generator, "files").map(|node| (node, false)).chain(envs) {
        let Some(text) = node.as_str() else { continue };
        let (key, file) = text.split_once('=').unwrap_or(("", text));
        let consumer =
            if is_env { Dotenv.name() } else { read_as(if key.is_empty() { file } else { key }) };
        let Some(path) = resolve(&subject.path().parent(), file) else { continue };
        if let Some(level) = level_of(key, &path, name) {
            add(Source::File(path), node.span, level, Some(consumer));
        }
    }
    sources
}

fn items<'n, 't>(generator: &'n Node<'t>, list: &str) -> impl Iterator<Item = &'n Node<'t>> {
    any_case(generator, list).into_iter().flat_map(Node::elements)
}

/// Returns the format in which Flux decrypts a file of a generator: it goes by the key, not by the file
/// (kustomize-controller, `internal/decryptor`).
fn read_as(key: &str) -> &'static str {
    // The type of Secret has JSON under this key.
    const DOCKER_CONFIG: &str = ".dockerconfigjson";
    if key.ends_with(DOCKER_CONFIG) {
        return Json.name();
    }
    sops_name(format_of(&RepoPath::from(key)))
}

/// The key of a literal with a value, and how sure it is that the value is secret.
fn plaintext_literal(text: &str) -> Option<(&str, Level)> {
    let (key, value) = text.split_once('=')?;
    // What ends with `=` alone is a piece of base64, whose beginning is no key.
    let value = value.trim_matches(['"', '\'', ' ', '=']);
    let reference = classify(value, false);
    let is_harmless = value.is_empty()
        || reference == Reference::Whole
        || looks_encrypted(value)
        || matches!(value, "true" | "false");
    if is_harmless {
        return None;
    }
    let is_sure = reference == Reference::None && literal::sounds_secret(key);
    Some((key, if is_sure { Level::Error } else { Level::Warning }))
}

/// Returns true if the name contains a word that is common in the names of secrets.
fn mentions_secret(name: &str) -> bool {
    const WORDS: [&str; 7] = ["pass", "secret", "token", "key", "credential", "pwd", "auth"];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Returns the level for a file by its key and its name. `None` for public files.
fn level_of(key: &str, path: &RepoPath, generator: &str) -> Option<Level> {
    const SECRET: [&str; 5] = ["env", "key", "pem", "p12", "jks"];
    const PUBLIC: [&str; 5] = ["crt", "cer", "pub", "asc", "gpg"];
    /// Documents and programs, unless their name says more: `password.txt`.
    const TEXTS: [&str; 5] = ["md", "txt", "rego", "html", "sh"];
    let (stem, ending) = path.file_name().rsplit_once('.').unwrap_or((path.file_name(), ""));
    let is_named = literal::sounds_secret(stem) || literal::sounds_secret(key);
    if PUBLIC.contains(&ending) || path.file_name() == "known_hosts" {
        return None;
    }
    if TEXTS.contains(&ending) && !is_named {
        return None;
    }
    // The values of a Helm release are put into a Secret whether they are secret or not.
    let is_values = path.file_name().contains("values");
    let is_named = is_named
        || claims_encryption(path, None)
        || SECRET.contains(&ending)
        || mentions_secret(path.file_name())
        || mentions_secret(generator);
    Some(if is_named && !is_values { Level::Error } else { Level::Warning })
}

/// A path of a kustomization, as seen from the repository; `None` if it leaves that.
fn resolve(directory: &RepoPath, relative: &str) -> Option<RepoPath> {
    let mut parts: Vec<&str> =
        directory.as_str().split('/').filter(|part| !part.is_empty()).collect();
    if relative.starts_with('/') || relative.contains("://") {
        return None;
    }
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(RepoPath::from(&*parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_resolved_from_its_kustomization() {
        let resolved = |text| resolve(&"apps/shop".into(), text).map(|path| path.to_string());
        assert_eq!(resolved("./db.env").as_deref(), Some("apps/shop/db.env"));
        assert_eq!(resolved("../../db.env").as_deref(), Some("db.env"));
        assert_eq!(resolved("../../../db.env"), None);
        assert_eq!(resolved("/etc/passwd"), None);
    }

    #[test]
    fn flux_goes_by_the_ending_of_the_key() {
        let formats = ["config.json", ".dockerconfigjson", "a.env", "a.json.encrypted", "x"];
        assert_eq!(formats.map(read_as), ["json", "json", "dotenv", "binary", "binary"]);
    }

    #[test]
    fn a_literal_is_sure_where_its_key_says_so() {
        assert_eq!(plaintext_literal("DB_PASSWORD=canary"), Some(("DB_PASSWORD", Level::Error)));
        assert_eq!(plaintext_literal("IMAGE=canary"), Some(("IMAGE", Level::Warning)));
        assert_eq!(plaintext_literal("password=${PASSWORD}"), None);
        assert_eq!(plaintext_literal("password="), None);
        assert_eq!(plaintext_literal("Y2FuYXJ5LQ=="), None);
    }
}
