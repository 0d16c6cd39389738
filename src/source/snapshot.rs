//! The index or a commit: the files as git stores them.
#![expect(clippy::disallowed_methods, reason = "paths that were typed are looked up on disk")]

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::blobs::Blobs;
use super::changes::{DECISIVE, Reported, SETTINGS_NAME, around};
use super::error::SourceError;
use super::listing::{Listed, Listing, Place, directories_of};
use super::path::normal;
use super::renames::renames;
use crate::git::{Change, File, GitError, Head, Index, ObjectId, Range, Repo};
use crate::input::{Content, Input};
use crate::path::RepoPath;
use crate::policy::CONFIG_NAME;
use crate::text::words::{agree, count};
use crate::tree::{Before, Tree};

/// The files of the index or of one commit.
#[derive(Debug)]
pub struct Snapshot {
    /// The directory that paths are relative to: the work tree, or a bare repository.
    pub root: PathBuf,
    /// The repository.
    pub repo: Repo,
    /// The commits, if this is the end of a range.
    pub range: Range,
    /// The commit, if this is one.
    pub commit: Option<ObjectId>,
    files: Blobs,
    /// The files that changed; `None`: all files are judged.
    changes: Option<Vec<Change>>,
    /// The tree before the changes, if git has it.
    pub(super) before: Option<ObjectId>,
    /// The files that changes renamed, by their new paths. Found when first asked for.
    renames: OnceLock<HashMap<RepoPath, File>>,
    /// Earlier versions of files that have the same data key.
    same_key: HashMap<RepoPath, Vec<File>>,
    notes: Vec<String>,
    /// The name for messages.
    name: String,
}

impl Snapshot {
    /// Opens the index, with what the next commit changes.
    pub(super) fn staged(directory: &Path) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        let index = repo.index()?;
        let changes = repo.staged(&index, &DECISIVE)?;
        Self::in_index(repo, index, changes, directory)
    }

    /// Opens the index, with these files as changes.
    pub(super) fn indexed(
        start: &Path,
        directory: &Path,
        files: &[PathBuf],
    ) -> Result<Self, SourceError> {
        let repo = Repo::discover(start)?;
        let index = repo.index()?;
        let mut snapshot = Self::in_index(repo, index, Vec::new(), start)?;
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
                snapshot.notes.push(format!("{path} is not in the index and was skipped"));
            }
        }
        snapshot.changes = Some(changes);
        Ok(snapshot)
    }

    fn in_index(
        repo: Repo,
        index: Index,
        changes: Vec<Change>,
        directory: &Path,
    ) -> Result<Self, SourceError> {
        let mut notes = Vec::new();
        let unmerged = index.unmerged();
        if unmerged > 0 {
            let (files, are) = (count(unmerged, "file"), agree(unmerged, "is", "are"));
            notes.push(format!("{files} with merge conflicts {are} skipped"));
        }
        let before = repo.head()?.map(|head| repo.tree_of(head)).transpose()?;
        Ok(Self {
            changes: Some(changes),
            before,
            notes,
            ..Self::new(repo, Blobs::Index(Box::new(index)), "the index".to_owned(), directory)
        })
    }

    /// Opens one commit.
    pub(super) fn commit(directory: &Path, name: &str) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        let commit = repo.commit(name)?;
        Self::at(repo, commit, name, directory)
    }

    /// Opens the end of a branch, with its changes since the merge base: `BASE`, or `BASE..HEAD`.
    pub(super) fn diff(directory: &Path, range: &str) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        // An unset variable must not mean "no changes".
        if range.is_empty() {
            return Err(GitError::BadRange(format!("{range:?}")).into());
        }
        let (base, head) = range.split_once("..").unwrap_or((range, "HEAD"));
        // Three dots mean the same as two.
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

    /// Opens the end of a range of commits, which has the settings for all of them.
    pub(super) fn history(directory: &Path, range: Option<&str>) -> Result<Self, SourceError> {
        let repo = Repo::discover(directory)?;
        let range = repo.range(range)?;
        let files = match range.heads.first() {
            Some(head) => repo.files(head.tree)?,
            None => Vec::new(),
        };
        let mut notes = Vec::new();
        if repo.is_shallow() {
            notes.push(format!(
                "{}; {} to scan all of it",
                GitError::Shallow,
                GitError::Shallow.help()
            ));
        }
        let snapshot = Self::new(repo, Blobs::Commit(files), "history".to_owned(), directory);
        Ok(Self { range, notes, ..snapshot })
    }

    /// Returns the files of each head of the range.
    pub fn heads(&self) -> Result<Vec<Self>, SourceError> {
        let mut heads: Vec<Head> = Vec::new();
        for head in &self.range.heads {
            if heads.iter().all(|other| other.tree != head.tree) {
                heads.push(*head);
            }
        }
        let heads = heads.into_iter().map(|Head { tree, commit }| {
            let (repo, name) = (self.repo.clone(), self.name.clone());
            let files = Blobs::Commit(self.repo.files(tree)?);
            let root = self.root.clone();
            Ok(Self { root, commit, ..Self::new(repo, files, name, &self.root) })
        });
        heads.collect()
    }

    /// Returns the same files, of which only these changed.
    pub fn with_changes(self, changes: Vec<Change>) -> Self {
        Self { changes: Some(changes), ..self }
    }

    /// Returns the same files, with earlier versions of some that have the same data key.
    pub fn with_same_key(
        mut self,
        same_key: HashMap<RepoPath, Vec<File>>,
        notes: Vec<String>,
    ) -> Self {
        self.notes.extend(notes);
        Self { same_key, ..self }
    }

    /// Returns the files that changed and are still there; all files if no change is judged.
    pub fn changed(&self) -> Vec<File> {
        let Some(changes) = &self.changes else { return self.files.below("").collect() };
        let files = changes.iter().filter_map(|Change { path, now }| Some((path, (*now)?)));
        files.map(|(path, blob)| File { path: path.clone(), blob }).collect()
    }

    fn at(repo: Repo, commit: ObjectId, name: &str, directory: &Path) -> Result<Self, SourceError> {
        let files = Blobs::Commit(repo.files(repo.tree_of(commit)?)?);
        let snapshot = Self::new(repo, files, format!("commit {name}"), directory);
        Ok(Self { commit: Some(commit), ..snapshot })
    }

    fn new(repo: Repo, files: Blobs, name: String, directory: &Path) -> Self {
        let root = repo.work_tree().unwrap_or(directory);
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let range = Range::default();
        Self {
            root,
            repo,
            range,
            commit: None,
            files,
            changes: None,
            before: None,
            renames: OnceLock::new(),
            same_key: HashMap::new(),
            notes: Vec::new(),
            name,
        }
    }

    /// Lists the files that changed and the files that findings in them depend on; all files if no
    /// change is judged.
    pub(super) fn list(&self, directory: &Path, paths: &[PathBuf]) -> Result<Listing, SourceError> {
        let wanted = self.wanted(directory, paths)?;
        let mut files = match (&self.changes, &self.files) {
            (Some(changes), Blobs::Index(_)) => around(&self.files, changes),
            _ => self.files.below("").collect(),
        };
        let names: HashSet<&str> = wanted.iter().map(String::as_str).collect();
        let is_wanted = |path: &RepoPath| {
            names.contains(path.as_str()) || path.ancestors().any(|one| names.contains(one))
        };
        files.retain(|file| wanted.is_empty() || is_wanted(&file.path));
        let config_directories = self.config_directories(&files);
        let reported = self.changes.as_ref().map(|changes| Reported::by(changes, &self.files));
        let listed = files.into_iter().map(|File { path, blob }| {
            let is_context = reported.as_ref().is_some_and(|reported| !reported.has(&path));
            Listed { path, is_context, place: Place::Blob(blob) }
        });
        Ok(Listing {
            files: listed.collect(),
            config_directories,
            // Of an index, only changed files and their surroundings are listed.
            is_whole: (self.changes.is_none() || matches!(self.files, Blobs::Commit(_)))
                && wanted.iter().all(|path| self.files.blob(path).is_none()),
            is_partial: self.changes.is_some(),
            shard: None,
            errors: Vec::new(),
            notes: self.notes.clone(),
        })
    }

    /// Returns the state before the change that is judged, if that changes the settings of the tree.
    pub(super) fn before_settings(&self) -> Option<Self> {
        let is_settings = |change: &Change| change.path.as_str() == SETTINGS_NAME;
        let before = self.before.filter(|_| self.changes.iter().flatten().any(is_settings))?;
        let files = Blobs::Commit(self.repo.files(before).ok()?);
        Some(Self::new(self.repo.clone(), files, self.name.clone(), &self.root))
    }

    /// Reads one of the listed files.
    pub(super) fn read_listed(&self, file: &Listed) -> io::Result<Input> {
        let content = match file.place {
            Place::Blob(blob) => self.repo.read(blob)?,
            Place::Path | Place::Raw(_) => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Input { path: file.path.clone(), content })
    }

    /// Reports whether this path has this content.
    pub fn has(&self, file: &File) -> bool {
        self.files.blob(file.path.as_str()) == Some(file.blob)
    }

    /// Returns the file of which the judged change made this one by a rename.
    pub(super) fn renamed_from(&self, path: &RepoPath) -> Option<&File> {
        self.renames.get_or_init(|| self.renames().unwrap_or_default()).get(path)
    }

    /// Finds the renames among the changes.
    fn renames(&self) -> Option<HashMap<RepoPath, File>> {
        let before = self.repo.files(self.before?).ok()?;
        let is_old = |path: &RepoPath| before.binary_search_by(|file| file.path.cmp(path)).is_ok();
        let new = self.changes.iter().flatten().filter(|change| !is_old(&change.path));
        let added =
            new.filter_map(|Change { path, now }| Some(File { path: path.clone(), blob: (*now)? }));
        let added = added.collect();
        let is_gone = |file: &File| self.files.blob(file.path.as_str()).is_none();
        Some(renames(&self.repo, before.into_iter().filter(is_gone).collect(), added))
    }

    /// Reports whether there is a file at a path.
    pub fn holds(&self, path: &RepoPath) -> bool {
        self.files.blob(path.as_str()).is_some()
    }

    /// Returns what the user may want to know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Turns paths that were typed into paths of the repository. They need not exist on disk.
    pub fn wanted(&self, directory: &Path, paths: &[PathBuf]) -> Result<Vec<String>, SourceError> {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
        let wanted = paths.iter().map(|path| {
            let outside =
                || SourceError::OutsideRoot { path: path.clone(), root: self.root.clone() };
            let full = normal(&directory.join(path)).ok_or_else(outside)?;
            let inside = full.strip_prefix(&self.root).map_err(|_| outside())?;
            let wanted = RepoPath::new(inside).ok_or_else(outside)?;
            let was_there = self.changes.iter().flatten().any(|change| change.path == wanted);
            // In history any path may have existed, and a hook names removed files, too.
            let is_moment = self.changes.is_none() && self.range == Range::default();
            if is_moment && !self.files.holds(wanted.as_str()) && !was_there {
                let state = self.name.clone();
                return Err(SourceError::NotInState { path: path.clone(), state });
            }
            Ok(wanted.as_str().to_owned())
        });
        wanted.collect()
    }

    fn config_directories(&self, files: &[File]) -> Vec<String> {
        let directories = directories_of(files.iter().map(|file| &file.path)).into_iter();
        let has_config =
            |directory: &&str| self.exists(&RepoPath::from(*directory).join(CONFIG_NAME));
        directories.filter(has_config).map(str::to_owned).collect()
    }
}

impl Tree for Snapshot {
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        let blob = self.files.blob(path.as_str()).ok_or(io::ErrorKind::NotFound)?;
        self.repo.read(blob)
    }

    fn exists(&self, path: &RepoPath) -> bool {
        self.holds(path)
    }

    fn same_key(&self, path: &RepoPath) -> Vec<Input> {
        let files = self.same_key.get(path).into_iter().flatten();
        let inputs = files.filter_map(|File { path, blob }| {
            Some(Input { path: path.clone(), content: self.repo.read(*blob).ok()? })
        });
        inputs.collect()
    }

    fn before(&self, path: &RepoPath) -> Before {
        let Some(before) = self.before else { return Before::Unknown };
        let same = self.repo.file(before, path).map(|blob| File { path: path.clone(), blob });
        match same.as_ref().or_else(|| self.renamed_from(path)) {
            None => Before::Nothing,
            Some(old) if self.files.blob(path.as_str()) == Some(old.blob) => Before::Same,
            Some(File { path, blob }) => self.repo.read(*blob).map_or(Before::Unknown, |content| {
                Before::Other(Input { path: path.clone(), content })
            }),
        }
    }
}

/// The merge base of a branch, with notes for the user.
struct Since {
    commit: Option<ObjectId>,
    notes: Vec<String>,
}

/// Finds the merge base. A shallow clone may lack it; then every file counts as changed. The first parent
/// of a merge is not a substitute: a branch that merged its base would be compared with itself.
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
        "the clone is shallow and lacks the merge base of {base} and {head}, so findings in all files are reported; fetch more with `git fetch --deepen 50`, clone with fetch-depth: 0, or, if {head} is the merge commit of a pull request, use --diff HEAD^1"
    );
    Ok(Since { commit: None, notes: vec![note] })
}
