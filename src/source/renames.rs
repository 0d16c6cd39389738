//! Renames: pairs of a removed file and a new one with the same or similar content, as git sees them.
//!
//! Follows `diffcore-rename.c` with its defaults: equal contents first, then the most similar ones, of which
//! at least half of the larger file has to be the same. Above the limits only equal contents count, as for git.
//! Beyond git, files that share a ciphertext are the same file: `sops updatekeys` changes most of a small one.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use memchr::memmem;

use crate::git::{File, ObjectId, Repo};
use crate::path::RepoPath;
use crate::sops::value::PREFIX;

/// The maximum number of removed files, and of new ones, whose contents are compared.
const MAX_FILES: usize = 1000;
/// The maximum size of a file whose content is compared, in bytes.
const MAX_SIZE: usize = 1024 * 1024;
/// The maximum size of all these files, in bytes. Each byte takes up to five of memory.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The maximum number of comparisons of pieces. Each takes about 20 ns.
const MAX_WORK: usize = 20_000_000;
/// The length of a piece, in bytes; a piece ends with its line, too.
const PIECE: usize = 64;

/// Finds the removed file of which each new one is a rename. A file is renamed once.
pub(super) fn renames(
    repo: &Repo,
    mut removed: Vec<File>,
    mut added: Vec<File>,
) -> HashMap<RepoPath, File> {
    let mut renames = HashMap::new();
    if removed.is_empty() || added.is_empty() {
        return renames;
    }
    take_equal(&mut removed, &mut added, &mut renames);
    if removed.len() > MAX_FILES || added.len() > MAX_FILES {
        return renames;
    }
    let mut left = MAX_BYTES;
    let removed = read_all(repo, removed, &mut left);
    if let Some((removed, added)) = removed.zip(read_all(repo, added, &mut left)) {
        take_similar(&removed, &added, &mut renames);
    }
    renames
}

/// Reads files; `None` if they have more bytes than are left.
fn read_all(repo: &Repo, files: Vec<File>, left: &mut usize) -> Option<Vec<Contents>> {
    let mut contents = Vec::new();
    for file in files {
        let read = Contents::read(repo, file);
        *left = left.checked_sub(read.as_ref().map_or(0, |read| read.size))?;
        contents.extend(read);
    }
    Some(contents)
}

/// Takes the pairs with equal contents; of several, those with equal names first.
fn take_equal(
    removed: &mut Vec<File>,
    added: &mut Vec<File>,
    renames: &mut HashMap<RepoPath, File>,
) {
    let empty = ObjectId::empty_blob(removed[0].blob.kind());
    let mut by_blob: HashMap<ObjectId, Vec<File>> = HashMap::new();
    for file in removed.iter().filter(|file| file.blob != empty) {
        by_blob.entry(file.blob).or_default().push(file.clone());
    }
    for is_same_name in [true, false] {
        added.retain(|file| {
            let olds = by_blob.get_mut(&file.blob);
            let at = olds.as_ref().and_then(|olds| {
                let fits = |old: &File| !is_same_name || has_same_name(&old.path, &file.path);
                olds.iter().position(fits)
            });
            let old = at.and_then(|at| olds.map(|olds| olds.remove(at)));
            let is_new = old.is_none();
            renames.extend(old.map(|old| (file.path.clone(), old)));
            is_new
        });
    }
    let taken: HashSet<&RepoPath> = renames.values().map(|old| &old.path).collect();
    removed.retain(|file| !taken.contains(&file.path));
}

/// Takes the most similar pairs, one after the other.
fn take_similar(removed: &[Contents], added: &[Contents], renames: &mut HashMap<RepoPath, File>) {
    let mut work = 0;
    let mut pairs = Vec::new();
    for (new_at, new) in added.iter().enumerate() {
        for (old_at, old) in removed.iter().enumerate() {
            work += old.pieces.len().min(new.pieces.len());
            if work > MAX_WORK {
                return;
            }
            let (common, larger) = (old.common(new), old.size.max(new.size));
            if common * 2 >= larger || !old.ciphertexts.is_disjoint(&new.ciphertexts) {
                let share = common * 1000 / larger;
                let name = has_same_name(&old.file.path, &new.file.path);
                pairs.push((Reverse((share, name)), old_at, new_at));
            }
        }
    }
    pairs.sort_unstable();
    let mut is_taken = vec![false; removed.len()];
    for (_, old_at, new_at) in pairs {
        let (old, new) = (&removed[old_at].file, &added[new_at].file);
        if !is_taken[old_at] && !renames.contains_key(&new.path) {
            is_taken[old_at] = true;
            renames.insert(new.path.clone(), old.clone());
        }
    }
}

/// Its keys are the same for all files of a run.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

fn has_same_name(one: &RepoPath, other: &RepoPath) -> bool {
    one.file_name() == other.file_name()
}

/// The pieces of a file, with the number of bytes of each.
struct Contents {
    file: File,
    size: usize,
    pieces: HashMap<u64, usize>,
    /// The lines with a ciphertext.
    ciphertexts: HashSet<u64>,
}

impl Contents {
    /// Reads a file; `None` if it is empty, too large, or cannot be read.
    fn read(repo: &Repo, file: File) -> Option<Self> {
        let bytes = repo.read(file.blob).ok()?.into_bytes()?;
        let has_size = (1..=MAX_SIZE).contains(&bytes.len());
        has_size.then(|| Self::new(file, &bytes))
    }

    fn new(file: File, bytes: &[u8]) -> Self {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let encrypted = lines.filter(|line| memmem::find(line, PREFIX.as_bytes()).is_some());
        let ciphertexts = encrypted.map(|line| HASHER.hash_one(line)).collect();
        Self { file, size: bytes.len(), pieces: pieces(bytes), ciphertexts }
    }

    /// Returns the number of bytes that both have.
    fn common(&self, other: &Self) -> usize {
        let (few, many) = if self.pieces.len() < other.pieces.len() {
            (&self.pieces, &other.pieces)
        } else {
            (&other.pieces, &self.pieces)
        };
        few.iter().map(|(piece, size)| many.get(piece).map_or(0, |other| *size.min(other))).sum()
    }
}

/// Splits a file into lines, and long lines into pieces.
fn pieces(bytes: &[u8]) -> HashMap<u64, usize> {
    let mut pieces = HashMap::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        for piece in line.chunks(PIECE) {
            let hash = HASHER.hash_one(piece);
            *pieces.entry(hash).or_default() += piece.len();
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(path: &str, text: &str) -> Contents {
        let file = File { path: path.into(), blob: ObjectId::empty_blob(gix::hash::Kind::Sha1) };
        Contents::new(file, text.as_bytes())
    }

    fn similar(removed: &[(&str, &str)], added: &[(&str, &str)]) -> Vec<(String, String)> {
        let all = |files: &[(&str, &str)]| -> Vec<Contents> {
            files.iter().map(|(path, text)| contents(path, text)).collect()
        };
        let mut renames = HashMap::new();
        take_similar(&all(removed), &all(added), &mut renames);
        let mut pairs: Vec<_> =
            renames.into_iter().map(|(new, old)| (old.path.to_string(), new.to_string())).collect();
        pairs.sort();
        pairs
    }

    #[test]
    fn half_of_the_larger_file_has_to_be_the_same() {
        let pair = |one: &str, other: &str| vec![(one.to_owned(), other.to_owned())];
        assert_eq!(similar(&[("a", "1\n2\n3\n")], &[("b", "1\n2\n4\n")]), pair("a", "b"));
        assert_eq!(similar(&[("a", "1\n2\n3\n")], &[("b", "1\n4\n5\n")]), []);
        assert_eq!(similar(&[("a", "1\n")], &[("b", "1\n2\n3\n")]), []);
        let encrypted = "a: ENC[AES256_GCM,data:x]\n";
        assert_eq!(similar(&[("a", encrypted)], &[("b", &encrypted.repeat(9))]), pair("a", "b"));
        // A file is renamed once, to the most similar one.
        let added = [("b", "1\n2\n4\n"), ("c", "1\n2\n3\n")];
        assert_eq!(similar(&[("a", "1\n2\n3\n")], &added), pair("a", "c"));
        let added = [("x/b", "1\n2\n4\n"), ("x/a", "1\n2\n5\n")];
        assert_eq!(similar(&[("a", "1\n2\n3\n")], &added), pair("a", "x/a"));
    }
}
