//! Files that git converts, marks or names in a way that `fix` has to respect.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{SECRET, assert_clean, assert_sealed, read, rules};
use crate::support::{Git, Run, sops_lint_with};

/// A repository with rules and a filter for YAML files, whose programs these are.
fn with_filter(name: &str, clean: &str, smudge: &str) -> Git {
    let git = Git::init(&[]);
    git.run(&["config", &format!("filter.{name}.clean"), clean]);
    git.run(&["config", &format!("filter.{name}.smudge"), smudge]);
    git.write(".gitattributes", &format!("apps/*.yaml filter={name}\n"));
    git.commit(&[(".sops.yaml", &rules()), (".sops-lint.yaml", "fix:\n  allow: [\"**\"]\n")]);
    git
}

fn assert_refused(run: &Run, reason: &str, help: &str) {
    assert!(run.code == Some(1), "{run:?}");
    assert!(run.stderr.contains(reason), "{reason}: {run:?}");
    assert!(run.stderr.contains(&format!("\n  help: {help}")), "{help}: {run:?}");
}

#[test]
fn a_file_that_a_filter_changes_is_left_as_it_is() {
    let git = with_filter("redact", "sed s/canary/PLACEHOLDERX/", "cat");
    git.stage(&[("apps/db.yaml", SECRET)]);
    let before = git.run(&["ls-files", "--stage"]);
    let reason = "error: apps/db.yaml was left as it is: its git attribute filter=redact changes it between the work tree and the index, with a program from git's configuration, which sops-lint does not run";
    let help = "if the filter protects it, ignore the finding in .sops-lint.yaml; if sops is to, add a line with its name and -filter to the end of apps/.gitattributes (of .git/info/attributes, if that names the filter), run `git add --renormalize apps/db.yaml`, and run this again";
    for arguments in [&["fix", "--staged", "apps"][..], &["hook", "pre-commit"]] {
        let run = git.lint(arguments);
        assert_refused(&run, reason, help);
        assert_clean(&git.root, &run);
        assert_eq!(read(&git.root, "apps/db.yaml"), SECRET);
        assert_eq!(git.run(&["ls-files", "--stage"]), before);
    }
    // What git stores has another value in plaintext. The filter has nothing to do with the third file.
    git.write("other.yaml", SECRET);
    assert_refused(
        &git.lint(&["fix"]),
        reason,
        &help.replace("run `git add --renormalize apps/db.yaml`, ", ""),
    );
    assert_sealed(&read(&git.root, "other.yaml"));
    git.write("apps/.gitattributes", "db.yaml -filter\n");
    git.run(&["add", "--renormalize", "apps/db.yaml"]);
    let run = git.lint(&["fix", "--staged"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = read(&git.root, "apps/db.yaml");
    assert_sealed(&text);
    assert_eq!(git.run(&["show", ":apps/db.yaml"]) + "\n", text);
}

#[test]
fn a_file_that_git_stores_encrypted_is_no_leak() {
    let git = with_filter("scramble", "tr a-y b-z", "tr b-z a-y");
    git.stage(&[("apps/db.yaml", SECRET)]);
    for arguments in [&["scan"][..], &["fix"]] {
        let run = git.lint(arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        let note = "note: 1 file was checked as git stores it, because a filter of git changes it (apps/db.yaml)\n";
        assert!(run.stderr.contains(note), "{run:?}");
        assert_eq!(read(&git.root, "apps/db.yaml"), SECRET);
    }
    // Git did not store the second file yet, and stores the third one unchanged.
    git.write("apps/new.yaml", SECRET);
    git.write("apps/plain.yaml", SECRET);
    git.run(&["-c", "filter.scramble.clean=cat", "add", "apps/plain.yaml"]);
    let run = git.lint(&["scan"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for (path, count) in [("db", 0), ("new", 1), ("plain", 1)] {
        let place = format!("[apps/{path}.yaml:6:3]");
        assert_eq!(run.stdout.matches(&place).count(), count, "{path}: {run:?}");
    }
}

#[test]
fn no_program_is_run_that_the_repository_names() {
    for fix in [&["fix", "--staged"][..], &["fix"], &["hook", "pre-commit"]] {
        for others in [&[("large.yaml", SECRET)][..], &[("filtered.yaml", SECRET)]] {
            let git = with_filter("none", "cat", "cat");
            let attributes = "readme.txt filter=trap\nfiltered.yaml filter=trap\nlarge.yaml filter=lfs\n*.yaml text\n";
            git.write(".gitattributes", attributes);
            // Git looks at a file again that is as new as the index.
            git.write("readme.txt", "read me\n");
            let later = SystemTime::now() + Duration::from_hours(24);
            let file = fs::File::options().write(true).open(git.root.join("readme.txt"));
            file.and_then(|file| file.set_modified(later)).expect("the time is set");
            git.run(&["add", "readme.txt"]);
            git.stage(&[("db.yaml", SECRET)]);
            git.stage(others);
            // The work tree has other line ends, so git is asked to convert the file.
            git.write("db.yaml", &SECRET.replace('\n', "\r\n"));
            let mark = set_traps(&git);
            let run = git.lint(fix);
            assert!(!mark.exists(), "{fix:?}: {run:?}");
            let refused = "error: filtered.yaml was left as it is";
            let is_filtered = others[0].0 == "filtered.yaml";
            assert_eq!(run.stderr.contains(refused), is_filtered, "{fix:?}: {run:?}");
            if !is_filtered {
                assert_sealed(&read(&git.root, "db.yaml"));
                assert_sealed(&read(&git.root, "large.yaml"));
            }
        }
    }
}

/// Makes git's configuration and hooks run a program wherever they can. Returns the file that it writes.
fn set_traps(git: &Git) -> PathBuf {
    let mark = git.root.join(".git/was-run");
    let trap = git.root.join(".git/trap");
    fs::write(&trap, format!("#!/bin/sh\n: > '{}'\n", mark.display())).expect("it is written");
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).expect("it can be run");
    let hooks = git.root.join(".git/hooks");
    fs::create_dir_all(&hooks).expect("the directory is made");
    for hook in ["post-index-change", "post-checkout", "pre-commit", "reference-transaction"] {
        fs::copy(&trap, hooks.join(hook)).expect("it is copied");
    }
    let trap = trap.to_str().expect("the path is UTF-8");
    let filters = ["trap", "lfs"].map(|name| {
        ["clean", "smudge", "process"].map(|program| format!("filter.{name}.{program}"))
    });
    let others = ["core.pager", "diff.external", "gpg.program", "core.editor", "core.fsmonitor"];
    for key in filters.iter().flatten().map(String::as_str).chain(others) {
        git.run(&["config", key, trap]);
    }
    git.run(&["config", "log.showSignature", "true"]);
    mark
}

#[test]
fn a_file_that_a_filter_encrypts_is_left_as_it_is() {
    let git = with_filter("a=b", "tr a-y b-z", "tr b-z a-y");
    git.write("apps/db.yaml", SECRET);
    for option in ["--dry-run", "--diff", "--quiet"] {
        let run = git.lint(&["fix", option]);
        assert_refused(
            &run,
            "its git attribute filter=a=b changes it",
            "if the filter protects it",
        );
        assert_eq!(read(&git.root, "apps/db.yaml"), SECRET);
    }
    // git-crypt is known by its name, where it is not set up.
    git.write(".gitattributes", "apps/*.yaml filter=git-crypt diff=git-crypt\n");
    let run = git.lint(&["fix"]);
    assert_refused(
        &run,
        "its git attribute filter=git-crypt changes it",
        "if the filter protects it",
    );
    // No other filter is applied then, and Git LFS stores the file as it is.
    git.write(".gitattributes", "apps/*.yaml filter=none\n");
    let run = git.lint(&["fix"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_sealed(&read(&git.root, "apps/db.yaml"));
    git.run(&["config", "filter.lfs.clean", "false"]);
    git.write(".gitattributes", "apps/*.yaml filter=lfs\n");
    git.write("apps/db.yaml", SECRET);
    let run = git.lint(&["fix"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_file_that_git_converts_and_not_back_is_left_as_it_is() {
    let git = Git::with(&[(".sops.yaml", &rules()), (".gitattributes", "*.yaml ident\n")]);
    let secret = SECRET.replace("password: canary", "password: \"$Id: canary $\"");
    git.stage(&[("db.yaml", &secret)]);
    let run = git.lint(&["fix", "--staged"]);
    assert!(run.code == Some(2) && run.stderr.contains("and does not restore it"), "{run:?}");
    assert!(run.stderr.contains("\n  help: unset that attribute"), "{run:?}");
    assert_clean(&git.root, &run);
    assert_eq!(read(&git.root, "db.yaml"), secret);
    git.write(".gitattributes", "*.yaml -ident\n");
    git.run(&["add", "db.yaml"]);
    let run = git.lint(&["fix", "--staged"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_sealed(&read(&git.root, "db.yaml"));
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

#[test]
fn a_file_outside_the_sparse_checkout_is_called_so() {
    for is_sparse_index in [false, true] {
        let git = Git::with(&[(".sops.yaml", &rules()), ("apps/a.yaml", "a: b\n"), ("b/c", "d")]);
        git.stage(&[("apps/db.yaml", SECRET)]);
        git.run(&["sparse-checkout", "set", "--cone", "b"]);
        if is_sparse_index {
            git.run(&["sparse-checkout", "reapply", "--sparse-index"]);
        }
        // An old git leaves the file, because it is staged.
        let _ = fs::remove_file(git.root.join("apps/db.yaml"));
        git.run(&["update-index", "--skip-worktree", "apps/db.yaml"]);
        let run = git.lint(&["fix", "--staged"]);
        let reason = "error: apps/db.yaml was left as it is: it is outside the sparse checkout (skip-worktree)";
        assert_refused(&run, reason, "run `git sparse-checkout add apps`, and run this again");
        git.run(&["sparse-checkout", "add", "apps"]);
        let run = git.lint(&["fix", "--staged"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_sealed(&git.run(&["show", ":apps/db.yaml"]));
    }
    // The mark alone, without a sparse checkout.
    let git = Git::with(&[(".sops.yaml", &rules())]);
    git.stage(&[("db.yaml", SECRET)]);
    git.run(&["update-index", "--skip-worktree", "db.yaml"]);
    fs::remove_file(git.root.join("db.yaml")).expect("removed");
    let run = git.lint(&["fix", "--staged"]);
    let help = "run `git update-index --no-skip-worktree db.yaml` and `git restore db.yaml`, and run this again";
    assert_refused(&run, "it is missing from the work tree and marked skip-worktree", help);
    git.run(&["update-index", "--no-skip-worktree", "db.yaml"]);
    git.run(&["restore", "db.yaml"]);
    assert_eq!(git.lint(&["fix", "--staged"]).code, Some(0));
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
    assert!(!run.stderr.contains("nothing was written"), "there is no other file: {run:?}");
    git.stage(&[("other.yaml", SECRET)]);
    let run = git.lint(&["fix", "--staged"]);
    assert!(
        run.stderr.contains("note: nothing was written: staged files are encrypted all or none, so 1 other file stayed in plaintext"),
        "{run:?}"
    );
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
