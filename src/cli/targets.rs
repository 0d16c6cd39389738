//! The reports of a run: each `--format` with its `--output`.

use std::path::{Component, Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

use crate::report::{REPORTERS, Reporter};

const FORMAT: &str = "format";
const OUTPUT: &str = "output";
/// The name of standard output.
const STDOUT: &str = "-";

/// A report to write.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The format; `None`: the default one.
    pub format: Option<&'static dyn Reporter>,
    /// The file; `None`: standard output.
    pub output: Option<PathBuf>,
}

/// The reports to write, at least one.
#[derive(Clone, Debug)]
pub struct Targets(pub Vec<Target>);

/// An option of a report, with its place on the command line.
enum Word {
    Format(&'static dyn Reporter),
    Output(PathBuf),
}

impl Args for Targets {
    fn augment_args(command: Command) -> Command {
        let format = Arg::new(FORMAT)
            .long(FORMAT)
            .value_name("FORMAT")
            .help("Format of the report; several reports: --format X --output F --format Y .. [default: human, or $SOPS_LINT_FORMAT]")
            .action(ArgAction::Append)
            .value_parser(reporter());
        let output = Arg::new(OUTPUT)
            .long(OUTPUT)
            .value_name("FILE")
            .help("Write the report to a file instead of standard output; - is standard output")
            .action(ArgAction::Append)
            .value_parser(value_parser!(PathBuf));
        command.arg(format).arg(output)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Targets {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut targets = pairs(words(matches))?;
        for target in &mut targets {
            target.output.take_if(|path| path == Path::new(STDOUT));
        }
        check(&targets)?;
        Ok(Self(targets))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Parses the name of a format.
fn reporter() -> impl TypedValueParser<Value = &'static dyn Reporter> {
    let names = REPORTERS.iter().map(|one| PossibleValue::new(one.name()).help(one.summary()));
    PossibleValuesParser::new(names).map(|name| {
        let reporter = REPORTERS.iter().find(|one| one.name() == name);
        *reporter.expect("clap accepts only the names of reporters")
    })
}

/// Returns the formats and outputs in the order of the command line.
fn words(matches: &ArgMatches) -> Vec<Word> {
    let mut words: Vec<(usize, Word)> = Vec::new();
    if matches.value_source(FORMAT) == Some(ValueSource::CommandLine) {
        let formats = matches.get_many::<&'static dyn Reporter>(FORMAT).into_iter().flatten();
        let places = matches.indices_of(FORMAT).into_iter().flatten();
        words.extend(places.zip(formats.copied().map(Word::Format)));
    }
    let outputs = matches.get_many::<PathBuf>(OUTPUT).into_iter().flatten();
    let places = matches.indices_of(OUTPUT).into_iter().flatten();
    words.extend(places.zip(outputs.cloned().map(Word::Output)));
    words.sort_by_key(|(place, _)| *place);
    words.into_iter().map(|(_, word)| word).collect()
}

/// Gives each output to the format before it. A single output may also precede its format.
fn pairs(words: Vec<Word>) -> Result<Vec<Target>, Error> {
    let count = |is: fn(&Word) -> bool| words.iter().filter(|word| is(word)).count();
    let formats = count(|word| matches!(word, Word::Format(_)));
    if formats <= 1 && count(|word| matches!(word, Word::Output(_))) <= 1 {
        let mut only = Target::default();
        for word in words {
            match word {
                Word::Format(format) => only.format = Some(format),
                Word::Output(path) => only.output = Some(path),
            }
        }
        return Ok(vec![only]);
    }
    let mut targets: Vec<Target> = Vec::new();
    for word in words {
        match (word, targets.last_mut()) {
            (Word::Format(format), _) => {
                targets.push(Target { format: Some(format), output: None });
            }
            (Word::Output(path), Some(last)) if last.output.is_none() => last.output = Some(path),
            (Word::Output(path), _) => {
                return Err(conflict(format!(
                    "--output {} has no format: write --format FORMAT before it",
                    path.display()
                )));
            }
        }
    }
    Ok(targets)
}

/// Refuses two reports in one place.
fn check(targets: &[Target]) -> Result<(), Error> {
    for (index, target) in targets.iter().enumerate() {
        let place = place(target);
        if !targets[..index].iter().any(|other| self::place(other) == place) {
            continue;
        }
        return Err(conflict(match place {
            Some(path) => format!("two reports cannot go to one file, {}", path.display()),
            None => "two reports cannot go to standard output: add --output FILE after the --format of one of them".to_owned(),
        }));
    }
    Ok(())
}

/// Returns the file of a report without `./`; `None`: standard output.
fn place(target: &Target) -> Option<PathBuf> {
    let parts = target.output.as_ref()?.components();
    Some(parts.filter(|part| *part != Component::CurDir).collect())
}

fn conflict(text: String) -> Error {
    Error::raw(ErrorKind::ArgumentConflict, text + "\n")
}
