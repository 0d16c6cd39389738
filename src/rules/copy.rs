//! Signs that a file is, or has, a decrypted copy.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::exposure::{exposed, reference};
use super::subject::Subject;
use crate::kubernetes::reference::Reference;
use crate::sops::selector::Selector;
use crate::sops::walk::{self, Leaf, Step};
use crate::traces::{self, Claim};

/// Signs that a file is, or has, a decrypted copy. They hold no names and no values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Copy {
    /// The claim of its name that it was decrypted.
    pub(super) named: Option<Claim>,
    /// The number of its values and a hash of their paths.
    pub(super) keys: Option<(usize, u64)>,
    pub(super) is_example: bool,
}

impl Copy {
    /// Returns true if the name alone is a reason to keep these signs.
    pub(super) fn is_named(self) -> bool {
        self.named.is_some()
    }
}

/// Looks for signs in a file. `is_twin`: an encrypted file is named after it.
pub(super) fn copy_of(subject: &Subject<'_>, is_twin: bool) -> Copy {
    let is_blank = subject.input.bytes().iter().all(u8::is_ascii_whitespace);
    if subject.is_template || subject.config.is_some() || is_blank {
        return Copy::default();
    }
    let named = traces::claims_decryption(subject.path());
    // Hashing all paths takes as long as parsing the file.
    let is_compared = is_twin || (subject.claims_encryption && subject.is_encrypted());
    let keys = if is_compared { keys(subject) } else { None };
    Copy { named, keys, is_example: subject.is_example() }
}

/// Returns the number of values and a hash of their paths. `None` if no value can be secret.
fn keys(subject: &Subject<'_>) -> Option<(usize, u64)> {
    if subject.parse_error.is_some() {
        return None;
    }
    let mut hash = DefaultHasher::new();
    let (mut number, mut has_literal) = (0, subject.is_encrypted());
    for judged in subject.documents {
        walk::leaves(judged.document, &Selector::default(), &mut |leaf| {
            number += 1;
            has_literal |= judged.secrets.is_empty() && is_literal(leaf);
            (judged.document.index, walk::key_path(leaf.path)).hash(&mut hash);
        });
        has_literal |= judged.secrets.iter().any(|secret| !exposed(judged, secret).is_empty());
    }
    has_literal.then(|| (number, hash.finish()))
}

/// Returns true for a literal that not every manifest has.
fn is_literal(leaf: &Leaf<'_, '_, '_>) -> bool {
    let is_name = matches!(leaf.path.first(), Some(Step::Key("apiVersion" | "kind" | "metadata")));
    !is_name
        && leaf.text().is_some_and(|text| !text.is_empty())
        && reference(leaf.scalar, false) != Reference::Whole
}
