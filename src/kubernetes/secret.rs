//! The Secrets of a document, and the values in them.

use std::collections::HashSet;

use super::object::{entries, entry, field, is_merge_key, later_text, text};
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
    /// Reads a map of this type, if it is a Secret.
    fn new(node: &'d Node<'t>, TypeMeta { kind, version }: TypeMeta<'d>) -> Option<Self> {
        let is_secret = kind == "Secret" && version == "v1";
        // Encrypted whole; no other kind has `stringData`.
        let is_hidden = looks_encrypted(kind) && looks_encrypted(version);
        if !(is_secret || is_hidden && node.get("stringData").is_some()) {
            return None;
        }
        Some(Self::of(node))
    }

    fn of(node: &'d Node<'t>) -> Self {
        let metadata = field(node, "metadata");
        // The name of a template is a placeholder.
        let is_plain = |name: &&str| !looks_encrypted(name) && !name.starts_with('<');
        let plain = |key| metadata.and_then(|metadata| text(metadata, key)).filter(is_plain);
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
        let mut fields: Vec<_> = VALUE_FIELDS
            .iter()
            .filter_map(|field| Some((*field, entry(self.node, field)?)))
            .collect();
        fields.sort_by_key(|(_, entry)| entry.key_span);
        fields.into_iter().flat_map(|(field, entry)| {
            entries(&entry.node).into_iter().map(move |entry| SecretValue { field, entry })
        })
    }

    /// Returns true for a patch that deletes a Secret.
    pub fn is_deletion(&self) -> bool {
        text(self.node, "$patch") == Some("delete")
    }
}

/// The kind and the version of an object.
#[derive(Clone, Copy)]
struct TypeMeta<'d> {
    kind: &'d str,
    version: &'d str,
}

impl<'d> TypeMeta<'d> {
    fn of(node: &'d Node<'_>) -> Option<Self> {
        // For kubectl, a merge key replaces the entries before it; for kustomize, it does not.
        let by_merge = || later_text(node, "kind").filter(|kind| *kind == "Secret");
        let kind = by_merge().or_else(|| text(node, "kind"))?;
        Some(Self { kind, version: text(node, "apiVersion")? })
    }

    /// Returns the type that the items of a list have if they name neither kind nor version.
    fn of_items(self) -> Option<Self> {
        Some(Self { kind: self.kind.strip_suffix("List")?, version: self.version })
    }
}

/// Returns the Secrets of a document: the document itself, the items of lists, also of one at the root (Argo CD
/// takes that of jsonnet), manifests in any field of other objects, and what an operator makes Secrets of.
pub fn secrets<'d, 't>(document: &'d Document<'t>) -> Vec<Secret<'d, 't>> {
    let mut found = Vec::new();
    if !document.is_shallow() {
        collect(&document.root, None, &mut found);
    }
    // An alias repeats what has a finding at its anchor.
    let mut seen = HashSet::new();
    found.retain(|secret| seen.insert(secret.node.span));
    found
}

/// Collects the Secrets at a node and below it. Parsing limits the depth of the tree.
fn collect<'d, 't>(
    node: &'d Node<'t>,
    default: Option<TypeMeta<'d>>,
    found: &mut Vec<Secret<'d, 't>>,
) {
    let own = TypeMeta::of(node);
    if let Some(TypeMeta { version, .. }) = own.filter(|own| own.kind == "SopsSecret") {
        if version.starts_with(CRAFTYPATH) {
            found.extend(of_files(node));
        } else {
            found.extend(templates(node));
        }
        return;
    }
    // Its Secrets are examples and defaults in a schema.
    if own.is_some_and(|own| own.kind == "CustomResourceDefinition") {
        return;
    }
    let has_type = || ["kind", "apiVersion"].iter().any(|key| field(node, key).is_some());
    let default = default.filter(|_| own.is_none() && !has_type());
    let secret = own.or(default).and_then(|own| Secret::new(node, own));
    let is_secret = secret.is_some();
    found.extend(secret);
    let items = own.and_then(TypeMeta::of_items);
    for entry in node.entries() {
        let is_value = is_secret && VALUE_FIELDS.contains(&&*entry.key);
        if is_value || is_merge_key(entry) {
            continue;
        }
        if entry.node.is_map() {
            collect(&entry.node, None, found);
        }
        let default = items.filter(|_| entry.key == "items");
        entry.node.elements().for_each(|element| collect(element, default, found));
    }
    // Lists in lists.
    node.elements().for_each(|element| collect(element, None, found));
}

/// The API group of the operator whose `SopsSecret` keeps encrypted files.
const CRAFTYPATH: &str = "craftypath.github.io/";

/// Returns the `SopsSecret` of craftypath: `spec` holds the values, `metadata` the name.
fn of_files<'d, 't>(root: &'d Node<'t>) -> Option<Secret<'d, 't>> {
    let node = field(root, "spec")?;
    Some(Secret { node, holds_files: true, ..Secret::of(root) })
}

/// Returns `spec.secretTemplates` of a `SopsSecret` (`isindir.github.com`), or its `spec.secrets`
/// (`addons.projectcapsule.dev`).
fn templates<'d, 't>(root: &'d Node<'t>) -> impl Iterator<Item = Secret<'d, 't>> {
    let spec = field(root, "spec");
    let templates =
        ["secretTemplates", "secrets"].map(|key| spec.and_then(|spec| field(spec, key)));
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
        let kind = "apiVersion: v1\nkind: Pod\n<<: {kind: Secret}\n";
        assert_eq!(titles(kind), ["a Secret without a name"]);
        assert_eq!(titles("apiVersion: v1\n<<: {kind: Secret}\nkind: Pod\n"), [""; 0]);
        let of_craftypath = "{apiVersion: craftypath.github.io/v1alpha1, kind: SopsSecret, metadata: {name: a}, spec: {stringData: {}}}";
        assert_eq!(titles(of_craftypath), ["Secret a"]);
    }
}
