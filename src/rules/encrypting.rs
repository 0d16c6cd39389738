//! The way to an encrypted file, for the help of findings: what its config lacks, and the command.
//!
//! A command that cannot work is worse than none, so all that keeps sops from encrypting the file
//! is said before it.

use super::command::rename;
use super::exposure::exposed;
use super::secret_selector::{VALUES_ALONE, proposal};
use super::subject::{Judged, Subject};
use crate::document::{self, Document};
use crate::input::Content;
use crate::kubernetes;
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Config, CreationRule, Governing};
use crate::shell::{Advice, Command};
use crate::sops::census::{self, Census};
use crate::sops::recipe::{KeyGroup, Recipe};
use crate::sops::seal;
use crate::sops::selector::{Field, Selector};
use crate::sops::walk::{self, Step};
use crate::text::{LineIndex, Span, printable};

/// The fields by which Kubernetes recognises an object. They have to stay readable.
const READABLE: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Describes what the config of a file lacks before sops can encrypt the file. `misnamed`: a config
/// that sops does not find; `selector`: the selector that a new rule needs.
pub(super) fn obstacle(
    (governing, path): (Governing<'_>, &RepoPath),
    misnamed: Option<&RepoPath>,
    selector: Option<&str>,
) -> Option<Advice> {
    Some(match (governing, misnamed) {
        (Governing::NoConfig | Governing::Outside(_), Some(config)) => {
            rename(config, &config.parent().join(CONFIG_NAME))
        }
        // sops encrypts with it; what it says is not known here.
        (Governing::Outside(_), None) => return None,
        (Governing::NoConfig, None) => {
            let selector = selector.map(|selector| format!(" and {selector}")).unwrap_or_default();
            format!("write a .sops.yaml with your recipients{selector}").into()
        }
        (Governing::Unusable(config), _) => {
            format!("correct {} first, which has a finding of its own", config.path).into()
        }
        (Governing::NoRule(config), _) => {
            if let Some(correction) = correction(config, path) {
                return Some(correction.into());
            }
            let selector = selector.map(|selector| format!(", with {selector}"));
            let selector = selector.unwrap_or_default();
            format!("add a creation rule for it to {}{selector}", config.path).into()
        }
        (Governing::Rule(config, rule), _) => lack_of_recipients(config, rule)?.into(),
    })
}

/// Names the rule that misses a file because of the beginning of its pattern.
fn correction(config: &Config, path: &RepoPath) -> Option<String> {
    let (rule, correction) = config.missed_by(path)?;
    let pattern = printable::clean(correction.pattern.as_str());
    Some(format!(
        "write path_regex `{pattern}`, in single quotes, in rule {} of {}",
        rule.number, config.path
    ))
}

fn lack_of_recipients(config: &Config, rule: &CreationRule) -> Option<String> {
    let Recipe { key_groups, .. } = &rule.recipe;
    let (number, config) = (rule.number, &config.path);
    if rule.recipe.invalid().next().is_some() {
        return Some(format!("correct the recipients of rule {number} in {config}"));
    }
    let lacks = key_groups.is_empty() || key_groups.iter().any(KeyGroup::is_empty);
    lacks.then(|| format!("name the recipients in rule {number} of {config}"))
}

impl Subject<'_> {
    /// All that it takes to encrypt the file: `run ..`, or what comes first and `then run ..`.
    pub(super) fn encrypting(&self) -> Advice {
        self.answers.encrypting.get_or_init(|| self.find_encrypting()).clone()
    }

    fn find_encrypting(&self) -> Advice {
        if self.may_hold_ciphertext() {
            return self.restoring()
                + "; do not encrypt it as it is, since it may contain ciphertext, which only its former sops block can decrypt";
        }
        if let Some(first) = self.wrong_form() {
            return first.into();
        }
        let recipe = self.governing.rule().map(|(_, rule)| &rule.recipe);
        let is_ours =
            |recipe: &Recipe| recipe.recipients().all(|recipient| recipient.service.can_wrap());
        // Public keys are enough for ours.
        let is_outside = matches!(self.governing, Governing::Outside(_));
        let command = if recipe.is_none_or(is_ours) && !is_outside {
            Command::new("sops-lint fix").file(self.path())
        } else {
            self.sops("encrypt --in-place")
        };
        match self.obstacles() {
            Some(obstacles) => obstacles + ", then run " + command,
            None if is_outside => {
                Advice::from("run ")
                    + command
                    + ", which uses the .sops.yaml outside this repository, or write one here"
            }
            None => Advice::from("run ") + command,
        }
    }

    /// Describes what has to be done before sops can encrypt the file.
    pub(super) fn obstacles(&self) -> Option<Advice> {
        self.answers.obstacles.get_or_init(|| self.find_obstacles()).clone()
    }

    fn find_obstacles(&self) -> Option<Advice> {
        let is_utf_16 = matches!(self.input.content, Content::Utf16(_));
        let encoding = if is_utf_16 {
            Some("save it as UTF-8".into())
        } else if self.has_byte_order_mark() {
            Some("save it without a byte order mark".into())
        } else {
            self.has_foreign_line_ends().then(|| "save it with LF line ends".into())
        };
        let selector = self.selector_to_write();
        let governing = (self.governing, self.path());
        let lack = obstacle(governing, self.misnamed_config.as_ref(), selector.as_deref());
        let wrong_selector = self.wrong_selector().map(Advice::from);
        // Another encoding removes the objection too.
        let objection = self.objection().map(Advice::from).filter(|_| encoding.is_none());
        let all = encoding.into_iter().chain(lack).chain(wrong_selector).chain(objection);
        all.reduce(|first, next| first + ", " + next)
    }

    /// Tells what to change in a file that sops would refuse, or could not give back.
    fn objection(&self) -> Option<String> {
        /// The maximum size, in bytes, of a file that is tried out: the time grows with the square of its
        /// comments. Few Secrets are larger.
        const MAX_SIZE: usize = 16 * 1024;
        let Content::Bytes(bytes) = &self.input.content else { return None };
        if self.is_encrypted() || bytes.len() > MAX_SIZE {
            return None;
        }
        let usual = Selector::new(Field::EncryptedRegex, VALUES_ALONE, Span::default());
        let selector = match self.governing.rule() {
            Some((_, rule)) => rule.recipe.selector.clone(),
            None if self.is_object() && self.is_covered_by(&usual) => usual,
            None => Selector::default(),
        };
        let (span, reason) = seal::objection(bytes, document::format_of(self.path()), &selector)?;
        let line = span.map(|span| LineIndex::new(bytes).position(span.start).line);
        let place = line.map_or("the file".to_owned(), |line| format!("line {line}"));
        Some(format!("change {place} ({reason})"))
    }

    fn is_object(&self) -> bool {
        self.documents.iter().any(|judged| kubernetes::is_object(judged.document))
    }

    /// Tells what to do with a file in a form that sops cannot read, or that it would destroy.
    fn wrong_form(&self) -> Option<&'static str> {
        let has_actions = self.is_foreign && self.text.contains("{{");
        if self.is_template || has_actions {
            Some("move the Secret to a file that is not a template, and encrypt that file")
        } else if !self.is_foreign {
            None
        } else if self.has_byte_order_mark() {
            Some(
                "save the file without a byte order mark, which sops does not take in JSON, and run sops-lint again",
            )
        } else if document::format_of(self.path()).is_some() {
            Some("correct the syntax of the file, which sops cannot read, and run sops-lint again")
        } else {
            Some(
                "delete the file if it is a backup; otherwise move the Secret to a file whose name ends in .yaml or .json, so that sops knows its format, and run sops-lint again",
            )
        }
    }

    /// The selector that a rule for this file needs: without one sops encrypts the kind as well.
    fn selector_to_write(&self) -> Option<String> {
        if !self.is_object() {
            return None;
        }
        let usual = Selector::new(Field::EncryptedRegex, VALUES_ALONE, Span::default());
        Some(if self.is_covered_by(&usual) {
            format!("`encrypted_regex: {VALUES_ALONE}`")
        } else {
            "an `encrypted_regex` that names its values".to_owned()
        })
    }

    /// Tells what to do about a rule that would encrypt nothing in the file, or too much.
    fn wrong_selector(&self) -> Option<String> {
        let (config, rule) = self.governing.rule()?;
        let (selector, number, config) = (&rule.recipe.selector, rule.number, &config.path);
        let field = selector.field.name();
        if selector.error().is_some() {
            return Some(format!("correct {field} of rule {number} in {config}"));
        }
        let needed = self.selector_to_write();
        let is_hidden =
            || self.documents.iter().any(|judged| hidden(judged.document, selector).is_some());
        if let Some(needed) = needed.as_ref().filter(|_| is_hidden()) {
            return Some(match proposal(selector) {
                Some(proposal) => set(&proposal.selector, number, config),
                None => format!(
                    "set {needed} in rule {number} of {config}, or in a new rule before it if rule {number} also governs other files"
                ),
            });
        }
        if self.is_covered_by(selector) {
            let path = self.left_by(selector)?;
            return Some(match proposal(selector) {
                Some(proposal) => {
                    let set = set(&proposal.selector, number, config);
                    format!("{set}, so that it covers {path} too")
                }
                None => format!(
                    "let {field} of rule {number} in {config} cover data and stringData, so that it covers {path} too"
                ),
            });
        }
        if self.documents.iter().any(|judged| !judged.secrets.is_empty()) {
            return Some(format!(
                "rule {number} of {config} would not encrypt it: let its selector cover data and stringData"
            ));
        }
        let remedy = needed.map_or_else(|| format!("without {field}"), |it| format!("with {it}"));
        let effect = if selector.field.selects() {
            "encrypts only what its selector names"
        } else {
            "leaves every value of this file out"
        };
        Some(format!(
            "rule {number} of {config} {effect}: add a rule before it for this file, {remedy}"
        ))
    }

    /// Returns the first value of a Secret that a selector would leave in plaintext: `fix` refuses the file then.
    fn left_by(&self, selector: &Selector) -> Option<String> {
        if self.is_encrypted() || document::format_of(self.path()).is_none() {
            return None;
        }
        self.documents.iter().find_map(|judged| {
            let census = census::take(judged.document, Some(selector));
            let secrets = judged.secrets.iter().filter(|secret| !secret.is_deletion());
            let mut spots = secrets.flat_map(|secret| exposed(judged, secret).into_spots());
            spots.find(|spot| census.is_unselected(spot.id)).map(|spot| spot.key_path())
        })
    }

    /// Returns true if a selector covers any value that has to be encrypted: only those of Secrets, if
    /// the file has Secrets.
    pub(super) fn is_covered_by(&self, selector: &Selector) -> bool {
        // sops encrypts what is binary to it whole.
        let is_binary = document::format_of(self.path()).is_none();
        let has_secrets = self.documents.iter().any(|judged| !judged.secrets.is_empty());
        let covers = |judged: &Judged<'_>| {
            let census = census::take(judged.document, Some(selector));
            if has_secrets { covers_secret(judged, &census) } else { !census.plaintext.is_empty() }
        };
        is_binary || self.documents.is_empty() || self.documents.iter().any(covers)
    }
}

/// Returns the `encrypted_regex` that covers the values of Secrets and all that a selector names today.
pub fn selector_for_secrets(selector: &Selector) -> String {
    let proposal = proposal(selector).map(|proposal| proposal.selector.text);
    printable::clean(&proposal.unwrap_or_else(|| VALUES_ALONE.to_owned())).into_owned()
}

/// Tells how to give a rule another selector.
fn set(selector: &Selector, number: usize, config: &RepoPath) -> String {
    let quotes = if selector.text == VALUES_ALONE { "" } else { ", in single quotes" };
    let text = printable::clean(&selector.text);
    format!("set `encrypted_regex: {text}` in rule {number} of {config}{quotes}")
}

/// Names the fields that a selector would encrypt although an object is recognised by them.
pub fn hidden(document: &Document<'_>, selector: &Selector) -> Option<String> {
    if !kubernetes::is_object(document) {
        return None;
    }
    let mut found = None;
    walk::leaves(document, selector, &mut |leaf| {
        let is_readable =
            matches!(leaf.path.first(), Some(Step::Key(key)) if READABLE.contains(key));
        // An annotation may well be a secret.
        let is_annotation = matches!(leaf.path.get(1), Some(Step::Key("annotations")));
        let is_hidden = leaf.is_selected && is_readable && !is_annotation;
        if found.is_none() && is_hidden && !leaf.scalar.is_empty() {
            found = Some(walk::key_path(leaf.path));
        }
    });
    found
}

fn covers_secret(judged: &Judged<'_>, census: &Census<'_, '_>) -> bool {
    let mut found = false;
    judged.for_each_secret_scalar(&mut |node| {
        found |= census.readable(node).is_some() && !census.is_unselected(node.id());
    });
    found
}
