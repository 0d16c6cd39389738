//! One version of an encrypted file, as far as it takes to find others with the same data key.

use std::collections::{BTreeSet, HashSet};

use super::parse::parse_earlier;
use crate::document::Document;
use crate::input::Input;
use crate::sops::metadata::{self, Found};
use crate::sops::signs::{Sign, signs};

/// A version of an encrypted file. It holds no value.
#[derive(Debug)]
pub struct Version {
    /// The signs of its data key.
    pub signs: HashSet<Sign>,
    /// Its recipients, in their canonical form.
    pub recipients: BTreeSet<String>,
}

/// Reads a version of a file; `None` if it is not encrypted.
pub fn version(input: &Input) -> Option<Version> {
    let parsed = parse_earlier(input)?;
    let Found::Metadata(metadata) = metadata::find(parsed.documents.first()?) else { return None };
    let recipients = metadata.recipe.recipients().map(|one| one.identity.id.clone()).collect();
    let documents: Vec<&Document<'_>> = parsed.documents.iter().collect();
    Some(Version { signs: signs(&documents), recipients })
}
