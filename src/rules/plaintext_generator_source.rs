//! A Secret that a generator makes of something in clear.

use std::cell::LazyCell;
use std::collections::HashSet;

use super::encrypting::{obstacle, sops_command};
use super::{Facts, RepoRule, Repository, Subject, declare_rule};
use crate::document::Node;
use crate::finding::{Draft, Level, RuleMeta};
use crate::kubernetes::generator::{Generator, generator};
use crate::kubernetes::reference::{Reference, classify};
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::text::Span;
use crate::text::printable::clean;
use crate::traces::KUSTOMIZATIONS;

declare_rule! {
    /// ## What it does
    ///
    /// Checks the `secretGenerator` of a `kustomization.yaml`, and finds
    ///
    /// * `literals` with a value that is not a placeholder,
    /// * `files`, `envs` and `env` that name an unencrypted file of this repository.
    ///
    /// The finding is an error if a name suggests a secret: a key such as `password`, a file or a
    /// generator with such a word in its name, an `.env`, `.key` or `.pem` file. It is a warning
    /// elsewhere, for the `values.yaml` of Helm, and among examples and tests. Says nothing about
    /// certificates, public keys and texts (`.crt`, `.pub`, `.asc`, `.md`), or about files that are
    /// not in the repository or were not scanned.
    ///
    /// The rule also checks the generators of KSOPS (`kind: ksops`) and of goabout
    /// (`kind: SopsSecretGenerator`). They decrypt each file that they name, so the finding is
    ///
    /// * an error if sops did not encrypt the file, whatever its name; among examples and tests, a
    ///   warning,
    /// * a warning if the repository has no file of that name.
    ///
    /// Paths start at the generator, or at a kustomization above it. Says nothing if
    /// `unencrypted-file` or `unencrypted-secret` already reports the named file.
    ///
    /// ## Why it matters
    ///
    /// kustomize makes a Secret from these values, so the author considers them secret. But no
    /// manifest with `kind: Secret` shows that they are in plaintext. If the generator decrypts its
    /// files, the build fails, and nothing is deployed.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// secretGenerator:
    ///   - name: database
    ///     literals:
    ///       - password=plaintext
    ///     envs:
    ///       - database.env   # not encrypted
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// secretGenerator:
    ///   - name: database
    ///     envs:
    ///       - database.sops.env   # encrypted, Flux decrypts it
    /// ```
    ///
    /// ## How to fix
    ///
    /// Move the literals to a file, encrypt the file with `sops encrypt --in-place FILE`, and name
    /// it under `envs` or `files`. If a generator of KSOPS or goabout names the file, encrypt the
    /// file in its place. If the values were ever pushed, change them. Put values that are not
    /// secret into a `configMapGenerator`.
    PlaintextGeneratorSource, "plaintext-generator-source", Error, needs Text, Leak(85),
    "a generator of Secrets with literals or files in clear"
}

/// Most files of one generator that are looked for on the disk.
const MAX_FILES: usize = 1_000;

/// Something that a generator makes a Secret of. Holds names and no values.
#[derive(Clone, Debug)]
pub struct GeneratorSource {
    /// The generator's kind and name.
    generator: String,
    source: Source,
    /// The field of its manifest.
    field: &'static str,
    span: Span,
    document: usize,
    level: Level,
}

#[derive(Clone, Debug)]
enum Source {
    /// The key of a literal.
    Literal(String),
    /// A file whose bytes are taken.
    File(RepoPath),
    /// A file that the generator decrypts.
    Decrypted(RepoPath),
    /// A file that the generator would decrypt, if it were there.
    Missing(RepoPath),
}

impl RepoRule for PlaintextGeneratorSource {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let names: LazyCell<HashSet<&str>, _> =
            LazyCell::new(|| repository.files.iter().map(|path| path.file_name()).collect());
        let is_wrong = |source: &Source| match source {
            Source::Literal(_) => true,
            Source::File(path) | Source::Decrypted(path) => is_plaintext(repository, path),
            // Under this name elsewhere it may be what a kustomization there means.
            Source::Missing(path) => repository.is_whole && !names.contains(path.file_name()),
        };
        let mut drafts = Vec::new();
        for facts in repository.facts {
            let wrong = facts.generator_sources.iter().filter(|source| is_wrong(&source.source));
            drafts.extend(wrong.map(|source| (&facts.path, draft(source, repository.policy))));
        }
        drafts
    }
}

/// Whether the file is here, sops left no trace in it, and no rule about files says so.
fn is_plaintext(repository: &Repository<'_>, path: &RepoPath) -> bool {
    let is_here = repository.files.binary_search(&path).is_ok();
    let facts = repository.facts.binary_search_by(|facts: &Facts| facts.path.cmp(path));
    let facts = facts.ok().map(|at| &repository.facts[at]);
    is_here && !facts.is_some_and(|facts| facts.has_sops || facts.is_reported)
}

fn draft<'f>(source: &GeneratorSource, policy: &Policy) -> Draft<'f> {
    const CHANGE: &str = "if it was ever pushed, change the values";
    let generator = clean(&source.generator);
    let (message, note, help) = match &source.source {
        Source::Literal(key) => (
            format!("{generator}: the literal {} is in plaintext", clean(key)),
            "becomes a Secret",
            "move it to a file, encrypt that with `sops encrypt --in-place`, and name it under envs; if it was ever pushed, change the value".to_owned(),
        ),
        Source::File(path) => (
            format!("{generator}: {path} is not encrypted"),
            "becomes a Secret",
            format!(
                "{}; {CHANGE}; if it holds no secret, use a configMapGenerator",
                encrypting(policy, path)
            ),
        ),
        Source::Decrypted(path) => (
            format!("{generator}: {path} is not encrypted, so it cannot be decrypted"),
            "has to be encrypted",
            format!("{}; {CHANGE}", encrypting(policy, path)),
        ),
        Source::Missing(path) => (
            format!("{generator}: there is no {path} to decrypt"),
            "not in the repository",
            "correct the path, or add the encrypted file".to_owned(),
        ),
    };
    let draft = Draft::new(&META, source.span, message)
        .level(source.level)
        .at(source.document, Some(source.field.to_owned()))
        .note(note)
        .help(help);
    match &source.source {
        Source::Literal(_) => draft,
        Source::File(path) | Source::Decrypted(path) | Source::Missing(path) => {
            draft.about(path.clone())
        }
    }
}

/// All that it takes to encrypt a file that has no finding of its own, for which `fix` does nothing.
fn encrypting(policy: &Policy, path: &RepoPath) -> String {
    let governing = policy.governing(path);
    let command = sops_command(governing, "encrypt --in-place", path);
    match obstacle(governing, None, None) {
        Some(obstacle) => format!("{obstacle}, then run {command}"),
        None => format!("run {command}"),
    }
}

/// What a kustomization or a generator makes Secrets of; nothing for other files. `exists`:
/// whether there is such a file, be it one to look at or not.
pub(super) fn sources(
    subject: &Subject<'_>,
    exists: &dyn Fn(&RepoPath) -> bool,
) -> Vec<GeneratorSource> {
    let is_kustomization = KUSTOMIZATIONS.contains(&subject.path().file_name());
    if !subject.traces.generator || subject.is_template {
        return Vec::new();
    }
    if is_kustomization {
        return kustomize_sources(subject);
    }
    let generators = subject
        .documents
        .iter()
        .filter_map(|judged| Some((judged.document.index, generator(judged.document)?)));
    generators
        .flat_map(|(document, generator)| decrypted_sources(subject, document, &generator, exists))
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
            Some(path) => (Source::Decrypted(path), META.level),
            None if !is_name || subject.is_example() => continue,
            None => match resolve(&own, file.path) {
                Some(path) => (Source::Missing(path), Level::Warning),
                None => continue,
            },
        };
        let level = if subject.is_example() { Level::Warning } else { level };
        let (generator, field, span) = (title.clone(), file.field, file.node.span);
        sources.push(GeneratorSource { generator, source, field, span, document, level });
    }
    sources
}

/// What the `secretGenerator` of a kustomization is made of.
fn kustomize_sources(subject: &Subject<'_>) -> Vec<GeneratorSource> {
    const FIELD: &str = "secretGenerator";
    let mut sources = Vec::new();
    for judged in subject.documents {
        let list = judged.document.root.get(FIELD);
        for generator in list.into_iter().flat_map(Node::elements) {
            let name = generator.get("name").and_then(Node::as_str).unwrap_or("without a name");
            let mut add = |source, span, level| {
                let level = if subject.is_example() { Level::Warning } else { level };
                let (generator, document) = (format!("{FIELD} {name}"), judged.document.index);
                sources.push(GeneratorSource {
                    generator,
                    source,
                    field: FIELD,
                    span,
                    document,
                    level,
                });
            };
            for node in items(generator, "literals") {
                if let Some((key, level)) = node.as_str().and_then(literal) {
                    add(Source::Literal(key.to_owned()), node.span, level);
                }
            }
            let single = generator.get("env").into_iter();
            let files = items(generator, "files").chain(items(generator, "envs")).chain(single);
            for node in files {
                let Some(text) = node.as_str() else { continue };
                let file = text.split_once('=').map_or(text, |(_, file)| file);
                let Some(path) = resolve(&subject.path().parent(), file) else { continue };
                if let Some(level) = level_of(&path, name) {
                    add(Source::File(path), node.span, level);
                }
            }
        }
    }
    sources
}

fn items<'n, 't>(generator: &'n Node<'t>, field: &str) -> impl Iterator<Item = &'n Node<'t>> {
    generator.get(field).into_iter().flat_map(Node::elements)
}

/// The key of a literal with a value, and how sure it is that the value is secret.
fn literal(text: &str) -> Option<(&str, Level)> {
    let (key, value) = text.split_once('=')?;
    // What ends with `=` alone is a piece of base64, whose beginning is no key.
    let value = value.trim_matches(['"', '\'', ' ', '=']);
    let reference = classify(value, false);
    let is_harmless = value.is_empty()
        || reference == Reference::Whole
        || crate::sops::value::looks_encrypted(value)
        || matches!(value, "true" | "false");
    if is_harmless {
        return None;
    }
    let is_sure = reference == Reference::None && sounds_secret(key);
    Some((key, if is_sure { META.level } else { Level::Warning }))
}

/// Whether people give this name to something secret.
fn sounds_secret(name: &str) -> bool {
    const WORDS: [&str; 7] = ["pass", "secret", "token", "key", "credential", "pwd", "auth"];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// How sure it is that a file holds secrets; `None` for what everybody may read.
fn level_of(path: &RepoPath, generator: &str) -> Option<Level> {
    const SECRET: [&str; 5] = ["env", "key", "pem", "p12", "jks"];
    const PUBLIC: [&str; 10] =
        ["crt", "cer", "pub", "asc", "gpg", "md", "txt", "rego", "html", "sh"];
    let (_, ending) = path.file_name().rsplit_once('.').unwrap_or_default();
    if PUBLIC.contains(&ending) || path.file_name() == "known_hosts" {
        return None;
    }
    // The values of a Helm release are put into a Secret whether they are secret or not.
    let is_values = path.file_name().contains("values");
    let is_named =
        SECRET.contains(&ending) || sounds_secret(path.file_name()) || sounds_secret(generator);
    Some(if is_named && !is_values { META.level } else { Level::Warning })
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
    fn a_literal_is_sure_where_its_key_says_so() {
        assert_eq!(literal("DB_PASSWORD=canary"), Some(("DB_PASSWORD", Level::Error)));
        assert_eq!(literal("IMAGE=canary"), Some(("IMAGE", Level::Warning)));
        assert_eq!(literal("password=${PASSWORD}"), None);
        assert_eq!(literal("password="), None);
        assert_eq!(literal("Y2FuYXJ5LQ=="), None);
    }
}
