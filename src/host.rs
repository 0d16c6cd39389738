//! The only door to environment, clock and terminal.
#![expect(clippy::disallowed_methods, reason = "this is the door")]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The outside world as a run sees it.
#[derive(Debug)]
pub struct Host {
    /// Where the program was started.
    pub directory: PathBuf,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
    started: Instant,
}

impl Host {
    /// The real one. Fails where the current directory cannot be told.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            directory: std::env::current_dir()?,
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
        })
    }

    /// An environment variable; empty ones count as unset.
    pub fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// The columns of the terminal on standard output, or what `COLUMNS` says.
    pub fn terminal_width(&self) -> Option<usize> {
        let size = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        size.or_else(|| self.env("COLUMNS")?.parse().ok())
    }

    /// The present day in UTC, counted from 1970-01-01, or the one that `SOURCE_DATE_EPOCH` says.
    pub fn today(&self) -> u32 {
        let set = self.env("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds: u64 = set.unwrap_or_else(|| since.map_or(0, |since| since.as_secs()));
        u32::try_from(seconds / (24 * 60 * 60)).unwrap_or(u32::MAX)
    }

    /// Milliseconds since the run began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
