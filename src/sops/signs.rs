//! Signs of a data key: texts that two files share only if they have the same data key.
//!
//! A ciphertext has a random nonce, and its tag depends on the data key; an encrypted data key is random,
//! too. `sops updatekeys` keeps the ciphertexts of all values and the MAC, and encrypts the data key anew.
//! `sops edit` and `sops set` keep the encrypted data keys, and encrypt the MAC and changed values anew.
//! `sops rotate` keeps neither: it keeps the nonces, but the tags are others.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::envelope;
use super::selector::Selector;
use super::value::Parts;
use super::walk;
use crate::document::Document;

/// The beginning of the hash of a text. A history has millions of them.
pub type Sign = u64;

/// The maximum number of signs of one file. A few suffice.
const MAX_SIGNS: usize = 10_000;

/// Returns the signs of the data key of a file.
pub fn signs(documents: &[&Document<'_>]) -> HashSet<Sign> {
    let mut signs = HashSet::new();
    let envelope = documents.first().and_then(|document| envelope::read(document));
    if let Some(envelope) = envelope {
        let keys = envelope.groups.iter().flatten().map(|stanza| stanza.enc.trim());
        let texts = keys.chain([&*envelope.mac]).filter(|text| !text.is_empty());
        signs.extend(texts.map(sign));
    }
    for document in documents {
        walk::leaves(document, &Selector::default(), &mut |leaf| {
            let Some(text) = leaf.text().filter(|_| signs.len() < MAX_SIGNS) else { return };
            if let Ok(Parts { data, iv, tag, .. }) = Parts::of(text) {
                // The place is signed, so a copy elsewhere proves nothing.
                let place = walk::additional_data(leaf.path);
                signs.insert(sign(&[&*place, data, iv, tag].join("\n")));
            }
        });
    }
    signs
}

fn sign(text: &str) -> Sign {
    let hash = Sha256::digest(text);
    hash.iter().take(size_of::<Sign>()).fold(0, |sign, byte| sign << 8 | Sign::from(*byte))
}
