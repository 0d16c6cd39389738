//! History: every file that a commit added or changed, once.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::traverse::commit::Simple;

use super::error::GitError;
use super::objects::{self, Fields};
use super::range::Range;
use super::repo::Repo;
use super::tree::{Change, File};
use crate::path::RepoPath;

/// Commits that one thread compares together: neighbours have most directories in common.
const BATCH: usize = 256;

/// The files that the commits of a range added or changed.
#[derive(Debug, Default)]
pub struct Brought {
    /// Parents before their children.
    pub commits: Vec<Commit>,
    /// Each pair of path and content once, with the first commit that had it. Those of one path follow one
    /// another, the newest first: git stores older contents as deltas of newer ones.
    pub newcomers: Vec<Newcomer>,
    /// The different sets of configs that commits have, sorted by path.
    pub states: Vec<Vec<File>>,
}

/// A commit, or a tree or blob that a tag names instead of a commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Its tree; the empty one for a blob.
    pub tree: ObjectId,
    /// Its time, in seconds since 1970-01-01 UTC. Trees and blobs have none.
    pub time: Option<i64>,
    /// The index of its configs in [`Brought::states`].
    pub state: usize,
}

impl Commit {
    /// Returns its date in UTC: `2026-01-02`.
    pub fn day(&self) -> Option<String> {
        let time = gix::date::Time { seconds: self.time?, offset: 0 };
        time.format(gix::date::time::format::SHORT).ok()
    }
}

/// A file of a commit that none of the parents has.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// The path and the content.
    pub file: File,
    /// The index of the commit in [`Brought::commits`].
    pub commit: usize,
}

impl Repo {
    /// Returns the files that the commits of a range added or changed. `config` is the name of configs.
    pub fn brought(&self, range: &Range, config: &str) -> Result<Brought, GitError> {
        self.open_packs();
        let mut found = self.walk(range, config)?;
        let mut ledger = Ledger {
            repo: self,
            config,
            brought: Brought::default(),
            numbers: gix::hashtable::HashMap::default(),
            by_state: HashMap::new(),
        };
        for place in parents_first(&found) {
            let Found { id, fields, compared } = &mut found[place];
            ledger.enter(*id, fields, mem::take(compared))?;
        }
        for tree in &range.trees {
            ledger.enter_tree(*tree)?;
        }
        for blob in &range.blobs {
            ledger.enter_blob(*blob);
        }
        Ok(Brought { newcomers: once(ledger.brought.newcomers), ..ledger.brought })
    }

    /// Returns the commits of a range, in any order. The last ones are compared with their parents while
    /// the walk goes on.
    fn walk(&self, range: &Range, config: &str) -> Result<Vec<Found>, GitError> {
        let all = Mutex::new(Ok(Vec::new()));
        let compare = |batch: Vec<(ObjectId, Fields)>| {
            let batch = self.compare_all(batch, config);
            let Ok(mut all) = all.lock() else { return };
            match (&mut *all, batch) {
                (Ok(all), Ok(batch)) => all.extend(batch),
                (Ok(_), Err(error)) => *all = Err(error),
                (Err(_), _) => {}
            }
        };
        rayon::scope(|scope| {
            let mut batch = Vec::new();
            self.each_commit(range, &mut |id, fields| {
                batch.push((id, fields));
                if batch.len() == BATCH {
                    let full = mem::take(&mut batch);
                    scope.spawn(|_| compare(full));
                }
            })?;
            scope.spawn(|_| compare(batch));
            Ok::<_, GitError>(())
        })?;
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `visit` with every commit of a range, children before their parents for the most part.
    fn each_commit(
        &self,
        range: &Range,
        visit: &mut dyn FnMut(ObjectId, Fields),
    ) -> Result<(), GitError> {
        let commits = self.commits()?;
        let unreadable = |error| GitError::unreadable("the history", error);
        let mut walk = Simple::new(range.tips.iter().copied(), &commits)
            .hide(range.known.iter().copied())
            .map_err(unreadable)?;
        let mut left = range.limit.unwrap_or(usize::MAX);
        while let Some(info) = walk.next() {
            if left == 0 {
                break;
            }
            left -= 1;
            let id = info.map_err(unreadable)?.id;
            let fields = objects::fields(walk.commit_iter());
            let damaged = || GitError::unreadable(format!("commit {id}"), "it is damaged");
            visit(id, fields.ok_or_else(damaged)?);
        }
        Ok(())
    }

    fn compare_all(
        &self,
        batch: Vec<(ObjectId, Fields)>,
        config: &str,
    ) -> Result<Vec<Found>, GitError> {
        let trees: gix::hashtable::HashMap<ObjectId, ObjectId> =
            batch.iter().map(|(id, fields)| (*id, fields.tree)).collect();
        // Without the tree of a parent, more files count as new.
        let tree_of =
            |parent: ObjectId| trees.get(&parent).copied().or_else(|| self.tree_of(parent).ok());
        let compare = |(id, fields): (ObjectId, Fields)| {
            let parents = fields.parents.iter().map(|parent| tree_of(*parent));
            let compared = self.compare(fields.tree, parents, config)?;
            Ok(Found { id, fields, compared })
        };
        batch.into_iter().map(compare).collect()
    }

    /// Compares a tree with those of its parents.
    fn compare(
        &self,
        tree: ObjectId,
        mut parents: impl Iterator<Item = Option<ObjectId>>,
        config: &str,
    ) -> Result<Compared, GitError> {
        let changes = self.changes(parents.next().flatten(), tree)?;
        let mut is_new: Vec<bool> = changes.iter().map(|change| change.now.is_some()).collect();
        // A file that a merge has from another parent is not new.
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

/// Returns the order of the commits, parents first and otherwise by time.
fn parents_first(found: &[Found]) -> Vec<usize> {
    let mut starts: Vec<usize> = (0..found.len()).collect();
    starts.sort_unstable_by_key(|place| (found[*place].fields.time, found[*place].id));
    let places: gix::hashtable::HashMap<ObjectId, usize> =
        found.iter().enumerate().map(|(place, commit)| (commit.id, place)).collect();
    let mut order = Vec::with_capacity(found.len());
    let mut is_entered = vec![false; found.len()];
    let mut path = Vec::new();
    for start in starts {
        path.push(start);
        while let Some(place) = path.last().copied() {
            let parents = found[place].fields.parents.iter();
            let mut waiting =
                parents.filter_map(|id| places.get(id)).filter(|at| !is_entered[**at]);
            if is_entered[place] {
                path.pop();
            } else if let Some(parent) = waiting.next() {
                path.push(*parent);
            } else {
                is_entered[place] = true;
                order.push(place);
                path.pop();
            }
        }
    }
    order
}

/// Removes repeated pairs of path and content from newcomers in the order of their commits.
fn once(mut newcomers: Vec<Newcomer>) -> Vec<Newcomer> {
    newcomers.sort_by(|one, other| one.file.path.cmp(&other.file.path));
    let mut path = RepoPath::root();
    let mut seen = gix::hashtable::HashSet::default();
    newcomers.retain(|Newcomer { file, .. }| {
        if file.path != path {
            path.clone_from(&file.path);
            seen.clear();
        }
        seen.insert(file.blob)
    });
    newcomers.reverse();
    newcomers
}

/// A commit of a range, compared with its parents.
struct Found {
    id: ObjectId,
    fields: Fields,
    compared: Compared,
}

/// The differences between a commit and its parents.
#[derive(Default)]
struct Compared {
    /// The files that no parent has.
    files: Vec<File>,
    /// The differences from the configs of its first parent.
    configs: Vec<Change>,
}

struct Ledger<'r> {
    repo: &'r Repo,
    config: &'r str,
    brought: Brought,
    /// The indices of the commits entered so far.
    numbers: gix::hashtable::HashMap<ObjectId, usize>,
    by_state: HashMap<Vec<File>, usize>,
}

impl Ledger<'_> {
    /// Enters a commit, after its parents.
    fn enter(&mut self, id: ObjectId, fields: &Fields, compared: Compared) -> Result<(), GitError> {
        let state = self.state(fields, compared.configs)?;
        self.numbers.insert(id, self.brought.commits.len());
        let commit = Commit { id, tree: fields.tree, time: Some(fields.time), state };
        self.push(commit, compared.files);
        Ok(())
    }

    /// Enters a tree with all its files. Those that a commit has too belong to the commit.
    fn enter_tree(&mut self, tree: ObjectId) -> Result<(), GitError> {
        let files = self.repo.files(tree)?;
        let state = self.numbered(self.configs_among(&files));
        self.push(Commit { id: tree, tree, time: None, state }, files);
        Ok(())
    }

    /// Enters a blob. It has no name, and so no config: it is read as YAML.
    fn enter_blob(&mut self, blob: ObjectId) {
        let state = self.numbered(Vec::new());
        let tree = ObjectId::empty_tree(blob.kind());
        let path = format!("{blob}.yaml").as_str().into();
        self.push(Commit { id: blob, tree, time: None, state }, vec![File { path, blob }]);
    }

    fn push(&mut self, commit: Commit, files: Vec<File>) {
        let number = self.brought.commits.len();
        let newcomers = files.into_iter().map(|file| Newcomer { file, commit: number });
        self.brought.newcomers.extend(newcomers);
        self.brought.commits.push(commit);
    }

    /// Returns the index of a commit's configs: those of its first parent, with its changes.
    fn state(&mut self, commit: &Fields, changed: Vec<Change>) -> Result<usize, GitError> {
        let inherited = commit.parents.first().and_then(|parent| self.numbers.get(parent).copied());
        let mut configs = match inherited {
            Some(parent) => {
                let state = self.brought.commits[parent].state;
                if changed.is_empty() {
                    return Ok(state);
                }
                self.brought.states[state].clone()
            }
            None => self.configs_among(&self.repo.files(commit.tree)?),
        };
        if inherited.is_some() {
            for change in changed {
                configs.retain(|config| config.path != change.path);
                let Change { path, now } = change;
                configs.extend(now.map(|blob| File { path, blob }));
            }
            configs.sort_by(|one, other| one.path.cmp(&other.path));
        }
        Ok(self.numbered(configs))
    }

    /// Returns the index of a set of configs.
    fn numbered(&mut self, configs: Vec<File>) -> usize {
        if let Some(state) = self.by_state.get(&configs) {
            return *state;
        }
        self.brought.states.push(configs.clone());
        let state = self.brought.states.len() - 1;
        self.by_state.insert(configs, state);
        state
    }

    fn configs_among(&self, files: &[File]) -> Vec<File> {
        files.iter().filter(|file| file.path.file_name() == self.config).cloned().collect()
    }
}
