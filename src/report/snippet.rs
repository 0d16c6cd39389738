//! The framed lines below the headline of a finding.
//!
//! miette draws the lines, the arrows and the words. This module draws the frame, so that places in
//! several files, or far apart in one file, share one frame. All text comes from [`Place::line`].

use std::fmt::{self, Write as _};

use miette::{
    Diagnostic, GraphicalReportHandler, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::look::{Look, Tone, clean, wrap};
use crate::finding::{Finding, Place};

/// Words next to an arrow are wrapped if there are at least as many columns for them.
const MIN_ROOM: usize = 24;

/// Draws the places of a finding.
pub(super) fn draw(finding: &Finding, look: &Look, out: &mut String) -> fmt::Result {
    let sections = sections(finding);
    let shown = sections.iter().filter(|section| section.has_lines());
    let digits = shown.flat_map(|section| &section.marks).map(Mark::digits).max().unwrap_or(1);
    let chars = look.chars();
    for (index, section) in sections.iter().enumerate() {
        let corner = if index == 0 { chars.ltop } else { chars.lcross };
        let name = look.paint(Tone::Strong, &section.name(look));
        let origin = finding.origin.as_deref().filter(|_| index == 0);
        let name =
            name + &origin.map(|origin| format!(" ({})", origin.words())).unwrap_or_default();
        writeln!(out, "{:digits$}  {corner}{}[{name}]", "", chars.hbar)?;
        section.draw(look, digits, out)?;
    }
    writeln!(out, "{:digits$}  {}{}", "", chars.lbot, chars.hbar.to_string().repeat(4))
}

/// A place with the words below it.
struct Mark<'f> {
    place: &'f Place,
    words: &'f str,
    tone: Tone,
}

impl Mark<'_> {
    fn line(&self) -> usize {
        self.place.start.line
    }

    fn digits(&self) -> usize {
        self.line().to_string().len()
    }

    /// Returns the marked bytes of `line`, the line of its place. A mark over several lines ends with the
    /// first one.
    fn bytes(&self, line: &str) -> (usize, usize) {
        let Place { start, end, line_start, .. } = self.place;
        let from = line.floor_char_boundary(start.offset.saturating_sub(*line_start));
        if end.line > start.line {
            return (from, line.len());
        }
        let length = end.offset.saturating_sub(start.offset);
        (from, line.ceil_char_boundary(from.saturating_add(length)))
    }
}

/// Places of one file below one name: all places with a line, or one without.
struct Section<'f> {
    /// The place in the name.
    first: &'f Place,
    marks: Vec<Mark<'f>>,
}

/// Groups the places by file, in the order in which the finding names them; its own place comes first.
fn sections(finding: &Finding) -> Vec<Section<'_>> {
    let own = Mark { place: &finding.place, words: &finding.note, tone: finding.level.into() };
    let others = finding.related.iter().map(|label| Mark {
        place: &label.place,
        words: &label.message,
        tone: Tone::Aside,
    });
    let mut sections: Vec<Section<'_>> = Vec::new();
    for mark in std::iter::once(own).chain(others) {
        let home = sections.iter_mut().find(|section| section.takes(&mark));
        match home {
            Some(section) => section.marks.push(mark),
            None => sections.push(Section { first: mark.place, marks: vec![mark] }),
        }
    }
    for section in &mut sections {
        section.marks.sort_by_key(|mark| (mark.line(), mark.place.start.column));
    }
    sections
}

impl Section<'_> {
    fn has_lines(&self) -> bool {
        !self.first.line.is_empty()
    }

    fn takes(&self, mark: &Mark<'_>) -> bool {
        self.has_lines() && !mark.place.line.is_empty() && self.first.path == mark.place.path
    }

    fn name(&self, look: &Look) -> String {
        let Place { path, start, .. } = self.first;
        format!("{}:{}:{}", look.reader.shown(path), start.line, start.column)
    }

    fn draw(&self, look: &Look, digits: usize, out: &mut String) -> fmt::Result {
        let chars = look.chars();
        if !self.has_lines() {
            let mark = &self.marks[0];
            if !mark.words.is_empty() {
                let words = look.paint(mark.tone, &clean(mark.words));
                writeln!(out, "{:digits$}  {} {words}", "", chars.vbar_break)?;
            }
            return Ok(());
        }
        let neighbours = |one: &Mark<'_>, other: &Mark<'_>| other.line() - one.line() <= 1;
        for (index, marks) in self.marks.chunk_by(neighbours).enumerate() {
            if index > 0 {
                writeln!(out, "{:digits$}  {}", "", look.gap)?;
            }
            Run::new(marks, look.width.saturating_sub(digits + 4))
                .draw(marks, look, digits, out)?;
        }
        Ok(())
    }
}

/// Consecutive lines of a file, as source and diagnostic for miette.
#[derive(Debug)]
struct Run {
    /// The lines with their line ends, so that an arrow can point behind the last character.
    text: String,
    /// The number of the first line, from 1.
    first_line: usize,
    labels: Vec<LabeledSpan>,
}

impl Run {
    /// Returns the marked lines, cut to `room` columns.
    fn new(marks: &[Mark<'_>], room: usize) -> Self {
        let mut run = Self { text: String::new(), first_line: marks[0].line(), labels: Vec::new() };
        for marks in marks.chunk_by(|one, other| one.line() == other.line()) {
            let line = &*marks[0].place.line;
            let window = Window::new(line, marks[0].bytes(line).0, room);
            for mark in marks {
                let (start, end) = mark.bytes(line);
                let (start, end) = (window.place(start), window.place(end));
                let words = words(mark.words, window.columns_behind(start, end));
                run.labels.push(LabeledSpan::new(words, run.text.len() + start, end - start));
            }
            run.text.push_str(&window.shown);
            run.text.push('\n');
        }
        run
    }

    fn draw(
        &self,
        marks: &[Mark<'_>],
        look: &Look,
        digits: usize,
        out: &mut String,
    ) -> fmt::Result {
        let theme = look.theme(marks.iter().map(|mark| mark.tone));
        let handler =
            GraphicalReportHandler::new_themed(theme).with_context_lines(0).with_wrap_lines(false);
        let mut drawn = String::new();
        handler.render_report(&mut drawn, self)?;
        // The first two lines are the message and miette's own frame, which is as wide as the last number.
        let last_line = self.first_line.saturating_sub(1) + self.text.matches('\n').count();
        let missing = digits.saturating_sub(last_line.to_string().len());
        let body = drawn.trim_end().rsplit_once('\n').map_or("", |(body, _)| body);
        for line in body.lines().skip(2) {
            writeln!(out, "{:missing$}{}", "", line.trim_end())?;
        }
        Ok(())
    }
}

/// Returns the words of a mark, wrapped if there is room for that.
fn words(text: &str, room: usize) -> Option<String> {
    let text = clean(text);
    if text.is_empty() {
        None
    } else if room < MIN_ROOM {
        Some(text.into_owned())
    } else {
        Some(wrap(&text, room, 0).join("\n"))
    }
}

/// The part of a line that fits, made safe to print.
struct Window<'l> {
    line: &'l str,
    /// The bytes of the line that are shown.
    from: usize,
    to: usize,
    shown: String,
    room: usize,
}

impl<'l> Window<'l> {
    const CUT: &'static str = "…";

    /// Returns the whole line, or the part around byte `at` that fits.
    fn new(line: &'l str, at: usize, room: usize) -> Self {
        let byte = |column| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        let length = line.chars().count();
        let before = line[..at].chars().count();
        let (mut from, mut to) = (0, line.len());
        if length > room {
            let room = room.saturating_sub(2);
            let first = if before < room / 2 { 0 } else { before - room / 4 };
            let first = first.min(length - room);
            (from, to) = (byte(first), byte(first + room));
        }
        let cut = |is_cut| if is_cut { Self::CUT } else { "" };
        let shown = format!("{}{}{}", cut(from > 0), clean(&line[from..to]), cut(to < line.len()));
        Self { line, from, to, shown, room }
    }

    /// Returns the position of a byte of the line in the part that is shown.
    fn place(&self, at: usize) -> usize {
        let cut = if self.from > 0 { Self::CUT.len() } else { 0 };
        cut + clean(&self.line[self.from..at.clamp(self.from, self.to)]).len()
    }

    /// Returns the number of columns to the right of an arrow that points at the middle of these bytes.
    fn columns_behind(&self, start: usize, end: usize) -> usize {
        let before = self.shown[..start].chars().count();
        let marked = self.shown[start..end].chars().count();
        self.room.saturating_sub(before + marked / 2 + "╰── ".chars().count())
    }
}

impl SourceCode for Run {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.text.as_bytes();
        let is_end = |byte: &u8| *byte == b'\n';
        let end = span.offset() + span.len();
        let before = text.get(..span.offset()).ok_or(MietteError::OutOfBounds)?;
        let behind = text.get(end..).ok_or(MietteError::OutOfBounds)?;
        let start = before.iter().rposition(is_end).map_or(0, |at| at + 1);
        let end = behind.iter().position(is_end).map_or(text.len(), |at| end + at + 1);
        let data = &text[start..end];
        let skipped = text[..start].iter().filter(|byte| is_end(byte)).count();
        let count = data.iter().filter(|byte| is_end(byte)).count();
        let line = self.first_line.saturating_sub(1) + skipped;
        let span = (start, data.len()).into();
        Ok(Box::new(MietteSpanContents::new(data, span, line, 0, count)))
    }
}

impl Diagnostic for Run {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl std::error::Error for Run {}

impl fmt::Display for Run {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The headline of the finding is not drawn by miette.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::report::style::Style;
    use crate::text::Position;

    fn drawn(marks: &[(Position, Position, &str)], line: &str) -> String {
        let mut places = marks.iter().map(|&(start, end, words)| {
            // The tests put their line at the offset that fits its column.
            let line_start = start.offset.saturating_sub(bytes_before(line, start.column));
            let line = line.to_owned();
            let place = Place { path: "a.yaml".into(), start, end, line, line_start };
            samples::label(place, words)
        });
        let own = places.next().expect("there is a place");
        let mut finding = samples::finding(&samples::PLAINTEXT, own.place, "");
        finding.note = own.message;
        finding.related = places.collect();
        let mut out = String::new();
        draw(&finding, &Look::new(&Style::default()), &mut out).expect("a string takes all text");
        out
    }

    fn bytes_before(line: &str, column: usize) -> usize {
        line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at)
    }

    fn at(line: usize, column: usize, offset: usize) -> Position {
        Position { line, column, offset }
    }

    #[test]
    fn what_goes_on_in_later_lines_ends_with_the_first() {
        insta::assert_snapshot!(drawn(&[(at(9, 3, 80), at(12, 1, 140), "this rule")], "- path_regex: a"), @r"
          ╭─[a.yaml:9:3]
        9 │ - path_regex: a
          ·   ──────┬──────
          ·         ╰── this rule
          ╰────
        ");
    }

    #[test]
    fn an_empty_span_is_an_arrow_even_at_the_end_of_a_line() {
        let marks = [(at(1, 1, 0), at(1, 1, 0), "before"), (at(1, 5, 4), at(1, 5, 4), "behind")];
        insta::assert_snapshot!(drawn(&marks, "a: b"), @r"
          ╭─[a.yaml:1:1]
        1 │ a: b
          · ▲   ▲
          · │   ╰── behind
          · ╰── before
          ╰────
        ");
    }

    #[test]
    fn lines_that_follow_one_another_need_no_gap() {
        let marks = [
            (at(10, 1, 20), at(10, 2, 21), "third"),
            (at(8, 1, 0), at(8, 2, 1), "first"),
            (at(9, 1, 10), at(9, 2, 11), ""),
        ];
        insta::assert_snapshot!(drawn(&marks, "a: b"), @r"
           ╭─[a.yaml:10:1]
         8 │ a: b
           · ┬
           · ╰── first
         9 │ a: b
           · ─
        10 │ a: b
           · ┬
           · ╰── third
           ╰────
        ");
    }
}
