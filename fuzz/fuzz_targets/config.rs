//! `.sops.yaml`, and the rule that governs a path; the same bytes as `.sops-lint.yaml`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sops_lint::policy::Config;
use sops_lint::settings::SettingsFile;

fuzz_target!(|bytes: &[u8]| {
    let config = Config::read(".sops.yaml".into(), bytes.to_vec());
    let governing = config.governing(&"secrets/a.sops.yaml".into());
    let _ = governing.aim(&"secrets/a.sops.yaml".into());
    for problem in &config.problems {
        assert!(problem.span.start <= problem.span.end && problem.span.end <= bytes.len());
    }
    let settings = SettingsFile::read(".sops-lint.yaml".into(), bytes.to_vec(), 0);
    for problem in &settings.problems {
        assert!(problem.span.start <= problem.span.end && problem.span.end <= bytes.len());
    }
    let _ = settings.findings(&settings.ignores.iter().collect::<Vec<_>>());
});
