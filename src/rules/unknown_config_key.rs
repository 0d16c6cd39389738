//! Keys of a `.sops.yaml` that mean nothing to sops.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::document::splice::Edit;
use crate::finding::{Draft, Drafts, Fix, Level, Remedy, RuleMeta};
use crate::policy::{Config, Meant, UnknownKey};
use crate::sops::selector::FIELDS;
use crate::text::printable;

declare_rule! {
    /// ## What it does
    ///
    /// Finds keys in `.sops.yaml` that sops does not know at their level: at the top, in a creation
    /// rule, in a key group, or in a destination rule. A key that looks like a known one is an
    /// error, any other key is a warning.
    ///
    /// It ignores `keys:`, `x-..`, and keys that hold YAML anchors: authors use them for notes, or
    /// to define values that other parts of the file refer to.
    ///
    /// ## Why it matters
    ///
    /// sops ignores unknown keys without any message. With `encrypted-regex` instead of
    /// `encrypted_regex`, it encrypts whole files. With a misspelt `path_regex`, the rule matches
    /// every file, so the rules after it never apply.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: \.ya?ml$
    ///     encrypted-regex: ^(data|stringData)$
    ///     age: age1..
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - path_regex: \.ya?ml$
    ///     encrypted_regex: ^(data|stringData)$
    ///     age: age1..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Correct the key. Then check the files that were made with the rule, and encrypt them again
    /// if the key would have made a difference.
    UnknownConfigKey, "unknown-config-key", Error, needs Text,
    "a key in .sops.yaml that sops ignores"
}

impl FileRule for UnknownConfigKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let Some(config) = subject.config else { return };
        for unknown in &config.unknown_keys {
            drafts.push(draft(config, unknown));
        }
    }
}

fn draft<'s>(config: &Config, unknown: &UnknownKey) -> Draft<'s> {
    let key = printable::shorten(printable::clean(&unknown.key), 40);
    let place = match unknown.rule {
        Some(number) if unknown.place == "a creation rule" => format!("in rule {number}"),
        Some(number) => format!("in {} of rule {number}", unknown.place),
        None if unknown.place == "the top level" => "at the top level".to_owned(),
        None => format!("in {}", unknown.place),
    };
    let (message, help) = match unknown.meant {
        Some(Meant::Key(name)) if has_other_selector(config, unknown, name) => {
            let message = format!("sops ignores the unknown key {key} {place}");
            let help = format!("remove it: it looks like {name}, but the rule has a selector");
            let draft = Draft::new(&META, unknown.span, message);
            return draft.level(Level::Warning).note("has no effect").help(help);
        }
        Some(Meant::Key(name)) if !takes(unknown, name) => {
            let effect = effect(config, unknown, name);
            let message = format!("sops ignores the unknown key {key} {place}{effect}");
            let help = format!(
                "write {name} with one regular expression in its place, the patterns joined with |; after the change, check the files made with this config"
            );
            return Draft::new(&META, unknown.span, message).note("has no effect").help(help);
        }
        Some(Meant::Key(name)) => (
            format!("sops ignores the unknown key {key} {place}{}", effect(config, unknown, name)),
            format!("did you mean {name}? After the change, check the files made with this config"),
        ),
        Some(Meant::Deeper(deeper)) => (
            format!("sops ignores the key {key} {place}; it belongs into {deeper}"),
            "move it into a rule of creation_rules".to_owned(),
        ),
        None => (
            format!("sops ignores the unknown key {key} {place}"),
            "remove it, or turn it into a comment".to_owned(),
        ),
    };
    let draft = Draft::new(&META, unknown.span, message).note("has no effect").help(help);
    match unknown.meant {
        Some(Meant::Key(name)) => {
            let remedy = Remedy::Edit(Edit::new(unknown.span, name));
            // A path or a glob need not be the regular expression that is meant.
            let is_path = matches!(&*unknown.key, "path" | "file" | "filename" | "glob");
            draft.fix(if is_path { Fix::uncertain(remedy) } else { Fix::safe(remedy) })
        }
        Some(Meant::Deeper(_)) => draft,
        None => draft.level(Level::Warning),
    }
}

/// Returns true if the intended key takes such a value.
fn takes(unknown: &UnknownKey, name: &str) -> bool {
    unknown.is_text || name != "path_regex"
}

/// Returns true if correcting the key would give the rule a second selector, which sops rejects.
fn has_other_selector(config: &Config, unknown: &UnknownKey, meant: &str) -> bool {
    let rule = unknown.rule.and_then(|number| config.rules.get(number - 1));
    let has_selector = rule.is_some_and(|rule| rule.recipe.selector.span.is_some());
    has_selector && FIELDS.iter().any(|field| field.name() == meant)
}

/// Describes what sops does without the misspelt key, if that is harmful.
fn effect(config: &Config, unknown: &UnknownKey, meant: &str) -> &'static str {
    let rule = unknown.rule.and_then(|number| config.rules.get(number - 1));
    let Some(rule) = rule else { return "" };
    let has_selector = rule.recipe.selector.span.is_some();
    match meant {
        "path_regex" if rule.matches("any") == Some(true) && rule.path_regex().is_none() => {
            ", so the rule matches every file"
        }
        _ if !has_selector && FIELDS.iter().any(|field| field.name() == meant) => {
            ", so the rule encrypts files whole"
        }
        _ => "",
    }
}
