//! Completions, asked of the real shells.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use crate::peers;
use crate::support::{repository, sops_lint};

/// Types a line on a terminal, asks for its completions with two tabs, and prints the screen once it has
/// all the expected words, or after a while.
const TYPED: &str = r#"
import fcntl, os, pty, select, struct, sys, termios, time
line, expected, shell = sys.argv[1], sys.argv[2].encode().split(), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 200, 0, 0))
    os.execvp(shell[0], shell)
def read(words):
    screen, end = b"", time.time() + 20
    while time.time() < end and not all(word in screen for word in words):
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                screen += os.read(terminal, 65536)
            except OSError:
                break
    return screen
read([b"READY"])
os.write(terminal, line.encode() + b"\t\t")
sys.stdout.buffer.write(read(expected))
os.close(terminal)
"#;

/// The words behind the program, the last one to complete, and what is offered among others.
const CASES: &[(&[&str], &[&str])] = &[
    (&["sc"], &["scan"]),
    (&[""], &["scan", "fix", "explain"]),
    (&["scan", "--sta"], &["--staged", "--statistics"]),
    (&["scan", "--col"], &["--color"]),
    (&["scan", "--format", "s"], &["sarif"]),
    (&["--verbose", "scan", "--format", "con"], &["concise"]),
    (&["scan", "--only", "mac"], &["mac-mismatch"]),
    (&["explain", "unre"], &["unreachable-rule", "unreadable-document"]),
    (&["hook", "pre-"], &["pre-commit", "pre-push"]),
    (&["hook", "pre-commit", "--fail-on", "w"], &["warning"]),
];

fn has(shell: &str) -> bool {
    let found = Command::new(shell).arg("--version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        // `.ci/run` cannot install it everywhere.
        peers::note(&format!(
            "**** completions in {shell} DID NOT RUN: {shell} is not installed\n"
        ));
    }
    is_there
}

/// Returns a directory with the script of a shell.
fn script(shell: &str) -> tempfile::TempDir {
    let tree = repository(&[]);
    let run = sops_lint(tree.path(), &["completions", shell]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{shell}");
    std::fs::write(tree.path().join("script"), run.stdout).expect("written");
    tree
}

fn output(command: &mut Command, directory: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_sops-lint"));
    let mut path = program.parent().expect("it has a directory").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = command
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("PATH", path)
        .env("TERM", "dumb")
        .output()
        .expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Types the words into an interactive shell, and expects it to offer others.
fn assert_offered(shell: &[&str], tree: &Path, words: &[&str], expected: &[&str]) {
    let line = format!("sops-lint {}", words.join(" "));
    let mut command = Command::new("python3");
    command.args(["-c", TYPED, &line, &expected.join(" ")]).args(shell);
    let text = output(&mut command, tree);
    for one in expected {
        assert!(text.contains(one), "{words:?}: {text}");
    }
}

#[test]
fn bash_completes_commands_flags_rules_and_formats() {
    if !has("bash") {
        return;
    }
    let tree = script("bash");
    let start = "source ./script; PS1=; bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; echo REA''DY\n";
    std::fs::write(tree.path().join("start"), start).expect("written");
    // Bash makes three words of `--format=sa`, and two of `--format=`.
    let more: &[(&[&str], &[&str])] =
        &[(&["scan", "--format=sa"], &["sarif"]), (&["scan", "--format="], &["sarif", "concise"])];
    for (words, expected) in CASES.iter().chain(more) {
        let shell = ["bash", "--noprofile", "--rcfile", "start", "-i"];
        assert_offered(&shell, tree.path(), words, expected);
    }
}

#[test]
fn fish_completes_commands_flags_rules_and_formats() {
    if !has("fish") {
        return;
    }
    let tree = script("fish");
    for (words, expected) in CASES {
        let asked = format!("source ./script; complete -C 'sops-lint {}'", words.join(" "));
        let text = output(Command::new("fish").args(["-c", &asked]), tree.path());
        for one in *expected {
            let is_offered = text.lines().any(|line| line.split('\t').next() == Some(one));
            assert!(is_offered, "{words:?}: {text}");
        }
    }
}

#[test]
fn zsh_completes_commands_flags_rules_and_formats() {
    if !has("zsh") {
        return;
    }
    let tree = script("zsh");
    let start = "autoload -Uz compinit; compinit -u -D; source ./script; PS1=; setopt auto_list no_list_ambiguous; zstyle ':completion:*' list-grouped no; echo REA''DY\n";
    std::fs::write(tree.path().join(".zshrc"), start).expect("written");
    for (words, expected) in CASES {
        assert_offered(&["zsh", "-i"], tree.path(), words, expected);
    }
}
