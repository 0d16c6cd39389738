//! `sops decrypt` gives back what `sops-lint fix` encrypted: whole files, mutated ones among them.
//!
//! `WHOLE_FILES` and `WHOLE_SEED` change the run of CI.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::sealed::{Case, Tree, is_like};
use super::{Dice, files, in_parallel, number};
use crate::peers;

#[derive(Debug, Default)]
struct Tally {
    sealed: usize,
    /// Files that sops encrypts and gives back as they are.
    given_back: usize,
    /// Of those, the files that are refused here, by reason.
    refused: BTreeMap<String, Vec<String>>,
    /// Files that neither program encrypts.
    refused_by_both: usize,
    /// Files that sops encrypts and does not give back as they are. They are refused here.
    refused_on_purpose: BTreeMap<String, usize>,
    /// Files without a value.
    passed_over: usize,
    lost: Vec<String>,
}

#[test]
fn nothing_is_lost_from_whole_files_and_few_are_refused() {
    let Some(sops) = peers::sops() else { return peers::skip("whole files", "sops") };
    let (count, seed) = (number("WHOLE_FILES", 300), number("WHOLE_SEED", 1));
    eprintln!("WHOLE_FILES={count} WHOLE_SEED={seed}");
    let mut wholes = Vec::new();
    let tree = Tree::new(count, |at| {
        let whole = files::make(&mut Dice::new((seed as u64) << 32 | at as u64));
        wholes.push(whole.is_unfaithful);
        whole.made
    });
    let said = tree.fix();
    let tally = Mutex::new(Tally::default());
    in_parallel(&tree.cases, |at, case| check(case, wholes[at], &sops, &said, &tally));
    let tally = tally.into_inner().expect("no thread panicked");
    let refused: usize = tally.refused.values().map(Vec::len).sum();
    eprintln!(
        "seed {seed}: of {count} files, {} sealed, {} refused by both, {} given back by sops, of which {refused} are refused here, {:?} refused on purpose; {} lost",
        tally.sealed,
        tally.refused_by_both,
        tally.given_back,
        tally.refused_on_purpose,
        tally.lost.len()
    );
    eprintln!("{:#?}", tally.refused);
    assert!(tally.lost.is_empty(), "{:#?}", tally.lost);
    assert!(refused * 50 <= tally.given_back, "{:#?}", tally.refused);
    assert!(tally.sealed * 2 > count, "too little was sealed: {tally:?}");
}

fn check(case: &Case, is_unfaithful: bool, sops: &Path, said: &str, tally: &Mutex<Tally>) {
    let sealed = fs::read(&case.file).expect("readable");
    let theirs = case.reference(sops);
    let is_sealed = sealed != case.plain;
    let marks = marks(&case.plain);
    if !is_sealed {
        let start = format!("error: {}", case.name);
        let line = said.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
        let reason =
            line.split(" was left as it is: ").nth(1).unwrap_or("nothing was said").to_owned();
        let mut tally = tally.lock().expect("not poisoned");
        let Some(theirs) = theirs else { return tally.refused_by_both += 1 };
        if line.is_empty() && !marks.iter().any(|mark| mark.starts_with("value-")) {
            return tally.passed_over += 1;
        }
        if is_unfaithful || !theirs.has_ciphertext || self::marks(&theirs.decrypted) != marks {
            return *tally.refused_on_purpose.entry(reason).or_default() += 1;
        }
        tally.given_back += 1;
        tally.refused.entry(reason).or_default().push(case.kept());
        return;
    }
    let ours = case.sops(sops, &["decrypt", case.file_name()]);
    let lost = |what: &str| {
        let error =
            String::from_utf8_lossy(&ours.stderr).lines().last().unwrap_or_default().to_owned();
        let text = format!("{}: {what} {error} {}", case.name, case.kept());
        tally.lock().expect("not poisoned").lost.push(text);
    };
    let is_whole = self::marks(&ours.stdout).is_superset(&marks);
    if is_unfaithful {
        lost("it was sealed though sops gives back something else");
    } else if !ours.status.success() {
        lost("sops does not open it");
    } else if !is_whole {
        lost("a value or a comment is gone");
    } else if let Some(theirs) = &theirs {
        if !is_like(case, sops, &ours.stdout, &theirs.decrypted) {
            lost("it opens to something else than sops' own");
        }
    } else {
        lost("sops would not encrypt it");
    }
    let mut tally = tally.lock().expect("not poisoned");
    tally.sealed += 1;
    tally.given_back +=
        usize::from(theirs.is_some_and(|theirs| self::marks(&theirs.decrypted) == marks));
}

/// The numbered values and comments of a text.
fn marks(text: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(text);
    let starts = ["value-", "note-"].into_iter().flat_map(|name| text.match_indices(name));
    let ends = starts.map(|(at, name)| {
        let rest = &text[at + name.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        format!("{name}{}", &rest[..end])
    });
    ends.collect()
}
