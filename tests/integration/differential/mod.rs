//! The verdict on files that the real sops made, and on damaged twins of them, is sops' own.
//!
//! `DIFFERENTIAL_DOCUMENTS` and `DIFFERENTIAL_SEED` make it another run than that of CI.

mod damage;
mod documents;
mod files;
mod known;
mod sealed;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::documents::Scalars;
use crate::peers;
use crate::support::fixtures;

/// Numbers that are the same for the same seed (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        dice.below(2);
        dice
    }

    /// From 0 up to `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % end
    }

    pub(crate) fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// Returns a number from the environment.
fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().expect(name))
}

/// Calls `visit` with all cases and their numbers, on all processors.
fn in_parallel<T: Sync>(cases: &[T], visit: impl Fn(usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { return };
                    visit(at, case);
                }
            });
        }
    });
}

#[test]
fn verdicts_are_those_of_sops() {
    let Some(sops) = peers::sops() else { return peers::skip("differential", "sops") };
    let documents = number("DIFFERENTIAL_DOCUMENTS", 300);
    let seed = number("DIFFERENTIAL_SEED", 1);
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let world = World::new(&sops);
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= documents {
                        return;
                    }
                    let mut dice = Dice::new((seed as u64) << 32 | at as u64);
                    world.try_document(at, &mut dice, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no thread panicked");
    eprintln!("{tally:?}");
    assert!(tally.disagreements.is_empty(), "{:#?}", tally.disagreements);
    assert!(
        tally.refused_plain * 5 < documents,
        "sops refuses too much of what is made: {tally:?}"
    );
    assert!(tally.refused * 5 > tally.damaged, "the damage does no harm: {tally:?}");
    assert!(tally.accepted * 20 > tally.damaged, "no damage is harmless: {tally:?}");
}

#[test]
fn verdicts_that_once_were_others_are_those_of_sops() {
    let Some(sops) = peers::sops() else { return peers::skip("differential", "sops") };
    let (world, tally) = (World::new(&sops), Mutex::new(Tally::default()));
    for case in known::CASES {
        let path = world.tree().join("file.yaml");
        let whole = world.encrypt(&path, &case.made()).expect("sops takes it");
        let text = (case.damage)(&String::from_utf8(whole).expect("YAML is UTF-8"));
        let accepts = world.compare(&path, text.as_bytes(), case.title, &tally);
        assert_eq!(accepts, case.is_taken, "{}", case.title);
        fs::remove_file(&path).expect("removed");
    }
    let tally = tally.into_inner().expect("nobody else has it");
    assert!(tally.disagreements.is_empty(), "{:#?}", tally.disagreements);
}

#[derive(Debug, Default)]
struct Tally {
    /// Documents that sops would not encrypt.
    refused_plain: usize,
    /// Damaged files, of which sops accepts some and refuses others.
    damaged: usize,
    accepted: usize,
    refused: usize,
    /// Damaged files that sops takes and a rule refuses on purpose.
    stricter: usize,
    disagreements: Vec<String>,
}

/// A directory with keys, and the two programs.
struct World<'s> {
    sops: &'s Path,
    directory: tempfile::TempDir,
}

impl<'s> World<'s> {
    fn new(sops: &'s Path) -> Self {
        let directory = tempfile::tempdir().expect("made");
        fs::create_dir(directory.path().join("home")).expect("made");
        fs::create_dir(directory.path().join("tree")).expect("made");
        Self { sops, directory }
    }

    fn tree(&self) -> PathBuf {
        self.directory.path().join("tree")
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.tree())
            .env_clear()
            .env("HOME", self.directory.path().join("home"))
            .env("SOPS_AGE_KEY_FILE", fixtures().join("keys/age/alice.txt"));
        command
    }

    fn try_document(&self, at: usize, dice: &mut Dice, tally: &Mutex<Tally>) {
        let made = documents::make(dice, Scalars::Any);
        let path = self.tree().join(format!("file.{}", made.ending));
        let count = |add: &dyn Fn(&mut Tally)| add(&mut tally.lock().expect("not poisoned"));
        let Some(whole) = self.encrypt(&path, &made) else {
            fs::remove_file(&path).expect("removed");
            return count(&|tally| tally.refused_plain += 1);
        };
        let context = format!("document {at} (.{}, {})", made.ending, made.config.trim());
        self.compare(&path, &whole, &format!("{context}, untouched"), tally);
        for _ in 0..3 {
            let Some((text, what)) = damage::damage(&whole, made.ending, dice) else { continue };
            let verdict = self.compare(&path, &text, &format!("{context}, {what}"), tally);
            count(&|tally| {
                tally.damaged += 1;
                tally.accepted += usize::from(verdict);
                tally.refused += usize::from(!verdict);
            });
        }
        fs::remove_file(&path).expect("removed");
    }

    /// What sops makes of a file; `None` if it does not take it.
    fn encrypt(&self, path: &Path, made: &documents::Made) -> Option<Vec<u8>> {
        fs::write(path, &made.bytes).expect("written");
        let config = self.directory.path().join("config.yaml");
        fs::write(&config, &made.config).expect("written");
        let encrypted = self
            .command(self.sops)
            .args(["--config".as_ref(), config.as_os_str(), "encrypt".as_ref(), path.as_os_str()])
            .output()
            .expect("sops runs");
        encrypted.status.success().then_some(encrypted.stdout)
    }

    /// What sops says of a file; a disagreement is kept with the file.
    fn compare(&self, path: &Path, bytes: &[u8], context: &str, tally: &Mutex<Tally>) -> bool {
        fs::write(path, bytes).expect("written");
        let decrypted =
            self.command(self.sops).arg("decrypt").arg(path).output().expect("sops runs");
        let accepts = decrypted.status.success();
        let scan = self
            .command(Path::new(env!("CARGO_BIN_EXE_sops-lint")))
            .args(["scan", "--format", "json"])
            .output()
            .expect("the binary runs");
        let report: serde_json::Value = serde_json::from_slice(&scan.stdout)
            .unwrap_or_else(|_| panic!("{context}: {}", String::from_utf8_lossy(&scan.stderr)));
        let verified = report["summary"]["verified"] == 1;
        let errors: Vec<&str> = report["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|finding| finding["level"] == "error")
            .filter_map(|finding| finding["rule"].as_str())
            .collect();
        let is_stricter = errors.iter().any(|rule| STRICTER.contains(rule));
        let is_lost = report["summary"]["encrypted_files"] == 0 && is_lost(path, bytes);
        let mut tally = tally.lock().expect("not poisoned");
        if accepts && !verified && is_stricter {
            tally.stricter += 1;
        } else if accepts != verified || (!accepts && errors.is_empty() && !is_lost) {
            let kept = keep(bytes, path);
            let said = String::from_utf8_lossy(&decrypted.stderr);
            tally.disagreements.push(format!(
                "{context}: sops exits with {:?} ({}), verified: {verified}, errors: {errors:?}, file: {}",
                decrypted.status.code(),
                said.lines().last().unwrap_or_default(),
                kept.display()
            ));
        }
        accepts
    }
}

/// Whether nothing says any more that sops had to do with a file. Nothing but its content does of one that
/// it took for binary; and of YAML that has nothing encrypted and lost the line `sops:`, the block is a part
/// of some text now, as in a file that shows how such files look.
fn is_lost(path: &Path, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let is_mac = |line: &str| line.trim_start().starts_with("mac: ENC[");
    let has_sops = text.lines().any(|line| line.starts_with("sops:") || line.starts_with("sops_"));
    let has_value = text.lines().any(|line| line.contains("ENC[") && !is_mac(line));
    path.extension().is_some_and(|ending| ending == "bin") || !(has_sops || has_value)
}

/// Rules that refuse on purpose what sops takes: a key that occurs twice, a nonce of another length.
const STRICTER: &[&str] = &["invalid-metadata", "malformed-ciphertext"];

fn keep(bytes: &[u8], path: &Path) -> PathBuf {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let kept = tempfile::Builder::new()
        .prefix("disagreement-")
        .suffix(&format!(".{ending}"))
        .tempfile()
        .expect("made");
    fs::write(kept.path(), bytes).expect("written");
    kept.into_temp_path().keep().expect("kept")
}
