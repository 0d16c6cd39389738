//! The Secrets of a document, and the values in them.

use super::object::text;
use crate::document::{Document, Entry, Node};
use crate::sops::value::looks_encrypted;
use crate::text::printable::clean;

/// A `v1/Secret`: a whole document, or an item of a list.
#[derive(Debug)]
pub struct Secret<'d, 't> {
    /// The map that is the Secret.
    pub node: &'d Node<'t>,
    /// `metadata.namespace`, where it is text.
    pub namespace: Option<&'d str>,
    /// `metadata.name`, where it is text.
    pub name: Option<&'d str>,
    /// True if its values are texts that sops encrypted, each a whole file, for an operator to
    /// decrypt. In other Secrets the values themselves are encrypted.
    pub holds_files: bool,
}

/// One value of a Secret.
#[derive(Clone, Copy, Debug)]
pub struct SecretValue<'d, 't> {
    /// `data` or `stringData`.
    pub field: &'static str,
    /// The key under it, with the value. Some tools nest maps here; each leaf counts.
    pub entry: &'d Entry<'t>,
}

/// The fields that hold values.
pub const VALUE_FIELDS: [&str; 2] = ["data", "stringData"];

impl<'d, 't> Secret<'d, 't> {
    fn new(node: &'d Node<'t>) -> Option<Self> {
        let (kind, version) = (text(node, "kind")?, text(node, "apiVersion")?);
        let is_secret = kind == "Secret" && version == "v1";
        // Encrypted whole; no other kind has `stringData`.
        let is_hidden = looks_encrypted(kind) && looks_encrypted(version);
        if !(is_secret || is_hidden && node.get("stringData").is_some()) {
            return None;
        }
        Some(Self::of(node))
    }

    fn of(node: &'d Node<'t>) -> Self {
        let metadata = node.get("metadata");
        let plain = |key| {
            metadata.and_then(|metadata| text(metadata, key)).filter(|name| !looks_encrypted(name))
        };
        let (name, namespace) = (plain("name"), plain("namespace"));
        Self { node, namespace, name, holds_files: false }
    }

    /// Returns `namespace/name`, as far as they are known.
    pub fn title(&self) -> String {
        match (self.namespace, self.name) {
            (Some(namespace), Some(name)) => format!("Secret {}/{}", clean(namespace), clean(name)),
            (None, Some(name)) => format!("Secret {}", clean(name)),
            (_, None) => "a Secret without a name".to_owned(),
        }
    }

    /// Returns the entries of `data` and `stringData` in file order.
    pub fn values(&self) -> impl Iterator<Item = SecretValue<'d, 't>> {
        let node = self.node;
        node.entries()
            .filter_map(|entry| {
                let field = VALUE_FIELDS.into_iter().find(|field| *field == entry.key)?;
                Some(entry.node.entries().map(move |entry| SecretValue { field, entry }))
            })
            .flatten()
    }

    /// Reports whether it is a patch that deletes a Secret.
    pub fn is_deletion(&self) -> bool {
        text(self.node, "$patch") == Some("delete")
    }
}

/// Returns the Secrets of a document: itself, the items of a `v1/List` or `v1/SecretList`, or what
/// an operator makes Secrets of.
pub fn secrets<'d, 't>(document: &'d Document<'t>) -> Vec<Secret<'d, 't>> {
    let root = &document.root;
    let items = || root.get("items").into_iter().flat_map(Node::elements);
    match text(root, "kind") {
        Some("List") => return items().filter_map(Secret::new).collect(),
        // Its items need not say their kind.
        Some("SecretList") => return items().map(Secret::of).collect(),
        _ => {}
    }
    if text(root, "kind") == Some("SopsSecret") {
        return if text(root, "apiVersion").is_some_and(|version| version.starts_with(CRAFTYPATH)) {
            of_files(root).into_iter().collect()
        } else {
            templates(root).collect()
        };
    }
    Secret::new(root).into_iter().collect()
}

/// The API group of the operator whose `SopsSecret` keeps encrypted files.
const CRAFTYPATH: &str = "craftypath.github.io/";

/// Returns the `SopsSecret` of craftypath: `spec` holds the values, `metadata` the name.
fn of_files<'d, 't>(root: &'d Node<'t>) -> Option<Secret<'d, 't>> {
    let node = root.get("spec")?;
    Some(Secret { node, holds_files: true, ..Secret::of(root) })
}

/// `spec.secretTemplates` of a `SopsSecret` (`isindir.github.com`), or its `spec.secrets`
/// (`addons.projectcapsule.dev`).
fn templates<'d, 't>(root: &'d Node<'t>) -> impl Iterator<Item = Secret<'d, 't>> {
    let spec = root.get("spec");
    let templates = ["secretTemplates", "secrets"].map(|key| spec.and_then(|spec| spec.get(key)));
    templates.into_iter().flatten().flat_map(Node::elements).map(|node| Secret {
        node,
        namespace: None,
        name: text(node, "name"),
        holds_files: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, yaml::Yaml};

    fn titles(text: &str) -> Vec<String> {
        let parsed = Yaml.parse(text);
        parsed.documents.iter().flat_map(secrets).map(|secret| secret.title()).collect()
    }

    #[test]
    fn finds_secrets_of_every_shape() {
        assert_eq!(titles("{apiVersion: v1, kind: Secret, metadata: {name: a}}"), ["Secret a"]);
        assert_eq!(
            titles("apiVersion: v1\nkind: \"Secret\" # yes\nmetadata: {name: a, namespace: b}\n"),
            ["Secret b/a"]
        );
        let list =
            "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Secret}\n- {kind: Pod}\n";
        assert_eq!(titles(list), ["a Secret without a name"]);
        assert_eq!(titles("kind: SealedSecret\napiVersion: bitnami.com/v1alpha1\n"), [""; 0]);
        assert_eq!(titles("kind: Secret\nname: not-a-manifest\n"), [""; 0]);
        let of_craftypath = "{apiVersion: craftypath.github.io/v1alpha1, kind: SopsSecret, metadata: {name: a}, spec: {stringData: {}}}";
        assert_eq!(titles(of_craftypath), ["Secret a"]);
    }
}
