//! History: every file that a commit brought, once.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::traverse::commit::Simple;

use super::objects::Fields;
use super::tree::{Change, File};
use super::{GitError, Range, Repo};
use crate::path::RepoPath;

/// Commits that one thread compares in one go: neighbours have most directories in common.
const BATCH: usize = 256;

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
        let Walked { found, mut compared } = self.walk(range, config)?;
        let commits = parents_first(found);
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
        for number in 0..ledger.brought.commits.len() {
            let id = ledger.brought.commits[number].id;
            let compared = compared.remove(&id).expect("every commit that was found was compared");
            ledger.enter(number, compared)?;
        }
        Ok(ledger.brought)
    }

    /// The commits of a range, in no order, and what each has that its parents have not. While the
    /// next ones are looked for, the last ones are compared.
    fn walk(&self, range: &Range, config: &str) -> Result<Walked, GitError> {
        let compared = Mutex::new(Ok(gix::hashtable::HashMap::default()));
        let compare = |batch: Vec<(ObjectId, Fields)>| {
            let batch = self.compare_all(&batch, config);
            let Ok(mut all) = compared.lock() else { return };
            match (&mut *all, batch) {
                (Ok(all), Ok(batch)) => all.extend(batch),
                (Ok(_), Err(error)) => *all = Err(error),
                (Err(_), _) => {}
            }
        };
        let found = rayon::scope(|scope| {
            let mut found: Vec<(ObjectId, Fields)> = Vec::new();
            let mut done = 0;
            self.each_commit(range, &mut |id, fields| {
                found.push((id, fields));
                if found.len() - done == BATCH {
                    let batch = found[done..].to_vec();
                    scope.spawn(|_| compare(batch));
                    done = found.len();
                }
            })?;
            let rest = found[done..].to_vec();
            scope.spawn(|_| compare(rest));
            Ok::<_, GitError>(found)
        })?;
        let compared = compared.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        Ok(Walked { found, compared })
    }

    /// Calls `visit` with every commit of a range, children before their parents for the most part.
    fn each_commit(
        &self,
        range: &Range,
        visit: &mut dyn FnMut(ObjectId, Fields),
    ) -> Result<(), GitError> {
        let objects = self.stores.reader();
        let is_shallow = self.is_shallow();
        let present = |id: &gix::oid| !is_shallow || objects.contains(id.into());
        let unreadable = |error| GitError::unreadable("the history", error);
        let mut walk = Simple::filtered(range.tips.iter().copied(), &objects, present)
            .hide(range.known.iter().copied())
            .map_err(unreadable)?;
        while let Some(info) = walk.next() {
            let id = info.map_err(unreadable)?.id;
            let fields = super::objects::fields(walk.commit_iter());
            let damaged = || GitError::unreadable(format!("commit {id}"), "it is damaged");
            visit(id, fields.ok_or_else(damaged)?);
        }
        Ok(())
    }

    fn compare_all(
        &self,
        batch: &[(ObjectId, Fields)],
        config: &str,
    ) -> Result<Vec<(ObjectId, Compared)>, GitError> {
        let trees: gix::hashtable::HashMap<ObjectId, ObjectId> =
            batch.iter().map(|(id, fields)| (*id, fields.tree)).collect();
        // None of a parent that was not cloned.
        let tree_of =
            |parent: ObjectId| trees.get(&parent).copied().or_else(|| self.tree_of(parent).ok());
        let compare = |(id, fields): &(ObjectId, Fields)| {
            let parents = fields.parents.iter().map(|parent| tree_of(*parent));
            Ok((*id, self.compare(fields.tree, parents, config)?))
        };
        batch.iter().map(compare).collect()
    }

    /// A tree beside those of its parents.
    fn compare(
        &self,
        tree: ObjectId,
        mut parents: impl Iterator<Item = Option<ObjectId>>,
        config: &str,
    ) -> Result<Compared, GitError> {
        let changes = self.changes(parents.next().flatten(), tree)?;
        let mut is_new: Vec<bool> = changes.iter().map(|change| change.now.is_some()).collect();
        // What a merge has from another parent is not the merge's.
        for parent in parents.flatten() {
            if !is_new.contains(&true) {
                break;
            }
            let others = self.changes(Some(parent), tree)?;
            let others: HashSet<&RepoPath> = others.iter().map(|change| &change.path).collect();
            for (is_new, change) in is_new.iter_mut().zip(&changes) {
                *is_new &= others.contains(&change.path);
            }
        }
        let mut compared = Compared { files: Vec::new(), configs: Vec::new() };
        for (change, is_new) in changes.into_iter().zip(is_new) {
            if change.path.file_name() == config {
                compared.configs.push(change.clone());
            }
            if let Some(blob) = change.now.filter(|_| is_new) {
                compared.files.push(File { path: change.path, blob });
            }
        }
        Ok(compared)
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

/// What a walk through a range came to.
struct Walked {
    found: Vec<(ObjectId, Fields)>,
    compared: gix::hashtable::HashMap<ObjectId, Compared>,
}

/// A commit beside its parents.
struct Compared {
    /// The files that stand in no parent.
    files: Vec<File>,
    /// How its configs differ from those of its first parent.
    configs: Vec<Change>,
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
    /// Writes down what a commit brought; after its parents.
    fn enter(&mut self, number: usize, compared: Compared) -> Result<(), GitError> {
        self.brought.commits[number].state = self.state(number, compared.configs)?;
        for file in compared.files {
            if self.seen.insert(file.clone()) {
                self.brought.newcomers.push(Newcomer { file, commit: number });
            }
        }
        Ok(())
    }

    /// The configs of a commit: those of its first parent, and what it changed.
    fn state(&mut self, number: usize, changed: Vec<Change>) -> Result<usize, GitError> {
        let parent = self.brought.commits[number].parents.first().copied();
        let inherited = parent.and_then(|parent| self.numbers.get(&parent).copied());
        let mut configs = match inherited {
            Some(parent) => {
                let state = self.brought.commits[parent].state;
                if changed.is_empty() {
                    return Ok(state);
                }
                self.brought.states[state].clone()
            }
            None => self.configs_of(self.brought.commits[number].tree)?,
        };
        if inherited.is_some() {
            for change in changed {
                configs.retain(|config| config.path != change.path);
                let Change { path, now } = change;
                configs.extend(now.map(|blob| File { path, blob }));
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
