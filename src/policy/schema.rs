//! The keys of a `.sops.yaml` that sops knows, level by level (`config/config.go`), and those that
//! have no meaning.
//!
//! sops unmarshals into structs and drops every other key without a word.

use std::collections::HashSet;

use crate::document::{Entry, FORMATS, Node};
use crate::keys::{KEY_SERVICES, KeyService};
use crate::text::Span;

/// A key that sops does not know in this place.
#[derive(Debug)]
pub struct UnknownKey {
    /// The key.
    pub span: Span,
    /// The key's text, cut where it is longer than any that could be meant.
    pub key: String,
    /// The thing that it is a key of: "a creation rule".
    pub place: &'static str,
    /// True if its value is one text.
    pub is_text: bool,
    /// The intended key, if it can be guessed.
    pub meant: Option<Meant>,
    /// The number of its creation rule.
    pub rule: Option<usize>,
}

/// The key that an unknown key was meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// This key of the same level.
    Key(&'static str),
    /// The same key, one level lower: in what this names.
    Deeper(&'static str),
}

/// One level of the file: what it is called, and the keys it has.
pub(super) struct Level {
    place: &'static str,
    pub(super) keys: &'static [&'static str],
    /// More keys: those that key services or formats name.
    listed: fn() -> Vec<&'static str>,
    /// Names from elsewhere (metadata, command line, older ideas) and what they are called here.
    other_names: &'static [(&'static str, &'static str)],
    /// The level whose keys people write here by mistake.
    deeper: Option<&'static Level>,
}

const TOP: Level = Level {
    place: "the top level",
    keys: &["creation_rules", "destination_rules", "stores"],
    listed: Vec::new,
    other_names: &[("rules", "creation_rules")],
    deeper: Some(&RULE),
};

const RULE: Level = Level {
    place: "a creation rule",
    keys: &[
        "path_regex",
        "aws_profile",
        "key_groups",
        "shamir_threshold",
        "unencrypted_suffix",
        "encrypted_suffix",
        "unencrypted_regex",
        "encrypted_regex",
        "unencrypted_comment_regex",
        "encrypted_comment_regex",
        "mac_only_encrypted",
    ],
    listed: || KEY_SERVICES.iter().map(|service| service.rule_field()).collect(),
    other_names: &[
        ("filename_regex", "path_regex"),
        ("file_regex", "path_regex"),
        ("regex", "path_regex"),
        ("path", "path_regex"),
        ("paths", "path_regex"),
        ("path_regexes", "path_regex"),
        ("file", "path_regex"),
        ("files", "path_regex"),
        ("filename", "path_regex"),
        ("glob", "path_regex"),
        ("azure_kv", "azure_keyvault"),
        ("azure_key_vault", "azure_keyvault"),
        ("azure_keyvault_url", "azure_keyvault"),
        ("azure_keyvault_urls", "azure_keyvault"),
        ("azure_keyvault_uri", "azure_keyvault"),
        ("azure_kv_url", "azure_keyvault"),
        ("hc_vault", "hc_vault_transit_uri"),
        ("hc_vault_uri", "hc_vault_transit_uri"),
        ("hc_vault_uris", "hc_vault_transit_uri"),
        ("hc_vault_transit", "hc_vault_transit_uri"),
        ("hc_vault_transit_uris", "hc_vault_transit_uri"),
        ("vault", "hc_vault_transit_uri"),
        ("vault_uri", "hc_vault_transit_uri"),
        ("gcp_kms_id", "gcp_kms"),
        ("gcp_kms_ids", "gcp_kms"),
        ("gcp_kms_resource_id", "gcp_kms"),
        ("gcp_kms_resource_ids", "gcp_kms"),
        ("aws_kms", "kms"),
        ("kms_arn", "kms"),
        ("kms_arns", "kms"),
        ("age_recipient", "age"),
        ("age_recipients", "age"),
        ("gpg", "pgp"),
        ("fp", "pgp"),
        ("pgp_fp", "pgp"),
        ("pgp_fingerprint", "pgp"),
        ("pgp_fingerprints", "pgp"),
        ("key_group", "key_groups"),
    ],
    deeper: None,
};

const GROUP: Level = Level {
    place: "a key group",
    keys: &["merge"],
    listed: || KEY_SERVICES.iter().map(|service| service.group_field()).collect(),
    other_names: &[
        ("azure_kv", "azure_keyvault"),
        ("azure_key_vault", "azure_keyvault"),
        ("hc_vault_transit_uri", "hc_vault"),
        ("hc_vault_transit", "hc_vault"),
        ("vault", "hc_vault"),
        ("aws_kms", "kms"),
        ("gpg", "pgp"),
    ],
    deeper: None,
};

/// Returns the level of an item of a key group, where it is a map.
fn item_of(service: &dyn KeyService) -> Level {
    Level {
        place: "an item of a key group",
        keys: service.item_fields(),
        listed: Vec::new,
        other_names: &[
            ("profile", "aws_profile"),
            ("encryption_context", "context"),
            ("name", "key"),
        ],
        deeper: None,
    }
}

pub(super) const DESTINATION: Level = Level {
    place: "a destination rule",
    keys: &[
        "path_regex",
        "s3_bucket",
        "s3_prefix",
        "gcs_bucket",
        "gcs_prefix",
        "vault_path",
        "vault_address",
        "vault_kv_mount_name",
        "vault_kv_version",
        "recreation_rule",
        "omit_extensions",
    ],
    listed: Vec::new,
    other_names: &[("reencryption_rule", "recreation_rule")],
    deeper: None,
};

const STORES: Level = Level {
    place: "stores",
    keys: &["json_binary"],
    listed: || FORMATS.iter().map(|format| format.name()).collect(),
    other_names: &[],
    deeper: None,
};

impl Level {
    /// Returns all keys that it has.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().copied().chain((self.listed)())
    }

    fn has(&self, key: &str) -> bool {
        self.names().any(|name| name == key)
    }
}

/// Bytes of a key beyond which it resembles nothing.
const LONGEST_KEY: usize = 80;

/// Characters of a value that are searched for an anchor. Aliases can repeat a value often.
const MOST_CHARACTERS: usize = 16 * 1024;

/// Returns the unknown keys of a config in file order, each place once. `text` is the whole file.
pub(super) fn unknown_keys(root: &Node<'_>, text: &str) -> Vec<UnknownKey> {
    let mut search = Search { text, rule: None, seen: HashSet::new(), found: Vec::new() };
    search.map(root, &TOP);
    for (index, rule) in items(root, "creation_rules").enumerate() {
        search.rule = Some(index + 1);
        search.creation_rule(rule);
    }
    search.rule = None;
    for destination in items(root, "destination_rules") {
        search.map(destination, &DESTINATION);
        if let Some(rule) = destination.get("recreation_rule") {
            search.creation_rule(rule);
        }
    }
    if let Some(stores) = root.get("stores") {
        search.map(stores, &STORES);
    }
    let mut found = search.found;
    found.sort_by_key(|unknown| unknown.span);
    // The keys of an alias occur in the file once.
    found.dedup_by_key(|unknown| unknown.span);
    found
}

fn items<'n, 't>(node: &'n Node<'t>, key: &str) -> impl Iterator<Item = &'n Node<'t>> {
    node.get(key).into_iter().flat_map(Node::elements)
}

struct Search<'t> {
    text: &'t str,
    rule: Option<usize>,
    /// Maps that were searched, and as what: aliases repeat them.
    seen: HashSet<(Span, &'static str)>,
    found: Vec<UnknownKey>,
}

impl Search<'_> {
    fn creation_rule(&mut self, rule: &Node<'_>) {
        self.map(rule, &RULE);
        for group in items(rule, "key_groups") {
            self.key_group(group);
        }
    }

    fn key_group(&mut self, group: &Node<'_>) {
        self.map(group, &GROUP);
        for merged in items(group, "merge") {
            self.key_group(merged);
        }
        for service in KEY_SERVICES {
            for item in items(group, service.group_field()) {
                self.item(*service, item);
            }
        }
    }

    fn item(&mut self, service: &dyn KeyService, item: &Node<'_>) {
        let level = item_of(service);
        if level.keys.is_empty() {
            return;
        }
        let before = self.found.len();
        self.map(item, &level);
        let mut found = self.found.split_off(before);
        if !found.is_empty() && service.parse_group_item(item).is_err() {
            // `invalid-recipient` reports the missing field, and so its misspelt name.
            let is_missing = |name: &str| item.get(name).is_none();
            found
                .retain(|unknown| !matches!(unknown.meant, Some(Meant::Key(it)) if is_missing(it)));
        }
        self.found.append(&mut found);
    }

    fn map(&mut self, node: &Node<'_>, level: &Level) {
        if !self.seen.insert((node.span, level.place)) {
            return;
        }
        for entry in node.entries() {
            let key = &*entry.key;
            if level.has(key) || self.is_on_purpose(entry) {
                continue;
            }
            self.found.push(UnknownKey {
                span: entry.key_span,
                key: key.chars().take(LONGEST_KEY).collect(),
                place: level.place,
                is_text: entry.node.as_str().is_some(),
                meant: meant(key, level),
                rule: self.rule,
            });
        }
    }

    /// Reports whether a key is a place for the anchors of others, or a note to people.
    fn is_on_purpose(&self, entry: &Entry<'_>) -> bool {
        let key = &*entry.key;
        if key == "keys" || key.starts_with("x-") || key.starts_with(['.', '_']) || key == "<<" {
            return true;
        }
        // A tree has no anchors, so the text has to tell.
        let end = entry.node.span.end.max(entry.key_span.end).min(self.text.len());
        let source = self.text.get(entry.key_span.end.min(end)..end).unwrap_or_default();
        let mut before = ' ';
        let mut characters = source.chars().take(MOST_CHARACTERS);
        while let Some(character) = characters.next() {
            let begins_word = before.is_whitespace() || matches!(before, '[' | '{' | ',');
            let is_named = characters.clone().next().is_some_and(|next| !next.is_whitespace());
            if character == '&' && begins_word && is_named {
                return true;
            }
            before = character;
        }
        false
    }
}

/// Returns the key that an unknown key was meant to be.
fn meant(key: &str, level: &Level) -> Option<Meant> {
    if key.len() > LONGEST_KEY {
        return None;
    }
    let plain = plain(key);
    let mut named = level.other_names.iter().filter(|(other, _)| self::plain(other) == plain);
    if let Some((_, name)) = named.find(|(_, name)| level.has(name)) {
        return Some(Meant::Key(name));
    }
    if let Some(name) = level.names().find(|name| self::plain(name) == plain) {
        return Some(Meant::Key(name));
    }
    // A rule's key that was not indented, or is next to the rules.
    if let Some(deeper) = level.deeper.filter(|deeper| deeper.has(key)) {
        return Some(Meant::Deeper(deeper.place));
    }
    let close = level.names().map(|name| (strsim::osa_distance(&plain, &self::plain(name)), name));
    let (slips, name) = close.min()?;
    // Short names are close to everything.
    let most = if plain.len() >= 7 { 2 } else { usize::from(plain.len() >= 4) };
    (slips <= most).then_some(Meant::Key(name))
}

/// `encryptedRegex` and `encrypted-regex` differ from `encrypted_regex` by their spelling alone.
fn plain(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, yaml::Yaml};

    #[test]
    fn knows_what_was_meant() {
        let in_rule = |key| meant(key, &RULE);
        for key in ["encrypted-regex", "encryptedRegex", "encrypted_regexx", "encryted_regex"] {
            assert_eq!(in_rule(key), Some(Meant::Key("encrypted_regex")), "{key}");
        }
        for key in ["path_rexeg", "filename_regex", "pathregex", "path_regx"] {
            assert_eq!(in_rule(key), Some(Meant::Key("path_regex")), "{key}");
        }
        assert_eq!(in_rule("hc_vault"), Some(Meant::Key("hc_vault_transit_uri")));
        assert_eq!(in_rule("azure_kv"), Some(Meant::Key("azure_keyvault")));
        for (key, name) in [
            ("path", "path_regex"),
            ("paths", "path_regex"),
            ("hc_vault_uris", "hc_vault_transit_uri"),
            ("gcp_kms_ids", "gcp_kms"),
            ("azure_keyvault_url", "azure_keyvault"),
        ] {
            assert_eq!(in_rule(key), Some(Meant::Key(name)), "{key}");
        }
        assert_eq!(meant("hc_vault_transit_uri", &GROUP), Some(Meant::Key("hc_vault")));
        assert_eq!(meant("age", &TOP), Some(Meant::Deeper("a creation rule")));
        for key in ["input_type", "name", "description", "note", "env"] {
            assert_eq!(in_rule(key), None, "{key}");
        }
    }

    #[test]
    fn the_fields_of_every_service_are_known() {
        for service in KEY_SERVICES {
            let (rule, group) = (service.rule_field(), service.group_field());
            let fields = service.item_fields().iter().map(|field| format!("{field}: x"));
            let item = fields.collect::<Vec<_>>().join(", ");
            let text = format!(
                "creation_rules:\n  - {rule}: x\n    key_groups:\n      - {group}: [{{{item}}}]\n"
            );
            let parsed = Yaml.parse(&text);
            let found = unknown_keys(&parsed.documents[0].root, &text);
            assert!(found.is_empty(), "{service:?}: {found:?}");
        }
    }

    #[test]
    fn the_names_of_every_format_are_keys_of_stores() {
        assert!(FORMATS.iter().all(|format| STORES.has(format.name())));
    }

    #[test]
    fn an_item_has_the_keys_of_its_service() {
        let found = |item: &str| {
            let text = format!("creation_rules: [{{key_groups: [{{{item}}}]}}]");
            let parsed = Yaml.parse(&text);
            let found = unknown_keys(&parsed.documents[0].root, &text);
            found.into_iter().map(|unknown| (unknown.key, unknown.meant)).collect::<Vec<_>>()
        };
        let arn = "arn: 'arn:aws:kms:eu-west-1:123456789012:key/1'";
        let profile = ("profile".to_owned(), Some(Meant::Key("aws_profile")));
        assert_eq!(found(&format!("kms: [{{{arn}, profile: x}}]")), [profile]);
        let name = || ("name".to_owned(), None);
        assert_eq!(found(&format!("kms: [{{{arn}, name: x}}]")), [name()]);
        let missing = "azure_keyvault: [{vault_url: 'https://v.vault.azure.net', name: x}]";
        assert_eq!(found(missing), [], "invalid-recipient reports these");
        assert_eq!(found("age: [{recipient: x}]"), [], "and that an item is no text");
        let key = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
        assert_eq!(found(&format!("gcp_kms: [{{resource_id: {key}, name: x}}]")), [name()]);
    }
}
