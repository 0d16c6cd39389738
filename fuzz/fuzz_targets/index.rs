//! Reads git's index, and compares it with `HEAD`. The input is an index without its checksum.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sops_lint::git::Repo;
use sops_lint_fuzz::Repository;

static REPOSITORY: LazyLock<Repository> = LazyLock::new(|| Repository::new("index"));

fuzz_target!(|bytes: &[u8]| {
    // Zeros in place of the checksum, as `index.skipHash` writes them.
    let index = [bytes, &[0; 20]].concat();
    fs::write(REPOSITORY.git.join("index"), index).expect("the directory is there");
    let repo = Repo::discover(&REPOSITORY.root).expect("it is a repository");
    let Ok(index) = repo.index() else { return };
    let files: Vec<_> = index.below("").take(64).collect();
    for file in &files {
        let path = file.path.as_str();
        let _ = (index.blob(path), index.entry(path), index.holds(path));
        let _ = index.below(file.path.parent().as_str()).count();
    }
    let _ = (index.unmerged(), repo.staged(&index, &[".sops.yaml"]));
});
