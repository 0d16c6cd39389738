//! `sops-lint scan`: list, judge in parallel, report.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;

use super::progress::Progress;
use super::{CommandError, Exit, history, inputs, keyring};
use crate::cli;
use crate::finding::{Finding, Needs};
use crate::host::Host;
use crate::input::Input;
use crate::inspect::{Outcome, Surroundings, Verification, inspect, inspect_repository};
use crate::keys::certificate::{Certificates, Found};
use crate::keys::{Effort, KeyRing};
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::report::{Report, Skipped, Summary};
use crate::rules::{self, Facts, Repository, needing_keys};
use crate::settings::{Settings, Verify};
use crate::source::{Listed, Listing, Source, View};
use crate::traces;

/// What to do about encrypted files that were to be verified and could not be.
const HOW_TO_VERIFY: &str = "name a private key, as in SOPS_AGE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_FILE or SOPS_LINT_PGP_KEY_FILE; keys of a cloud or of Vault cannot be used here, and with `--verify auto` such files are listed without an error";

/// Looks at files and writes down what is wrong with them.
pub fn run(mut args: cli::Scan, host: &Host) -> Result<Exit, CommandError> {
    let given = inputs::read(&mut args, host)?;
    let mut settings = Settings::resolve(args, host);
    settings.view = given.unwrap_or(settings.view);
    run_as(settings, host)
}

/// The same, with arguments that are resolved.
pub(super) fn run_as(settings: Settings, host: &Host) -> Result<Exit, CommandError> {
    let source = Source::open(&settings.view, &settings.directory, &settings.paths)?;
    run_from(&source, settings, host)
}

/// The same, with files that are at hand.
pub(super) fn run_from(
    source: &Source,
    mut settings: Settings,
    host: &Host,
) -> Result<Exit, CommandError> {
    let finished = match (source, &settings.view) {
        (Source::Snapshot(end), View::History(_)) => {
            history::examine(source, end, &mut settings, host)?
        }
        _ => examine(source, &mut settings, host)?.finished,
    };
    conclude(finished, source, &settings, host)
}

/// Reports what a run came to.
pub(super) fn conclude(
    mut finished: Finished,
    source: &Source,
    settings: &Settings,
    host: &Host,
) -> Result<Exit, CommandError> {
    if let Some(baseline) = &settings.baseline {
        let is_whole = settings.is_whole() && finished.report.summary.unverified == 0;
        baseline.apply(&mut finished.report, is_whole);
    }
    finished.report.errors.clone_from(&finished.errors);
    write(&finished.report, settings, source.root(), host)?;
    for note in &finished.notes {
        remark(note);
    }
    for error in &finished.errors {
        complain(error);
    }
    if let Some(help) = finished.help {
        advise(help);
    }
    Ok(exit(&finished.report, !finished.errors.is_empty(), settings))
}

/// Reads the settings and judges all that is to be looked at.
pub(super) fn examine(
    source: &Source,
    settings: &mut Settings,
    host: &Host,
) -> Result<Examined, CommandError> {
    let mut errors: Vec<String> =
        settings.read_files(source).iter().map(ToString::to_string).collect();
    let mut listing = source.list(&settings.directory, &settings.paths, settings.threads)?;
    errors.append(&mut listing.errors);
    if listing.files.is_empty() && !settings.paths.is_empty() && !listing.is_partial {
        errors.push("there is no file to look at in the given paths".to_owned());
    }
    listing.shard = settings.shard;
    // A hook names what is committed, so what is left out here is no reason to fail.
    listing.exclude(&settings.file.exclude);
    let directories = listing.config_directories.iter().map(String::as_str);
    let policy = Policy::load(directories, |path| source.read_config(path));
    let ring = key_ring(settings.verify(), host);
    let today = host.today();
    let mut judged = judge(source, &listing, &policy, settings, (ring.as_ref(), today));
    errors.append(&mut judged.errors);
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
    let read = |path: &RepoPath| bytes_of(source, &listing.files, path);
    judged.findings.extend(inspect_repository(repository, read));
    judged.keep(&listing);
    let mut help = None;
    if settings.verify() == Verify::Always && !judged.unverified.is_empty() {
        errors.extend(judged.not_verified());
        help = Some(HOW_TO_VERIFY);
    }
    let mut notes = listing.notes.clone();
    if let Some(ring) = ring.filter(|_| !judged.unverified.is_empty()) {
        notes.extend(ring.troubles());
    }
    let mut report = judged.into_report(listing.reported(), settings, host.elapsed_ms());
    report.findings.retain(|finding| listing.reports_finding(finding));
    report.summary.count(&report.findings);
    let with_certificates = certificates.files();
    let finished = Finished { report, errors, help, notes };
    Ok(Examined { finished, listing, policy, with_certificates })
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
pub(super) struct JudgedFiles {
    pub(super) findings: Vec<Finding>,
    facts: Vec<Facts>,
    certificates: Certificates,
    skipped: Vec<Skipped>,
    /// Encrypted files whose MAC was not compared, and why.
    unverified: Vec<Skipped>,
    verified: usize,
    /// Encrypted files that are not what sops wrote.
    refused: usize,
    /// Files of which no more than this was kept.
    counted: Counted,
    pub(super) errors: Vec<String>,
}

/// What a run came to, and what it was judged by.
pub(super) struct Examined {
    pub(super) finished: Finished,
    pub(super) listing: Listing,
    pub(super) policy: Policy,
    /// Files with OpenPGP certificates.
    pub(super) with_certificates: Vec<RepoPath>,
}

/// What the summary says of files.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    secrets: usize,
    encrypted_files: usize,
}

/// What a run came to.
pub(super) struct Finished {
    pub(super) report: Report,
    pub(super) errors: Vec<String>,
    /// The next step after the last error.
    pub(super) help: Option<&'static str>,
    /// What the user may want to know about it.
    pub(super) notes: Vec<String>,
}

fn judge(
    source: &Source,
    listing: &Listing,
    policy: &Policy,
    settings: &Settings,
    (ring, today): (Option<&KeyRing>, u32),
) -> JudgedFiles {
    let exists = |path: &RepoPath| source.exists(path);
    let before = |path: &RepoPath| source.before(path);
    let twins = listing.files.iter().filter_map(|file| traces::plain_name(&file.path)).collect();
    let encrypted_names = settings.file.encrypted_names.as_ref();
    let surroundings = Surroundings {
        policy,
        exists: &exists,
        encrypted_names,
        twins: &twins,
        before: source.has_before().then_some(&before),
        is_gone: false,
        ring,
        today,
    };
    let progress = Progress::start(listing.files.len(), settings.progress);
    in_parallel(settings.threads, || {
        listing
            .files
            .par_iter()
            .fold(JudgedFiles::default, |mut all, file| {
                match source.read(file) {
                    Ok(input) => {
                        // What is only context is not opened.
                        let surroundings = if listing.reports(&file.path) {
                            surroundings
                        } else {
                            Surroundings { ring: None, before: None, ..surroundings }
                        };
                        all.add(&input, inspect(&input, surroundings));
                    }
                    Err(error) => all.errors.push(format!("cannot read {}: {error}", file.path)),
                }
                progress.advance();
                all
            })
            .reduce(JudgedFiles::default, JudgedFiles::join)
    })
}

/// Does the work in this many threads.
pub(super) fn in_parallel<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(work),
        // Without threads of our own rayon's global ones do as well.
        Err(_) => work(),
    }
}

impl JudgedFiles {
    pub(super) fn add(&mut self, input: &Input, outcome: Outcome) {
        self.findings.extend(outcome.findings);
        self.facts.extend(outcome.facts);
        for certificate in outcome.certificates {
            self.certificates.add(Found::File(input.path.clone()), certificate);
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
            Some(Verification::Refused) => self.refused += 1,
            None => {}
        }
    }

    /// The same where no rule about the repository will ask for more: facts of all that ever stood in
    /// history would fill the memory.
    pub(super) fn add_without_facts(&mut self, input: &Input, mut outcome: Outcome) {
        if let Some(facts) = outcome.facts.take() {
            self.counted.count(&facts);
        }
        self.add(input, outcome);
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
    pub(super) fn join(mut self, other: Self) -> Self {
        self.findings.extend(other.findings);
        self.facts.extend(other.facts);
        self.certificates.extend(other.certificates);
        self.skipped.extend(other.skipped);
        self.unverified.extend(other.unverified);
        self.verified += other.verified;
        self.refused += other.refused;
        self.counted.secrets += other.counted.secrets;
        self.counted.encrypted_files += other.counted.encrypted_files;
        self.errors.extend(other.errors);
        self
    }

    /// Leaves out what was judged only for what it says of others.
    fn keep(&mut self, listing: &Listing) {
        self.findings.retain(|finding| listing.reports_finding(finding));
        self.facts.retain(|facts| listing.reports(&facts.path));
        self.skipped.retain(|skipped| listing.reports(&skipped.path));
        self.unverified.retain(|skipped| listing.reports(&skipped.path));
    }

    /// Levels and ignores are applied here, where findings come together.
    pub(super) fn into_report(self, files: usize, settings: &Settings, duration_ms: u64) -> Report {
        let file = &settings.file;
        let mut selected = settings.selection.apply(self.findings, file);
        let is_whole_view = matches!(settings.view, View::WorkTree | View::Commit(_));
        if !settings.paths.is_empty() || !is_whole_view || settings.shard.is_some() {
            // What was not looked at may need them.
            selected.unused.clear();
        }
        // So may what a rule would say that was not asked: of a change, or of a file that was not opened.
        let was_opened = self.verified > 0 && self.unverified.is_empty();
        let was_asked = |id: &&str| match rules::find(id).map(|meta| meta.needs) {
            Some(Needs::Change) => false,
            Some(Needs::Keys) => was_opened,
            _ => true,
        };
        selected.unused.retain(|ignore| ignore.rules.iter().all(&was_asked));
        let of_settings = file.findings(&selected.unused).into_iter();
        selected
            .findings
            .extend(of_settings.filter_map(|finding| settings.selection.admit(finding, file)));
        let mut counted = self.counted;
        self.facts.iter().for_each(|facts| counted.count(facts));
        let summary = Summary {
            files,
            secrets: counted.secrets,
            encrypted_files: counted.encrypted_files,
            verified: self.verified,
            refused: self.refused,
            unverified: self.unverified.len(),
            ignored: selected.ignored,
            duration_ms,
            ..Summary::default()
        };
        let skipped = self.skipped.into_iter().chain(self.unverified).collect();
        Report::new(selected.findings, skipped, summary)
    }
}

impl Counted {
    fn count(&mut self, facts: &Facts) {
        self.secrets += facts.secrets;
        self.encrypted_files += usize::from(facts.is_encrypted);
    }
}

/// The bytes of a listed file, for the place of a finding about it.
fn bytes_of(source: &Source, files: &[Listed], path: &RepoPath) -> Vec<u8> {
    let input = read_listed(source, files, path);
    input.map(|input| input.bytes().to_vec()).unwrap_or_default()
}

/// A listed file, once more.
pub(super) fn read_listed(source: &Source, files: &[Listed], path: &RepoPath) -> Option<Input> {
    let at = files.binary_search_by(|file| file.path.cmp(path)).ok()?;
    source.read(&files[at]).ok()
}

fn write(
    report: &Report,
    settings: &Settings,
    root: &Path,
    host: &Host,
) -> Result<(), CommandError> {
    let style = &settings.style;
    let Some(path) = &settings.output else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = settings.reporter.write(report, style, &mut out);
        return written.and_then(|()| out.flush()).map_err(CommandError::stdout);
    };
    let name = path.display().to_string();
    let mut text = Vec::new();
    let made = settings.reporter.write(report, style, &mut text);
    let written = made.and_then(|()| host.write_whole(&settings.directory.join(path), &text, root));
    written.map_err(|source| CommandError::Output { what: name.clone(), source })?;
    if !style.quiet {
        // Where the report goes into a file, a failed job would say nothing of why.
        let Summary { errors, warnings, infos, .. } = report.summary;
        let number = match errors + warnings + infos {
            0 => "no findings".to_owned(),
            1 => "1 finding".to_owned(),
            all => format!("{all} findings"),
        };
        remark(&format!("{number}; the report is in {name}"));
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "what went wrong with the run belongs on standard error")]
pub(super) fn complain(error: &str) {
    eprintln!("error: {}", crate::text::printable::clean_path(error));
}

#[expect(clippy::print_stderr, reason = "help stands below its error")]
pub(super) fn advise(help: &str) {
    eprintln!("  help: {}", crate::text::printable::clean_path(help));
}

#[expect(clippy::print_stderr, reason = "notes are no findings")]
pub(super) fn remark(note: &str) {
    eprintln!("note: {}", crate::text::printable::clean_path(note));
}
