//! `sops-lint man`: one manual page for all commands.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

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
    Ok(page)
}
