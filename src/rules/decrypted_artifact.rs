//! The decrypted copy of an encrypted file, committed next to it.

use super::command::untrack;
use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, Fix, Level, Remedy, RuleMeta};
use crate::path::RepoPath;
use crate::text::Span;
use crate::text::printable::clean_path;
use crate::text::words::count;
use crate::traces::{self, Claim};

declare_rule! {
    /// ## What it does
    ///
    /// Finds files without SOPS metadata
    ///
    /// * that are named like the output of a decryption: `secrets.yaml.dec`, `secrets.dec.yaml`,
    ///   `secrets.decrypted.yaml`, `decrypted~secrets.yaml`,
    /// * or that are named `x.yaml`, are in the same directory as an encrypted `x.enc.yaml`,
    ///   `x.sops.yaml` or `x.encrypted.yaml`, and have exactly the same keys.
    ///
    /// The finding is a warning for a file named only `x.dec`, which can be any kind of file, and
    /// in examples and tests. The rule ignores empty files, templates, and files in which all
    /// values are references.
    ///
    /// ## Why it matters
    ///
    /// helm-secrets and many scripts write such files and remove them afterwards. If such a program
    /// is interrupted, the next `git add .` adds the copy.
    ///
    /// ## Example
    ///
    /// Bad: `secrets.enc.yaml` with `password: ENC[..]`, and in the same directory `secrets.yaml` with
    ///
    /// ```yaml
    /// password: plaintext
    /// ```
    ///
    /// ## How to fix
    ///
    /// If git tracks the file, remove it with `git rm --cached FILE`. Add its name to `.gitignore`.
    /// If it was ever pushed, change the values.
    DecryptedArtifact, "decrypted-artifact", Error, needs Text, Leak(90),
    "a decrypted copy of an encrypted file"
}

impl RepoRule for DecryptedArtifact {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let plain = repository.facts.iter().filter(|facts| !facts.has_sops);
        let check = |facts: &'f Facts| {
            let level = if facts.copy.is_example { Level::Warning } else { META.level };
            let (level, message) = if let Some(named) = facts.copy.named {
                let name = clean_path(facts.path.file_name()).into_owned();
                let named = if named == Claim::Certain { META.level } else { Level::Warning };
                (named.min(level), format!("{name} is named like the output of a decryption"))
            } else {
                let twin = twin(repository, facts)?;
                let keys = count(facts.copy.keys?.0, "key");
                (level, format!("this file has the same {keys} as the encrypted {}", twin.path))
            };
            let draft = Draft::new(&META, Span::at(0), message)
                .level(level)
                .note("not encrypted")
                .help(untrack(&facts.path) + "; if it was ever pushed, change the values")
                .fix(if level == META.level {
                    Fix::safe(Remedy::Ignore)
                } else {
                    Fix::uncertain(Remedy::Ignore)
                });
            Some((&facts.path, draft))
        };
        plain.filter_map(check).collect()
    }
}

/// The encrypted file with the same keys that is named after this one.
fn twin<'f>(repository: &Repository<'f>, facts: &Facts) -> Option<&'f Facts> {
    let keys = facts.copy.keys?;
    repository.facts.iter().find(|other| {
        other.is_encrypted
            && other.copy.keys == Some(keys)
            && traces::plain_name(&other.path).as_ref() == Some(&facts.path)
    })
}
