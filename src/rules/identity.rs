//! The kind and name of manifests in encrypted files.

use super::subject::{Judged, Subject};
use crate::document::{Document, Entry};
use crate::kubernetes;
use crate::shell::Advice;
use crate::sops::census::{self, Spot};
use crate::sops::selector::{Field, Selector};
use crate::sops::value::looks_encrypted;
use crate::sops::walk::Step;
use crate::text::Span;
use crate::text::words::listing;

/// Damage to the fields that identify a manifest.
#[derive(Clone, Debug)]
pub enum Damage {
    /// Its kind or its name is encrypted.
    Encrypted {
        /// The key of the first such field.
        span: Span,
        /// The number of the document.
        document: usize,
        /// The key.
        field: String,
        /// True if it also has ciphertexts outside of `data` and `stringData`: a selector for Secrets would leave
        /// them in plaintext.
        has_other_values: bool,
        /// The next step; `None` if the creation rule would encrypt it again.
        help: Option<Advice>,
    },
    /// Some are in plaintext where sops expects ciphertexts.
    Retyped {
        /// The keys of these fields.
        spans: Vec<Span>,
        /// The number of the document.
        document: usize,
        /// The path of the first field.
        field: String,
        /// The paths of the fields, as a phrase.
        fields: String,
        /// The next step.
        help: Advice,
    },
}

/// Finds the damage to the first manifest of an encrypted file that has any.
pub(super) fn damage(subject: &Subject<'_>) -> Option<Damage> {
    if !subject.is_encrypted() || subject.is_template {
        return None;
    }
    let usual = Selector::new(Field::EncryptedRegex, "^(data|stringData)$", Span::default());
    let help = |document: &Document<'_>| {
        let rule = subject.governing.rule().map(|(_, rule)| rule);
        let selector = rule.map_or(&usual, |rule| &rule.recipe.selector);
        if !hits_identity(selector) && uncovers(document, selector) {
            let help = format!(
                "leave the file as it is: encrypted anew by {}, some of its values would be in plaintext; first write a rule that covers all of them, but not apiVersion, kind and metadata",
                rule.map_or("a rule for Secrets".to_owned(), |rule| format!(
                    "rule {}",
                    rule.number
                ))
            );
            return Some(help.into());
        }
        let unless = "; ignore this finding if a script decrypts the file before it calls kubectl";
        let Some(rule) = rule else {
            let rule =
                "add a creation rule for it with `encrypted_regex: ^(data|stringData)$`, then ";
            return Some(Advice::from(rule) + subject.reencrypting() + unless);
        };
        let selected = ", which encrypts only what the rule selects";
        let is_hit = hits_identity(&rule.recipe.selector);
        (!is_hit).then(|| subject.reencrypting() + selected + unless)
    };
    subject.documents.iter().find_map(|judged| {
        let document = judged.document.index;
        let retyped = retyped(judged);
        if let Some(first) = retyped.first() {
            return Some(Damage::Retyped {
                spans: retyped.iter().map(|spot| spot.key_span).collect(),
                document,
                field: first.key_path(),
                fields: listing(retyped, Spot::key_path),
                help: subject.restoring() + "; to change these fields, use " + subject.sops("edit"),
            });
        }
        let identity = kubernetes::identity(judged.document);
        // KSOPS decrypts the name alone, if the selector names it.
        let selector = &subject.metadata()?.recipe.selector;
        let covers_metadata = || selector.selects(&["metadata"]);
        let hidden = |entry: &&Entry<'_>| {
            let is_encrypted = entry.node.as_str().is_some_and(looks_encrypted);
            is_encrypted && (matches!(&*entry.key, "apiVersion" | "kind") || covers_metadata())
        };
        let mut hidden = identity.into_iter().filter(hidden);
        let first = hidden.next()?;
        let hidden = hidden.find(|entry| entry.key == "kind").unwrap_or(first);
        let (span, field) = (hidden.key_span, hidden.key.clone().into_owned());
        let has_other_values = uncovers(judged.document, &usual);
        let help = help(judged.document);
        Some(Damage::Encrypted { span, document, field, has_other_values, help })
    })
}

/// Reports whether a selector leaves a ciphertext of a manifest in plaintext, apart from those that anyone may know.
pub(super) fn uncovers(document: &Document<'_>, selector: &Selector) -> bool {
    let census = census::take(document, Some(selector));
    census.misplaced.iter().any(|spot| {
        let first = spot.path.first();
        !matches!(first, Some(Step::Key("apiVersion" | "kind" | "type" | "metadata")))
    })
}

/// Reports whether a selector covers the kind or the whole metadata of a manifest.
fn hits_identity(selector: &Selector) -> bool {
    ["apiVersion", "kind", "metadata"].iter().any(|key| selector.selects(&[key]))
}

/// Returns the plaintext values that the selector covers, if all of them identify a manifest: anyone may know
/// those.
pub(super) fn retyped<'j, 's>(judged: &'j Judged<'s>) -> &'j [Spot<'s, 's>] {
    let plaintext = &judged.census.plaintext;
    if plaintext.is_empty() {
        return &[];
    }
    let identity = kubernetes::identity(judged.document);
    let is_identity = |spot: &Spot<'_, '_>| identity.iter().any(|entry| entry.node.id() == spot.id);
    if plaintext.iter().all(is_identity) { plaintext } else { &[] }
}
