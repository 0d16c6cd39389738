//! A copy of the values in an annotation.

use super::exposure::exposed_in;
use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::document::{Format, json::Json};
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::kubernetes::secrets;
use crate::shell::Advice;
use crate::sops::census::{self, Spot};
use crate::text::words::{count, listing};

declare_rule! {
    /// ## What it does
    ///
    /// Finds Secrets, encrypted or not, whose annotation
    /// `kubectl.kubernetes.io/last-applied-configuration` contains values of `data` or `stringData`
    /// in plaintext. Empty values and references (`${PASSWORD}`) do not count. An encrypted
    /// annotation is fine. The finding is a warning in examples and tests.
    ///
    /// ## Why it matters
    ///
    /// `kubectl apply` stores the whole object in this annotation, and `kubectl get -o yaml` prints
    /// it. An `encrypted_regex` such as `^(data|stringData)$` does not cover annotations. So the
    /// file has a `sops` block and decrypts, but still shows every value.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Secret
    /// metadata:
    ///   name: db
    ///   annotations:
    ///     kubectl.kubernetes.io/last-applied-configuration: |
    ///       {"apiVersion":"v1","kind":"Secret","data":{"password":"plaintext"}}
    /// data:
    ///   password: ENC[AES256_GCM,data:..,iv:..,tag:..,type:str]
    /// ```
    ///
    /// ## How to fix
    ///
    /// Remove the annotation. In an encrypted file, use `sops edit FILE`, because the MAC covers
    /// the annotation. If the file was ever pushed, change the values too.
    LastAppliedLeak, "last-applied-leak", Error, needs Text, Leak(90),
    "an annotation that repeats the values of a Secret in plaintext"
}

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl FileRule for LastAppliedLeak {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        if subject.is_template {
            return;
        }
        for judged in subject.documents {
            for secret in &judged.secrets {
                let metadata = secret.node.get("metadata");
                let annotations = metadata.and_then(|node| node.get("annotations"));
                let entry = annotations.and_then(|node| node.entry(ANNOTATION));
                let Some(entry) = entry else { continue };
                let Some((number, names)) = entry.node.as_str().and_then(repeated) else {
                    continue;
                };
                let message = format!(
                    "an annotation of {} repeats {} in plaintext ({names})",
                    secret.title(),
                    count(number, "value")
                );
                let remove = if judged.metadata.is_some() {
                    Advice::from("remove it with ") + subject.sops("edit")
                } else {
                    "remove the annotation".into()
                };
                let level = if subject.is_example() { Level::Warning } else { META.level };
                drafts.push(
                    Draft::new(&META, entry.key_span, message)
                        .level(level)
                        .at(judged.document.index, judged.key_path(entry.node.span))
                        .note("a copy of the whole Secret")
                        .help(remove + "; if it was ever pushed, change the values too"),
                );
            }
        }
    }
}

/// Counts the values that the annotation shows, and lists their key paths.
fn repeated(annotation: &str) -> Option<(usize, String)> {
    let parsed = Json.parse(annotation);
    let document = parsed.documents.first()?;
    let census = census::take(document, None);
    let mut spots = Vec::new();
    for secret in secrets(document) {
        spots.extend(exposed_in(&census, &secret).into_spots());
    }
    (!spots.is_empty()).then(|| (spots.len(), listing(&spots, Spot::key_path)))
}
