//! The results of many files, added up.

use std::collections::{BTreeMap, HashSet};

use super::outcome::{Outcome, Verification};
use crate::finding::Finding;
use crate::input::Input;
use crate::path::RepoPath;
use crate::rules::Facts;

/// The results of many files, in the order of the files.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// All findings.
    pub findings: Vec<Finding>,
    /// The facts for the rules about the repository.
    pub facts: Vec<Facts>,
    /// The recipients of encrypted files, each with the first file that has it.
    pub recipients: BTreeMap<String, RepoPath>,
    /// Files that may have OpenPGP certificates.
    pub with_certificates: Vec<RepoPath>,
    /// Files that were not judged, and why.
    pub skipped: Vec<Skipped>,
    /// Encrypted files whose MAC was not compared, and why.
    pub unverified: Vec<Skipped>,
    /// The number of encrypted files whose MAC is valid.
    pub verified: usize,
    /// The number of encrypted files that failed verification.
    pub refused: usize,
    /// The numbers of files whose facts were dropped.
    pub counts: Counts,
    /// Files that could not be read, one sentence each.
    pub errors: Vec<String>,
}

/// A file, and why something was not done with it: lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: RepoPath,
    /// The reason.
    pub reason: String,
}

/// The numbers that a summary reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Kubernetes Secrets.
    pub secrets: usize,
    /// Files that SOPS encrypted.
    pub encrypted_files: usize,
}

impl Counts {
    fn add(&mut self, facts: &Facts) {
        self.secrets += facts.secrets;
        self.encrypted_files += usize::from(facts.is_encrypted);
    }
}

impl Tally {
    /// Adds the result of one file.
    pub fn add(&mut self, input: &Input, outcome: Outcome) {
        let skipped = |reason| Skipped { path: input.path.clone(), reason };
        self.findings.extend(outcome.findings);
        self.facts.extend(outcome.facts);
        for recipient in outcome.recipients {
            self.recipients.entry(recipient).or_insert_with(|| input.path.clone());
        }
        self.with_certificates.extend(outcome.has_certificate.then(|| input.path.clone()));
        self.skipped.extend(outcome.skipped.map(|reason| skipped(reason.to_owned())));
        match outcome.verification {
            Some(Verification::Verified) => self.verified += 1,
            Some(Verification::Refused) => self.refused += 1,
            Some(Verification::Skipped(reason)) => self.unverified.push(skipped(reason)),
            None => {}
        }
    }

    /// Drops the results of these files, which were not opened.
    pub fn forget(&mut self, files: &HashSet<&RepoPath>) {
        self.keep(|finding| !files.contains(&finding.place.path), |path| !files.contains(path));
    }

    /// Adds the result of one file and drops its facts. No repository rule runs over history, and the
    /// facts of every file in it would fill the memory.
    pub fn add_without_facts(&mut self, input: &Input, mut outcome: Outcome) {
        if let Some(facts) = outcome.facts.take() {
            self.counts.add(&facts);
        }
        self.add(input, outcome);
    }

    /// Appends the results of the files that follow.
    pub fn join(mut self, other: Self) -> Self {
        self.findings.extend(other.findings);
        self.facts.extend(other.facts);
        for (recipient, path) in other.recipients {
            self.recipients.entry(recipient).or_insert(path);
        }
        self.with_certificates.extend(other.with_certificates);
        self.skipped.extend(other.skipped);
        self.unverified.extend(other.unverified);
        self.verified += other.verified;
        self.refused += other.refused;
        self.counts.secrets += other.counts.secrets;
        self.counts.encrypted_files += other.counts.encrypted_files;
        self.errors.extend(other.errors);
        self
    }

    /// Drops what is said of files that were judged only for what they say about others.
    pub fn keep(
        &mut self,
        reports_finding: impl Fn(&Finding) -> bool,
        reports: impl Fn(&RepoPath) -> bool,
    ) {
        self.findings.retain(reports_finding);
        self.facts.retain(|facts| reports(&facts.path));
        self.skipped.retain(|skipped| reports(&skipped.path));
        self.unverified.retain(|skipped| reports(&skipped.path));
    }

    /// Returns the numbers of all files.
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts;
        self.facts.iter().for_each(|facts| counts.add(facts));
        counts
    }
}
