//! What `sops-lint fix` encrypts is to the real sops what it would have encrypted itself.
//!
//! `SEALED_DOCUMENTS` and `SEALED_SEED` make it another run than that of CI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use super::documents::{self, Made, Scalars};
use super::{Dice, in_parallel, number};
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
    "does not keep this tag",
];

/// One file of a test, in a directory of its own.
pub(super) struct Case {
    pub(super) name: String,
    directory: PathBuf,
    pub(super) file: PathBuf,
    pub(super) plain: Vec<u8>,
    config: String,
}

/// The files of a test.
pub(super) struct Tree {
    directory: tempfile::TempDir,
    pub(super) cases: Vec<Case>,
}

/// What sops makes of a file.
pub(super) struct Reference {
    pub(super) decrypted: Vec<u8>,
    /// Whether it encrypted a value.
    pub(super) has_ciphertext: bool,
}

impl Tree {
    pub(super) fn new(count: usize, mut make: impl FnMut(usize) -> Made) -> Self {
        let directory = repository(&[]);
        let cases = (0..count).map(|at| Case::new(directory.path(), at, make(at))).collect();
        Self { directory, cases }
    }

    /// Encrypts all files in one run. Returns what was said.
    pub(super) fn fix(&self) -> String {
        let run = sops_lint(self.directory.path(), &["fix", "-v"]);
        assert!(run.code.is_some_and(|code| code < 2), "{}", run.stderr);
        run.stderr
    }
}

#[test]
fn what_is_sealed_opens_as_what_sops_sealed() {
    let Some(sops) = peers::sops() else { return peers::skip("sealed", "sops") };
    let (documents, seed) = (number("SEALED_DOCUMENTS", 600), number("SEALED_SEED", 1));
    let tree = Tree::new(documents, |at| {
        let mut dice = Dice::new((seed as u64) << 32 | at as u64);
        documents::make(&mut dice, Scalars::Faithful)
    });
    let said = tree.fix();
    let tally = Mutex::new(Tally::default());
    in_parallel(&tree.cases, |_, case| case.check(&sops, &said, &tally));
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
    assert!(tally.passed_over * 10 < documents, "too much was passed over: {tally:?}");
    assert!(tally.comments_lost_by_sops * 50 < documents, "too often: {tally:?}");
    // Many have comments in odd columns.
    assert!(tally.sealed * 5 > documents * 2, "too little was sealed: {tally:?}");
    let again = sops_lint(tree.directory.path(), &["fix"]);
    assert_eq!(again.stdout, "", "fixing twice is fixing once");
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

/// Whether a line has the MAC, in any format.
fn is_mac(line: &str) -> bool {
    ["mac:", "\"mac\":", "sops_mac=", "mac "].iter().any(|key| line.trim_start().starts_with(key))
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

/// Whether two decrypted files have the same keys, values, types and comments, as far as sops' own
/// encryption keeps the comments.
pub(super) fn is_like(case: &Case, sops: &Path, ours: &[u8], theirs: &[u8]) -> bool {
    let is_lost = String::from_utf8_lossy(ours).contains("#ENC[");
    let sops_loses = comments(theirs) < comments(ours);
    let is_like_theirs = is_same(ours, theirs, case.file_name())
        || sops_loses && values(ours) == values(theirs)
        || case.is_equal(sops);
    !is_lost && is_like_theirs
}

impl Case {
    fn new(tree: &Path, at: usize, made: Made) -> Self {
        let directory = tree.join(format!("case-{at}"));
        fs::create_dir(&directory).expect("made");
        fs::write(directory.join(".sops.yaml"), &made.config).expect("written");
        let file = directory.join(format!("file.sops.{}", made.ending));
        fs::write(&file, &made.bytes).expect("written");
        let name = format!("case-{at}/file.sops.{}", made.ending);
        Self { name, directory, file, plain: made.bytes, config: made.config }
    }

    pub(super) fn file_name(&self) -> &str {
        self.file.file_name().expect("named").to_str().expect("UTF-8")
    }

    pub(super) fn sops(&self, program: &Path, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(&self.directory)
            .env_clear()
            .env("HOME", &self.directory)
            .env("SOPS_AGE_KEY_FILE", fixtures().join("keys/age/alice.txt"))
            .output()
            .expect("sops runs")
    }

    /// Keeps the plaintext of a failure, and returns its path with the creation rule.
    pub(super) fn kept(&self) -> String {
        let kept = super::keep(&self.plain, &self.file);
        format!("({}) {}", self.config.trim(), kept.display())
    }

    /// Lets sops encrypt the same text.
    fn encrypt(&self, sops: &Path) -> (String, Output) {
        let reference = self.directory.join("reference");
        fs::create_dir(&reference).expect("made");
        fs::write(reference.join(self.file_name()), &self.plain).expect("written");
        let path = format!("reference/{}", self.file_name());
        let output = self.sops(sops, &["encrypt", "--in-place", &path]);
        (path, output)
    }

    /// Returns what sops makes of the same text; `None` if it does not encrypt or open it.
    pub(super) fn reference(&self, sops: &Path) -> Option<Reference> {
        let (path, encrypted) = self.encrypt(sops);
        let text = fs::read(self.directory.join(&path)).expect("readable");
        let text = String::from_utf8_lossy(&text);
        let is_value = |line: &str| line.contains("ENC[") && !line.contains("type:comment]");
        let has_ciphertext = text.lines().any(|line| is_value(line) && !is_mac(line));
        let decrypted = self.sops(sops, &["decrypt", &path]);
        let is_done = encrypted.status.success() && decrypted.status.success();
        is_done.then_some(Reference { decrypted: decrypted.stdout, has_ciphertext })
    }

    fn check(&self, sops: &Path, said: &str, tally: &Mutex<Tally>) {
        let file = self.file_name();
        let sealed = fs::read(&self.file).expect("there");
        let disagree = |what: &str, output: &Output| {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            let error = error.lines().last().unwrap_or_default();
            let text = format!("{}: {what}: {error} {}", self.name, self.kept());
            tally.lock().expect("not poisoned").disagreements.push(text);
        };
        let (path, encrypted) = self.encrypt(sops);
        if sealed == self.plain {
            let mut refusals = said.lines().filter(|line| line.starts_with("error: "));
            let line = refusals.find(|line| line.contains(&self.name));
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
        if !is_like(self, sops, &ours.stdout, &theirs.stdout) {
            return disagree("it opens to something else", &theirs);
        }
        if let Some((what, output)) = self.use_on(sops, file) {
            return disagree(&what, &output);
        }
        let again = self.sops(sops, &["decrypt", file]);
        if comments(&theirs.stdout) < comments(&ours.stdout) {
            tally.lock().expect("not poisoned").comments_lost_by_sops += 1;
            if values(&again.stdout) != values(&ours.stdout) {
                disagree("sops rotate changes a value", &again);
            }
        } else if !is_same(&again.stdout, &ours.stdout, file) {
            disagree("sops rotate loses something", &again);
        }
    }

    /// Whether both are one to programs. sops loses comments that stay here, and moves others.
    fn is_equal(&self, sops: &Path) -> bool {
        let file = self.file_name();
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
