//! The trait of an output format.

use std::fmt::Debug;
use std::io;

use super::content::Report;
use super::style::Style;

/// An output format.
pub trait Reporter: Debug + Sync {
    /// Returns its name for `--format`.
    fn name(&self) -> &'static str;
    /// Returns one line for `--help`.
    fn summary(&self) -> &'static str;
    /// Reports whether it ends with the numbers of the run.
    fn has_numbers(&self) -> bool {
        true
    }
    /// Writes the whole report. The errors are those of `out`.
    fn write(&self, report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;
}
