//! The bytes of a `.sops.yaml` that may be shown. Closed by default: known keys are, and those of
//! their values that are understood. Everything else may be a secret in the wrong file.

use super::merge::merged;
use super::names::Names;
use super::schema::DESTINATION;
use crate::document::yaml::Yaml;
use crate::document::{Element, Entry, Format, Member, Node, Parsed, Scalar, Value};
use crate::keys::{KEY_SERVICES, KeyService, split_flat};
use crate::sops::selector::FIELDS;
use crate::text::Span;

/// A file without any of these is no config, but a file of secrets that was given its name.
const WORDS: [&str; 3] = ["creation_rule", "destination_rule", "path_regex"];

/// The parts of a config that may be shown. Both lists are sorted and have no duplicates.
#[derive(Debug, Default)]
pub struct Shown {
    /// Keys and values that may be shown; nothing of a file that is not understood.
    pub open: Vec<Span>,
    /// All values and comments; only punctuation is between them.
    pub closed: Vec<Span>,
}

impl Shown {
    /// Reads a text; returns `None` if it is no config.
    pub fn read(text: &str) -> Option<Self> {
        is_config(text).then(|| {
            let parsed = Yaml.parse(text);
            let root = parsed.documents.first().map(|first| merged(first.root.clone(), text));
            let of = |root| Self::of(text, &parsed, &root, &Names::of(text, &root));
            root.map(of).unwrap_or_default()
        })
    }

    /// Reads a config. `root` is its first document, with its merge keys followed; `names`: the names of its
    /// recipients, which are no secrets.
    pub(super) fn of(text: &str, parsed: &Parsed<'_>, root: &Node<'_>, names: &Names) -> Self {
        let mut shown = Self::default();
        if parsed.error.is_some() || !is_config(text) {
            return shown;
        }
        for document in &parsed.documents {
            shown.close(&document.root);
        }
        shown.top(root);
        shown.open.extend(&names.spans);
        for spans in [&mut shown.open, &mut shown.closed] {
            spans.sort_unstable();
            spans.dedup();
        }
        shown
    }

    fn close(&mut self, node: &Node<'_>) {
        match &node.value {
            Value::Scalar(_) => self.closed.push(node.span),
            Value::Map(members) => {
                for member in members {
                    match member {
                        Member::Comment(comment) => self.closed.push(comment.span),
                        Member::Entry(entry) => {
                            self.closed.push(entry.key_span);
                            self.close(&entry.node);
                        }
                    }
                }
            }
            Value::List(elements) => {
                for element in elements {
                    match element {
                        Element::Comment(comment) => self.closed.push(comment.span),
                        Element::Node(node) => self.close(node),
                    }
                }
            }
        }
    }

    fn top(&mut self, root: &Node<'_>) {
        self.keys(root);
        for entry in root.entries() {
            match &*entry.key {
                "creation_rules" => entry.node.elements().for_each(|rule| self.rule(rule)),
                "destination_rules" => {
                    entry.node.elements().for_each(|rule| self.destination(rule));
                }
                "stores" => self.stores(&entry.node),
                _ => {}
            }
        }
    }

    fn rule(&mut self, rule: &Node<'_>) {
        self.keys(rule);
        for entry in rule.entries() {
            let key = &*entry.key;
            let service = KEY_SERVICES.iter().find(|service| service.rule_field() == key);
            if let Some(service) = service {
                self.recipients(*service, &entry.node);
            } else if key == "key_groups" {
                entry.node.elements().for_each(|group| self.group(group));
            } else if is_understood(entry) {
                self.open.push(entry.node.span);
            }
        }
    }

    fn group(&mut self, group: &Node<'_>) {
        self.keys(group);
        for entry in group.entries() {
            let key = &*entry.key;
            if key == "merge" {
                entry.node.elements().for_each(|merged| self.group(merged));
            } else if let Some(service) =
                KEY_SERVICES.iter().find(|service| service.group_field() == key)
            {
                self.recipients(*service, &entry.node);
            }
        }
    }

    /// Opens the recipients in a text, a map, or a list of them.
    fn recipients(&mut self, service: &dyn KeyService, node: &Node<'_>) {
        node.elements().for_each(|item| self.recipients(service, item));
        if let Some(text) = node.as_str() {
            let is_verbatim = node.span.len() == text.len();
            let is_recipient = |piece| service.parse(piece).is_ok();
            if split_flat(text).all(|(_, piece)| is_recipient(piece)) {
                self.open.push(node.span);
            } else if is_verbatim {
                let found = split_flat(text).filter(|(_, piece)| is_recipient(piece));
                let start = node.span.start;
                self.open.extend(
                    found.map(|(at, piece)| Span::new(start + at, start + at + piece.len())),
                );
            }
        } else if node.is_map() {
            self.keys(node);
            let is_recipient = service.parse_group_item(node).is_ok();
            for entry in node.entries().filter(|_| is_recipient) {
                if service.item_fields().contains(&&*entry.key) {
                    self.text(&entry.node);
                }
            }
        }
    }

    fn destination(&mut self, destination: &Node<'_>) {
        self.keys(destination);
        for entry in destination.entries() {
            if entry.key == "recreation_rule" {
                self.rule(&entry.node);
            } else if DESTINATION.keys.contains(&&*entry.key) {
                self.text(&entry.node);
            }
        }
    }

    fn stores(&mut self, stores: &Node<'_>) {
        self.keys(stores);
        let settings = stores.entries().flat_map(|store| store.node.entries());
        for indent in settings.filter(|entry| entry.key == "indent") {
            self.open.push(indent.key_span);
            if matches!(indent.node.value, Value::Scalar(Scalar::Int(_))) {
                self.open.push(indent.node.span);
            }
        }
    }

    /// Opens the keys of a map that sops reads, unknown ones too: messages name them.
    fn keys(&mut self, map: &Node<'_>) {
        self.open.extend(map.entries().map(|entry| entry.key_span));
    }

    fn text(&mut self, node: &Node<'_>) {
        let is_short = matches!(node.value, Value::Scalar(Scalar::Bool(_) | Scalar::Int(_)));
        if is_short || node.as_str().is_some() {
            self.open.push(node.span);
        }
    }
}

fn is_config(text: &str) -> bool {
    WORDS.iter().any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// Reports whether a field of a rule, other than those of recipients, holds what belongs there.
fn is_understood(entry: &Entry<'_>) -> bool {
    let key = &*entry.key;
    match &entry.node.value {
        Value::Scalar(Scalar::Str(_)) => {
            matches!(key, "path_regex" | "aws_profile")
                || FIELDS.iter().any(|field| field.name() == key)
        }
        Value::Scalar(Scalar::Int(_)) => key == "shamir_threshold",
        Value::Scalar(Scalar::Bool(_)) => key == "mac_only_encrypted",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_a_key_group_is_shown_with_the_fields_of_its_service() {
        for (group, item) in [
            ("kms", "arn: 'arn:aws:kms:eu-west-1:123456789012:key/1', aws_profile: p"),
            ("gcp_kms", "resource_id: projects/p/locations/l/keyRings/r/cryptoKeys/k"),
            ("hckms", "key_id: 'tr-west-1:12345678-aaaa-bbbb-cccc-1234567890ab'"),
            ("azure_keyvault", "vaultUrl: 'https://v.vault.azure.net', key: k, version: v"),
        ] {
            let item = format!("{item}, other: canary");
            let text = format!("creation_rules: [{{key_groups: [{{{group}: [{{{item}}}]}}]}}]");
            let shown = Shown::read(&text).expect("a config");
            let closed = shown.closed.iter().filter(|span| !shown.open.contains(span));
            let closed: Vec<&str> = closed.map(|span| &text[span.start..span.end]).collect();
            assert_eq!(closed, ["canary"], "{group}");
        }
    }
}
