//! A whole file under a config, from bytes to findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::input::{Content, Input};
use sops_lint::inspect::{Surroundings, inspect};
use sops_lint::policy::Policy;

const NAMES: [&str; 8] = [
    "a.yaml",
    "a.json",
    "a.sops.yaml",
    "b/.sops.yaml",
    "a.env",
    "a.ini",
    "templates/a.yaml",
    "key",
];

fuzz_target!(|input: (u8, &[u8], &[u8])| {
    let (name, bytes, config) = input;
    let path = NAMES[usize::from(name) % NAMES.len()].into();
    let policy = Policy::load(["", "b"], |path| {
        Some(if path.as_str() == "b/.sops.yaml" { bytes } else { config }.to_vec())
    });
    let exists = |_: &_| false;
    let input = Input { path, content: Content::new(bytes.to_vec()) };
    let surroundings = Surroundings {
        before: None,
        is_gone: false,
        policy: &policy,
        exists: &exists,
        encrypted_names: None,
        twins: &Default::default(),
        today: 20_634,
    };
    for finding in inspect(&input, surroundings).findings {
        assert!(finding.place.start <= finding.place.end);
        let _ = finding.fingerprint();
    }
});
