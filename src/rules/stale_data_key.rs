//! A data key that has been in use for a long time.

use super::repository::Repository;
use super::rule::{RepoRule, declare_rule};
use crate::finding::{Draft, RuleMeta};
use crate::path::RepoPath;
use crate::sops::walk::METADATA_KEY;
use crate::text::words::count;

/// Days after which sops itself thinks of rotation (`pgp/keysource.go`, `pgpTTL`, and its likes).
const OLD: u32 = 180;

declare_rule! {
    /// ## What it does
    ///
    /// Reports, once for the repository, that data keys were encrypted more than 180 days ago. It
    /// points at the oldest one. It can only check recipients whose entry has a date: those of all
    /// key services except age. sops itself considers a key due for rotation after 180 days. If
    /// `SOURCE_DATE_EPOCH` is set, in seconds since 1970, it replaces the current time.
    ///
    /// ## Why it matters
    ///
    /// If a data key stays the same for years, everyone who could decrypt the file in that time may
    /// have a copy of it. That copy still decrypts the values that are written today.
    ///
    /// ## Example
    ///
    /// Bad, in 2026:
    ///
    /// ```yaml
    /// sops:
    ///   pgp:
    ///     - created_at: "2023-02-01T10:00:00Z"
    ///       fp: 5CCF..
    /// ```
    ///
    /// ## How to fix
    ///
    /// Run `sops rotate --in-place FILE`: it makes a new data key and encrypts all values again,
    /// for the same recipients. `sops updatekeys` is not enough, because it keeps the data key.
    StaleDataKey, "stale-data-key", Info, needs Text,
    "a data key that was encrypted more than 180 days ago"
}

impl RepoRule for StaleDataKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check<'f>(&self, repository: &Repository<'f>) -> Vec<(&'f RepoPath, Draft<'f>)> {
        let due = repository.today.saturating_sub(OLD);
        let stale = repository.facts.iter().filter_map(|facts| Some((facts.oldest_stanza?, facts)));
        let stale: Vec<_> = stale.filter(|((day, _), _)| *day < due).collect();
        let Some(((day, span), oldest)) = stale.iter().min_by_key(|((day, _), _)| *day) else {
            return Vec::new();
        };
        let age = repository.today.saturating_sub(*day);
        let message = if stale.len() == 1 {
            format!("the data key of {} is at least {age} days old", oldest.path)
        } else {
            let files = count(stale.len(), "file");
            format!("{files} have a data key of more than {OLD} days; the oldest has {age} days")
        };
        let help = "run `sops rotate --in-place` on every file that is still in use";
        let draft = Draft::new(&META, *span, message)
            .at(0, Some(METADATA_KEY.to_owned()))
            .note("wrapped then")
            .help(help);
        vec![(&oldest.path, draft)]
    }
}
