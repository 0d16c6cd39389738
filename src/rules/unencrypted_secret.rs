//! A Kubernetes Secret that is not encrypted at all.

use super::decryption_credentials::is_credential;
use super::masked_placeholder::is_mask;
use super::{FileRule, Judged, Subject, declare_rule, for_each_scalar, with_others};
use crate::document::Scalar;
use crate::finding::{Draft, Drafts, Fix, Level, RuleMeta};
use crate::kubernetes::public::is_public;
use crate::kubernetes::reference::{Reference, classify};
use crate::kubernetes::{Secret, SecretValue};
use crate::sops::census::{Census, Spot};
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds `v1/Secret` objects with unencrypted values in `data` or `stringData`: in YAML and
    /// JSON, in any document of a file, and as items of a `List`.
    ///
    /// Says nothing if there is nothing to protect: no values, empty values, `null`, patches that
    /// delete a Secret, and values that only refer to a secret (`${PASSWORD}`, `{{ .password }}`,
    /// `<path:..>`, `op://..`, `ref+..`, `vault:path#key`, `REPLACE_ME`). It also ignores:
    ///
    /// * certificates, public keys, and the settings in the repository and cluster Secrets of Argo
    ///   CD,
    /// * Helm templates and other files that a template engine still has to render,
    /// * the keys with which Flux decrypts: `decryption-credentials` reports them,
    /// * the mask of `flux build`: `masked-placeholder` reports it.
    ///
    /// The finding is a warning if only some of the values are references, because such Secrets
    /// often hold nothing but settings. It is also a warning below `docs/`, `examples/`,
    /// `samples/`, `tests/` and similar directories.
    ///
    /// The templates in a `SopsSecret` count as Secrets. In the `SopsSecret` of craftypath, each
    /// value has to be the text of an encrypted file.
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
    /// selector, sops encrypts the kind and the name too. Then encrypt the file: run
    /// `sops-lint fix FILE`, or `sops encrypt --in-place FILE` if the rule has keys of a cloud or
    /// of Vault. If the file was ever pushed, its values are known: change them where they are
    /// used, then encrypt the new ones.
    UnencryptedSecret, "unencrypted-secret", Error, needs Text, Leak(91),
    "a Kubernetes Secret whose values are not encrypted"
}

impl FileRule for UnencryptedSecret {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        // In a file with metadata a bare document is a matter of `mixed-documents`.
        if subject.is_template || subject.is_encrypted() {
            return;
        }
        for judged in subject.documents {
            for secret in judged.secrets.iter().filter(|secret| !secret.is_deletion()) {
                check_secret(subject, judged, secret, drafts);
            }
        }
    }
}

fn check_secret<'s>(
    subject: &Subject<'s>,
    judged: &Judged<'s>,
    secret: &Secret<'s, 's>,
    drafts: &mut Drafts<'s>,
) {
    let exposed = exposed(judged, secret);
    let has_references = exposed.has_references;
    // `decryption-credentials` knows better what these are.
    let spots = exposed.spots_of(|value, spot| !is_credential(value, spot));
    let Some(first) = spots.first() else { return };
    let message = format!(
        "{} has {} ({})",
        secret.title(),
        count(spots.len(), "plaintext value"),
        listing(&spots, Spot::key_path)
    );
    let is_uncertain = has_references || subject.is_example();
    let level = if is_uncertain { Level::Warning } else { META.level };
    let draft = Draft::new(&META, first.key_span, message)
        .level(level)
        .at(judged.document.index, Some(first.key_path()))
        .note("in plaintext")
        .help(if secret.holds_files { help_for_file() } else { help(subject) })
        .fix(Fix::encrypt());
    let draft = with_others(draft, &spots, "in plaintext");
    drafts.push(subject.with_rule(draft, "this creation rule governs the file"));
}

/// How to encrypt what an operator expects as the text of an encrypted file.
fn help_for_file() -> String {
    "put the value into a file of its own, run `sops encrypt` on it, and put what that prints here; if it was ever pushed, change the values too".to_owned()
}

/// How to encrypt the file.
fn help(subject: &Subject<'_>) -> String {
    format!("{}; if the file was ever pushed, change the values too", subject.encrypting())
}

/// What of a Secret can be read by everybody.
pub(super) struct Exposed<'s> {
    /// Values that are neither empty, nor encrypted, nor references, each with the entry of the Secret
    /// at or below which it stands; in file order.
    values: Vec<(SecretValue<'s, 's>, Spot<'s, 's>)>,
    /// Whether other values of the Secret are references, in whole or in part.
    has_references: bool,
}

impl<'s> Exposed<'s> {
    /// Whether all of the Secret is hidden.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All values.
    pub(super) fn into_spots(self) -> Vec<Spot<'s, 's>> {
        self.spots_of(|_, _| true)
    }

    /// The values of a kind.
    pub(super) fn spots_of(
        self,
        is_wanted: impl Fn(&SecretValue<'_, '_>, &Spot<'_, '_>) -> bool,
    ) -> Vec<Spot<'s, 's>> {
        let wanted = self.values.into_iter().filter(|(value, spot)| is_wanted(value, spot));
        wanted.map(|(_, spot)| spot).collect()
    }
}

/// Looks through `data` and `stringData`; maps below a key count leaf by leaf.
pub(super) fn exposed<'s>(judged: &Judged<'s>, secret: &Secret<'s, 's>) -> Exposed<'s> {
    exposed_in(&judged.census, secret)
}

/// The same of a Secret that stands in no file of its own.
pub(super) fn exposed_in<'s>(census: &Census<'s, 's>, secret: &Secret<'s, 's>) -> Exposed<'s> {
    let mut exposed = Exposed { values: Vec::new(), has_references: false };
    for value in secret.values() {
        let is_base64 = value.field == "data";
        for_each_scalar(&value.entry.node, &mut |scalar| {
            let Some(spot) = census.readable(scalar) else { return };
            let text = if let Scalar::Str(text) = scalar { text } else { "" };
            if is_mask(scalar) || is_public(secret, &value.entry.key, text, is_base64) {
                return;
            }
            let reference = reference(scalar, is_base64);
            exposed.has_references |= reference != Reference::None;
            if reference != Reference::Whole {
                exposed.values.push((value, spot.clone()));
            }
        });
    }
    exposed.values.sort_by_key(|(_, spot)| spot.span);
    exposed
}

/// Whether a value only points at a secret.
pub(super) fn reference(scalar: &Scalar<'_>, is_base64: bool) -> Reference {
    match scalar {
        Scalar::Str(text) => classify(text, is_base64),
        _ => Reference::None,
    }
}
