//! The input of judging other than the bytes of a file.

use crate::finding::{Risk, RuleMeta};
use crate::keys::KeyRing;
use crate::pattern::globs::Globs;
use crate::policy::Policy;
use crate::tree::Tree;

/// Everything that the files of one tree are judged by. It never changes during a run.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The creation rules of the tree.
    pub policy: &'c Policy,
    /// The state that is judged.
    pub tree: &'c dyn Tree,
    /// The names that claim encryption; the usual ones without it.
    pub encrypted_names: Option<&'c Globs>,
    /// The rules that run.
    pub scope: Scope,
    /// The private keys of the user; without it no file is opened.
    pub ring: Option<&'c KeyRing>,
    /// The day of the run, counted from 1970-01-01.
    pub today: u32,
}

/// The rules that run over a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All, with the file before the change, if a change is judged.
    Everything,
    /// All, without the file before the change.
    FileAlone,
    /// Rules about leaks: the file is from history, where nothing else matters any more.
    Leaks,
}

impl Context<'_> {
    /// Returns the context for a file that did not change. Findings in other files may need its facts, but
    /// nothing in it is reported, so it is not opened.
    pub fn for_facts(self) -> Self {
        Self { scope: Scope::FileAlone, ring: None, ..self }
    }

    /// Reports whether a rule runs.
    pub(super) fn runs(&self, rule: &RuleMeta) -> bool {
        self.scope != Scope::Leaks || matches!(rule.risk, Risk::Leak(_))
    }
}
