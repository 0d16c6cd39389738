//! Sentences on standard error: what went wrong with the run, and what to do about it.

use crate::text::printable::clean_path;

/// Prints what kept the program from doing its job.
#[expect(clippy::print_stderr, reason = "errors of the run belong on standard error")]
pub(super) fn complain(error: &str) {
    eprintln!("error: {}", clean_path(error));
}

/// Prints the next step after an error.
#[expect(clippy::print_stderr, reason = "help follows its error")]
pub(super) fn advise(help: &str) {
    eprintln!("  help: {}", clean_path(help));
}

/// Prints what the user may want to know.
#[expect(clippy::print_stderr, reason = "notes are not findings")]
pub(super) fn remark(note: &str) {
    eprintln!("note: {}", clean_path(note));
}
