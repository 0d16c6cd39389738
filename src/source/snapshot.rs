//! The index or a commit: what git has, byte for byte.
#![expect(clippy::disallowed_methods, reason = "paths that were typed are looked up on disk")]

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::error::SourceError;
use super::listing::{Listed, Listing, Place, directories_of};
use super::path::normal;
use crate::git::{Change, File, GitError, Index, ObjectId, Range, Repo};
use crate::input::{Content, Input};
use crate::path::RepoPath;
use crate::policy::CONFIG_NAME;
use crate::traces::{self, KUSTOMIZATIONS};
use crate::tree::Tree;

/// The files of one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// What paths that were typed are relative to: the work tree, or a bare repository.
    pub root: PathBuf,
    /// The repository.
    pub repo: Repo,
    /// The commits, if it is the end of a range.
    pub range: Range,
    files: Files,
    /// What is different from before; nothing: everything is looked at.
    changes: Option<Vec<Change>>,
    /// The tree from before the changes, if they are changes of a tree that is here.
    pub(super) before: Option<ObjectId>,
    notes: Vec<String>,
    /// What to call it.
    name: String,
}

#[derive(Debug)]
enum Files {
    Index(Box<Index>),
    /// Sorted by path.
    Commit(Vec<File>),
}

impl Files {
    fn blob(&self, path: &str) -> Option<ObjectId> {
        match self {
            Self::Index(index) => index.blob(path),
            Self::Commit(files) => {
                let at = files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
                Some(files[at].blob)
            }
        }
    }

    fn holds(&self, path: &str) -> bool {
        match self {
            Self::Index(index) => index.holds(path),
            Self::Commit(_) => self.below(path).next().is_some() || self.blob(path).is_some(),
        }
    }

    fn below(&self, directory: &str) -> Box<dyn Iterator<Item = File> + '_> {
        match self {
            Self::Index(index) => Box::new(index.below(directory)),
            Self::Commit(files) => {
                let prefix =
                    if directory.is_empty() { String::new() } else { format!("{directory}/") };
                let start = files.partition_point(|file| file.path.as_str() < &*prefix);
                let files = files[start..].iter();
                Box::new(
                    files.take_while(move |file| file.path.as_str().starts_with(&prefix)).cloned(),
                )
            }
        }
    }
}

impl Snapshot {
    /// What the next commit changes.
    pub(super) fn staged(directory: &Path) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        let index = repo.index()?;
        let changes = repo.staged(&index, CONFIG_NAME)?;
        Ok(Self::in_index(repo, index, changes, directory))
    }

    /// Files that count as changed, whatever the next commit does.
    pub(super) fn indexed(
        start: &Path,
        directory: &Path,
        files: &[PathBuf],
    ) -> Result<Self, SourceError> {
        let repo = Repo::discover(start)?;
        let index = repo.index()?;
        let mut snapshot = Self::in_index(repo, index, Vec::new(), start);
        let mut changes = Vec::new();
        for path in snapshot.wanted(directory, files)? {
            let found = snapshot.files.blob(&path).map(|blob| (path.clone(), blob));
            let below = snapshot.files.below(&path).map(|file| (file.path.to_string(), file.blob));
            let before = changes.len();
            changes.extend(
                found
                    .into_iter()
                    .chain(below)
                    .map(|(path, blob)| Change { path: RepoPath::from(&*path), now: Some(blob) }),
            );
            if changes.len() == before {
                snapshot.notes.push(format!("{path} is not in the index and was not looked at"));
            }
        }
        snapshot.changes = Some(changes);
        Ok(snapshot)
    }

    fn in_index(repo: Repo, index: Index, changes: Vec<Change>, directory: &Path) -> Self {
        let mut notes = Vec::new();
        let unmerged = index.unmerged();
        if unmerged > 0 {
            let files = if unmerged == 1 { "file is" } else { "files are" };
            notes.push(format!("{unmerged} {files} in conflict and not looked at"));
        }
        let before = repo.head().and_then(|head| repo.tree_of(head).ok());
        Self {
            changes: Some(changes),
            before,
            notes,
            ..Self::new(repo, Files::Index(Box::new(index)), "the index".to_owned(), directory)
        }
    }

    /// One commit.
    pub(super) fn commit(directory: &Path, name: &str) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        let commit = repo.commit(name)?;
        Self::at(repo, commit, name, directory)
    }

    /// What a branch changed since it left another: `BASE`, or `BASE..HEAD`.
    pub(super) fn diff(directory: &Path, range: &str) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        // Of nothing, as an unset variable is, nothing would be different.
        if range.is_empty() {
            return Err(GitError::BadRange(format!("{range:?}")).into());
        }
        let (base, head) = range.split_once("..").unwrap_or((range, "HEAD"));
        // With three dots it means the same.
        let head = head.strip_prefix('.').unwrap_or(head);
        let [base, head] = [base, head].map(|name| if name.is_empty() { "HEAD" } else { name });
        let tip = repo.commit(head)?;
        let since = since(&repo, base, head, tip)?;
        let tree = repo.tree_of(tip)?;
        let before = since.commit.map(|since| repo.tree_of(since)).transpose()?;
        let changes = before.map(|before| repo.changes(Some(before), tree)).transpose()?;
        let snapshot = Self::at(repo, tip, head, directory)?;
        Ok(Self { changes, before, notes: since.notes, ..snapshot })
    }

    /// The end of a range of commits: the settings for all of them stand there.
    pub(super) fn history(directory: &Path, range: Option<&str>) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        let range = repo.range(range)?;
        let files = match range.heads.first() {
            Some(head) => repo.files(repo.tree_of(*head)?)?,
            None => Vec::new(),
        };
        let mut notes = Vec::new();
        if repo.is_shallow() {
            notes.push(format!(
                "{}; {} to look at all of it",
                GitError::Shallow,
                GitError::Shallow.help()
            ));
        }
        let snapshot = Self::new(repo, Files::Commit(files), "history".to_owned(), directory);
        Ok(Self { range, notes, ..snapshot })
    }

    /// The files of each of the commits that a range of history leads to.
    pub fn heads(&self) -> Result<Vec<Self>, SourceError> {
        let mut trees: Vec<ObjectId> = Vec::new();
        for head in &self.range.heads {
            let tree = self.repo.tree_of(*head)?;
            if !trees.contains(&tree) {
                trees.push(tree);
            }
        }
        let files = trees.into_iter().map(|tree| Ok(self.repo.files(tree)?));
        let heads = files.map(|files: Result<_, SourceError>| {
            let (repo, name) = (self.repo.clone(), self.name.clone());
            Ok(Self {
                root: self.root.clone(),
                ..Self::new(repo, Files::Commit(files?), name, &self.root)
            })
        });
        heads.collect()
    }

    /// The same, of which only these files changed.
    pub fn with_changes(self, changes: Vec<Change>) -> Self {
        Self { changes: Some(changes), ..self }
    }

    fn at(repo: Repo, commit: ObjectId, name: &str, directory: &Path) -> Result<Self, SourceError> {
        let files = Files::Commit(repo.files(repo.tree_of(commit)?)?);
        Ok(Self::new(repo, files, format!("commit {name}"), directory))
    }

    fn new(repo: Repo, files: Files, name: String, directory: &Path) -> Self {
        let root = repo.work_tree().unwrap_or(directory);
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let range = Range::default();
        Self { root, repo, range, files, changes: None, before: None, notes: Vec::new(), name }
    }

    /// The files that changed and what is needed to judge them; all files if nothing is said of
    /// changes.
    pub(super) fn list(&self, directory: &Path, paths: &[PathBuf]) -> Result<Listing, SourceError> {
        let wanted = self.wanted(directory, paths)?;
        let mut files = match (&self.changes, &self.files) {
            (Some(changes), Files::Index(_)) => self.around(changes),
            _ => self.files.below("").collect(),
        };
        let names: HashSet<&str> = wanted.iter().map(String::as_str).collect();
        let is_wanted = |path: &RepoPath| {
            names.contains(path.as_str()) || path.ancestors().any(|one| names.contains(one))
        };
        files.retain(|file| wanted.is_empty() || is_wanted(&file.path));
        let config_directories = self.config_directories(&files);
        let reported = self.changes.as_ref().map(|changes| self.reported(changes));
        let listed = files.into_iter().map(|File { path, blob }| {
            let is_context = reported.as_ref().is_some_and(|reported| !reported.has(&path));
            Listed { path, is_context, place: Place::Blob(blob) }
        });
        Ok(Listing {
            files: listed.collect(),
            config_directories,
            // Of the index, only what changed is listed, and what decides about it.
            is_whole: (self.changes.is_none() || matches!(self.files, Files::Commit(_)))
                && wanted.iter().all(|path| self.files.blob(path).is_none()),
            is_partial: self.changes.is_some(),
            shard: None,
            errors: Vec::new(),
            notes: self.notes.clone(),
        })
    }

    pub(super) fn read_listed(&self, file: &Listed) -> io::Result<Input> {
        let content = match file.place {
            Place::Blob(blob) => self.repo.read(blob)?,
            Place::Path | Place::Raw(_) => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Input { path: file.path.clone(), content })
    }

    /// Whether this content stands at this path.
    pub fn has(&self, file: &File) -> bool {
        self.files.blob(file.path.as_str()) == Some(file.blob)
    }

    /// What to say of what was looked at.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The paths that were typed, as the repository has them. They need not stand on disk.
    pub fn wanted(&self, directory: &Path, paths: &[PathBuf]) -> Result<Vec<String>, SourceError> {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
        let wanted = paths.iter().map(|path| {
            let outside =
                || SourceError::OutsideRoot { path: path.clone(), root: self.root.clone() };
            let full = normal(&directory.join(path)).ok_or_else(outside)?;
            let inside = full.strip_prefix(&self.root).map_err(|_| outside())?;
            let wanted = RepoPath::new(inside).ok_or_else(outside)?;
            let was_there = self.changes.iter().flatten().any(|change| change.path == wanted);
            // Of history it cannot be said, and hooks name what a commit removes.
            let is_moment = self.changes.is_none() && self.range == Range::default();
            if is_moment && !self.files.holds(wanted.as_str()) && !was_there {
                let state = self.name.clone();
                return Err(SourceError::NotInState { path: path.clone(), state });
            }
            Ok(wanted.as_str().to_owned())
        });
        wanted.collect()
    }

    /// The files that changed, in order, with those that decide about them: everything below a
    /// config that changed, and the neighbours that a finding may hang on.
    fn around(&self, changes: &[Change]) -> Vec<File> {
        let mut files: Vec<File> = Vec::new();
        let mut neighbourhoods: HashSet<String> = HashSet::new();
        for Change { path, now } in changes {
            let parent = path.parent();
            if path.file_name() == CONFIG_NAME {
                files.extend(self.files.below(parent.as_str()));
            }
            files.extend(now.map(|blob| File { path: path.clone(), blob }));
            neighbourhoods.insert(parent.as_str().to_owned());
        }
        let changed: HashSet<&RepoPath> = changes.iter().map(|change| &change.path).collect();
        let is_changed_kustomization = |place: &RepoPath| {
            KUSTOMIZATIONS.iter().any(|name| changed.contains(&place.join(name)))
        };
        for directory in neighbourhoods {
            let place = RepoPath::from(&*directory);
            // A source may stand below the kustomization that names it.
            let above = place.ancestors().map(RepoPath::from).chain([place.clone()]);
            let kustomizations =
                above.flat_map(|place| KUSTOMIZATIONS.map(|name| place.join(name)));
            files.extend(kustomizations.filter_map(|path| {
                let blob = self.files.blob(path.as_str())?;
                Some(File { path, blob })
            }));
            if is_changed_kustomization(&place) {
                files.extend(self.files.below(&directory));
            }
            let prefix = directory.len() + usize::from(!directory.is_empty());
            let is_neighbour = |file: &File| {
                let is_near = !file.path.as_str()[prefix..].contains('/');
                let plain = traces::plain_name(&file.path);
                is_near
                    && file.path.file_name() != CONFIG_NAME
                    && plain.is_some_and(|plain| changed.contains(&plain))
            };
            files.extend(self.files.below(&directory).filter(is_neighbour));
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files.dedup();
        files
    }

    fn config_directories(&self, files: &[File]) -> Vec<String> {
        let directories = directories_of(files.iter().map(|file| &file.path)).into_iter();
        let has_config =
            |directory: &&str| self.exists(&RepoPath::from(*directory).join(CONFIG_NAME));
        directories.filter(has_config).map(str::to_owned).collect()
    }

    /// In which files findings are reported, given what changed.
    fn reported<'c>(&self, changes: &'c [Change]) -> Reported<'c, '_> {
        let is_config = |change: &&Change| change.path.file_name() == CONFIG_NAME;
        Reported {
            snapshot: self,
            changed: changes.iter().map(|change| &change.path).collect(),
            configs: changes.iter().filter(is_config).map(|c| c.path.parent()).collect(),
        }
    }
}

impl Tree for Snapshot {
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        let blob = self.files.blob(path.as_str()).ok_or(io::ErrorKind::NotFound)?;
        self.repo.read(blob)
    }

    fn exists(&self, path: &RepoPath) -> bool {
        self.files.blob(path.as_str()).is_some()
    }

    fn earlier(&self, path: &RepoPath) -> Option<Input> {
        let blob = self.repo.file(self.before?, path)?;
        if self.files.blob(path.as_str()) == Some(blob) {
            return None;
        }
        Some(Input { path: path.clone(), content: self.repo.read(blob).ok()? })
    }
}

struct Reported<'c, 's> {
    snapshot: &'s Snapshot,
    changed: HashSet<&'c RepoPath>,
    /// The directories of configs that changed.
    configs: HashSet<RepoPath>,
}

impl Reported<'_, '_> {
    /// Whether a file changed, or the config that governs it.
    fn has(&self, path: &RepoPath) -> bool {
        if self.changed.contains(path) {
            return true;
        }
        if self.configs.is_empty() {
            return false;
        }
        let mut directories = path.ancestors().map(RepoPath::from);
        let nearest = directories.find(|directory| {
            self.configs.contains(directory) || self.snapshot.exists(&directory.join(CONFIG_NAME))
        });
        nearest.is_some_and(|directory| self.configs.contains(&directory))
    }
}

/// The commit that the changes of a branch began with, and what to say of it.
struct Since {
    commit: Option<ObjectId>,
    notes: Vec<String>,
}

/// The common ancestor. A shallow clone may not have it; then everything counts as changed. The first
/// parent of a merge would often do, but not where it was the branch that took in its base.
fn since(repo: &Repo, base: &str, head: &str, tip: ObjectId) -> Result<Since, SourceError> {
    let found = match repo.commit(base) {
        Ok(base) => repo.merge_base(base, tip).unwrap_or_default(),
        Err(_) if repo.is_shallow() => None,
        Err(error) => return Err(error.into()),
    };
    if found.is_some() {
        return Ok(Since { commit: found, notes: Vec::new() });
    }
    if !repo.is_shallow() {
        let (base, head) = (base.to_owned(), head.to_owned());
        return Err(GitError::NoMergeBase { base, head }.into());
    }
    let note = format!(
        "the clone is shallow and does not say where {head} left {base}, so findings in all files are reported; fetch more with `git fetch --deepen 50`, clone with fetch-depth: 0, or, if {head} is the merge that a forge made of a pull request, take --diff HEAD^1"
    );
    Ok(Since { commit: None, notes: vec![note] })
}
