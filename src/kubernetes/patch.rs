//! JSON patches that set values of a Secret (RFC 6902).

use base64::Engine;

use super::object::{entry, field, text};
use super::secret::VALUE_FIELDS;
use crate::document::{Entry, Node};
use crate::text::Span;

/// The objects that a patch changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Secrets, perhaps among others.
    Secret,
    /// No Secret.
    Other,
    /// The patch does not name a kind.
    Unknown,
}

/// A value that an operation sets.
#[derive(Debug)]
pub struct PatchedValue<'d, 't> {
    /// `data` or `stringData`.
    pub field: &'static str,
    /// The key `value` of the operation.
    pub key_span: Span,
    /// The value. A map sets several values.
    pub node: &'d Node<'t>,
}

impl Target {
    /// Reads the `target` of a patch of kustomize. Its kind is a regular expression.
    pub fn of(patch: &Node<'_>) -> Self {
        match field(patch, "target").and_then(|target| text(target, "kind")) {
            None => Self::Unknown,
            Some(kind) if kind.contains("Secret") || kind.contains(['.', '*', '[']) => Self::Secret,
            Some(_) => Self::Other,
        }
    }
}

/// Returns the values that a list of operations sets in `data` and `stringData`. `target`: the objects that
/// it changes; without a kind, the value must look like one of a Secret.
pub fn patched_values<'d, 't>(list: &'d Node<'t>, target: Target) -> Vec<PatchedValue<'d, 't>> {
    let target = if changed_kind(list).is_some() { Target::Secret } else { target };
    let values = list.elements().filter_map(|operation| {
        let is_set = matches!(text(operation, "op"), Some("add" | "replace" | "test"));
        let path = text(operation, "path").filter(|_| is_set)?.strip_prefix('/')?;
        let name = path.split('/').next().unwrap_or_default();
        let field_name = VALUE_FIELDS.into_iter().find(|field| *field == name)?;
        let Entry { key_span, node, .. } = entry(operation, "value")?;
        Some(PatchedValue { field: field_name, key_span: *key_span, node })
    });
    values
        .filter(|value| match target {
            Target::Secret => true,
            Target::Other => false,
            Target::Unknown => value.field == "stringData" || holds_base64(value.node),
        })
        .collect()
}

/// Returns the values that a strategic merge sets in `data` and `stringData`. Its own kind does not count if it
/// has a target. Without one, only Secrets have `stringData`, and a real Secret is not a patch.
pub fn merged_values<'d, 't>(root: &'d Node<'t>, target: Target) -> Vec<PatchedValue<'d, 't>> {
    let fields = VALUE_FIELDS.into_iter().filter_map(|field| {
        let Entry { key_span, node, .. } = entry(root, field)?;
        Some(PatchedValue { field, key_span: *key_span, node })
    });
    let has_metadata = field(root, "metadata").is_some();
    let is_secret = |value: &PatchedValue<'_, '_>| {
        let is_other = text(root, "kind").is_some_and(|kind| kind != "Secret");
        let is_likely = is_other && value.field == "stringData";
        target == Target::Secret || (target == Target::Unknown && is_likely)
    };
    fields.filter(|value| has_metadata && value.node.is_map() && is_secret(value)).collect()
}

/// Returns the value that a `ValueAddTransformer` of kustomize adds to Secrets.
pub fn added_value<'d, 't>(root: &'d Node<'t>) -> Option<PatchedValue<'d, 't>> {
    let is_it = text(root, "kind") == Some("ValueAddTransformer");
    let Entry { key_span, node, .. } = entry(root, "value").filter(|_| is_it)?;
    let paths = field(root, "targets")?.elements().filter_map(|target| text(target, "fieldPath"));
    let mut fields = paths.map(|path| path.split(['/', '.']).next().unwrap_or_default());
    let field = fields.find_map(|name| VALUE_FIELDS.into_iter().find(|field| *field == name))?;
    Some(PatchedValue { field, key_span: *key_span, node })
}

/// Returns the value of the operation that turns another object into a Secret.
pub fn changed_kind<'d, 't>(list: &'d Node<'t>) -> Option<&'d Entry<'t>> {
    let values = list.elements().filter_map(|operation| {
        let is_set = matches!(text(operation, "op"), Some("add" | "replace"));
        let value = entry(operation, "value").filter(|_| is_set)?;
        (text(operation, "path") == Some("/kind")).then_some(value)
    });
    values.filter(|value| value.node.as_str() == Some("Secret")).last()
}

/// Returns true if a value, or one of a map, is text in base64. A `ConfigMap` has plain text in `data`.
fn holds_base64(node: &Node<'_>) -> bool {
    const SHORTEST: usize = 8;
    let decoded = node
        .as_str()
        .filter(|text| text.len() >= SHORTEST)
        .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    let is_text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).is_ok_and(|text| !text.contains(char::is_control))
    };
    decoded.is_some_and(is_text) || node.entries().any(|entry| holds_base64(&entry.node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, yaml::Yaml};

    fn fields(text: &str, target: Target) -> Vec<&'static str> {
        let parsed = Yaml.parse(text);
        let values = patched_values(&parsed.documents[0].root, target);
        values.into_iter().map(|value| value.field).collect()
    }

    #[test]
    fn finds_the_values_that_operations_set() {
        let text = "[{op: add, path: /stringData/a, value: b}, {op: replace, path: /data, value: {a: YQ==}}, {op: remove, path: /data/c}, {op: add, path: /metadata/labels, value: {}}]";
        assert_eq!(fields(text, Target::Secret), ["stringData", "data"]);
        assert_eq!(fields(text, Target::Unknown), ["stringData"]);
        assert_eq!(fields(text, Target::Other), [""; 0]);
        let kind =
            "[{op: replace, path: /kind, value: Secret}, {op: add, path: /data/a, value: b}]";
        assert_eq!(fields(kind, Target::Other), ["data"]);
        let encoded = "[{op: add, path: /data/a, value: aHVudGVyMg==}]";
        assert_eq!(fields(encoded, Target::Unknown), ["data"]);
    }

    #[test]
    fn a_merge_sets_values_whatever_its_kind_is() {
        let merged = |text: &str, target| {
            let parsed = Yaml.parse(text);
            let values = merged_values(&parsed.documents[0].root, target);
            values.into_iter().map(|value| value.field).collect::<Vec<_>>()
        };
        let text = "{kind: Foo, metadata: {}, data: {a: b}, stringData: {c: d}}";
        assert_eq!(merged(text, Target::Secret), ["data", "stringData"]);
        assert_eq!(merged(text, Target::Unknown), ["stringData"]);
        assert_eq!(merged(text, Target::Other), [""; 0]);
        assert_eq!(merged("{stringData: {c: d}}", Target::Secret), [""; 0]);
        let added =
            |text: &str| added_value(&Yaml.parse(text).documents[0].root).map(|it| it.field);
        let text = "{kind: ValueAddTransformer, value: x, targets: [{fieldPath: stringData/a}]}";
        assert_eq!(added(text), Some("stringData"));
        assert_eq!(added(&text.replace("stringData", "spec")), None);
    }

    #[test]
    fn reads_the_kind_of_a_target() {
        let target = |text: &str| Target::of(&Yaml.parse(text).documents[0].root);
        assert_eq!(target("{target: {kind: Secret}}"), Target::Secret);
        assert_eq!(target("{target: {kind: Secret|ConfigMap}}"), Target::Secret);
        assert_eq!(target("{target: {kind: .*}}"), Target::Secret);
        assert_eq!(target("{target: {kind: ConfigMap}}"), Target::Other);
        assert_eq!(target("{target: {name: a}}"), Target::Unknown);
        assert_eq!(target("{}"), Target::Unknown);
    }
}
