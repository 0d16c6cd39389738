//! Changes that would resolve findings.

use crate::document::splice::Edit;
use crate::path::RepoPath;

/// A change that would resolve a finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fix {
    /// The change.
    #[serde(rename = "kind", serialize_with = "Remedy::serialize_name")]
    pub remedy: Remedy,
    /// True if `fix` may apply it without asking.
    pub safe: bool,
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Encrypt the file as its creation rule demands.
    Encrypt,
    /// Replace text in the file that is not secret.
    Edit(Edit),
    /// Rename the file.
    Rename(RepoPath),
    /// Tell git to ignore the file.
    Ignore,
}

impl Fix {
    /// Encrypts the file. A person has to decide, because the old content may be known already.
    pub fn encrypt() -> Self {
        Self { remedy: Remedy::Encrypt, safe: false }
    }

    /// Applies a change that cannot do harm.
    pub fn safe(remedy: Remedy) -> Self {
        Self { remedy, safe: true }
    }

    /// Applies a change that the author may not want.
    pub fn uncertain(remedy: Remedy) -> Self {
        Self { remedy, safe: false }
    }
}

impl Remedy {
    /// Returns its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Edit(_) => "edit",
            Self::Rename(_) => "rename",
            Self::Ignore => "ignore",
        }
    }

    fn serialize_name<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
