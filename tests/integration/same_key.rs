//! A recipient who was removed without `sops rotate`, in the history that the real sops and git made.
#![cfg(unix)]

use std::path::PathBuf;
use std::process::Command;

use crate::peers;
use crate::support::{Git, Run, fixtures};

const RULE: &str = "removed-recipient-not-rotated";

/// A repository with files that sops encrypted.
struct Story {
    git: Git,
    sops: PathBuf,
}

/// Returns the public key of a person.
fn public(name: &str) -> String {
    let path = fixtures().join(format!("keys/age/{name}.pub"));
    std::fs::read_to_string(path).expect("a key").trim().to_owned()
}

impl Story {
    /// Begins with `db.yaml`, encrypted to Alice and Bob.
    fn begin(text: &str) -> Option<Self> {
        let Some(sops) = peers::sops() else {
            peers::skip("versions with the same data key", "sops");
            return None;
        };
        let story = Self { git: Git::init(&[]), sops };
        story.rule(&["alice", "bob"]);
        story.git.write("db.yaml", text);
        story.sops(&["encrypt", "--in-place", "db.yaml"]);
        story.commit();
        Some(story)
    }

    fn rule(&self, people: &[&str]) {
        let keys: Vec<String> = people.iter().map(|name| public(name)).collect();
        self.git.write(".sops.yaml", &format!("creation_rules:\n  - age: {}\n", keys.join(",")));
    }

    fn sops(&self, arguments: &[&str]) {
        let output = Command::new(&self.sops)
            .args(arguments)
            .current_dir(&self.git.root)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.git.root)
            .env("SOPS_AGE_KEY_FILE", fixtures().join("keys/age/alice.txt"))
            .output()
            .expect("sops runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {text}");
    }

    fn commit(&self) -> String {
        self.git.run(&["add", "--all"]);
        self.git.run(&["commit", "--quiet", "--allow-empty", "-m", "a commit"]);
        self.git.run(&["rev-parse", "HEAD"])
    }

    /// Removes everyone but these from a file, with `updatekeys` alone.
    fn update(&self, path: &str, people: &[&str]) {
        self.rule(people);
        self.sops(&["updatekeys", "--yes", path]);
    }

    fn set(&self, path: &str, key: &str, value: &str) {
        self.sops(&["set", path, &format!("[\"{key}\"]"), &format!("\"{value}\"")]);
    }

    /// Returns the messages of the rule, with their paths.
    fn scan(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let run = self.git.lint(&[&["scan", "--format", "json"], arguments].concat());
        found(&run)
    }

    /// Expects that a scan of the whole history names these people in a file.
    fn names(&self, arguments: &[&str], path: &str, people: &[&str]) {
        let found = self.scan(arguments);
        assert!(found.len() == 1 && found[0].0 == path, "{arguments:?}: {found:?}");
        for name in ["alice", "bob", "carol", "mallory"] {
            let is_named = found[0].1.contains(&public(name));
            assert_eq!(is_named, people.contains(&name), "{name}: {found:?}");
        }
    }
}

fn found(run: &Run) -> Vec<(String, String)> {
    let json = run.json();
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().expect("text").to_owned();
    let findings = json["findings"].as_array().expect("findings").iter();
    let ours = findings.filter(|one| one["rule"] == RULE);
    ours.map(|one| (text(one, "path"), text(one, "message"))).collect()
}

#[test]
fn who_left_is_found_at_any_time_after() {
    let Some(story) = Story::begin("a: one\nb: two\n") else { return };
    story.names_no_one();
    story.update("db.yaml", &["alice"]);
    // The hook sees it too.
    story.git.run(&["add", "--all"]);
    story.names(&["--staged"], "db.yaml", &["bob"]);
    assert_eq!(story.git.lint(&["hook", "pre-commit"]).code, Some(0), "a warning by default");
    story.commit();
    story.names(&["--history"], "db.yaml", &["bob"]);
    story.set("db.yaml", "a", "uno");
    let edited = story.commit();
    story.set("db.yaml", "b", "dos");
    story.commit();
    // The first of them shares no value with the last.
    story.names(&["--history"], "db.yaml", &["bob"]);
    story.names(&["--diff", &edited], "db.yaml", &["bob"]);
    story.names(&["--history", &format!("{edited}..HEAD")], "db.yaml", &["bob"]);
    assert_eq!(story.scan(&["--diff", "HEAD"]), [], "nothing changed");
    assert_eq!(story.scan(&[]), []);
    // The file moves, and changes again.
    story.git.run(&["mv", "db.yaml", "moved.yaml"]);
    let moved = story.commit();
    story.set("moved.yaml", "a", "three");
    story.commit();
    story.names(&["--history"], "moved.yaml", &["bob"]);
    story.names(&["--diff", &moved], "moved.yaml", &["bob"]);
    // Another one leaves, and the first one returns.
    story.update("moved.yaml", &["alice", "carol"]);
    story.commit();
    story.update("moved.yaml", &["alice", "bob"]);
    story.commit();
    story.names(&["--history"], "moved.yaml", &["carol"]);
    story.sops(&["rotate", "--in-place", "moved.yaml"]);
    let rotated = story.commit();
    story.names_no_one();
    story.set("moved.yaml", "a", "four");
    story.commit();
    story.names_no_one();
    assert_eq!(story.scan(&["--diff", &rotated]), []);
}

impl Story {
    fn names_no_one(&self) {
        assert_eq!(self.scan(&["--history"]), []);
    }
}

#[test]
fn a_file_that_is_moved_in_the_same_commit_is_compared_with_what_it_was() {
    let Some(story) = Story::begin("a: one\nb: two\n") else { return };
    let base = story.git.run(&["rev-parse", "HEAD"]);
    story.git.run(&["mv", "db.yaml", "moved.yaml"]);
    story.update("moved.yaml", &["alice"]);
    story.git.run(&["add", "--all"]);
    story.names(&["--staged"], "moved.yaml", &["bob"]);
    story.commit();
    story.names(&["--diff", &base], "moved.yaml", &["bob"]);
}

/// After the edit no value is that of before, but the encrypted data key of Alice is.
#[test]
fn a_file_with_one_value_that_changed_is_found() {
    let Some(story) = Story::begin("a: one\n") else { return };
    story.update("db.yaml", &["alice"]);
    story.commit();
    story.set("db.yaml", "a", "two");
    story.commit();
    story.names(&["--history"], "db.yaml", &["bob"]);
    story.update("db.yaml", &["alice", "carol"]);
    story.set("db.yaml", "a", "three");
    story.commit();
    // What changed at once with the recipients has nothing in common with before.
    story.names_no_one();
}

/// No recipient was removed from the copy: others can read it on purpose.
#[test]
fn a_copy_for_another_team_is_another_file() {
    let Some(story) = Story::begin("a: one\nb: two\n") else { return };
    std::fs::copy(story.git.root.join("db.yaml"), story.git.root.join("copy.yaml"))
        .expect("copied");
    story.update("copy.yaml", &["alice", "carol"]);
    story.rule(&["alice", "bob"]);
    let copied = story.commit();
    story.names_no_one();
    story.update("copy.yaml", &["alice"]);
    story.commit();
    story.names(&["--history"], "copy.yaml", &["carol"]);
    story.names(&["--diff", &copied], "copy.yaml", &["carol"]);
}

/// A recipient of a branch that is not merged was not removed.
#[test]
fn recipients_of_other_branches_did_not_leave() {
    let Some(story) = Story::begin("a: one\nb: two\n") else { return };
    story.git.run(&["checkout", "--quiet", "-b", "feature"]);
    story.update("db.yaml", &["alice", "bob", "carol"]);
    story.commit();
    story.git.run(&["checkout", "--quiet", "main"]);
    story.set("db.yaml", "a", "uno");
    story.commit();
    story.names_no_one();
}

#[test]
fn a_shallow_clone_says_what_it_does_not_know() {
    let Some(story) = Story::begin("a: one\nb: two\n") else { return };
    story.update("db.yaml", &["alice"]);
    story.commit();
    story.set("db.yaml", "a", "uno");
    let edited = story.commit();
    story.set("db.yaml", "a", "dos");
    story.commit();
    let clone = story.git.beside("clone");
    let url = format!("file://{}", story.git.root.display());
    let place = clone.to_str().expect("UTF-8");
    story.git.run(&["clone", "--quiet", "--depth", "2", &url, place]);
    let args = ["scan", "--diff", &edited, "--format", "json"];
    let run = crate::support::sops_lint(&clone, &args);
    assert_eq!(found(&run), []);
    assert!(run.stderr.contains("note: the clone is shallow"), "{run:?}");
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn every_format_shows_its_data_key() {
    for (name, text) in [
        ("db.json", "{\"a\": \"one\", \"b\": \"two\"}\n"),
        ("db.env", "a=one\nb=two\n"),
        ("db.ini", "[s]\na = one\nb = two\n"),
        ("db.bin", "one\n"),
    ] {
        let Some(story) = Story::begin("a: one\n") else { return };
        story.git.write(name, text);
        story.sops(&["encrypt", "--in-place", name]);
        story.commit();
        story.update(name, &["alice"]);
        story.sops(&["updatekeys", "--yes", "db.yaml"]);
        story.sops(&["rotate", "--in-place", "db.yaml"]);
        story.commit();
        story.git.run(&["mv", name, &format!("moved-{name}")]);
        story.commit();
        story.names(&["--history"], &format!("moved-{name}"), &["bob"]);
    }
}
