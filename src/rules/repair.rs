//! The way back to a sound encrypted file, for the help of findings.

use super::command::{sops_command, untrack};
use super::subject::Subject;
use super::written::unlike_its_name;
use crate::finding::{Fix, Remedy};
use crate::shell::{Advice, Command};
use crate::traces::{self, Claim};

impl Subject<'_> {
    /// Returns the command that does `verb` to this encrypted file under its own config, and as the format
    /// that it is in.
    pub(super) fn sops(&self, verb: &str) -> Command {
        sops_command(self.governing, verb, unlike_its_name(self), self.path())
    }

    /// Tells how to restore the last good version of the file.
    pub(super) fn restoring(&self) -> Advice {
        // `git restore` would delete a file that the commit lacks.
        let checkout = Command::new("git checkout HEAD --").file(self.path());
        Advice::from("restore the last good version of the file (")
            + checkout
            + " if the last commit has it; this discards all changes since then)"
    }

    /// Tells how to make a change again that sops rejects.
    pub(super) fn repeating(&self) -> Advice {
        self.restoring() + ", and repeat the change with " + self.sops("edit")
    }

    /// Tells how to encrypt the file anew. What is decrypted has to be encrypted again.
    pub(super) fn reencrypting(&self) -> Advice {
        let config = self.governing.config().filter(|config| !config.problems.is_empty());
        let first = config.map(|config| {
            format!("correct {} first, which has a finding of its own, then ", config.path)
        });
        Advice::from(first.unwrap_or_default() + "run ")
            + self.sops("decrypt --in-place")
            + ", then "
            + self.sops("encrypt --in-place")
            + ", and commit nothing in between"
    }

    /// Returns what to do about a plaintext file that is named like the output of a decryption: to encrypt it
    /// would make a second encrypted file.
    pub(super) fn forgetting(&self) -> Option<(Advice, Fix)> {
        let claim = traces::claims_decryption(self.path()).filter(|_| !self.holds_sops())?;
        let why = "it is named like the output of a decryption: ";
        let help =
            Advice::from(why) + untrack(self.path()) + "; if it was ever pushed, change the values";
        Some((help, ignoring(claim == Claim::Certain)))
    }
}

/// Returns the fix that keeps a decrypted copy out of git.
pub(super) fn ignoring(is_sure: bool) -> Fix {
    if is_sure { Fix::safe(Remedy::Ignore) } else { Fix::uncertain(Remedy::Ignore) }
}
