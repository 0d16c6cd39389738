//! `sops-lint scan`: list, judge in parallel, report.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use rayon::prelude::*;

use super::progress::Progress;
use super::{CommandError, Exit, keyring};
use crate::cli;
use crate::finding::Finding;
use crate::host::Host;
use crate::input::Input;
use crate::inspect::{Outcome, Surroundings, Verification, inspect, inspect_repository};
use crate::keys::certificate::{Certificates, Source};
use crate::keys::{Effort, KeyRing};
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::report::{Report, Skipped, Summary};
use crate::rules::{Facts, Repository, needing_keys};
use crate::settings::{Settings, Verify};
use crate::source::worktree::{Listed, Listing, WorkTree};
use crate::traces;

/// Looks at files and writes down what is wrong with them.
pub fn run(args: cli::Scan, host: &Host) -> Result<Exit, CommandError> {
    let mut settings = Settings::resolve(args, host);
    let tree = WorkTree::discover(&settings.directory, &settings.paths)?;
    let mut finished = examine(&tree, &mut settings, host)?;
    if let Some(baseline) = &settings.baseline {
        baseline.apply(&mut finished.report, settings.is_whole());
    }
    finished.report.errors.clone_from(&finished.errors);
    write(&finished.report, &settings)?;
    for note in &finished.notes {
        remark(note);
    }
    for error in &finished.errors {
        complain(error);
    }
    Ok(exit(&finished.report, !finished.errors.is_empty(), &settings))
}

/// Reads the settings and judges all that is to be looked at in the tree.
pub(super) fn examine(
    tree: &WorkTree,
    settings: &mut Settings,
    host: &Host,
) -> Result<Finished, CommandError> {
    let mut errors: Vec<String> =
        settings.read_files(&tree.root).iter().map(ToString::to_string).collect();
    let mut listing = tree.list(&settings.directory, &settings.paths, settings.threads)?;
    errors.append(&mut listing.errors);
    if listing.files.is_empty() && !settings.paths.is_empty() {
        errors.push("there is no file to look at in the given paths".to_owned());
    }
    // A hook names what is committed, so what is left out here is no reason to fail.
    listing.exclude(&settings.file.exclude);
    let directories = listing.config_directories.iter().map(String::as_str);
    let policy = Policy::load(directories, |path| tree.read_config(path));
    let ring = key_ring(settings.verify(), host);
    let today = host.today();
    let mut judged = judge(tree, &listing, &policy, settings, (ring.as_ref(), today));
    errors.append(&mut judged.errors);
    if settings.verify() == Verify::Always {
        errors.extend(judged.not_verified());
    }
    let is_missing_keys = !judged.unverified.is_empty();
    let notes = ring.filter(|_| is_missing_keys).map(|ring| ring.troubles()).unwrap_or_default();
    let certificates =
        keyring::complete(std::mem::take(&mut judged.certificates), &judged.facts, &policy, host);
    let files: Vec<&RepoPath> = listing.files.iter().map(|file| &file.path).collect();
    let is_whole = listing.is_whole;
    let repository = Repository {
        facts: &judged.facts,
        files: &files,
        policy: &policy,
        is_whole,
        today,
        certificates: &certificates,
        trusted_endpoints: settings.trusted_endpoints(),
    };
    let of_repository = inspect_repository(repository, |path| bytes_of(tree, &listing.files, path));
    judged.findings.extend(of_repository);
    let report = judged.into_report(listing.files.len(), settings, host.elapsed_ms());
    Ok(Finished { report, errors, notes })
}

/// The private keys that files are opened with. Only who asks for it is asked for passphrases.
fn key_ring(verify: Verify, host: &Host) -> Option<KeyRing> {
    let effort = match verify {
        Verify::Never => return None,
        Verify::Auto => Effort::Quiet,
        Verify::Always => Effort::MayAsk,
    };
    Some(KeyRing::new(host.clone(), effort))
}

fn exit(report: &Report, has_errors: bool, settings: &Settings) -> Exit {
    let fails = |finding: &Finding| settings.fail_on.is_some_and(|level| finding.level >= level);
    if has_errors {
        Exit::Failed
    } else if report.findings.iter().any(fails) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

/// What came out of all files.
#[derive(Debug, Default)]
struct JudgedFiles {
    findings: Vec<Finding>,
    facts: Vec<Facts>,
    certificates: Certificates,
    skipped: Vec<Skipped>,
    /// Encrypted files whose MAC was not compared, and why.
    unverified: Vec<Skipped>,
    verified: usize,
    errors: Vec<String>,
}

/// What a run came to.
pub(super) struct Finished {
    pub(super) report: Report,
    pub(super) errors: Vec<String>,
    /// What the user may want to know about it.
    notes: Vec<String>,
}

fn judge(
    tree: &WorkTree,
    listing: &Listing,
    policy: &Policy,
    settings: &Settings,
    (ring, today): (Option<&KeyRing>, u32),
) -> JudgedFiles {
    let exists = |path: &RepoPath| tree.exists(path);
    let twins = listing.files.iter().filter_map(|file| traces::plain_name(&file.path)).collect();
    let encrypted_names = settings.file.encrypted_names.as_ref();
    let surroundings =
        Surroundings { policy, exists: &exists, encrypted_names, twins: &twins, ring, today };
    let progress = Progress::start(listing.files.len(), settings.progress);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build();
    let work = || {
        listing
            .files
            .par_iter()
            .fold(JudgedFiles::default, |mut all, file| {
                match tree.read(file) {
                    Ok(input) => all.add(&input, inspect(&input, surroundings)),
                    Err(error) => all.errors.push(format!("cannot read {}: {error}", file.path)),
                }
                progress.advance();
                all
            })
            .reduce(JudgedFiles::default, JudgedFiles::join)
    };
    match pool {
        Ok(pool) => pool.install(work),
        // Without threads of our own rayon's global ones do as well.
        Err(_) => work(),
    }
}

impl JudgedFiles {
    fn add(&mut self, input: &Input, outcome: Outcome) {
        self.findings.extend(outcome.findings);
        self.facts.extend(outcome.facts);
        for certificate in outcome.certificates {
            self.certificates.add(Source::File(input.path.clone()), certificate);
        }
        self.skipped.extend(outcome.skipped.map(|reason| Skipped {
            path: input.path.clone(),
            rules: Vec::new(),
            reason: reason.to_owned(),
        }));
        match outcome.verification {
            Some(Verification::Verified) => self.verified += 1,
            Some(Verification::Skipped(reason)) => self.unverified.push(Skipped {
                path: input.path.clone(),
                rules: needing_keys(),
                reason,
            }),
            Some(Verification::Refused) | None => {}
        }
    }

    /// Why files could not be verified though they had to be.
    fn not_verified(&self) -> Vec<String> {
        const SHOWN: usize = 10;
        let files = self.unverified.iter().take(SHOWN);
        let mut errors: Vec<String> =
            files.map(|file| format!("cannot verify {}: {}", file.path, file.reason)).collect();
        if self.unverified.len() > SHOWN {
            let more = self.unverified.len() - SHOWN;
            errors.push(format!("cannot verify {more} more files (run with -v to see which)"));
        }
        errors
    }

    /// Keeps the order of the files.
    fn join(mut self, other: Self) -> Self {
        self.findings.extend(other.findings);
        self.facts.extend(other.facts);
        self.certificates.extend(other.certificates);
        self.skipped.extend(other.skipped);
        self.unverified.extend(other.unverified);
        self.verified += other.verified;
        self.errors.extend(other.errors);
        self
    }

    /// Levels and ignores are applied here, where findings come together.
    fn into_report(self, files: usize, settings: &Settings, duration_ms: u64) -> Report {
        let file = &settings.file;
        let mut selected = settings.selection.apply(self.findings, file);
        if !settings.paths.is_empty() {
            // What was not looked at may need them.
            selected.unused.clear();
        }
        let of_settings = file.findings(&selected.unused).into_iter();
        selected
            .findings
            .extend(of_settings.filter_map(|finding| settings.selection.admit(finding, file)));
        let encrypted_files = self.facts.iter().filter(|facts| facts.is_encrypted).count();
        let summary = Summary {
            files,
            secrets: self.facts.iter().map(|facts| facts.secrets).sum(),
            encrypted_files,
            verified: self.verified,
            unverified: self.unverified.len(),
            ignored: selected.ignored,
            duration_ms,
            ..Summary::default()
        };
        let skipped = self.skipped.into_iter().chain(self.unverified).collect();
        Report::new(selected.findings, skipped, summary)
    }
}

/// The bytes of a listed file, for the place of a finding about it.
fn bytes_of(tree: &WorkTree, files: &[Listed], path: &RepoPath) -> Vec<u8> {
    let listed = files.binary_search_by(|file| file.path.cmp(path)).ok().map(|at| &files[at]);
    let input = listed.and_then(|file| tree.read(file).ok());
    input.map(|input| input.bytes().to_vec()).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "--output names the one file that scan writes")]
fn write(report: &Report, settings: &Settings) -> Result<(), CommandError> {
    let style = &settings.style;
    let Some(path) = &settings.output else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = settings.reporter.write(report, style, &mut out);
        return written.and_then(|()| out.flush()).map_err(CommandError::stdout);
    };
    let failed = |source| CommandError::Output { what: path.display().to_string(), source };
    let mut out = BufWriter::new(File::create(settings.directory.join(path)).map_err(failed)?);
    settings.reporter.write(report, style, &mut out).and_then(|()| out.flush()).map_err(failed)
}

#[expect(clippy::print_stderr, reason = "what went wrong with the run belongs on standard error")]
pub(super) fn complain(error: &str) {
    eprintln!("error: {}", crate::text::printable::clean_path(error));
}

#[expect(clippy::print_stderr, reason = "notes are no findings")]
fn remark(note: &str) {
    eprintln!("note: {}", crate::text::printable::clean_path(note));
}
