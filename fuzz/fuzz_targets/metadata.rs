//! Parses the `sops` block of a file, and opens the file with private keys. The first byte chooses the
//! format.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sops_lint::document::{Document, FORMATS};
use sops_lint::host::Host;
use sops_lint::keys::{Effort, KEY_SERVICES, KeyRing, Sameness};
use sops_lint::sops::envelope;
use sops_lint::sops::metadata::{self, Found};
use sops_lint::sops::open;

/// The keys that the environment names: `README.md` says which.
static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let host = Host::new().expect("there is a current directory");
    let ring = KeyRing::new(KEY_SERVICES, host, Effort::Quiet);
    assert!(ring.of(KEY_SERVICES[0]).is_some(), "SOPS_AGE_KEY_FILE has to name an age identity");
    ring
});

fuzz_target!(|bytes: &[u8]| {
    let Some((format, bytes)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = FORMATS[usize::from(*format) % FORMATS.len()].parse(text);
    let mut blocks = Vec::new();
    for document in &parsed.documents {
        envelope::for_each_stanza(document, &mut |service, stanza| {
            let _ = service.parse_stanza(stanza);
        });
        let Found::Metadata(block) = metadata::find(document) else { continue };
        for problem in &block.problems {
            assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len());
        }
        for recipient in block.recipe.recipients() {
            assert!(recipient.span.end <= text.len());
            assert_eq!(recipient.compare(recipient), Sameness::Same);
            let _ = recipient.to_string();
        }
        blocks.push(block);
    }
    let envelope = parsed.documents.first().and_then(envelope::read);
    if let (Some(block), Some(envelope)) = (blocks.first(), envelope) {
        let documents: Vec<&Document<'_>> = parsed.documents.iter().collect();
        let _ = open::open(&documents, block, &envelope, &RING);
    }
});
