//! The traits of rules, and the macro that declares one.

use std::fmt;

use super::repository::Repository;
use super::subject::Subject;
use crate::finding::{Draft, Drafts, RuleMeta};
use crate::path::RepoPath;

/// A rule that judges one file.
pub trait FileRule: Sync + fmt::Debug {
    /// Returns its static facts.
    fn meta(&self) -> &'static RuleMeta;

    /// Returns true if the rule would report damage where sops splits the file into other lines than
    /// sops-lint does.
    fn relies_on_lines(&self) -> bool {
        false
    }

    /// Adds a draft for each fault in the file.
    fn check<'s>(&self, subject: &Subject<'s>, drafts: &mut Drafts<'s>);
}

/// A rule that judges the repository, from the facts about all its files.
pub trait RepoRule: Sync + fmt::Debug {
    /// Returns its static facts.
    fn meta(&self) -> &'static RuleMeta;

    /// Returns a draft for each fault in the repository, with the path of the file it belongs to.
    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)>;
}

/// Declares a rule. Its doc comment is its manual. A rule about faults that endanger a secret names
/// the risk before the summary, as in `Leak(90),` or `Weakness(50),`; see [`crate::finding::Risk`].
macro_rules! declare_rule {
    (risk) => { crate::finding::Risk::Unrated };
    (risk $risk:ident($tenths:literal)) => { crate::finding::Risk::$risk($tenths) };
    (
        $(#[doc = $line:literal])+
        $name:ident, $id:literal, $level:ident, needs $needs:ident,
        $($risk:ident($tenths:literal),)? $summary:literal
    ) => {
        $(#[doc = $line])+
        #[derive(Debug)]
        pub(super) struct $name;

        declare_rule! {
            $(#[doc = $line])+ $id, $level, needs $needs, $($risk($tenths),)? $summary
        }
    };
    (
        $(#[doc = $line:literal])+
        $id:literal, $level:ident, needs $needs:ident,
        $($risk:ident($tenths:literal),)? $summary:literal
    ) => {
        $(#[doc = $line])+
        pub(super) static META: crate::finding::RuleMeta = crate::finding::RuleMeta {
            id: crate::finding::RuleId::new($id),
            level: crate::finding::Level::$level,
            needs: crate::finding::Needs::$needs,
            risk: declare_rule!(risk $($risk($tenths))?),
            summary: $summary,
            manual: concat!($($line, "\n"),+),
        };
    };
}
pub(super) use declare_rule;
