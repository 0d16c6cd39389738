//! A comment that sops encrypted as an item of a list, and that hides the next item from the selector.
//!
//! With `encrypted_comment_regex`, the comments right before a value select it. Of two comment lines in a
//! list, sops encrypts the second one and writes it as an item. When it reads the file, that item takes the
//! place of the value, so sops cannot open a file that it made itself.

use super::subject::Subject;
use crate::sops::census::Spot;

/// The end of an encrypted comment.
const ENCRYPTED_COMMENT: &str = "type:comment]";

/// Returns true if the item before a ciphertext is an encrypted comment, so that the selector misses the
/// ciphertext.
pub(super) fn hides(subject: &Subject<'_>, spot: &Spot<'_, '_>) -> bool {
    let metadata = subject.metadata();
    let is_selected_by_comments =
        metadata.is_some_and(|metadata| metadata.recipe.selector.reads_comments());
    let before = subject.text.get(..spot.key_span.start).unwrap_or_default();
    let line = before.trim_end_matches(|c: char| c != '\n').trim_end().lines().next_back();
    let is_item = |line: &str| {
        line.trim_start().starts_with("- ")
            && line.trim_end_matches(['"', '\'']).ends_with(ENCRYPTED_COMMENT)
    };
    is_selected_by_comments && line.is_some_and(is_item)
}

/// Returns true if sops cannot open the file for this reason.
pub(super) fn breaks(subject: &Subject<'_>) -> bool {
    let mut spots = subject.documents.iter().flat_map(|judged| &judged.census.misplaced);
    spots.any(|spot| hides(subject, spot))
}
