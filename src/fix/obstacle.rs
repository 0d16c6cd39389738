//! Obstacles outside the content of a file: what keeps it from being written, whatever is in it.

use super::change::Refusal;
use crate::path::RepoPath;

/// Refuses a file whose name is not exact: under that name, another file would be written.
pub fn in_name(path: &RepoPath) -> Option<Refusal> {
    let reason = "its name is not UTF-8 (or contains U+FFFD), so it cannot be fixed automatically"
        .to_owned();
    let help = "rename it, and run this again".to_owned();
    (!path.is_exact()).then(|| Refusal { path: path.clone(), line: None, reason, help })
}
