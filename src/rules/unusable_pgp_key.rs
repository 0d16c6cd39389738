//! A PGP recipient that can no longer be encrypted to.

use std::collections::HashMap;

use super::facts::Facts;
use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, Level, RuleMeta};
use crate::keys::Recipient;
use crate::keys::certificate::{Found, Known, Unusable, Usability};
use crate::path::RepoPath;
use crate::policy::{Config, Governing};
use crate::shell::{Advice, Command};
use crate::sops::walk::METADATA_KEY;
use crate::text::date;
use crate::text::words::count;

declare_rule! {
    /// ## What it does
    ///
    /// Checks the PGP recipients of all creation rules, and of encrypted files that no creation
    /// rule governs, against the OpenPGP public keys in the repository, such as `.sops.pub.asc`. It
    /// finds keys that have expired, were revoked, or have no subkey for encryption. For recipients
    /// without a key in the repository, it runs `gpg --export` (or the program in `SOPS_GPG_EXEC`),
    /// if you have a keyring. It imports and fetches nothing.
    ///
    /// The finding is a warning if a file was encrypted to the key after the key's expiry date: in
    /// that case the owner has extended the key, and the copy in the repository is old. It is also
    /// a warning for recipients of files that no creation rule governs. Like gpg, the rule combines
    /// several copies of a key.
    ///
    /// It ignores keys that are neither in the repository nor in the keyring, and keys whose
    /// signatures it cannot verify (RSA of more than 4096 bits, Brainpool curves). It uses the
    /// current date, or `SOURCE_DATE_EPOCH`, in seconds since 1970.
    ///
    /// ## Why it matters
    ///
    /// One such key blocks everyone: sops fails with "Unusable public key" for every new file of
    /// the rule, and in `sops updatekeys` and `sops rotate`. A revoked key may be in the wrong
    /// hands, and still decrypts all files that were encrypted to it.
    ///
    /// ## Example
    ///
    /// Bad, when `.sops.pub.asc` has a key 8ED2.. that expired last year:
    ///
    /// ```yaml
    /// creation_rules:
    ///   - pgp: 8ED2F0F8B97CE9089DAD6714F2F209A5E654B89B
    /// ```
    ///
    /// ## How to fix
    ///
    /// Ask the owner to extend the key (`gpg --quick-set-expire FINGERPRINT 2y`, then the same
    /// command with `'*'` at the end for the subkeys) and to export it again; everyone who encrypts
    /// then imports it with `gpg --import`. Or remove the key from the rule, and run
    /// `sops updatekeys` on its files. If the key was revoked, also run
    /// `sops rotate --in-place FILE` on each of them, and replace the secrets themselves.
    UnusablePgpKey, "unusable-pgp-key", Error, needs Policy,
    "a PGP recipient that has expired, was revoked, or cannot be encrypted to"
}

/// Most keys that are spoken of, in a config and in files without one.
const MOST: usize = 100;

impl RepoRule for UnusablePgpKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        if repository.certificates.is_empty() {
            return Vec::new();
        }
        let used = last_used(repository);
        let governed = repository.by_config();
        let mut drafts = Vec::new();
        for config in repository.configs() {
            let found = of_config(repository, config).into_iter();
            let files = governed.get(&config.path).map(Vec::as_slice).unwrap_or_default();
            let draft =
                |lost: Lost<'f>| (&config.path, of_rule(&lost, repository, (config, files), &used));
            drafts.extend(found.map(draft));
        }
        drafts.extend(of_files(repository, &used));
        drafts
    }
}

/// The day on which something was last encrypted to a certificate, by its fingerprint.
type LastUsed<'f> = HashMap<&'f str, u32>;

/// A recipient that cannot be encrypted to.
struct Lost<'f> {
    known: &'f Known,
    reason: Unusable,
    /// True if only its subkeys are at fault.
    subkeys: bool,
    /// The places that name it, with the number of the creation rule.
    places: Vec<(usize, &'f Recipient)>,
}

impl<'f> Lost<'f> {
    fn find(repository: &Repository<'f>, recipient: &Recipient) -> Option<Self> {
        let id = &recipient.identity.id;
        let is_pgp = recipient.service.has_certificates();
        let known = repository.certificates.find(id).filter(|_| is_pgp)?;
        match known.certificate.usability(id) {
            Usability::Usable => None,
            Usability::Unusable { reason, subkeys } => {
                Some(Self { known, reason, subkeys, places: Vec::new() })
            }
        }
    }

    fn fingerprint(&self) -> &'f str {
        self.known.certificate.fingerprint()
    }

    /// Describes a use of the key after its end, which shows that a newer copy exists.
    fn was_used(&self, used: &LastUsed<'_>) -> Option<&'static str> {
        let last = *used.get(self.fingerprint())?;
        match self.reason {
            Unusable::Expired(end) if last > end => Some("files were encrypted to it later"),
            Unusable::NoEncryption => Some("files are encrypted to it"),
            _ => None,
        }
    }

    /// `PGP key 8ED2.. expired on 2025-01-01`, with words behind the key.
    fn says(&self, words: &str) -> String {
        let key = format!("PGP key {}{words}", self.fingerprint());
        let whose = if self.subkeys { "the encryption subkey of " } else { "" };
        match self.reason {
            Unusable::Expired(day) => format!("{whose}{key} expired on {}", date(day)),
            Unusable::Revoked(day) => format!("{whose}{key} was revoked on {}", date(day)),
            Unusable::NoEncryption => format!("{key} has no subkey that can be encrypted to"),
        }
    }

    fn source(&self) -> String {
        match self.known.places.first() {
            Some(Found::File(path)) => path.to_string(),
            _ => "your gpg keyring".to_owned(),
        }
    }

    /// Tells the owner what to do once the key is valid again.
    fn renewal(&self) -> String {
        match self.known.places.first() {
            Some(Found::File(path)) => format!("export it to {path} again"),
            _ => "export it again, and import that".to_owned(),
        }
    }

    /// Tells what to do. `removal`: how to remove the key; `afterwards`: the steps after a revocation.
    fn help(&self, removal: Advice, afterwards: Advice) -> Advice {
        let renewed = self.renewal();
        match self.reason {
            Unusable::Revoked(_) => removal + ", and " + afterwards,
            Unusable::Expired(_) => {
                Advice::from(format!("let its owner extend it and {renewed}, or ")) + removal
            }
            Unusable::NoEncryption => {
                let add = Command::new("gpg --quick-add-key").word(self.fingerprint());
                Advice::from("let its owner add a subkey (")
                    + add.words("default encr")
                    + format!(") and {renewed}, or ")
                    + removal
            }
        }
    }
}

fn last_used<'f>(repository: &Repository<'f>) -> LastUsed<'f> {
    let mut used = LastUsed::new();
    for one in repository.facts.iter().flat_map(|facts| &facts.addressed) {
        let known = repository.certificates.find(&one.recipient.identity.id);
        if let (Some(known), Some(day)) = (known, one.day) {
            let last = used.entry(known.certificate.fingerprint()).or_default();
            *last = day.max(*last);
        }
    }
    used
}

/// One for each recipient of a config, though an anchor may bring it into many rules.
fn of_config<'f>(repository: &Repository<'f>, config: &'f Config) -> Vec<Lost<'f>> {
    let mut found: Vec<Lost<'f>> = Vec::new();
    for rule in &config.rules {
        for recipient in rule.recipe.recipients() {
            let Some(mut lost) = Lost::find(repository, recipient) else { continue };
            lost.places.push((rule.number, recipient));
            let is_same = |other: &&mut Lost<'_>| {
                (other.fingerprint(), other.reason) == (lost.fingerprint(), lost.reason)
            };
            let is_full = found.len() == MOST;
            match found.iter_mut().find(is_same) {
                Some(other) => other.places.append(&mut lost.places),
                None if is_full => {}
                None => found.push(lost),
            }
        }
    }
    found
}

/// `files`: those that the config of the rule governs.
fn of_rule<'f>(
    lost: &Lost<'f>,
    repository: &Repository<'f>,
    (config, files): (&Config, &[&Facts]),
    used: &LastUsed<'_>,
) -> Draft<'f> {
    const SHOWN: usize = 4;
    let (number, first) = lost.places[0];
    let (says, source) = (lost.says(&format!(" of rule {number}")), lost.source());
    let mut draft = if let Some(proof) = lost.was_used(used) {
        let message = format!("{says}, says {source}, but {proof}");
        Draft::new(&META, first.span, message)
            .level(Level::Warning)
            .note("who has that copy cannot encrypt")
            .help(format!("let its owner {}", lost.renewal()))
    } else {
        Draft::new(&META, first.span, format!("{says}, says {source}"))
            .note("sops refuses to encrypt to it")
            .help(removing(lost, repository, config, files))
    };
    let mut others: Vec<_> = lost.places.iter().filter(|(_, at)| at.span != first.span).collect();
    others.dedup_by_key(|(_, at)| at.span);
    for (number, at) in others.into_iter().take(SHOWN) {
        draft = draft.also(at.span, format!("and in rule {number}"));
    }
    draft
}

/// Tells how to do without the key in the rules and in their files.
fn removing(
    lost: &Lost<'_>,
    repository: &Repository<'_>,
    config: &Config,
    files: &[&Facts],
) -> Advice {
    let is_governed = |facts: &&&Facts| {
        let rule = repository.governing(facts).rule().map(|(_, rule)| rule.number);
        lost.places.iter().any(|(number, _)| Some(*number) == rule)
    };
    let governed: Vec<&Facts> = files.iter().filter(is_governed).copied().collect();
    let is_alone = |(number, _): &(usize, &Recipient)| {
        let mut rules = config.rules.iter().filter(|rule| rule.number == *number);
        rules.any(|rule| rule.recipe.recipients().count() == 1)
    };
    // sops refuses a rule without recipients.
    let mut removal = if lost.places.iter().any(is_alone) {
        Advice::from("replace it in the rule by another recipient")
    } else {
        Advice::from("remove it from the rule")
    };
    let Some(update) = repository.updating(&governed) else {
        return lost.help(removal, "change the secrets that it could decrypt".into());
    };
    let is_revoked = matches!(lost.reason, Unusable::Revoked(_));
    removal = removal + if is_revoked { ", " } else { ", then " } + update;
    let rotate = repository.rotating(&governed).unwrap_or_default();
    lost.help(removal, rotate + ", and change the secrets themselves")
}

/// Of files that no creation rule governs: what is told of a rule holds for its files.
fn of_files<'f>(
    repository: &Repository<'f>,
    used: &LastUsed<'_>,
) -> Vec<(&'f RepoPath, Draft<'f>)> {
    let mut found: Vec<(Lost<'f>, Vec<&'f Facts>)> = Vec::new();
    for facts in repository.facts {
        if is_governed(repository, &facts.path) {
            continue;
        }
        for one in &facts.addressed {
            let Some(mut lost) = Lost::find(repository, &one.recipient) else { continue };
            let is_full = found.len() == MOST;
            match found.iter_mut().find(|(other, _)| other.fingerprint() == lost.fingerprint()) {
                Some((_, files)) if files.last().is_some_and(|last| last.path == facts.path) => {}
                Some((_, files)) => files.push(facts),
                None if is_full => {}
                None => {
                    lost.places.push((0, &one.recipient));
                    found.push((lost, vec![facts]));
                }
            }
        }
    }
    let current = found.into_iter().filter(|(lost, _)| lost.was_used(used).is_none());
    let draft = |(lost, files): (Lost<'f>, Vec<&'f Facts>)| {
        (&files[0].path, of_file(repository, &lost, &files))
    };
    current.map(draft).collect()
}

/// Returns true if a creation rule names the recipients of a file.
fn is_governed(repository: &Repository<'_>, path: &RepoPath) -> bool {
    match repository.policy.governing(path) {
        Governing::NoConfig | Governing::NoRule(_) => false,
        Governing::Unusable(_) => true,
        Governing::Rule(_, rule) => rule.recipe.recipients().next().is_some(),
    }
}

fn of_file<'f>(repository: &Repository<'f>, lost: &Lost<'f>, files: &[&Facts]) -> Draft<'f> {
    let words = match files.len() {
        1 => String::new(),
        number => format!(", a recipient of {},", count(number, "file")),
    };
    let (says, source) = (lost.says(&words), lost.source());
    let verb = format!("rotate --in-place --rm-pgp {}", lost.places[0].1);
    let removal = Advice::from("run ") + repository.sops(files[0], &verb);
    Draft::new(&META, lost.places[0].1.span, format!("{says}, says {source}"))
        .level(Level::Warning)
        .at(0, Some(METADATA_KEY.to_owned()))
        .note("sops refuses to encrypt to it")
        .help(lost.help(removal, "change the secret itself".into()))
}
