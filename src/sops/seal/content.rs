//! What stands in a document, read with the data key: two documents with the same contents are the same
//! to whoever has it.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::document::{Document, Scalar};
use crate::sops::cipher::{Cipher, Opened, kind_of, signed_bytes};
use crate::sops::selector::Selector;
use crate::sops::value::EncValue;
use crate::sops::walk::{Stop, additional_data, stops};

/// Values and comments in file order. With a cipher what the selector covers is decrypted; `None` if some
/// of that is not encrypted, or does not open.
pub(super) fn contents(
    document: &Document<'_>,
    selector: &Selector,
    cipher: Option<&Cipher>,
) -> Option<Vec<Content>> {
    let mut contents = Some(Vec::new());
    stops(document, selector, &mut |stop| {
        match stop {
            // INI has them where lines of a comment were joined.
            Stop::Remark(remark) if remark.comment.text.is_empty() => return,
            // One that stays readable may belong to another map once the metadata follow it, and nothing
            // hangs on that.
            Stop::Remark(remark) if !remark.is_selected => return,
            // An empty document becomes one that has metadata alone.
            Stop::Leaf(leaf) if leaf.path.is_empty() => return,
            _ => {}
        }
        match (&mut contents, Content::of(stop, cipher)) {
            (Some(all), Some(content)) => all.push(content),
            // One that belongs to another map now opens no more, and is different from all.
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

/// A value or a comment, where it stands, and what it is.
#[derive(PartialEq)]
pub(super) struct Content {
    place: String,
    kind: Option<String>,
    is_selected: bool,
    bytes: Zeroizing<Vec<u8>>,
}

impl Content {
    /// Reports whether it is no comment.
    pub(super) fn is_value(&self) -> bool {
        self.kind.as_deref() != Some("comment")
    }

    /// With a cipher what is selected is decrypted.
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
