//! The changes of a plan as people read them: a line for each, or line by line.

use std::io::{self, Write};

use super::plan::{Plan, ignore_line};
use crate::fix::{Change, Encryption, diff};
use crate::report::Style;
use crate::shell::Reader;
use crate::text::printable::{clean, clean_path};

/// Codes of the colours that git gives to a diff.
const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

/// The maximum number of key paths that are named without `-v`.
const MAX_VALUES: usize = 20;

/// The mood of the verbs, and the look of the text.
#[derive(Clone, Copy)]
pub(super) struct Show<'s> {
    /// True if the changes were made.
    pub(super) is_done: bool,
    /// Colours, and whether everything is listed.
    pub(super) style: &'s Style,
    /// The person for whom paths are written.
    pub(super) reader: &'s Reader,
}

impl Show<'_> {
    /// Writes a line for each change. Before it is made, also what would be encrypted and to whom.
    pub(super) fn list(self, plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
        for change in &plan.changes {
            self.head(change, out)?;
        }
        let mood = self.mood();
        for (from, to) in &plan.renames {
            let [from, to] = [from, to].map(|path| self.reader.shown(path));
            writeln!(out, "{from}: {mood}renamed to {to}")?;
        }
        for path in &plan.ignores {
            let step = "`git rm --cached` removes it from git";
            let path = self.reader.shown(path);
            writeln!(out, "{path}: {mood}added to .gitignore; {step}")?;
        }
        Ok(())
    }

    /// Writes all changes line by line.
    pub(super) fn diff(self, plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
        for change in &plan.changes {
            self.head(change, out)?;
            self.names(&format!("a/{}", change.path), &format!("b/{}", change.path), out)?;
            let lines = diff::lines(change);
            if lines.is_empty() {
                writeln!(out, "the whole file is replaced")?;
            }
            for line in lines {
                let (code, line) = match line {
                    diff::Line::Hunk(text) => (CYAN, text),
                    diff::Line::Same(text) => ("", format!(" {text}")),
                    diff::Line::Old(text) => (RED, format!("-{text}")),
                    diff::Line::New(text) => (GREEN, format!("+{text}")),
                };
                self.line(code, &line, out)?;
            }
        }
        for (from, to) in &plan.renames {
            self.line(BOLD, &format!("rename {from}\nrename to {to}"), out)?;
        }
        for path in &plan.ignores {
            self.names("a/.gitignore", "b/.gitignore", out)?;
            self.line(GREEN, &format!("+{}", clean(&ignore_line(path))), out)?;
        }
        Ok(())
    }

    /// Writes what is done with a file.
    fn head(
        self,
        Change { path, done, encryption, .. }: &Change,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mood = self.mood();
        let verb = if encryption.is_some() { format!("{mood}encrypted ") } else { mood.to_owned() };
        let path = self.reader.shown(path);
        writeln!(out, "{path}: {verb}{}", clean_path(done))?;
        let Some(Encryption { values, recipients }) = encryption.as_ref().filter(|_| !self.is_done)
        else {
            return Ok(());
        };
        let shown = if self.style.verbose { values.len() } else { MAX_VALUES };
        let mut names: Vec<&str> = values.iter().take(shown).map(String::as_str).collect();
        let more = format!("and {} more (-v lists them)", values.len().saturating_sub(shown));
        names.extend((values.len() > shown).then_some(&*more));
        if !names.is_empty() {
            writeln!(out, "  values: {}", clean_path(&names.join(", ")))?;
        }
        writeln!(out, "  recipients: {}", clean_path(&recipients.join(", ")))
    }

    fn names(self, old: &str, new: &str, out: &mut dyn Write) -> io::Result<()> {
        self.line(BOLD, &format!("--- {old}"), out)?;
        self.line(BOLD, &format!("+++ {new}"), out)
    }

    /// Writes a line in a colour; none if there is no code.
    fn line(self, code: &str, line: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.style.color && !code.is_empty() {
            writeln!(out, "\x1b[{code}m{line}\x1b[m")
        } else {
            writeln!(out, "{line}")
        }
    }

    fn mood(self) -> &'static str {
        if self.is_done { "" } else { "would have " }
    }
}
