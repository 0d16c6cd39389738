//! Judges one tree.

use std::collections::HashSet;

use rayon::prelude::*;

use super::conclude::{conclude, suppress};
use super::keyring;
use super::progress::Progress;
use super::run::Session;
use super::stored;
use crate::finding::Finding;
use crate::judge::{self, Context, Scope, Tally};
use crate::keys::KeyRing;
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::report::Report;
use crate::rules::{Repository, UNENCRYPTED_FILE, read_otherwise};
use crate::settings::{Settings, Verify};
use crate::source::{Files, Listing, Source, SourceError, config_above};
use crate::tree::read_config;

/// The next step where files had to be verified and could not be.
const HOW_TO_VERIFY: &str = "name a private key with SOPS_AGE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_FILE or SOPS_LINT_PGP_KEY_FILE; keys of a cloud or of Vault are not supported, and with `--verify auto` such files are listed without an error";

/// The result of a run, with the files and the policy that it was judged by.
pub struct Examined<'s> {
    /// The result.
    pub finished: Finished,
    /// The files that were judged.
    pub files: Files<'s>,
    /// Their creation rules.
    pub policy: Policy,
    /// Files with OpenPGP certificates.
    pub with_certificates: Vec<RepoPath>,
}

/// The result of a run.
pub struct Finished {
    /// The findings.
    pub report: Report,
    /// The errors that made the run incomplete, one sentence each.
    pub errors: Vec<String>,
    /// The next step after the last error.
    pub help: Option<&'static str>,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

impl Session<'_> {
    /// Judges the files of a tree, and suppresses what its baseline has. Without a key ring no file is
    /// opened.
    pub fn examine<'s>(
        &self,
        source: &'s Source,
        settings: &Settings<'_>,
        ring: Option<&KeyRing>,
    ) -> Result<Examined<'s>, SourceError> {
        let mut examined = self.judge_tree(source, settings, ring)?;
        suppress(&mut examined.finished.report, settings, Some(source));
        Ok(examined)
    }

    /// Judges the files of a tree.
    pub(super) fn judge_tree<'s>(
        &self,
        source: &'s Source,
        settings: &Settings<'_>,
        ring: Option<&KeyRing>,
    ) -> Result<Examined<'s>, SourceError> {
        let mut errors: Vec<String> = settings.unread.iter().map(ToString::to_string).collect();
        let files = Files::new(source, self.list(source, settings, &mut errors)?);
        let directories = files.listing.config_directories.iter().map(String::as_str);
        let policy = Policy::load(directories, |path| read_config(source, path))
            .below(config_above(source.root()));
        let context = Context {
            policy: &policy,
            tree: &files,
            encrypted_names: settings.file.encrypted_names.as_ref(),
            scope: Scope::Everything,
            ring,
            today: self.today,
        };
        let mut tally = self.judge(&files, context);
        let stored = stored::stored(source, &tally.findings);
        tally.forget(&stored.iter().map(|input| &input.path).collect());
        for input in &stored {
            tally.add(input, judge::file(input, context));
        }
        errors.append(&mut tally.errors);
        let with_certificates = self.judge_repository(&mut tally, &files, &policy, settings);
        judge::openers(&mut tally, &[&policy]);
        let listing = &files.listing;
        // Where a change of the settings suppresses fewer findings, it brings them into the report.
        let before = source.before_settings();
        let before = before.as_ref().map(|before| self.settings(before).file);
        let comes_up = |finding: &Finding| {
            let level = |file| self.options.selection.level(finding, file);
            before.as_ref().is_some_and(|before| level(&settings.file) > level(before))
        };
        let reports = |finding: &Finding| listing.reports_finding(finding) || comes_up(finding);
        tally.keep(reports, |path| listing.reports(path));
        let mut help = None;
        if ring.is_some() && settings.verify() == Verify::Always && !tally.unverified.is_empty() {
            errors.extend(not_verified(&tally));
            help = Some(HOW_TO_VERIFY);
        }
        let mut notes = listing.notes.clone();
        notes.extend((!stored.is_empty()).then(|| stored::remark(&stored)));
        if let Some(ring) = ring.filter(|_| !tally.unverified.is_empty()) {
            notes.extend(ring.troubles());
        }
        let mut report = conclude(tally, listing.reported(), settings, self.host.elapsed_ms());
        report.findings.retain(|finding| listing.reports_finding(finding) || comes_up(finding));
        report.summary.count(&report.findings);
        let finished = Finished { report, errors, help, notes };
        Ok(Examined { finished, files, policy, with_certificates })
    }

    fn list(
        &self,
        source: &Source,
        settings: &Settings<'_>,
        errors: &mut Vec<String>,
    ) -> Result<Listing, SourceError> {
        let options = &self.options;
        let mut listing = source.list(&options.directory, &options.paths, options.threads)?;
        errors.append(&mut listing.errors);
        if listing.files.is_empty() && !options.paths.is_empty() && !listing.is_partial {
            errors.push("the given paths contain no file to look at".to_owned());
        }
        listing.shard = options.shard;
        // After the check above: a hook may name only files that the settings exclude.
        listing.exclude(&settings.file.exclude);
        Ok(listing)
    }

    fn judge(&self, files: &Files<'_>, context: Context<'_>) -> Tally {
        let listing = &files.listing;
        let progress = Progress::start(listing.files.len(), self.options.progress);
        let judge = |mut tally: Tally, file| {
            match files.read_listed(file) {
                Ok(input) if listing.reports(&file.path) => {
                    tally.add(&input, judge::file(&input, context));
                }
                Ok(input) => tally.add(&input, judge::file(&input, context.for_facts())),
                Err(error) => tally.errors.push(format!("cannot read {}: {error}", file.path)),
            }
            progress.advance();
            tally
        };
        self.in_parallel(|| {
            let files = listing.files.par_iter();
            files.fold(Tally::default, judge).reduce(Tally::default, Tally::join)
        })
    }

    /// Adds what the rules about the repository find. Returns the files with OpenPGP certificates.
    fn judge_repository(
        &self,
        tally: &mut Tally,
        files: &Files<'_>,
        policy: &Policy,
        settings: &Settings<'_>,
    ) -> Vec<RepoPath> {
        let read = |path: &RepoPath| {
            let input = files.input(path);
            input.and_then(|input| input.content.into_bytes()).unwrap_or_default()
        };
        let recipients = keyring::recipients(&tally.facts, policy);
        tally.with_certificates.sort_unstable();
        let certificates = self.in_parallel(|| {
            keyring::certificates(&tally.with_certificates, read, &recipients, self.host)
        });
        let listed: Vec<&RepoPath> = files.listing.files.iter().map(|file| &file.path).collect();
        let repository = Repository {
            facts: &tally.facts,
            files: &listed,
            policy,
            is_whole: files.listing.is_whole,
            today: self.today,
            certificates: &certificates,
            trusted_endpoints: &settings.file.trusted_endpoints,
        };
        let findings = judge::repository(repository, read);
        // Of two findings about one file the one with the right command stays, if it is reported.
        let read_otherwise = read_otherwise(&repository);
        let is_reported =
            |finding: &&Finding| self.options.selection.level(finding, &settings.file).is_some();
        let about =
            findings.iter().filter(is_reported).filter_map(|finding| finding.about.as_ref());
        let replaced: HashSet<RepoPath> =
            about.filter(|path| read_otherwise.contains(path)).cloned().collect();
        tally.findings.retain(|finding| {
            finding.rule.id != UNENCRYPTED_FILE.id || !replaced.contains(&finding.place.path)
        });
        tally.findings.extend(findings);
        certificates.files()
    }
}

/// Says why files could not be verified though they had to be.
fn not_verified(tally: &Tally) -> Vec<String> {
    const SHOWN: usize = 10;
    let files = tally.unverified.iter().take(SHOWN);
    let mut errors: Vec<String> =
        files.map(|file| format!("cannot verify {}: {}", file.path, file.reason)).collect();
    if tally.unverified.len() > SHOWN {
        let more = tally.unverified.len() - SHOWN;
        errors.push(format!("cannot verify {more} more files (-v lists them)"));
    }
    errors
}
