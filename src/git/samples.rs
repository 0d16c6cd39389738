//! Packs for tests, written by hand: git would not write damaged ones.
#![expect(clippy::disallowed_methods, reason = "packs are files")]

use std::fs;
use std::path::Path;

use gix::ObjectId;

/// The first byte of an entry, without its size (gitformat-pack).
const BLOB: u8 = 3;
const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

/// An object of a pack.
pub(super) enum Sample {
    Blob(Vec<u8>),
    /// A delta of an earlier object, found by its offset.
    Delta(usize, Vec<u8>),
    /// A delta of any object, found by its id.
    Reference(usize, Vec<u8>),
}

/// Returns the id of an object of a sample pack. Nothing checks that an id is the hash of its object.
pub(super) fn id(number: usize) -> ObjectId {
    let number = u32::try_from(number << 12).expect("few objects");
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes_or_panic(&bytes)
}

/// Returns an empty repository, which has no commit.
pub(super) fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("made");
    let git = directory.path().join(".git");
    for name in ["objects", "refs"] {
        fs::create_dir_all(git.join(name)).expect("made");
    }
    fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("written");
    directory
}

/// A pack and its index.
pub(super) struct SamplePack {
    pub(super) pack: Vec<u8>,
    pub(super) index: Vec<u8>,
}

impl SamplePack {
    pub(super) fn new(objects: &[Sample]) -> Self {
        let count = u32::try_from(objects.len()).expect("few objects").to_be_bytes();
        let mut pack = [b"PACK", &2_u32.to_be_bytes()[..], &count].concat();
        let mut offsets: Vec<usize> = Vec::new();
        for object in objects {
            let offset = pack.len();
            let (kind, base, data) = match object {
                Sample::Blob(data) => (BLOB, Vec::new(), data),
                Sample::Delta(base, data) => (OFS_DELTA, distance(offset - offsets[*base]), data),
                Sample::Reference(base, data) => (REF_DELTA, id(*base).as_slice().to_vec(), data),
            };
            pack.extend(head(kind, data.len()));
            pack.extend(base);
            pack.extend(deflated(data));
            offsets.push(offset);
        }
        pack.extend([0; 20]);
        Self { pack, index: index(&offsets) }
    }

    /// Returns a pack with an object that claims to be this long, and is not.
    pub(super) fn claiming(length: usize) -> Self {
        let header = [b"PACK", &2_u32.to_be_bytes()[..], &1_u32.to_be_bytes()].concat();
        let pack = [&header[..], &head(BLOB, length), &deflated(b"short"), &[0; 20]].concat();
        Self { pack, index: index(&[header.len()]) }
    }

    /// Writes the pack into a directory of objects.
    pub(super) fn write(&self, objects: &Path) {
        let directory = objects.join("pack");
        fs::create_dir_all(&directory).expect("made");
        let name = format!("pack-{}", "0".repeat(40));
        fs::write(directory.join(format!("{name}.pack")), &self.pack).expect("written");
        fs::write(directory.join(format!("{name}.idx")), &self.index).expect("written");
    }
}

/// Returns the index of a pack with objects at these offsets.
fn index(offsets: &[usize]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).expect("a small pack").to_be_bytes();
    let mut index = [&[0xff, b't', b'O', b'c'][..], &number(2)].concat();
    for byte in 0..=u8::MAX {
        let ids = (0..offsets.len()).filter(|at| id(*at).first_byte() <= byte);
        index.extend(number(ids.count()));
    }
    index.extend((0..offsets.len()).flat_map(|at| id(at).as_slice().to_vec()));
    index.extend(offsets.iter().flat_map(|_| number(0)));
    index.extend(offsets.iter().flat_map(|offset| number(*offset)));
    index.extend([0; 40]);
    index
}

/// Returns the kind and the size of an entry.
fn head(kind: u8, size: usize) -> Vec<u8> {
    let low = |bits: usize, mask: u8| u8::try_from(bits & usize::from(mask)).expect("masked");
    let mut bytes = vec![kind << 4 | low(size, 15)];
    let mut rest = size >> 4;
    while rest > 0 {
        *bytes.last_mut().expect("one byte") |= 0x80;
        bytes.push(low(rest, 0x7f));
        rest >>= 7;
    }
    bytes
}

/// Returns the distance to a base: seven bits a byte, the highest first, each but the last less one.
fn distance(mut distance: usize) -> Vec<u8> {
    let low = |bits: usize| u8::try_from(bits & 0x7f).expect("masked");
    let mut bytes = vec![low(distance)];
    distance >>= 7;
    while distance > 0 {
        distance -= 1;
        bytes.insert(0, low(distance) | 0x80);
        distance >>= 7;
    }
    bytes
}

/// Returns a zlib stream of stored blocks.
fn deflated(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 1];
    let mut blocks = data.chunks(0xffff).peekable();
    if data.is_empty() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("a short block");
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in data {
        low = (low + u32::from(*byte)) % 65521;
        high = (high + low) % 65521;
    }
    out.extend((high << 16 | low).to_be_bytes());
    out
}

/// Returns a delta that adds `text` to a base of `length` bytes.
pub(super) fn adding(length: usize, text: &[u8]) -> Vec<u8> {
    let size = |mut size: usize| {
        let mut bytes = Vec::new();
        loop {
            let byte = u8::try_from(size & 0x7f).expect("masked");
            size >>= 7;
            bytes.push(if size > 0 { byte | 0x80 } else { byte });
            if size == 0 {
                return bytes;
            }
        }
    };
    let length_bytes = u32::try_from(length).expect("short").to_le_bytes();
    let mut delta = [size(length), size(length + text.len())].concat();
    if length > 0 {
        // Copies from offset 0: three bytes of length, none of the offset.
        delta.push(0b1111_0000);
        delta.extend(&length_bytes[..3]);
    }
    for part in text.chunks(127) {
        delta.push(u8::try_from(part.len()).expect("a short part"));
        delta.extend(part);
    }
    delta
}

/// Pseudorandom numbers from a fixed seed.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    /// Returns a number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).expect("32 bits") % end.max(1)
    }
}

/// Damages bytes in one of four ways.
pub(super) fn damage(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(bytes.len());
    match numbers.below(8) {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_within(at..),
        2 => drop(bytes.drain(at..(at + 1 + numbers.below(8)).min(bytes.len()))),
        3 if !bytes.is_empty() => bytes[at] = [0, 0x7f, 0x80, 0xff][numbers.below(4)],
        _ if !bytes.is_empty() => bytes[at] ^= 1 << numbers.below(8),
        _ => {}
    }
}
