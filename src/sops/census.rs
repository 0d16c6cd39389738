//! Counts the values of a document: encrypted, in plaintext, and encrypted by mistake.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::selector::Selector;
use super::value::{EncValue, Malformed, looks_encrypted};
use super::walk::{self, Leaf, Step, key_path};
use crate::document::{Document, Node, Scalar};
use crate::text::Span;

/// The values of a document by their encryption. Every list is in file order.
#[derive(Debug, Default)]
pub struct Census<'d, 't> {
    /// Number of well-formed ciphertexts that the selector covers.
    pub encrypted: usize,
    /// Plaintext values that the selector covers. Never empty values or null.
    pub plaintext: Vec<Spot<'d, 't>>,
    /// Plaintext values that the selector does not cover and that are not empty.
    pub unselected: Vec<Spot<'d, 't>>,
    /// Ciphertexts that the selector does not cover.
    pub misplaced: Vec<Spot<'d, 't>>,
    /// Texts that begin like a ciphertext and are malformed.
    pub malformed: Vec<(Spot<'d, 't>, Malformed)>,
    /// Ciphertexts with text after their closing bracket.
    pub trailing: Vec<Spot<'d, 't>>,
    /// The places of the readable values in their lists, one list after the other, by node.
    places: OnceCell<HashMap<u32, usize>>,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Spot<'d, 't> {
    /// The steps from the root.
    pub path: Box<[Step<'d>]>,
    /// The nearest key above it.
    pub key_span: Span,
    /// The value's source token.
    pub span: Span,
    /// The number of its node in the document.
    pub id: u32,
    /// The value.
    pub scalar: &'d Scalar<'t>,
}

impl Spot<'_, '_> {
    /// Returns its path, as people write it.
    pub fn key_path(&self) -> String {
        key_path(&self.path)
    }
}

/// Counts a document. Without a selector, as in a file without metadata, no value should be encrypted.
pub fn take<'d, 't>(document: &'d Document<'t>, selector: Option<&Selector>) -> Census<'d, 't> {
    let mut census = Census::default();
    let any = Selector::default();
    walk::leaves(document, selector.unwrap_or(&any), &mut |leaf| {
        census.add(leaf, leaf.is_selected && selector.is_some());
    });
    census
}

/// The extent of encryption of a document, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encryption {
    /// No value is, or was meant to be, a ciphertext.
    Nothing,
    /// The only ciphertexts are malformed, or where the selector wants none.
    Stray,
    /// At least one value is encrypted as the selector wants it.
    Values,
}

impl<'d, 't> Census<'d, 't> {
    /// Returns how much of the document is encrypted.
    pub fn encryption(&self) -> Encryption {
        if self.encrypted > 0 {
            Encryption::Values
        } else if self.misplaced.is_empty() && self.malformed.is_empty() {
            Encryption::Nothing
        } else {
            Encryption::Stray
        }
    }

    /// Returns true if a value is neither empty nor meant to be a ciphertext.
    pub fn has_readable(&self) -> bool {
        !self.plaintext.is_empty() || !self.unselected.is_empty()
    }

    /// Returns the spot of a value that is in plaintext or malformed. `None` for others.
    pub fn readable(&self, node: &Node<'_>) -> Option<&Spot<'d, 't>> {
        let at = self.place(node.id())?;
        let behind = at.checked_sub(self.plaintext.len());
        let last = behind.and_then(|at| at.checked_sub(self.unselected.len()));
        match (behind, last) {
            (None, _) => self.plaintext.get(at),
            (Some(at), None) => self.unselected.get(at),
            (_, Some(at)) => self.malformed.get(at).map(|(spot, _)| spot),
        }
    }

    /// Reports whether a value is in plaintext and not covered by the selector.
    pub fn is_unselected(&self, id: u32) -> bool {
        let first = self.plaintext.len();
        self.place(id).is_some_and(|at| (first..first + self.unselected.len()).contains(&at))
    }

    fn all_readable(&self) -> impl Iterator<Item = &Spot<'d, 't>> {
        let broken = self.malformed.iter().map(|(spot, _)| spot);
        self.plaintext.iter().chain(&self.unselected).chain(broken)
    }

    fn place(&self, id: u32) -> Option<usize> {
        let places = self.places.get_or_init(|| {
            self.all_readable().enumerate().map(|(at, spot)| (spot.id, at)).collect()
        });
        places.get(&id).copied()
    }

    /// Returns a census for a document whose selector is unknown: it has no faults.
    pub fn unknown() -> Self {
        Self { encrypted: 1, ..Self::default() }
    }

    fn add(&mut self, leaf: &Leaf<'_, 'd, 't>, is_selected: bool) {
        // An empty value whose line end was converted.
        if leaf.scalar.is_empty() || leaf.text() == Some("\r") {
            return;
        }
        let Leaf { key_span, span, id, scalar, .. } = *leaf;
        let spot = Spot { path: leaf.path.into(), key_span, span, id, scalar };
        let text = leaf.text().unwrap_or_default();
        let is_meant = looks_encrypted(text) || (is_selected && text.starts_with("ENC["));
        if !is_meant {
            let list = if is_selected { &mut self.plaintext } else { &mut self.unselected };
            return list.push(spot);
        }
        match EncValue::parse(text) {
            Err(error) => self.malformed.push((spot, error)),
            Ok(_) if !is_selected => self.misplaced.push(spot),
            Ok(value) => {
                self.encrypted += 1;
                if value.has_trailing_text {
                    self.trailing.push(spot);
                }
            }
        }
    }
}
