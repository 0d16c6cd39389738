//! Recipients of every key service: reading the canonical form again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::keys::{KEY_SERVICES, Sameness, split_flat};

fuzz_target!(|text: &str| {
    for service in KEY_SERVICES {
        for (offset, piece) in split_flat(text) {
            assert_eq!(&text[offset..offset + piece.len()], piece);
            if let Ok(identity) = service.parse(piece) {
                let again = service.parse(&identity.id).expect("the canonical form is a recipient");
                assert_eq!(again.id, identity.id);
                assert_eq!(service.compare(&identity, &again), Sameness::Same);
            }
        }
    }
});
