//! The report for people: a headline, the framed places and the next step for each finding, then
//! what the run did and what it skipped.

use std::fmt::{self, Write as _};
use std::io;

use super::content::Report;
use super::group::{Group, groups};
use super::look::{Look, Tone, clean, wrap};
use super::reporter::Reporter;
use super::style::Style;
use super::{closing, snippet};
use crate::finding::{Finding, Level};
use crate::text::printable;

/// Indents the second and later lines of a sentence.
const INDENT: &str = "  ";

/// Columns for the words of a message in a list, even if the line gets too long.
const MIN_WORDS: usize = 20;

/// `--format human`.
#[derive(Debug)]
pub(super) struct Human;

impl Reporter for Human {
    fn name(&self) -> &'static str {
        "human"
    }

    fn summary(&self) -> &'static str {
        "for people: with the lines in question, their values masked"
    }

    fn write(&self, report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let look = Look::new(style).for_reader(&report.reader);
        let mut text = String::new();
        let groups = groups(report.findings.iter().filter(|finding| is_shown(finding, style)));
        let most = if style.verbose { usize::MAX } else { places_of_each(&groups) };
        for (index, group) in groups.iter().enumerate() {
            text.clear();
            if index > 0 {
                text.push('\n');
            }
            write_finding(group.first, &look, &mut text).map_err(io::Error::other)?;
            write_others(group, most, &look, &mut text).map_err(io::Error::other)?;
            out.write_all(text.as_bytes())?;
        }
        if style.quiet {
            return Ok(());
        }
        text.clear();
        if !groups.is_empty() {
            text.push('\n');
        }
        closing::write(report, style, &look, &mut text).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    }
}

/// Returns true if the finding is shown. Infos would bury what has to be done.
fn is_shown(finding: &Finding, style: &Style) -> bool {
    style.infos || finding.level > Level::Info
}

/// Returns how many places of a group are listed: more if there are few groups.
fn places_of_each(groups: &[Group<'_>]) -> usize {
    const LINES: usize = 20;
    let lists = groups.iter().filter(|group| !group.others.is_empty()).count();
    (LINES / lists.max(1)).clamp(3, 10)
}

fn write_finding(finding: &Finding, look: &Look, out: &mut String) -> fmt::Result {
    let head = format!("{}[{}]", finding.level, finding.rule.id);
    write!(out, "{}: ", look.paint(finding.level.into(), &head))?;
    let message = wrap(&clean(&finding.message), look.width - INDENT.len(), head.len());
    for (index, line) in message.iter().enumerate() {
        let indent = if index == 0 { "" } else { INDENT };
        writeln!(out, "{indent}{}", look.paint(Tone::Strong, line))?;
    }
    snippet::draw(finding, look, out)?;
    if let Some(help) = &finding.help {
        let word = look.paint(Tone::Aside, "help");
        let help = wrap(&clean(&help.text(&look.reader)), look.width - "  help: ".len(), 0)
            .join("\n        ");
        writeln!(out, "  {word}: {help}")?;
    }
    Ok(())
}

/// Writes the places of the others in a group, and what their messages say instead.
fn write_others(group: &Group<'_>, most: usize, look: &Look, out: &mut String) -> fmt::Result {
    const HEAD: &str = "  also: ";
    let others = &group.others;
    // The line that counts one finding can name it as well.
    let shown = if others.len() == most.saturating_add(1) { others.len() } else { most };
    for (index, finding) in others.iter().take(shown).enumerate() {
        let mut line = look.place(&finding.place);
        if let Some(origin) = &finding.origin {
            line += &format!(" ({})", origin.words());
        }
        if let Some(words) = group.difference(finding) {
            let used = HEAD.len() + line.chars().count() + ": ".len();
            let room = look.width.saturating_sub(used).max(MIN_WORDS);
            line += &format!(": {}", printable::shorten(clean(&words), room));
        }
        let head = if index == 0 { look.paint(Tone::Aside, "also") } else { "    ".to_owned() };
        let colon = if index == 0 { ":" } else { " " };
        writeln!(out, "{INDENT}{head}{colon} {line}")?;
    }
    if others.len() > shown {
        let rest = others.len() - shown;
        writeln!(out, "{:1$}and {rest} more: `--format concise` lists all", "", HEAD.len())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::report::summary::Summary;

    fn written(report: &Report, style: Style) -> String {
        let mut out = Vec::new();
        Human.write(report, &style, &mut out).expect("a vector takes all bytes");
        String::from_utf8(out).expect("reports are UTF-8")
    }

    fn findings(report: &Report) -> String {
        written(report, Style { quiet: true, width: 90, ..Style::default() })
    }

    #[test]
    fn places_in_two_files_share_a_frame() {
        insta::assert_snapshot!(findings(&samples::two_files()), @r"
        error[unencrypted-secret]: Secret prod/db has 2 plaintext values (stringData.user,
          stringData.password)
           ╭─[apps/db.yaml:8:13]
         7 │   user: *****
           ·         ──┬──
           ·           ╰── in plaintext
         8 │   password: ********
           ·             ────┬───
           ·                 ╰── in plaintext
           ├─[.sops.yaml:2:17]
         2 │   - path_regex: apps/.*
           ·                 ───┬───
           ·                    ╰── this creation rule governs the file
           ╰────
          help: run sops encrypt --in-place apps/db.yaml, then change the password: anyone with
                access to the repository has seen it
        ");
    }

    #[test]
    fn places_far_apart_in_one_file_have_no_lines_between_them() {
        insta::assert_snapshot!(findings(&samples::far_apart()), @r"
        warning[recipient-drift]: clusters/prod/token.enc.yaml is encrypted for 1 recipient that
          its creation rule does not name (pgp 85D77543) and not for 1 recipient that it does name
          (age1qqq)
             ╭─[clusters/prod/token.enc.yaml:101:9]
           9 │   - recipient: age1abc
             ·                ───┬───
             ·                   ╰── may decrypt, as it should
          10 │     enc: |
             ·     ─┬─
             ·      ╰── its data key
             ⋮
         101 │   - fp: 85D77543
             ·         ────┬───
             ·             ╰── may decrypt, but should not
             ⋮
         191 │ version: 3.9.1
             · ───────┬──────
             ·        ╰── written by this version
             ╰────
        ");
    }

    #[test]
    fn a_place_without_a_line_is_named() {
        insta::assert_snapshot!(findings(&samples::at_the_end()), @r"
        error[unreadable-document]: apps/cut.yaml is not YAML: a quoted scalar never ends
           ╭─[apps/cut.yaml:14:1]
           · the file ends here
           ╰────
        ");
    }

    #[test]
    fn arrows_find_their_place_behind_wide_characters() {
        insta::assert_snapshot!(findings(&samples::unicode()), @r"
        error[unencrypted-secret]: Secret größe has 2 plaintext values (stringData.ключ,
          stringData.密码)
           ╭─[apps/größe.yaml:2:26]
         2 │ stringData: {ключ: ****, 密码: ******, é: **}
           ·              ──┬─        ──┬─
           ·                │           ╰── in plaintext
           ·                ╰── this one too
           ╰────
        ");
    }

    #[test]
    fn a_long_line_is_cut_round_its_place() {
        insta::assert_snapshot!(findings(&samples::long_lines()), @r#"
        error[unencrypted-secret]: Secret long has 2 plaintext values
           ╭─[apps/long.json:2:4009]
         1 │ certificate: **********************************************************************…
           ·              ───────────────────────────────────┬──────────────────────────────────
           ·                                                 ╰─┤ this one is as long as it can be,
           ·                                                   │ and so are the words that belong
           ·                                                   │ to it, which is why they stand on
           ·                                                   │ several lines
         2 │ …******************, "token": ******************************************************…
           ·                      ───┬───
           ·                         ╰── in plaintext
           ╰────
        "#);
    }

    #[test]
    fn the_closing_lines_say_what_was_judged_and_what_was_skipped() {
        let closing = |report: &Report, style| {
            let text = written(report, style);
            text.rsplit_once("\n\n").map_or(text.clone(), |(_, closing)| closing.to_owned())
        };
        let report = samples::mixed();
        let verbose = Style { verbose: true, infos: true, width: 80, ..Style::default() };
        insta::assert_snapshot!(closing(&report, Style::default()), @r"
        Found 2 errors, 1 warning and 1 info in 812 files (41 Secrets, 40 encrypted files) in 37 ms.
        Not shown: 1 info (run with -v to see it).
        Not verified: 40 encrypted files. Tampering with them would go unnoticed (run with -v to see why).
        Skipped: 1 file (run with -v to see which).
        Run `sops-lint explain unreadable-document` to see what a rule finds and how to fix it.
        ");
        insta::assert_snapshot!(closing(&report, verbose), @r"
        Found 2 errors, 1 warning and 1 info in 812 files (41 Secrets, 40 encrypted
          files) in 37 ms.
        Not verified: 40 encrypted files. Tampering with them would go unnoticed.
        Skipped: 1 file.
          apps/db.yaml: no private key for any of its 2 recipients (not checked:
            mac-mismatch, undecryptable-value)
          big.yaml: larger than 10 MiB
        Run `sops-lint explain unreadable-document` to see what a rule finds and how
          to fix it.
        ");
        let mut held_back = samples::empty();
        held_back.summary = Summary {
            files: 1,
            ignored: 2,
            in_baseline: 1,
            gone_from_baseline: 3,
            ..Summary::default()
        };
        insta::assert_snapshot!(closing(&held_back, verbose), @r"
        No findings in 1 file (0 Secrets, 0 encrypted files) in 0 ms.
        Ignored by the settings: 2 findings.
        Suppressed by the baseline: 1 finding.
        No longer found: 3 findings of the baseline (run `sops-lint baseline` to
          rewrite it).
        ");
        insta::assert_snapshot!(closing(&samples::empty(), verbose), @"No files were found.");
        let clean = Report::new(
            Vec::new(),
            Vec::new(),
            Summary {
                files: 1,
                encrypted_files: 1,
                verified: 1,
                duration_ms: 1250,
                ..Summary::default()
            },
        );
        insta::assert_snapshot!(closing(&clean, verbose), @r"
        No findings in 1 file (0 Secrets, 1 encrypted file) in 1.2 s.
        Verified: 1 encrypted file; it has the right MAC.
        ");
    }

    #[test]
    fn findings_of_one_cause_are_one_group() {
        let secrets = |names: std::ops::Range<usize>| {
            let findings = names.map(|number| {
                let place = samples::place(&format!("apps/{number}/db.yaml"), "a: b", "a");
                let message = format!("Secret db{number} has 1 plaintext value");
                let mut finding = samples::finding(&samples::PLAINTEXT, place, &message);
                let help = format!("run sops-lint fix apps/{number}/db.yaml");
                finding.help = Some(help.into());
                finding
            });
            findings.collect::<Vec<_>>()
        };
        insta::assert_snapshot!(findings(&samples::report(secrets(10..60))), @r"
        error[unencrypted-secret]: Secret db10 has 1 plaintext value
           ╭─[apps/10/db.yaml:1:1]
         1 │ a: b
           · ┬
           · ╰── here
           ╰────
          help: run sops-lint fix apps/10/db.yaml
          also: apps/11/db.yaml:1:1: db11
                apps/12/db.yaml:1:1: db12
                apps/13/db.yaml:1:1: db13
                apps/14/db.yaml:1:1: db14
                apps/15/db.yaml:1:1: db15
                apps/16/db.yaml:1:1: db16
                apps/17/db.yaml:1:1: db17
                apps/18/db.yaml:1:1: db18
                apps/19/db.yaml:1:1: db19
                apps/20/db.yaml:1:1: db20
                and 39 more: `--format concise` lists all
        ");
        let few = findings(&samples::report(secrets(10..22)));
        assert!(!few.contains("more:") && few.contains("apps/21/db.yaml:1:1: db21"), "{few}");
        let verbose = Style { verbose: true, ..Style::default() };
        let all = written(&samples::report(secrets(10..60)), verbose);
        assert_eq!(all.matches("db.yaml:1:1").count(), 50, "{all}");
    }

    #[test]
    fn the_level_is_a_word_and_quiet_means_findings_only() {
        let quiet = Style { quiet: true, infos: true, width: 90, ..Style::default() };
        let text = written(&samples::mixed(), quiet);
        let heads = [
            "error[unreadable-document]: ",
            "warning[recipient-drift]: ",
            "info[uncovered-file]: ",
        ];
        for head in heads {
            assert!(text.lines().any(|line| line.starts_with(head)), "{head}");
        }
        assert!(!text.contains("Found"));
        assert_eq!(findings(&samples::empty()), "");
        assert!(!findings(&samples::mixed()).contains("info["), "infos are for those who ask");
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        for report in [samples::mixed(), samples::unicode(), samples::hostile()] {
            let plain = written(&report, Style::default());
            let colored = written(&report, Style { color: true, ..Style::default() });
            assert_ne!(plain, colored);
            assert_eq!(plain, samples::without_colours(&colored));
        }
    }

    #[test]
    fn ascii_frames_are_ascii() {
        assert!(written(&samples::mixed(), Style { ascii: true, ..Style::default() }).is_ascii());
    }
}
