//! Readers of recipients that the services share: for flat fields, stanzas, and items of key groups.

use super::identity::InvalidRecipient;
use crate::document::Node;
use crate::private_key;

/// Splits a flat field as sops does (`config/config.go`, `parseKeyField`): at commas, trimmed, without
/// empty pieces. Returns each piece with its offset in `text`.
pub fn split_flat(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split(',').filter_map(move |piece| {
        let start = offset + (piece.len() - piece.trim_start().len());
        offset += piece.len() + 1;
        let piece = piece.trim();
        (!piece.is_empty()).then_some((start, piece))
    })
}

/// Refuses what no service accepts: a variable, an empty text, a private key.
pub(super) fn screen(text: &str) -> Result<(), InvalidRecipient> {
    if has_placeholder(text.trim_start()) {
        return Err(placeholder());
    }
    if text.trim().is_empty() {
        return Err(InvalidRecipient::new("is empty", "write the recipient, or remove the item"));
    }
    if private_key::is_hinted_at(text) {
        return Err(InvalidRecipient::new(
            "is a PRIVATE key in the place of a public recipient",
            "remove it, make a new key pair, and rotate every file that this key opens",
        ));
    }
    Ok(())
}

/// Reports whether a text contains a variable that another tool fills in: `${X}`, `$X`, `{{ x }}`, `<x>`.
fn has_placeholder(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.starts_with(['$', '<'])
}

/// Returns the error for a text that is still a template.
fn placeholder() -> InvalidRecipient {
    InvalidRecipient {
        reason: "still contains a variable that no tool has filled in".into(),
        help: "write the recipient itself; sops does not expand variables",
        is_placeholder: true,
    }
}

/// Returns the error for an item that is not text.
pub(super) fn not_text(node: &Node<'_>) -> InvalidRecipient {
    InvalidRecipient::new(
        format!("is {} where text is expected", node.noun()),
        "write the recipient as text, in quotes if it looks like a number",
    )
}

/// Returns a text field of a stanza or group item. `None` if it is missing, null or empty.
pub(super) fn field<'n>(map: &'n Node<'_>, name: &str) -> Option<&'n str> {
    map.get(name).and_then(Node::as_str).filter(|text| !text.is_empty())
}

/// Returns a required text field.
pub(super) fn required<'n>(
    map: &'n Node<'_>,
    name: &'static str,
) -> Result<&'n str, InvalidRecipient> {
    field(map, name).ok_or_else(|| {
        InvalidRecipient::new(
            format!("has no text under `{name}`"),
            "restore the stanza from a good copy",
        )
    })
}

/// Returns a required text field of a key group's item, which must be a map.
pub(super) fn required_in_group<'n>(
    item: &'n Node<'_>,
    name: &'static str,
) -> Result<&'n str, InvalidRecipient> {
    if !item.is_map() {
        return Err(InvalidRecipient::new(
            format!("is {} where a map with `{name}` is expected", item.noun()),
            "write the key's fields as a map; in a key group only age, pgp and hc_vault are text",
        ));
    }
    field(item, name).ok_or_else(|| {
        InvalidRecipient::new(format!("has no text under `{name}`"), "add the field to the item")
    })
}

/// Returns the only document of a YAML text, for the tests of the services.
#[cfg(test)]
pub(super) fn node(text: &str) -> Node<'_> {
    use crate::document::{Format, yaml};
    yaml::Yaml.parse(text).documents.remove(0).root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_fields_are_cut_at_commas() {
        let pieces: Vec<_> = split_flat(" a,\n b ,,c,").collect();
        assert_eq!(pieces, [(1, "a"), (5, "b"), (9, "c")]);
    }
}
