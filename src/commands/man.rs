//! `sops-lint man`: one manual page for all commands.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::error::{CommandError, Exit};
use crate::cli::Cli;

/// Prints the page in roff, for `man -l -`.
pub fn run() -> Result<Exit, CommandError> {
    let page = page().map_err(CommandError::stdout)?;
    io::stdout().write_all(&page).map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}

fn page() -> io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let whole = Man::new(command.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    for of in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let part = Man::new(of.clone());
        let mut text = Vec::new();
        part.render_synopsis_section(&mut text)?;
        part.render_description_section(&mut text)?;
        part.render_options_section(&mut text)?;
        writeln!(page, ".SH \"SOPS-LINT {}\"", of.get_name().to_uppercase())?;
        // The sections of a command become subsections of the page.
        page.extend(String::from_utf8_lossy(&text).replace(".SH ", ".SS ").into_bytes());
    }
    closing().to_writer(&mut page)?;
    Ok(page)
}

/// Exit codes and their meanings.
const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "No finding at or above the level of --fail-on."),
    ("1", "Findings. For fix: files are left that it could not fix."),
    ("2", "The job could not be done: the reason is on standard error."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("SOPS_LINT_FORMAT", "The format of scan without --format."),
    ("SOPS_LINT", "The program that the git hooks run."),
    ("NO_COLOR", "No colours."),
    ("FORCE_COLOR, CLICOLOR_FORCE", "Colours in pipes and files too, unless they are 0."),
    ("TERM", "If it is dumb, no colours, and frames in ASCII."),
    ("COLUMNS", "The width to wrap at where there is no terminal."),
    (
        "SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, SOPS_AGE_SSH_PRIVATE_KEY_FILE",
        "Private keys of age, as for sops.",
    ),
    ("SOPS_GPG_EXEC, GNUPGHOME", "The gpg to run, and its keyring, as for sops."),
    (
        "SOURCE_DATE_EPOCH",
        "The second since 1970 in UTC by which files are judged, instead of now.",
    ),
];

const FILES: &[(&str, &str)] = &[
    (".sops.yaml", "The creation rules of sops, in the directory of a file or above it."),
    (".sops-lint.yaml", "The settings, at the root of the repository."),
    (".sops-lint-baseline.yaml", "The findings that baseline writes unless --output names a file."),
    (".git/hooks, core.hooksPath", "Where install writes the hook."),
    ("~/.config/sops/age/keys.txt", "Private keys of age, as for sops."),
];

const EXAMPLES: &[(&str, &str)] = &[
    ("sops-lint scan", "Lints the repository around the current directory."),
    ("sops-lint scan --staged", "Lints what the next commit changes."),
    ("sops-lint scan --diff main", "Lints what a branch changes."),
    ("sops-lint scan --history", "Finds secrets in every commit of branches and tags."),
    (
        "sops-lint scan --format github --format sarif --output sops-lint.sarif",
        "Writes two reports in one run.",
    ),
    ("sops-lint scan --statistics", "Counts the findings by rule and by directory."),
    ("sops-lint fix --dry-run apps/", "Lists the files that fix would encrypt."),
    ("sops-lint install", "Lints before every commit."),
    ("sops-lint explain mac-mismatch", "Prints the manual of a rule."),
];

/// Returns the last sections of the page.
fn closing() -> Roff {
    let mut page = Roff::new();
    let sections = [
        ("EXIT STATUS", EXIT_STATUS),
        ("ENVIRONMENT", ENVIRONMENT),
        ("FILES", FILES),
        ("EXAMPLES", EXAMPLES),
    ];
    for (title, entries) in sections {
        page.control("SH", [title]);
        for (name, text) in entries {
            page.control("TP", []);
            page.text([bold(*name)]);
            page.text([roman(*text)]);
        }
    }
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("sops"), roman("(1), "), bold("git"), roman("(1)")]);
    page
}
