//! Variables in a value: `${..}`, `$(..)`, `{{ .. }}`, `{{{ .. }}}`, `<% .. %>`, `#{ .. }#` and `<..>`.

use std::ops::Range;

use super::placeholder::is_description;
use super::template::{Action, action, is_literal, quoted};

/// The character that stands for a variable in a [`Rest`].
pub(super) const VARIABLE: char = '\0';

/// What remains of a text without its variables.
pub(super) struct Rest {
    /// The text, with [`VARIABLE`] in place of each variable.
    pub(super) text: String,
    /// True if a variable brings its own value along: `${PASSWORD:=hunter2}`.
    pub(super) has_default: bool,
}

impl Rest {
    /// Replaces the variables of a text. Returns `None` if it has none, or is too long for a Secret.
    pub(super) fn of(text: &str) -> Option<Self> {
        /// In bytes. Kubernetes takes 1 MiB.
        const LONGEST: usize = 2 * 1024 * 1024;
        if text.len() > LONGEST {
            return None;
        }
        let mut variables = Variables::new(text);
        let mut rest = Self { text: String::new(), has_default: false };
        let mut found = false;
        let mut at = 0;
        while let Some(variable) = variables.next(at) {
            rest.push(&text[at..variable.start]);
            at = variable.end;
            let source = &text[variable];
            let what = match inside_marks(source) {
                Some(inside) => action(inside),
                None if has_default(source) => Action::Default,
                None => Action::Found,
            };
            match what {
                Action::Found | Action::Default => {
                    rest.text.push(VARIABLE);
                    rest.has_default |= what == Action::Default;
                    found = true;
                }
                Action::Nothing => found = true,
                Action::Literal => rest.push(source),
                Action::Comment => {}
            }
        }
        rest.push(&text[at..]);
        found.then_some(rest)
    }

    fn push(&mut self, literal: &str) {
        self.text.extend(literal.chars().filter(|c| *c != VARIABLE));
    }
}

/// Returns the text between the marks of a template engine.
fn inside_marks(source: &str) -> Option<&str> {
    const MARKS: [(&str, &str); 3] = [("{{{", "}}}"), ("{{", "}}"), ("<%", "%>")];
    let inside = MARKS.iter().find_map(|(open, close)| {
        source.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
    });
    inside.map(|inside| inside.trim_start_matches('='))
}

/// The variables of a text.
struct Variables<'t> {
    text: &'t str,
    brackets: [Brackets; 7],
    /// The end of XML and HTML, which have closing tags.
    markup: Option<usize>,
}

impl<'t> Variables<'t> {
    fn new(text: &'t str) -> Self {
        // Of those that begin at the same place, the first counts.
        const BRACKETS: [(&str, &str); 7] = [
            ("${", "}"),
            ("$(", ")"),
            ("{{{", "}}}"),
            ("{{", "}}"),
            ("<%", "%>"),
            ("<", ">"),
            ("#{", "}#"),
        ];
        let brackets = BRACKETS.map(|(open, close)| Brackets::new(text, open, close));
        Self { text, brackets, markup: text.rfind("</").max(text.rfind("/>")) }
    }

    /// Returns the first one from a place on. Places only grow.
    fn next(&mut self, from: usize) -> Option<Range<usize>> {
        let is_markup = self.markup >= Some(from);
        let found = self.brackets.iter_mut().filter_map(|brackets| {
            let first = brackets.first(self.text, from);
            first.filter(|_| !is_markup || brackets.open != "<")
        });
        found.min_by_key(|variable| variable.start)
    }
}

/// All brackets of a kind. A value may hold as many as its file has bytes, so each is looked at
/// once.
struct Brackets {
    open: &'static str,
    close: &'static str,
    /// The offsets of each opening bracket and its closing bracket; sorted.
    pairs: Vec<(usize, Option<usize>)>,
    /// The index of the next pair.
    next: usize,
    /// The range that the next pair encloses, if it was looked at and is a variable.
    variable: Option<Range<usize>>,
    is_looked_at: bool,
    /// The first line feed after the start of the last name that was looked at.
    line_feed: usize,
}

impl Brackets {
    /// `${A:=${B}}` nests.
    fn new(text: &str, open: &'static str, close: &'static str) -> Self {
        let mut pairs = Vec::new();
        let mut unclosed = Vec::new();
        let mut at = text.find(open).unwrap_or(text.len());
        while at < text.len() {
            let rest = &text.as_bytes()[at..];
            if rest.starts_with(open.as_bytes()) {
                unclosed.push(pairs.len());
                pairs.push((at, None));
                at += open.len();
            } else if rest.starts_with(close.as_bytes()) {
                if let Some(pair) = unclosed.pop() {
                    pairs[pair].1 = Some(at);
                }
                at += close.len();
            } else {
                at += 1;
            }
        }
        Self { open, close, pairs, next: 0, variable: None, is_looked_at: false, line_feed: 0 }
    }

    /// Returns the range that the first pair at or after `from` encloses, if it is a variable.
    fn first(&mut self, text: &str, from: usize) -> Option<Range<usize>> {
        while self.pairs.get(self.next).is_some_and(|(start, _)| *start < from) {
            self.next += 1;
            self.is_looked_at = false;
        }
        // What `<` and `$(` open is often no variable; then the next one may be.
        let may_skip = matches!(self.open, "<" | "$(");
        while !self.is_looked_at {
            let &(start, end) = self.pairs.get(self.next)?;
            let name_end = end.filter(|end| self.is_name(text, start + self.open.len(), *end));
            self.variable = name_end.map(|end| start..end + self.close.len());
            self.is_looked_at = !may_skip || self.variable.is_some();
            self.next += usize::from(!self.is_looked_at);
        }
        self.variable.clone()
    }

    /// `<` alone opens many things; a placeholder is one line of words and path characters.
    /// `<path:kv/db#url | jsonPath {.host}>` belongs to the vault plugin of Argo CD.
    fn is_name(&mut self, text: &str, start: usize, end: usize) -> bool {
        if self.line_feed < start {
            self.line_feed = text[start..].find('\n').map_or(text.len(), |at| start + at);
        }
        let name = &text[start..end];
        let is_line = !name.trim_start().is_empty() && self.line_feed >= end;
        is_line
            && match self.open {
                "<" => is_described(name),
                "$(" => !name.contains(|c: char| !(c.is_alphanumeric() || "_.:-[]\"'".contains(c))),
                _ => true,
            }
    }
}

/// Reports whether the text in `<..>` is a placeholder.
fn is_described(name: &str) -> bool {
    /// In bytes.
    const LONGEST: usize = 1024;
    if name.len() > LONGEST {
        return false;
    }
    match name.strip_prefix("path:") {
        Some(path) => {
            path.split_once('#').is_some_and(|(path, key)| !path.is_empty() && !key.is_empty())
        }
        None => {
            name.chars().all(|c| c.is_alphanumeric() || " _-.:/#|+".contains(c))
                && is_description(name)
        }
    }
}

/// Reports whether a variable brings its own value along: `${PASSWORD:=hunter2}`.
fn has_default(variable: &str) -> bool {
    let inside = variable.strip_prefix("${").or_else(|| variable.strip_prefix("$("));
    let Some(inside) = inside else {
        let default = variable.split_once(":=").or_else(|| variable.split_once(":-"));
        return default.is_some_and(|(_, default)| is_literal(default.trim_end_matches('>')));
    };
    let default = shell_default(inside.strip_suffix(['}', ')']).unwrap_or(inside));
    default.is_some_and(|default| is_literal(unquoted(default)))
}

/// Returns the text that a shell or envsubst uses if a variable is unset (`-`, `=`) or set (`+`).
fn shell_default(inside: &str) -> Option<&str> {
    let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let (name, rest) = inside.split_at(end);
    if let Some(rest) = rest.strip_prefix(':') {
        return rest.strip_prefix(['-', '=', '+']);
    }
    let default = rest.strip_prefix(['-', '=', '+'])?;
    // Some tools have names with dashes: `${db-password}`, `${DB-PASSWORD}`.
    let is_shouted = |text: &str| !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_dashed = rest.starts_with('-') && (!is_shouted(name) || is_shouted(default));
    (!is_dashed).then_some(default)
}

fn unquoted(text: &str) -> &str {
    quoted(text).filter(|(_, rest)| rest.is_empty()).map_or(text, |(literal, _)| literal)
}
