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
    let command = Command::new(env!("CARGO_BIN_EXE_sops-lint"));
    start(command, directory, args)
}

/// The same on one thread, with 256 MiB of memory and a minute of processor time: past either
/// limit the system ends the program, and there is no exit code. A clock would measure how busy the
/// machine is; `benches/hostile.sh` does that.
#[cfg(target_os = "linux")]
pub(crate) fn sops_lint_in_bounds(directory: &Path, args: &[&str]) -> Run {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 262144 && ulimit -t 60 && exec \"$0\" \"$@\" --threads 1"]);
    command.arg(env!("CARGO_BIN_EXE_sops-lint"));
    start(command, directory, args)
}

/// Other systems do not limit memory so.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sops_lint_in_bounds(directory: &Path, args: &[&str]) -> Run {
    sops_lint(directory, args)
}

fn start(mut command: Command, directory: &Path, args: &[&str]) -> Run {
    let home = tempfile::tempdir().expect("a home can be made");
    let output = command
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("HOME", home.path())
        // 2026-06-30: not half a year after anything that was written by hand in the fixtures.
        .env("SOURCE_DATE_EPOCH", "1782777600")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .expect("the binary runs");
    run(output)
}

fn run(output: Output) -> Run {
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

/// A copy of a directory outside of any repository. Files named in `without` are left out.
pub(crate) fn copy_of(directory: &Path, without: &[&str]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a directory can be made");
    copy_into(directory, copy.path(), without);
    copy
}

fn copy_into(from: &Path, to: &Path, without: &[&str]) {
    fs::create_dir_all(to).expect("directories can be made");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("entries can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("entries have types").is_dir() {
            copy_into(&entry.path(), &target, without);
        } else if !without.iter().any(|name| entry.file_name() == *name) {
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
