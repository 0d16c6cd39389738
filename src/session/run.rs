//! The parts that all trees of a run share.

use std::cell::OnceCell;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::same_key::{MAX_COMMITS, with_same_key};
use crate::host::Host;
use crate::keys::{Effort, KEY_SERVICES, KeyRing};
use crate::settings::{Options, Settings, Verify};
use crate::shell::Reader;
use crate::source::worktree::WorkTree;
use crate::source::{Source, SourceError, View};

/// A run: its options, clock and threads.
pub struct Session<'h> {
    /// The outside world.
    pub host: &'h Host,
    /// The options.
    pub options: Options,
    /// The day of the run, counted from 1970-01-01.
    pub today: u32,
    threads: OnceCell<Option<ThreadPool>>,
}

impl<'h> Session<'h> {
    /// Starts a run.
    pub fn new(options: Options, host: &'h Host) -> Self {
        Self { host, options, today: host.today(), threads: OnceCell::new() }
    }

    /// Opens the state that the options name.
    pub fn open(&self) -> Result<Source, SourceError> {
        let Options { view, directory, paths, .. } = &self.options;
        match Source::open(view, directory, paths)? {
            Source::Snapshot(snapshot) if matches!(view, View::Diff(_)) => {
                let changed = snapshot.changed();
                let limit = Some(MAX_COMMITS);
                let snapshot = self.in_parallel(|| with_same_key(*snapshot, &changed, limit))?;
                Ok(Source::Snapshot(Box::new(snapshot)))
            }
            source => Ok(source),
        }
    }

    /// Returns the person who started the run, and the directory from which the person looks at the tree.
    pub fn reader(&self, source: &Source) -> Reader {
        let directory = &self.options.reads_in;
        let canonical = WorkTree::canonical(directory);
        Reader::new(source.root(), canonical.as_deref().unwrap_or(directory))
    }

    /// Reads the settings of a tree.
    pub fn settings(&self, source: &Source) -> Settings<'_> {
        Settings::read(&self.options, source)
    }

    /// Returns the private keys to open files with. Only `--verify always` asks for passphrases.
    pub fn key_ring(&self, settings: &Settings<'_>) -> Option<KeyRing> {
        let effort = match settings.verify() {
            Verify::Never => return None,
            Verify::Auto => Effort::Quiet,
            Verify::Always => Effort::MayAsk,
        };
        Some(KeyRing::new(KEY_SERVICES, self.host.clone(), effort))
    }

    /// Does the work in the threads of the run.
    pub fn in_parallel<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let threads = self.threads.get_or_init(|| {
            ThreadPoolBuilder::new().num_threads(self.options.threads).build().ok()
        });
        match threads {
            Some(threads) => threads.install(work),
            // Rayon's global threads are as good.
            None => work(),
        }
    }
}
