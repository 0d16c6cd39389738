//! Reports: the content, and the formats to write it in.
//!
//! A reporter gets findings that are already redacted. It has no access to the files behind them, so it
//! cannot print what it cannot name. Each reporter escapes for its own format.

mod closing;
mod concise;
mod content;
mod github;
mod gitlab;
mod group;
mod human;
mod json;
mod junit;
mod look;
mod markdown;
mod reporter;
#[cfg(test)]
mod samples;
mod sarif;
mod sentences;
mod snippet;
mod statistics;
mod style;
mod summary;

pub use closing::closing;
pub use content::{Report, Skipped};
pub use look::{Look, Tone, wrap};
pub use reporter::Reporter;
pub use style::Style;
pub use summary::Summary;

/// All output formats, the default first.
pub static REPORTERS: &[&dyn Reporter] = &[
    &human::Human,
    &concise::Concise,
    &json::Json,
    &json::JsonLines,
    &sarif::Sarif,
    &github::GitHub,
    &markdown::Markdown,
    &gitlab::GitLab,
    &junit::JUnit,
];

/// The formats of `--statistics`, under the names that they have in [`REPORTERS`].
pub static STATISTICS: &[&dyn Reporter] = &[&statistics::Table, &statistics::Json];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io;

    use super::*;

    #[test]
    fn names_are_unique_and_summaries_are_one_line() {
        let names: HashSet<_> = REPORTERS.iter().map(|reporter| reporter.name()).collect();
        assert_eq!(names.len(), REPORTERS.len());
        for reporter in REPORTERS {
            assert!(!reporter.summary().is_empty() && !reporter.summary().contains('\n'));
        }
    }

    #[test]
    fn every_reporter_survives_every_report() {
        let plain = Style::default();
        let odd = Style { color: true, ascii: true, width: 0, verbose: true, infos: true, ..plain };
        for reporter in REPORTERS.iter().chain(STATISTICS) {
            for report in [samples::empty(), samples::hostile(), samples::mixed()] {
                for style in [&plain, &odd] {
                    let mut out = Vec::new();
                    reporter.write(&report, style, &mut out).expect("a vector takes all bytes");
                    let is_whole = out.is_empty() || out.ends_with(b"\n");
                    assert!(is_whole, "{}", reporter.name());
                    let text = String::from_utf8(out).expect("reports are UTF-8");
                    let text = samples::without_colours(&text);
                    let control = text.chars().find(|c| c.is_control() && *c != '\n');
                    assert_eq!(control, None, "{}: {text}", reporter.name());
                }
            }
        }
    }

    #[test]
    fn a_closed_pipe_is_an_error_and_no_panic() {
        struct Closed;
        impl io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for reporter in REPORTERS {
            let result = reporter.write(&samples::mixed(), &Style::default(), &mut Closed);
            assert_eq!(result.map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
        }
    }
}
