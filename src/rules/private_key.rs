//! A private key, committed.

use super::command::untrack;
use super::embedded::embedded;
use super::rule::{FileRule, declare_rule};
use super::subject::{Judged, Subject};
use super::{nothing_encrypted, unencrypted_file};
use crate::document::{self, Node};
use crate::finding::{Draft, Drafts, Finding, Level, Opener, RuleMeta};
use crate::keys::KEY_SERVICES;
use crate::kubernetes::Secret;
use crate::path::RepoPath;
use crate::private_key::{FoundKey, MAX_KEYS, find, find_in_base64};
use crate::shell::Advice;
use crate::text::Span;

declare_rule! {
    /// ## What it does
    ///
    /// Finds unencrypted private keys in every file:
    ///
    /// * age identities (`AGE-SECRET-KEY-1..` and `AGE-SECRET-KEY-PQ-1..` with a valid checksum) and
    ///   OpenPGP secret keys (armored or binary): an error, or a warning below `testdata/` and in
    ///   `*_test` files,
    /// * SSH keys and all other keys in PEM (`-----BEGIN .. PRIVATE KEY-----`): a warning. It is an
    ///   info if the key has a passphrase, below `docs/`, `examples/`, `samples/`, `tests/`,
    ///   `testdata/`, `fixtures/` and similar directories, and in files such as `server_test.go`,
    ///   `test_server.py` and `server.test.ts`. A directory `test/` is none of these, because many
    ///   clusters have this name.
    ///
    /// **A key that opens files of this repository is always an error**, also in tests and with a
    /// passphrase. The rule derives the public half of each key, and compares it with the recipients
    /// of all creation rules and of the encrypted files that it has read. It does so for age and
    /// OpenPGP keys, and for SSH keys of the kinds that age accepts (Ed25519 and RSA, in the format
    /// of OpenSSH or in PEM). An Ed25519 key also counts for the age recipient that `ssh-to-age`
    /// makes of it.
    ///
    /// A key may be indented, folded, quoted, on one line or escaped as in JSON. It may also be in
    /// base64, if that is a whole file or a whole value, as in a kubeconfig (`client-key-data`), a
    /// Talos config (`key`), a Secret or the `binaryData` of a `ConfigMap`. The rule looks into one level
    /// of base64.
    ///
    /// It ignores certificates, public keys, examples that are cut short, and keys inside encrypted
    /// values. A key that opens no files is left to the rule that reports its place:
    /// `unencrypted-secret` for a value of a Secret, `unencrypted-file` for a file that should be
    /// encrypted, `plaintext-generator-source` for the source of a Secret.
    ///
    /// It does not look for keys in binary formats (`.der`, `.p12`, `.jks`), except for OpenPGP, nor
    /// for `.ppk` files, tokens and passwords. For those, use a scanner such as gitleaks.
    ///
    /// ## Why it matters
    ///
    /// With a key of a recipient, anyone can read every file that was ever encrypted to it, in every
    /// commit. Removing the key in a new commit does not help. Any other private key lets its reader
    /// act as a server, a user or a cluster.
    ///
    /// ## Example
    ///
    /// Bad: `age.agekey`, `keys.txt`, `id_ed25519`, a kubeconfig of an administrator, or a
    /// `.sops.pub.asc` made with `--export-secret-keys`.
    ///
    /// ## How to fix
    ///
    /// If the file holds only the key and git tracks it, remove it from the index with
    /// `git rm --cached FILE`, and add its name to `.gitignore`. If it holds anything else, delete
    /// only the key from it. Or encrypt the file with sops, unless the key itself opens files. If the
    /// key was ever pushed, consider it public: make a new key. If the key opens files, replace the
    /// old public key with the new one in `.sops.yaml`, give the new private key to everything that
    /// decrypts (such as Flux), run `sops updatekeys FILE` and `sops rotate --in-place FILE` on every
    /// file, replace the secrets themselves, and only then delete the old key. A throw-away key for
    /// tests can stay: ignore it in `.sops-lint.yaml`, by path and with the reason.
    PrivateKey, "private-key", Error, needs Text, Leak(98),
    "an unencrypted private key in a file"
}

impl FileRule for PrivateKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>) {
        let mut keys = if subject.traces.key { find(subject.input.bytes()) } else { Vec::new() };
        let inside = subject.documents.iter().flat_map(|judged| in_secrets(judged, &keys));
        let inside: Vec<FoundKey> = inside.take(MAX_KEYS - keys.len()).collect();
        keys.extend(inside);
        let Some(last) = keys.last() else { return };
        let file = File::new(subject, drafts);
        let removal = removal(subject, &keys[0]);
        let mut new: Vec<Draft<'s>> =
            keys.iter().map(|key| file.draft(key, &removal, drafts)).collect();
        if keys.len() == MAX_KEYS {
            new.push(too_many(last.span));
        }
        drafts.extend(new);
    }
}

/// Turns a finding about a private key into one about a key that opens files. `path`: a file with its
/// recipient.
pub fn raise(finding: &mut Finding, opener: Opener, path: &RepoPath) {
    finding.is_raised = finding.level < META.level;
    finding.level = META.level;
    finding.message += &format!(", and it belongs to a recipient in {path}");
    // A change that adds the recipient makes the key matter.
    finding.about = Some(path.clone());
    let is_past = finding.origin.as_ref().is_some_and(|origin| !origin.is_at_head);
    if !is_past {
        finding.help = Some(opener.help);
    }
}

/// A file that has private keys.
struct File<'f, 's> {
    subject: &'f Subject<'s>,
    /// Values of Secrets, and texts with Secrets, sorted: `unencrypted-secret` reports them.
    secrets: Vec<Span>,
    /// True if another rule reports the file as a whole.
    is_reported: bool,
}

impl<'f, 's> File<'f, 's> {
    fn new(subject: &'f Subject<'s>, drafts: &Drafts<'s>) -> Self {
        let mut secrets = Vec::new();
        for judged in subject.documents {
            for secret in judged.secrets.iter().filter(|secret| !secret.is_deletion()) {
                secrets.extend(secret.values().map(|value| value.entry.node.span));
            }
            if !subject.is_encrypted() {
                secrets.extend(embedded(judged).into_iter().map(|found| found.span));
            }
        }
        let is_reported =
            drafts.has(&unencrypted_file::META) || drafts.has(&nothing_encrypted::META);
        Self { subject, secrets, is_reported }
    }

    /// Writes a draft. `first`: how to remove the key.
    fn draft(&self, key: &FoundKey, first: &Advice, drafts: &Drafts<'s>) -> Draft<'s> {
        let place = self.place(key);
        let services = KEY_SERVICES.iter();
        let recipients = services.flat_map(|service| service.recipients_of(key)).collect();
        let is_in_secret = self.is_in_secret(key.span);
        let first =
            if is_in_secret { "take the key out of this Secret".into() } else { first.clone() };
        let help = first.clone()
            + "; if it was ever pushed, make a new key, run sops updatekeys and sops rotate on every file that this one opens, and change the secrets themselves";
        let is_reported = !key.is_for_files()
            && (self.is_reported
                || is_in_secret
                || place.as_ref().is_some_and(|place| drafts.point_to(&place.spans)));
        let own_help = if key.is_for_files() {
            help.clone()
        } else {
            first + ", or encrypt the file with sops; if it was ever pushed, make a new key"
        };
        let is_hidden = key.is_in_base64;
        let key_span = place.as_ref().filter(|_| is_hidden).map(|place| place.spans[0]);
        let span = key_span.unwrap_or(key.span);
        let draft = Draft::new(&META, span, format!("this file contains {}", key.what()))
            .level(self.level(key))
            .note(if is_hidden { "behind this base64" } else { "a private key" })
            .help(own_help)
            .opener(Opener { recipients, is_reported, help });
        match place {
            Some(Place { document, path, .. }) => draft.at(document, path),
            None => draft,
        }
    }

    /// Reports whether a place is in a value of a Secret. These values are not nested.
    fn is_in_secret(&self, span: Span) -> bool {
        let behind = self.secrets.partition_point(|secret| secret.start <= span.start);
        self.secrets[..behind].last().is_some_and(|secret| contains(*secret, span))
    }

    fn level(&self, key: &FoundKey) -> Level {
        if key.is_for_files() {
            return if is_test_data(self.subject.path()) { Level::Warning } else { META.level };
        }
        let is_example = self.subject.is_example() || is_of_test_code(self.subject.path());
        if key.is_locked || is_example { Level::Info } else { Level::Warning }
    }

    /// Finds the value that contains a key, if the file is a tree of values.
    fn place(&self, key: &FoundKey) -> Option<Place> {
        document::format_of(self.subject.path())?;
        self.subject.documents.iter().find_map(|judged| {
            let [key_span, span] = entry_at(&judged.document.root, key.span)?;
            let (document, path) = (judged.document.index, judged.key_path(span));
            Some(Place { document, path, spans: [key_span, span] })
        })
    }
}

/// The entry of a document whose value contains a key.
struct Place {
    document: usize,
    path: Option<String>,
    /// Its key and its value.
    spans: [Span; 2],
}

fn contains(place: Span, span: Span) -> bool {
    place.start <= span.start && span.start < place.end
}

/// Returns the key and the value of the innermost entry or element around a place.
fn entry_at(node: &Node<'_>, span: Span) -> Option<[Span; 2]> {
    if let Some(entry) = node.entries().find(|entry| contains(entry.node.span, span)) {
        return entry_at(&entry.node, span).or(Some([entry.key_span, entry.node.span]));
    }
    let element = node.elements().find(|element| contains(element.span, span))?;
    entry_at(element, span).or(Some([element.span, element.span]))
}

/// Returns true for places of throw-away keys. Examples and documentation are not among them.
fn is_test_data(path: &RepoPath) -> bool {
    let stem = path.file_name().split('.').next().unwrap_or_default();
    path.ancestors().any(|place| place == "testdata" || place.ends_with("/testdata"))
        || stem.ends_with("_test")
}

/// Returns true for the files of tests in source code, which are no manifests.
fn is_of_test_code(path: &RepoPath) -> bool {
    const PLACES: [&str; 4] = ["fixture", "fixtures", "__tests__", "__snapshots__"];
    let name = path.file_name();
    path.parent().as_str().split('/').any(|place| PLACES.contains(&place))
        || name.starts_with("test_")
        || name.split('.').skip(1).any(|word| matches!(word, "test" | "spec"))
}

/// Tells how to remove the key, or the whole file if it has nothing else.
fn removal(subject: &Subject<'_>, first: &FoundKey) -> Advice {
    let bytes = subject.input.bytes();
    let start = first.span.start;
    let is_comment = |line: &[u8]| line.trim_ascii().is_empty() || line.starts_with(b"#");
    if bytes[..start].split(|byte| *byte == b'\n').all(is_comment) {
        untrack(subject.path())
    } else {
        "take the key out of this file".into()
    }
}

/// Finds keys behind the base64 of a Secret's `data` that has another beginning than a key has, such as
/// a remark. `found`: the keys that are known, in file order.
fn in_secrets<'j>(
    judged: &'j Judged<'_>,
    found: &'j [FoundKey],
) -> impl Iterator<Item = FoundKey> + 'j {
    let values = judged.secrets.iter().flat_map(Secret::values);
    let nodes = values.filter(|value| value.field == "data").map(|value| &value.entry.node);
    nodes.filter_map(|node| {
        let next = found.partition_point(|key| key.span.start < node.span.start);
        let is_known = found.get(next).is_some_and(|key| contains(node.span, key.span));
        if is_known { None } else { find_in_base64(node.as_str()?, node.span) }
    })
}

/// Speaks of keys that were not read. One of them may open files.
fn too_many<'s>(last: Span) -> Draft<'s> {
    let message = format!("this file contains {MAX_KEYS} private keys or more");
    Draft::new(&META, last, message)
        .note("the keys after this one were not read")
        .help("split the file, or ignore it in the settings if it is for tests")
}
