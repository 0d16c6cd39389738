//! `sops-lint baseline`: writes today's findings to a file, so that only new ones are reported.

use std::io::{self, Write};

use super::error::{CommandError, Exit};
use super::say::complain;
use crate::cli;
use crate::host::Host;
use crate::session::Session;
use crate::settings::baseline::{BASELINE_NAME, Baseline};
use crate::settings::{BaselineChoice, Options};
use crate::text::printable::clean_path;
use crate::text::words::count;

/// Writes the findings of all levels, except those that the settings ignore.
pub fn run(
    args: cli::Baseline,
    style: cli::StyleOptions,
    host: &Host,
) -> Result<Exit, CommandError> {
    // The settings may already name the baseline that is written here for the first time.
    let baseline = BaselineChoice::Nothing;
    let options = Options::new(args.settings, style, host).with_run(&args.run);
    let options = Options { paths: args.paths, baseline, ..options };
    let session = Session::new(options, host);
    let source = session.open()?;
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let finished = session.examine(&source, &settings, ring.as_ref())?.finished;
    for error in &finished.errors {
        complain(error);
    }
    if !finished.errors.is_empty() {
        // The findings in files that could not be read would be missing from it.
        complain("no baseline was written");
        return Ok(Exit::Failed);
    }
    let text = Baseline::write(&finished.report.findings);
    let path = match args.output {
        Some(path) => host.directory.join(path),
        None => match &settings.file.baseline {
            Some(path) => path.in_root(source.root()),
            None => source.root().join(BASELINE_NAME),
        },
    };
    let name = path.strip_prefix(&host.directory).unwrap_or(&path).display().to_string();
    host.write_whole(&path, text.as_bytes(), source.root())
        .map_err(|source| CommandError::Output { what: name.clone(), source })?;
    let number = text.lines().filter(|line| line.starts_with("- ")).count();
    let (findings, name) = (count(number, "finding"), clean_path(&name));
    write!(
        io::stdout(),
        "Wrote {findings} to {name}. To suppress them:\n  sops-lint scan --baseline {name}\n\
         or, for hooks too, `baseline: PATH` in .sops-lint.yaml\n"
    )
    .map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}
