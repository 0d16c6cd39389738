//! The numbers of a run.

use crate::finding::{Finding, Level};

/// The numbers of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Files that were judged.
    pub files: usize,
    /// Kubernetes Secrets in them.
    pub secrets: usize,
    /// Files that SOPS encrypted.
    pub encrypted_files: usize,
    /// Encrypted files with the right MAC.
    pub verified: usize,
    /// Encrypted files that could be opened and failed verification; findings explain why.
    pub refused: usize,
    /// Encrypted files whose MAC was not compared.
    pub unverified: usize,
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level info.
    pub infos: usize,
    /// Findings that the settings ignore.
    pub ignored: usize,
    /// Findings that the baseline suppresses.
    pub in_baseline: usize,
    /// Entries of the baseline without a finding; 0 if only a part of the tree was judged.
    pub gone_from_baseline: usize,
    /// Duration of the run in milliseconds.
    pub duration_ms: u64,
}

impl Summary {
    /// Sets the number of findings of each level.
    pub fn count(&mut self, findings: &[Finding]) {
        let of = |level| findings.iter().filter(|finding| finding.level == level).count();
        self.errors = of(Level::Error);
        self.warnings = of(Level::Warning);
        self.infos = of(Level::Info);
    }
}
