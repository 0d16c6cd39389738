//! The decrypted copy of an encrypted file, committed beside it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::unencrypted_secret::{exposed, reference};
use super::{Facts, RepoRule, Repository, Subject, declare_rule, quoted};
use crate::finding::{Draft, Fix, Level, Remedy, RuleMeta};
use crate::kubernetes::reference::Reference;
use crate::path::RepoPath;
use crate::sops::selector::Selector;
use crate::sops::walk::{self, Leaf, Step};
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
    /// The finding is a warning for a bare `x.dec`, which can be any kind of file, and among
    /// examples and tests. Says nothing about empty files, templates, and a neighbour in which all
    /// values are references.
    ///
    /// ## Why it matters
    ///
    /// helm-secrets and many scripts write such files and remove them afterwards. If such a program
    /// is interrupted, the next `git add .` adds the copy.
    ///
    /// ## Example
    ///
    /// Bad: `secrets.enc.yaml` with `password: ENC[..]`, and beside it `secrets.yaml` with
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

/// What shows that a file is, or has, a decrypted copy. Holds no names and no values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Copy {
    /// How sure its name is that it was decrypted.
    named: Option<Level>,
    /// How many values it has, and a hash of the ways to them.
    keys: Option<(usize, u64)>,
    is_example: bool,
}

impl Copy {
    /// Whether there is anything to keep of a file that has nothing else to say.
    pub(super) fn is_named(self) -> bool {
        self.named.is_some()
    }
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
                (named.min(level), format!("{name} is named like the output of a decryption"))
            } else {
                let twin = twin(repository, facts)?;
                let keys = count(facts.copy.keys?.0, "key");
                (level, format!("this file has the same {keys} as the encrypted {}", twin.path))
            };
            let path = quoted(facts.path.as_str());
            let draft = Draft::new(&META, Span::at(0), message)
                .level(level)
                .note("not encrypted")
                .help(format!(
                    "take it out of git with `git rm --cached {path}` if git has it, and add it to .gitignore; if it was ever pushed, change the values"
                ))
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

/// What a file shows. `is_twin`: an encrypted file is named after it.
pub(super) fn copy_of(subject: &Subject<'_>, is_twin: bool) -> Copy {
    let is_blank = subject.input.bytes().iter().all(u8::is_ascii_whitespace);
    if subject.is_template || subject.config.is_some() || is_blank {
        return Copy::default();
    }
    let named = traces::claims_decryption(subject.path()).map(|claim| match claim {
        Claim::Certain => META.level,
        Claim::Likely => Level::Warning,
    });
    // To write down the ways to all values takes as long as to parse the file.
    let is_compared = is_twin || (subject.claims_encryption && subject.is_encrypted());
    let keys = if is_compared { keys(subject) } else { None };
    Copy { named, keys, is_example: subject.is_example() }
}

/// The ways to all values. `None` where there is no value that somebody could want to hide.
fn keys(subject: &Subject<'_>) -> Option<(usize, u64)> {
    if subject.parse_error.is_some() {
        return None;
    }
    let mut hash = DefaultHasher::new();
    let (mut number, mut has_literal) = (0, subject.is_encrypted());
    for judged in subject.documents {
        walk::leaves(judged.document, &Selector::default(), &mut |leaf| {
            number += 1;
            has_literal |= judged.secrets.is_empty() && is_literal(leaf);
            (judged.document.index, walk::key_path(leaf.path)).hash(&mut hash);
        });
        has_literal |= judged.secrets.iter().any(|secret| !exposed(judged, secret).is_empty());
    }
    has_literal.then(|| (number, hash.finish()))
}

/// Whether a value is none that every manifest has, and no reference.
fn is_literal(leaf: &Leaf<'_, '_, '_>) -> bool {
    let is_name = matches!(leaf.path.first(), Some(Step::Key("apiVersion" | "kind" | "metadata")));
    !is_name
        && leaf.text().is_some_and(|text| !text.is_empty())
        && reference(leaf.scalar, false) != Reference::Whole
}
