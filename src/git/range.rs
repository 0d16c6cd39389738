//! Ranges of commits, in the syntax of `git log`.

use gix::ObjectId;

use super::error::GitError;
use super::objects::Peeled;
use super::repo::Repo;

/// The prefixes of branches and tags. A mirror has others: `refs/pull/*` has everyone's pull requests.
const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// The prefix of the branches of other repositories, as they were last fetched.
const REMOTES: &str = "refs/remotes/";

/// Commits to begin with, and commits to leave out, with all their ancestors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The commits where the walk begins.
    pub tips: Vec<ObjectId>,
    /// The commits where it ends.
    pub known: Vec<ObjectId>,
    /// The trees of tags that name a tree instead of a commit.
    pub trees: Vec<ObjectId>,
    /// The blobs of tags that name a blob instead of a commit.
    pub blobs: Vec<ObjectId>,
    /// The trees whose files are current: those that were named, or that of `HEAD`. The settings of the
    /// first one apply to files that are gone.
    pub heads: Vec<ObjectId>,
}

impl Range {
    fn add(&mut self, found: Peeled) {
        match found {
            Peeled::Commit(id) => self.tips.push(id),
            Peeled::Tree(id) => self.trees.push(id),
            Peeled::Blob(id) => self.blobs.push(id),
        }
    }
}

impl Repo {
    /// Parses a range: `A..B`, `A...B`, `A`, `^A`, `--all`, `--remotes`, `--remotes=NAME`, `--not` and
    /// `--ignore-missing`, separated by spaces. Without a text, it is the history of all branches and
    /// tags. An id of zeros, which git passes to hooks if there is no commit, means no commit.
    pub fn range(&self, text: Option<&str>) -> Result<Range, GitError> {
        let mut range = match text {
            Some(text) => self.parsed(text)?,
            None => self.everything()?,
        };
        if range.heads.is_empty()
            && let Some(head) = self.head()?
        {
            range.heads.push(self.tree_of(head)?);
        }
        for named in [&mut range.trees, &mut range.blobs] {
            named.sort_unstable();
            named.dedup();
        }
        Ok(range)
    }

    fn everything(&self) -> Result<Range, GitError> {
        let mut range = Range::default();
        for prefix in [BRANCHES, TAGS, REMOTES] {
            for found in self.refs(prefix) {
                range.add(found?);
            }
        }
        range.tips.extend(self.head()?);
        Ok(range)
    }

    fn parsed(&self, text: &str) -> Result<Range, GitError> {
        let mut range = Range::default();
        let mut is_excluded = false;
        let mut may_be_missing = false;
        for word in text.split_whitespace() {
            match word {
                "--not" => is_excluded = !is_excluded,
                "--ignore-missing" => may_be_missing = true,
                _ if let Some(prefix) = prefix(word) => {
                    let refs = self.refs(&prefix).into_iter();
                    if is_excluded {
                        // To leave out less is to check more: a ref may be damaged.
                        range.known.extend(refs.flatten().filter_map(Peeled::commit));
                        continue;
                    }
                    // They name no heads: the first branch is not the current one.
                    for found in refs {
                        range.add(found?);
                    }
                }
                _ if word.starts_with('-') => return Err(GitError::BadRange(text.to_owned())),
                _ => {
                    let (tips, known) = match self.revisions(word) {
                        Err(GitError::UnknownCommit(_)) if may_be_missing => continue,
                        revisions => revisions?,
                    };
                    let (named, outside) = if is_excluded { (known, tips) } else { (tips, known) };
                    range.known.extend(outside.into_iter().filter_map(Peeled::commit));
                    for found in named {
                        range.heads.extend(self.tree_in(found)?);
                        range.add(found);
                    }
                }
            }
        }
        if text.trim().is_empty() {
            return Err(GitError::BadRange(format!("{text:?}")));
        }
        Ok(range)
    }

    fn tree_in(&self, found: Peeled) -> Result<Option<ObjectId>, GitError> {
        match found {
            Peeled::Commit(id) => self.tree_of(id).map(Some),
            Peeled::Tree(id) => Ok(Some(id)),
            Peeled::Blob(_) => Ok(None),
        }
    }

    /// Returns what a word names, and what it leaves out.
    fn revisions(&self, word: &str) -> Result<(Vec<Peeled>, Vec<Peeled>), GitError> {
        let commit = |name: &str| {
            let name = if name.is_empty() { "HEAD" } else { name };
            if is_nothing(name) { Ok(None) } else { self.commit(name).map(Some) }
        };
        let all = |ids: Vec<Option<ObjectId>>| -> Vec<Peeled> {
            ids.into_iter().flatten().map(Peeled::Commit).collect()
        };
        if let Some((one, other)) = word.split_once("...") {
            let (one, other) = (commit(one)?, commit(other)?);
            let base = match one.zip(other) {
                Some((one, other)) => self.merge_base(one, other)?,
                None => None,
            };
            return Ok((all(vec![one, other]), all(vec![base])));
        }
        if let Some((known, tip)) = word.split_once("..") {
            let known = commit(known)?;
            return Ok((all(vec![commit(tip)?]), all(vec![known])));
        }
        if let Some(known) = word.strip_prefix('^') {
            return Ok((Vec::new(), all(vec![commit(known)?])));
        }
        let tips = if is_nothing(word) { Vec::new() } else { vec![self.object(word)?] };
        Ok((tips, Vec::new()))
    }
}

/// Reports whether a word is the id of no object.
fn is_nothing(word: &str) -> bool {
    word.len() >= 40 && word.bytes().all(|byte| byte == b'0')
}

/// Returns what the names of the refs begin with that an option stands for.
fn prefix(option: &str) -> Option<String> {
    match option {
        "--all" => Some(String::new()),
        "--remotes" => Some(REMOTES.to_owned()),
        _ => option.strip_prefix("--remotes=").map(|name| format!("{REMOTES}{name}/")),
    }
}
