//! What is said about a file: rules, levels, findings.
//!
//! A rule writes a [`Draft`] in byte offsets. When its file has been judged, the drafts become
//! [`Finding`]s: with lines and columns, and with redacted copies of the lines that they point
//! at. A finding holds no other byte of any file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::document::splice::Edit;
use crate::path::RepoPath;
use crate::policy::{Config, Shown};
use crate::text::{Position, Span};

/// How bad it is. Errors fail a run by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Worth changing.
    Warning,
    /// Wrong.
    Error,
}

impl Level {
    /// `error`, `warning` or `info`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a rule has to know before it can say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// The file alone.
    Text,
    /// The governing `.sops.yaml` too.
    Policy,
    /// The file before a change.
    Change,
    /// A private key.
    Keys,
}

/// What comes of a finding, rated on the scale of CVSS times ten: GitHub shows 90 and more as
/// critical, 70 and more as high, 40 and more as medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Something is wrong, and nobody can read a secret for it.
    Unrated,
    /// Secrets are not as safe as they should be, or may be lost.
    Weakness(u32),
    /// A secret stands there for everybody to read. Once published it stays so: it is looked for in
    /// files that are no longer at `HEAD` too.
    Leak(u32),
}

/// The static facts of a rule.
#[derive(Debug)]
pub struct RuleMeta {
    /// Its id: kebab case, named for the bad thing.
    pub id: &'static str,
    /// The level of most of its findings; a finding may be of a lower one.
    pub level: Level,
    /// What it needs to know.
    pub needs: Needs,
    /// What comes of it for those whose secrets they are.
    pub risk: Risk,
    /// One line for the list of rules.
    pub summary: &'static str,
    /// Its manual in Markdown: what it does, why it matters, an example, how to fix.
    pub manual: &'static str,
}

impl RuleMeta {
    /// The summary as a sentence begins: with a capital, and without a full stop.
    pub fn title(&self) -> String {
        let mut chars = self.summary.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    }

    /// The manual without the space that doc comments have behind their slashes.
    pub fn text(&self) -> String {
        let lines = self.manual.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }
}

/// What would repair it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fix {
    /// What to do.
    #[serde(rename = "kind", serialize_with = "Remedy::serialize_name")]
    pub remedy: Remedy,
    /// Whether it may be done without asking.
    pub safe: bool,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Encrypt the file as its creation rule demands.
    Encrypt,
    /// Write something else into the file, which is no secret.
    Edit(Edit),
    /// Give the file another name.
    Rename(RepoPath),
    /// Tell git to ignore the file.
    Ignore,
}

impl Fix {
    /// Encrypts the file. Its old content may have been seen, so it is for people to say so.
    pub fn encrypt() -> Self {
        Self { remedy: Remedy::Encrypt, safe: false }
    }

    /// Does what nobody could mind.
    pub fn safe(remedy: Remedy) -> Self {
        Self { remedy, safe: true }
    }

    /// Does what may not be meant.
    pub fn uncertain(remedy: Remedy) -> Self {
        Self { remedy, safe: false }
    }
}

impl Remedy {
    /// What it is called in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Edit(_) => "edit",
            Self::Rename(_) => "rename",
            Self::Ignore => "ignore",
        }
    }

    fn serialize_name<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A place in a file, with the line that may be shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: RepoPath,
    /// First character.
    pub start: Position,
    /// Behind the last character.
    pub end: Position,
    /// The line that it starts on, redacted byte for byte. Empty where there is nothing to show.
    pub line: String,
    /// The offset of that line in the file, in bytes.
    pub line_start: usize,
}

/// A second place with words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What about it: lower case, no full stop.
    pub message: String,
}

/// The commit that brought a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its id, in hexadecimal digits.
    pub commit: String,
    /// Its day in UTC: `2026-01-02`.
    pub day: String,
    /// Whether the file is the same today.
    pub is_at_head: bool,
}

/// One statement about one place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that says it.
    pub rule: &'static RuleMeta,
    /// How bad it is here.
    pub level: Level,
    /// Where.
    pub place: Place,
    /// The document in the file, from 0.
    pub document: usize,
    /// The way to the value: `stringData.password`.
    pub key_path: Option<String>,
    /// One sentence without full stop. Names, paths and counts, never a value.
    pub message: String,
    /// A few words for the place itself.
    pub note: String,
    /// The next step.
    pub help: Option<String>,
    /// Other places in this file and in others.
    pub related: Vec<Label>,
    /// What would repair it.
    pub fix: Option<Fix>,
    /// Another file that it is about, beside those of `related`.
    pub about: Option<RepoPath>,
    /// The commit that brought it, where history is looked at.
    pub origin: Option<Arc<Origin>>,
    /// Its number among the findings that nothing else tells apart, from 0. The report sets it.
    pub occurrence: usize,
}

impl Origin {
    /// Which commit brought the file, and whether it is still there.
    pub fn words(&self) -> String {
        let short = self.commit.get(..8).unwrap_or(&self.commit);
        let today = if self.is_at_head { "still at HEAD" } else { "no longer at HEAD" };
        format!("in {short}, {}, {today}", self.day)
    }
}

impl Finding {
    /// The message, and in history which commit it is about; for reports that have no other place
    /// for that.
    pub fn sentence(&self) -> Cow<'_, str> {
        match &self.origin {
            Some(origin) => format!("{} ({})", self.message, origin.words()).into(),
            None => (&*self.message).into(),
        }
    }

    /// Returns the name of the finding, in hexadecimal digits. It is unique in a report, and stays the
    /// same from run to run, in every format, when lines move, and when other findings come and go.
    ///
    /// It is a hash of rule, path, document and key path; no value goes into it. Two details are
    /// added where they are needed:
    /// * the occurrence, from the second finding on that agrees in all of these;
    /// * the commit, if history is scanned and the file is no longer the same at `HEAD`: the contents
    ///   of one path would share a name otherwise. A file that is the same at `HEAD` has the name that
    ///   a scan of `HEAD` gives it.
    pub fn fingerprint(&self) -> String {
        self.hash(self.past_commit(), self.occurrence)
    }

    /// Returns the fingerprint that a scan of the commit itself gives this finding: the one without
    /// the commit. Baselines know a finding by it.
    pub fn fingerprint_in_commit(&self) -> String {
        self.hash(None, self.occurrence)
    }

    /// Returns what the finding is numbered by: its fingerprint if it were the only one of its kind.
    pub(crate) fn kind(&self) -> String {
        self.hash(self.past_commit(), 0)
    }

    /// The commit that brought it, if the file is no longer the same at `HEAD`.
    fn past_commit(&self) -> Option<&str> {
        let origin = self.origin.as_deref().filter(|origin| !origin.is_at_head)?;
        Some(&origin.commit)
    }

    fn hash(&self, commit: Option<&str>, occurrence: usize) -> String {
        let mut hash = Sha256::new();
        let document = self.document.to_string();
        let key_path = self.key_path.as_deref().unwrap_or_default();
        for part in [self.rule.id, self.place.path.as_str(), &document, key_path] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        if occurrence > 0 {
            hash.update(occurrence.to_string());
        }
        if let Some(commit) = commit {
            hash.update([0]);
            hash.update(commit);
        }
        hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns what findings are sorted by: path, offset, rule; the rest breaks ties.
    pub fn order(&self) -> impl Ord + '_ {
        let place = (self.place.path.as_str(), self.place.start.offset);
        let commit = self.origin.as_deref().map(|origin| origin.commit.as_str());
        (place, self.rule.id, self.document, &self.key_path, &self.message, commit)
    }
}

/// A finding in the making.
#[derive(Debug)]
pub struct Draft<'c> {
    pub(crate) rule: &'static RuleMeta,
    pub(crate) level: Level,
    pub(crate) span: Span,
    pub(crate) document: usize,
    pub(crate) key_path: Option<String>,
    pub(crate) message: String,
    pub(crate) note: String,
    pub(crate) help: Option<String>,
    pub(crate) labels: Vec<DraftLabel<'c>>,
    pub(crate) fix: Option<Fix>,
    pub(crate) about: Option<RepoPath>,
}

/// A second place of a draft: in the judged file, or in another one.
#[derive(Debug)]
pub(crate) struct DraftLabel<'c> {
    pub(crate) elsewhere: Option<Elsewhere<'c>>,
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// A `.sops.yaml` that a label points into.
#[derive(Clone, Copy)]
pub struct Elsewhere<'c> {
    /// The file.
    pub path: &'c RepoPath,
    /// Its bytes.
    pub bytes: &'c [u8],
    /// Which of them may be shown.
    pub shown: &'c Shown,
}

impl<'c> Elsewhere<'c> {
    /// A config.
    pub fn of(config: &'c Config) -> Self {
        Self { path: &config.path, bytes: &config.bytes, shown: &config.shown }
    }
}

/// Shows nothing of the text.
impl std::fmt::Debug for Elsewhere<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elsewhere").finish_non_exhaustive()
    }
}

impl<'c> Draft<'c> {
    /// A finding of the rule's own level.
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
        }
    }

    /// Another level than the rule's.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The document, from 0, and the way to the value in it.
    #[must_use]
    pub fn at(mut self, document: usize, key_path: Option<String>) -> Self {
        self.document = document;
        self.key_path = key_path;
        self
    }

    /// A few words for the place itself.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A second place in the same file.
    #[must_use]
    pub fn also(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(DraftLabel { elsewhere: None, span, message: message.into() });
        self
    }

    /// A place in another file.
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

    /// Another file that it is about: where that one changed, it is reported too.
    #[must_use]
    pub fn about(mut self, path: RepoPath) -> Self {
        self.about = Some(path);
        self
    }

    /// What would repair it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}

/// Most findings of one rule and level at one file. Nobody reads a thousand, and a hostile file has
/// millions. By level, since an error fails the run and may not be lost behind warnings.
const MOST: usize = 100;

/// Where rules leave their drafts about one file: the first `MOST` of each rule and level.
#[derive(Debug, Default)]
pub struct Drafts<'c> {
    pub(crate) drafts: Vec<Draft<'c>>,
    counts: HashMap<(&'static str, Level), usize>,
}

impl<'c> Drafts<'c> {
    /// Adds one.
    pub fn push(&mut self, draft: Draft<'c>) {
        let count = self.counts.entry((draft.rule.id, draft.level)).or_default();
        *count += 1;
        if *count <= MOST {
            self.drafts.push(draft);
        }
    }

    /// Adds some.
    pub fn extend(&mut self, drafts: impl IntoIterator<Item = Draft<'c>>) {
        drafts.into_iter().for_each(|draft| self.push(draft));
    }

    /// All of them. The last of each kind says how many more there are.
    pub(crate) fn into_all(mut self) -> Vec<Draft<'c>> {
        for (kind, count) in self.counts.into_iter().filter(|(_, count)| *count > MOST) {
            let last = self.drafts.iter_mut().rfind(|draft| (draft.rule.id, draft.level) == kind);
            if let Some(last) = last {
                last.message +=
                    &format!("; {} more findings of this kind in this file", count - MOST);
            }
        }
        self.drafts
    }
}
