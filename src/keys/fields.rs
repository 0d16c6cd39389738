//! What the services share when they read recipients: flat fields, stanzas, and items of key groups.

use super::identity::InvalidRecipient;
use crate::document::Node;
use crate::private_key;

/// The pieces of a flat field as sops cuts them (`config/config.go`, `parseKeyField`): at commas,
/// trimmed, empty ones dropped. Each with its offset in `text`.
pub fn split_flat(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split(',').filter_map(move |piece| {
        let start = offset + (piece.len() - piece.trim_start().len());
        offset += piece.len() + 1;
        let piece = piece.trim();
        (!piece.is_empty()).then_some((start, piece))
    })
}

/// What every service refuses before it looks closer: a variable, nothing at all, a private key.
pub(super) fn screen(text: &str) -> Result<(), InvalidRecipient> {
    if has_placeholder(text.trim_start()) {
        return Err(placeholder());
    }
    if text.trim().is_empty() {
        return Err(InvalidRecipient::new("is empty", "write the recipient, or remove the item"));
    }
    if private_key::is_hinted_at(text) {
        return Err(InvalidRecipient::new(
            "is a PRIVATE key where a public recipient belongs",
            "remove it, make a new key pair, and rotate every file that this key opens",
        ));
    }
    Ok(())
}

/// Reports whether a text holds a variable that some other tool fills in: `${X}`, `$X`, `{{ x }}`, `<x>`.
fn has_placeholder(text: &str) -> bool {
    text.contains("${") || text.contains("{{") || text.starts_with(['$', '<'])
}

/// The error for a text that is still a template.
fn placeholder() -> InvalidRecipient {
    InvalidRecipient {
        reason: "still holds a variable that nobody has filled in".into(),
        help: "write the recipient itself; sops does not expand variables",
        is_placeholder: true,
    }
}

/// The error for an item that is no text.
pub(super) fn not_text(node: &Node<'_>) -> InvalidRecipient {
    InvalidRecipient::new(
        format!("is {} where text is expected", node.noun()),
        "write the recipient as text, in quotes if it looks like a number",
    )
}

/// A text field of a stanza or group item; absent, null and empty are `None`.
pub(super) fn field<'n>(map: &'n Node<'_>, name: &str) -> Option<&'n str> {
    map.get(name).and_then(Node::as_str).filter(|text| !text.is_empty())
}

/// A text field that has to be there.
pub(super) fn required<'n>(
    map: &'n Node<'_>,
    name: &'static str,
) -> Result<&'n str, InvalidRecipient> {
    field(map, name).ok_or_else(|| {
        InvalidRecipient::new(
            format!("has no text under `{name}`"),
            "restore the stanza from a good copy, or run `sops updatekeys`",
        )
    })
}

/// A text field of a key group's item, which has to be a map that has it.
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

/// The only document of a YAML text, for the tests of the services.
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
