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
    /// Reports, once for the repository, that files have recipients whose date (`created_at`) is
    /// more than 180 days old. It points at the oldest one. All key services except age write this
    /// date. sops writes it when it adds the recipient, and `sops rotate` keeps it. sops itself
    /// considers a key due for rotation after 180 days. If `SOURCE_DATE_EPOCH` is set, in seconds
    /// since 1970, it replaces the current time.
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
    /// Run `sops decrypt --in-place FILE`, then `sops encrypt --in-place FILE`, and commit only
    /// after the second command: this makes a new data key and new dates.
    /// `sops rotate --in-place FILE` also makes a new data key, but keeps the old dates, so the
    /// finding remains. `sops updatekeys` keeps the data key.
    StaleDataKey, "stale-data-key", Info, needs Text,
    "a recipient that was added to a file more than 180 days ago"
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
            format!("{} has a recipient that was added {age} days ago", oldest.path)
        } else {
            let files = count(stale.len(), "file");
            format!(
                "{files} have a recipient that was added more than {OLD} days ago; the oldest {age} days ago"
            )
        };
        let help = "if the data keys were not renewed since, decrypt every file that is still in use with `sops decrypt --in-place`, and encrypt it again with `sops encrypt --in-place`: `sops rotate` renews the data key too, but keeps the date";
        let draft = Draft::new(&META, *span, message)
            .at(0, Some(METADATA_KEY.to_owned()))
            .note("added then")
            .help(help);
        vec![(&oldest.path, draft)]
    }
}
