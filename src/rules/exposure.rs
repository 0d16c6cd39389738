//! The values of Secrets that anyone can read.

use super::subject::{Judged, for_each_scalar};
use crate::document::Scalar;
use crate::kubernetes::placeholder::is_placeholder;
use crate::kubernetes::public::is_public;
use crate::kubernetes::reference::{Reference, classify};
use crate::kubernetes::{Secret, SecretValue};
use crate::sops::census::{Census, Spot};

/// The mask that `flux build` prints in place of a secret, in plaintext and in base64.
const MASKS: [&str; 2] = ["**SOPS**", "KipTT1BTKio="];

/// The values of a Secret that anyone can read: neither empty nor encrypted nor references.
pub(super) struct Exposed<'s> {
    /// In file order.
    values: Vec<ExposedValue<'s>>,
}

struct ExposedValue<'s> {
    /// The entry of the Secret that contains it.
    entry: SecretValue<'s, 's>,
    spot: Spot<'s, 's>,
    /// True if it is the name of an account; or if a part of it is a reference, and the rest seems to
    /// hold no secret.
    is_uncertain: bool,
}

impl<'s> Exposed<'s> {
    /// Returns true if no value is exposed.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns true if a value is more than the name of an account, or the text around references.
    pub(super) fn has_literals(&self) -> bool {
        self.values.iter().any(|value| !value.is_uncertain)
    }

    /// Keeps the values that `is_wanted` accepts.
    pub(super) fn only(
        mut self,
        is_wanted: impl Fn(&SecretValue<'_, '_>, &Spot<'_, '_>) -> bool,
    ) -> Self {
        self.values.retain(|value| is_wanted(&value.entry, &value.spot));
        self
    }

    /// Returns all exposed values.
    pub(super) fn into_spots(self) -> Vec<Spot<'s, 's>> {
        self.values.into_iter().map(|value| value.spot).collect()
    }
}

/// Finds the exposed values in `data` and `stringData`. Each leaf of a map counts as a value.
pub(super) fn exposed<'s>(judged: &Judged<'s>, secret: &Secret<'s, 's>) -> Exposed<'s> {
    exposed_in(&judged.census, secret)
}

/// Does the same for a Secret with a census of its own.
pub(super) fn exposed_in<'s>(census: &Census<'s, 's>, secret: &Secret<'s, 's>) -> Exposed<'s> {
    let mut values = Vec::new();
    for entry in secret.values() {
        let is_base64 = entry.field == "data";
        for_each_scalar(&entry.entry.node, &mut |node| {
            let Some(spot) = census.readable(node) else { return };
            let scalar = spot.scalar;
            let text = if let Scalar::Str(text) = scalar { text } else { "" };
            if is_mask(scalar) || is_public(secret, &entry.entry.key, text, is_base64) {
                return;
            }
            let is_in_brackets = entry.entry.node.is_list() && is_placeholder(&format!("[{text}]"));
            let reference =
                if is_in_brackets { Reference::Whole } else { reference(scalar, is_base64) };
            if reference != Reference::Whole {
                let is_account = !text.contains('\n') && names_account(&entry.entry.key);
                let is_uncertain = is_account || reference == Reference::Partly;
                values.push(ExposedValue { entry, spot: spot.clone(), is_uncertain });
            }
        });
    }
    values.sort_by_key(|value| value.spot.span);
    Exposed { values }
}

/// Reports whether a key is one for the name of an account.
fn names_account(key: &str) -> bool {
    const NAMES: [&str; 7] =
        ["user", "username", "userid", "login", "email", "clientid", "adminuser"];
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    NAMES.contains(&&*name)
}

/// Tells whether a value only refers to a secret.
pub(super) fn reference(scalar: &Scalar<'_>, is_base64: bool) -> Reference {
    match scalar {
        Scalar::Str(text) => classify(text, is_base64),
        _ => Reference::None,
    }
}

/// Returns true if a value is only the mask of `flux build`.
pub(super) fn is_mask(scalar: &Scalar<'_>) -> bool {
    matches!(scalar, Scalar::Str(text) if MASKS.contains(&text.trim()))
}
