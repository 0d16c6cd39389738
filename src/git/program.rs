//! The git program, for what gix cannot do.
//!
//! It writes blobs and the index, where gix would lose some of it (`write`). It finds the commit of a name where gix 0.90 cannot: it does not read the `reftable` storage of
//! refs, and not every name that git knows, such as `:/words`. And to say where git itself looks for
//! hooks.
#![expect(clippy::disallowed_methods, reason = "this is where git is run")]

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gix::ObjectId;

/// The commit that a name means; `None` if git does not know it either, or is not there.
pub(super) fn commit(directory: &Path, name: &str) -> Option<ObjectId> {
    let output = run(
        directory,
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")],
    )?;
    ObjectId::from_hex(output.trim_ascii()).ok()
}

/// The commits of the refs whose names begin so.
pub(super) fn refs(directory: &Path, prefix: &str) -> Vec<ObjectId> {
    let output = run(directory, &["for-each-ref", "--format=%(objectname) %(refname)"]);
    let output = output.unwrap_or_default();
    let lines = output.split(|byte| *byte == b'\n');
    let entries = lines.filter_map(|line| {
        let space = line.iter().position(|byte| *byte == b' ')?;
        Some((&line[..space], &line[space + 1..]))
    });
    let named = entries.filter(|(_, name)| name.starts_with(prefix.as_bytes()));
    named.filter_map(|(id, _)| ObjectId::from_hex(id).ok()).collect()
}

/// Where git looks for the hooks of a repository: `core.hooksPath`, or its own place for them.
pub(super) fn hooks(directory: &Path) -> Option<PathBuf> {
    let output = String::from_utf8(run(directory, &["rev-parse", "--git-path", "hooks"])?).ok()?;
    Some(directory.join(output.trim_end_matches(['\n', '\r'])))
}

/// What git prints.
pub(super) fn output(directory: &Path, arguments: &[&OsStr]) -> Option<Vec<u8>> {
    let mut git = git(directory);
    git.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Runs git with `input` for its input, by way of a file.
pub(super) fn feed(
    directory: &Path,
    arguments: &[&str],
    file: &Path,
    input: &[u8],
) -> Result<(), String> {
    let written = std::fs::write(file, input).and_then(|()| File::open(file));
    let stdin = written.map_err(|error| error.to_string())?;
    let mut git = git(directory);
    git.args(arguments).stdin(stdin).stdout(Stdio::null());
    let output = git.output().map_err(|error| error.to_string());
    // It names paths and blobs; nothing breaks if it stays.
    let _ = std::fs::remove_file(file);
    let output = output?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or("git does not say why");
    Err(first.trim_start_matches("fatal: ").to_owned())
}

/// Git, which must not fetch what a partial clone left out: nobody asked for the network.
fn git(directory: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory).env("GIT_NO_LAZY_FETCH", "1");
    git
}

fn run(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    output(directory, &arguments)
}
