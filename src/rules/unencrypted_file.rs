//! A file that says it is encrypted, by its name or by its creation rule, and is not.

use super::exposure::reference;
use super::other_encryption;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::document::{self, Scalar};
use crate::finding::{Draft, Drafts, Fix, Level, RuleMeta};
use crate::kubernetes;
use crate::kubernetes::literal::sounds_secret;
use crate::kubernetes::reference::Reference;
use crate::path::RepoPath;
use crate::policy::Aim;
use crate::private_key;
use crate::sops::census::Spot;
use crate::sops::walk::Step;
use crate::text::Span;
use crate::traces::{self, KUSTOMIZATIONS};

declare_rule! {
    /// ## What it does
    ///
    /// Finds files without SOPS metadata that should be encrypted, because
    ///
    /// * their name says that they are encrypted: `*.sops.*`, `*.enc.*`, `*.encrypted`, or the
    ///   names in `encrypted_names` of the settings,
    /// * or a creation rule of the nearest `.sops.yaml`, in their directory or above it, matches
    ///   them specifically.
    ///
    /// A catch-all creation rule (such as `.*\.yaml`) does not count, unless the file is below a
    /// directory named `secrets` or `secret`. A match of a catch-all rule below such a directory is
    /// a warning, or an error if the file is a private key in PEM format. A match of a specific
    /// rule is a warning if sops does not know the format of the file and would encrypt it as
    /// binary data. A file whose name says that it is encrypted is always an error.
    ///
    /// A rule that looks only at the beginning or the end of a name, in any directory
    /// (`-prod\.yaml$`), may divide settings by environment. It counts if the name of the file, or
    /// a key in it, contains a word such as `secret` or `password`.
    ///
    /// It ignores empty files, templates, files that describe an encrypted file
    /// (`x.sops.yaml.example`), and files that another tool encrypted as a whole.
    /// Unless the name of a file says that it is encrypted, it also ignores files in which the
    /// creation rule's selector covers no value, and Kubernetes objects other than Secrets, because
    /// catch-all rules often match those. `unencrypted-secret` reports plaintext Secrets.
    ///
    /// ## Why it matters
    ///
    /// The name suggests that the content is safe, so people do not check it. A typical cause: an
    /// author decrypts the file to edit it, and commits it before encrypting it again.
    ///
    /// ## Example
    ///
    /// Bad: `values.sops.yaml` with
    ///
    /// ```yaml
    /// password: plaintext
    /// ```
    ///
    /// Good: the same file after `sops encrypt --in-place values.sops.yaml`.
    ///
    /// ## How to fix
    ///
    /// Encrypt it: run `sops-lint fix FILE`, or `sops encrypt --in-place FILE` if its creation rule
    /// has cloud KMS or Vault keys. If the rule's selector matches no value of the file, sops would
    /// encrypt nothing: write another rule for this file and put it before that rule. If the file
    /// holds no secret, rename it, or narrow the `path_regex` of the rule that matches it.
    UnencryptedFile, "unencrypted-file", Error, needs Policy, Leak(90),
    "a file that claims to be encrypted, by name or by creation rule, but is not"
}

impl FileRule for UnencryptedFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let is_judged_elsewhere = subject.is_template
            || subject.config.is_some()
            || subject.is_encrypted()
            || subject.holds_sops() // broken metadata has rules of its own
            || subject.parse_error.is_some_and(|error| error.is_limit);
        if is_judged_elsewhere
            || is_blank(subject)
            || other_encryption::is_encrypted(subject.input.bytes())
            || is_manifest(subject)
            || is_sops_config(subject)
        {
            return;
        }
        let Some((level, message)) = claim(subject) else { return };
        let otherwise =
            if subject.claims_encryption { "rename it" } else { "narrow the rule's path_regex" };
        let help = subject.encrypting() + "; if it holds no secret, " + otherwise;
        let end = subject.text.find('\n').unwrap_or(subject.text.len());
        let draft = Draft::new(&META, Span::new(0, end), message)
            .level(level)
            .covering(subject.readable_paths())
            .note("no sops metadata")
            .help(help);
        let can_encrypt = !subject.may_hold_ciphertext();
        let draft = if can_encrypt { draft.fix(Fix::encrypt()) } else { draft };
        let draft = match subject.forgetting() {
            Some((help, fix)) => draft.help(help).fix(fix),
            None => draft,
        };
        drafts.push(subject.with_rule(draft, "this creation rule matches the file"));
    }
}

fn claim(subject: &Subject<'_>) -> Option<(Level, String)> {
    if subject.claims_encryption {
        let message = format!(
            "the name of {} says that it is encrypted, but it is not",
            subject.path().file_name()
        );
        return Some((META.level, crate::text::printable::clean_path(&message).into_owned()));
    }
    let is_binary = document::format_of(subject.path()).is_none();
    if is_binary {
        is_meant_as_binary(subject.path()).then_some(())?;
    } else {
        subject.documents.first()?;
    }
    let (config, rule) = subject.governing.rule()?;
    // Where the rule's selector names nothing in the file, to encrypt it would change nothing.
    let aim = subject.governing.aim(subject.path());
    let is_for_secrets = matches!(aim, Aim::File | Aim::PartOfName) && subject.is_named_secret();
    if !subject.is_covered_by(&rule.recipe.selector) && !is_for_secrets {
        return None;
    }
    let level = match aim {
        Aim::Anything => return None,
        // Rules often match more kinds of files than they were written for.
        Aim::SecretsDirectory if is_binary && !private_key::is_pem_key(subject.input.bytes()) => {
            return None;
        }
        Aim::SecretsDirectory if is_binary => META.level,
        Aim::SecretsDirectory => Level::Warning,
        Aim::PartOfName | Aim::File if is_binary => Level::Warning,
        // Such a rule may divide settings by environment.
        Aim::PartOfName if !is_for_secrets && !names_secrets(subject) => return None,
        Aim::PartOfName | Aim::File => META.level,
    };
    let number = rule.number;
    let message =
        format!("rule {number} of {} is for this file, but the file is not encrypted", config.path);
    Some((level, message))
}

/// Returns true if a value has a key that ends like that of a secret.
fn names_secrets(subject: &Subject<'_>) -> bool {
    let is_secret = |spot: &Spot<'_, '_>| {
        let mut keys = spot.path.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(*key),
            _ => None,
        });
        let is_named = keys.next().is_some_and(sounds_secret);
        let is_value = !matches!(spot.scalar, Scalar::Bool(_) | Scalar::Null);
        is_named && is_value && reference(spot.scalar, false) == Reference::None
    };
    let mut censuses = subject.documents.iter().map(|judged| &judged.census);
    censuses.any(|census| census.plaintext.iter().chain(&census.unselected).any(is_secret))
}

/// Returns false for files about sops itself, such as `.sops.pub.asc`: these are not secrets.
fn is_meant_as_binary(path: &RepoPath) -> bool {
    !path.file_name().starts_with(".sops") && !traces::is_about_another(path)
}

/// Returns true for a file of white space and comments, which sops cannot encrypt.
fn is_blank(subject: &Subject<'_>) -> bool {
    if subject.input.bytes().iter().all(u8::is_ascii_whitespace) {
        return true;
    }
    let is_read = document::format_of(subject.path()).is_some() && subject.parse_error.is_none();
    is_read
        && subject
            .documents
            .iter()
            .all(|judged| judged.document.root.is_null() || !judged.census.has_readable())
}

/// A config of sops under another name, for `sops --config`.
fn is_sops_config(subject: &Subject<'_>) -> bool {
    subject
        .documents
        .first()
        .is_some_and(|judged| judged.document.root.get("creation_rules").is_some())
}

/// Kubernetes objects: Secrets have a rule of their own, the others need no encryption.
fn is_manifest(subject: &Subject<'_>) -> bool {
    let is_named_kustomization = KUSTOMIZATIONS.contains(&subject.path().file_name());
    let has_secrets = subject.documents.iter().any(|judged| !judged.secrets.is_empty());
    let is_object = subject.documents.iter().any(|judged| kubernetes::is_object(judged.document));
    // The name's claim is stronger than the kind: an encrypted ConfigMap is encrypted for a reason.
    has_secrets || (!subject.claims_encryption && (is_object || is_named_kustomization))
}
