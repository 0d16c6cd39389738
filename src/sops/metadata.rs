//! The `sops` block of an encrypted file (`stores/stores.go`, `Metadata`), flat or in key groups.

use super::block::{entry_of, is_metadata, threshold, unfold};
use super::fields::{day_of, is_bare, is_first_version, is_rfc3339, is_version};
use super::problem::Problem;
use super::recipe::{Invalid, KeyGroup, Recipe, Threshold};
use super::selector::{FIELDS, Selector};
use super::value::EncValue;
use crate::document::{Document, Entry, Node, Scalar, Shape, Value};
use crate::keys::{KEY_SERVICES, KeyService, Recipient};
use crate::text::Span;

/// Length of a MAC: SHA-512 in hexadecimal digits.
const MAC_LENGTH: usize = 128;

/// Maximum stanzas of a file whose data keys are searched for their public keys.
const MAX_ADDRESSED: usize = 1000;

/// The `sops` block of a document.
#[derive(Debug)]
pub struct Metadata {
    /// The key `sops`.
    pub span: Span,
    /// Recipients, threshold, selector and MAC mode.
    pub recipe: Recipe,
    /// True if it sets several selectors, so that the covered values are unknown.
    pub is_ambiguous: bool,
    /// The day, counted from 1970-01-01, of the oldest stanza, and the place of its time. age stanzas have
    /// no time.
    pub oldest_stanza: Option<(u32, Span)>,
    /// Stanzas whose encrypted data key names its public keys: those of PGP.
    pub addressed: Vec<Addressed>,
    /// Reasons for which sops or Flux would refuse the block.
    pub problems: Vec<Problem>,
}

/// The recipient of a stanza, and the public keys that its data key is encrypted to.
#[derive(Clone, Debug)]
pub struct Addressed {
    /// The recipient and its place.
    pub recipient: Recipient,
    /// Key ids or fingerprints, mostly of subkeys. Empty if the data key hides or lacks them.
    pub keys: Vec<String>,
    /// The day, counted from 1970-01-01, on which the data key was encrypted.
    pub day: Option<u32>,
}

/// The value of the top-level key `sops` of a document.
#[derive(Debug)]
pub enum Found {
    /// No such key, or null.
    Nothing,
    /// No metadata: text, or a map without fields of sops. The span is the key's. A values file may have
    /// such a key; sops refuses the file.
    Unrelated(Span),
    /// Metadata, valid or not.
    Metadata(Box<Metadata>),
}

/// Reports whether a document has metadata, and reads nothing of it.
pub fn exists(document: &Document<'_>) -> bool {
    let unfolded = unfold(document);
    let own = || entry_of(&document.root).filter(|_| document.shape == Shape::Nested);
    let entry = unfolded.as_ref().map(|unfolded| &unfolded.entry).or_else(own);
    entry.is_some_and(|entry| is_metadata(&entry.node))
}

/// Looks for the metadata of a document.
pub fn find(document: &Document<'_>) -> Found {
    let root = &document.root;
    let unfolded = unfold(document);
    let (entry, problems) = match (&unfolded, entry_of(root)) {
        (Some(unfolded), _) => (&unfolded.entry, &unfolded.problems[..]),
        (None, Some(entry)) if document.shape == Shape::Nested => (entry, &[][..]),
        (None, _) => return Found::Nothing,
    };
    if !is_metadata(&entry.node) {
        // Single lines do not count as metadata: any variable may be called sops_something.
        let is_key = document.shape != Shape::Lines;
        return if is_key { Found::Unrelated(entry.key_span) } else { Found::Nothing };
    }
    Found::Metadata(Box::new(read(entry, document, problems)))
}

fn read(entry: &Entry<'_>, document: &Document<'_>, problems: &[Problem]) -> Metadata {
    let problems = problems.to_vec();
    let mut reader = Reader {
        key: entry.key_span,
        block: &entry.node,
        text: document.text,
        shape: document.shape,
        oldest_stanza: None,
        addressed: Vec::new(),
        problems,
    };
    let flat = reader.group(&entry.node);
    let grouped = reader.key_groups();
    // sops reads the groups only if all flat lists are empty.
    let key_groups = if flat.is_empty() { grouped } else { vec![flat] };
    if key_groups.iter().all(KeyGroup::is_empty) {
        reader.problem(entry.key_span, "names no recipient, so the file cannot be decrypted");
    }
    let threshold = reader.threshold(key_groups.len());
    let (selector, is_ambiguous) = reader.selector();
    let mac_only_encrypted = reader.mac_only_encrypted();
    reader.misfits(&entry.node);
    reader.lastmodified();
    reader.version();
    reader.mac();
    let recipe = Recipe { key_groups, threshold, selector, mac_only_encrypted };
    let Reader { oldest_stanza, addressed, problems, .. } = reader;
    Metadata { span: entry.key_span, recipe, is_ambiguous, oldest_stanza, addressed, problems }
}

struct Reader<'b, 't> {
    key: Span,
    block: &'b Node<'t>,
    text: &'b str,
    shape: Shape,
    oldest_stanza: Option<(u32, Span)>,
    addressed: Vec<Addressed>,
    problems: Vec<Problem>,
}

impl Reader<'_, '_> {
    fn problem(&mut self, span: Span, reason: impl Into<String>) {
        self.problems.push(Problem { span, reason: reason.into() });
    }

    /// Reads the recipients from the lists in `map`: the block itself, or one of its key groups.
    fn group(&mut self, map: &Node<'_>) -> KeyGroup {
        let mut group = KeyGroup::default();
        for service in KEY_SERVICES {
            let field = service.metadata_field();
            let Some(entry) = map.entry(field).filter(|entry| !entry.node.is_null()) else {
                continue;
            };
            if !entry.node.is_list() {
                let noun = entry.node.noun();
                self.problem(
                    entry.key_span,
                    format!("has {noun} under `{field}` where a list is expected"),
                );
                continue;
            }
            for stanza in entry.node.elements() {
                self.stanza(*service, stanza, &mut group);
            }
        }
        group
    }

    fn stanza(
        &mut self,
        service: &'static dyn KeyService,
        stanza: &Node<'_>,
        group: &mut KeyGroup,
    ) {
        let field = service.metadata_field();
        if !stanza.is_map() {
            let reason = format!("has {} in `{field}` where a map is expected", stanza.noun());
            return self.problem(stanza.span, reason);
        }
        let span = stanza.get(service.label_field()).map_or(stanza.span, |label| label.span);
        let created = stanza.get("created_at").and_then(|node| Some((day_of(node)?, node.span)));
        match service.parse_stanza(stanza) {
            Ok(identity) => {
                let recipient = Recipient { service, identity, span };
                let enc = stanza.get("enc").and_then(Node::as_str);
                let enc = enc.filter(|_| self.addressed.len() < MAX_ADDRESSED);
                if let Some(keys) = enc.and_then(|enc| service.addressees(enc)) {
                    let (recipient, day) = (recipient.clone(), created.map(|(day, _)| day));
                    self.addressed.push(Addressed { recipient, keys, day });
                }
                group.recipients.push(recipient);
            }
            Err(error) => group.invalid.push(Invalid { service, span, error }),
        }
        self.oldest_stanza = self.oldest_stanza.into_iter().chain(created).min();
        // sops requires it.
        if service.dates_stanzas() && !stanza.get("created_at").is_some_and(is_rfc3339) {
            self.problem(
                span,
                format!("has a stanza in `{field}` without a valid `created_at` time"),
            );
        }
        if stanza.get("enc").and_then(Node::as_str).is_none_or(str::is_empty) {
            self.problem(
                span,
                format!("has a stanza in `{field}` without its encrypted data key, `enc`"),
            );
        }
    }

    fn key_groups(&mut self) -> Vec<KeyGroup> {
        let Some(entry) = self.block.entry("key_groups") else { return Vec::new() };
        if !entry.node.is_list() {
            if !entry.node.is_null() {
                self.problem(entry.key_span, "has `key_groups` that are not a list");
            }
            return Vec::new();
        }
        // Go drops a null from a list of structs.
        let groups = entry.node.elements().filter(|group| !group.is_null());
        groups.map(|group| self.group(group)).collect()
    }

    fn threshold(&mut self, groups: usize) -> Option<Threshold> {
        let entry = self.block.entry("shamir_threshold")?;
        let is_text = self.shape == Shape::Nested && entry.node.as_str().is_some();
        let number = threshold(Some(&entry.node)).filter(|_| !is_text);
        match number {
            None if entry.node.is_null() => {}
            None => self.problem(entry.key_span, "has a `shamir_threshold` that is not a number"),
            Some(number) if groups > 1 && number > groups => {
                let reason = format!("asks for {number} of only {groups} key groups");
                self.problem(entry.key_span, reason);
            }
            Some(_) => {}
        }
        number.map(|groups| Threshold { groups, span: entry.node.span })
    }

    /// Reads a boolean. In formats with text only, `true` is true and everything else is false.
    fn mac_only_encrypted(&mut self) -> bool {
        let Some(entry) = self.block.entry("mac_only_encrypted") else { return false };
        match &entry.node.value {
            Value::Scalar(Scalar::Bool(is_set)) => *is_set,
            Value::Scalar(Scalar::Null) => false,
            Value::Scalar(Scalar::Str(text)) if self.shape != Shape::Nested => text == "true",
            _ => {
                let reason = "has a `mac_only_encrypted` that is neither true nor false";
                self.problem(entry.key_span, reason);
                false
            }
        }
    }

    /// Reads the selector, and reports whether there are others.
    fn selector(&mut self) -> (Selector, bool) {
        let mut found: Vec<Selector> = Vec::new();
        for field in FIELDS {
            let Some(entry) = self.block.entry(field.name()) else { continue };
            let node = &entry.node;
            match node.as_str() {
                Some("") => {}
                Some(text) => found.push(Selector::new(field, text, node.span)),
                None if node.is_null() => {}
                // sops reads `1.50` as its source text. The digits of the number may be others.
                None if is_bare(entry) => {
                    let text = self.text[node.span.start..node.span.end].trim_matches(['"', '\'']);
                    found.push(Selector::new(field, text, node.span));
                }
                None => {
                    self.problem(node.span, format!("has a `{}` that is not text", field.name()));
                }
            }
        }
        if let [first, second, ..] = &found[..] {
            let reason = format!(
                "sets both `{}` and `{}`; sops accepts only one selector",
                first.field.name(),
                second.field.name()
            );
            let span = second.span.unwrap_or(self.key);
            self.problem(span, reason);
        }
        let is_ambiguous = found.len() > 1;
        (found.into_iter().next().unwrap_or_default(), is_ambiguous)
    }

    /// Finds values that do not fit their tag. In the data, sops reads them as null; in the block, it fails.
    fn misfits(&mut self, node: &Node<'_>) {
        match &node.value {
            Value::Scalar(Scalar::Misfit) => {
                self.problem(node.span, "has a value that does not fit the tag before it");
            }
            Value::Scalar(_) => {}
            Value::Map(_) => node.entries().for_each(|entry| self.misfits(&entry.node)),
            Value::List(_) => node.elements().for_each(|element| self.misfits(element)),
        }
    }

    fn lastmodified(&mut self) {
        match self.block.entry("lastmodified") {
            None => self.problem(self.key, "has no `lastmodified` time"),
            Some(entry) if is_rfc3339(&entry.node) => {}
            Some(entry) => {
                self.problem(entry.key_span, "has a `lastmodified` that is not an RFC 3339 time");
            }
        }
    }

    fn version(&mut self) {
        match self.block.entry("version") {
            None => self.problem(self.key, "has no `version`"),
            Some(entry) if entry.node.as_str().is_some_and(is_version) => {}
            // Old versions wrote `1.14`.
            Some(entry) if is_bare(entry) && is_first_version(&entry.node) => {}
            Some(entry) => self.problem(entry.key_span, "has a `version` that sops cannot read"),
        }
    }

    /// Checks the MAC. Without one, Flux treats the document as unencrypted.
    fn mac(&mut self) {
        let Some(entry) = self.block.entry("mac") else {
            return self.problem(self.key, "has no `mac`");
        };
        let Some(text) = entry.node.as_str().filter(|text| !text.is_empty()) else {
            return self.problem(entry.key_span, "has an empty `mac`");
        };
        match EncValue::parse(text) {
            Ok(value) if value.kind == "str" && value.length == MAC_LENGTH => {}
            Ok(_) => self.problem(entry.key_span, "has a `mac` of the wrong length or type"),
            Err(error) => self.problem(entry.key_span, format!("has a `mac` that {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, dotenv::Dotenv, ini::Ini, yaml::Yaml};
    use crate::sops::flat::MAP_STEP;

    fn problems(text: &str) -> Vec<String> {
        let parsed = Yaml.parse(text);
        match find(&parsed.documents[0]) {
            Found::Metadata(metadata) => {
                metadata.problems.into_iter().map(|problem| problem.reason).collect()
            }
            Found::Unrelated(_) => vec!["unrelated".into()],
            Found::Nothing => vec!["nothing".into()],
        }
    }

    #[test]
    fn a_key_named_sops_is_not_always_metadata() {
        assert_eq!(problems("a: 1\n"), ["nothing"]);
        assert_eq!(problems("sops:\n"), ["nothing"]);
        assert_eq!(problems("sops: {}\n"), ["unrelated"]);
        assert_eq!(problems("sops: hello\n"), ["unrelated"]);
        assert_eq!(problems("sops:\n  enabled: true\n  version: 1\n"), ["unrelated"]);
    }

    #[test]
    fn says_all_that_is_wrong_at_once() {
        let found = problems("sops:\n  kms: []\n  lastmodified: yesterday\n  version: x\n");
        assert_eq!(
            found,
            [
                "names no recipient, so the file cannot be decrypted",
                "has a `lastmodified` that is not an RFC 3339 time",
                "has a `version` that sops cannot read",
                "has no `mac`",
            ]
        );
    }

    #[test]
    fn a_text_is_no_number_and_no_boolean_where_there_are_such() {
        let found = |line| problems(&format!("sops:\n  mac: x\n  {line}\n"));
        for bad in ["shamir_threshold: '2'", "mac_only_encrypted: 'true'", "mac_only_encrypted: 1"]
        {
            let field = bad.split(':').next().expect("a key");
            let names = |reason: &String| reason.contains(field);
            assert!(found(bad).iter().any(names), "{bad}");
        }
        for good in ["shamir_threshold: 2", "shamir_threshold: 2.0", "mac_only_encrypted: true"] {
            let field = good.split(':').next().expect("a key");
            assert!(!found(good).iter().any(|reason| reason.contains(field)), "{good}");
        }
    }

    #[test]
    fn reads_times_and_versions_as_sops_does() {
        assert!(is_version("3.11.0") && is_version("3.9.0-rc.1") && !is_version("3.9"));
        assert!(is_version("v3.8.1") && is_version("1.13") && !is_version("0.9"));
        let time = |text| problems(&format!("sops:\n  lastmodified: {text}\n"));
        for good in
            ["\"2026-11-22T07:08:50Z\"", "2026-11-22T07:08:50Z", "'2026-11-22T08:08:50+01:00'"]
        {
            assert!(!time(good).iter().any(|reason| reason.contains("lastmodified")), "{good}");
        }
        for bad in ["\"2026-11-22\"", "'2026-11-22 07:08:50Z'", "1700000000"] {
            assert!(time(bad).iter().any(|reason| reason.contains("lastmodified")), "{bad}");
        }
    }

    const MAC: &str = "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]";

    fn problems_in(format: &dyn Format, text: &str) -> Vec<String> {
        match find(&format.parse(text).documents[0]) {
            Found::Metadata(metadata) => {
                metadata.problems.into_iter().map(|problem| problem.reason).collect()
            }
            Found::Unrelated(_) => vec!["unrelated".into()],
            Found::Nothing => vec!["nothing".into()],
        }
    }

    #[test]
    fn says_what_does_not_fit_together() {
        let has = |text: &str, reason: &str| {
            let found = problems_in(&Dotenv, &format!("sops_mac={MAC}\n{text}"));
            assert!(found.iter().any(|problem| problem.contains(reason)), "{text}: {found:?}");
        };
        has("sops_age__list_999999999__map_recipient=a", "lacks some");
        has("sops_age__list_99999999999999999999__map_enc=a\nsops_age__list_1=b", "lacks some");
        has("sops_version=1\nsops_version=2", "duplicate");
        has("sops_age=1\nsops_age__list_0__map_enc=2", "at once");
        has(&format!("sops_a{}=1", MAP_STEP.repeat(50_000)), "deeper");
        has("sops_shamir_threshold=ten", "not a number");
        let twice = problems_in(&Ini, &format!("[sops]\nmac={MAC}\n[a]\nb=c\n[sops]\n"));
        assert!(twice.iter().any(|problem| problem.contains("two sections")), "{twice:?}");
        let crlf = problems_in(
            &Dotenv,
            "sops_lastmodified=2026-11-22T07:08:50Z\r\nsops_version=3.11.0\r\n",
        );
        assert_eq!(crlf.iter().filter(|problem| problem.contains("CRLF")).count(), 1);
        assert!(!crlf.iter().any(|problem| problem.contains("version")), "{crlf:?}");
    }

    #[test]
    fn what_is_called_sops_is_not_always_metadata() {
        assert_eq!(problems_in(&Dotenv, "sops_path=/usr/bin/sops\n"), ["nothing"]);
        assert_eq!(problems_in(&Dotenv, "sops=1\n"), ["nothing"]);
        assert_eq!(problems_in(&Ini, "[a]\nb=1\n"), ["nothing"]);
        assert_eq!(problems_in(&Ini, "[sops]\npath=/usr/bin/sops\n"), ["unrelated"]);
        assert_eq!(problems_in(&Ini, "sops = 1\n"), ["nothing"]);
    }
}
