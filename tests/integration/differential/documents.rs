//! Random files in every format, and a creation rule for each.

use super::Dice;

/// A plaintext file and how to encrypt it.
pub(super) struct Made {
    pub(super) ending: &'static str,
    pub(super) bytes: Vec<u8>,
    /// A `.sops.yaml`.
    pub(super) config: String,
}

const ALICE: &str = include_str!("../../../fixtures/keys/age/alice.pub");

const SELECTORS: &[&str] = &[
    "",
    "encrypted_regex: ^(data|stringData)$",
    "encrypted_regex: ^b",
    "encrypted_regex: ^(broken",
    "unencrypted_regex: ^(kind|a|metadata)$",
    "encrypted_suffix: _enc",
    "unencrypted_suffix: _pub",
    "encrypted_comment_regex: secret",
    "unencrypted_comment_regex: public",
];

const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "data",
    "stringData",
    "kind",
    "metadata",
    "user_enc",
    "note_pub",
    "x_unencrypted",
    "ü",
    "日本",
    "tls.key",
    "with space",
    "a:b",
    "\"1\"",
    "'true'",
    "yes",
    "on",
    "-x",
    "a-b_c",
    "\"tab\\tkey\"",
];

/// Scalars that sops gives back as they are.
const FAITHFUL: &[&str] = &[
    "abc",
    "\"1\"",
    "'true'",
    "1",
    "+1",
    "-1",
    "0",
    "-0",
    "0o8",
    "0x1F",
    "0xG",
    "0b2",
    "_1",
    "9223372036854775807",
    "-9223372036854775808",
    "1.50",
    ".5",
    "1e",
    "e3",
    "1e400",
    "0.1",
    "0.30000000000000004",
    ".inf",
    "-.INF",
    "+.Inf",
    ".iNF",
    ".nan",
    ".NAN",
    "nan",
    "inf",
    ".",
    "..",
    "+",
    "1.2.3",
    "true",
    "True",
    "FALSE",
    "tRUE",
    "y",
    "null",
    "~",
    "",
    "nULL",
    "none",
    "2001-12-14T21:59:43Z",
    "2001-02-30",
    "2001-12",
    "20011214",
    "!!str 1",
    "!!int \"3\"",
    "!!bool \"true\"",
    "!!null \"\"",
    "!!binary \"/w==\"",
    "<<",
    "=",
    "0.0.0.0/0",
    "a#b",
    "\"a\\nb\"",
    "１",
    "\"\"",
    "''",
    "\"ü\\u00e9\\U0001F600\"",
    "{}",
    "[]",
    "\"with \\\" and \\\\\"",
    "'it''s'",
    "ENC[AES256_GCM,data:AA==]",
    "\" leading\"",
    "\"trailing \"",
];

/// Scalars that sops reads, and gives back in another form.
const UNFAITHFUL: &[&str] = &[
    "00",
    "01",
    "07",
    "08",
    "0777",
    "-0777",
    "0o17",
    "-0o17",
    "-0x10",
    "0b11",
    "-0b11",
    "1_000",
    "1__0",
    "1_",
    "0x_1",
    "1_000.5",
    "18446744073709551616",
    "-9223372036854775809",
    "1.0",
    "5.",
    "+.5",
    "-.5",
    "1e3",
    "1E+3",
    "1.e3",
    "1e-400",
    "5e-324",
    "100000000000000000000.0",
    "1e21",
    "123456789.123456789",
    "0.",
    "yes",
    "no",
    "on",
    "2001-12-14",
    "2001-1-2",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10",
    "2001-12-14T21:59:43",
    "2001-12-14T21:59:43+00:00",
    "12:30:45",
    "190:20:30",
    "1:2",
    "!!float 1",
    "!!binary aGk=",
    "!!timestamp 2001-01-01",
    "!custom 12",
    "! 12",
];

const COMMENTS: &[&str] = &["# a secret", "# public", "#no space", "# ü", "#", "# key: value"];

/// The scalars of YAML.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalars {
    Any,
    /// Those that sops gives back as they are.
    Faithful,
}

impl Scalars {
    fn pick(self, dice: &mut Dice) -> &'static str {
        let faithful = FAITHFUL.len();
        let all = faithful + if self == Self::Any { UNFAITHFUL.len() } else { 0 };
        let at = dice.below(all);
        FAITHFUL.get(at).unwrap_or_else(|| &UNFAITHFUL[at - faithful])
    }

    fn has_key(self, key: &str) -> bool {
        self == Self::Any || !matches!(key, "yes" | "on")
    }
}

pub(super) fn make(dice: &mut Dice, scalars: Scalars) -> Made {
    let (ending, bytes) = match dice.below(10) {
        0..5 => ("yaml", yaml(dice, scalars).into_bytes()),
        5 | 6 => ("json", json(dice).into_bytes()),
        7 => ("env", dotenv(dice).into_bytes()),
        8 => ("ini", ini(dice).into_bytes()),
        _ => ("bin", (0..dice.below(200)).map(|_| dice.byte()).collect()),
    };
    let mac_only = dice.chance(4);
    let selector = dice.pick(SELECTORS);
    Made { ending, bytes, config: config(selector, mac_only) }
}

/// A creation rule for Alice.
pub(super) fn config(selector: &str, mac_only: bool) -> String {
    let mac_only = if mac_only { "\n    mac_only_encrypted: true" } else { "" };
    format!("creation_rules:\n  - age: {}\n    {selector}{mac_only}\n", ALICE.trim())
}

fn yaml(dice: &mut Dice, scalars: Scalars) -> String {
    let documents = if dice.chance(4) { 1 + dice.below(3) } else { 1 };
    let made: Vec<String> = (0..documents)
        .map(|_| {
            let mut text = String::new();
            yaml_map(dice, scalars, 0, &mut text);
            text
        })
        .collect();
    made.join("---\n")
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn yaml_map(dice: &mut Dice, scalars: Scalars, depth: usize, out: &mut String) {
    let start = dice.below(KEYS.len());
    let entries = 1 + dice.below(4);
    for at in 0..entries {
        comment(dice, depth, out);
        let key = KEYS[(start + at * 5) % KEYS.len()];
        let key = if scalars.has_key(key) { key } else { "plain" };
        out.push_str(&format!("{}{key}:", indent(depth)));
        yaml_value(dice, scalars, depth, out);
    }
    comment(dice, depth, out);
}

fn comment(dice: &mut Dice, depth: usize, out: &mut String) {
    if dice.chance(4) {
        let column = if dice.chance(6) { dice.below(2 * depth + 4) } else { 2 * depth };
        let empty = if dice.chance(8) { "\n" } else { "" };
        out.push_str(&format!("{}{}\n{empty}", " ".repeat(column), dice.pick(COMMENTS)));
    }
}

/// To the right of something.
fn beside(dice: &mut Dice) -> &'static str {
    if dice.chance(6) { "  # secret beside" } else { "" }
}

fn yaml_value(dice: &mut Dice, scalars: Scalars, depth: usize, out: &mut String) {
    match dice.below(10) {
        0 | 1 if depth < 4 => {
            out.push('\n');
            yaml_map(dice, scalars, depth + 1, out);
        }
        2 if depth < 4 => {
            out.push('\n');
            // Dashes may stand below the first letter of their key.
            let depth = if dice.chance(2) { depth } else { depth + 1 };
            for _ in 0..=dice.below(3) {
                comment(dice, depth, out);
                out.push_str(&format!("{}-", indent(depth)));
                if dice.chance(4) {
                    let inline = beside(dice);
                    out.push_str(&format!(" k: {}{inline}\n", scalars.pick(dice)));
                    out.push_str(&format!("{}l: {}\n", indent(depth + 1), scalars.pick(dice)));
                } else {
                    let inline = beside(dice);
                    out.push_str(&format!(" {}{inline}\n", scalars.pick(dice)));
                }
            }
        }
        3 => {
            let style = dice.pick(&["|", "|-", "|+", ">", ">-"]);
            out.push_str(&format!(" {style}\n"));
            for _ in 0..=dice.below(3) {
                out.push_str(&format!("{}line ü {}\n", indent(depth + 1), dice.below(100)));
            }
        }
        4 => {
            let inline = beside(dice);
            out.push_str(&format!(" [{}, 'x', {{q: 1}}]{inline}\n", dice.below(100)));
        }
        _ => {
            let inline = beside(dice);
            out.push_str(&format!(" {}{inline}\n", scalars.pick(dice)));
        }
    }
}

fn json(dice: &mut Dice) -> String {
    let mut text = json_map(dice, 0);
    text.push('\n');
    text
}

fn json_map(dice: &mut Dice, depth: usize) -> String {
    const NAMES: &[&str] = &[
        "a",
        "b",
        "data",
        "stringData",
        "user_enc",
        "note_pub",
        "é",
        "a\\\"b",
        "kind",
        "x_unencrypted",
    ];
    let start = dice.below(NAMES.len());
    let entries: Vec<String> = (0..=dice.below(4))
        .map(|at| {
            format!("\"{}\": {}", NAMES[(start + at * 3) % NAMES.len()], json_value(dice, depth))
        })
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn json_value(dice: &mut Dice, depth: usize) -> String {
    const VALUES: &[&str] = &[
        "1",
        "-1",
        "0",
        "1.5",
        "1e3",
        "1e21",
        "123456789012345678",
        "9007199254740993",
        "0.1",
        "-0",
        "\"\"",
        "\"text\"",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"<&>\\u2028\"",
        "\"a\\nb\"",
        "true",
        "false",
        "null",
        "{}",
        "[]",
        "\"1\"",
    ];
    match dice.below(8) {
        0 | 1 if depth < 4 => json_map(dice, depth + 1),
        2 if depth < 4 => {
            let items: Vec<String> =
                (0..dice.below(4)).map(|_| json_value(dice, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => (*dice.pick(VALUES)).to_owned(),
    }
}

fn dotenv(dice: &mut Dice) -> String {
    const LINES: &[&str] = &[
        "A=1",
        "B=two words",
        "data=x",
        "user_enc=y",
        "note_pub=z",
        "EMPTY=",
        "Q=\"quoted\"",
        "export E=1",
        "N=a\\nb",
        "U=ü",
        "EQ=a=b=c",
        "# a secret",
        "#public",
        "",
        " S = spaces ",
        "x_unencrypted=plain",
    ];
    let start = dice.below(LINES.len());
    let lines: Vec<&str> =
        (0..=dice.below(8)).map(|at| LINES[(start + at * 5) % LINES.len()]).collect();
    // sops needs a key, and a file of comments has none.
    format!("FIRST=1\n{}\n", lines.join("\n"))
}

fn ini(dice: &mut Dice) -> String {
    const LINES: &[&str] = &[
        "a = 1",
        "b=two words",
        "user_enc = y",
        "note_pub: z",
        "empty =",
        "quoted = \"x y\"",
        "; a secret",
        "# public",
        "data = ü",
        "semi = x ; comment",
        "back = `raw`",
        "x_unencrypted = plain",
    ];
    let mut text = String::new();
    if dice.chance(3) {
        text.push_str("top = 1\n");
    }
    for section in ["data", "one", "b.two"].iter().take(1 + dice.below(3)) {
        text.push_str(&format!("[{section}]\n"));
        let start = dice.below(LINES.len());
        for at in 0..=dice.below(5) {
            text.push_str(LINES[(start + at * 5) % LINES.len()]);
            text.push('\n');
        }
    }
    text
}
