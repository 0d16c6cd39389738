//! Reads the values of a settings file and collects its mistakes.

use crate::document::{Entry, Node, Scalar, Value};
use crate::finding::{Level, RuleId};
use crate::pattern::globs::{self, Globs};
use crate::rules;
use crate::sops::walk::is_name;
use crate::text::words::nearest;
use crate::text::{Span, printable};

/// A mistake in a settings file.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place.
    pub span: Span,
    /// One sentence without a full stop.
    pub message: String,
    /// A short label for the place.
    pub note: &'static str,
    /// The next step.
    pub help: String,
}

/// The maximum number of problems that are reported for one file.
const MAX_PROBLEMS: usize = 50;
/// The maximum number of globs in one file. Each takes time and memory to compile.
const MAX_GLOBS: usize = 5000;

/// The collected problems of one file.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The first problems, up to the maximum.
    pub(super) problems: Vec<Problem>,
    /// The number of problems.
    pub(super) complaints: usize,
    /// The number of globs.
    globs: usize,
}

impl Reader {
    pub(super) fn complain(
        &mut self,
        span: Span,
        message: impl Into<String>,
        note: &'static str,
        help: impl Into<String>,
    ) {
        self.complaints += 1;
        if self.complaints <= MAX_PROBLEMS {
            self.problems.push(Problem { span, message: message.into(), note, help: help.into() });
        }
    }

    /// Reports whether this is a map. Complains if not, and about unknown keys.
    pub(super) fn is_map(&mut self, node: &Node<'_>, what: &str, known: &[&str]) -> bool {
        if !node.is_map() {
            self.wrong_type(node, what, "a map");
            return false;
        }
        for entry in node.entries().filter(|entry| !known.contains(&&*entry.key)) {
            let help = did_you_mean(&entry.key, known);
            // A file that is no settings file may have a value in the place of a key.
            let message = if is_name(&entry.key) {
                format!("{what} has no key {}", quoted(&entry.key))
            } else {
                format!("{what} has an unknown key")
            };
            self.complain(entry.key_span, message, "unknown key", help);
        }
        true
    }

    /// Returns the elements of a list.
    pub(super) fn list<'n, 't>(&mut self, entry: &'n Entry<'t>) -> Vec<&'n Node<'t>> {
        if !entry.node.is_list() {
            self.wrong_type_of(entry, "a list");
        }
        entry.node.elements().collect()
    }

    /// Returns the texts of a list. `or_one`: a single text is accepted, too.
    pub(super) fn texts<'n, 't>(
        &mut self,
        entry: &'n Entry<'t>,
        or_one: bool,
    ) -> Vec<(&'n str, &'n Node<'t>)> {
        let nodes = match entry.node.as_str() {
            Some(_) if or_one => vec![&entry.node],
            _ => self.list(entry),
        };
        let what = format!("an item of {}", quoted(&entry.key));
        nodes.into_iter().filter_map(|node| Some((self.text(node, &what)?, node))).collect()
    }

    /// Returns a text.
    pub(super) fn text<'n>(&mut self, node: &'n Node<'_>, what: &str) -> Option<&'n str> {
        let text = node.as_str();
        if text.is_none() {
            self.wrong_type(node, what, "text");
        }
        text
    }

    /// Returns globs, without those that are invalid.
    pub(super) fn globs(&mut self, entry: &Entry<'_>, or_one: bool) -> Globs {
        let key = quoted(&entry.key);
        let mut good = Vec::new();
        for (glob, node) in self.texts(entry, or_one) {
            self.globs += 1;
            if self.globs > MAX_GLOBS {
                let message = format!("there are more than {MAX_GLOBS} globs in the settings");
                let help = "write fewer and wider globs; these and the following are ignored";
                self.complain(node.span, message, "the first too many", help);
                break;
            }
            match globs::check(glob) {
                Ok(()) => good.push(glob),
                Err(reason) => self.complain(
                    node.span,
                    format!("a glob of {key} is invalid: {reason}"),
                    "this glob",
                    "write it as in .gitignore: `*` stays within a directory, `**` does not",
                ),
            }
        }
        Globs::new(good).unwrap_or_else(|reason| {
            let message = format!("the globs of {key} are invalid: {reason}");
            self.complain(entry.key_span, message, "these globs", "write fewer or shorter ones");
            Globs::default()
        })
    }

    /// Returns one of a few words.
    pub(super) fn word<'n>(
        &mut self,
        node: &'n Node<'_>,
        what: &str,
        words: &[&str],
    ) -> Option<&'n str> {
        let word = node.as_str();
        if word.is_some_and(|word| words.contains(&word)) {
            return word;
        }
        let shown = word.map_or_else(|| node.noun().to_owned(), quoted);
        let help = did_you_mean(word.unwrap_or_default(), words);
        self.complain(node.span, format!("{what} cannot be {shown}"), "unknown word", help);
        None
    }

    /// Returns the id of a rule that settings may change.
    pub(super) fn rule(&mut self, id: &str, span: Span, untouchable: &[RuleId]) -> Option<RuleId> {
        let Some(meta) = rules::find(id) else {
            let ids: Vec<&str> = rules::all().map(|meta| meta.id.as_str()).collect();
            let help = match nearest(id, &ids) {
                Some(near) => format!("did you mean `{near}`? `sops-lint rules` lists them all"),
                None => "`sops-lint rules` lists them all".to_owned(),
            };
            self.complain(span, format!("there is no rule {}", quoted(id)), "unknown rule", help);
            return None;
        };
        if untouchable.contains(&meta.id) {
            let message = format!("settings cannot change {}, a rule about the settings", meta.id);
            self.complain(span, message, "this rule", "fix what the rule reports, and remove this");
            return None;
        }
        Some(meta.id)
    }

    /// Returns a level.
    pub(super) fn level(&mut self, node: &Node<'_>, what: &str) -> Option<Level> {
        let word = self.text(node, what)?;
        let level = Level::named(word);
        if level.is_none() {
            let help = if matches!(word, "off" | "allow" | "none" | "ignore" | "disabled") {
                "rules cannot be switched off: use info, or ignore paths and say why".to_owned()
            } else {
                did_you_mean(word, &Level::ALL.map(Level::name))
            };
            let message = format!("{what} cannot be {}", quoted(word));
            self.complain(node.span, message, "unknown level", help);
        }
        level
    }

    /// Returns a day, counted from 1970-01-01.
    pub(super) fn day(&mut self, node: &Node<'_>, what: &str) -> Option<u32> {
        let text = match &node.value {
            Value::Scalar(Scalar::Time(time)) => time.strip_suffix("T00:00:00Z"),
            Value::Scalar(Scalar::Str(text)) => Some(&**text),
            _ => None,
        };
        let is_date =
            |text: &&str| text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let day = text.filter(is_date).and_then(Scalar::day_of);
        if day.is_none() {
            let help = "write the last day as year-month-day, such as 2027-01-31";
            self.complain(node.span, format!("{what} is not a date"), "this value", help);
        }
        day
    }

    pub(super) fn wrong_type_of(&mut self, entry: &Entry<'_>, wanted: &str) {
        let span = if entry.node.span.is_empty() { entry.key_span } else { entry.node.span };
        self.wrong_type_at(&entry.node, span, &quoted(&entry.key), wanted);
    }

    fn wrong_type(&mut self, node: &Node<'_>, what: &str, wanted: &str) {
        self.wrong_type_at(node, node.span, what, wanted);
    }

    fn wrong_type_at(&mut self, node: &Node<'_>, span: Span, what: &str, wanted: &str) {
        let help = match (node.is_null(), wanted) {
            (true, "text") => "add a value, or remove the line",
            (true, _) => "write [] or {} for an empty value, or remove the key",
            (_, "text") => "put it in quotes",
            (_, "a list") => "begin every item with a dash, or write [..]",
            _ => "write key: value below it",
        };
        let is = if node.is_null() { "empty" } else { node.noun() };
        let message = format!("{what} is {is}, but must be {wanted}");
        self.complain(span, message, "wrong type", help);
    }
}

/// Quotes a name from the file for a message.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", printable::clean(name))
}

fn did_you_mean(name: &str, known: &[&str]) -> String {
    match (nearest(name, known), known) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, [only]) => format!("the only known name is {only}"),
        (None, _) => format!("the known names are {}", known.join(", ")),
    }
}
