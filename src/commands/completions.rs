//! `sops-lint completions`: completion scripts for shells.

use std::io::{self, Write};

use clap::{Arg, CommandFactory};
use clap_complete::Shell;

use super::error::{CommandError, Exit};
use crate::cli::{Cli, Completions};

/// The line of bash's script that reads the word before the one to complete.
const PREVIOUS: &str = "    prev=\"$3\"\n";
/// The same for `--format=json`, of which bash makes three words.
const PREVIOUS_OR_OPTION: &str = r#"    prev="$3"
    if [[ "${cur}" == "=" ]]; then
        cur=""
    elif [[ "${prev}" == "=" ]]; then
        prev="${COMP_WORDS[COMP_CWORD-2]}"
    fi
"#;

/// Prints the completion script for a shell.
pub fn run(args: &Completions) -> Result<Exit, CommandError> {
    // Into memory first: clap panics if the pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sops-lint", &mut script);
    match args.shell {
        Shell::Bash => script = corrected(&String::from_utf8_lossy(&script)).into_bytes(),
        Shell::Fish => script.extend(positional_values().into_bytes()),
        _ => {}
    }
    io::stdout().write_all(&script).map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}

/// Returns bash's script with one name for each subcommand: because of the hyphen in `sops-lint`, clap
/// looks for them under other names than it sets.
fn corrected(script: &str) -> String {
    script.replace("sops__subcmd__lint", "sops__lint").replacen(PREVIOUS, PREVIOUS_OR_OPTION, 1)
}

/// Returns the lines for fish that offer rules to `explain` and shells to `completions`: clap writes
/// lines for options only.
fn positional_values() -> String {
    let command = Cli::command();
    let mut script = String::new();
    for of in command.get_subcommands() {
        let values = of.get_positionals().flat_map(Arg::get_possible_values);
        let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        if !names.is_empty() {
            script += &format!(
                "complete -c sops-lint -n \"__fish_sops_lint_using_subcommand {}\" -f -a \"{}\"\n",
                of.get_name(),
                names.join(" ")
            );
        }
    }
    script
}
