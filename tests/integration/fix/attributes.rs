//! Files that git converts, marks or names in a way that `fix` has to respect.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{SECRET, assert_clean, assert_sealed, read, rules};
use crate::support::{Git, Run, sops_lint_with};

fn assert_refused(run: &Run, reason: &str, help: &str) {
    assert!(run.code == Some(1), "{run:?}");
    assert!(run.stderr.contains(reason), "{reason}: {run:?}");
    assert!(run.stderr.contains(&format!("\n  help: {help}")), "{help}: {run:?}");
}

#[test]
fn marks_of_the_index_are_kept() {
    let odd = "apps/-a, b\n\"ü\".yaml";
    let git = Git::with(&[(".sops.yaml", &rules()), (odd, "a: b\n"), ("b.yaml", "a: b\n")]);
    git.stage(&[(odd, SECRET), ("b.yaml", SECRET), ("c.yaml", SECRET), ("d.yaml", SECRET)]);
    git.run(&["update-index", "--skip-worktree", "--", odd, "b.yaml"]);
    git.run(&["update-index", "--assume-unchanged", "--", "b.yaml", "c.yaml"]);
    let before = git.run(&["ls-files", "-v"]);
    assert!(before.contains("s b.yaml\nh c.yaml\nH d.yaml"), "{before}");
    // From a directory below the root too.
    let run = crate::support::sops_lint(&git.root.join("apps"), &["fix", "--staged"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(git.run(&["ls-files", "-v"]), before);
    for path in [odd, "b.yaml", "c.yaml", "d.yaml"] {
        assert_sealed(&read(&git.root, path));
        assert_eq!(git.run(&["show", &format!(":{path}")]) + "\n", read(&git.root, path));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf_8_leaves_out_that_file_alone() {
    let git = Git::with(&[(".sops.yaml", &rules())]);
    let raw = git.root.join(OsStr::from_bytes(b"x\xff.yaml"));
    fs::write(&raw, SECRET).expect("written");
    git.write("db.yaml", SECRET);
    let reason = "x\u{fffd}.yaml was left as it is: its name is not UTF-8 (or contains U+FFFD), so it cannot be fixed automatically";
    let help = "rename it, and run this again";
    let run = git.lint(&["fix"]);
    assert_refused(&run, reason, help);
    assert_clean(&git.root, &run);
    assert_sealed(&read(&git.root, "db.yaml"));
    assert_eq!(fs::read_to_string(&raw).expect("there"), SECRET);
    // Another file with the name that is shown.
    git.stage(&[("x\u{fffd}.yaml", SECRET)]);
    git.run(&["add", "."]);
    let run = git.lint(&["fix", "--staged"]);
    assert_refused(&run, reason, help);
    assert_eq!(run.stderr.matches(reason).count(), 1, "{run:?}");
    fs::rename(&raw, git.root.join("x.yaml")).expect("renamed");
    git.run(&["mv", "x\u{fffd}.yaml", "y.yaml"]);
    git.run(&["add", "."]);
    let run = git.lint(&["fix", "--staged"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    // The same is true of other repairs.
    let directory = git.root.join(OsStr::from_bytes(b"d\xff"));
    fs::create_dir(&directory).expect("made");
    fs::write(directory.join(".sops.yml"), rules()).expect("written");
    git.write("z.yaml", SECRET);
    let run = git.lint(&["fix", "--unsafe"]);
    assert!(run.stderr.contains("d\u{fffd}/.sops.yml was left as it is: its name is"), "{run:?}");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_sealed(&read(&git.root, "z.yaml"));
}

/// A git that ends the program that called it when the index is written.
fn with_deadly_git(git: &Git) -> PathBuf {
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("git"))
        .find(|path| path.is_file())
        .expect("git is installed");
    let directory = git.beside("deadly");
    fs::create_dir(&directory).expect("made");
    let script = format!(
        "#!/bin/sh\n'{}' \"$@\"\ncode=$?\ncase \"$*\" in *update-index*) kill -9 $PPID ;; esac\nexit $code\n",
        real.display()
    );
    fs::write(directory.join("git"), script).expect("written");
    fs::set_permissions(directory.join("git"), fs::Permissions::from_mode(0o755)).expect("set");
    directory
}

#[test]
fn nothing_of_a_killed_run_stays_in_git() {
    let git = Git::with(&[(".sops.yaml", &rules())]);
    git.stage(&[("db.yaml", SECRET)]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(with_deadly_git(&git)).chain(std::env::split_paths(&path));
    let path = PathBuf::from(std::env::join_paths(paths).expect("no colon"));
    let run = sops_lint_with(&git.root, &["fix", "--staged"], &[("PATH", &path)]);
    assert_eq!(run.code, None, "{run:?}");
    let left = || {
        let entries = fs::read_dir(git.root.join(".git")).expect("readable");
        let names = entries.map(|entry| entry.expect("readable").file_name());
        names.filter(|name| name.to_string_lossy().contains("sops-lint")).count()
    };
    assert_eq!(left(), 2, "the journal and the input of git");
    let run = git.lint(&["fix", "--staged"]);
    assert!(run.code == Some(0) && run.stderr.contains("was finished"), "{run:?}");
    assert_eq!(left(), 0);
    assert_sealed(&read(&git.root, "db.yaml"));
}
