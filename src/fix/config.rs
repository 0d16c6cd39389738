//! Corrects mistakes in a `.sops.yaml`.

use super::change::{Bytes, Change, Refusal};
use crate::document::splice::{Edit, apply};
use crate::path::RepoPath;
use crate::policy::Config;
use crate::text::words::count;

/// Works out the corrected config.
pub fn correct(path: &RepoPath, bytes: &[u8], edits: Vec<Edit>) -> Result<Change, Refusal> {
    let refused = |reason| Refusal::new(path, reason, "correct it by hand");
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
    let new = apply(text, &edits).ok_or_else(|| refused("two corrections overlap"))?;
    let problems = |text: &str| Config::read(path.clone(), text.as_bytes().to_vec()).problems.len();
    if problems(&new) > problems(text) {
        return Err(refused("its corrections would cause other mistakes"));
    }
    let done = format!("corrected {}", count(edits.len(), "mistake"));
    Ok(Change {
        path: path.clone(),
        old: Bytes(bytes.to_vec()),
        new: Bytes(new.into_bytes()),
        edits,
        done,
        encryption: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    #[test]
    fn corrections_never_cause_mistakes() {
        let path = RepoPath::from(".sops.yaml");
        let text = b"creation_rules:\n  - age: x\n    encrypted-regex: y\n";
        let edit = |text: &str| vec![Edit::new(Span::new(31, 46), text)];
        let change = correct(&path, text, edit("encrypted_regex")).expect("corrected");
        assert!(change.new.0.ends_with(b"encrypted_regex: y\n"));
        assert!(correct(&path, text, edit("age")).is_err());
        let twice = [edit("encrypted_regex"), edit("encrypted_regex")].concat();
        assert!(correct(&path, text, twice).is_err());
    }
}
