//! Opens an encrypted file with the keys of the user, and says what came of it.

use super::outcome::Verification;
use crate::document::{Document, Parsed, Shape};
use crate::keys::KeyRing;
use crate::rules::{Judged, Subject, misread};
use crate::sops::envelope;
use crate::sops::open::{self, Opening};
use crate::sops::verdict::{Unopened, Verdict};
use crate::sops::walk::obstacle;
use crate::text::words::listing;

/// The reason for not comparing the MAC of a file that sops splits into different lines.
const UNCLEAR: &str = "it contains a line separator (U+0085, U+2028 or U+2029), which ends a line for sops and not for sops-lint";

/// Opens an encrypted file. `None` if it is visibly damaged, so that sops would refuse it without
/// asking for a key.
pub(super) fn open(
    parsed: &Parsed<'_>,
    documents: &[Judged<'_>],
    ring: &KeyRing,
) -> Option<Opening> {
    let metadata = documents.first()?.metadata.as_ref()?;
    let is_known = metadata.problems.is_empty() && !metadata.is_ambiguous;
    let is_whole = parsed.error.is_none() && is_known;
    // INI takes the last of two equal keys.
    let is_plain = parsed.documents.iter().all(|document| document.shape == Shape::Sections)
        || parsed.duplicate_keys.is_empty();
    if !is_whole || !is_plain || parsed.documents.iter().any(|one| obstacle(one).is_some()) {
        return None;
    }
    let envelope = envelope::read(parsed.documents.first()?)?;
    let documents: Vec<&Document<'_>> = parsed.documents.iter().collect();
    Some(open::open(&documents, metadata, &envelope, ring))
}

/// Says whether the MAC was compared. `may_open`: files are opened at all; `is_unclear`: sops splits
/// the file into other lines.
pub(super) fn verification(
    subject: &Subject<'_>,
    may_open: bool,
    is_unclear: bool,
) -> Verification {
    let skipped = |reason: &str| Verification::Skipped(reason.to_owned());
    if is_unclear {
        return skipped(UNCLEAR);
    }
    let Some(opening) = subject.opening else {
        return skipped(if may_open {
            "it is damaged, and sops could not open it either"
        } else {
            "MACs were not compared (--verify never)"
        });
    };
    match &opening.verdict {
        Verdict::Verified(_) => {
            misread(subject).map_or(Verification::Verified, Verification::Skipped)
        }
        Verdict::Refused(_) => Verification::Refused,
        Verdict::Unopened(Unopened::NoKey) => Verification::Skipped(no_key(subject)),
        Verdict::Unopened(Unopened::NotOpened) => {
            skipped("a private key for it is available, but does not open its data key")
        }
        Verdict::Unopened(Unopened::Unavailable(reason)) => skipped(reason),
        Verdict::Unopened(Unopened::TooFewGroups { have, need }) => Verification::Skipped(format!(
            "private keys for only {have} of the {need} key groups that it needs"
        )),
        Verdict::Unopened(Unopened::TooManyDataKeys { tried }) => Verification::Skipped(format!(
            "it has too many data keys: the first {tried} of a key service did not open"
        )),
    }
}

/// Names the recipients that could open the file.
fn no_key(subject: &Subject<'_>) -> String {
    let recipients: Vec<_> =
        subject.metadata().into_iter().flat_map(|metadata| metadata.recipe.recipients()).collect();
    let names = listing(&recipients, ToString::to_string);
    match recipients.len() {
        0 => "no private key for it".to_owned(),
        1 => format!("no private key for its recipient {names}"),
        number => format!("no private key for any of its {number} recipients: {names}"),
    }
}
