//! A file of a generator in another format than Flux reads.

use super::command::sops_command;
use super::facts::Facts;
use super::generator_source::{GeneratorSource, Source};
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::shell::Advice;
use crate::text::printable::clean;

declare_rule! {
    /// ## What it does
    ///
    /// Compares the format in which a file of a `secretGenerator` is encrypted with the format in
    /// which Flux decrypts it. Flux goes by the *key* of an item of `files`: `.json`, `.yaml`,
    /// `.env`, `.ini` and `.dockerconfigjson` (JSON); everything else is binary. It reads every item
    /// of `envs` as dotenv.
    ///
    /// It does not check generators of KSOPS and goabout, which go by the name of the file.
    ///
    /// ## Why it matters
    ///
    /// sops goes by the name of the *file*. It encrypts `config.env.encrypted` as a binary file,
    /// and Flux, which reads it as dotenv, leaves it as it is: the cluster gets ciphertext. If JSON
    /// was encrypted as a binary file, the cluster gets `{"data": ..}`.
    ///
    /// ## Example
    ///
    /// Bad: sops encrypted `config.env.encrypted` as a binary file
    ///
    /// ```yaml
    /// secretGenerator:
    ///   - name: config
    ///     envs:
    ///       - config.env.encrypted
    /// ```
    ///
    /// Good: a name by which sops and Flux choose the same format
    ///
    /// ```yaml
    /// secretGenerator:
    ///   - name: config
    ///     envs:
    ///       - config.encrypted.env
    /// ```
    ///
    /// ## How to fix
    ///
    /// Encrypt the file again in the format that Flux reads, with `--input-type` and
    /// `--output-type`, or rename it so that sops chooses this format by itself. If the content has
    /// another format, correct the key under `files`.
    GeneratorFormat, "generator-format", Error, needs Text,
    "a file of a generator in another format than Flux reads"
}

impl RepoRule for GeneratorFormat {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let mut drafts = Vec::new();
        for facts in repository.facts {
            let found =
                facts.generator_sources.iter().filter_map(|source| draft(source, repository));
            drafts.extend(found.map(|draft| (&facts.path, draft)));
        }
        drafts
    }
}

fn draft<'f>(source: &GeneratorSource, repository: &Repository<'f>) -> Option<Draft<'f>> {
    let (Source::File(path), Some(read)) = (&source.source, source.consumer) else { return None };
    let at = repository.facts.binary_search_by(|facts: &Facts| facts.path.cmp(path)).ok()?;
    let written = repository.facts[at].written.filter(|written| *written != read)?;
    let governing = repository.governing(&repository.facts[at]);
    let message = format!(
        "{}: {path} is encrypted as {written}, but Flux reads it as {read}",
        clean(&source.generator)
    );
    let help = Advice::from(format!("if its content is {read}, run "))
        + sops_command(governing, "decrypt --in-place", Some(written), path)
        + ", then "
        + sops_command(governing, "encrypt --in-place", Some(read), path)
        + "; otherwise correct the key or the list that names it";
    let draft = Draft::new(&META, source.span, message).level(if source.is_example {
        Level::Warning
    } else {
        META.level
    });
    Some(
        draft
            .at(source.document, Some(source.field.to_owned()))
            .note(format!("read as {read}"))
            .help(help)
            .about(path.clone()),
    )
}
