//! Reports that the tests of all reporters share.

use super::content::{Report, Skipped};
use super::summary::Summary;
use crate::finding::{Finding, Fix, Label, Level, Needs, Place, Risk, RuleId, RuleMeta};
use crate::text::{LineIndex, Position};

/// A file name with colours, line breaks and separators.
pub(super) const HOSTILE_PATH: &str = "a,b:c%\n\u{1b}[31m\u{9b}\u{202e}.yaml";

pub(super) static PLAINTEXT: RuleMeta = rule("unencrypted-secret", Level::Error);
pub(super) static DRIFT: RuleMeta = rule("recipient-drift", Level::Warning);
pub(super) static UNCOVERED: RuleMeta = rule("uncovered-file", Level::Info);
pub(super) static UNREADABLE: RuleMeta = rule("unreadable-document", Level::Error);

const fn rule(id: &'static str, level: Level) -> RuleMeta {
    let id = RuleId::new(id);
    RuleMeta { id, level, needs: Needs::Text, risk: Risk::Unrated, summary: "", manual: "" }
}

/// Returns the first place of `what` in a file with the redacted text `shown`.
pub(super) fn place(path: &str, shown: &str, what: &str) -> Place {
    let start = shown.find(what).expect("the sample contains it");
    let index = LineIndex::new(shown.as_bytes());
    let (start, end) = (index.position(start), index.position(start + what.len()));
    let line = index.line(start.line).expect("the line exists");
    let text = shown[line.start..line.end].to_owned();
    Place { path: path.into(), start, end, line: text, line_start: line.start }
}

pub(super) fn label(place: Place, message: &str) -> Label {
    Label { place, message: message.to_owned() }
}

pub(super) fn finding(rule: &'static RuleMeta, place: Place, message: &str) -> Finding {
    Finding {
        rule,
        level: rule.level,
        place,
        document: 0,
        key_path: None,
        message: message.to_owned(),
        note: "here".to_owned(),
        help: None,
        related: Vec::new(),
        fix: None,
        about: None,
        opener: None,
        is_raised: false,
        origin: None,
        occurrence: 0,
    }
}

pub(super) fn report(findings: Vec<Finding>) -> Report {
    Report::new(findings, Vec::new(), numbers())
}

fn numbers() -> Summary {
    Summary {
        files: 812,
        secrets: 41,
        encrypted_files: 40,
        unverified: 40,
        duration_ms: 37,
        ..Summary::default()
    }
}

pub(super) fn empty() -> Report {
    Report::new(Vec::new(), Vec::new(), Summary::default())
}

/// Returns one finding with a label in another file.
pub(super) fn two_files() -> Report {
    report(vec![plaintext()])
}

/// Returns one finding with three places in one file, far apart.
pub(super) fn far_apart() -> Report {
    let gap = "\n".repeat(90);
    let shown = format!(
        "{}  age:\n  - recipient: age1abc\n    enc: |{gap}  pgp:\n  - fp: 85D77543{gap}\
         version: 3.9.1",
        "\n".repeat(7),
    );
    let path = "clusters/prod/token.enc.yaml";
    let mut drift = finding(
        &DRIFT,
        place(path, &shown, "85D77543"),
        "clusters/prod/token.enc.yaml is encrypted for 1 recipient that its creation rule does \
         not name (pgp 85D77543) and not for 1 recipient that it does name (age1qqq)",
    );
    drift.note = "may decrypt, but should not".into();
    drift.related = vec![
        label(place(path, &shown, "age1abc"), "may decrypt, as it should"),
        label(place(path, &shown, "enc"), "its data key"),
        label(place(path, &shown, "version: 3.9.1"), "written by this version"),
    ];
    report(vec![drift])
}

/// Returns a finding at the end of a file, without a line to show.
pub(super) fn at_the_end() -> Report {
    let end = Position { line: 14, column: 1, offset: 402 };
    let place =
        Place { path: "apps/cut.yaml".into(), start: end, end, line: String::new(), line_start: 0 };
    let mut unreadable =
        finding(&UNREADABLE, place, "apps/cut.yaml is not YAML: a quoted scalar never ends");
    unreadable.note = "the file ends here".into();
    report(vec![unreadable])
}

/// Returns a finding whose line has wide characters before and in the marked place.
pub(super) fn unicode() -> Report {
    let shown = "kind: Secret\nstringData: {ключ: ****, 密码: ******, é: **}\n";
    let mut plain = finding(
        &PLAINTEXT,
        place("apps/größe.yaml", shown, "密码"),
        "Secret größe has 2 plaintext values (stringData.ключ, stringData.密码)",
    );
    plain.note = "in plaintext".into();
    plain.related = vec![label(place("apps/größe.yaml", shown, "ключ"), "this one too")];
    report(vec![plain])
}

/// Returns a finding with places at the start and in the middle of very long lines.
pub(super) fn long_lines() -> Report {
    let long = "*".repeat(4000);
    let shown = format!("certificate: {long}\n{{\"a\": {long}, \"token\": {long}}}\n");
    let path = "apps/long.json";
    let mut plain =
        finding(&PLAINTEXT, place(path, &shown, "\"token\""), "Secret long has 2 plaintext values");
    plain.note = "in plaintext".into();
    plain.related = vec![label(
        place(path, &shown, &long),
        "this one is as long as it can be, and so are the words that belong to it, which is why \
         they stand on several lines",
    )];
    report(vec![plain])
}

/// Findings of all levels, skipped files, help.
pub(super) fn mixed() -> Report {
    let mut uncovered = finding(
        &UNCOVERED,
        place("docs/example.yaml", "kind: Secret\n", "kind"),
        "no creation rule covers docs/example.yaml",
    );
    uncovered.note = String::new();
    let mut findings = at_the_end().findings;
    findings.extend([uncovered, plaintext()]);
    findings.extend(far_apart().findings);
    let skipped = |path: &str, rules: &[&'static str], reason: &str| Skipped {
        path: path.into(),
        rules: rules.to_vec(),
        reason: reason.to_owned(),
        is_unverified: !rules.is_empty(),
    };
    let skipped = vec![
        skipped("big.yaml", &[], "larger than 10 MiB"),
        skipped(
            "apps/db.yaml",
            &["mac-mismatch", "undecryptable-value"],
            "no private key for any of its 2 recipients",
        ),
    ];
    Report::new(findings, skipped, numbers())
}

/// Findings of an attacker: names, keys and lines with control characters, and odd spans.
pub(super) fn hostile() -> Report {
    let at = |line, column, offset| Position { line, column, offset };
    let evil = "a\u{1b}[2J\r\u{9b}b\u{202e}: *";
    let spans = [
        (at(1, 1, 0), at(1, 1, 0)),
        (at(1, 3, 2), at(1, 9, 8)),
        (at(1, 12, 15), at(1, 12, 15)),
        (at(1, 500, 499), at(1, 900, 899)),
        (at(2, 5, 30), at(9, 5, 90)),
        (at(3, 9, 40), at(3, 2, 33)),
        (at(usize::MAX, usize::MAX, usize::MAX), at(0, 0, 0)),
    ];
    let lines = [evil, "", "\u{1b}", "é", "***\u{9b}"];
    let findings = spans.iter().flat_map(|&(start, end)| {
        lines.map(|line| {
            let place = Place {
                path: HOSTILE_PATH.into(),
                start,
                end,
                line: line.to_owned(),
                line_start: 0,
            };
            let mut finding = finding(&PLAINTEXT, place.clone(), evil);
            finding.note = evil.into();
            finding.help = Some(evil.into());
            finding.key_path = Some(evil.to_owned());
            finding.related = vec![label(place, evil), label(at_the_start(evil), "")];
            finding
        })
    });
    let skipped = Skipped {
        path: HOSTILE_PATH.into(),
        rules: vec!["mac-mismatch"],
        reason: evil.to_owned(),
        is_unverified: true,
    };
    let summary = Summary { files: 1, unverified: 1, encrypted_files: 1, ..Summary::default() };
    Report::new(findings.collect(), vec![skipped], summary)
}

fn at_the_start(line: &str) -> Place {
    let start = Position { line: 1, column: 1, offset: 0 };
    Place { path: "\u{7}".into(), start, end: start, line: line.to_owned(), line_start: 0 }
}

fn plaintext() -> Finding {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\n\
                  stringData:\n  user: *****\n  password: ********\n";
    let config = "creation_rules:\n  - path_regex: apps/.*\n    age: age1abc\n";
    let mut plain = finding(
        &PLAINTEXT,
        place("apps/db.yaml", secret, "********"),
        "Secret prod/db has 2 plaintext values (stringData.user, stringData.password)",
    );
    plain.key_path = Some("stringData.password".to_owned());
    plain.note = "in plaintext".into();
    plain.help = Some(
        "run sops encrypt --in-place apps/db.yaml, then change the password: anyone with \
         access to the repository has seen it"
            .into(),
    );
    plain.related = vec![
        label(place("apps/db.yaml", secret, "*****"), "in plaintext"),
        label(place(".sops.yaml", config, "apps/.*"), "this creation rule governs the file"),
    ];
    plain.fix = Some(Fix::encrypt());
    plain
}

/// Returns the text without the escape sequences that set colours: `ESC [ digits and semicolons m`.
pub(super) fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix('m') {
            Some(rest) => out.push_str(rest),
            None => out.extend(["\u{1b}[", part]),
        }
    }
    out
}
