//! The one harness: a scrubbed world, and the binary in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The top of this project.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The fixtures.
pub(crate) fn fixtures() -> PathBuf {
    project().join("fixtures")
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The findings of a JSON report, which its schema describes, as `(rule, level, path)`.
    pub(crate) fn findings(&self) -> Vec<(String, String, String)> {
        let report = self.json();
        assert_eq!(crate::schemas::check_report(&report), Ok(()), "docs/schema/report.json");
        let text = |finding: &serde_json::Value, key: &str| {
            finding[key].as_str().expect("findings have texts").to_owned()
        };
        let findings = report["findings"].as_array().expect("a report has findings");
        findings
            .iter()
            .map(|finding| (text(finding, "rule"), text(finding, "level"), text(finding, "path")))
            .collect()
    }
}

/// Runs the binary in a directory, with no home, no colours, a fixed day, and nothing of the
/// caller's world.
pub(crate) fn sops_lint(directory: &Path, args: &[&str]) -> Run {
    sops_lint_with(directory, args, &[])
}

/// The same for somebody who has Alice's private age key.
pub(crate) fn sops_lint_as_alice(directory: &Path, args: &[&str]) -> Run {
    let key = fixtures().join("keys/age/alice.txt");
    sops_lint_with(directory, args, &[("SOPS_AGE_KEY_FILE", &key)])
}

/// The same with more variables in the environment.
pub(crate) fn sops_lint_with(directory: &Path, args: &[&str], variables: &[(&str, &Path)]) -> Run {
    let command = Command::new(env!("CARGO_BIN_EXE_sops-lint"));
    start(command, directory, args, variables)
}

/// The same with something on standard input.
pub(crate) fn sops_lint_fed(directory: &Path, args: &[&str], input: &[u8]) -> Run {
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    fs::write(file.path(), input).expect("files can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sops-lint"));
    command.stdin(fs::File::open(file.path()).expect("it is there"));
    start(command, directory, args, &[])
}

/// The same on one thread, with 256 MiB of memory beside the 64 MiB of addresses that the program itself
/// takes in a debug build, and a minute of processor time: past either
/// limit the system ends the program, and there is no exit code. A clock would measure how busy the
/// machine is; `benches/hostile.sh` does that.
#[cfg(target_os = "linux")]
pub(crate) fn sops_lint_in_bounds(directory: &Path, args: &[&str]) -> Run {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 327680 && ulimit -t 60 && exec \"$0\" \"$@\" --threads 1"]);
    command.arg(env!("CARGO_BIN_EXE_sops-lint"));
    start(command, directory, args, &[])
}

/// Other systems do not limit memory so.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sops_lint_in_bounds(directory: &Path, args: &[&str]) -> Run {
    sops_lint(directory, args)
}

fn start(
    mut command: Command,
    directory: &Path,
    args: &[&str],
    variables: &[(&str, &Path)],
) -> Run {
    let home = tempfile::tempdir().expect("a home can be made");
    let output = command
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("HOME", home.path())
        // 2026-06-30: not half a year after anything that was written by hand in the fixtures.
        .env("SOURCE_DATE_EPOCH", "1782777600")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs");
    run(output)
}

/// A repository that the real git keeps, in a world without a home, settings or a clock.
#[derive(Debug)]
pub(crate) struct Git {
    directory: tempfile::TempDir,
    /// The top of the work tree, or the bare repository.
    pub(crate) root: PathBuf,
}

impl Git {
    /// An empty one, with arguments for `git init`.
    pub(crate) fn init(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let root = directory.path().join("repo");
        fs::create_dir(&root).expect("a directory can be made");
        let git = Self { directory, root };
        git.run(&[&["init", "--quiet", "--initial-branch=main"], arguments].concat());
        git
    }

    /// One with a commit of these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let git = Self::init(&[]);
        git.commit(files);
        git
    }

    /// Returns a directory next to the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs git at the root, and expects it to do as it is told.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let run = self.attempt(arguments);
        assert_eq!(run.code, Some(0), "git {arguments:?}: {run:?}");
        run.stdout.trim_end().to_owned()
    }

    /// Runs git at the root.
    pub(crate) fn attempt(&self, arguments: &[&str]) -> Run {
        git_in(&self.root, arguments)
    }

    /// Writes a file into the work tree.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("files stand in directories")).expect("made");
        fs::write(path, content).expect("files can be written");
    }

    /// Writes files and stages them.
    pub(crate) fn stage(&self, files: &[(&str, &str)]) {
        for (path, content) in files {
            self.write(path, content);
            self.run(&["add", "--force", "--", path]);
        }
    }

    /// Writes files and commits them; gives the id of the commit.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        self.stage(files);
        self.run(&["commit", "--quiet", "--allow-empty", "-m", "a commit"]);
        self.run(&["rev-parse", "HEAD"])
    }

    /// Runs the binary at the root.
    pub(crate) fn lint(&self, arguments: &[&str]) -> Run {
        sops_lint(&self.root, arguments)
    }

    /// The errors of a JSON report, as `(rule, path)`.
    pub(crate) fn errors(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let run = self.lint(&[&["scan", "--format", "json"], arguments].concat());
        assert!(run.code.is_some_and(|code| code < 2), "{run:?}");
        let findings = run.findings().into_iter().filter(|(_, level, _)| level == "error");
        findings.map(|(rule, _, path)| (rule, path)).collect()
    }
}

/// Runs git in a directory. It finds its way, but nothing of the caller's world.
pub(crate) fn git_in(directory: &Path, arguments: &[&str]) -> Run {
    let output = Command::new("git")
        .args(["-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"])
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
        .env("SOPS_LINT", env!("CARGO_BIN_EXE_sops-lint"))
        .output()
        .expect("git is installed");
    run(output)
}

fn run(output: Output) -> Run {
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

/// A copy of a directory outside of any repository, without what is named in `without`.
pub(crate) fn copy_of(directory: &Path, without: &[&str]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a directory can be made");
    copy_into(directory, copy.path(), without);
    copy
}

pub(crate) fn copy_into(from: &Path, to: &Path, without: &[&str]) {
    fs::create_dir_all(to).expect("directories can be made");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("entries can be read");
        let target = to.join(entry.file_name());
        if without.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type().expect("entries have types").is_dir() {
            copy_into(&entry.path(), &target, without);
        } else {
            fs::copy(entry.path(), target).expect("files can be copied");
        }
    }
}

/// Writes files into a new directory outside of any repository.
pub(crate) fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory can be made");
    for (path, content) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().expect("files stand in directories")).expect("made");
        fs::write(path, content).expect("files can be written");
    }
    directory
}

/// The directories in a directory, sorted.
pub(crate) fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// The last component of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().expect("paths have names").to_string_lossy().into_owned()
}
