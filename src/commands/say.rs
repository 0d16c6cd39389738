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

fn print(head: &str, text: &str) {
    let _ = writeln!(io::stderr(), "{head}{}", clean_path(text));
}
