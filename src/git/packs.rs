//! Objects of packs, for reading most of a repository.
//!
//! gix rebuilds an object from its whole chain of deltas unless the end of the chain is cached. History is
//! read against the direction of the chains, so gix would rebuild everything dozens of times. Here, every
//! object of the chain is cached, and rebuilt once. Special cases are left to gix: loose objects, objects
//! of other repositories, damage.
#![expect(clippy::disallowed_methods, reason = "packs are read where git keeps them")]

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{MMap, data, index};

use crate::input::MAX_FILE_SIZE;

/// Size of each of the two generations of a cache, in bytes.
const GENERATION: usize = 6 * 1024 * 1024;

/// Deltas in a chain; git writes 50 by default and at most 4095.
const MAX_CHAIN: usize = 4096;

/// The packs of a repository.
#[derive(Default)]
pub(super) struct Packs(Vec<Pack>);

struct Pack {
    index: index::File<MMap>,
    /// For each byte, the number of ids whose first byte is not greater (gitformat-pack, "fan-out").
    fan: [u32; 256],
    data: data::File<MMap>,
}

/// The place of an object: the number of its pack, and the offset in it.
type Place = (usize, u64);

/// An object, rebuilt from its deltas.
#[derive(Clone)]
pub(super) struct Rebuilt {
    pub(super) kind: Kind,
    pub(super) bytes: Arc<Vec<u8>>,
}

/// Two-generation cache of rebuilt objects. When the young generation is full, it becomes the old one, and
/// objects of the old one that were not read in the meantime are dropped.
#[derive(Default)]
pub(super) struct Cache {
    young: HashMap<Place, Rebuilt, BuildHasherDefault<Spread>>,
    old: HashMap<Place, Rebuilt, BuildHasherDefault<Spread>>,
    /// The size of the young objects, in bytes.
    size: usize,
    /// The pack of the last object; the next one is probably in it too.
    last: usize,
    inflate: gix::zlib::Inflate,
    delta: Vec<u8>,
}

/// A fast hasher of places. A malicious pack can cause collisions, but only among a few thousand objects.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(32) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(32)
    }
}

impl Packs {
    /// Opens the packs in directories of objects. Packs that cannot be opened are left out.
    pub(super) fn open(objects: &[impl AsRef<Path>], hash: gix::hash::Kind) -> Self {
        let directories = objects.iter().map(|objects| objects.as_ref().join("pack"));
        let entries = directories.filter_map(|directory| fs::read_dir(directory).ok()).flatten();
        let paths = entries.flatten().map(|entry| entry.path());
        let indices = paths.filter(|path| path.extension().is_some_and(|end| end == "idx"));
        let mut packs: Vec<Pack> = indices.filter_map(|path| Pack::open(&path, hash)).collect();
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.index.num_objects()));
        Self(packs)
    }

    /// Returns an object; `None` if gix has to find it, or to report why it cannot be read.
    pub(super) fn read(&self, id: ObjectId, cache: &mut Cache) -> Option<Rebuilt> {
        let mut place = self.find(id, cache)?;
        let mut chain = Vec::new();
        let mut found = loop {
            if let Some(known) = cache.get(place) {
                break known;
            }
            let entry = self.0[place.0].data.entry(place.1).ok()?;
            if entry.decompressed_size > MAX_FILE_SIZE || chain.len() > MAX_CHAIN {
                return None;
            }
            let base = match entry.header {
                Header::OfsDelta { base_distance } => {
                    (place.0, place.1.checked_sub(base_distance).filter(|at| *at < place.1)?)
                }
                Header::RefDelta { base_id } => self.find(base_id, cache)?,
                whole => {
                    let mut bytes = Vec::new();
                    self.inflate(place, &entry, cache, &mut bytes)?;
                    let found = Rebuilt { kind: whole.as_kind()?, bytes: Arc::new(bytes) };
                    cache.keep(place, &found);
                    break found;
                }
            };
            chain.push((place, entry));
            place = base;
        };
        for (place, entry) in chain.into_iter().rev() {
            let mut delta = std::mem::take(&mut cache.delta);
            let bytes = self
                .inflate(place, &entry, cache, &mut delta)
                .and_then(|()| apply(&delta, &found.bytes));
            cache.delta = delta;
            found = Rebuilt { kind: found.kind, bytes: Arc::new(bytes?) };
            cache.keep(place, &found);
        }
        Some(found)
    }

    fn find(&self, id: ObjectId, cache: &mut Cache) -> Option<Place> {
        let last = cache.last;
        let numbers = std::iter::once(last).chain((0..self.0.len()).filter(|at| *at != last));
        for number in numbers {
            let Some(pack) = self.0.get(number) else { continue };
            if let Some(at) = pack.place_of(&id) {
                cache.last = number;
                return Some((number, pack.index.pack_offset_at_index(at)));
            }
        }
        None
    }

    fn inflate(
        &self,
        place: Place,
        entry: &data::Entry,
        cache: &mut Cache,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        out.resize(usize::try_from(entry.decompressed_size).ok()?, 0);
        self.0[place.0].data.decompress_entry(entry, &mut cache.inflate, out).ok()?;
        Some(())
    }
}

impl Pack {
    fn open(path: &Path, hash: gix::hash::Kind) -> Option<Self> {
        let index = index::File::at(path, hash).ok()?;
        let data = data::File::at(path.with_extension("pack"), hash).ok()?;
        let before = match index.version() {
            index::Version::V1 => 0,
            index::Version::V2 => 8,
        };
        let mut head = vec![0; before + 4 * 256];
        fs::File::open(path).ok()?.read_exact(&mut head).ok()?;
        let (numbers, _) = head[before..].as_chunks();
        let mut fan = [0; 256];
        for (border, number) in fan.iter_mut().zip(numbers) {
            *border = u32::from_be_bytes(*number).min(index.num_objects());
        }
        Some(Self { index, fan, data })
    }

    /// Returns the number of an id. Ids are practically random, so interpolating from the first digits is
    /// faster than bisecting. After a few guesses it bisects: ids can be chosen to mislead.
    fn place_of(&self, id: &gix::oid) -> Option<u32> {
        const GUESSES: usize = 6;
        let first =
            |id: &gix::oid| id.as_bytes().first_chunk().map_or(0, |b| u64::from_be_bytes(*b));
        let wanted = first(id);
        let byte = id.first_byte();
        let mut low = byte.checked_sub(1).map_or(0, |lesser| self.fan[usize::from(lesser)]);
        let mut high = self.fan[usize::from(byte)];
        let mut below = u64::from(byte) << 56;
        let mut above = below | u64::MAX >> 8;
        for guess in 0.. {
            if low >= high {
                break;
            }
            let part = if guess < GUESSES {
                let (done, all) =
                    (wanted.saturating_sub(below), above.saturating_sub(below).max(1));
                u128::from(high - low - 1) * u128::from(done.min(all)) / u128::from(all)
            } else {
                u128::from((high - low) / 2)
            };
            let at = low + u32::try_from(part).ok()?;
            let found = self.index.oid_at_index(at);
            // The first bytes tell most ids apart.
            match first(found).cmp(&wanted).then_with(|| found.cmp(id)) {
                Ordering::Equal => return Some(at),
                Ordering::Less => (low, below) = (at + 1, first(found)),
                Ordering::Greater => (high, above) = (at, first(found)),
            }
        }
        None
    }
}

impl Cache {
    fn get(&mut self, place: Place) -> Option<Rebuilt> {
        if let Some(found) = self.young.get(&place) {
            return Some(found.clone());
        }
        let found = self.old.remove(&place)?;
        self.keep(place, &found);
        Some(found)
    }

    fn keep(&mut self, place: Place, object: &Rebuilt) {
        if self.size > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        self.size += object.bytes.len();
        self.young.insert(place, object.clone());
    }
}

/// Applies a delta to its base (gitformat-pack, "Deltified representation"); `None` if it is damaged, or
/// the result is too large.
fn apply(delta: &[u8], base: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() as u64 {
        return None;
    }
    let target = size(&mut rest).filter(|size| *size <= MAX_FILE_SIZE)?;
    let target = usize::try_from(target).ok()?;
    let mut out = Vec::with_capacity(target);
    while let Some((&command, behind)) = rest.split_first() {
        rest = behind;
        if command & 0x80 == 0 {
            // Command 0 is reserved.
            let (inserted, behind) = rest.split_at_checked(usize::from(command))?;
            if inserted.is_empty() {
                return None;
            }
            out.extend_from_slice(inserted);
            rest = behind;
            continue;
        }
        let start = number(command, &mut rest, 4)?;
        let length = match number(command >> 4, &mut rest, 3)? {
            0 => 0x10000,
            length => length,
        };
        out.extend_from_slice(base.get(start..start.checked_add(length)?)?);
        if out.len() > target {
            return None;
        }
    }
    (out.len() == target).then_some(out)
}

/// Reads a size in groups of seven bits, the lowest first.
fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut size = 0;
    for shift in (0..63).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

/// Reads a number, the lowest byte first. The bits of the command say which bytes are present.
fn number(command: u8, rest: &mut &[u8], bytes: usize) -> Option<usize> {
    let mut number = 0;
    for at in 0..bytes {
        if command >> at & 1 == 1 {
            let (byte, behind) = rest.split_first()?;
            *rest = behind;
            number |= usize::from(*byte) << (8 * at);
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::samples::{Sample, SamplePack, adding, id};

    fn opened(objects: &[Sample]) -> (tempfile::TempDir, Packs) {
        let directory = tempfile::tempdir().unwrap();
        SamplePack::new(objects).write(directory.path());
        let packs = Packs::open(&[directory.path()], gix::hash::Kind::Sha1);
        assert_eq!(packs.0.len(), 1);
        (directory, packs)
    }

    /// Returns a chain of as many deltas, each adding one byte.
    fn chain(deltas: usize) -> Vec<Sample> {
        let first = std::iter::once(Sample::Blob(b"a".to_vec()));
        let deltas = (0..deltas).map(|number| Sample::Delta(number, adding(number + 1, b"b")));
        first.chain(deltas).collect()
    }

    #[test]
    fn objects_are_rebuilt_from_deltas_of_both_kinds() {
        let (_directory, packs) = opened(&[
            Sample::Blob(b"one".to_vec()),
            Sample::Delta(0, adding(3, b" two")),
            Sample::Reference(3, adding(7, b"!")),
            Sample::Reference(1, adding(7, b"")),
        ]);
        let mut cache = Cache::default();
        let mut read =
            |number| packs.read(id(number), &mut cache).map(|found| found.bytes.to_vec());
        assert_eq!(read(2).unwrap(), b"one two!");
        assert_eq!(read(1).unwrap(), b"one two");
        assert_eq!(read(4), None, "it is not in the pack");
    }

    #[test]
    fn a_chain_has_a_limit_and_a_circle_no_end() {
        let (_directory, packs) = opened(&chain(MAX_CHAIN + 1));
        let read = |number| packs.read(id(number), &mut Cache::default());
        assert_eq!(read(MAX_CHAIN).unwrap().bytes.len(), MAX_CHAIN + 1);
        assert!(read(MAX_CHAIN + 1).is_none());
        let circle = [Sample::Reference(1, adding(1, b"")), Sample::Reference(0, adding(1, b""))];
        let (_directory, packs) = opened(&circle);
        assert!(packs.read(id(0), &mut Cache::default()).is_none());
    }

    #[test]
    fn the_cache_drops_what_was_not_read_for_a_generation() {
        const SIZE: usize = 1024 * 1024;
        let blobs: Vec<Sample> = (0..40).map(|byte| Sample::Blob(vec![byte; SIZE])).collect();
        let (_directory, packs) = opened(&blobs);
        let mut cache = Cache::default();
        let is_cached = |cache: &Cache, number: usize| {
            let offset = packs.0[0].index.pack_offset_at_index(u32::try_from(number).unwrap());
            cache.young.contains_key(&(0, offset)) || cache.old.contains_key(&(0, offset))
        };
        for number in 0..40 {
            let found = packs.read(id(number), &mut cache).unwrap();
            assert_eq!(found.bytes[SIZE - 1], u8::try_from(number).unwrap());
            // The first object is read again and again.
            assert!(packs.read(id(0), &mut cache).is_some() && is_cached(&cache, 0));
            let bytes = |objects: &HashMap<Place, Rebuilt, _>| objects.len() * SIZE;
            assert!(bytes(&cache.young) <= GENERATION + 2 * SIZE);
            assert!(bytes(&cache.old) <= GENERATION + 2 * SIZE);
        }
        assert!(!is_cached(&cache, 1) && is_cached(&cache, 39));
    }

    #[test]
    fn a_delta_copies_and_inserts() {
        // 6 bytes of a base become 7: three from its offset 2, then "xyzw".
        let delta = [6, 7, 0b1001_0001, 2, 3, 4, b'x', b'y', b'z', b'w'];
        assert_eq!(apply(&delta, b"abcdef").as_deref(), Some(&b"cdexyzw"[..]));
    }

    #[test]
    fn a_damaged_delta_makes_nothing() {
        let whole = [6, 7, 0b1001_0001, 2, 3, 4, b'x', b'y', b'z', b'w'];
        assert_eq!(apply(&whole, b"abcde"), None, "another base");
        for end in 0..whole.len() {
            assert_eq!(apply(&whole[..end], b"abcdef"), None, "cut at {end}");
        }
        assert_eq!(apply(&[6, 1, 0, 0], b"abcdef"), None, "the reserved command");
        assert_eq!(apply(&[6, 3, 0b1001_0001, 4, 3], b"abcdef"), None, "behind the end");
        assert_eq!(apply(&[6, 1, 0b1001_0001, 2, 3], b"abcdef"), None, "more than it says");
    }
}
