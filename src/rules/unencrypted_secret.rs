//! A Kubernetes Secret that is not encrypted at all.

use std::collections::HashSet;

use super::decryption_credentials::is_credential;
use super::embedded::{Embedded, embedded};
use super::exposure::exposed;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::finding::{Draft, Drafts, Fix, Level, RuleMeta};
use crate::kubernetes::Secret;
use crate::shell::Advice;
use crate::sops::census::Spot;
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds `v1/Secret` objects with unencrypted values in `data` or `stringData`, in YAML and
    /// JSON, as kubectl, kustomize and Helm read them: in any document of a file, as an item of any
    /// list, inside other objects (Helm values, a `Template`), in patches, in texts of other
    /// manifests, and under any file name, such as `secret.yaml.bak`.
    ///
    /// It ignores Secrets that have nothing to protect: no values, empty values, `null`, patches
    /// that delete a Secret, and values that only refer to a secret (`${PASSWORD}`,
    /// `{{ .password }}`, `<path:kv/db#key>`, `op://vault/item/field`, `ref+scheme://path`,
    /// `vault:kv/db#key`) or only stand for one (`<your-token>`, `REPLACE_ME`). A config of several
    /// lines is a reference if all its settings are (`password=${PASSWORD}`). It also ignores:
    ///
    /// * certificates, public keys, `authorized_keys` and `known_hosts`, and the settings in Argo
    ///   CD's repository Secrets and cluster Secrets,
    /// * values that a template engine still has to insert, such as `{{ .password }}` (but it does
    ///   report the literal values in a template), and the default of such a value in a template,
    /// * files with `example`, `sample`, `template` or `dist` as a word of their name, such as
    ///   `secret.yaml.example`,
    /// * the private keys and tokens that Flux uses to decrypt: `decryption-credentials` reports
    ///   them,
    /// * the mask of `flux build`: `masked-placeholder` reports it.
    ///
    /// Each value counts for itself. If a part of a value is a reference (`postgres://app:${P}@db`),
    /// the value is a warning, unless the rest holds a secret: a private key, a line such as
    /// `password=plaintext`, or a URL with a password or a token. The name of an account
    /// (`username`, `login`, `clientId`) is a warning too. The finding has the highest level of its
    /// values. It is always a warning below `docs/`, `examples/`, `samples/`, `tests/` and similar
    /// directories.
    ///
    /// An object of another kind with `stringData`, which may be a patch of a Secret, is a warning.
    ///
    /// The templates in a `SopsSecret` count as Secrets. In the `SopsSecret` of the craftypath
    /// operator, each value must be the complete text of an encrypted file.
    ///
    /// ## Why it matters
    ///
    /// Base64 is not encryption. Once pushed, a value stays in the history of every clone. Flux and
    /// Argo CD apply a plaintext Secret without any warning, so the mistake goes unnoticed.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Secret
    /// metadata:
    ///   name: db
    /// stringData:
    ///   password: plaintext
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Secret
    /// metadata:
    ///   name: db
    /// stringData:
    ///   password: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// sops:
    ///   ..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Write a creation rule for the file with `encrypted_regex: ^(data|stringData)$`. Without a
    /// selector (`encrypted_regex`, `encrypted_suffix` or a similar field), sops encrypts the kind
    /// and the name too. Then encrypt the file: run `sops-lint fix FILE`, or
    /// `sops encrypt --in-place FILE` if the rule has cloud KMS or Vault keys. If the file was ever
    /// pushed, treat its values as public: replace them in the systems that use them, then encrypt
    /// the new ones.
    UnencryptedSecret, "unencrypted-secret", Error, needs Text, Leak(91),
    "a Kubernetes Secret whose values are not encrypted"
}

impl FileRule for UnencryptedSecret {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        for judged in subject.documents {
            // In a file with metadata a bare document is a matter of `mixed-documents`, and a value of a Secret
            // one of other rules.
            let secrets = if subject.is_encrypted() { &[][..] } else { &judged.secrets };
            let orphans: HashSet<u32> = match secrets {
                [_, ..] if subject.has_orphans(judged) => {
                    judged.orphans(subject.claims_encryption).iter().map(|spot| spot.id).collect()
                }
                _ => HashSet::new(),
            };
            for secret in secrets.iter().filter(|secret| !secret.is_deletion()) {
                check_secret(subject, judged, (secret, &orphans), drafts);
            }
            let found = embedded(judged).into_iter();
            drafts.extend(found.map(|found| embedded_draft(subject, judged, found)));
        }
    }
}

fn check_secret<'s>(
    subject: &Subject<'s>,
    judged: &Judged<'s>,
    (secret, orphans): (&Secret<'s, 's>, &HashSet<u32>),
    drafts: &mut Drafts<'s>,
) {
    // `decryption-credentials` and `orphan-ciphertext` know better what these are.
    let exposed = exposed(judged, secret)
        .only(|value, spot| !is_credential(value, spot) && !orphans.contains(&spot.id));
    let is_uncertain = !exposed.has_literals() || subject.is_example();
    let spots = exposed.into_spots();
    let Some(first) = spots.first() else { return };
    let message = format!(
        "{} has {} ({})",
        secret.title(),
        count(spots.len(), "plaintext value"),
        listing(&spots, Spot::key_path)
    );
    let level = if is_uncertain { Level::Warning } else { META.level };
    let draft = Draft::new(&META, first.key_span, message)
        .level(level)
        .at_each(judged.document.index, spots.iter().map(Spot::key_path))
        .note("in plaintext")
        .help(if secret.holds_files { help_for_file() } else { help(subject) });
    if let Some((help, fix)) = subject.forgetting() {
        let draft = draft.help(help).fix(fix);
        return drafts.push(subject.with_rule(draft, "this creation rule governs the file"));
    }
    // sops could not read the result, or would encrypt the whole file as binary data.
    let can_encrypt = !(subject.is_foreign || subject.is_template || subject.may_hold_ciphertext());
    let draft = if can_encrypt { draft.fix(Fix::encrypt()) } else { draft };
    let draft = draft.also_each(spots.iter().skip(1).map(|spot| spot.key_span), "in plaintext");
    drafts.push(subject.with_rule(draft, "this creation rule governs the file"));
}

fn embedded_draft<'s>(subject: &Subject<'s>, judged: &Judged<'s>, found: Embedded) -> Draft<'s> {
    let is_sure = found.is_sure && !subject.is_example();
    let level = if is_sure { META.level } else { Level::Warning };
    Draft::new(&META, found.place, found.message)
        .level(level)
        .at(judged.document.index, judged.key_path(found.span))
        .note("in plaintext")
        .help("move the values to a Secret in a file of its own, and encrypt that file; if this file was ever pushed, change the values too")
}

/// Tells how to encrypt a value that an operator expects as the text of an encrypted file.
fn help_for_file() -> Advice {
    "put the value into a file of its own, run sops encrypt on it, and put what that prints here; if it was ever pushed, change the values too".into()
}

/// Tells how to encrypt the file.
fn help(subject: &Subject<'_>) -> Advice {
    subject.encrypting() + "; if the file was ever pushed, change the values too"
}
