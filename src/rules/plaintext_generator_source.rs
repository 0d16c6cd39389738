//! A Secret that a generator makes from plaintext.

use std::cell::LazyCell;
use std::collections::HashSet;

use super::command::sops_command;
use super::encrypting::obstacle;
use super::facts::Facts;
use super::generator_source::{GeneratorSource, Source};
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::document::format_of;
use crate::finding::{Draft, RuleMeta};
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::shell::Advice;
use crate::sops::walk::is_name;
use crate::text::printable::clean;

declare_rule! {
    /// ## What it does
    ///
    /// Checks the `secretGenerator` of a kustomization and manifests of the kind `SecretGenerator`,
    /// and finds
    ///
    /// * `literals` with a value that is not a placeholder,
    /// * `files`, `envs` and `env` that name an unencrypted file of this repository.
    ///
    /// The finding is an error if a name suggests a secret: a key such as `password`, a file or a
    /// generator with such a word in its name, an `.env`, `.key` or `.pem` file. In all other cases
    /// it is a warning. For a Helm `values.yaml`, and in examples and tests, it is always a
    /// warning. The rule ignores certificates and public keys (`.crt`, `.pub`, `.asc`), documents
    /// whose key and name suggest no secret (`README.md`, but not `password.txt`), and files that
    /// are not in the repository or were not scanned.
    ///
    /// The rule also checks the generators of KSOPS (`kind: ksops`) and of goabout
    /// (`kind: SopsSecretGenerator`). They decrypt each file that they name, so the finding is
    ///
    /// * an error if sops did not encrypt the file, whatever its name; in examples and tests, a
    ///   warning,
    /// * a warning if the repository has no file of that name.
    ///
    /// Paths are relative to the generator, or to a kustomization above it. The rule reports
    /// nothing if `unencrypted-file` or `unencrypted-secret` already reports the named file.
    ///
    /// ## Why it matters
    ///
    /// kustomize makes a Secret from these values, so the author considers them secret. But no
    /// manifest with `kind: Secret` shows that they are in plaintext. Generators of KSOPS and
    /// goabout decrypt their files. If such a file is in plaintext, the build fails, and nothing is
    /// deployed.
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
    /// it under `envs` or `files`. If a generator of KSOPS or goabout already names the file, only
    /// encrypt it: do not move or rename it. If the values were ever pushed, change them. Put
    /// values that are not secret into a `configMapGenerator`.
    PlaintextGeneratorSource, "plaintext-generator-source", Error, needs Text, Leak(85),
    "a generator of Secrets with plaintext literals or files"
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

/// Returns true if the file exists, sops left no trace in it, and no rule about files reports it.
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
            format!("{generator}: {} is in plaintext", literal(key)),
            "becomes a Secret",
            "move it to a file, encrypt that with sops encrypt --in-place, and name it under envs; if it was ever pushed, change the value".into(),
        ),
        Source::File(path) => (
            format!("{generator}: {path} is not encrypted"),
            "becomes a Secret",
            encrypting(policy, path)
                + "; "
                + CHANGE
                + "; if it holds no secret, use a configMapGenerator",
        ),
        Source::Decrypted(path) => (
            format!("{generator}: {path} is not encrypted, so it cannot be decrypted"),
            "has to be encrypted",
            encrypting(policy, path) + "; " + CHANGE,
        ),
        Source::Missing(path) => (
            format!("{generator}: there is no {path} to decrypt"),
            "not in the repository",
            "correct the path, or add the encrypted file".into(),
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

fn literal(key: &str) -> String {
    if is_name(key) { format!("the literal {key}") } else { "a literal".to_owned() }
}

/// All that it takes to encrypt a file that has no finding of its own, for which `fix` does nothing.
fn encrypting(policy: &Policy, path: &RepoPath) -> Advice {
    let governing = policy.governing(path);
    let command = sops_command(governing, "encrypt --in-place", None, path);
    if let Some((config, rule)) = governing.rule().filter(|_| format_of(path).is_some()) {
        let field = rule.recipe.selector.field;
        // Its keys are not those of a manifest, so sops would encrypt nothing.
        if rule.recipe.selector.span.is_some() && field.selects() {
            let first = format!(
                "add a rule for it without {} before rule {} of {}, then run ",
                field.name(),
                rule.number,
                config.path
            );
            return Advice::from(first) + command;
        }
    }
    match obstacle(governing, None, None) {
        Some(obstacle) => obstacle + ", then run " + command,
        None => Advice::from("run ") + command,
    }
}
