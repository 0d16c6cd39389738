//! Encrypts a plaintext file as its creation rule demands.

use super::change::{Bytes, Change, Encryption, Refusal};
use crate::document::{self, Parsed};
use crate::finding::{Finding, Level, Risk};
use crate::input::{Content, Input};
use crate::judge::{self, Context};
use crate::keys::{PublicKeys, Recipient, Unwrappable, Wrapping};
use crate::policy::{Config, CreationRule, Governing};
use crate::rules::{UNSELECTED_VALUE, hidden, selector_for_secrets, sops_command};
use crate::secret::SecureRandom;
use crate::shell::{Advice, Command};
use crate::sops::seal::{SealError, Sealed, Sealing, seal, seal_parsed};
use crate::sops::walk;
use crate::text::words::count;
use crate::text::{LineIndex, Span};

/// Everything that encrypting needs besides the file.
#[derive(Clone, Copy)]
pub struct Means<'m> {
    /// The creation rules, and what surrounds the file when the result is judged.
    pub context: Context<'m>,
    /// Public keys of recipients that are only named, such as those of OpenPGP.
    pub public_keys: &'m PublicKeys,
    /// The present time in seconds since 1970-01-01 UTC.
    pub now: u64,
    /// The source of data keys and nonces.
    pub random: SecureRandom<'m>,
}

/// Works out the encrypted file.
pub fn encrypt(input: &Input, means: Means<'_>) -> Result<Change, Refusal> {
    let refused = |(reason, help): (String, Advice)| Refusal::new(&input.path, reason, help);
    let bytes = bytes_of(input, means).map_err(refused)?;
    let (config, rule) = governing(input, means).map_err(refused)?;
    let wrap = |recipient: &Recipient, key: &_| {
        let label = label(recipient, config);
        recipient.service.wrap(&Wrapping {
            recipient: &recipient.identity,
            label: &label,
            key,
            now: means.now,
            public_keys: means.public_keys,
        })
    };
    let sealing =
        Sealing { recipe: &rule.recipe, wrap: &wrap, now: means.now, random: means.random };
    let format = document::format_of(&input.path);
    let text = std::str::from_utf8(bytes).ok();
    let parsed = format.zip(text).map(|(format, text)| format.parse(text));
    let sealed = match (format, text, &parsed) {
        (Some(format), Some(text), Some(parsed)) => {
            check_readable(parsed, config, rule).map_err(refused)?;
            seal_parsed(text, parsed, format, &sealing)
        }
        _ => seal(bytes, format, &sealing),
    };
    let sealed = sealed.map_err(|error| explain(input, bytes, (config, rule), &error))?;
    accept(input, &sealed, (config, rule), means)?;
    let done = done(&sealed, config, rule);
    let values = parsed.map(|parsed| key_paths(&parsed, &sealed.places)).unwrap_or_default();
    let recipients = rule.recipe.recipients().map(ToString::to_string).collect();
    Ok(Change {
        path: input.path.clone(),
        old: Bytes(bytes.to_vec()),
        new: Bytes(sealed.text.into_bytes()),
        edits: sealed.edits,
        done,
        encryption: Some(Encryption { values, recipients }),
    })
}

/// Refuses a rule that would encrypt the kind or the name of an object.
fn check_readable(
    parsed: &Parsed<'_>,
    config: &Config,
    rule: &CreationRule,
) -> Result<(), (String, Advice)> {
    let selector = &rule.recipe.selector;
    let Some(key) = parsed.documents.iter().find_map(|one| hidden(one, selector)) else {
        return Ok(());
    };
    let (number, config) = (rule.number, &config.path);
    Err((
        format!("its creation rule would encrypt {key}, which Kubernetes has to read"),
        format!(
            "set encrypted_regex: {} in rule {number} of {config}",
            selector_for_secrets(selector)
        )
        .into(),
    ))
}

/// Refuses a result that still has an error or a leak, and a config that sops cannot read.
fn accept(
    input: &Input,
    sealed: &Sealed,
    (config, rule): (&Config, &CreationRule),
    means: Means<'_>,
) -> Result<(), Refusal> {
    if let Some(finding) = remaining(input, &sealed.text, means) {
        let (id, number) = (finding.rule.id, rule.number);
        let help = if id == UNSELECTED_VALUE.id {
            let set = format!(
                "set encrypted_regex: {} in rule {number} of {}; if it may stay readable, run ",
                selector_for_secrets(&rule.recipe.selector),
                config.path
            );
            Advice::from(set) + command(input, Governing::Rule(config, rule))
        } else {
            let explain = Command::new("sops-lint explain").word(id.as_str());
            Advice::from("correct that first: ") + explain + " says how"
        };
        let reason = format!("encryption would leave a finding of {id} in it");
        let (line, detail) = (Some(finding.place.start.line), Some(finding.message));
        return Err(Refusal { line, detail, ..Refusal::new(&input.path, reason, help) });
    }
    match config.problems.iter().find(|problem| problem.stops(rule.number)) {
        None => Ok(()),
        Some(problem) => {
            let reason = format!("{} has a mistake: {}", config.path, problem.message);
            Err(Refusal::new(&input.path, reason, problem.help.clone()))
        }
    }
}

/// Returns the bytes of a file, or why there are none and the next step.
fn bytes_of<'i>(input: &'i Input, means: Means<'_>) -> Result<&'i [u8], (String, Advice)> {
    let (reason, help) = match &input.content {
        Content::Bytes(bytes) => return Ok(bytes),
        Content::Utf16(_) => ("it is UTF-16", "save it as UTF-8 first".into()),
        Content::TooLarge(_) => {
            let encrypt = command(input, means.context.policy.governing(&input.path));
            ("it is larger than 16 MiB", Advice::from("run ") + encrypt)
        }
    };
    Err((reason.to_owned(), help))
}

/// Returns the creation rule of a file, or why there is none and the next step.
fn governing<'m>(
    input: &Input,
    means: Means<'m>,
) -> Result<(&'m Config, &'m CreationRule), (String, Advice)> {
    let (reason, help) = match means.context.policy.governing(&input.path) {
        Governing::Rule(config, rule) => return Ok((config, rule)),
        Governing::NoConfig => (
            "there is no .sops.yaml in a directory above, so its recipients are unknown",
            "write a .sops.yaml at the root of the repository, with a creation rule for it".into(),
        ),
        Governing::Outside(_) => (
            "the .sops.yaml that sops uses is outside this repository, and sops-lint does not read it",
            Advice::from("run ") + command(input, Governing::NoConfig),
        ),
        Governing::NoRule(config) => {
            let add = format!("add a rule for it to {}", config.path);
            ("no creation rule matches it", add.into())
        }
        Governing::Unusable(config) => (
            "the .sops.yaml that governs it cannot be used",
            Advice::from("run ")
                + Command::new("sops-lint scan").file(&config.path)
                + " to see what is wrong with it",
        ),
    };
    Err((reason.to_owned(), help))
}

/// Returns the recipient as the rule writes it, which is what `sops updatekeys` compares.
fn label(recipient: &Recipient, config: &Config) -> String {
    let written = config.bytes.get(recipient.span.start..recipient.span.end);
    let written = written.and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::trim);
    let is_exact = |text: &&str| {
        recipient.service.parse(text).is_ok_and(|identity| identity.id == recipient.identity.id)
    };
    written.filter(is_exact).unwrap_or(&recipient.identity.id).to_owned()
}

/// Returns the first error or leak of the encrypted file.
fn remaining(input: &Input, sealed: &str, means: Means<'_>) -> Option<Finding> {
    let content = Content::Bytes(sealed.as_bytes().to_vec());
    let outcome = judge::file(&Input { path: input.path.clone(), content }, means.context);
    let is_wrong = |finding: &Finding| {
        finding.level == Level::Error || matches!(finding.rule.risk, Risk::Leak(_))
    };
    outcome.findings.into_iter().find(is_wrong)
}

/// Turns an error of sealing into a refusal with the next step.
fn explain(
    input: &Input,
    bytes: &[u8],
    (config, rule): (&Config, &CreationRule),
    error: &SealError,
) -> Refusal {
    let line_of = |offset| LineIndex::new(bytes).position(offset).line;
    let command = command(input, Governing::Rule(config, rule));
    let (span, help) = match error {
        SealError::Impossible { span, .. } => {
            (*span, "change that in the file, then run this again".into())
        }
        SealError::Ciphertext { span } => (
            *span,
            "restore the file from the commit that last had its sops block, or take out the ciphertext".into(),
        ),
        SealError::Rule { help, .. } => {
            (None, format!("{help}; it is rule {} of {}", rule.number, config.path).into())
        }
        SealError::Recipient { error: Unwrappable { help: None, .. }, .. } => {
            (None, Advice::from("let sops do it: ") + command)
        }
        SealError::Recipient { error: Unwrappable { help: Some(help), .. }, .. } => (
            None,
            format!("{help}, or correct the recipients of rule {} in {}", rule.number, config.path)
                .into(),
        ),
        SealError::Check(_) => {
            let report = "this is a mistake of sops-lint: please report it, and run ";
            (None, Advice::from(report) + command)
        }
    };
    let line = span.map(|span| line_of(span.start));
    Refusal { line, ..Refusal::new(&input.path, error.to_string(), help) }
}

/// Returns the command with which sops encrypts the file.
fn command(input: &Input, governing: Governing<'_>) -> Command {
    sops_command(governing, "encrypt --in-place", None, &input.path)
}

/// Returns the key paths of values, with the number of the document if there are several.
fn key_paths(parsed: &Parsed<'_>, places: &[Span]) -> Vec<String> {
    let mut values = Vec::new();
    for document in &parsed.documents {
        let mut paths = walk::paths(document);
        for path in places.iter().filter_map(|place| paths.remove(place)) {
            let path = walk::key_path(&path);
            values.push(match parsed.documents.len() {
                1 => path,
                _ => format!("{path} (document {})", document.index + 1),
            });
        }
    }
    values
}

/// Says what was encrypted, and for whom.
fn done(sealed: &Sealed, config: &Config, rule: &CreationRule) -> String {
    let mut what = count(sealed.values, "value");
    if sealed.comments > 0 {
        what = format!("{what} and {}", count(sealed.comments, "comment"));
    }
    let recipients = count(rule.recipe.recipients().count(), "recipient");
    format!("{what} for {recipients} of rule {} in {}", rule.number, config.path)
}
