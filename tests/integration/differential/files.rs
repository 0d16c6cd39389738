//! Whole files as people write them, with odd white space, and mutations of them.
//!
//! Every value and every comment has a number of its own, so that a lost one is missed without a parser.

use super::Dice;
use super::documents::{Made, config};

/// A file, and whether it has a value that sops would give back as another, or without its tag.
pub(super) struct Whole {
    pub(super) made: Made,
    pub(super) is_unfaithful: bool,
}

/// Lines that a mutation puts in.
const LINES: &[&str] =
    &["", "", "  ", "    ", "\t", "  \t", "# note-m", "  # note-m", "---", "..."];
/// Values that sops gives back as others.
const UNFAITHFUL: &[&str] = &[
    "0o17",
    "0777",
    "1_000",
    "1.0",
    "1e3",
    "2001-12-14",
    "yes",
    "12:30",
    "!env X",
    "!Ref y",
    "!!binary aGk=",
    "12345678901234567890123",
    "0.1234567890123456789",
    "!vault |\n      x",
];
/// Keys, `#` being a number.
const NAMES: &[&str] = &[
    "user#",
    "tls.key#",
    "with space #",
    "ü#",
    "日本#",
    "a_b#",
    "\"q #\"",
    "'s#'",
    "x-y#",
    "URL#",
    "a:b#",
    "#_pub",
    "\"t#_pub\"",
];
const SELECTORS: &[&str] =
    &["", "unencrypted_suffix: _pub", "unencrypted_regex: ^(kind|metadata)$"];

pub(super) fn make(dice: &mut Dice) -> Whole {
    let mut file = File { dice, out: String::new(), count: 0, unfaithful: None };
    let (ending, selector) = match file.dice.below(10) {
        0..6 => ("yaml", file.yaml()),
        6 | 7 => ("json", file.json()),
        8 => ("env", file.dotenv()),
        _ => ("ini", file.ini()),
    };
    let (mut text, unfaithful) = (file.out, file.unfaithful);
    if dice.chance(3) {
        text = mutated(&text, dice);
    }
    if ending != "env" && dice.chance(8) {
        text = text.replace('\n', "\r\n");
    }
    if ending != "json" && dice.chance(10) {
        text.truncate(text.trim_end().len());
    }
    let config = config(selector, dice.chance(6));
    // An accident can take it away.
    let is_unfaithful = unfaithful.is_some_and(|value| text.contains(value.trim()));
    Whole { made: Made { ending, bytes: text.into_bytes(), config }, is_unfaithful }
}

/// A text after one or two accidents.
fn mutated(text: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=dice.below(2) {
        let (at, other) = (dice.below(lines.len()), dice.below(lines.len()));
        match dice.below(8) {
            0..3 => lines.insert(at, (*dice.pick(LINES)).to_owned()),
            3 => lines[at].push_str(dice.pick::<&str>(&[" ", "   ", "\t", " # note-m"])),
            4 => lines.swap(at, other),
            5 if lines.len() > 2 => drop(lines.remove(at)),
            6 => lines[at] = lines[at].replacen(": ", dice.pick::<&str>(&[":  ", ":\t", " : "]), 1),
            _ => lines[at].insert(0, ' '),
        }
    }
    lines.join("\n") + "\n"
}

struct File<'d> {
    dice: &'d mut Dice,
    out: String,
    count: usize,
    unfaithful: Option<&'static str>,
}

impl File<'_> {
    fn number(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    fn line(&mut self, column: usize, text: &str) {
        let end = if self.dice.chance(20) { "  " } else { "" };
        self.out.push_str(&format!("{}{text}{end}\n", " ".repeat(column)));
    }

    fn yaml(&mut self) -> &'static str {
        let step = *self.dice.pick(&[2, 2, 2, 4, 3]);
        let documents = if self.dice.chance(5) { 2 } else { 1 };
        let is_secret = self.dice.chance(2);
        let has_start = documents > 1 || self.dice.chance(4);
        for _ in 0..documents {
            if has_start {
                self.out.push_str("---\n");
            }
            self.comment(0, 5);
            if is_secret {
                self.secret(step);
            } else {
                self.map(0, step);
            }
        }
        self.comment(0, 8);
        if self.dice.chance(20) {
            self.out.push_str("...\n");
        }
        if is_secret {
            "encrypted_regex: ^(data|stringData)$"
        } else {
            self.dice.pick::<&str>(SELECTORS)
        }
    }

    fn secret(&mut self, step: usize) {
        self.line(0, "apiVersion: v1");
        self.line(0, "kind: Secret");
        self.line(0, "metadata:");
        self.comment(step, 10);
        let name = format!("name: value-{}", self.number());
        self.line(step, &name);
        if self.dice.chance(3) {
            self.line(step, "labels: {app: shop, \"tier\": 'db'}");
        }
        self.comment(0, 6);
        self.line(0, "stringData:");
        for _ in 0..=self.dice.below(3) {
            self.entry(step, step, 9);
        }
    }

    fn map(&mut self, column: usize, step: usize) {
        for _ in 0..=self.dice.below(4) {
            self.entry(column, step, column / step);
        }
    }

    fn comment(&mut self, column: usize, one_in: usize) {
        if self.dice.chance(one_in) {
            let column = if self.dice.chance(25) { column + 1 } else { column };
            for _ in 0..=self.dice.below(2) {
                let text = format!("#{}note-{}", self.dice.pick(&[" ", "", "  ü "]), self.number());
                self.line(column, &text);
            }
        }
    }

    fn entry(&mut self, column: usize, step: usize, depth: usize) {
        if self.dice.chance(6) {
            self.line(0, "");
        }
        self.comment(column, 6);
        let number = self.number();
        let key = self.dice.pick(NAMES).replace('#', &format!("k{number}"));
        match self.dice.below(12) {
            0 | 1 if depth < 3 => {
                self.line(column, &format!("{key}:"));
                self.map(column + step, step);
            }
            2 => {
                self.line(column, &format!("{key}:"));
                let column = if self.dice.chance(2) { column } else { column + step };
                for _ in 0..=self.dice.below(3) {
                    self.comment(column, 10);
                    let value = self.scalar();
                    self.line(column, &format!("- {value}"));
                }
            }
            3 => self.block(&key, column + step, column),
            4 => {
                let (one, two) = (self.scalar(), self.scalar());
                let text = if self.dice.chance(2) {
                    format!("[{one}, {two}]")
                } else {
                    format!("{{a: {one}, b: {two}}}")
                };
                self.line(column, &format!("{key}: {text}"));
            }
            5 => {
                let number = self.number();
                self.line(column, &format!("{key}: value-{number}"));
                let number = self.number();
                self.line(column + step, &format!("value-{number}"));
            }
            _ => {
                let value = self.scalar();
                let blanks = " ".repeat(1 + usize::from(self.dice.chance(10)));
                let beside = if self.dice.chance(8) {
                    format!(" # note-{}", self.number())
                } else {
                    String::new()
                };
                self.line(column, &format!("{key}:{blanks}{value}{beside}"));
            }
        }
    }

    fn block(&mut self, key: &str, inner: usize, column: usize) {
        let style = *self.dice.pick(&["|", "|-", "|+", ">", ">-"]);
        self.line(column, &format!("{key}: {style}"));
        for _ in 0..=self.dice.below(3) {
            let text = format!("value-{} # ü: x", self.number());
            self.out.push_str(&format!("{}{text}\n", " ".repeat(inner)));
            if self.dice.chance(6) {
                self.out.push('\n');
            }
        }
        let end = format!("value-{}\n", self.number());
        self.out.push_str(&format!("{}{end}", " ".repeat(inner)));
    }

    fn scalar(&mut self) -> String {
        if self.dice.chance(150) {
            let value: &'static str = self.dice.pick::<&str>(UNFAITHFUL);
            self.unfaithful = Some(value);
            return value.to_owned();
        }
        let number = self.number();
        match self.dice.below(18) {
            0 => format!("\"value-{number} \\u00e9\\n\\t\""),
            1 => format!("'value-{number} it''s'"),
            2 => format!("value-{number} two words"),
            3 => number.to_string(),
            4 => format!("{number}.5"),
            5 => (*self.dice.pick(&["true", "false", "null", "~", "''", "\"\"", "{}", "[]"]))
                .to_owned(),
            6 => format!("&a{number} value-{number}"),
            7 => format!("!!str value-{number}"),
            8 => format!("\"{number}\""),
            9 => format!("http://value-{number}:80/x?y=z#f"),
            10 => format!("-{number}"),
            11 => format!("日本 value-{number} 😀"),
            12 => format!("\"# value-{number}: x\""),
            _ => format!("value-{number}"),
        }
    }

    fn json(&mut self) -> &'static str {
        let is_wide = self.dice.chance(2);
        let text = self.json_map(0, is_wide);
        self.out.push_str(&text);
        self.out.push('\n');
        self.dice.pick::<&str>(SELECTORS)
    }

    fn json_map(&mut self, depth: usize, is_wide: bool) -> String {
        let members: Vec<String> = (0..=self.dice.below(4))
            .map(|_| {
                let key =
                    format!("{}{}", self.dice.pick(&["a", "é", "k_pub", "a\\\"b"]), self.number());
                let blank = self.dice.pick(&["", " ", "  ", "\t"]);
                format!("\"{key}\":{blank}{}", self.json_value(depth, is_wide))
            })
            .collect();
        let inner = if is_wide { format!("\n{}", "  ".repeat(depth + 1)) } else { String::new() };
        let outer = if is_wide { format!("\n{}", "  ".repeat(depth)) } else { String::new() };
        format!("{{{inner}{}{outer}}}", members.join(&format!(",{inner}")))
    }

    fn json_value(&mut self, depth: usize, is_wide: bool) -> String {
        let number = self.number();
        match self.dice.below(12) {
            0 | 1 if depth < 3 => self.json_map(depth + 1, is_wide),
            2 => {
                let items: Vec<String> =
                    (0..self.dice.below(4)).map(|_| self.json_value(3, is_wide)).collect();
                format!("[{}]", items.join(", "))
            }
            3 => number.to_string(),
            4 => format!("{number}.25"),
            5 => (*self.dice.pick(&["true", "false", "null", "\"\"", "{}", "[]", "-0", "1e21"]))
                .to_owned(),
            6 => format!("\"value-{number} \\u00e9\\ud83d\\ude00\\n<&>\""),
            7 if self.dice.chance(20) => {
                self.unfaithful = Some("12345678901234567890");
                "12345678901234567890".to_owned()
            }
            _ => format!("\"value-{number}\""),
        }
    }

    fn dotenv(&mut self) -> &'static str {
        for _ in 0..=self.dice.below(8) {
            let number = self.number();
            let line = match self.dice.below(10) {
                0 => format!("# note-{number}"),
                1 => format!("#note-{number}=x"),
                2 => String::new(),
                3 => format!("export K{number}=value-{number}"),
                4 => format!("K{number}=\"value-{number} # x\""),
                5 => format!("K{number}="),
                6 => format!("K{number}=value-{number}\\nx=y"),
                7 => format!(" K{number} = ü value-{number} "),
                _ => format!("K{number}=value-{number}"),
            };
            self.out.push_str(&line);
            self.out.push('\n');
        }
        let number = self.number();
        self.out.push_str(&format!("LAST=value-{number}\n"));
        self.dice.pick::<&str>(SELECTORS)
    }

    fn ini(&mut self) -> &'static str {
        for section in 0..=self.dice.below(3) {
            if section > 0 || self.dice.chance(2) {
                self.ini_comment(3);
                let name = self.dice.pick(&["s", "a b", "x.y", "ü"]);
                self.out.push_str(&format!("[{name}{section}]\n"));
            }
            for _ in 0..=self.dice.below(4) {
                self.ini_comment(4);
                let number = self.number();
                let line = match self.dice.below(10) {
                    0 => format!("k{number}=value-{number}"),
                    1 => format!("k{number}: value-{number}"),
                    2 => format!("  k{number} =  value-{number} "),
                    3 => format!("k{number} = \"value-{number} x\""),
                    4 => format!("k{number} = `value-{number};x`"),
                    5 => format!("k{number} ="),
                    6 => format!("k{number} = value-{number} ; note-{number}"),
                    7 => format!("k{number} = value-{number} \\\n  x\n"),
                    8 => format!("k{number} = \"\"\"value-{number}\n\n x\"\"\""),
                    _ => format!("ü {number} = 日本 value-{number}"),
                };
                self.out.push_str(&line);
                self.out.push('\n');
                if self.dice.chance(6) {
                    self.out.push('\n');
                }
            }
        }
        self.dice.pick::<&str>(SELECTORS)
    }

    fn ini_comment(&mut self, one_in: usize) {
        if !self.dice.chance(one_in) {
            return;
        }
        for _ in 0..=self.dice.below(3) {
            let sign = *self.dice.pick(&[";", "#"]);
            let text = match self.dice.below(8) {
                0 => String::new(),
                1 => format!("note-{}", self.number()),
                _ => format!(" note-{} ü", self.number()),
            };
            self.out.push_str(&format!("{sign}{text}\n"));
        }
    }
}
