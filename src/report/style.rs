//! The style of a report for people.

/// The style of a report for people; the other formats use only `verbose`.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Style {
    /// Use ANSI colours.
    pub color: bool,
    /// Draw frames and arrows in ASCII, for terminals that show nothing else.
    pub ascii: bool,
    /// The width to wrap at, in columns.
    pub width: usize,
    /// Write findings only, without the closing lines.
    pub quiet: bool,
    /// List the files that were skipped, and why.
    pub verbose: bool,
    /// Show findings of level info too.
    pub infos: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, ascii: false, width: 100, quiet: false, verbose: false, infos: false }
    }
}
