//! History: every file that a commit brought, once.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::traverse::commit::Simple;
use rayon::prelude::*;

use super::objects::Fields;
use super::tree::{Change, File};
use super::{GitError, Range, Repo};
use crate::path::RepoPath;

/// Commits that are compared before what they brought is written down: a bound for memory.
const CHUNK: usize = 4096;

/// What the commits of a range brought.
#[derive(Debug, Default)]
pub struct Brought {
    /// Parents before their children.
    pub commits: Vec<Commit>,
    /// Each pair of path and content once, by the first commit that had it.
    pub newcomers: Vec<Newcomer>,
    /// The configs of a commit's tree, sorted by path. Few of them differ.
    pub states: Vec<Vec<File>>,
}

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub time: i64,
    /// The number of its state.
    pub state: usize,
    parents: Vec<ObjectId>,
}

impl Commit {
    /// The day on which it was made, in UTC: `2026-01-02`.
    pub fn day(&self) -> String {
        let time = gix::date::Time { seconds: self.time, offset: 0 };
        time.format(gix::date::time::format::SHORT)
            .unwrap_or_else(|_| "on an unknown day".to_owned())
    }
}

/// A file that stands in a commit and in none of its parents.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Where, and what.
    pub file: File,
    /// The number of the commit.
    pub commit: usize,
}

impl Repo {
    /// All that the commits of a range brought. `config` is the name of configs.
    pub fn brought(&self, range: &Range, config: &str) -> Result<Brought, GitError> {
        self.stores.open_packs();
        let commits = self.walk(range)?;
        let numbers: gix::hashtable::HashMap<ObjectId, usize> =
            commits.iter().enumerate().map(|(number, commit)| (commit.id, number)).collect();
        let mut ledger = Ledger {
            repo: self,
            config,
            brought: Brought { commits, ..Brought::default() },
            numbers,
            seen: HashSet::new(),
            by_state: HashMap::new(),
        };
        for start in (0..ledger.brought.commits.len()).step_by(CHUNK) {
            let end = (start + CHUNK).min(ledger.brought.commits.len());
            let compared: Result<Vec<Compared>, GitError> = (start..end)
                .into_par_iter()
                .map(|number| ledger.compare(&ledger.brought.commits[number]))
                .collect();
            for (number, compared) in (start..end).zip(compared?) {
                ledger.enter(number, compared)?;
            }
        }
        Ok(ledger.brought)
    }

    /// The commits of a range, parents before their children.
    fn walk(&self, range: &Range) -> Result<Vec<Commit>, GitError> {
        let objects = self.stores.reader();
        let is_shallow = self.is_shallow();
        let present = |id: &gix::oid| !is_shallow || objects.contains(id.into());
        let unreadable = |error| GitError::unreadable("the history", error);
        let mut walk = Simple::filtered(range.tips.iter().copied(), &objects, present)
            .hide(range.known.iter().copied())
            .map_err(unreadable)?;
        let mut found: Vec<(ObjectId, Fields)> = Vec::new();
        while let Some(info) = walk.next() {
            let id = info.map_err(unreadable)?.id;
            let fields = super::objects::fields(walk.commit_iter());
            let fields = fields
                .ok_or_else(|| GitError::unreadable(format!("commit {id}"), "it is damaged"))?;
            found.push((id, fields));
        }
        Ok(parents_first(found))
    }
}

/// Sorted by time where nothing else decides.
fn parents_first(mut found: Vec<(ObjectId, Fields)>) -> Vec<Commit> {
    found.sort_by_key(|(id, fields)| (fields.time, *id));
    let mut order = Vec::with_capacity(found.len());
    let numbers: gix::hashtable::HashMap<ObjectId, usize> =
        found.iter().enumerate().map(|(number, (id, _))| (*id, number)).collect();
    let mut is_entered = vec![false; found.len()];
    let mut path = Vec::new();
    for start in 0..found.len() {
        path.push(start);
        while let Some(number) = path.last().copied() {
            let parents = found[number].1.parents.iter();
            let mut waiting = parents.filter_map(|id| numbers.get(id)).filter(|n| !is_entered[**n]);
            if is_entered[number] {
                path.pop();
            } else if let Some(parent) = waiting.next() {
                path.push(*parent);
            } else {
                is_entered[number] = true;
                order.push(number);
                path.pop();
            }
        }
    }
    let commit = |number: usize| {
        let (id, Fields { tree, ref parents, time }) = found[number];
        Commit { id, tree, time, state: 0, parents: parents.clone() }
    };
    order.into_iter().map(commit).collect()
}

/// A commit beside its parents.
struct Compared {
    /// What is different from its first parent.
    changes: Vec<Change>,
    /// Which of these stand in no parent.
    is_new: Vec<bool>,
}

struct Ledger<'r> {
    repo: &'r Repo,
    config: &'r str,
    brought: Brought,
    numbers: gix::hashtable::HashMap<ObjectId, usize>,
    seen: HashSet<File>,
    by_state: HashMap<Vec<File>, usize>,
}

impl Ledger<'_> {
    /// The tree of a parent; `None` if it was not cloned.
    fn tree_of(&self, parent: ObjectId) -> Option<ObjectId> {
        match self.numbers.get(&parent) {
            Some(number) => Some(self.brought.commits[*number].tree),
            None => self.repo.tree_of(parent).ok(),
        }
    }

    fn compare(&self, commit: &Commit) -> Result<Compared, GitError> {
        let mut parents = commit.parents.iter().map(|parent| self.tree_of(*parent));
        let changes = self.repo.changes(parents.next().flatten(), commit.tree)?;
        let mut is_new: Vec<bool> = changes.iter().map(|change| change.now.is_some()).collect();
        // What a merge has from another parent is not the merge's.
        for parent in parents.flatten() {
            if !is_new.contains(&true) {
                break;
            }
            let others = self.repo.changes(Some(parent), commit.tree)?;
            let others: HashSet<&RepoPath> = others.iter().map(|change| &change.path).collect();
            for (is_new, change) in is_new.iter_mut().zip(&changes) {
                *is_new &= others.contains(&change.path);
            }
        }
        Ok(Compared { changes, is_new })
    }

    /// Writes down what a commit brought; after its parents.
    fn enter(&mut self, number: usize, compared: Compared) -> Result<(), GitError> {
        let Compared { changes, is_new } = compared;
        self.brought.commits[number].state = self.state(number, &changes)?;
        for (change, is_new) in changes.into_iter().zip(is_new) {
            let (true, Some(blob)) = (is_new, change.now) else { continue };
            let file = File { path: change.path, blob };
            if self.seen.insert(file.clone()) {
                self.brought.newcomers.push(Newcomer { file, commit: number });
            }
        }
        Ok(())
    }

    /// The configs of a commit: those of its first parent, and what it changed.
    fn state(&mut self, number: usize, changes: &[Change]) -> Result<usize, GitError> {
        let parent = self.brought.commits[number].parents.first().copied();
        let inherited = parent.and_then(|parent| self.numbers.get(&parent).copied());
        let mut changed = changes.iter().filter(|c| c.path.file_name() == self.config).peekable();
        let mut configs = match inherited {
            Some(parent) => {
                let state = self.brought.commits[parent].state;
                if changed.peek().is_none() {
                    return Ok(state);
                }
                self.brought.states[state].clone()
            }
            None => self.configs_of(self.brought.commits[number].tree)?,
        };
        if inherited.is_some() {
            for change in changed {
                configs.retain(|config| config.path != change.path);
                let path = change.path.clone();
                configs.extend(change.now.map(|blob| File { path, blob }));
            }
            configs.sort_by(|one, other| one.path.cmp(&other.path));
        }
        if let Some(state) = self.by_state.get(&configs) {
            return Ok(*state);
        }
        self.brought.states.push(configs.clone());
        let state = self.brought.states.len() - 1;
        self.by_state.insert(configs, state);
        Ok(state)
    }

    fn configs_of(&self, tree: ObjectId) -> Result<Vec<File>, GitError> {
        let files = self.repo.files(tree)?.into_iter();
        Ok(files.filter(|file| file.path.file_name() == self.config).collect())
    }
}
