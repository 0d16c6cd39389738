//! Signs that a file is, or has, a decrypted copy.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::exposure::{exposed, reference};
use super::subject::Subject;
use crate::kubernetes::reference::Reference;
use crate::sops::selector::Selector;
use crate::sops::walk::{self, Leaf, Step};
use crate::traces::{self, Claim};

/// What shows that a file is, or has, a decrypted copy. Holds no names and no values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Copy {
    /// How sure its name is that it was decrypted.
    pub(super) named: Option<Claim>,
    /// How many values it has, and a hash of the ways to them.
    pub(super) keys: Option<(usize, u64)>,
    pub(super) is_example: bool,
}

impl Copy {
    /// Whether there is anything to keep of a file that has nothing else to say.
    pub(super) fn is_named(self) -> bool {
        self.named.is_some()
    }
}

/// What a file shows. `is_twin`: an encrypted file is named after it.
pub(super) fn copy_of(subject: &Subject<'_>, is_twin: bool) -> Copy {
    let is_blank = subject.input.bytes().iter().all(u8::is_ascii_whitespace);
    if subject.is_template || subject.config.is_some() || is_blank {
        return Copy::default();
    }
    let named = traces::claims_decryption(subject.path());
    // To write down the ways to all values takes as long as to parse the file.
    let is_compared = is_twin || (subject.claims_encryption && subject.is_encrypted());
    let keys = if is_compared { keys(subject) } else { None };
    Copy { named, keys, is_example: subject.is_example() }
}

/// The ways to all values. `None` where there is no value that somebody could want to hide.
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

/// Whether a value is none that every manifest has, and no reference.
fn is_literal(leaf: &Leaf<'_, '_, '_>) -> bool {
    let is_name = matches!(leaf.path.first(), Some(Step::Key("apiVersion" | "kind" | "metadata")));
    !is_name
        && leaf.text().is_some_and(|text| !text.is_empty())
        && reference(leaf.scalar, false) != Reference::Whole
}
