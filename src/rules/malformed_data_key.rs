//! A recipient whose copy of the data key cannot be used.

use super::rule::{FileRule, declare_rule};
use super::subject::Subject;
use crate::document::Node;
use crate::finding::{Draft, Drafts, Level, RuleMeta};
use crate::keys::{Identity, KeyService};
use crate::shell::Advice;
use crate::sops::envelope::for_each_stanza;
use crate::sops::open::{FalseLabel, LabelCause};
use crate::text::printable::{clean, shorten};

declare_rule! {
    /// ## What it does
    ///
    /// Checks the encrypted data key of every recipient, `enc`, as far as possible without a
    /// private key:
    ///
    /// * age: the armor, header and payload of an age file with one stanza (the part of the header
    ///   that one recipient can decrypt); the stanza fits the type of the recipient, and for an SSH
    ///   key also the key itself,
    /// * PGP: an armored message that begins with a session key,
    /// * Vault: `vault:vN:` (N is the version of the Vault key) and at least 60 bytes in base64,
    /// * AWS and GCP KMS: base64; Azure: URL-safe base64; Huawei Cloud: not empty.
    ///
    /// An unusual form is only a warning: a second stanza in an age file, or a length that no RSA
    /// key of Azure produces.
    ///
    /// If you have the private key of an age recipient, the rule also opens that recipient's data
    /// key with it: sops never checks whether a data key belongs to the recipient that is named
    /// with it. Without the private key, the rule cannot know whether the data key is the right
    /// one.
    ///
    /// ## Why it matters
    ///
    /// The other recipients can still decrypt the file, so the damage goes unnoticed. If the file
    /// has no other recipient, the secret is lost. If the cluster uses this recipient's key, the
    /// Kustomization stops reconciling.
    ///
    /// ## Example
    ///
    /// Bad:
    ///
    /// ```yaml
    /// sops:
    ///   age:
    ///     - recipient: age1..
    ///       enc: |
    ///         -----BEGIN AGE ENCRYPTED FILE-----
    ///         YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBr
    /// ```
    ///
    /// ## How to fix
    ///
    /// Restore the file from the last good commit. If another recipient can still decrypt, run
    /// `sops rotate --in-place FILE` instead: it makes a new data key and encrypts it to all
    /// recipients again.
    MalformedDataKey, "malformed-data-key", Error, needs Text,
    "a recipient whose encrypted data key is damaged"
}

impl FileRule for MalformedDataKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        for label in subject.opening.iter().flat_map(|opening| &opening.false_labels) {
            drafts.push(false_label(subject, label));
        }
        // sops reads the metadata of the first document, and no other.
        let Some(first) = subject.documents.first().filter(|first| first.metadata.is_some()) else {
            return;
        };
        for_each_stanza(first.document, &mut |service, stanza| {
            drafts.extend(check_stanza(subject, service, stanza));
        });
    }
}

/// Reports a data key whose label names the wrong recipient, which a private key can prove.
fn false_label<'s>(subject: &Subject<'s>, label: &FalseLabel) -> Draft<'s> {
    let name = name(&label.recipient);
    let message = match label.cause {
        LabelCause::DoesNotOpen => {
            format!("the data key of {name} does not open with the private key of that recipient")
        }
        LabelCause::OtherDataKey => {
            format!("the data key of {name} is another than that of the other recipients")
        }
    };
    let help =
        Advice::from("find out who changed it; then let someone who can decrypt the file run ")
            + subject.sops("rotate --in-place");
    Draft::new(&META, label.span, message)
        .at(0, Some("sops.age".to_owned()))
        .note("this recipient cannot decrypt the file, and it is unknown who can")
        .help(help)
}

fn name(recipient: &Identity) -> String {
    shorten(clean(&recipient.id).into_owned().into(), 80).into_owned()
}

fn check_stanza<'s>(
    subject: &Subject<'s>,
    service: &dyn KeyService,
    stanza: &Node<'_>,
) -> Option<Draft<'s>> {
    // A stanza without a recipient or a key is no valid metadata, which is said elsewhere.
    let identity = service.parse_stanza(stanza).ok()?;
    let enc = stanza.entry("enc")?;
    let text = enc.node.as_str().filter(|text| !text.is_empty())?;
    let error = service.check_data_key(&identity, text).err()?;
    let name = name(&identity);
    let level = if error.is_certain { META.level } else { Level::Warning };
    Some(
        Draft::new(&META, enc.key_span, format!("the data key of {name} {error}"))
            .level(level)
            .at(0, Some(format!("sops.{}", service.metadata_field())))
            .note("this recipient cannot decrypt the file")
            .help(help(subject)),
    )
}

/// Tells how to get a data key for the recipient. Another recipient may still have one.
fn help(subject: &Subject<'_>) -> Advice {
    let restoring = subject.restoring();
    let recipients = subject.metadata().map_or(0, |own| own.recipe.recipients().count());
    if recipients < 2 {
        return restoring;
    }
    restoring + ", or let someone who can still decrypt it run " + subject.sops("rotate --in-place")
}
