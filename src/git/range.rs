//! Ranges of commits, in the syntax of `git log`.

use gix::ObjectId;

use super::error::GitError;
use super::repo::Repo;

/// The prefix of the branches of other repositories, as they were last fetched.
const REMOTES: &str = "refs/remotes/";

/// Commits to begin with, and commits to leave out, with all their ancestors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The commits where the walk begins.
    pub tips: Vec<ObjectId>,
    /// The commits where it ends.
    pub known: Vec<ObjectId>,
    /// The commits whose files are current: those that were named, or `HEAD`. The settings of the first
    /// one apply to files that are gone.
    pub heads: Vec<ObjectId>,
}

impl Repo {
    /// Parses a range: `A..B`, `A...B`, `A`, `^A`, `--all`, `--remotes`, `--remotes=NAME`, `--not` and
    /// `--ignore-missing`, separated by spaces. Without a text, it is the history of all branches and
    /// tags. An id of zeros, which git passes to hooks if there is no commit, means no commit.
    pub fn range(&self, text: Option<&str>) -> Result<Range, GitError> {
        let Some(text) = text else {
            let tips: Result<Vec<_>, _> = self.refs("").into_iter().collect();
            let (mut tips, head) = (tips?, self.head()?);
            tips.extend(head);
            return Ok(Range { tips, known: Vec::new(), heads: head.into_iter().collect() });
        };
        let mut range = Range::default();
        let mut is_excluded = false;
        let mut may_be_missing = false;
        for word in text.split_whitespace() {
            let (tips, known) = match word {
                "--not" => {
                    is_excluded = !is_excluded;
                    continue;
                }
                "--ignore-missing" => {
                    may_be_missing = true;
                    continue;
                }
                _ if let Some(prefix) = prefix(word) => {
                    // To leave out less is to check more.
                    let refs = self.refs(&prefix).into_iter();
                    let tips: Result<Vec<_>, _> =
                        refs.filter(|found| found.is_ok() || !is_excluded).collect();
                    (tips?, Vec::new())
                }
                _ if word.starts_with('-') => return Err(GitError::BadRange(text.to_owned())),
                _ => {
                    let (tips, known) = match self.revisions(word) {
                        Err(GitError::UnknownCommit(_)) if may_be_missing => continue,
                        revisions => revisions?,
                    };
                    // `--all` and `--remotes` name no heads: the first branch is not the current one.
                    let named = if is_excluded { &known } else { &tips };
                    range.heads.extend(named);
                    (tips, known)
                }
            };
            let (in_range, outside) = if is_excluded { (known, tips) } else { (tips, known) };
            range.tips.extend(in_range);
            range.known.extend(outside);
        }
        if text.trim().is_empty() {
            return Err(GitError::BadRange(format!("{text:?}")));
        }
        if range.heads.is_empty() {
            range.heads.extend(self.head()?);
        }
        Ok(range)
    }

    /// Returns the commits of a word, and those that it leaves out.
    fn revisions(&self, word: &str) -> Result<(Vec<ObjectId>, Vec<ObjectId>), GitError> {
        let commit = |name: &str| {
            let name = if name.is_empty() { "HEAD" } else { name };
            let is_nothing = name.len() >= 40 && name.bytes().all(|byte| byte == b'0');
            if is_nothing { Ok(None) } else { self.commit(name).map(Some) }
        };
        if let Some((one, other)) = word.split_once("...") {
            let tips: Vec<ObjectId> =
                [commit(one)?, commit(other)?].into_iter().flatten().collect();
            let base = match tips[..] {
                [one, other] => self.merge_base(one, other)?,
                _ => None,
            };
            return Ok((tips, base.into_iter().collect()));
        }
        let (known, tip) = match (word.split_once(".."), word.strip_prefix('^')) {
            (Some((known, tip)), _) => (commit(known)?, commit(tip)?),
            (None, Some(known)) => (commit(known)?, None),
            (None, None) => (None, commit(word)?),
        };
        Ok((tip.into_iter().collect(), known.into_iter().collect()))
    }
}

/// Returns what the names of the refs begin with that an option stands for.
fn prefix(option: &str) -> Option<String> {
    match option {
        "--all" => Some(String::new()),
        "--remotes" => Some(REMOTES.to_owned()),
        _ => option.strip_prefix("--remotes=").map(|name| format!("{REMOTES}{name}/")),
    }
}
