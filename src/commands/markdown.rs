//! Markdown as it looks on a terminal: the part of it that the manuals of rules use.

use crate::report::{Look, Tone, wrap};

/// Indents everything below a heading.
const INDENT: &str = "  ";

/// The block that a line belongs to.
enum Block {
    /// A paragraph, or an item of a list, with its indentation.
    Text { mark: &'static str, text: String },
    /// Nothing: the next line begins a block.
    Nothing,
}

/// Returns a text without marks of Markdown: headings in bold, examples indented, paragraphs and lists
/// wrapped to the width.
pub(super) fn rendered(markdown: &str, look: &Look) -> String {
    let mut out = String::new();
    let mut block = Block::Nothing;
    let mut is_example = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            block.write(look, &mut out);
            block = Block::Nothing;
            is_example = !is_example;
        } else if is_example {
            let line = format!("{INDENT}{INDENT}{line}");
            out += line.trim_end();
            out.push('\n');
        } else if let Some(heading) = line.strip_prefix('#') {
            block.write(look, &mut out);
            block = Block::Nothing;
            out += &look.paint(Tone::Strong, heading.trim_start_matches(['#', ' ']));
            out.push('\n');
        } else if line.is_empty() {
            block.write(look, &mut out);
            block = Block::Nothing;
            // A heading keeps its text close.
            if !out.is_empty() && !out.ends_with("\n\n") {
                out.push('\n');
            }
        } else {
            block = block.with(line, look, &mut out);
        }
    }
    block.write(look, &mut out);
    out
}

impl Block {
    /// Adds a line, or writes the block and begins another.
    fn with(self, line: &str, look: &Look, out: &mut String) -> Self {
        let item = line.strip_prefix("* ").or_else(|| line.strip_prefix("- "));
        match (self, item) {
            (Self::Text { mark, text }, None) => {
                Self::Text { mark, text: format!("{text} {}", line.trim()) }
            }
            (block, Some(item)) => {
                block.write(look, out);
                Self::Text { mark: "* ", text: item.to_owned() }
            }
            (Self::Nothing, None) => Self::Text { mark: "", text: line.trim().to_owned() },
        }
    }

    fn write(&self, look: &Look, out: &mut String) {
        let Self::Text { mark, text } = self else { return };
        let room = look.width.saturating_sub(INDENT.len() + mark.len());
        for (index, line) in wrap(&without_stress(text), room, 0).iter().enumerate() {
            let mark = if index == 0 { *mark } else { &"  "[..mark.len()] };
            *out += &format!("{INDENT}{mark}{}\n", with_code(line, look));
        }
    }
}

/// Returns the text without the stars around stressed words, outside of code.
fn without_stress(text: &str) -> String {
    let parts = text
        .split('`')
        .enumerate()
        .map(|(index, part)| if index % 2 == 1 { part.to_owned() } else { part.replace('*', "") });
    parts.collect::<Vec<_>>().join("`")
}

/// Returns a line with its code in a colour instead of backticks, if there are colours.
fn with_code(line: &str, look: &Look) -> String {
    if !look.has_colors() || line.matches('`').count() % 2 == 1 {
        return line.to_owned();
    }
    let parts = line.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 { look.paint(Tone::Aside, part) } else { part.to_owned() }
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Style;

    const MANUAL: &str = "# a-rule\n\nTitle.\n\n## What it does\n\nFinds `a b` in *files* that\nare long.\n\n\
        * one `*.yaml`,\n  or **two**\n* three\n\n## Example\n\n```yaml\n# a: b\n  c: d\n```\n";

    #[test]
    fn marks_become_a_layout() {
        let look = Look::new(&Style { width: 40, ..Style::default() });
        insta::assert_snapshot!(rendered(MANUAL, &look), @r"
        a-rule

          Title.

        What it does

          Finds `a b` in files that are long.

          * one `*.yaml`, or two
          * three

        Example

            # a: b
              c: d
        ");
    }

    #[test]
    fn code_has_a_colour_or_backticks() {
        let look = Look::new(&Style { color: true, ..Style::default() });
        let text = rendered(MANUAL, &look);
        assert!(!text.contains('`') && text.contains("\u{1b}[36;1ma b\u{1b}[0m"), "{text}");
    }
}
