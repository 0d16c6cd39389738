//! Colours and widths, on a terminal and without one.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use crate::support::{Run, repository, sops_lint_with};

const PLAINTEXT: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary\n";

/// Runs a program on a terminal of a given width, and prints what it prints.
const ON_A_TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn on_a_terminal(directory: &Path, width: usize, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let output = Command::new("python3")
        .args(["-c", ON_A_TERMINAL, &width.to_string(), env!("CARGO_BIN_EXE_sops-lint")])
        .args(args)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .output()
        .expect("Python runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8").replace('\r', "");
    Run { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

fn in_a_pipe(directory: &Path, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| (*name, Path::new(value))).collect();
    sops_lint_with(directory, args, &variables)
}

/// Variables, an option, and whether there are colours in a pipe and on a terminal.
type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, bool, bool);

#[test]
fn colours_follow_the_option_then_the_environment_then_the_terminal() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let cases: &[Case<'_>] = &[
        (&[], "auto", false, true),
        (&[], "always", true, true),
        (&[], "never", false, false),
        (&[("TERM", "dumb")], "auto", false, false),
        (&[("TERM", "dumb")], "always", true, true),
        (&[("NO_COLOR", "1")], "auto", false, false),
        (&[("NO_COLOR", "")], "auto", false, true),
        (&[("NO_COLOR", "1")], "always", true, true),
        (&[("FORCE_COLOR", "1")], "auto", true, true),
        (&[("FORCE_COLOR", "0")], "auto", false, true),
        (&[("FORCE_COLOR", "")], "auto", false, true),
        (&[("FORCE_COLOR", "1")], "never", false, false),
        (&[("FORCE_COLOR", "1"), ("TERM", "dumb")], "auto", true, true),
        (&[("CLICOLOR_FORCE", "1")], "auto", true, true),
        (&[("CLICOLOR_FORCE", "0")], "auto", false, true),
        (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], "auto", true, true),
        (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], "auto", false, false),
        (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], "auto", false, false),
    ];
    for (variables, option, pipe, terminal) in cases {
        let args = ["scan", "--no-progress", "--color", option];
        let is_coloured = |run: Run| {
            assert_eq!(run.code, Some(1), "{run:?}");
            run.stdout.contains("\u{1b}[")
        };
        let run = in_a_pipe(tree.path(), &args, variables);
        assert_eq!(is_coloured(run), *pipe, "a pipe, --color {option}, {variables:?}");
        let run = on_a_terminal(tree.path(), 80, &args, variables);
        assert_eq!(is_coloured(run), *terminal, "a terminal, --color {option}, {variables:?}");
    }
}

#[test]
fn a_report_in_a_file_has_no_colours_of_the_terminal() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let args = ["scan", "--no-progress", "--output", "report.txt"];
    let run = on_a_terminal(tree.path(), 80, &args, &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = std::fs::read_to_string(tree.path().join("report.txt")).expect("written");
    assert!(report.contains("unencrypted-secret") && !report.contains('\u{1b}'), "{report}");
}

#[test]
fn lines_are_as_wide_as_the_terminal_between_60_and_120_columns() {
    let tree = repository(&[("a.yaml", PLAINTEXT)]);
    let args = ["scan", "--no-progress", "--color", "never"];
    let widest = |run: &Run| run.stdout.lines().map(|line| line.chars().count()).max();
    let fits = |run: &Run, width: usize| {
        let widest = widest(run).expect("lines");
        assert!((width - 25..=width).contains(&widest), "{widest} of {width}: {}", run.stdout);
    };
    for (columns, width) in [(20, 60), (60, 60), (75, 75), (100, 100), (300, 120)] {
        fits(&on_a_terminal(tree.path(), columns, &args, &[]), width);
    }
    // The terminal knows better than a variable that may be stale.
    fits(&on_a_terminal(tree.path(), 75, &args, &[("COLUMNS", "95")]), 75);
    fits(&in_a_pipe(tree.path(), &args, &[("COLUMNS", "75")]), 75);
    fits(&in_a_pipe(tree.path(), &args, &[("COLUMNS", "x")]), 100);
    fits(&in_a_pipe(tree.path(), &args, &[]), 100);
}

#[test]
fn manuals_and_lists_are_made_for_the_terminal() {
    let tree = repository(&[]);
    for width in [60, 80, 200] {
        let args = ["explain", "unencrypted-file", "--color", "never"];
        let manual = on_a_terminal(tree.path(), width, &args, &[]).stdout;
        assert!(manual.starts_with("unencrypted-file\n"), "{manual}");
        let is_raw =
            |line: &str| line.starts_with('#') || line.contains("```") || line.contains("**");
        assert!(!manual.lines().any(is_raw), "{manual}");
        assert!(manual.lines().all(|line| line.chars().count() <= width), "{manual}");
        let list = on_a_terminal(tree.path(), width, &["rules", "--color", "never"], &[]).stdout;
        assert!(list.lines().all(|line| line.chars().count() <= width.max(60)), "{list}");
    }
    for args in [&["explain", "mac-mismatch"][..], &["rules"], &["policy", "a.yaml"]] {
        let run = on_a_terminal(tree.path(), 80, args, &[]);
        assert!(run.code == Some(0) && run.stdout.contains("\u{1b}["), "{run:?}");
        let plain = on_a_terminal(tree.path(), 80, args, &[("NO_COLOR", "1")]);
        assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
    }
    let json = on_a_terminal(tree.path(), 80, &["rules", "--format", "json"], &[]).stdout;
    assert!(json.contains("\"manual\": \"# unencrypted-secret"), "{json}");
}
