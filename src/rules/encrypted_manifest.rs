//! A Kubernetes manifest whose kind or name is encrypted.

use super::facts::Facts;
use super::identity::Damage;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, Level, RuleMeta};
use crate::path::RepoPath;
use crate::text::words::agree;

declare_rule! {
    /// ## What it does
    ///
    /// Finds encrypted files in the form of a Kubernetes manifest (`apiVersion`, `kind` and
    /// `metadata`) whose version, kind or whole metadata is encrypted. This is a warning. It ignores
    /// files that a KSOPS generator of the repository decrypts. If the creation rule would encrypt
    /// the kind again, `selector-hits-metadata` reports the rule instead.
    ///
    /// It is an error if the kind or the name was typed in by hand, and the other values are still
    /// encrypted.
    ///
    /// ## Why it matters
    ///
    /// kustomize cannot build a manifest without a kind, and Flux decrypts only what kustomize has
    /// built. If the kind was typed in by hand, sops refuses the file: it expects a ciphertext
    /// there.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// apiVersion: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// kind: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// metadata:
    ///   name: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// ```
    ///
    /// ## How to fix
    ///
    /// Set `encrypted_regex: ^(data|stringData)$` in the creation rule. Then run
    /// `sops decrypt --in-place FILE` and `sops encrypt --in-place FILE`. Commit only after the
    /// second command. If the manifest has secret values outside of `data` and `stringData`, first
    /// write a rule that covers them too: otherwise they would be in plaintext. If a script decrypts the file before it calls kubectl, ignore the finding in
    /// the settings.
    ///
    /// If the kind was typed in by hand, restore the last good version of the file first.
    EncryptedManifest, "encrypted-manifest", Error, needs Text,
    "a Kubernetes manifest whose kind or name is encrypted"
}

impl RepoRule for EncryptedManifest {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let decrypted = repository.decrypted();
        let drafts = repository.facts.iter().filter_map(|facts| {
            let draft = draft(facts).filter(|_| !decrypted.contains(&facts.path))?;
            Some((&facts.path, draft))
        });
        drafts.collect()
    }
}

fn draft<'f>(facts: &Facts) -> Option<Draft<'f>> {
    let damage = facts.damage.as_ref()?;
    Some(match damage {
        Damage::Encrypted { span, document, field, help, .. } => {
            let message = match &**field {
                "kind" | "apiVersion" => {
                    format!(
                        "the {field} of this manifest is encrypted, so kustomize cannot build it"
                    )
                }
                _ => "the metadata of this manifest is encrypted, so Kubernetes rejects it"
                    .to_owned(),
            };
            Draft::new(&META, *span, message)
                .level(Level::Warning)
                .at(*document, Some(field.clone()))
                .note("encrypted")
                .help(help.clone()?)
        }
        Damage::Retyped { spans, document, field, fields, help } => {
            let message = format!(
                "sops cannot decrypt this manifest: {fields} {} in plaintext, where its selector covers {}",
                agree(spans.len(), "is", "are"),
                agree(spans.len(), "it", "them")
            );
            let draft = Draft::new(&META, spans[0], message)
                .at(*document, Some(field.clone()))
                .note("typed in by hand")
                .help(help.clone());
            draft.also_each(spans.iter().skip(1).copied(), "typed in by hand")
        }
    })
}
