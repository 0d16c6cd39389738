//! The access to the environment, the clock, the terminal and other programs. Git has its own module.
#![expect(clippy::disallowed_methods, reason = "this is the door")]

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::secret::{Plaintext, read_all};

/// Largest file of private keys, in bytes.
const MAX_KEY_FILE: u64 = 16 * 1024 * 1024;
/// Bytes that are allocated before a program prints: a data key, some identities.
const USUAL_OUTPUT: usize = 64 * 1024;
/// Most bytes that are read of a program's output.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

/// The outcome of a program.
pub struct Ran {
    /// Its standard output.
    pub output: Plaintext,
    /// True if it succeeded.
    pub is_success: bool,
}

impl Ran {
    /// Returns its output if it succeeded.
    pub fn success(self) -> Option<Plaintext> {
        self.is_success.then_some(self.output)
    }
}

/// The outside world as a run sees it.
#[derive(Clone, Debug)]
pub struct Host {
    /// The current directory.
    pub directory: PathBuf,
    /// True if standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// True if standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// True if standard input is a terminal.
    pub stdin_is_terminal: bool,
    started: Instant,
}

impl Host {
    /// Returns the real host. Fails if the current directory is unknown.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            directory: std::env::current_dir()?,
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            started: Instant::now(),
        })
    }

    /// Returns an environment variable; empty ones count as unset.
    pub fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Returns what the environment says about colours: `NO_COLOR` first, then `FORCE_COLOR` and
    /// `CLICOLOR_FORCE`, then `TERM=dumb`. See <https://no-color.org/>, <https://force-color.org/> and
    /// <https://bixense.com/clicolors/>.
    pub fn wants_color(&self) -> Option<bool> {
        let is_set = |name| self.env(name).is_some_and(|value| value != "0");
        if self.env("NO_COLOR").is_some() {
            Some(false)
        } else if is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE") {
            Some(true)
        } else {
            (self.env("TERM").as_deref() == Some("dumb")).then_some(false)
        }
    }

    /// Returns the columns of the terminal on standard output, or what `COLUMNS` says.
    pub fn terminal_width(&self) -> Option<usize> {
        let size = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        size.or_else(|| self.env("COLUMNS")?.parse().ok())
    }

    /// Returns the day by which files are judged, in UTC, counted from 1970-01-01: the present one,
    /// or the one that `SOURCE_DATE_EPOCH` says.
    pub fn today(&self) -> u32 {
        let set = self.env("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
        u32::try_from(set.unwrap_or_else(|| self.now()) / (24 * 60 * 60)).unwrap_or(u32::MAX)
    }

    /// Returns the present second in UTC, counted from 1970-01-01. It is written into files, so no
    /// variable of a build environment changes it.
    pub fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }

    /// Fills bytes with secure random numbers.
    pub fn random(bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("every system that this runs on has random numbers");
    }

    /// Returns an argument that is a file and looks like an option. pre-commit and prek put the
    /// names of files behind the options, with nothing between them, and a commit can bring any
    /// name.
    pub fn disguised_file(&self, arguments: impl IntoIterator<Item = OsString>) -> Option<PathBuf> {
        self.env("PRE_COMMIT")?;
        let arguments = arguments.into_iter().take_while(|argument| argument != "--");
        let mut options =
            arguments.filter(|argument| argument.as_encoded_bytes().starts_with(b"-"));
        options
            .find(|option| self.directory.join(option).symlink_metadata().is_ok())
            .map(PathBuf::from)
    }

    /// Returns the home of the user.
    pub fn home(&self) -> Option<PathBuf> {
        std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
    }

    /// Returns where programs keep the user's settings: `$XDG_CONFIG_HOME`, or what the system has
    /// for it (Go's `os.UserConfigDir`, with sops' exception for macOS).
    pub fn config_directory(&self) -> Option<PathBuf> {
        let set = || self.env("XDG_CONFIG_HOME").map(PathBuf::from);
        if cfg!(windows) {
            return self.env("AppData").map(PathBuf::from);
        }
        let below =
            if cfg!(target_os = "macos") { "Library/Application Support" } else { ".config" };
        set().or_else(|| Some(self.home()?.join(below)))
    }

    /// Returns the bytes of a file of private keys.
    pub fn read_secret(&self, path: &Path) -> io::Result<Plaintext> {
        let file = File::open(path)?;
        let size = file.metadata()?.len().min(MAX_KEY_FILE);
        let bytes = read_all(file, usize::try_from(size).unwrap_or_default(), MAX_KEY_FILE + 1)?;
        if bytes.expose().len() as u64 > MAX_KEY_FILE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }

    /// Returns where gpg keeps its keys: `GNUPGHOME`, or its place in the home directory. `None`
    /// where there is no keyring, so that gpg has nothing to say; it would make an empty one.
    pub fn gpg_home(&self) -> Option<PathBuf> {
        let own = || match self.env("APPDATA").filter(|_| cfg!(windows)) {
            Some(data) => Some(PathBuf::from(data).join("gnupg")),
            None => Some(self.home()?.join(".gnupg")),
        };
        let home = self.env("GNUPGHOME").map(PathBuf::from).or_else(own)?;
        let keyrings = ["pubring.kbx", "pubring.gpg", "public-keys.d"];
        keyrings.iter().any(|name| home.join(name).exists()).then_some(home)
    }

    /// Returns the gpg that sops runs: `SOPS_GPG_EXEC`, or `gpg`.
    pub fn gpg_program(&self) -> String {
        self.env("SOPS_GPG_EXEC").unwrap_or_else(|| "gpg".to_owned())
    }

    /// Returns all of standard input, as git hands refs to its hooks.
    pub fn input(&self) -> io::Result<String> {
        let mut text = String::new();
        io::stdin().take(MAX_OUTPUT + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(text)
    }

    /// Returns the bytes of standard input: not many more than the limit, so that it shows if there
    /// are more.
    pub fn read_input(&self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io::stdin().take(limit + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes a program to a path that does not exist yet, and creates the directories above it.
    pub fn write_program(&self, path: &Path, text: &str) -> io::Result<()> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o777);
        options.open(path)?.write_all(text.as_bytes())
    }

    /// Writes a file, whole or not at all. Below `root` no link is followed: a stranger's commit
    /// can have brought it. What is no regular file, a terminal for one, is written to as it is.
    pub fn write_whole(&self, path: &Path, bytes: &[u8], root: &Path) -> io::Result<()> {
        Pending::new(path, bytes, root)?.publish()
    }

    /// Reports whether a file may be run. Where there is no such bit, every file may.
    pub fn is_program(&self, path: &Path) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
        }
        #[cfg(not(unix))]
        path.exists()
    }

    /// Returns the link to a missing file that a path is or leads through, if there is one.
    pub fn dangling_link<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.ancestors().find(|place| place.is_symlink() && !place.exists())
    }

    /// Reports whether there is a directory.
    pub fn is_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }

    /// Removes a file.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    /// Runs a program to its end and gives it `input`; `None` if there is none. What it has to say
    /// on standard error is dropped, because it may quote anything.
    pub fn run(
        &self,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
        input: &[u8],
    ) -> Option<Ran> {
        let mut child = Command::new(program)
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take()?);
        let output = std::thread::scope(|threads| {
            // Both ends at once: a program that answers while it is asked would wait for ever. One
            // that does not listen to the end may still have an answer.
            threads.spawn(|| stdin.map(|mut pipe| pipe.write_all(input)));
            read_all(stdout, USUAL_OUTPUT, MAX_OUTPUT)
        });
        let is_success = child.wait().ok()?.success() && output.is_ok();
        Some(Ran { output: output.unwrap_or_default(), is_success })
    }

    /// Asks on the terminal for something that does not show while it is typed. `None` without a
    /// terminal, or where nothing was typed.
    pub fn ask(&self, prompt: &str) -> Option<Plaintext> {
        if !(self.stdin_is_terminal && self.stderr_is_terminal) {
            return None;
        }
        let answer = rpassword::prompt_password(prompt).ok()?;
        Some(Plaintext::new(answer.into_bytes())).filter(|answer| !answer.expose().is_empty())
    }

    /// Milliseconds since the run began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A file that is written, and not yet in its place. It removes itself if it never gets there.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    way: Way,
}

/// The way into the place.
#[derive(Debug)]
enum Way {
    /// The file beside the place takes it.
    Rename(PathBuf),
    /// The place has no regular file, such as a pipe, and gets the bytes.
    Write(File, Vec<u8>),
    /// It is there.
    Done,
}

impl Pending {
    /// Writes the bytes beside the path, as [`Host::write_whole`] says.
    pub fn new(path: &Path, bytes: &[u8], root: &Path) -> io::Result<Self> {
        if path.is_symlink() && path.starts_with(root) {
            return Err(io::Error::other("it is a symbolic link, which is not followed"));
        }
        let metadata = path.metadata().ok();
        let is_replaced = metadata.as_ref().is_none_or(std::fs::Metadata::is_file);
        let path = path.to_path_buf();
        if path.is_symlink() || !is_replaced {
            // A pipe is opened once: its reader takes the end of the first writer for the end.
            let file = OpenOptions::new().write(true).open(&path)?;
            return Ok(Self { path, way: Way::Write(file, bytes.to_vec()) });
        }
        let mut number = [0; 8];
        Host::random(&mut number);
        let name = format!(".sops-lint-{:016x}", u64::from_ne_bytes(number));
        let temporary = path.with_file_name(name);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let pending = Self { path, way: Way::Rename(temporary) };
        file.write_all(bytes)?;
        metadata.map_or(Ok(()), |old| file.set_permissions(old.permissions()))?;
        Ok(pending)
    }

    /// Puts the file into its place.
    pub fn publish(mut self) -> io::Result<()> {
        match &mut self.way {
            Way::Rename(temporary) => std::fs::rename(temporary, &self.path)?,
            Way::Write(file, bytes) => {
                if file.metadata()?.is_file() {
                    file.set_len(0)?;
                }
                file.write_all(bytes)?;
            }
            Way::Done => {}
        }
        self.way = Way::Done;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Way::Rename(temporary) = &self.way {
            let _ = std::fs::remove_file(temporary);
        }
    }
}
