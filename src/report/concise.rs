//! One finding per line, for editors, `grep` and long lists.

use std::io;

use super::content::Report;
use super::look::{Look, clean};
use super::reporter::Reporter;
use super::style::Style;

/// `--format concise`.
#[derive(Debug)]
pub(super) struct Concise;

impl Reporter for Concise {
    fn name(&self) -> &'static str {
        "concise"
    }

    fn summary(&self) -> &'static str {
        "one line per finding: PATH:LINE:COLUMN: LEVEL[RULE] MESSAGE"
    }

    fn has_numbers(&self) -> bool {
        false
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let look = Look::new(style).for_reader(&report.reader);
        for finding in &report.findings {
            let place = look.place(&finding.place);
            let head = format!("{}[{}]", finding.level, finding.rule.id);
            let head = look.paint(finding.level.into(), &head);
            writeln!(out, "{place}: {head} {}", clean(&finding.sentence()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        Concise.write(report, &Style::default(), &mut out).expect("a vector takes all bytes");
        String::from_utf8(out).expect("reports are UTF-8")
    }

    #[test]
    fn a_finding_is_a_line() {
        insta::assert_snapshot!(written(&samples::mixed()), @r"
        apps/cut.yaml:14:1: error[unreadable-document] apps/cut.yaml is not YAML: a quoted scalar never ends
        apps/db.yaml:8:13: error[unencrypted-secret] Secret prod/db has 2 plaintext values (stringData.user, stringData.password)
        clusters/prod/token.enc.yaml:101:9: warning[recipient-drift] clusters/prod/token.enc.yaml is encrypted for 1 recipient that its creation rule does not name (pgp 85D77543) and not for 1 recipient that it does name (age1qqq)
        docs/example.yaml:1:1: info[uncovered-file] no creation rule covers docs/example.yaml
        ");
        assert_eq!(written(&samples::empty()), "");
    }

    #[test]
    fn a_name_neither_breaks_its_line_nor_commands_a_runner() {
        let report = samples::hostile();
        assert_eq!(written(&report).lines().count(), report.findings.len());
        for name in ["::error::x", " ::error::x", "##[error]x"] {
            let place = samples::place(name, "a: b", "a");
            let found = samples::finding(&samples::PLAINTEXT, place, "");
            let text = written(&samples::report(vec![found]));
            assert!(!text.trim_start().starts_with("::") && !text.contains("##["), "{text}");
        }
    }
}
