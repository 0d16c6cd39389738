//! What happens to files: hand edits, merges, formatters, accidents.

use super::Dice;

/// A damaged copy of an encrypted file, and what was done to it.
pub(super) fn damage(
    bytes: &[u8],
    ending: &str,
    dice: &mut Dice,
) -> Option<(Vec<u8>, &'static str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (damaged, what) = match dice.below(19) {
        0 => (flip(text, dice)?, "a character of a ciphertext changed"),
        1 => (swap(&lines, dice), "two lines swapped"),
        2 => (without(&lines, dice.below(lines.len())), "a line deleted"),
        3 => (twice(&lines, dice.below(lines.len())), "a line doubled"),
        4 => (renamed(&lines, dice)?, "a key renamed"),
        5 => (text.replacen(pick_type(text, dice)?, dice.pick::<&str>(TYPES), 1), "a type changed"),
        6 => (plain_added(&lines, ending, dice), "a plain value added"),
        7 => (swapped_values(&lines, dice)?, "two values swapped"),
        8 => (text.replace('\n', "\r\n"), "CRLF"),
        9 => (text.replace("    ", "  "), "indented by two"),
        10 => (documents_turned(text)?, "documents in another order"),
        11 => (copied(&lines, dice)?, "a value copied over another"),
        12 => (cut(&lines, dice)?, "a line cut short"),
        13 => (text.replacen("2026-", "2025-", 1), "a time changed"),
        14 => (edited(&lines, dice)?, "a plain value changed"),
        15 => (format!("\u{feff}{text}"), "a BOM in front"),
        16 => (tagged(&lines, dice)?, "a value tagged"),
        17 => (parted(&lines, dice), "an empty line put in"),
        _ => (quoted(&lines, dice)?, "a value quoted"),
    };
    Some((damaged.into_bytes(), what))
}

const TYPES: &[&str] = &[
    "type:str",
    "type:int",
    "type:float",
    "type:bool",
    "type:time",
    "type:comment",
    "type:bytes",
    "type:foo",
];

/// Lines that hold something encrypted.
fn encrypted(lines: &[&str]) -> Vec<usize> {
    (0..lines.len()).filter(|at| lines[*at].contains("ENC[")).collect()
}

fn flip(text: &str, dice: &mut Dice) -> Option<String> {
    let starts: Vec<usize> = ["data:", "iv:", "tag:"]
        .iter()
        .flat_map(|part| text.match_indices(part).map(|(at, found)| at + found.len()))
        .collect();
    let at = *starts.get(dice.below(starts.len().max(1)))?;
    let old = text[at..].chars().next()?;
    let new = if old == 'A' { 'B' } else { 'A' };
    Some(format!("{}{new}{}", &text[..at], &text[at + old.len_utf8()..]))
}

fn swap(lines: &[&str], dice: &mut Dice) -> String {
    let mut lines = lines.to_vec();
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    lines.swap(one, other);
    lines.concat()
}

fn without(lines: &[&str], at: usize) -> String {
    lines.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, line)| *line).collect()
}

fn twice(lines: &[&str], at: usize) -> String {
    let mut lines = lines.to_vec();
    lines.insert(at, lines[at]);
    lines.concat()
}

fn replaced(lines: &[&str], at: usize, line: &str) -> String {
    let mut lines = lines.to_vec();
    lines[at] = line;
    lines.concat()
}

fn renamed(lines: &[&str], dice: &mut Dice) -> Option<String> {
    let at = dice.below(lines.len());
    let line = lines[at];
    let name = line.find(|c: char| c.is_ascii_alphabetic())?;
    Some(replaced(lines, at, &format!("{}z{}", &line[..name], &line[name..])))
}

fn pick_type<'t>(text: &'t str, dice: &mut Dice) -> Option<&'t str> {
    let types: Vec<&str> = text
        .match_indices("type:")
        .filter_map(|(at, _)| Some(&text[at..at + text[at..].find(']')?]))
        .collect();
    types.get(dice.below(types.len().max(1))).copied()
}

fn plain_added(lines: &[&str], ending: &str, dice: &mut Dice) -> String {
    let line = match ending {
        "json" | "bin" => "\t\"added\": \"plain\",\n",
        "env" | "ini" => "added=plain\n",
        _ => *dice.pick(&[
            "added: plain\n",
            "added: 5\n",
            "added: ''\n",
            "added: null\n",
            "# added\n",
        ]),
    };
    let mut lines = lines.to_vec();
    let at = if ending == "yaml" || ending == "env" { dice.below(lines.len()) } else { 1 };
    lines.insert(at.min(lines.len()), line);
    lines.concat()
}

fn parts(line: &str) -> Option<(&str, &str)> {
    line.find("ENC[").map(|at| line.split_at(at))
}

fn swapped_values(lines: &[&str], dice: &mut Dice) -> Option<String> {
    let found = encrypted(lines);
    let (one, other) = (*dice.pick(found.get(..)?), *dice.pick(&found));
    let ((key, value), (other_key, other_value)) = (parts(lines[one])?, parts(lines[other])?);
    let (first, second) = (format!("{key}{other_value}"), format!("{other_key}{value}"));
    let mut lines = lines.to_vec();
    lines[one] = &first;
    if one != other {
        lines[other] = &second;
    }
    Some(lines.concat())
}

fn copied(lines: &[&str], dice: &mut Dice) -> Option<String> {
    let found = encrypted(lines);
    let (from, to) = (*found.get(dice.below(found.len().max(1)))?, *dice.pick(&found));
    let ((_, value), (key, _)) = (parts(lines[from])?, parts(lines[to])?);
    Some(replaced(lines, to, &format!("{key}{value}")))
}

fn cut(lines: &[&str], dice: &mut Dice) -> Option<String> {
    let at = dice.below(lines.len());
    let line = lines[at].trim_end();
    let end = (1..line.len()).rev().find(|end| line.is_char_boundary(*end))?;
    Some(replaced(lines, at, &format!("{}\n", &line[..end])))
}

fn edited(lines: &[&str], dice: &mut Dice) -> Option<String> {
    let plain: Vec<usize> = (0..lines.len())
        .filter(|at| !lines[*at].contains("ENC[") && lines[*at].contains([':', '=']))
        .collect();
    let at = *plain.get(dice.below(plain.len().max(1)))?;
    Some(replaced(lines, at, &format!("{}x\n", lines[at].trim_end())))
}

fn quoted(lines: &[&str], dice: &mut Dice) -> Option<String> {
    let found = encrypted(lines);
    let at = *found.get(dice.below(found.len().max(1)))?;
    let (key, value) = parts(lines[at])?;
    Some(replaced(lines, at, &format!("{key}\"{}\"\n", value.trim_end())))
}

fn tagged(lines: &[&str], dice: &mut Dice) -> Option<String> {
    let plain: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(": ")).collect();
    let at = *plain.get(dice.below(plain.len().max(1)))?;
    let (key, value) = lines[at].split_once(": ")?;
    let tag = dice.pick(&["!!binary", "!!int", "!!float", "!!timestamp", "!!null", "!!str"]);
    Some(replaced(lines, at, &format!("{key}: {tag} {value}")))
}

fn parted(lines: &[&str], dice: &mut Dice) -> String {
    let mut lines = lines.to_vec();
    lines.insert(dice.below(lines.len()), "\n");
    lines.concat()
}

fn documents_turned(text: &str) -> Option<String> {
    let (first, rest) = text.split_once("---\n")?;
    Some(format!("{rest}---\n{first}"))
}
