//! `sops-lint baseline`: today's findings, written down so that only new ones are reported.

use std::io::{self, Write};

use super::scan::{complain, examine};
use super::{CommandError, Exit};
use crate::cli;
use crate::host::Host;
use crate::settings::Settings;
use crate::settings::baseline::{BASELINE_NAME, Baseline};
use crate::source::Source;
use crate::text::printable::clean_path;

/// Writes the findings of all levels; those that the settings ignore need no entry.
pub fn run(args: cli::Baseline, host: &Host) -> Result<Exit, CommandError> {
    let settings = Settings::new(args.settings, host).with_run(&args.run);
    let mut settings = Settings { paths: args.paths, ..settings };
    let source = Source::open(&settings.view, &settings.directory, &settings.paths)?;
    let finished = examine(&source, &mut settings, host)?.finished;
    for error in &finished.errors {
        complain(error);
    }
    if !finished.errors.is_empty() {
        // What could not be looked at would be missing from it.
        complain("no baseline was written");
        return Ok(Exit::Failed);
    }
    let text = Baseline::write(&finished.report.findings);
    let path = match args.output {
        Some(path) => settings.directory.join(path),
        None => match &settings.file.baseline {
            Some(path) => path.in_root(source.root()),
            None => source.root().join(BASELINE_NAME),
        },
    };
    let name = path.strip_prefix(&settings.directory).unwrap_or(&path).display().to_string();
    host.write_whole(&path, text.as_bytes(), source.root())
        .map_err(|source| CommandError::Output { what: name.clone(), source })?;
    let count = text.lines().filter(|line| line.starts_with("- ")).count();
    let name = clean_path(&name);
    let plural = if count == 1 { "" } else { "s" };
    writeln!(io::stdout(), "Wrote {count} finding{plural} to {name}. To hold them back:")
        .and_then(|()| writeln!(io::stdout(), "  sops-lint scan --baseline {name}"))
        .and_then(|()| {
            writeln!(io::stdout(), "or, for hooks too, `baseline: PATH` in .sops-lint.yaml")
        })
        .map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}
