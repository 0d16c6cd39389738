//! What `sops-lint fix` encrypts is to the real sops what it would have encrypted itself.
//!
//! `SEALED_DOCUMENTS` and `SEALED_SEED` make it another run than that of CI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Dice, documents};
use crate::peers;
use crate::support::{fixtures, repository, sops_lint};

#[derive(Debug, Default)]
struct Tally {
    sealed: usize,
    /// Of those, where sops' own encryption loses comments that stay here; its `rotate` loses them too.
    comments_lost_by_sops: usize,
    /// Left alone here and by sops.
    refused_by_both: usize,
    /// Left alone here, on purpose: sops would write plaintext, or lose something.
    refused_on_purpose: usize,
    /// Left alone here without a word: so empty that encryption makes no difference.
    passed_over: usize,
    /// Left alone here for another reason; sops would encrypt them.
    refused_here: Vec<String>,
    disagreements: Vec<String>,
}

impl Tally {
    /// Counts a file that was not encrypted, and what was said of it, if anything.
    fn left_alone(&mut self, case: &Case, said: Option<&str>, sops_encrypts: bool) {
        let Some(reason) = said.filter(|_| sops_encrypts) else {
            let count =
                if sops_encrypts { &mut self.passed_over } else { &mut self.refused_by_both };
            *count += 1;
            return;
        };
        if ON_PURPOSE.iter().any(|known| reason.contains(known)) {
            self.refused_on_purpose += 1;
        } else {
            self.refused_here.push(format!("{reason} ({})", case.config.trim()));
        }
    }
}

/// What sops would write in plaintext, would lose, or would read differently in its next version.
const ON_PURPOSE: &[&str] = &[
    "its creation rule would encrypt no value of it",
    "has a selector that sops cannot compile",
    "sops may attach this comment to another key",
    "a comment in it would belong to another key",
    ".sops.yaml has a mistake",
    "sops would lose this comment",
    "a number beyond 2^53 stays unencrypted",
];

/// One file of the test, in a directory of its own.
struct Case {
    name: String,
    directory: PathBuf,
    file: PathBuf,
    plain: Vec<u8>,
    config: String,
}

#[test]
fn what_is_sealed_opens_as_what_sops_sealed() {
    let Some(sops) = peers::sops() else { return peers::skip("sealed", "sops") };
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect(name));
    let documents: usize = number("SEALED_DOCUMENTS").unwrap_or(600);
    let seed: usize = number("SEALED_SEED").unwrap_or(1);
    let tree = repository(&[]);
    let cases: Vec<Case> = (0..documents).map(|at| case(tree.path(), seed, at)).collect();
    let fixed = sops_lint(tree.path(), &["fix"]);
    assert!(fixed.code.is_some_and(|code| code < 2), "{}", fixed.stderr);
    let tally = Mutex::new(Tally::default());
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    case.check(&sops, &fixed.stderr, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no thread panicked");
    eprintln!(
        "{} sealed (in {} sops would lose comments), {} refused by both, {} on purpose, {} passed over",
        tally.sealed,
        tally.comments_lost_by_sops,
        tally.refused_by_both,
        tally.refused_on_purpose,
        tally.passed_over
    );
    assert!(tally.disagreements.is_empty(), "{:#?}", tally.disagreements);
    assert!(tally.refused_here.is_empty(), "{:#?}", tally.refused_here);
    assert!(tally.passed_over * 20 < documents, "too much was passed over: {tally:?}");
    assert!(tally.comments_lost_by_sops * 50 < documents, "too often: {tally:?}");
    // Many have comments in odd columns.
    assert!(tally.sealed * 5 > documents * 2, "too little was sealed: {tally:?}");
    let scan = sops_lint(tree.path(), &["fix"]);
    assert_eq!(scan.stdout, "", "fixing twice is fixing once");
}

fn case(tree: &Path, seed: usize, at: usize) -> Case {
    let mut dice = Dice::new((seed as u64) << 32 | at as u64);
    let made = documents::make(&mut dice);
    let directory = tree.join(format!("case-{at}"));
    fs::create_dir(&directory).expect("made");
    fs::write(directory.join(".sops.yaml"), &made.config).expect("written");
    let file = directory.join(format!("file.sops.{}", made.ending));
    fs::write(&file, &made.bytes).expect("written");
    let name = format!("case-{at}/file.sops.{}", made.ending);
    Case { name, directory, file, plain: made.bytes, config: made.config }
}

/// Whether two outputs are one. sops moves some comments by an indentation, and before 3.13.2 takes the
/// numbers of JSON for floats, of which large ones lose digits.
fn is_same(one: &[u8], other: &[u8], file: &str) -> bool {
    fn rounded(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Number(number) => number.as_f64().into(),
            serde_json::Value::Array(all) => all.into_iter().map(rounded).collect(),
            serde_json::Value::Object(all) => {
                all.into_iter().map(|(key, value)| (key, rounded(value))).collect()
            }
            other => other,
        }
    }
    let json = |bytes| rounded(serde_json::from_slice(bytes).expect("sops writes JSON"));
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let trimmed = |line: &str| {
            if line.trim_start().starts_with('#') {
                line.trim().to_owned()
            } else {
                line.to_owned()
            }
        };
        text.lines().map(trimmed).collect()
    };
    let is_json = Path::new(file).extension().is_some_and(|ending| ending == "json");
    if is_json { json(one) == json(other) } else { lines(one) == lines(other) }
}

/// How many lines of YAML are comments that can be read: what sops cannot decrypt stays as `#ENC[`.
fn comments(text: &[u8]) -> usize {
    let text = String::from_utf8_lossy(text);
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with('#') && !line.starts_with("#ENC["))
        .count()
}

/// YAML without the comments, what stands beside a value among them, and without how its lines are laid out:
/// a comment that is lost from `{ }` takes two lines with it.
fn values(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| line.split(" #").next().unwrap_or_default().trim()).collect()
}

impl Case {
    fn sops(&self, program: &Path, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(&self.directory)
            .env_clear()
            .env("HOME", &self.directory)
            .env("SOPS_AGE_KEY_FILE", fixtures().join("keys/age/alice.txt"))
            .output()
            .expect("sops runs")
    }

    fn check(&self, sops: &Path, said: &str, tally: &Mutex<Tally>) {
        let file = self.file.file_name().expect("named").to_str().expect("UTF-8");
        let sealed = fs::read(&self.file).expect("there");
        let disagree = |what: &str, output: &Output| {
            let kept = super::keep(&self.plain, &self.file);
            let text = format!(
                "{} ({}): {what}: {} {}",
                self.name,
                self.config.trim(),
                String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default(),
                kept.display()
            );
            tally.lock().expect("not poisoned").disagreements.push(text);
        };
        // What sops makes of the same text.
        let reference = self.directory.join("reference");
        fs::create_dir(&reference).expect("made");
        let theirs = reference.join(file);
        fs::write(&theirs, &self.plain).expect("written");
        let path = format!("reference/{file}");
        let encrypted = self.sops(sops, &["encrypt", "--in-place", &path]);
        if sealed == self.plain {
            let line = said.lines().find(|line| line.contains(&self.name));
            tally.lock().expect("not poisoned").left_alone(self, line, encrypted.status.success());
            return;
        }
        if !encrypted.status.success() {
            return disagree("sops would not encrypt it", &encrypted);
        }
        tally.lock().expect("not poisoned").sealed += 1;
        let ours = self.sops(sops, &["decrypt", file]);
        if !ours.status.success() {
            return disagree("sops does not open it", &ours);
        }
        let theirs = self.sops(sops, &["decrypt", &path]);
        let is_lost = String::from_utf8_lossy(&ours.stdout).contains("#ENC[");
        let sops_loses = comments(&theirs.stdout) < comments(&ours.stdout);
        let is_like_theirs = is_same(&ours.stdout, &theirs.stdout, file)
            || sops_loses && values(&ours.stdout) == values(&theirs.stdout)
            || self.is_equal(sops, file);
        if is_lost || !is_like_theirs {
            return disagree("it opens to something else", &theirs);
        }
        if let Some((what, output)) = self.use_on(sops, file) {
            return disagree(&what, &output);
        }
        let again = self.sops(sops, &["decrypt", file]);
        if sops_loses {
            tally.lock().expect("not poisoned").comments_lost_by_sops += 1;
            if values(&again.stdout) != values(&ours.stdout) {
                disagree("sops rotate changes a value", &again);
            }
        } else if !is_same(&again.stdout, &ours.stdout, file) {
            disagree("sops rotate loses something", &again);
        }
    }

    /// Whether both are one to programs. sops loses comments that stay here, and moves others.
    fn is_equal(&self, sops: &Path, file: &str) -> bool {
        let json = |path: &str| {
            let output = self.sops(sops, &["decrypt", "--output-type", "json", path]);
            output.status.success().then_some(output.stdout)
        };
        let (ours, theirs) = (json(file), json(&format!("reference/{file}")));
        ours.zip(theirs).is_some_and(|(ours, theirs)| is_same(&ours, &theirs, "x.json"))
    }

    /// What the other commands of sops have against it.
    fn use_on(&self, sops: &Path, file: &str) -> Option<(String, Output)> {
        for arguments in [
            &["filestatus", file][..],
            &["updatekeys", "--yes", file],
            &["rotate", "--in-place", file],
        ] {
            let output = self.sops(sops, arguments);
            if !output.status.success() {
                return Some((format!("sops {} fails", arguments[0]), output));
            }
            let said = String::from_utf8_lossy(&output.stderr);
            if arguments[0] == "updatekeys" && !said.contains("already up to date") {
                return Some(("its recipients are written differently".to_owned(), output));
            }
        }
        None
    }
}
