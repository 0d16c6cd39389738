//! Reads the objects of a pack, as a scan of history does. If the first byte is even, the input has the
//! offsets of the objects and then the pack; otherwise it has an index and then the pack.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sops_lint::git::{ObjectId, Repo};
use sops_lint_fuzz::Repository;

/// Objects that are read.
const MAX_OBJECTS: usize = 16;
/// The offset of the ids in an index: after signature, version and fan-out (gitformat-pack).
const IDS: usize = 8 + 4 * 256;

static REPOSITORY: LazyLock<Repository> = LazyLock::new(|| Repository::new("packs"));

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let Some((first, rest)) = bytes.split_at_checked(2) else { return };
    let number = usize::from(u16::from_le_bytes([first[0], first[1]]));
    let (index, pack) = if choice & 1 == 0 {
        let count = number % (MAX_OBJECTS + 1);
        let Some((offsets, body)) = rest.split_at_checked(2 * count) else { return };
        let offsets: Vec<u32> =
            offsets.chunks(2).map(|two| u32::from(u16::from_le_bytes([two[0], two[1]]))).collect();
        let count = (count as u32).to_be_bytes();
        (index(&offsets), [&b"PACK\0\0\0\x02"[..], &count, body, &[0; 20]].concat())
    } else {
        let Some((index, pack)) = rest.split_at_checked(number) else { return };
        (index.to_vec(), pack.to_vec())
    };
    let directory = REPOSITORY.git.join("objects/pack");
    let name = "pack-0000000000000000000000000000000000000000";
    fs::write(directory.join(format!("{name}.idx")), &index).expect("the directory is there");
    fs::write(directory.join(format!("{name}.pack")), &pack).expect("the directory is there");
    let repo = Repo::discover(&REPOSITORY.root).expect("it is a repository");
    repo.open_packs();
    let ids = index.get(IDS..).unwrap_or_default().chunks_exact(20).take(MAX_OBJECTS);
    for id in ids.map(ObjectId::from_bytes_or_panic) {
        let _ = (repo.read(id), repo.files(id), repo.tree_of(id));
    }
});

/// Returns an index of objects at these offsets. An id is the number of the object, followed by zeros.
fn index(offsets: &[u32]) -> Vec<u8> {
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for byte in 0..256 {
        index.extend((offsets.len().min(byte + 1) as u32).to_be_bytes());
    }
    for number in 0..offsets.len() {
        index.push(number as u8);
        index.extend([0; 19]);
    }
    index.extend(offsets.iter().flat_map(|_| [0; 4]));
    index.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
    index.extend([0; 40]);
    index
}
