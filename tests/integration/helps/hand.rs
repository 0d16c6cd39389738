//! The hand of a person who edits files as a help says. Rules are made out to Alice.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};
use serde_json::Value;

use super::edits::Edit;

/// Makes an edit. `path`: the file that the help is about.
pub(super) fn edit(root: &Path, edit: &Edit, path: &str, alice: &str) {
    let change = |path: &str, change: &dyn Fn(&str) -> String| {
        let file = root.join(path);
        let bytes = fs::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).replace('\u{fffd}', "");
        fs::write(file, change(&text)).expect("files can be written");
    };
    match edit {
        Edit::Config { path, selector } => {
            let rule = rule(alice, None, selector.as_deref());
            change(path, &|_| format!("creation_rules:\n{rule}"));
        }
        Edit::Rule { config, selector, is_first } => {
            let directory = Path::new(config).parent().expect("a file is in a directory");
            let below = Path::new(path).strip_prefix(directory).expect("the config governs it");
            let pattern = format!("^{}$", regex::escape(below.to_str().expect("UTF-8")));
            let new = rule(alice, Some(&pattern), selector.as_deref());
            change(config, &|text| with_rule(text, &new, *is_first));
        }
        Edit::Extend => change(".sops.yaml", &|text| text.to_owned() + &rule(alice, None, None)),
        Edit::Select { selector } => change(path, &|text| with_selector(text, selector)),
        Edit::Unlist => change(path, &|text| without_pgp(text, alice)),
        Edit::Pattern { config, rule, pattern } => {
            change(config, &|text| with_pattern(text, *rule, pattern));
        }
        Edit::Save => {
            change(path, &|text| text.trim_start_matches('\u{feff}').replace("\r\n", "\n"));
        }
        Edit::Undisguise => change(path, &undisguised),
        Edit::Lines => change(path, &|text| {
            let line = r"(?m)^\u{feff}?[ \t]*(?:export )?([^=\n]+?) *= ?";
            let line = Regex::new(line).expect("the pattern is valid");
            line.replace_all(text, "$1=").into_owned()
        }),
        Edit::Recipients { from, to } => {
            fs::copy(root.join(from), root.join(to)).expect("copied");
        }
        Edit::Fields => change(path, &without_fields),
        Edit::Block => change(path, &without_block),
        Edit::Line(number, reason) => change(path, &|text| with_line(text, *number, reason)),
        Edit::Ignore => change(".gitignore", &|text| format!("{text}/{path}\n")),
        Edit::Unmask => change(path, &|text| {
            text.replace("**SOPS**", "canary").replace("KipTT1BTKio=", "Y2FuYXJ5")
        }),
        Edit::Utf8 => {
            let bytes = fs::read(root.join(path)).expect("it is there");
            let pairs = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
            let text = String::from_utf16(&pairs.collect::<Vec<_>>()).expect("it is UTF-16");
            change(path, &|_| text.trim_start_matches('\u{feff}').to_owned());
        }
    }
}

/// Writes a creation rule.
fn rule(alice: &str, pattern: Option<&str>, selector: Option<&str>) -> String {
    let pattern = pattern.map(|pattern| format!("    path_regex: '{pattern}'\n"));
    let selector = selector.map(|selector| format!("    encrypted_regex: {selector}\n"));
    format!("  - age: {alice}\n{}{}", pattern.unwrap_or_default(), selector.unwrap_or_default())
}

/// Writes every ciphertext without quotes, in capitals and not in base64.
fn undisguised(text: &str) -> String {
    let value = r#"(?im)^( *\w+) *([:=]) *['"\[ ]*enc(\[AES256_GCM,[^\]]*\])['"\] ]*$"#;
    let value = Regex::new(value).expect("the pattern is valid");
    let text = value.replace_all(text, |found: &Captures<'_>| {
        let blank = if &found[2] == ":" { " " } else { "" };
        format!("{}{}{blank}ENC{}", &found[1], &found[2], &found[3])
    });
    let packed = Regex::new(r"(?m)^( *\w+: )(RU5DW\S+)$").expect("the pattern is valid");
    let unpacked = packed.replace_all(&text, |found: &Captures<'_>| {
        let plain = STANDARD.decode(&found[2]).expect("it is base64");
        format!("{}{}", &found[1], String::from_utf8(plain).expect("it is text"))
    });
    unpacked.into_owned()
}

/// Replaces the `path_regex` of a rule.
fn with_pattern(text: &str, rule: usize, pattern: &str) -> String {
    let mut rules = text.split_inclusive("  - path_regex: ");
    let mut corrected = rules.next().expect("a beginning").to_owned();
    for (number, text) in rules.enumerate() {
        let (old, rest) = text.split_once('\n').expect("a line");
        let new = if number + 1 == rule { format!("'{pattern}'") } else { old.to_owned() };
        corrected += &format!("{new}\n{rest}");
    }
    corrected
}

fn with_rule(text: &str, new: &str, is_first: bool) -> String {
    if is_first {
        text.replacen("creation_rules:\n", &format!("creation_rules:\n{new}"), 1)
    } else {
        text.to_owned() + new
    }
}

/// Gives a selector to the first rule, in the place of all that there are.
fn with_selector(text: &str, selector: &str) -> String {
    let old = Regex::new(" *(un)?encrypted_(regex|suffix): .*\n").expect("valid");
    let age = Regex::new("( *(- )?age: .*\n)").expect("valid");
    let text = old.replace_all(text, "");
    let with = |found: &Captures<'_>| format!("{}    encrypted_regex: {selector}\n", &found[1]);
    age.replace(&text, with).into_owned()
}

/// Removes PGP keys. A rule that had nothing else gets Alice.
fn without_pgp(text: &str, alice: &str) -> String {
    let pgp = Regex::new("pgp: [0-9A-F]+").expect("valid");
    let rules = text.split("  - ").map(|rule| {
        let is_alone = !rule.contains("age: ");
        let instead = if is_alone { format!("age: {alice}") } else { "# none".to_owned() };
        pgp.replace_all(rule, instead).into_owned()
    });
    rules.collect::<Vec<_>>().join("  - ")
}

/// Removes the recipients beside `key_groups`.
fn without_fields(text: &str) -> String {
    let field = Regex::new("\n *(age|pgp): .*").expect("valid");
    field.replace_all(text, "").into_owned()
}

/// Changes a line as the reason says.
fn with_line(text: &str, number: usize, reason: &str) -> String {
    if reason.contains("not a map") {
        return format!(r#"{{"apiVersion": "v1", "kind": "List", "items": {text}}}"#);
    }
    if reason.contains("alias") {
        let shared = Regex::new("x-shared: &shared\n .*\n").expect("valid");
        let text = text.replace("<<: *shared", "password: canary").replace("*first", "canary");
        return shared.replace(&text, "").replace("&first ", "");
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if reason.contains("tag") {
        let words = lines[number - 1].split(' ').filter(|word| !word.starts_with('!'));
        lines[number - 1] = words.collect::<Vec<_>>().join(" ");
    } else if number <= lines.len() {
        lines.remove(number - 1);
    }
    lines.join("\n") + "\n"
}

/// Removes the metadata of sops from a text in any of its formats.
fn without_block(text: &str) -> String {
    if let Ok(mut json) = serde_json::from_str::<serde_json::Map<String, Value>>(text) {
        json.remove("sops");
        return serde_json::to_string_pretty(&json).expect("it was JSON");
    }
    let mut is_block = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let is_start = line.starts_with("sops:") || line.starts_with("[sops]");
        let is_inside = line.starts_with([' ', '\n']) || line.contains(" = ");
        is_block = is_start || is_block && is_inside;
        if !is_block && !line.starts_with("sops_") {
            kept += line;
        }
    }
    kept
}
