//! A data key that is encrypted to a PGP key other than the one named with it.

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, RuleMeta};
use crate::keys::certificate::{Certificates, Found, Known};
use crate::keys::{Identity, Recipient, Sameness};
use crate::path::RepoPath;
use crate::shell::Advice;
use crate::sops::metadata::Addressed;
use crate::sops::walk::METADATA_KEY;
use crate::text::words::count;

declare_rule! {
    /// ## What it does
    ///
    /// Compares the fingerprint of every PGP recipient of a file, `fp`, with the key ids in its
    /// encrypted data key, `enc`. These are ids of subkeys, so the rule needs the public keys:
    /// those in the repository, such as `.sops.pub.asc`. If none of these has a subkey with that
    /// id, it runs `gpg --export` (or the program in `SOPS_GPG_EXEC`), if you have a keyring.
    ///
    /// It reports nothing if it knows neither of the two keys, or if the data key hides its
    /// recipient. There is one finding for each pair of keys, with the number of files.
    ///
    /// ## Why it matters
    ///
    /// sops never compares the two. If `fp` is wrong, `sops updatekeys`, reviewers and
    /// `recipients-mismatch` assume that the owner of the key in `fp` can decrypt the file. In fact
    /// that person cannot, and someone else can.
    ///
    /// ## Example
    ///
    /// Bad: the message in `enc` is encrypted to a subkey of F28A..
    ///
    /// ```yaml
    /// sops:
    ///   pgp:
    ///     - fp: 5CCF8425D57B7B6B23A8F8B9B9A998A212A64C26
    ///       enc: |-
    ///         -----BEGIN PGP MESSAGE-----
    /// ```
    ///
    /// ## How to fix
    ///
    /// If the owner has made a new subkey, export the public key to the repository again.
    /// Otherwise, find out who changed the entry, run `sops rotate --in-place FILE`, and replace
    /// the secret itself. `sops updatekeys` is not enough, because it looks only at `fp`.
    PgpDataKeyMismatch, "pgp-data-key-mismatch", Warning, needs Text, Weakness(60),
    "a data key that is encrypted to a PGP key other than the one named with it"
}

/// Limit for findings, since each one opens its file again.
const MAX_FINDINGS: usize = 100;

impl RepoRule for PgpDataKeyMismatch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let mut found: Vec<Mismatch<'f>> = Vec::new();
        let mut left_out = 0;
        let stanzas = repository
            .facts
            .iter()
            .flat_map(|facts| facts.addressed.iter().map(move |addressed| (facts, addressed)));
        for (facts, addressed) in stanzas {
            let path = &facts.path;
            for key in foreign(repository.certificates, addressed) {
                let (label, is_full) = (&addressed.recipient, found.len() == MAX_FINDINGS);
                match found.iter_mut().find(|other| other.is_of(label, key)) {
                    Some(other) => {
                        other.files += usize::from(other.last != path);
                        other.last = path;
                    }
                    None if is_full => left_out += 1,
                    None => found.push(Mismatch { facts, last: path, addressed, key, files: 1 }),
                }
            }
        }
        let drafts = found.iter().map(|one| (&one.facts.path, one.draft(repository)));
        let mut drafts: Vec<_> = drafts.collect();
        if let Some((_, last)) = drafts.last_mut().filter(|_| left_out > 0) {
            last.message += &format!("; {} in this repository", count(left_out, "more label"));
        }
        drafts
    }
}

/// The keys that a data key is encrypted to and that certainly do not belong to its label.
fn foreign<'f>(
    certificates: &'f Certificates,
    addressed: &'f Addressed,
) -> impl Iterator<Item = &'f str> {
    let labelled = &addressed.recipient;
    let known = certificates.find(&labelled.identity.id);
    addressed.keys.iter().map(String::as_str).filter(move |key| match known {
        Some(known) => !known.certificate.has(key),
        None => certificates.find(key).is_some_and(|owner| !may_be(labelled, owner)),
    })
}

/// Returns true if a label, which may be a short key id, can mean a certificate.
fn may_be(label: &Recipient, owner: &Known) -> bool {
    let primary = Identity::new(owner.certificate.fingerprint());
    let digits = label.identity.id.trim_end_matches('!');
    owner.certificate.has(digits)
        || label.service.compare(&Identity::new(digits), &primary) != Sameness::Different
}

/// A label and a key that is not its own.
struct Mismatch<'f> {
    /// The first file with it.
    facts: &'f Facts,
    /// The last one.
    last: &'f RepoPath,
    addressed: &'f Addressed,
    key: &'f str,
    files: usize,
}

impl<'f> Mismatch<'f> {
    fn is_of(&self, label: &Recipient, key: &str) -> bool {
        self.addressed.recipient.identity.id == label.identity.id && self.key == key
    }

    fn draft(&self, repository: &Repository<'_>) -> Draft<'f> {
        let certificates = repository.certificates;
        let label = &self.addressed.recipient;
        let known = certificates.find(&label.identity.id);
        let (key, owner) = (self.key, certificates.find(self.key));
        let has_own = self
            .addressed
            .keys
            .iter()
            .any(|key| known.is_some_and(|known| known.certificate.has(key)));
        let also = if has_own { "also " } else { "" };
        let whose = match (owner, known) {
            (Some(owner), _) => {
                format!("{} ({})", owner.certificate.fingerprint(), source(owner))
            }
            (None, Some(known)) => {
                format!("subkey {key}, which the public key in {} does not have", source(known))
            }
            (None, None) => key.to_owned(),
        };
        let more = match self.files {
            1 => String::new(),
            files => format!("; the same in {}", count(files - 1, "more file")),
        };
        let message =
            format!("the data key that is labelled {label} is {also}encrypted to {whose}{more}");
        let note = if has_own { "not the only one who can read it" } else { "not whom it is for" };
        let rotate = repository.sops(self.facts, "rotate --in-place");
        let first = match (owner, known.and_then(|known| known.places.first())) {
            (None, Some(Found::File(path))) => format!(
                "if the key has got a new subkey, export it to {path} again; otherwise someone else can read the file: "
            ),
            (None, Some(Found::Keyring)) => "if the key has got a new subkey, import its newest copy; otherwise someone else can read the file: ".to_owned(),
            _ => "find out who changed this entry, then ".to_owned(),
        };
        let help = Advice::from(first + "run ") + rotate + " and change the secret itself";
        Draft::new(&META, label.span, message)
            .at(0, Some(METADATA_KEY.to_owned()))
            .note(note)
            .help(help)
    }
}

/// Names the place of its public key.
fn source(known: &Known) -> String {
    match known.places.first() {
        Some(Found::File(path)) => path.to_string(),
        _ => "your gpg keyring".to_owned(),
    }
}
