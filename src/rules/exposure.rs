//! The values of Secrets that anyone can read.

use super::subject::{Judged, for_each_scalar};
use crate::document::Scalar;
use crate::kubernetes::public::is_public;
use crate::kubernetes::reference::{Reference, classify};
use crate::kubernetes::{Secret, SecretValue};
use crate::sops::census::{Census, Spot};

/// The mask that `flux build` prints in place of a secret, in plaintext and in base64.
const MASKS: [&str; 2] = ["**SOPS**", "KipTT1BTKio="];

/// The values of a Secret that anyone can read.
pub(super) struct Exposed<'s> {
    /// Values that are neither empty nor encrypted nor references, in file order. Each has the entry of
    /// the Secret that contains it.
    values: Vec<(SecretValue<'s, 's>, Spot<'s, 's>)>,
    /// True if values of the Secret are references, in whole or in part.
    pub(super) has_references: bool,
}

impl<'s> Exposed<'s> {
    /// Returns true if no value is exposed.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns all exposed values.
    pub(super) fn into_spots(self) -> Vec<Spot<'s, 's>> {
        self.spots_of(|_, _| true)
    }

    /// Returns the exposed values that `is_wanted` accepts.
    pub(super) fn spots_of(
        self,
        is_wanted: impl Fn(&SecretValue<'_, '_>, &Spot<'_, '_>) -> bool,
    ) -> Vec<Spot<'s, 's>> {
        let wanted = self.values.into_iter().filter(|(value, spot)| is_wanted(value, spot));
        wanted.map(|(_, spot)| spot).collect()
    }
}

/// Finds the exposed values in `data` and `stringData`. Each leaf of a map counts as a value.
pub(super) fn exposed<'s>(judged: &Judged<'s>, secret: &Secret<'s, 's>) -> Exposed<'s> {
    exposed_in(&judged.census, secret)
}

/// Does the same for a Secret with a census of its own.
pub(super) fn exposed_in<'s>(census: &Census<'s, 's>, secret: &Secret<'s, 's>) -> Exposed<'s> {
    let mut exposed = Exposed { values: Vec::new(), has_references: false };
    for value in secret.values() {
        let is_base64 = value.field == "data";
        for_each_scalar(&value.entry.node, &mut |node| {
            let Some(spot) = census.readable(node) else { return };
            let scalar = spot.scalar;
            let text = if let Scalar::Str(text) = scalar { text } else { "" };
            if is_mask(scalar) || is_public(secret, &value.entry.key, text, is_base64) {
                return;
            }
            let reference = reference(scalar, is_base64);
            exposed.has_references |= reference != Reference::None;
            if reference != Reference::Whole {
                exposed.values.push((value, spot.clone()));
            }
        });
    }
    exposed.values.sort_by_key(|(_, spot)| spot.span);
    exposed
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
