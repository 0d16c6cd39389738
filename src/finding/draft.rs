//! Findings in byte offsets, as rules write them.

use std::collections::HashMap;

use super::fix::{Fix, Remedy};
use super::level::Level;
use super::opener::Opener;
use super::rule_meta::{RuleId, RuleMeta};
use crate::path::RepoPath;
use crate::policy::{Config, Shown};
use crate::shell::Advice;
use crate::text::Span;

/// A finding before it has lines and columns.
#[derive(Debug)]
pub struct Draft<'c> {
    pub(crate) rule: &'static RuleMeta,
    pub(crate) level: Level,
    pub(crate) span: Span,
    pub(crate) document: usize,
    pub(crate) key_path: Option<String>,
    pub(crate) message: String,
    pub(crate) note: String,
    pub(crate) help: Option<Advice>,
    pub(crate) labels: Vec<DraftLabel<'c>>,
    pub(crate) fix: Option<Fix>,
    pub(crate) about: Option<RepoPath>,
    pub(crate) opener: Option<Opener>,
}

/// A second place, in the judged file or in another one.
#[derive(Debug)]
pub(crate) struct DraftLabel<'c> {
    pub(crate) elsewhere: Option<Elsewhere<'c>>,
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// A `.sops.yaml` that a label points to.
#[derive(Clone, Copy)]
pub struct Elsewhere<'c> {
    /// The file.
    pub path: &'c RepoPath,
    /// The content.
    pub bytes: &'c [u8],
    /// The parts that reports may show.
    pub shown: &'c Shown,
}

impl<'c> Elsewhere<'c> {
    /// Refers to a config.
    pub fn of(config: &'c Config) -> Self {
        Self { path: &config.path, bytes: &config.bytes, shown: &config.shown }
    }
}

/// Prints none of the content.
impl std::fmt::Debug for Elsewhere<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elsewhere").finish_non_exhaustive()
    }
}

impl<'c> Draft<'c> {
    /// Creates a draft at the level of its rule.
    pub fn new(rule: &'static RuleMeta, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            level: rule.level,
            span,
            document: 0,
            key_path: None,
            message: message.into(),
            note: String::new(),
            help: None,
            labels: Vec::new(),
            fix: None,
            about: None,
            opener: None,
        }
    }

    /// Sets a level that differs from the rule's.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the document, counted from 0, and the path of the value in it.
    #[must_use]
    pub fn at(mut self, document: usize, key_path: Option<String>) -> Self {
        self.document = document;
        self.key_path = key_path;
        self
    }

    /// Sets a few words for the place itself.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Sets the next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<Advice>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a place in the same file.
    #[must_use]
    pub fn also(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(DraftLabel { elsewhere: None, span, message: message.into() });
        self
    }

    /// Adds further places in the same file, up to a limit.
    #[must_use]
    pub fn also_each(self, spans: impl IntoIterator<Item = Span>, message: &str) -> Self {
        const SHOWN: usize = 4;
        spans.into_iter().take(SHOWN).fold(self, |draft, span| draft.also(span, message))
    }

    /// Adds a place in a config.
    #[must_use]
    pub fn in_config(self, config: &'c Config, span: Span, message: &str) -> Self {
        self.elsewhere(Elsewhere::of(config), span, message)
    }

    /// Adds a place in another file.
    #[must_use]
    pub fn elsewhere(
        mut self,
        elsewhere: Elsewhere<'c>,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        self.labels.push(DraftLabel { elsewhere: Some(elsewhere), span, message: message.into() });
        self
    }

    /// Names another file that the finding is about. If that one changed, the finding is reported too.
    #[must_use]
    pub fn about(mut self, path: RepoPath) -> Self {
        self.about = Some(path);
        self
    }

    /// Sets the private key that the finding is about.
    #[must_use]
    pub fn opener(mut self, opener: Opener) -> Self {
        self.opener = Some(opener);
        self
    }

    /// Sets the change that would resolve it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}

/// Limit for the findings of one rule and level in one file, since a hostile file can cause millions.
/// Each level has its own count, so that warnings cannot push out an error, which fails the run.
pub const MAX_FINDINGS: usize = 100;

/// Says in a message how many findings were left out after it.
pub fn left_out(count: usize) -> String {
    format!("; {count} more findings of this kind in this file")
}

/// The drafts about one file: the first `MAX_FINDINGS` of each rule and level.
#[derive(Debug, Default)]
pub struct Drafts<'c> {
    pub(crate) drafts: Vec<Draft<'c>>,
    counts: HashMap<(RuleId, Level), usize>,
}

impl<'c> Drafts<'c> {
    /// Adds a draft. Private keys have a limit of their own, and only the whole tree shows which of them
    /// matter most.
    pub fn push(&mut self, draft: Draft<'c>) {
        if draft.opener.is_some() {
            return self.drafts.push(draft);
        }
        let count = self.counts.entry((draft.rule.id, draft.level)).or_default();
        *count += 1;
        if *count <= MAX_FINDINGS {
            self.drafts.push(draft);
        }
    }

    /// Adds several drafts.
    pub fn extend(&mut self, drafts: impl IntoIterator<Item = Draft<'c>>) {
        drafts.into_iter().for_each(|draft| self.push(draft));
    }

    /// Returns true if there is a draft of a rule.
    pub fn has(&self, rule: &RuleMeta) -> bool {
        self.drafts.iter().any(|draft| draft.rule.id == rule.id)
    }

    /// Returns true if a draft points to one of these places.
    pub fn point_to(&self, places: &[Span]) -> bool {
        let is_at = |draft: &Draft<'_>| {
            let labels = draft.labels.iter().filter(|label| label.elsewhere.is_none());
            let mut spans = labels.map(|label| label.span).chain([draft.span]);
            spans.any(|span| places.contains(&span))
        };
        self.drafts.iter().any(is_at)
    }

    /// Returns true if a rule suggests encrypting the file, and so has reported it as unencrypted.
    pub fn suggest_encryption(&self) -> bool {
        let mut fixes = self.drafts.iter().filter_map(|draft| draft.fix.as_ref());
        fixes.any(|fix| fix.remedy == Remedy::Encrypt)
    }

    /// Returns all drafts. The last of each kind says how many were left out.
    pub(crate) fn into_all(mut self) -> Vec<Draft<'c>> {
        for (kind, count) in self.counts.into_iter().filter(|(_, count)| *count > MAX_FINDINGS) {
            let last = self.drafts.iter_mut().rfind(|draft| (draft.rule.id, draft.level) == kind);
            if let Some(last) = last {
                last.message += &left_out(count - MAX_FINDINGS);
            }
        }
        self.drafts
    }
}
