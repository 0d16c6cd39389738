//! The parts of a help: commands in backticks, and edits in words.

use std::sync::LazyLock;

use regex::Regex;

/// A part of a help that somebody has to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A line for the shell.
    Run(String),
    /// An edit.
    Edit(Edit),
}

/// What a person does to a file. Rules are made out to Alice.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Write this config with one rule for all files, and a selector if one is asked for.
    Config { path: String, selector: Option<String> },
    /// Add a rule for the file to this config, before or behind the others.
    Rule { config: String, selector: Option<String>, is_first: bool },
    /// Give the only rule of the config that the finding is about this selector.
    Select { selector: String },
    /// Remove the `sops` block.
    Block,
    /// Save the file as UTF-8.
    Utf8,
    /// Remove the fields beside `key_groups`.
    Fields,
    /// Add the file to `.gitignore`.
    Ignore,
    /// Add a rule for all files.
    Extend,
    /// Replace a PGP key by Alice's key, or remove it if the rule has Alice.
    Unlist,
    /// Write values in the place of masks.
    Unmask,
    /// Change this line, for this reason.
    Line(usize, String),
    /// Write another `path_regex` into a rule of a config.
    Pattern { config: String, rule: usize, pattern: String },
    /// Save the file with LF line ends and without a byte order mark.
    Save,
    /// Write ciphertexts as sops writes them.
    Undisguise,
    /// Remove from the lines with `=` what sops did not write.
    Lines,
    /// Write the recipients of one config into another.
    Recipients { from: String, to: String },
}

/// The usual selector.
const VALUES_ALONE: &str = "^(data|stringData)$";

static PARTS: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        r"`(?<command>(?:sops|sops-lint|git|\(cd) [^`]*)`",
        r"(?<write>write a \.sops\.yaml with (?:your recipients|creation_rules)(?: and (?<wselector>`encrypted_regex: [^`]*`|an `encrypted_regex`[^,]*))?)",
        r"(?<append>add a creation rule for it (?:to (?<aconfig>[^ ,]+))?,? ?(?:with `encrypted_regex: (?<aselector>[^`]*)`)?)",
        r"(?<correct>correct (?<cconfig>\S*\.sops\.yaml) first|(?:name|correct) the recipients (?:in|of) rule \d+(?: (?:in|of) (?<nconfig>[^ ,]+))?|correct encrypted_regex of rule \d+ in (?<rconfig>[^ ,]+)|(?<set>set `encrypted_regex: [^`]*` in rule \d+ of (?<sconfig>[^ ,;]+))|rule \d+ of (?<lconfig>\S+) would not encrypt it: let its selector cover data and stringData)",
        r"(?<before>rule \d+ of (?<bconfig>\S+) (?:encrypts only what its selector names|leaves every value of this file out): add a rule before it for this file, (?:without \w+|with (?<bselector>`encrypted_regex: [^`]*`|an `encrypted_regex` that names its values)))",
        r"(?<beforeit>add a rule for it (?:without \w+|with `encrypted_regex: (?<iselector>[^`]*)`) before rule \d+ of (?<iconfig>[^ ,]+))",
        r"(?<select>(?:write|add) `encrypted_regex: (?<pselector>[^`]*)`(?: to the rule)?)",
        r"(?<cover>let the rule cover all secret values, but not apiVersion, kind and metadata)",
        r"(?<manifests>write a rule for the manifests with `encrypted_regex: (?<mselector>[^`]*)` before rule \d+)",
        r"(?<block>remove the sops block from the file)",
        r"(?<utf>save it as UTF-8)",
        r"(?<line>change line (?<number>\d+) \((?<reason>[^)]*)\))",
        r"(?<ignore>add it to \.gitignore)",
        r"(?<extend>extend a path_regex or add a rule)",
        r"(?<unlist>remove it from the rule|replace it in the rule by another recipient)",
        r"(?<unmask>set the value again, then)",
        r"(?<save>save (?:it|the file) (?:with LF line ends|without a byte order mark))",
        r"(?<lines>remove what was added to its lines)",
        r"(?<undisguise>remove all that is around ENC\[\.\.\]|write ENC\[AES256_GCM in capitals|write what the base64 encodes)",
        r"(?<path>write path_regex `(?<pattern>[^`]*)`, in single quotes, in rule (?<prule>\d+) of (?<pconfig>[^ ,:]+))",
        r"(?<same>if (?<from>\S+), write the same recipients into rule \d+ of (?<to>[^ ;]+))",
        r"(?<fields>move them into a key group or remove them)",
    ];
    Regex::new(&parts.join("|")).expect("the parts are valid")
});

/// Returns the ways that a help leaves open, each with its steps in order.
pub(super) fn ways(help: &str) -> Vec<Vec<Step>> {
    let steps = |text: &str| PARTS.captures_iter(text).map(|found| step(&found)).collect();
    if let Some((first, second)) =
        help.split_once("; if ").filter(|_| help.contains("decide which"))
    {
        return vec![steps(first), steps(second)];
    }
    if let Some((first, second)) = help.split_once("), or ") {
        let (first, second) = (steps(first), steps(second));
        return vec![first, second];
    }
    // `git checkout --ours x` or `git checkout --theirs x`
    if let Some((first, second)) = help.split_once("` or `") {
        let (_, behind) = second.split_once('`').expect("backticks come in pairs");
        let before = first.rsplit_once('`').expect("backticks come in pairs").0;
        return vec![steps(&format!("{first}`{behind}")), steps(&format!("{before}`{second}"))];
    }
    if let Some((before, removal)) = help.split_once(" again, or ") {
        assert!(!before.contains('`') || before.contains("gpg"), "{before}");
        return vec![steps(removal)];
    }
    vec![steps(help)]
}

/// Returns the edit that writes a pattern, recipients or values anew.
fn rewriting(found: &regex::Captures<'_>) -> Option<Edit> {
    let text = |name: &str| found.name(name).map(|text| text.as_str().to_owned());
    if found.name("save").is_some() {
        return Some(Edit::Save);
    }
    if found.name("undisguise").is_some() {
        return Some(Edit::Undisguise);
    }
    if text("lines").is_some() {
        return Some(Edit::Lines);
    }
    if let Some(pattern) = text("pattern") {
        let rule = text("prule")?.parse().ok()?;
        return Some(Edit::Pattern { config: text("pconfig")?, rule, pattern });
    }
    Some(Edit::Recipients { from: text("from")?, to: text("to")? })
}

fn step(found: &regex::Captures<'_>) -> Step {
    let text = |name: &str| found.name(name).map(|text| text.as_str().to_owned());
    let selector = |name| {
        text(name).map(|text| {
            let named = text.trim_matches('`').strip_prefix("encrypted_regex: ").map(str::to_owned);
            // The release of Helm among the cases has its secrets there.
            named.unwrap_or_else(|| {
                if text.contains("names its values") { "^values$".to_owned() } else { text }
            })
        })
    };
    let config = |names: [&str; 5]| {
        names.into_iter().find_map(text).unwrap_or_else(|| ".sops.yaml".to_owned())
    };
    if let Some(command) = text("command") {
        return Step::Run(command);
    }
    if let Some(edit) = rewriting(found) {
        return Step::Edit(edit);
    }
    Step::Edit(if found.name("write").is_some() {
        Edit::Config { path: ".sops.yaml".to_owned(), selector: selector("wselector") }
    } else if found.name("append").is_some() {
        let config = text("aconfig").unwrap_or_else(|| ".sops.yaml".to_owned());
        Edit::Rule { config, selector: text("aselector"), is_first: false }
    } else if found.name("correct").is_some() {
        let path = config(["cconfig", "nconfig", "rconfig", "sconfig", "lconfig"]);
        Edit::Config { path, selector: Some(VALUES_ALONE.to_owned()) }
    } else if found.name("before").is_some() {
        let config = text("bconfig").expect("it names the config");
        Edit::Rule { config, selector: selector("bselector"), is_first: true }
    } else if found.name("beforeit").is_some() {
        let config = text("iconfig").expect("it names the config");
        Edit::Rule { config, selector: text("iselector"), is_first: true }
    } else if let Some(selector) = text("pselector") {
        Edit::Select { selector }
    } else if found.name("cover").is_some() {
        Edit::Select { selector: "^(data|stringData|spec)$".to_owned() }
    } else if found.name("manifests").is_some() {
        let config = ".sops.yaml".to_owned();
        Edit::Rule { config, selector: text("mselector"), is_first: true }
    } else if found.name("block").is_some() {
        Edit::Block
    } else if found.name("utf").is_some() {
        Edit::Utf8
    } else if let Some(number) = text("number") {
        Edit::Line(number.parse().expect("a number"), text("reason").unwrap_or_default())
    } else if found.name("ignore").is_some() {
        Edit::Ignore
    } else if found.name("extend").is_some() {
        Edit::Extend
    } else if found.name("unmask").is_some() {
        Edit::Unmask
    } else if found.name("unlist").is_some() {
        Edit::Unlist
    } else {
        Edit::Fields
    })
}

#[test]
fn a_help_is_taken_apart() {
    let help = "write a .sops.yaml with your recipients and `encrypted_regex: ^(data|stringData)$`, then run `sops-lint fix 'a b.yaml'`; if it was pushed, change it";
    let config =
        Edit::Config { path: ".sops.yaml".to_owned(), selector: Some(VALUES_ALONE.to_owned()) };
    let run = Step::Run("sops-lint fix 'a b.yaml'".to_owned());
    assert_eq!(ways(help), [vec![Step::Edit(config), run]]);
    let run = |command: &str| Step::Run(command.to_owned());
    assert_eq!(
        ways("with `git checkout --ours x` or `git checkout --theirs x`), then `sops edit x`"),
        [
            vec![run("git checkout --ours x"), run("sops edit x")],
            vec![run("git checkout --theirs x"), run("sops edit x")],
        ]
    );
}
