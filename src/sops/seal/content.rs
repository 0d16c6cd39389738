//! The content of a document, decrypted with its data key. Two documents with equal contents are equal for
//! everyone who has the key.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::document::{Document, Scalar};
use crate::sops::cipher::{Cipher, Opened, kind_of, signed_bytes};
use crate::sops::selector::Selector;
use crate::sops::value::EncValue;
use crate::sops::walk::{Stop, additional_data, stops};

/// Returns values and comments in file order. With a cipher, it decrypts those that the selector covers;
/// `None` if one is not encrypted or does not open.
pub(super) fn contents(
    document: &Document<'_>,
    selector: &Selector,
    cipher: Option<&Cipher>,
) -> Option<Vec<Content>> {
    let mut contents = Some(Vec::new());
    stops(document, selector, &mut |stop| {
        match stop {
            // INI has them between joined lines of a comment.
            Stop::Remark(remark) if remark.comment.text.is_empty() => return,
            // An unencrypted one may belong to another map once the metadata follow it, which is harmless.
            Stop::Remark(remark) if !remark.is_selected => return,
            // An empty document becomes one with only metadata.
            Stop::Leaf(leaf) if leaf.path.is_empty() => return,
            _ => {}
        }
        match (&mut contents, Content::of(stop, cipher)) {
            (Some(all), Some(content)) => all.push(content),
            // An encrypted one that now belongs to another map does not open, and differs from all others.
            (Some(all), None) if matches!(stop, Stop::Remark(_)) => all.push(Content {
                place: String::new(),
                kind: Some("comment".to_owned()),
                is_selected: false,
                bytes: Zeroizing::default(),
            }),
            _ => contents = None,
        }
    });
    contents
}

/// A value or a comment, with its path and its content.
#[derive(Clone, PartialEq)]
pub(super) struct Content {
    place: String,
    kind: Option<String>,
    is_selected: bool,
    bytes: Zeroizing<Vec<u8>>,
}

impl Content {
    /// Parts values and comments. The metadata that follow a comment can change its place, and it opens at
    /// its place: so that is left out.
    pub(super) fn apart(all: Vec<Self>) -> (Vec<Self>, Vec<Self>) {
        let is_comment = |content: &Self| content.kind.as_deref() == Some("comment");
        let (comments, values): (Vec<_>, Vec<_>) = all.into_iter().partition(is_comment);
        let without_place = |comment| Self { place: String::new(), ..comment };
        (values, comments.into_iter().map(without_place).collect())
    }

    /// Returns the content of a value. With a cipher, it decrypts selected ones.
    fn of(stop: &Stop<'_, '_, '_>, cipher: Option<&Cipher>) -> Option<Self> {
        let (path, scalar, is_selected) = match stop {
            Stop::Leaf(leaf) => (leaf.path, Cow::Borrowed(leaf.scalar), leaf.is_selected),
            Stop::Remark(remark) => {
                let text = Scalar::Str(Cow::Borrowed(&*remark.comment.text));
                (remark.path, Cow::Owned(text), remark.is_selected)
            }
        };
        let mut kind =
            if matches!(stop, Stop::Leaf(_)) { kind_of(&scalar) } else { Some("comment") };
        let text = signed_bytes(&scalar).unwrap_or_default();
        let bytes = if let Scalar::Bytes(bytes) = &*scalar { bytes } else { text.as_bytes() };
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let place = additional_data(path);
        let cipher = cipher.filter(|_| is_selected && !scalar.is_empty());
        if let Some(cipher) = cipher {
            kind = Some(EncValue::parse(&text).ok()?.kind);
            let (Opened::Value(value) | Opened::Comment(value)) =
                cipher.open(&text, &place).ok()?;
            bytes = Zeroizing::new(value.expose().to_vec());
        }
        Some(Self { place, kind: kind.map(str::to_owned), is_selected, bytes })
    }
}
