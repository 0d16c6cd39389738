//! Findings: rules, levels, places.
//!
//! A rule writes a [`Draft`] in byte offsets. Once its file has been judged, the drafts become
//! [`Finding`]s, which have lines and columns, and redacted copies of the lines that they point at.
//! A finding holds no other byte of any file.

mod draft;
mod fix;
mod level;
mod named;
mod opener;
mod rule_meta;

pub use draft::{Draft, Drafts, Elsewhere, MAX_FINDINGS, left_out};
pub use fix::{Applicability, Fix, Remedy, SELECTOR};
pub use level::Level;
pub use named::NamedRecipient;
pub use opener::Opener;
pub use rule_meta::{Needs, Risk, RuleId, RuleMeta};

use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::path::RepoPath;
use crate::shell::{Advice, Reader};
use crate::text::Position;

/// A place in a file, with its redacted line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: RepoPath,
    /// Position of the first character.
    pub start: Position,
    /// Position after the last character.
    pub end: Position,
    /// The line on which it starts, redacted byte for byte. Empty if there is nothing to show.
    pub line: String,
    /// Byte offset of that line in the file.
    pub line_start: usize,
}

/// A second place and what to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub place: Place,
    /// The text: lower case, no full stop.
    pub message: String,
}

/// The commit that added a version of a file, or the tree or blob of a tag without a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The id in hexadecimal digits.
    pub commit: String,
    /// The day in UTC: `2026-01-02`. Trees and blobs have none.
    pub day: Option<String>,
    /// True if `HEAD` has the same version.
    pub is_at_head: bool,
}

/// A fault at one place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static RuleMeta,
    /// Its level, which may be lower than the rule's.
    pub level: Level,
    /// The level that its rule gave it. Settings change only `level`.
    pub own_level: Level,
    /// The place.
    pub place: Place,
    /// The document in the file, counted from 0.
    pub document: usize,
    /// The path of the value: `stringData.password`.
    pub key_path: Option<String>,
    /// The paths of all values that it is about, [`Finding::key_path`] among them. A path occurs as often
    /// as there are values that it describes.
    pub key_paths: Vec<String>,
    /// The number of further values and findings that it covers and that are not in `key_paths`.
    pub unlisted: usize,
    /// One sentence without a full stop. It has names, paths and counts, and never a value.
    pub message: String,
    /// A few words for the place itself.
    pub note: String,
    /// The next step.
    pub help: Option<Advice>,
    /// Related places in this file and in others.
    pub related: Vec<Label>,
    /// The recipients that it is about.
    pub recipients: Vec<NamedRecipient>,
    /// A change that would resolve it.
    pub fix: Option<Fix>,
    /// Another file that it is about, besides those in `related`.
    pub about: Option<RepoPath>,
    /// The private key that it is about, until the recipients of the whole tree are known.
    pub opener: Option<Opener>,
    /// True if it is worse than what the same place had without the rest of the tree. It is another
    /// finding then.
    pub is_raised: bool,
    /// The commit that added it, in a scan of the history.
    pub origin: Option<Arc<Origin>>,
    /// The indices in `key_paths` of the values that are new or different since the change that is judged;
    /// 0 if there is no key path and the file is.
    pub new_values: Vec<usize>,
    /// Number among the findings that nothing else tells apart, from 0. The report sets it.
    pub occurrence: usize,
}

impl Origin {
    /// Returns the commit that added the file, and whether `HEAD` still has it.
    pub fn words(&self) -> String {
        let short = self.commit.get(..8).unwrap_or(&self.commit);
        let today = if self.is_at_head { "still at HEAD" } else { "no longer at HEAD" };
        match &self.day {
            Some(day) => format!("in {short}, {day}, {today}"),
            None => format!("in {short}, {today}"),
        }
    }
}

impl Finding {
    /// Returns the message. In a scan of the history the commit follows, for reports that have no
    /// other place for it.
    pub fn sentence(&self) -> Cow<'_, str> {
        match &self.origin {
            Some(origin) => format!("{} ({})", self.message, origin.words()).into(),
            None => (&*self.message).into(),
        }
    }

    /// Returns the next step for a reader at the root of the tree: that of reports for programs.
    pub fn help_at_root(&self) -> Option<String> {
        self.help.as_ref().map(|help| help.text(&Reader::at_root()))
    }

    /// Returns the name of the finding, in hexadecimal digits. It is unique in a report, and stays the
    /// same from run to run, in every format, when lines move, and when other findings come and go.
    ///
    /// It is a hash of rule, path, document and key path; no value goes into it. Three details are
    /// added where they are needed:
    /// * a mark, if the finding is raised;
    /// * the occurrence, from the second finding on that agrees in all of these;
    /// * the commit, if history is scanned and the file is no longer the same at `HEAD`: otherwise the
    ///   contents of one path would share a name. A file that is the same at `HEAD` has the name that
    ///   a scan of `HEAD` gives it.
    pub fn fingerprint(&self) -> String {
        self.hash(self.past_commit(), self.occurrence)
    }

    /// Returns the fingerprint that the finding would have if it were the only one of its kind.
    pub(crate) fn kind(&self) -> String {
        self.hash(self.past_commit(), 0)
    }

    /// Returns the commit that added the file, if `HEAD` has another version.
    fn past_commit(&self) -> Option<&str> {
        let origin = self.origin.as_deref().filter(|origin| !origin.is_at_head)?;
        Some(&origin.commit)
    }

    fn hash(&self, commit: Option<&str>, occurrence: usize) -> String {
        let mut hash = Sha256::new();
        let document = self.document.to_string();
        let key_path = self.key_path.as_deref().unwrap_or_default();
        for part in [self.rule.id.as_str(), self.place.path.as_str(), &document, key_path] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        if self.is_raised {
            hash.update("raised\0");
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

    /// Returns the sort key: path, offset and rule. The rest makes the order of ties stable.
    pub fn order(&self) -> impl Ord + '_ {
        let place = (self.place.path.as_str(), self.place.start.offset);
        let commit = self.origin.as_deref().map(|origin| origin.commit.as_str());
        (place, self.rule.id, self.document, &self.key_path, &self.message, commit)
    }
}
