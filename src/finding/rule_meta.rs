//! The static facts of rules.

use std::fmt;

use super::level::Level;

/// The id of a rule, such as `unencrypted-secret`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct RuleId(&'static str);

impl RuleId {
    /// Makes an id of its text.
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// Returns the text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// The input that a rule needs, besides the file itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// Nothing else.
    Text,
    /// The governing `.sops.yaml`.
    Policy,
    /// The version before the change.
    Change,
    /// A private key.
    Keys,
}

/// The risk of a finding, with its CVSS score times ten. GitHub shows scores from 90 as critical, from
/// 70 as high, and from 40 as medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// A fault that exposes no secret.
    Unrated,
    /// Secrets are less safe than they should be, or may be lost.
    Weakness(u32),
    /// The file exposes a secret. Once published, a secret stays public, so these rules also check
    /// files that are no longer at `HEAD`.
    Leak(u32),
}

/// The static facts of a rule.
#[derive(Debug)]
pub struct RuleMeta {
    /// The id in kebab case, which names the fault.
    pub id: RuleId,
    /// The level of most of its findings. A finding may have a lower one.
    pub level: Level,
    /// The input that it needs.
    pub needs: Needs,
    /// The risk for the owners of the secrets.
    pub risk: Risk,
    /// One line for the list of rules.
    pub summary: &'static str,
    /// The manual in Markdown: what it does, why it matters, an example, how to fix.
    pub manual: &'static str,
}

impl RuleMeta {
    /// Returns the summary with a capital letter at the start. It has no full stop.
    pub fn title(&self) -> String {
        let mut chars = self.summary.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    }

    /// Returns the manual without the space that follows the slashes of a doc comment.
    pub fn text(&self) -> String {
        let lines = self.manual.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }
}
