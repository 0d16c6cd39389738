//! A Kubernetes Secret that is not encrypted at all.

use super::{FileRule, Judged, Subject, count, declare_rule};
use crate::document::Scalar;
use crate::finding::{Draft, Drafts, Fix, Level, RuleMeta};
use crate::kubernetes::Secret;
use crate::kubernetes::reference::{Reference, classify};
use crate::sops::census::Spot;
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds `v1/Secret` objects with values in `data` or `stringData` that are not encrypted:
    /// in YAML and JSON, in any document of a file, as items of a `List`.
    ///
    /// Silent where there is nothing to protect: no values, empty values, `null`, patches that
    /// delete a Secret, and values that only point elsewhere (`${PASSWORD}`, `{{ .password }}`,
    /// `<path:..>`, `op://..`, `ref+..`, `vault:path#key`, `REPLACE_ME`). Where some values are
    /// references and others are not, it is a warning: such Secrets often hold settings only.
    /// Helm templates and files that a template engine still has to render are not manifests.
    ///
    /// ## Why it matters
    ///
    /// Base64 is not encryption. What is pushed once stays in the history of every clone, and
    /// Flux and Argo CD apply a plaintext Secret without a word, so nobody notices.
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
    ///   password: in clear
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
    /// Encrypt the file in place: `sops encrypt --in-place FILE`. If it was ever pushed, the
    /// values are known: change them where they are used, then encrypt the new ones.
    UnencryptedSecret, "unencrypted-secret", Error, needs Text,
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
    let Some(first) = exposed.spots.first() else { return };
    let spans: Vec<Span> = exposed.spots.iter().map(|spot| spot.span).collect();
    let message = format!(
        "{} has {} ({})",
        secret.title(),
        count(spans.len(), "plaintext value"),
        judged.key_paths(&spans)
    );
    let level = if exposed.has_references { Level::Warning } else { META.level };
    let help = format!(
        "run {}; if the file was ever pushed, change the values too",
        subject.sops("encrypt --in-place")
    );
    let mut draft = Draft::new(&META, first.key_span, message)
        .level(level)
        .at(judged.document.index, judged.key_path(first.span))
        .note("in plaintext")
        .help(help)
        .fix(Fix { kind: "encrypt", safe: false });
    for spot in exposed.spots.iter().skip(1).take(4) {
        draft = draft.also(spot.key_span, "in plaintext");
    }
    drafts.push(subject.with_rule(draft, "this creation rule governs the file"));
}

/// What of a Secret can be read by everybody.
pub(super) struct Exposed<'s> {
    /// Values that are neither empty, nor encrypted, nor references.
    pub(super) spots: Vec<Spot<'s, 's>>,
    /// Whether other values of the Secret are references, in whole or in part.
    pub(super) has_references: bool,
}

/// Looks through `data` and `stringData`; maps below a key count leaf by leaf.
pub(super) fn exposed<'s>(judged: &Judged<'s>, secret: &Secret<'s, 's>) -> Exposed<'s> {
    let mut exposed = Exposed { spots: Vec::new(), has_references: false };
    let census = &judged.census;
    let plain = census.plaintext.iter().chain(&census.unselected);
    let broken = census.malformed.iter().map(|(spot, _)| spot);
    let values: Vec<(&'static str, Span)> =
        secret.values().map(|value| (value.field, value.entry.node.span)).collect();
    for spot in plain.chain(broken) {
        let field = values
            .iter()
            .find(|(_, span)| span.start <= spot.span.start && spot.span.end <= span.end);
        let Some((field, _)) = field else { continue };
        match reference(spot.scalar, *field == "data") {
            Reference::None => exposed.spots.push(*spot),
            Reference::Partly => {
                exposed.spots.push(*spot);
                exposed.has_references = true;
            }
            Reference::Whole => exposed.has_references = true,
        }
    }
    exposed.spots.sort_by_key(|spot| spot.span);
    exposed
}

/// Whether a value only points at a secret.
pub(super) fn reference(scalar: &Scalar<'_>, is_base64: bool) -> Reference {
    match scalar {
        Scalar::Str(text) => classify(text, is_base64),
        _ => Reference::None,
    }
}
