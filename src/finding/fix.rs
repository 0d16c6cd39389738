//! Changes that would resolve findings.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::document::splice::Edit;
use crate::path::RepoPath;
use crate::text::Span;
use crate::text::printable::{clean, shorten};

/// The selector of the values of Secrets, as a line of a creation rule.
pub const SELECTOR: &str = "encrypted_regex: ^(data|stringData)$";

/// A change that would resolve a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The change.
    pub remedy: Remedy,
    /// Whether it is applied without `--unsafe`.
    pub applicability: Applicability,
}

/// Whether a change is applied without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applicability {
    /// It does what the file or its creation rule already demands: `fix` applies it.
    Safe,
    /// It may not be what the author means: only `fix --unsafe` applies it.
    Unsafe,
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Encrypt the file as its creation rule demands.
    Encrypt,
    /// Replace text in the file that is not secret.
    Edit(Edit),
    /// Let the creation rule with a key or a `path_regex` at this place encrypt nothing but the values of
    /// Secrets. It has no selector yet.
    AddSelector(Span),
    /// Rename the file.
    Rename(RepoPath),
    /// Tell git to ignore the file.
    Ignore,
}

impl Fix {
    /// Encrypts the file as its creation rule demands, which takes public keys only.
    pub fn encrypt() -> Self {
        Self::safe(Remedy::Encrypt)
    }

    /// Applies a change that cannot do harm.
    pub fn safe(remedy: Remedy) -> Self {
        Self { remedy, applicability: Applicability::Safe }
    }

    /// Applies a change that the author may not want.
    pub fn uncertain(remedy: Remedy) -> Self {
        Self { remedy, applicability: Applicability::Unsafe }
    }

    /// Returns true if `fix` applies it without `--unsafe`.
    pub fn is_safe(&self) -> bool {
        self.applicability == Applicability::Safe
    }
}

/// Reports get the kind of change, what it does, and whether it is safe.
impl Serialize for Fix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fix = serializer.serialize_struct("Fix", 4)?;
        fix.serialize_field("kind", self.remedy.name())?;
        fix.serialize_field("title", &self.remedy.title())?;
        fix.serialize_field("applicability", self.applicability.name())?;
        fix.serialize_field("safe", &self.is_safe())?;
        fix.end()
    }
}

impl Applicability {
    /// Returns its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

impl Remedy {
    /// Returns its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Edit(_) | Self::AddSelector(_) => "edit",
            Self::Rename(_) => "rename",
            Self::Ignore => "ignore",
        }
    }

    /// Says what it does, in the imperative.
    pub fn title(&self) -> String {
        const LONGEST: usize = 80;
        let shown =
            |text: &str| shorten(clean(text.trim()).into_owned().into(), LONGEST).into_owned();
        match self {
            Self::Encrypt => "encrypt the file as its creation rule demands".to_owned(),
            Self::Edit(edit) if edit.span.is_empty() => format!("add `{}`", shown(&edit.text)),
            Self::Edit(edit) => format!("write `{}` instead", shown(&edit.text)),
            Self::AddSelector(_) => format!("add `{SELECTOR}`"),
            Self::Rename(path) => format!("rename the file to {path}"),
            Self::Ignore => "add the file to .gitignore".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_says_what_it_does_and_whether_it_is_safe() {
        let edit = |span, text: &str| Remedy::Edit(Edit::new(span, text));
        for (fix, written) in [
            (
                Fix::encrypt(),
                r#"{"kind":"encrypt","title":"encrypt the file as its creation rule demands","applicability":"safe","safe":true}"#,
            ),
            (
                Fix::uncertain(edit(Span::new(1, 3), "^(data|stringData)$")),
                r#"{"kind":"edit","title":"write `^(data|stringData)$` instead","applicability":"unsafe","safe":false}"#,
            ),
            (
                Fix::safe(edit(Span::at(1), "\n    x: y\u{202e}")),
                r#"{"kind":"edit","title":"add `x: y\\u{202e}`","applicability":"safe","safe":true}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&fix).expect("JSON"), written);
        }
    }
}
