//! `.sops.yaml`, and who governs a path under it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::policy::Config;

fuzz_target!(|bytes: &[u8]| {
    let config = Config::read(".sops.yaml".into(), bytes.to_vec());
    let governing = config.governing(&"secrets/a.sops.yaml".into());
    let _ = governing.aim(&"secrets/a.sops.yaml".into());
    for problem in &config.problems {
        assert!(problem.span.start <= problem.span.end && problem.span.end <= bytes.len());
    }
});
