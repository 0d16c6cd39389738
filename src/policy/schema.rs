//! The keys of a `.sops.yaml` that sops knows, level by level (`config/config.go`), and those that
//! have no meaning.
//!
//! sops unmarshals into structs and drops every other key without a word.

use std::collections::HashSet;

use crate::document::{Entry, Node};
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
    /// Names from elsewhere (metadata, command line, older ideas) and what they are called here.
    other_names: &'static [(&'static str, &'static str)],
    /// The level whose keys people write here by mistake.
    deeper: Option<&'static Level>,
}

const TOP: Level = Level {
    place: "the top level",
    keys: &["creation_rules", "destination_rules", "stores"],
    other_names: &[("rules", "creation_rules")],
    deeper: Some(&RULE),
};

const RULE: Level = Level {
    place: "a creation rule",
    keys: &[
        "path_regex",
        "age",
        "pgp",
        "kms",
        "gcp_kms",
        "hckms",
        "azure_keyvault",
        "hc_vault_transit_uri",
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
    other_names: &[
        ("filename_regex", "path_regex"),
        ("file_regex", "path_regex"),
        ("regex", "path_regex"),
        ("azure_kv", "azure_keyvault"),
        ("azure_key_vault", "azure_keyvault"),
        ("hc_vault", "hc_vault_transit_uri"),
        ("hc_vault_transit", "hc_vault_transit_uri"),
        ("hc_vault_transit_uris", "hc_vault_transit_uri"),
        ("vault", "hc_vault_transit_uri"),
        ("aws_kms", "kms"),
        ("gpg", "pgp"),
        ("fp", "pgp"),
        ("key_group", "key_groups"),
    ],
    deeper: None,
};

const GROUP: Level = Level {
    place: "a key group",
    keys: &["merge", "age", "pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault"],
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

pub(super) const KMS_KEY: Level = Level {
    place: "a KMS key",
    keys: &["arn", "role", "context", "aws_profile"],
    other_names: &[("profile", "aws_profile"), ("encryption_context", "context")],
    deeper: None,
};

pub(super) const AZURE_KEY: Level = Level {
    place: "an Azure key",
    keys: &["vaultUrl", "key", "version"],
    other_names: &[("name", "key")],
    deeper: None,
};

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
    other_names: &[("reencryption_rule", "recreation_rule")],
    deeper: None,
};

const STORES: Level = Level {
    place: "stores",
    keys: &["yaml", "json", "json_binary", "dotenv", "ini"],
    other_names: &[],
    deeper: None,
};

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
        for key in items(group, "kms") {
            self.map(key, &KMS_KEY);
        }
        for key in items(group, "azure_keyvault") {
            self.map(key, &AZURE_KEY);
        }
    }

    fn map(&mut self, node: &Node<'_>, level: &Level) {
        if !self.seen.insert((node.span, level.place)) {
            return;
        }
        for entry in node.entries() {
            let key = &*entry.key;
            if level.keys.contains(&key) || self.is_on_purpose(entry) {
                continue;
            }
            let meant = meant(key, level);
            // Without one of these there is no recipient, and `invalid-recipient` says so.
            if matches!(meant, Some(Meant::Key("arn" | "vaultUrl" | "key"))) {
                continue;
            }
            self.found.push(UnknownKey {
                span: entry.key_span,
                key: key.chars().take(LONGEST_KEY).collect(),
                place: level.place,
                meant,
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
    let named = level.other_names.iter().find(|(other, _)| self::plain(other) == plain);
    if let Some((_, name)) = named {
        return Some(Meant::Key(name));
    }
    if let Some(name) = level.keys.iter().find(|name| self::plain(name) == plain) {
        return Some(Meant::Key(name));
    }
    // A rule's key that was not indented, or is next to the rules.
    if let Some(deeper) = level.deeper.filter(|deeper| deeper.keys.contains(&key)) {
        return Some(Meant::Deeper(deeper.place));
    }
    let close =
        level.keys.iter().map(|name| (strsim::osa_distance(&plain, &self::plain(name)), name));
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
        assert_eq!(meant("hc_vault_transit_uri", &GROUP), Some(Meant::Key("hc_vault")));
        assert_eq!(meant("vault_url", &AZURE_KEY), Some(Meant::Key("vaultUrl")));
        assert_eq!(meant("age", &TOP), Some(Meant::Deeper("a creation rule")));
        for key in ["input_type", "name", "description", "note", "env"] {
            assert_eq!(in_rule(key), None, "{key}");
        }
    }
}
