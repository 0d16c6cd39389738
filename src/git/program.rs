//! The git program, for what gix cannot do.
//!
//! That is one thing: to find the commit of a name where gix 0.90 cannot. It does not read the
//! `reftable` storage of refs, and not every name that git knows, such as `:/words`.
#![expect(clippy::disallowed_methods, reason = "this is where git is run")]

use std::path::Path;
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

/// The commits of all refs.
pub(super) fn all_refs(directory: &Path) -> Vec<ObjectId> {
    let output = run(directory, &["for-each-ref", "--format=%(objectname)"]).unwrap_or_default();
    let lines = output.split(|byte| *byte == b'\n');
    lines.filter_map(|line| ObjectId::from_hex(line.trim_ascii()).ok()).collect()
}

fn run(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(directory).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok()?;
    output.status.success().then_some(output.stdout)
}
