//! The way back to a sound encrypted file, for the help of findings.

use super::command::sops_command;
use super::subject::Subject;
use super::written::unlike_its_name;
use crate::shell::{Advice, Command};

impl Subject<'_> {
    /// Returns the command that does `verb` to this encrypted file under its own config, and as the format
    /// that it is in.
    pub(super) fn sops(&self, verb: &str) -> Command {
        sops_command(self.governing, verb, unlike_its_name(self), self.path())
    }

    /// Tells how to restore the last good version of the file.
    pub(super) fn restoring(&self) -> Advice {
        let restore =
            Command::new("git restore --source=HEAD --staged --worktree").file(self.path());
        Advice::from("restore the last good version of the file (")
            + restore
            + " if the last commit has it)"
    }

    /// Tells how to make a change again that sops rejects.
    pub(super) fn repeating(&self) -> Advice {
        self.restoring() + ", and repeat the change with " + self.sops("edit")
    }

    /// Tells how to encrypt the file anew. What is decrypted has to be encrypted again.
    pub(super) fn reencrypting(&self) -> Advice {
        Advice::from("run ")
            + self.sops("decrypt --in-place")
            + ", then "
            + self.sops("encrypt --in-place")
    }
}
