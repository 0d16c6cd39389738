//! The only door to environment, clock, terminal and other programs.
#![expect(clippy::disallowed_methods, reason = "this is the door")]

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Most bytes that are read of what a program prints.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

/// What a program left behind. It may be a secret, so it has no `Debug`.
pub struct Ran {
    /// What it printed on standard output.
    pub output: Vec<u8>,
    /// Whether it ended well.
    pub is_success: bool,
}

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

    /// Where gpg keeps its keys: `GNUPGHOME`, or its place in the home directory. `None` where there
    /// is no keyring, so that gpg has nothing to say; it would make an empty one.
    pub fn gpg_home(&self) -> Option<PathBuf> {
        let own = || match self.env("APPDATA").filter(|_| cfg!(windows)) {
            Some(data) => Some(PathBuf::from(data).join("gnupg")),
            None => Some(PathBuf::from(self.env("HOME")?).join(".gnupg")),
        };
        let home = self.env("GNUPGHOME").map(PathBuf::from).or_else(own)?;
        let keyrings = ["pubring.kbx", "pubring.gpg", "public-keys.d"];
        keyrings.iter().any(|name| home.join(name).exists()).then_some(home)
    }

    /// The gpg that sops runs: `SOPS_GPG_EXEC`, or `gpg`.
    pub fn gpg_program(&self) -> String {
        self.env("SOPS_GPG_EXEC").unwrap_or_else(|| "gpg".to_owned())
    }

    /// Runs a program to its end, in the directory where this one was started. What it says on
    /// standard error is lost on purpose: nobody knows what it quotes.
    pub fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> std::io::Result<Ran> {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut output = Vec::new();
        let read = std::thread::scope(|threads| {
            // Both ends at once: a program that answers while it is asked would wait for ever.
            threads.spawn(|| {
                // Who does not listen to the end may still have an answer.
                stdin.map(|mut stdin| stdin.write_all(input))
            });
            stdout.map_or(Ok(0), |stdout| stdout.take(MAX_OUTPUT).read_to_end(&mut output))
        });
        let is_success = child.wait()?.success();
        read.map(|_| Ran { output, is_success })
    }

    /// Milliseconds since the run began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
