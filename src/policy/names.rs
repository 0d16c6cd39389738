//! The names that people give to recipients in a `.sops.yaml`: an anchor, `&bob age1..`, or a comment to
//! the right of the recipient.
//!
//! Everything else in a comment stays hidden. A text that could be a secret is not a name.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::label;
use crate::document::{Node, Value};
use crate::keys::{Identity, KEY_SERVICES, KeyService, Recipient, split_flat};
use crate::text::Span;

/// Maximum names of one recipient that a message has.
const MAX_NAMES: usize = 2;

/// The names of recipients in one config.
#[derive(Debug, Default)]
pub struct Names {
    /// The different names of a recipient, in file order, by its service and id.
    by_recipient: HashMap<(&'static str, String), Vec<String>>,
    /// The number of recipients that have a name, in lower case.
    owners: HashMap<String, usize>,
    /// The places of the names: anchors with their sign, and comments.
    pub(super) spans: Vec<Span>,
}

impl Names {
    /// Collects the names in a config. `root`: its first document.
    pub(super) fn of(text: &str, root: &Node<'_>) -> Self {
        let mut search = Search { text, seen: HashSet::new(), names: Self::default() };
        search.node(root);
        let mut names = search.names;
        for owned in names.by_recipient.values() {
            for name in owned {
                *names.owners.entry(name.to_lowercase()).or_default() += 1;
            }
        }
        names
    }

    /// Returns the name of a recipient. If it has several, they are joined: none of them is more right.
    pub fn name(&self, recipient: &Recipient) -> Option<Cow<'_, str>> {
        let names = self.by_recipient.get(&key(recipient.service, &recipient.identity.id))?;
        match names.as_slice() {
            [] => None,
            [one] => Some(one.into()),
            many => Some(many[..many.len().min(MAX_NAMES)].join(" or ").into()),
        }
    }

    /// Returns the recipient for a message: `bob (age1qx7..w98c)`, or its whole id if it has no name. If
    /// others have the same name, the id is whole too.
    pub fn show(&self, recipient: &Recipient) -> String {
        let Some(name) = self.name(recipient) else { return recipient.to_string() };
        let is_unique = |name: &String| self.owners.get(&name.to_lowercase()) == Some(&1);
        let names = self.by_recipient.get(&key(recipient.service, &recipient.identity.id));
        if names.is_some_and(|names| names.iter().all(is_unique)) {
            return format!("{name} ({})", recipient.short());
        }
        format!("{name} ({recipient})")
    }
}

fn key(service: &'static dyn KeyService, id: &str) -> (&'static str, String) {
    (service.metadata_field(), id.to_owned())
}

struct Search<'t> {
    text: &'t str,
    /// The values that were searched: aliases repeat them.
    seen: HashSet<Span>,
    names: Names,
}

impl Search<'_> {
    fn node(&mut self, node: &Node<'_>) {
        if !self.seen.insert(node.span) {
            return;
        }
        match &node.value {
            Value::Scalar(_) => self.scalar(node),
            Value::Map(_) => {
                self.item(node);
                node.entries().for_each(|entry| self.node(&entry.node));
            }
            Value::List(_) => node.elements().for_each(|element| self.node(element)),
        }
    }

    /// Adds the name beside a text that is one recipient.
    fn scalar(&mut self, node: &Node<'_>) {
        let Some(text) = node.as_str() else { return };
        let mut pieces = split_flat(text);
        let (Some((_, piece)), None) = (pieces.next(), pieces.next()) else { return };
        let spans = spans_beside(self.text, node.span, node.span);
        self.add(&spans, |service| service.parse(piece).ok());
    }

    /// Adds the name beside the first line of a map that is one recipient.
    fn item(&mut self, node: &Node<'_>) {
        let Some(first) = node.entries().next() else { return };
        let spans = spans_beside(self.text, node.span, first.node.span);
        self.add(&spans, |service| {
            let is_own = service.item_fields().contains(&&*first.key);
            service.parse_group_item(node).ok().filter(|_| is_own)
        });
    }

    /// Adds the first text of `spans` that is a name, if `parse` reads a recipient. All that are names may
    /// be shown.
    fn add(&mut self, spans: &[Span], parse: impl Fn(&dyn KeyService) -> Option<Identity>) {
        let named =
            spans.iter().filter_map(|span| Some((label::of(within(self.text, *span)?)?, *span)));
        let named: Vec<(String, Span)> = named.collect();
        let Some((name, _)) = named.first() else { return };
        for service in KEY_SERVICES {
            let Some(identity) = parse(*service) else { continue };
            let names = self.names.by_recipient.entry(key(*service, &identity.id)).or_default();
            let is_new = |known: &String| known.to_lowercase() != name.to_lowercase();
            if names.len() < MAX_NAMES && names.iter().all(is_new) {
                names.push(name.clone());
            }
            self.names.spans.extend(named.iter().map(|(_, span)| *span));
        }
    }
}

fn within(text: &str, span: Span) -> Option<&str> {
    text.get(span.start..span.end)
}

/// Returns the anchor of a value and the comment behind `line`, a part of it.
fn spans_beside(text: &str, value: Span, line: Span) -> Vec<Span> {
    anchor_before(text, value.start).into_iter().chain(comment_behind(text, line)).collect()
}

/// Returns the anchor right before a value, with its sign.
fn anchor_before(text: &str, at: usize) -> Option<Span> {
    let before = text.get(..at)?.trim_end();
    let start =
        before.rfind(|c: char| c.is_whitespace() || "[{,".contains(c)).map_or(0, |it| it + 1);
    before[start..].starts_with('&').then(|| Span::new(start, before.len()))
}

/// Returns the comment in the line of a value, if nothing else is in the line. A value that others follow
/// has none, since a line can have thousands.
fn comment_behind(text: &str, value: Span) -> Option<Span> {
    let behind = text.get(value.end..)?;
    let is_closing = |c: char| c != '\n' && (c.is_whitespace() || "]},".contains(c));
    let comment = behind.trim_start_matches(is_closing);
    let at = behind.len() - comment.len();
    if !comment.starts_with('#') || !behind[..at].ends_with([' ', '\t']) {
        return None;
    }
    let comment = comment.lines().next()?.trim_end();
    let line_start = text.get(..value.start)?.rfind('\n').map_or(0, |at| at + 1);
    let (before, own) = (text.get(line_start..value.start)?, within(text, value)?);
    let is_alone = !before.contains(',') && !own.contains('\n');
    is_alone.then(|| Span::new(value.end + at, value.end + at + comment.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, yaml::Yaml};

    const ALICE: &str = "age1dredkct08d4pdx2ksvtdx2qtnwf5ark0eu8dwka3ea5txlyqruvqjmlmyh";
    const BOB: &str = "age109prj5m9ava98z7x5fztkh99mla7j9w9crjge4t94pgj2ysefanss0qwhv";
    const PGP: &str = "FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4";

    /// Returns the names and ids of a config, sorted, and the texts that may be shown for them.
    fn names(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let parsed = Yaml.parse(text);
        let names = Names::of(text, &parsed.documents[0].root);
        let mut found: Vec<_> = names.by_recipient.iter().collect();
        found.sort();
        let found = found.into_iter().map(|((_, id), names)| (names.join("|"), id.clone()));
        let shown = names.spans.iter().map(|span| text[span.start..span.end].to_owned());
        (found.collect(), shown.collect())
    }

    #[test]
    fn anchors_and_comments_beside_a_recipient_are_its_names() {
        let one = |name: &str, id: &str| (name.to_owned(), id.to_owned());
        for text in [
            format!("keys:\n  - &bob {BOB}\n"),
            format!("keys: [&bob {BOB}]\n"),
            format!("keys:\n  - {BOB} # bob\n"),
            format!("keys:\n  - '{BOB}'   # bob\r\n"),
            format!("keys: [\n  {BOB}, # bob\n]\n"),
            format!("age: {BOB} # bob"),
            format!("- age: &bob {BOB}\n- age: *bob\n"),
            format!("keys:\n  - &bob {BOB}  # Bob\n"),
        ] {
            assert_eq!(names(&text).0, [one("bob", BOB)], "{text}");
        }
        let text = format!("keys:\n  - &ci {PGP}\n  - {ALICE} # alice\n  - {BOB} # bob\n");
        let expected = [one("ci", PGP), one("bob", BOB), one("alice", ALICE)];
        let (mut found, shown) = names(&text);
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(
            (found, shown),
            (expected, ["&ci", "# alice", "# bob"].map(str::to_owned).into())
        );
    }

    #[test]
    fn other_comments_are_no_names() {
        for text in [
            format!("age: {ALICE},{BOB} # team\n"),
            format!("age: [{ALICE}, {BOB}] # team\n"),
            format!("age: &team {ALICE},{BOB}\n"),
            format!("# bob\nage: {BOB}\n"),
            format!("age: # bob\n  - {BOB}\n"),
            "keys:\n  - &token hunter2 # bob\n".to_owned(),
            format!("age: >-\n  {BOB}\n# bob\n"),
            format!("age: {BOB} # password: hunter2\n"),
        ] {
            assert_eq!(names(&text), (vec![], vec![]), "{text}");
        }
    }

    #[test]
    fn a_recipient_with_two_names_has_both_and_a_shared_name_gets_the_whole_id() {
        let text = format!(
            "creation_rules:\n  - age: {BOB} # bob\n  - age: {BOB} # robert\n  - age: {ALICE} # CI\n  - pgp: {PGP} # ci\n"
        );
        let config = crate::policy::config::Config::read(".sops.yaml".into(), text.into());
        let shown = config.rules.iter().flat_map(|rule| rule.recipe.recipients());
        let shown: Vec<String> = shown.map(|one| config.names.show(one)).collect();
        let bob = "bob or robert (age109p..qwhv)".to_owned();
        assert_eq!(shown, [bob.clone(), bob, format!("CI ({ALICE})"), format!("ci ({PGP})")]);
    }
}
