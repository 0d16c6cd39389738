//! The result of judging one file.

use crate::finding::Finding;
use crate::rules::Facts;
use crate::tree::Dependency;

/// The result for one file. It stays valid as long as the file's bytes, the context and the answers
/// in `depends_on` are the same.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In the order of the rules.
    pub findings: Vec<Finding>,
    /// The facts for repository rules; `None` for a file that has nothing to do with secrets.
    pub facts: Option<Facts>,
    /// The recipients in its metadata, in their canonical form.
    pub recipients: Vec<String>,
    /// True if the file may have OpenPGP certificates.
    pub has_certificate: bool,
    /// The reason why the file was not judged, if it should have been.
    pub skipped: Option<&'static str>,
    /// The result of comparing the MAC; `None` if the file is not encrypted.
    pub verification: Option<Verification>,
    /// The questions about the tree, with their answers, in the order in which they were asked.
    pub depends_on: Vec<Dependency>,
}

/// The result of comparing the MAC of an encrypted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The MAC is valid.
    Verified,
    /// The file failed verification; a finding says why.
    Refused,
    /// The MAC was not compared, and why: lower case, no full stop.
    Skipped(String),
}
