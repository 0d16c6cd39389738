//! Whoever does what a help says ends with a clean finding, and harms nothing.
//!
//! Every command that a `bad-` case of a rule advises is run as it is printed: at the root, and in the
//! directory of the file that the finding is about. Edits that a help asks for are made by `edits`.

#![cfg(unix)]

mod edits;
mod hand;
mod scene;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use scene::{Equipment, Finding, Followed, Scene};

use crate::peers;
use crate::support::{directories, fixtures, name};

/// Cases whose helps name commands that are not run, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("recipients-mismatch/bad-azure-kv", ON_THE_NETWORK),
    ("recipients-mismatch/bad-gcp-kms", ON_THE_NETWORK),
    ("recipients-mismatch/bad-hc-vault", ON_THE_NETWORK),
    ("recipients-mismatch/bad-hckms", ON_THE_NETWORK),
    ("recipients-mismatch/bad-key-or-alias", ON_THE_NETWORK),
    ("recipients-mismatch/bad-kms", ON_THE_NETWORK),
    ("recipients-mismatch/bad-kms-conditions", ON_THE_NETWORK),
    ("unencrypted-secret/bad-under-a-rule-for-kms", ON_THE_NETWORK),
    ("pgp-data-key-mismatch/bad-second-key", "its ciphertexts are made up"),
    ("unencrypted-file/bad-binary-that-is-not-encrypted", "its content is random bytes"),
];

const ON_THE_NETWORK: &str = "its key service cannot be reached";

/// Minimum of helps that are followed in a directory below the root.
const MIN_BELOW: usize = 40;

/// A finding whose help names a command.
struct Case {
    rule: String,
    directory: PathBuf,
    finding: Finding,
}

#[test]
fn what_a_help_says_leads_to_a_clean_state() {
    let Some(sops) = peers::sops() else { return peers::skip("following helps", "sops") };
    let equipment = Equipment::new(&sops);
    let cases = cases(&equipment);
    let excepted: BTreeSet<String> =
        cases.iter().filter(|case| case.exception().is_some()).map(Case::title).collect();
    let titles: BTreeSet<String> = cases.iter().map(Case::title).collect();
    assert!(excepted.len() * 10 <= titles.len(), "too many exceptions: {excepted:?}");
    for (title, _) in EXCEPTIONS {
        assert!(titles.contains(*title), "{title} names no command, so it is no exception");
    }
    let work = Mutex::new(cases.iter().filter(|case| case.exception().is_none()));
    let wrong = Mutex::new(Vec::new());
    let below = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(case) = work.lock().expect("no thread panics").next() else { return };
                    let found = case.follow(&equipment, &below);
                    wrong.lock().expect("no thread panics").extend(found);
                }
            });
        }
    });
    let below = below.into_inner();
    assert!(below >= MIN_BELOW, "only {below} helps were followed below the root");
    let mut wrong = wrong.into_inner().expect("no thread panics");
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} of {} went wrong:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Returns the findings of the cases whose helps name commands.
fn cases(equipment: &Equipment) -> Vec<Case> {
    let mut cases = Vec::new();
    for rule in directories(&fixtures().join("rules")) {
        let bad = directories(&rule).into_iter().filter(|case| name(case).starts_with("bad-"));
        for directory in bad {
            let scene = Scene::new(&directory, equipment, None);
            let findings = scene.findings().into_iter();
            let with_command =
                findings.filter(|finding| finding.rule == name(&rule) && finding.has_command);
            cases.extend(with_command.map(|finding| Case {
                rule: name(&rule),
                directory: directory.clone(),
                finding,
            }));
        }
    }
    cases
}

impl Case {
    fn title(&self) -> String {
        format!("{}/{}", self.rule, name(&self.directory))
    }

    fn exception(&self) -> Option<&'static str> {
        let title = self.title();
        EXCEPTIONS.iter().find(|(excepted, _)| *excepted == title).map(|(_, reason)| *reason)
    }

    /// Follows the help in every way that it leaves open, and returns what went wrong. `below`:
    /// counts what was followed in directories below the root.
    fn follow(&self, equipment: &Equipment, below: &AtomicUsize) -> Vec<String> {
        let mut wrong = Vec::new();
        let parent = Path::new(&self.finding.path).parent().expect("a file is in a directory");
        let places: BTreeSet<&Path> = [Path::new(""), parent].into();
        for place in places {
            let ways = edits::ways(&self.finding.help).len();
            for way in 0..ways {
                let scene = Scene::new(&self.directory, equipment, Some(&self.finding));
                let title = format!(
                    "{} {} in ./{}, way {way}",
                    self.title(),
                    self.finding.path,
                    place.display()
                );
                match scene.follow(&self.finding, place, way) {
                    Ok(followed) => {
                        let is_below = place != Path::new("") && followed == Followed::Yes;
                        below.fetch_add(usize::from(is_below), Ordering::Relaxed);
                    }
                    Err(why) => wrong.push(format!("{title}: {why}")),
                }
            }
        }
        wrong
    }
}
