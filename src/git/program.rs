//! The git program, for tasks that gix cannot do.
//!
//! It writes blobs and the index, where gix would lose some parts (`write`). It resolves names that gix
//! 0.90 cannot: gix does not read refs in `reftable` storage, or names such as `:/words`. And it knows
//! where git looks for hooks.
#![expect(clippy::disallowed_methods, reason = "this is where git is run")]

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gix::ObjectId;

/// Returns the commit with this name; `None` if git does not know it either, or is not installed.
pub(super) fn commit(directory: &Path, name: &str) -> Option<ObjectId> {
    let output = run(
        directory,
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")],
    )?;
    ObjectId::from_hex(output.trim_ascii()).ok()
}

/// Returns the object with this name, which may be missing; `None` if git does not know the name.
pub(super) fn object(directory: &Path, name: &str) -> Option<ObjectId> {
    let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", name];
    ObjectId::from_hex(run(directory, &arguments)?.trim_ascii()).ok()
}

/// Reports whether a name leads to another ref, which need not exist.
pub(super) fn is_symbolic(directory: &Path, name: &str) -> bool {
    run(directory, &["symbolic-ref", "--quiet", name]).is_some()
}

/// Returns the names and objects of all refs; `None` if git cannot list them, or is not installed.
pub(super) fn refs(directory: &Path) -> Option<Vec<(String, ObjectId)>> {
    let output = run(directory, &["for-each-ref", "--format=%(objectname) %(refname)"])?;
    let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let entries = lines.map(|line| {
        let space = line.iter().position(|byte| *byte == b' ')?;
        let name = String::from_utf8_lossy(&line[space + 1..]).into_owned();
        Some((name, ObjectId::from_hex(&line[..space]).ok()?))
    });
    entries.collect()
}

/// Returns the directory where git looks for hooks: `core.hooksPath`, or the default.
pub(super) fn hooks(directory: &Path) -> Option<PathBuf> {
    let output = String::from_utf8(run(directory, &["rev-parse", "--git-path", "hooks"])?).ok()?;
    Some(directory.join(output.trim_end_matches(['\n', '\r'])))
}

/// Returns the output of git; `None` if it fails.
pub(super) fn output(directory: &Path, arguments: &[&OsStr]) -> Option<Vec<u8>> {
    let mut git = git(directory);
    git.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Does the same without any filter of `.gitattributes`.
pub(super) fn output_unfiltered(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut git = without_filters(directory);
    git.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Runs git with `input` as its input, through a file. No hook is run, and no filter: while git writes the
/// index, it may look at the content of any file.
pub(super) fn feed(
    directory: &Path,
    arguments: &[&str],
    file: &Path,
    input: &[u8],
) -> Result<(), String> {
    let written = std::fs::write(file, input).and_then(|()| File::open(file));
    let output = written.and_then(|stdin| {
        let mut git = without_filters(directory);
        git.args(["-c", "core.hooksPath=/dev/null"]);
        git.args(arguments).stdin(stdin).stdout(Stdio::null()).output()
    });
    discard(file);
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or("git gave no reason");
    Err(first.trim_start_matches("fatal: ").to_owned())
}

/// Removes a file that was the input of git. It contains only paths and ids; nothing breaks if it stays.
pub(super) fn discard(file: &Path) {
    let _ = std::fs::remove_file(file);
}

/// Returns a command that runs no monitor of the file system, and does not fetch objects missing from a
/// partial clone: the network is off limits.
fn git(directory: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory).env("GIT_NO_LAZY_FETCH", "1").args(["-c", "core.fsmonitor=false"]);
    git
}

/// Returns a command that runs no filter, whatever the configuration names. Git before 2.31 does not know how.
fn without_filters(directory: &Path) -> Command {
    const KEYS: &str = r"^filter\..*\.(clean|smudge|process|required)$";
    let names = run(directory, &["config", "--null", "--name-only", "--get-regexp", KEYS]);
    let mut git = git(directory);
    let earlier = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok());
    let mut count: usize = earlier.unwrap_or(0);
    for key in names.unwrap_or_default().split(|byte| *byte == 0).filter(|key| !key.is_empty()) {
        let value = if key.ends_with(b".required") { "false" } else { "" };
        git.env(format!("GIT_CONFIG_KEY_{count}"), &*String::from_utf8_lossy(key));
        git.env(format!("GIT_CONFIG_VALUE_{count}"), value);
        count += 1;
    }
    git.env("GIT_CONFIG_COUNT", count.to_string());
    git
}

fn run(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    output(directory, &arguments)
}
