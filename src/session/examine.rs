//! Judges one tree.

use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;

use super::conclude::{conclude, suppress};
use super::keyring;
use super::progress::Progress;
use super::run::Session;
use super::stored;
use crate::finding::Finding;
use crate::input::{Content, Input};
use crate::judge::{self, Context, Outcome, Scope, Tally};
use crate::keys::KeyRing;
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::report::Report;
use crate::rules::{Repository, UNENCRYPTED_FILE, read_otherwise};
use crate::settings::{Settings, Verify};
use crate::source::{Files, Listed, Listing, Source, SourceError, config_above};
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
    /// The results of single files, before the rules about the repository.
    each: Each,
}

/// What single files show.
#[derive(Clone, Default)]
struct Each {
    tally: Tally,
    errors: Vec<String>,
    notes: Vec<String>,
    /// Files whose content is not the source's.
    changed: BTreeMap<RepoPath, Content>,
}

/// The result of a run.
#[derive(Default)]
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

impl Examined<'_> {
    /// Reports whether SOPS encrypted a file. Only for what [`Session::examine_before_changes`] returns.
    pub fn is_encrypted(&self, path: &RepoPath) -> bool {
        let mut facts = self.each.tally.facts.iter();
        facts.any(|facts| facts.path == *path && facts.is_encrypted)
    }

    /// Reports whether something was found in a file and is not in the report. The same restriction applies.
    pub fn has_suppressed(&self, path: &RepoPath) -> bool {
        let is_there = |finding: &Finding| finding.place.path == *path;
        self.each.tally.findings.iter().any(is_there)
            && !self.finished.report.findings.iter().any(is_there)
    }
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
        let mut examined = self.begin(source, settings, ring)?;
        let each = std::mem::take(&mut examined.each);
        self.judge_all(&mut examined, each, settings, ring);
        Ok(examined)
    }

    /// Examines a tree so that [`Session::examine_changes`] can follow.
    pub fn examine_before_changes<'s>(
        &self,
        source: &'s Source,
        settings: &Settings<'_>,
        ring: Option<&KeyRing>,
    ) -> Result<Examined<'s>, SourceError> {
        let mut examined = self.begin(source, settings, ring)?;
        let each = examined.each.clone();
        self.judge_all(&mut examined, each, settings, ring);
        suppress(&mut examined.finished.report, settings, Some(source));
        Ok(examined)
    }

    /// Judges these files again, with their new content, and all files if a config is among them. No file is new or
    /// has another name.
    pub fn examine_changes(
        &self,
        examined: &mut Examined<'_>,
        changed: Vec<Input>,
        settings: &Settings<'_>,
        ring: Option<&KeyRing>,
    ) {
        let mut each = std::mem::take(&mut examined.each);
        if changed.iter().any(|input| examined.policy.config(&input.path).is_some()) {
            each.changed = changed.into_iter().map(|input| (input.path, input.content)).collect();
            examined.policy = policy(&examined.files, &each.changed);
            self.judge_each(&examined.files, &examined.policy, &mut each, (settings, ring));
        } else {
            let context = self.context(&examined.files, &examined.policy, settings, ring);
            let outcomes: Vec<Outcome> = self.in_parallel(|| {
                changed.par_iter().map(|input| judge::file(input, context)).collect()
            });
            each.tally.forget(&changed.iter().map(|input| &input.path).collect());
            for (input, outcome) in changed.into_iter().zip(outcomes) {
                each.tally.add(&input, outcome);
                each.changed.insert(input.path, input.content);
            }
            each.tally.facts.sort_by(|one, other| one.path.cmp(&other.path));
        }
        self.judge_all(examined, each, settings, ring);
        suppress(&mut examined.finished.report, settings, Some(examined.files.source));
    }

    /// Lists the files, and judges each by itself.
    fn begin<'s>(
        &self,
        source: &'s Source,
        settings: &Settings<'_>,
        ring: Option<&KeyRing>,
    ) -> Result<Examined<'s>, SourceError> {
        let mut errors: Vec<String> = settings.unread.iter().map(ToString::to_string).collect();
        let files = Files::new(source, self.list(source, settings, &mut errors)?);
        let notes = files.listing.notes.clone();
        let mut each = Each { errors, notes, ..Each::default() };
        let policy = policy(&files, &each.changed);
        self.judge_each(&files, &policy, &mut each, (settings, ring));
        each.errors.append(&mut each.tally.errors);
        let (finished, with_certificates) = (Finished::default(), Vec::new());
        Ok(Examined { finished, files, policy, with_certificates, each })
    }

    /// Judges each file by itself.
    fn judge_each(
        &self,
        files: &Files<'_>,
        policy: &Policy,
        each: &mut Each,
        (settings, ring): (&Settings<'_>, Option<&KeyRing>),
    ) {
        let context = self.context(files, policy, settings, ring);
        let mut tally = self.judge(files, &each.changed, context);
        let stored = stored::stored(files.source, &tally.findings);
        tally.forget(&stored.iter().map(|input| &input.path).collect());
        for input in &stored {
            tally.add(input, judge::file(input, context));
        }
        let note = (!stored.is_empty()).then(|| stored::remark(&stored));
        each.notes.extend(note.filter(|note| !each.notes.contains(note)));
        each.tally = tally;
    }

    /// Adds what the files show together, and writes the report.
    fn judge_all(
        &self,
        examined: &mut Examined<'_>,
        each: Each,
        settings: &Settings<'_>,
        ring: Option<&KeyRing>,
    ) {
        let Each { mut tally, mut errors, mut notes, changed } = each;
        let Examined { files, policy, .. } = &*examined;
        let read = |path: &RepoPath| {
            let content = match changed.get(path) {
                Some(content) => Some(content.clone()),
                None => files.input(path).map(|input| input.content),
            };
            content.and_then(Content::into_bytes).unwrap_or_default()
        };
        let with_certificates = self.judge_repository(&mut tally, (files, policy), read, settings);
        judge::openers(&mut tally, &[policy]);
        let listing = &files.listing;
        // Where a change of the settings suppresses fewer findings, it brings them into the report.
        let before = files.source.before_settings();
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
        if let Some(ring) = ring.filter(|_| !tally.unverified.is_empty()) {
            notes.extend(ring.troubles());
        }
        let mut report = conclude(tally, listing.reported(), settings, self.host.elapsed_ms());
        report.findings.retain(|finding| listing.reports_finding(finding) || comes_up(finding));
        report.summary.count(&report.findings);
        examined.finished = Finished { report, errors, help, notes };
        examined.with_certificates = with_certificates;
    }

    /// Returns what the files are judged by.
    fn context<'c>(
        &self,
        files: &'c Files<'_>,
        policy: &'c Policy,
        settings: &'c Settings<'_>,
        ring: Option<&'c KeyRing>,
    ) -> Context<'c> {
        Context {
            policy,
            tree: files,
            encrypted_names: settings.file.encrypted_names.as_ref(),
            scope: Scope::Everything,
            ring,
            today: self.today,
        }
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

    fn judge(
        &self,
        files: &Files<'_>,
        changed: &BTreeMap<RepoPath, Content>,
        context: Context<'_>,
    ) -> Tally {
        let listing = &files.listing;
        let progress = Progress::start(listing.files.len(), self.options.progress);
        let read = |file: &Listed| match changed.get(&file.path) {
            Some(content) => Ok(Input { path: file.path.clone(), content: content.clone() }),
            None => files.read_listed(file),
        };
        let judge = |mut tally: Tally, file: &Listed| {
            match read(file) {
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
        (files, policy): (&Files<'_>, &Policy),
        read: impl Fn(&RepoPath) -> Vec<u8> + Sync,
        settings: &Settings<'_>,
    ) -> Vec<RepoPath> {
        let recipients = keyring::recipients(&tally.facts, policy);
        tally.with_certificates.sort_unstable();
        let certificates = self.in_parallel(|| {
            keyring::certificates(&tally.with_certificates, &read, &recipients, self.host)
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

/// Reads the configs of the files.
fn policy(files: &Files<'_>, changed: &BTreeMap<RepoPath, Content>) -> Policy {
    let directories = files.listing.config_directories.iter().map(String::as_str);
    let read = |path: &RepoPath| match changed.get(path) {
        Some(content) => content.clone().into_bytes(),
        None => read_config(files.source, path),
    };
    Policy::load(directories, read).below(config_above(files.source.root()))
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
