//! A v1 Secret that kubectl or kustomize reads from a file is an error here; a readable file from which
//! neither reads one has no `unencrypted-secret`.
//!
//! `SECRETS_MANIFESTS` and `SECRETS_SEED` change the run of CI. With `SECRETS_ALL` the test also makes the
//! shapes of [`KNOWN`], fails, and counts the disagreements by shape.

mod known;
mod kustomizations;
mod manifests;
mod twists;
mod wraps;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use serde_json::Value;

use self::known::KNOWN;
use crate::differential::Dice;
use crate::peers;
use crate::support::sops_lint;

/// Files in one run of kubectl.
const BATCH: usize = 40;

/// One manifest, or one kustomization, in a directory of its own.
pub(crate) struct Case {
    /// How it was made: the names of its wrapping and of its twists.
    shape: Vec<&'static str>,
    /// Names and contents; the first is the manifest.
    files: Vec<(String, Vec<u8>)>,
    /// Whether the first file is for kustomize alone.
    is_kustomization: bool,
}

/// What the programs make of a case.
#[derive(Clone, Copy, Debug, Default)]
struct Verdict {
    /// A Secret with a value, to kubectl.
    by_kubectl: bool,
    /// A Secret with a value, to kustomize, which is asked only where kubectl made none.
    by_kustomize: bool,
    /// Whether one of them could read the file.
    is_readable: bool,
}

impl Verdict {
    fn is_secret(self) -> bool {
        self.by_kubectl || self.by_kustomize
    }
}

#[test]
fn a_secret_is_what_kubectl_or_kustomize_make_one_of() {
    let Some(kubectl) = peers::kubectl() else { return peers::skip("oracle", "kubectl") };
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect(name));
    let manifests: usize = number("SECRETS_MANIFESTS").unwrap_or(300);
    let seed: usize = number("SECRETS_SEED").unwrap_or(1);
    let has_all = std::env::var_os("SECRETS_ALL").is_some();
    let cases: Vec<Case> = (0..manifests)
        .map(|at| make(at, &mut Dice::new((seed as u64) << 32 | at as u64), has_all))
        .collect();
    let world = World::new(&kubectl, &cases);
    let verdicts = world.verdicts(&cases);
    let errors = world.errors();
    let mut tally = Tally::default();
    for (at, (case, verdict)) in cases.iter().zip(&verdicts).enumerate() {
        let rules = errors.get(&at).map_or(&[][..], |rules| &rules[..]);
        tally.count(*verdict);
        let is_called_secret = rules.iter().any(|rule| rule == "unencrypted-secret");
        if verdict.is_secret() && rules.is_empty() {
            tally.disagree("missed", at, case);
        } else if verdict.is_readable && !verdict.is_secret() && is_called_secret {
            tally.disagree("false", at, case);
        }
    }
    eprintln!("seed {seed}: {}", tally.counts(manifests));
    if !tally.disagreements.is_empty() {
        let kept = world.directory.keep();
        let text = tally.disagreements.join("\n");
        panic!("seed {seed}, files in {}\n{}\n{text}", kept.display(), tally.by_shape());
    }
    assert!(tally.kubectl * 3 > manifests, "kubectl makes too few Secrets: {tally:?}");
    assert!(tally.kustomize * 50 > manifests, "kustomize makes too few Secrets: {tally:?}");
    assert!(tally.neither * 20 > manifests, "nearly everything is a Secret: {tally:?}");
}

#[test]
fn every_known_shape_can_be_made() {
    let names = shapes();
    for (known, reason) in KNOWN {
        let has_all = known.iter().all(|shape| names.contains(shape));
        assert!(has_all && !known.is_empty() && !reason.is_empty(), "{known:?}");
    }
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "two shapes have one name");
}

fn shapes() -> Vec<&'static str> {
    let wraps = wraps::WRAPS.iter().map(|(name, _)| *name);
    let twists = twists::TWISTS.iter().map(|(name, _)| *name);
    let kustomizations = kustomizations::KUSTOMIZATIONS.iter().map(|(name, _)| *name);
    wraps.chain(twists).chain(kustomizations).collect()
}

/// A case; until it is none of those that are known, unless all are wanted.
fn make(at: usize, dice: &mut Dice, has_all: bool) -> Case {
    loop {
        let case = if dice.chance(6) {
            let (name, make) = dice.pick(kustomizations::KUSTOMIZATIONS);
            Case { shape: vec![name], files: make(at, dice), is_kustomization: true }
        } else {
            manifests::make(at, dice)
        };
        let is_of = |known: &[&str]| known.iter().all(|shape| case.shape.contains(shape));
        if has_all || !KNOWN.iter().any(|(known, _)| is_of(known)) {
            return case;
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    kubectl: usize,
    kustomize: usize,
    neither: usize,
    unreadable: usize,
    disagreements: Vec<String>,
    /// How often each shape has a part in a disagreement.
    shapes: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict { by_kubectl: true, .. } => &mut self.kubectl,
            Verdict { by_kustomize: true, .. } => &mut self.kustomize,
            Verdict { is_readable: true, .. } => &mut self.neither,
            _ => &mut self.unreadable,
        };
        *count += 1;
    }

    fn disagree(&mut self, what: &str, at: usize, case: &Case) {
        self.disagreements.push(format!("{what}: case-{at} {:?}", case.shape));
        // What every manifest has explains nothing.
        let twists = case.shape.iter().filter(|shape| **shape != "alone");
        for shape in twists {
            *self.shapes.entry(format!("{what}: {shape}")).or_default() += 1;
        }
    }

    fn counts(&self, manifests: usize) -> String {
        format!(
            "of {manifests}, kubectl makes a Secret of {}, kustomize alone of {}, neither of {}, and {} cannot be read; {} disagreements",
            self.kubectl,
            self.kustomize,
            self.neither,
            self.unreadable,
            self.disagreements.len()
        )
    }

    /// The shapes of disagreements, the most frequent first.
    fn by_shape(&self) -> String {
        let mut shapes: Vec<(&String, &usize)> = self.shapes.iter().collect();
        shapes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        shapes.iter().map(|(shape, count)| format!("{count:5} {shape}\n")).collect()
    }
}

/// The files of all cases, for this program in `tree/`, and for kustomize in `build/`.
struct World<'k> {
    kubectl: &'k Path,
    directory: tempfile::TempDir,
}

impl<'k> World<'k> {
    fn new(kubectl: &'k Path, cases: &[Case]) -> Self {
        let directory = tempfile::tempdir().expect("made");
        let world = Self { kubectl, directory };
        fs::create_dir(world.path("home")).expect("made");
        let write = |place: &str, at: usize, name: &str, content: &[u8]| {
            let path = world.path(place).join(format!("case-{at}")).join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, content).expect("written");
        };
        for (at, case) in cases.iter().enumerate() {
            for (name, content) in &case.files {
                write("tree", at, name, content);
                write("build", at, name, content);
            }
            let listing = format!("resources: [\"{}\"]\n", case.files[0].0);
            if !case.is_kustomization {
                write("build", at, "kustomization.yaml", listing.as_bytes());
            }
        }
        for at in 0..BATCH {
            let marker =
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: marker-{at}\n");
            write("markers", at, "marker.yaml", marker.as_bytes());
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, arguments: &[String]) -> Output {
        Command::new(self.kubectl)
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("KUBECONFIG", self.path("none"))
            .output()
            .expect("kubectl runs")
    }

    /// What both programs make of every case, on all processors.
    fn verdicts(&self, cases: &[Case]) -> Vec<Verdict> {
        let verdicts = Mutex::new(vec![Verdict::default(); cases.len()]);
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let from = next.fetch_add(BATCH, Ordering::Relaxed);
                        if from >= cases.len() {
                            return;
                        }
                        let to = cases.len().min(from + BATCH);
                        let found = self.batch(from, &cases[from..to]);
                        verdicts.lock().expect("not poisoned")[from..to].copy_from_slice(&found);
                    }
                });
            }
        });
        verdicts.into_inner().expect("no thread panicked")
    }

    fn batch(&self, from: usize, cases: &[Case]) -> Vec<Verdict> {
        let mut verdicts = self.kubectl(from, cases);
        for (at, (verdict, case)) in verdicts.iter_mut().zip(cases).enumerate() {
            // One yes is enough, and each of these is a process of its own.
            if !verdict.by_kubectl || case.is_kustomization {
                let directory = format!("build/case-{}", from + at);
                let output = self.run(&["kustomize".to_owned(), directory]);
                verdict.is_readable |= output.status.success();
                verdict.by_kustomize = output.status.success() && has_secret(&output.stdout);
            }
        }
        verdicts
    }

    /// Asks `kubectl annotate --local` for many files at once. It goes on after a file that it refuses, and
    /// a marker behind every file tells which file an object is from.
    fn kubectl(&self, from: usize, cases: &[Case]) -> Vec<Verdict> {
        let mut arguments: Vec<String> =
            ["annotate", "--local", "-o", "json"].map(str::to_owned).to_vec();
        for (at, case) in cases.iter().enumerate() {
            if !case.is_kustomization {
                let file = format!("tree/case-{}/{}", from + at, case.files[0].0);
                arguments.extend(["-f".to_owned(), file]);
            }
            arguments.extend(["-f".to_owned(), format!("markers/case-{at}/marker.yaml")]);
        }
        arguments.push("x=y".to_owned());
        let output = self.run(&arguments);
        let mut verdicts = vec![Verdict::default(); cases.len()];
        let mut at = 0;
        for object in serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
            let object = object.expect("kubectl writes JSON");
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            if object["kind"] == "ConfigMap" && name == format!("marker-{at}") {
                at += 1;
                continue;
            }
            verdicts[at].is_readable = true;
            verdicts[at].by_kubectl |= is_secret(&object);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(at, cases.len(), "kubectl did not go through all files: {said}");
        for (at, verdict) in verdicts.iter_mut().enumerate() {
            // A document behind those that it printed may be one that it refuses.
            verdict.is_readable &= !said.contains(&format!("tree/case-{}/", from + at));
        }
        verdicts
    }

    /// The rules that report errors, by case.
    fn errors(&self) -> BTreeMap<usize, Vec<String>> {
        let scan = sops_lint(&self.path("tree"), &["scan", "--format", "json"]);
        assert!(scan.code.is_some_and(|code| code < 2), "{}", scan.stderr);
        let mut errors: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let report = scan.json();
        for finding in report["findings"].as_array().expect("a report has findings") {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            let case = text("path").strip_prefix("case-").and_then(|rest| rest.split('/').next());
            let case = case.and_then(|number| number.parse().ok());
            if let Some(case) = case.filter(|_| text("level") == "error") {
                let is_stricter = is_in_another_field(text("key_path"));
                let rule = if is_stricter { "a Secret in any field" } else { text("rule") };
                errors.entry(case).or_default().push(rule.to_owned());
            }
        }
        errors
    }
}

/// Whether a value is of a Secret in a field that neither program looks into. It counts here on purpose.
fn is_in_another_field(key_path: &str) -> bool {
    let known = ["data", "stringData", "items[", "[\"<<\"]"];
    !key_path.is_empty() && !known.iter().any(|field| key_path.starts_with(field))
}

/// Whether an object that kubectl printed is a Secret with a value.
fn is_secret(object: &Value) -> bool {
    let has_value = |field: &str| {
        let values = object[field].as_object().into_iter().flat_map(|map| map.values());
        // What is no text is for the server to refuse.
        values.into_iter().any(|value| !value.is_null() && value != "")
    };
    object["apiVersion"] == "v1"
        && object["kind"] == "Secret"
        && ["data", "stringData"].into_iter().any(has_value)
}

/// Whether there is a Secret with a value in what kustomize prints: one style, whatever it has read.
fn has_secret(output: &[u8]) -> bool {
    let text = String::from_utf8_lossy(output);
    let text = format!("\n{text}");
    text.split("\n---\n").any(|document| {
        let has = |wanted: &str| document.lines().any(|line| line == wanted);
        has("apiVersion: v1") && has("kind: Secret") && has_value(document)
    })
}

fn has_value(document: &str) -> bool {
    let mut is_field = false;
    document.lines().any(|line| {
        if !line.starts_with(' ') && !line.is_empty() {
            is_field = matches!(line, "data:" | "stringData:");
            return false;
        }
        let item = line.trim_start().strip_prefix("- ");
        let value = item.or(line.split_once(": ").map(|(_, value)| value.trim())).unwrap_or("");
        is_field && !matches!(value, "" | "\"\"" | "null" | "{}" | "[]")
    })
}

/// A password that no rule takes for anything else.
fn canary(at: usize) -> String {
    format!("hunter2-canary-{at}")
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}
