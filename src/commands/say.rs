//! Sentences on standard error: what went wrong with the run, and what to do about it.
//!
//! If standard error cannot be written, the exit code still tells the result.

use std::io::{self, Write as _};

use crate::text::printable::clean_path;

/// Prints what kept the program from doing its job.
pub fn complain(error: &str) {
    print("error: ", error);
}

/// Prints the next step after an error.
pub fn advise(help: &str) {
    print("  help: ", help);
}

/// Prints what the user may want to know.
pub(super) fn remark(note: &str) {
    print("note: ", note);
}

/// Prints the closing lines of a report, which are clean.
pub(super) fn write_closing(lines: &str) {
    let _ = write!(io::stderr(), "{lines}");
}

fn print(head: &str, text: &str) {
    let _ = writeln!(io::stderr(), "{head}{}", clean_path(text));
}
