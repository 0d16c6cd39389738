//! Transactions: prepared, decided by one write, carried out, and recovered after a crash.

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::draft::{Draft, Put};
use super::error::StageError;
use super::file;
use super::journal::{Entry, Found, Journal, Record};
use super::operation::Operation;
use super::step::{Observer, Step};
use crate::fix::change::Bytes;
use crate::git::{ObjectId, Repo};
use crate::path::RepoPath;

/// Files that are written at once. Threads wait for the disk, which can take many in one go.
const WRITERS: usize = 64;

/// The recovery of a transaction that a killed run began.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Files that were written now, because the transaction was decided.
    pub finished: Vec<RepoPath>,
    /// Files that somebody changed in the meantime. They are left unchanged.
    pub left: Vec<RepoPath>,
    /// True if the transaction was undone: it was not decided, and no file had been replaced.
    pub is_undone: bool,
}

/// The exclusive right to write into a work tree.
pub struct Stage<'s> {
    root: &'s Path,
    repo: Option<&'s Repo>,
    journal: Journal,
    observer: Observer<'s>,
}

/// Files that were replaced, and files that could not be.
#[derive(Default)]
struct CarriedOut {
    done: Vec<RepoPath>,
    /// Changed by somebody else at the last moment.
    left: Vec<RepoPath>,
    /// Not replaced yet, and why.
    failed: Vec<(RepoPath, io::Error)>,
}

impl CarriedOut {
    /// Returns the error if any file could not be replaced.
    fn into_result(self) -> Result<Self, StageError> {
        if self.failed.is_empty() {
            return Ok(self);
        }
        let (failed, reasons): (Vec<_>, Vec<_>) = self.failed.into_iter().unzip();
        let source = reasons.into_iter().next().expect("one reason for each file");
        Err(StageError::Halfway { failed, done: self.done.len(), source })
    }
}

impl<'s> Stage<'s> {
    /// Takes the right to write, and undoes or finishes the transaction of a killed run. Does not
    /// wait: another run that has the right is an error, and so is a journal that this version cannot
    /// read, because a transaction would overwrite it.
    pub fn open(root: &'s Path, repo: Option<&'s Repo>) -> Result<(Self, Recovered), StageError> {
        Self::open_observed(root, repo, &|_| Ok(()))
    }

    /// Does the same, with an observer of every write.
    pub fn open_observed(
        root: &'s Path,
        repo: Option<&'s Repo>,
        observer: Observer<'s>,
    ) -> Result<(Self, Recovered), StageError> {
        let directory = repo.map_or_else(|| root.to_path_buf(), Repo::directory);
        let opened = Journal::open(&directory, repo.is_some());
        let opened = opened.map_err(|source| StageError::Io { path: directory, source })?;
        let (journal, found) = opened.ok_or(StageError::Busy)?;
        let mut stage = Self { root, repo, journal, observer };
        let recovered = stage.recover(found)?;
        // No other run uses it, because this one has the journal.
        repo.inspect(|repo| repo.discard_input());
        Ok((stage, recovered))
    }

    /// Does all operations or none.
    pub fn commit(&mut self, operations: &[Operation<'_>]) -> Result<(), StageError> {
        if operations.is_empty() {
            return Ok(());
        }
        let draft = Draft::of(operations, self.root, self.repo)?;
        let record = draft.record();
        if let Err(error) = self.prepare(&draft, &record).and_then(|()| self.decide(&draft)) {
            return match error {
                StageError::Stopped(_) => Err(error),
                // What cannot be undone now, the next run undoes.
                _ => Err(self.undo(&record).err().filter(StageError::is_stop).unwrap_or(error)),
            };
        }
        let mut all = self.carry_out(&record)?;
        let changed = || io::Error::other("it changed at this moment");
        all.failed.extend(all.left.drain(..).map(|path| (path, changed())));
        all.into_result().map(|_| ())
    }

    /// Writes the record, the temporary files and the blobs.
    fn prepare(&mut self, draft: &Draft, record: &Record) -> Result<(), StageError> {
        self.step(Step::Record)?;
        let recorded = self.journal.record(record);
        recorded.map_err(|source| self.io_error(source))?;
        let this = &*self;
        let write =
            || draft.puts.par_iter().try_for_each(|put| this.write_temporary(put, &put.new));
        match rayon::ThreadPoolBuilder::new().num_threads(WRITERS).build() {
            Ok(pool) => pool.install(write)?,
            Err(_) => write()?,
        }
        self.store(draft)?;
        self.step(Step::Sync)?;
        file::sync_directories(self.root, draft.puts.iter().map(|put| put.temporary.as_str()));
        draft.check(self.root)
    }

    fn write_temporary(&self, put: &Put, new: &Bytes) -> Result<(), StageError> {
        let failed = |source| StageError::Io { path: put.temporary.in_root(self.root), source };
        self.step(Step::Create)?;
        let model = put.old.as_ref().map(|_| &put.path);
        let created = file::create(self.root, &put.temporary, model).map_err(failed)?;
        self.step(Step::Fill)?;
        file::fill(created, &new.0).map_err(failed)
    }

    /// Stores the new content of staged files as blobs. In the work tree they get what git would check
    /// out.
    fn store(&self, draft: &Draft) -> Result<(), StageError> {
        let Some(repo) = self.repo else { return Ok(()) };
        let staged = draft.puts.iter().filter_map(|put| Some((put, put.staged.as_ref()?.blob)));
        let staged: Vec<(&Put, ObjectId)> = staged.collect();
        if staged.is_empty() {
            return Ok(());
        }
        self.step(Step::Store)?;
        let files: Vec<PathBuf> =
            staged.iter().map(|(put, _)| put.temporary.in_root(self.root)).collect();
        repo.store(&files)?;
        for (put, blob) in staged.into_iter().filter(|(put, _)| put.is_filtered) {
            let filtered = repo.converted(&put.path, blob);
            let filtered = filtered.ok_or_else(|| StageError::PartlyStaged(put.path.clone()))?;
            self.remove(&put.temporary)?;
            self.write_temporary(put, &Bytes(filtered))?;
        }
        Ok(())
    }

    /// Decides the transaction. From here on it is finished, by this run or the next.
    fn decide(&mut self, draft: &Draft) -> Result<(), StageError> {
        let staged: Vec<_> = draft.staged().cloned().collect();
        if let Some(repo) = self.repo.filter(|_| !staged.is_empty()) {
            self.step(Step::Index)?;
            repo.stage(&staged)?;
        }
        // After the index, which a hook may write and git throw away: the work tree is new or old
        // as a whole.
        self.step(Step::Decide)?;
        match self.journal.decide() {
            Err(source) if staged.is_empty() => Err(self.io_error(source)),
            // The index has decided.
            _ => Ok(()),
        }
    }

    /// Does what a decided record says, unless it is done already. Forgets the record if nothing is left
    /// that could be tried again.
    fn carry_out(&mut self, record: &Record) -> Result<CarriedOut, StageError> {
        let mut all = CarriedOut::default();
        for entry in &record.entries {
            let (path, done) = match entry {
                Entry::Replace { path, temporary, old } => {
                    (path, self.replace(path, temporary, old))
                }
                Entry::Create { path, temporary } => (path, self.give_name(temporary, path)),
                Entry::Rename { from, to } => (to, self.give_name(from, to)),
                Entry::Stage { .. } => continue,
            };
            let path = RepoPath::from(path.as_str());
            match done {
                Ok(Done::Now) => all.done.push(path),
                Ok(Done::Before) => {}
                Ok(Done::Never) => all.left.push(path),
                Err(StageError::Io { source, .. }) => all.failed.push((path, source)),
                Err(error) => return Err(error),
            }
        }
        self.step(Step::Sync)?;
        let paths = record.entries.iter().flat_map(|entry| match entry {
            Entry::Rename { from, to } => vec![from.as_str(), to.as_str()],
            Entry::Replace { path, .. } | Entry::Create { path, .. } => vec![path.as_str()],
            Entry::Stage { .. } => vec![],
        });
        file::sync_directories(self.root, paths);
        if all.failed.is_empty() {
            self.forget()?;
        }
        Ok(all)
    }

    /// Lets a temporary file replace a file that still has the old content.
    fn replace(&self, path: &str, temporary: &str, old: &str) -> Result<Done, StageError> {
        let (path, temporary) = (RepoPath::from(path), RepoPath::from(temporary));
        if !file::is_inside(self.root, &path) || !file::is_inside(self.root, &temporary) {
            return Ok(Done::Never);
        }
        let is_old = file::digest_of(self.root, &path).is_some_and(|digest| digest == old);
        if !file::is_there(self.root, &temporary) {
            return Ok(if is_old { Done::Never } else { Done::Before });
        }
        if !is_old {
            self.remove(&temporary)?;
            return Ok(Done::Never);
        }
        self.step(Step::Replace)?;
        let replaced = file::replace(self.root, &temporary, &path);
        replaced.map_err(|source| StageError::Io { path: path.in_root(self.root), source })?;
        Ok(Done::Now)
    }

    /// Gives a file another name, which no other file has.
    fn give_name(&self, from: &str, to: &str) -> Result<Done, StageError> {
        let (from, to) = (RepoPath::from(from), RepoPath::from(to));
        if !file::is_inside(self.root, &from) || !file::is_inside(self.root, &to) {
            return Ok(Done::Never);
        }
        if !file::is_there(self.root, &from) {
            return Ok(if file::is_there(self.root, &to) { Done::Before } else { Done::Never });
        }
        if !file::is_there(self.root, &to) {
            self.step(Step::Link)?;
            let linked = file::link(self.root, &from, &to);
            linked.map_err(|source| StageError::Io { path: to.in_root(self.root), source })?;
        }
        let is_same = file::are_equal(self.root, &from, &to);
        if is_same || file::is_temporary(from.as_str()) {
            self.remove(&from)?;
        }
        Ok(if is_same { Done::Now } else { Done::Never })
    }

    /// Undoes a transaction that is not decided: no file was replaced yet.
    fn undo(&mut self, record: &Record) -> Result<(), StageError> {
        let mut undone = Ok(());
        for temporary in record.entries.iter().filter_map(Entry::temporary) {
            if file::is_inside(self.root, &temporary) && file::is_there(self.root, &temporary) {
                match self.remove(&temporary) {
                    Err(error) if error.is_stop() => return Err(error),
                    removed => undone = undone.and(removed),
                }
            }
        }
        undone.and_then(|()| self.forget())
    }

    /// Undoes or finishes the transaction of a killed run.
    fn recover(&mut self, found: Found) -> Result<Recovered, StageError> {
        let mut recovered = Recovered::default();
        let (record, is_decided) = match found {
            Found::Nothing => return Ok(recovered),
            Found::Foreign => {
                return Err(StageError::ForeignJournal(self.journal.path().to_path_buf()));
            }
            Found::Unfinished { record, is_decided } => (record, is_decided),
        };
        if !is_decided && !self.is_staged(&record)? {
            self.undo(&record)?;
            recovered.is_undone = true;
            return Ok(recovered);
        }
        let CarriedOut { done, left, .. } = self.carry_out(&record)?.into_result()?;
        Ok(Recovered { finished: done, left, ..recovered })
    }

    /// Reports whether the index has any of the new blobs. Git updates it as a whole.
    fn is_staged(&self, record: &Record) -> Result<bool, StageError> {
        let is_staged = |entry: &Entry| matches!(entry, Entry::Stage { .. });
        let Some(repo) = self.repo.filter(|_| record.entries.iter().any(is_staged)) else {
            return Ok(false);
        };
        let index = repo.index()?;
        Ok(record.entries.iter().any(|entry| match entry {
            Entry::Stage { path, blob } => {
                let blob = ObjectId::from_hex(blob.as_bytes()).ok();
                blob.is_some() && index.entry(path).map(|entry| entry.blob) == blob
            }
            _ => false,
        }))
    }

    fn remove(&self, path: &RepoPath) -> Result<(), StageError> {
        self.step(Step::Unlink)?;
        let removed = file::unlink(self.root, path);
        removed.map_err(|source| StageError::Io { path: path.in_root(self.root), source })
    }

    fn forget(&mut self) -> Result<(), StageError> {
        self.step(Step::Forget)?;
        // If this fails, the next run reads a record of which everything is done.
        let _ = self.journal.forget();
        Ok(())
    }

    fn step(&self, step: Step) -> Result<(), StageError> {
        (self.observer)(step).map_err(StageError::Stopped)
    }

    fn io_error(&self, source: io::Error) -> StageError {
        StageError::Io { path: self.journal.path().to_path_buf(), source }
    }
}

/// True if an entry of the record was carried out.
enum Done {
    /// Just now.
    Now,
    /// By the run that was killed.
    Before,
    /// No: somebody changed the file.
    Never,
}
