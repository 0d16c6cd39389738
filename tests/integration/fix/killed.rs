//! A fix that is killed: every file is the old or the new one, and the next run finishes it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{SECRET, assert_sealed, read, rules, walk};
use crate::support::Git;

const FILES: u32 = 200;

/// `FIX_KILLS` makes it another number than that of CI.
#[test]
fn a_fix_that_is_killed_loses_nothing_and_can_be_finished() {
    let number = std::env::var("FIX_KILLS").ok();
    let kills: u32 = number.map_or(20, |text| text.parse().expect("a number"));
    let git = Git::with(&[(".sops.yaml", &rules())]);
    let names: Vec<String> = (0..FILES).map(|number| format!("apps/db-{number}.yaml")).collect();
    start(&git, &names);
    let begin = Instant::now();
    assert!(fix(&git).status().expect("the binary runs").success());
    // A little more than it takes, so that some of them come too late.
    let whole = begin.elapsed() * 11 / 10;
    let mut were_between = 0;
    for kill in 1..=kills {
        start(&git, &names);
        let mut child = fix(&git).spawn().expect("the binary runs");
        std::thread::sleep(whole * kill / kills);
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        were_between += u32::from(is_between(&git, &names));
        complete(&git);
        for name in &names {
            assert_sealed(&read(&git.root, name));
        }
        let left = walk(&git.root.join("apps"));
        assert!(left.iter().all(|name| !name.contains(".sops-lint-")), "{left:?}");
        assert_eq!(git.run(&["diff", "--name-only"]), "");
    }
    git.run(&["fsck"]);
    eprintln!("{were_between} of {kills} kills came between the index and the work tree");
}

/// Plaintext in the index and in the work tree.
fn start(git: &Git, names: &[String]) {
    for name in names {
        git.write(name, SECRET);
    }
    git.run(&["add", "apps"]);
}

/// A second run. A git that the first one started may have begun to write after all, and is waited for,
/// as the error says.
fn complete(git: &Git) {
    for _ in 0..500 {
        let mut command = fix(git);
        let output = command.stderr(Stdio::piped()).output().expect("the binary runs");
        if output.status.success() {
            return;
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("wait for other git programs to end"), "{stderr}");
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the index stays locked");
}

fn fix(git: &Git) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sops-lint"));
    command
        .args(["fix", "--staged"])
        .current_dir(&git.root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", git.beside("home"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Whether the index is done and the work tree is not. Whatever is done is done whole.
fn is_between(git: &Git, names: &[String]) -> bool {
    // A git that was started goes on for a moment.
    while git.root.join(".git/index.lock").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let staged: Vec<String> =
        ["0", "199"].map(|number| git.run(&["show", &format!(":apps/db-{number}.yaml")])).into();
    let is_old = |text: &str| text.trim_end() == SECRET.trim_end();
    let is_staged = !is_old(&staged[0]);
    assert!(staged.iter().all(|text| is_old(text) != is_staged), "the index is old or new");
    let mut old = 0;
    for name in names {
        let text = read(&git.root, name);
        old += usize::from(text == SECRET);
        assert!(text == SECRET || (!text.contains("canary") && text.contains("\nsops:")), "{name}");
    }
    for name in walk(&git.root.join("apps")).iter().filter(|name| name.contains(".sops-lint-")) {
        let text = fs::read_to_string(name).expect("there");
        assert!(!text.contains("canary"), "{name} has plaintext");
    }
    assert!(is_staged || old == names.len(), "the index comes first");
    is_staged && old > 0
}
