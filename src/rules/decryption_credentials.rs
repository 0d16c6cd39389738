//! The credentials with which Flux decrypts, committed in plaintext.

use std::borrow::Cow;

use base64::Engine;

use super::exposure::exposed;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use crate::document::{Format, Node, Scalar, yaml::Yaml};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::kubernetes::reference::{Reference, classify};
use crate::kubernetes::{Secret, SecretValue};
use crate::private_key;
use crate::sops::census::Spot;
use crate::text::Span;
use crate::text::words::{count, listing};
use crate::traces;

declare_rule! {
    /// ## What it does
    ///
    /// Finds unencrypted credentials that the kustomize-controller of Flux uses to decrypt:
    ///
    /// * the keys of a decryption Secret (`sops-age`, `sops-gpg`, `sops-hcvault`): `*.agekey`,
    ///   `*.asc` that contains a private key, `sops.vault-token`, `sops.aws-kms`, `sops.azure-kv`
    ///   and `sops.gcp-kms`,
    /// * `VAULT_TOKEN`, `AZURE_CLIENT_SECRET` and `AWS_SECRET_ACCESS_KEY` with a literal `value` in
    ///   a Deployment named kustomize-controller, or in a patch of one,
    /// * the same in a JSON patch that is a separate file below `flux-system`. Such a file does not
    ///   name its target, so the finding is a warning.
    ///
    /// It ignores encrypted values, references and templates. The finding is a warning in examples
    /// and tests. `unencrypted-secret` does not report these values again. `private-key` does
    /// report age and OpenPGP keys among them, because it finds those keys everywhere.
    ///
    /// ## Why it matters
    ///
    /// One such value gives access to every secret of the cluster, in every commit. It does not
    /// belong in git. Create it in the cluster by hand: Flux needs it before it can decrypt
    /// anything.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Secret
    /// metadata:
    ///   name: sops-hcvault
    ///   namespace: flux-system
    /// stringData:
    ///   sops.vault-token: plaintext
    /// ```
    ///
    /// Good:
    /// `kubectl create secret generic sops-hcvault --namespace=flux-system --from-file=sops.vault-token=/dev/stdin`,
    /// and no file in the repository.
    ///
    /// ## How to fix
    ///
    /// Replace the credential first, because it stays in the history of every clone. If it is a
    /// token, revoke the old one. For an age or OpenPGP key, follow
    /// `sops-lint explain private-key`. Then remove the file. If Flux applied it with
    /// `prune: true`, wait until Flux has deleted the Secret. Then create the Secret in the cluster
    /// by hand, or let the controller use a workload identity.
    DecryptionCredentials, "decryption-credentials", Error, needs Text, Leak(95),
    "a plaintext credential that Flux uses to decrypt"
}

/// Variables by which the controller is given a token (Flux guide, and the SDKs behind sops).
const VARIABLES: [&str; 3] = ["VAULT_TOKEN", "AZURE_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY"];

const CONTROLLER: &str = "kustomize-controller";

const HELP: &str = "revoke it, then remove it from the repository and create the Secret in the cluster with kubectl; it stays in the history of every clone";

impl FileRule for DecryptionCredentials {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if subject.is_template {
            return;
        }
        let level = if subject.is_example() { Level::Warning } else { META.level };
        for judged in subject.documents {
            for secret in &judged.secrets {
                check_secret(judged, secret, level, drafts);
            }
            check_controller(judged, level, drafts);
            if traces::is_of_flux(subject.path()) {
                check_json_patch(judged, drafts);
            }
        }
    }
}

fn check_secret<'s>(
    judged: &Judged<'s>,
    secret: &Secret<'s, 's>,
    level: Level,
    drafts: &mut Drafts<'s>,
) {
    let spots = exposed(judged, secret).only(is_credential).into_spots();
    let Some(first) = spots.first() else { return };
    let message = format!(
        "{} has {} in plaintext ({})",
        secret.title(),
        count(spots.len(), "credential").replace("credential", "decryption credential"),
        listing(&spots, Spot::key_path)
    );
    let draft = Draft::new(&META, first.key_span, message)
        .level(level)
        .at_each(judged.document.index, spots.iter().map(Spot::key_path))
        .note("opens the secrets of the cluster")
        .help(HELP);
    drafts.push(draft.also_each(spots.iter().skip(1).map(|spot| spot.key_span), "this too"));
}

/// Returns true if a value at or below an entry of a Secret is a credential.
pub(super) fn is_credential(value: &SecretValue<'_, '_>, spot: &Spot<'_, '_>) -> bool {
    let Scalar::Str(text) = spot.scalar else { return false };
    let text = if value.field == "data" { decoded(text) } else { Cow::Borrowed(&**text) };
    opens_files(&value.entry.key, &text)
}

/// Returns true if the kustomize-controller would decrypt with the entry (`internal/decryptor`,
/// `ImportKeys`).
fn opens_files(key: &str, text: &str) -> bool {
    let is_whole = ["sops.vault-token", "sops.aws-kms", "sops.azure-kv", "sops.gcp-kms"];
    match key.rsplit_once('.') {
        _ if is_whole.contains(&key) => true,
        Some((_, "agekey")) => private_key::has_age_identity(text),
        Some((_, "asc")) => text.contains(private_key::PGP_LABEL),
        _ => false,
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    let base64: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64);
    bytes.map_or(Cow::Borrowed(text), |bytes| String::from_utf8_lossy(&bytes).into_owned().into())
}

/// A Deployment of the controller, or a kustomization that patches one.
fn check_controller<'s>(judged: &Judged<'s>, level: Level, drafts: &mut Drafts<'s>) {
    let root = &judged.document.root;
    let mut found = Vec::new();
    if is_controller(root) {
        variables(root, &mut found);
    }
    for patch in patches(root) {
        patch_variables(patch, &mut found);
    }
    let draft = |(span, name)| literal(judged, span, &format!("{name} of {CONTROLLER}"), level);
    drafts.extend(found.into_iter().map(draft));
}

/// The operations of a JSON patch (RFC 6902) in a file of its own: it may be for any controller.
fn check_json_patch<'s>(judged: &Judged<'s>, drafts: &mut Drafts<'s>) {
    let root = &judged.document.root;
    let path_of = |operation: &'s Node<'s>| operation.get("path").and_then(Node::as_str);
    let mut found = Vec::new();
    for operation in root.elements().filter(|operation| operation.get("op").is_some()) {
        if path_of(operation).is_some_and(|path| path.starts_with("/spec/template/")) {
            variables(operation, &mut found);
        }
    }
    let title = |name| format!("{name} in a JSON patch of a controller of Flux");
    let draft = |(span, name)| literal(judged, span, &title(name), Level::Warning);
    drafts.extend(found.into_iter().map(draft));
}

fn literal<'s>(judged: &Judged<'s>, span: Span, title: &str, level: Level) -> Draft<'s> {
    Draft::new(&META, span, format!("{title} has a literal value"))
        .level(level)
        .at(judged.document.index, judged.key_path(span))
        .note("opens the secrets of the cluster")
        .help("revoke it, and let the variable come from a Secret that is created in the cluster: `valueFrom.secretKeyRef`")
}

type Place = (Span, &'static str);

fn is_controller(root: &Node<'_>) -> bool {
    let name = root.get("metadata").and_then(|metadata| metadata.get("name"));
    root.get("kind").and_then(Node::as_str) == Some("Deployment")
        && name.and_then(Node::as_str) == Some(CONTROLLER)
}

/// The items of `patches` and `patchesStrategicMerge`, in a kustomization.
fn patches<'n, 't>(root: &'n Node<'t>) -> impl Iterator<Item = &'n Node<'t>> {
    ["patches", "patchesStrategicMerge", "patchesJson6902"]
        .into_iter()
        .filter_map(|field| root.get(field))
        .flat_map(Node::elements)
}

/// A patch is a text of YAML inside the YAML.
fn patch_variables(patch: &Node<'_>, found: &mut Vec<Place>) {
    let node = patch.get("patch").unwrap_or(patch);
    let Some(text) = node.as_str() else { return };
    let target = patch.get("target").and_then(|target| target.get("name")).and_then(Node::as_str);
    let is_target = target.is_some_and(|name| name.contains(CONTROLLER));
    for document in Yaml.parse(text).documents {
        if is_target || is_controller(&document.root) {
            let mut inside = Vec::new();
            variables(&document.root, &mut inside);
            // The places inside the text are none of the file.
            found.extend(inside.into_iter().map(|(_, name)| (node.span, name)));
        }
    }
}

/// All `{name: VAULT_TOKEN, value: ..}` below a node.
fn variables(node: &Node<'_>, found: &mut Vec<Place>) {
    let name = node.get("name").and_then(Node::as_str);
    if let Some(name) = VARIABLES.into_iter().find(|variable| name == Some(variable))
        && let Some(value) = node.get("value")
        && let Some(text) = value.as_str()
        && !text.is_empty()
        && classify(text, false) != Reference::Whole
        && !crate::sops::value::looks_encrypted(text)
    {
        found.push((value.span, name));
    }
    for entry in node.entries() {
        variables(&entry.node, found);
    }
    for element in node.elements() {
        variables(element, found);
    }
}
