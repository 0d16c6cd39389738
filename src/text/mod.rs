//! Places in a text: byte spans, and the lines and columns that people read.
//!
//! Everything upstream of a report speaks in byte offsets ([`Span`]); only when a finding is
//! written down are they turned into lines and columns ([`LineIndex`]).

pub mod printable;
pub mod words;

/// Formats a day, counted from 1970-01-01, as `2026-06-30`.
/// *Source*: `civil_from_days`, <https://howardhinnant.github.io/date_algorithms.html>.
pub fn date(day: u32) -> String {
    // Years begin in March, so that the leap day is the last of one; 400 of them are an era.
    let day = u64::from(day) + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year)
}

/// Formats a second, counted from 1970-01-01 in UTC, as `2026-06-30T12:34:56Z`.
pub fn instant(second: u64) -> String {
    let (day, second) = (second / 86_400, second % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let day = date(u32::try_from(day).unwrap_or(u32::MAX));
    format!("{day}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A half-open range of bytes in one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset just behind the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the range from `start` up to, but without, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Returns an empty range, for "here" rather than "this".
    pub const fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// Returns the span from the start of this one to the end of `other`.
    pub const fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }

    /// Returns the number of bytes.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Reports whether the range holds no byte.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A place as editors show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// 1-based.
    pub line: usize,
    /// 1-based, counted in Unicode code points.
    pub column: usize,
    /// 0-based, counted in bytes.
    pub offset: usize,
}

/// Bytes after which the characters before them are known, so that a long line is not counted from
/// its start for every place in it.
const BLOCK: usize = 1024;

/// The starts of the lines of one text.
pub struct LineIndex<'t> {
    text: &'t [u8],
    starts: Vec<usize>,
    /// The number of characters that begin before each block.
    blocks: Vec<usize>,
}

/// Shows nothing of the text.
impl std::fmt::Debug for LineIndex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineIndex").finish_non_exhaustive()
    }
}

impl<'t> LineIndex<'t> {
    /// Looks for the line ends of `text`: `\n`, and the `\r` before it belongs to them.
    pub fn new(text: &'t [u8]) -> Self {
        // Growing step by step would take three times the memory.
        let mut starts = Vec::with_capacity(1 + memchr::memchr_iter(b'\n', text).count());
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', text).map(|end| end + 1));
        let mut blocks = vec![0];
        for block in text.chunks(BLOCK) {
            blocks.push(blocks[blocks.len() - 1] + characters(block));
        }
        Self { text, starts, blocks }
    }

    /// Returns the line, column and offset of a byte. An offset behind the text means its end. Of
    /// bytes that are not UTF-8 those count that cannot go on with a character.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = self.characters_before(offset) - self.characters_before(self.starts[line - 1]);
        Position { line, column: 1 + before, offset }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        self.blocks[block] + characters(&self.text[block * BLOCK..offset])
    }

    /// Returns the bytes of a line without its line end; `line` is 1-based.
    pub fn line(&self, line: usize) -> Option<Span> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        let end = if self.text[start..end].ends_with(b"\r") { end - 1 } else { end };
        Some(Span::new(start, end))
    }
}

/// Returns how many characters begin in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (day, expected) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_634, "2026-06-30")]
        {
            assert_eq!(date(day), expected);
        }
        date(u32::MAX);
    }

    #[test]
    fn columns_count_code_points_and_lines_end_at_line_feeds() {
        let text = "a: é\r\nб: x\n";
        let index = LineIndex::new(text.as_bytes());
        let x = text.find('x').expect("x is in the text");
        assert_eq!(index.position(x), Position { line: 2, column: 4, offset: x });
        assert_eq!(index.line(1), Some(Span::new(0, 5)));
        assert_eq!(index.position(usize::MAX).line, 3);
        assert_eq!(index.line(4), None);
    }
}
