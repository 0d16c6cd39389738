//! The look of a report for people: colours, widths, and text that is safe to print.

use std::borrow::Cow;

use miette::{GraphicalTheme, ThemeCharacters, ThemeStyles};

use super::style::Style;
use crate::finding::{Level, Place};
use crate::shell::Reader;
use crate::text::printable;

/// The smallest width to wrap at; narrower terminals wrap the lines themselves.
const MIN_WIDTH: usize = 40;

/// The role of a piece of text, which decides its colour. The numbers index the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The level and the place of an error.
    Error = 0,
    /// The level and the place of a warning.
    Warning = 1,
    /// The level and the place of an info.
    Info = 2,
    /// Other places of a finding, and hints.
    Aside = 3,
    /// The part to read first.
    Strong = 4,
}

impl From<Level> for Tone {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warning => Self::Warning,
            Level::Info => Self::Info,
        }
    }
}

/// A [`Style`], translated for miette.
#[derive(Debug)]
pub struct Look {
    /// Its `highlights` are the palette, one for each [`Tone`].
    theme: GraphicalTheme,
    /// The width to wrap at, in columns.
    pub width: usize,
    /// The mark between lines that do not follow one another.
    pub(super) gap: &'static str,
    /// The person for whom places and commands are written.
    pub(super) reader: Reader,
}

impl Look {
    /// Returns the look of a style.
    pub fn new(style: &Style) -> Self {
        let mut styles = ThemeStyles::none();
        let plain = styles.error;
        styles.highlights = if style.color {
            styles.linum = plain.dimmed();
            let bold = plain.bold();
            vec![bold.red(), bold.yellow(), bold.green(), bold.cyan(), bold]
        } else {
            vec![plain; 5]
        };
        let (characters, gap) = if style.ascii {
            (ThemeCharacters::ascii(), "...")
        } else {
            (ThemeCharacters::unicode(), "⋮")
        };
        let theme = GraphicalTheme { characters, styles };
        Self { theme, width: style.width.max(MIN_WIDTH), gap, reader: Reader::at_root() }
    }

    /// Writes places and commands for this person.
    pub(super) fn for_reader(self, reader: &Reader) -> Self {
        Self { reader: reader.clone(), ..self }
    }

    /// Returns the characters of frames and arrows.
    pub(super) fn chars(&self) -> &ThemeCharacters {
        &self.theme.characters
    }

    /// Returns the text in the colour of its tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        self.theme.styles.highlights[tone as usize].style(text).to_string()
    }

    /// Reports whether text is painted at all.
    pub fn has_colors(&self) -> bool {
        !self.paint(Tone::Strong, "").is_empty()
    }

    /// Returns a place as editors read it, for the start of a line. There `::` is a command to GitHub's
    /// runner, behind blanks too.
    pub(super) fn place(&self, place: &Place) -> String {
        let path = self.reader.shown(&place.path);
        let shield = if path.trim_start().starts_with("::") { "./" } else { "" };
        format!("{shield}{path}:{}:{}", place.start.line, place.start.column)
    }

    /// Returns miette's theme for a snippet whose labels have these tones, in the order of their places.
    pub(super) fn theme(&self, tones: impl Iterator<Item = Tone>) -> GraphicalTheme {
        let mut theme = self.theme.clone();
        theme.styles.highlights =
            tones.map(|tone| self.theme.styles.highlights[tone as usize]).collect();
        theme
    }
}

/// Returns the text without control characters. Rules build messages from clean parts already; this is
/// the second line of defence.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    printable::clean_path(text)
}

/// Breaks a text at spaces only, so that commands and paths can be copied. The first line is shorter
/// by `indent`. No later line begins with a word that a CI runner takes for a command.
pub fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = indent;
    for (index, word) in words(text).enumerate() {
        let length = columns(word);
        if index > 0 {
            if used + 1 + length > width && !commands_runner(word) {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else {
                line.push(' ');
                used += 1;
            }
        }
        line.push_str(word);
        used += length;
    }
    lines.push(line);
    lines
}

/// Returns true for a word that begins a command of GitHub's runner at the start of a line. Commands that can
/// be anywhere in a line were cleaned before.
fn commands_runner(word: &str) -> bool {
    word.starts_with("::")
}

/// Returns the words of a text. A command in backticks is one word, so that it can be copied.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let all = rest?;
        let mut in_command = false;
        let end = all.char_indices().find(|(_, c)| {
            in_command ^= *c == '`';
            *c == ' ' && !in_command
        });
        rest = end.map(|(at, _)| &all[at + 1..]);
        Some(end.map_or(all, |(at, _)| &all[..at]))
    })
}

/// Returns the number of visible characters: all but those of our own escape sequences.
fn columns(word: &str) -> usize {
    let mut parts = word.split('\u{1b}');
    let first = parts.next().map_or(0, |part| part.chars().count());
    let seen = |part: &str| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count());
    first + parts.map(seen).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_begins_with_a_command_to_a_runner() {
        for word in ["::set-output", "::group::"] {
            let lines = wrap(&format!("the name is {word} name=a"), 12, 0);
            assert!(!lines.iter().any(|line| line.starts_with(word)), "{lines:?}");
        }
    }

    #[test]
    fn wraps_at_spaces_only() {
        assert_eq!(
            wrap("run sops-lint fix a/b/c.yaml", 12, 4),
            ["run", "sops-lint", "fix", "a/b/c.yaml"]
        );
        assert_eq!(wrap("\u{1b}[1mrun\u{1b}[0m it", 6, 0), ["\u{1b}[1mrun\u{1b}[0m it"]);
        assert_eq!(
            wrap("run `sops edit a.yaml` again", 12, 4),
            ["run", "`sops edit a.yaml`", "again"]
        );
        assert_eq!(wrap("", 12, 4), [""]);
        assert_eq!(wrap("averylongword-without-spaces", 12, 4), ["averylongword-without-spaces"]);
    }

    #[test]
    fn no_colour_means_no_escape_sequence() {
        let look = Look::new(&Style::default());
        assert_eq!(look.paint(Tone::Error, "error"), "error");
        let look = Look::new(&Style { color: true, ..Style::default() });
        assert_eq!(look.paint(Tone::Error, "error"), "\u{1b}[31;1merror\u{1b}[0m");
    }
}
