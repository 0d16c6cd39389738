//! `sops-lint fix`: does what findings ask for.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use rayon::prelude::*;

use super::scan::{self, Examined, advise, complain, remark};
use super::{CommandError, Exit};
use crate::cli;
use crate::document::splice::Edit;
use crate::finding::{Finding, Level, Remedy};
use crate::fix::stage::{Recovered, Stage};
use crate::fix::{Change, Refusal, config, diff, encrypt};
use crate::git::{InPlaintext, ObjectId, Repo};
use crate::host::Host;
use crate::inspect::Surroundings;
use crate::keys::PublicKeys;
use crate::path::RepoPath;
use crate::policy::Policy;
use crate::rules::quoted;
use crate::settings::{Settings, Verify};
use crate::source::{Source, View};
use crate::text::printable::{clean, clean_path};
use crate::traces;

/// What is done with what was worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is written.
    Write,
    /// It is listed.
    List,
    /// It is shown line by line.
    Diff,
}

/// Repairs what can be repaired without a private key.
pub fn run(args: &cli::Fix, host: &Host) -> Result<Exit, CommandError> {
    let mode = match (args.diff, args.dry_run) {
        (true, _) => Mode::Diff,
        (false, true) => Mode::List,
        (false, false) => Mode::Write,
    };
    let fixing = Fixing { mode, takes_unsafe: args.r#unsafe, scope: Scope::Everywhere };
    let resolve = || Settings::resolve(args.clone().into(), host);
    let mut fixed = fix(resolve(), fixing, host)?;
    if fixed.is_halfway {
        let changes = fixed.changes;
        fixed = fix(resolve(), fixing, host)?;
        fixed.changes += changes;
    }
    if !resolve().style.quiet {
        fixed.report_rest();
    }
    // pre-commit takes a commit back whose files were changed, and so does everybody who asks only.
    let is_asked = mode != Mode::Write || host.env("PRE_COMMIT").is_some();
    Ok(if fixed.unread > 0 {
        Exit::Failed
    } else if fixed.refused + fixed.errors > 0 || (is_asked && fixed.changes > 0) {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// What a run of `fix` may do.
#[derive(Clone, Copy)]
pub(super) struct Fixing {
    pub(super) mode: Mode,
    /// Whether it does what may not be meant.
    pub(super) takes_unsafe: bool,
    pub(super) scope: Scope,
}

/// Where files are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Wherever a creation rule says how.
    Everywhere,
    /// Where `fix.allow` of the settings says so.
    Allowed,
}

/// What came of it, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fixed {
    /// Files that were, or would be, changed.
    pub(super) changes: usize,
    /// Files that could not be.
    refused: usize,
    /// Files that could not be looked at.
    unread: usize,
    /// Findings that only a person can mend.
    left: usize,
    /// Those of them that are errors.
    errors: usize,
    /// Findings that are mended only where that is asked for.
    held_back: usize,
    /// Whether configs were corrected and nothing else, so that files can be judged by them now.
    is_halfway: bool,
}

impl Fixed {
    /// What there was nothing to do about.
    fn report_rest(&self) {
        let findings = |number| match number {
            1 => "1 finding".to_owned(),
            _ => format!("{number} findings"),
        };
        if self.left > 0 {
            let verb = if self.left == 1 { "is" } else { "are" };
            let findings = findings(self.left);
            remark(&format!("{findings} {verb} left for you to mend: see `sops-lint scan`"));
        }
        if self.held_back > 0 {
            let findings = findings(self.held_back);
            remark(&format!(
                "`sops-lint fix --unsafe` would mend {findings} more; look at it with --diff first"
            ));
        }
        if self.changes + self.refused + self.left + self.held_back == 0 {
            remark("there was nothing to fix");
        }
    }
}

/// Works changes out, and then makes them.
pub(super) fn fix(
    mut settings: Settings,
    fixing: Fixing,
    host: &Host,
) -> Result<Fixed, CommandError> {
    settings.verify = Some(Verify::Never);
    let repo = Repo::discover(&settings.directory).ok();
    let mut source = Source::open(&settings.view, &settings.directory, &settings.paths)?;
    let root = source.root().to_path_buf();
    let repo = repo.filter(|repo| repo.work_tree().is_some());
    let mut stage = None;
    if fixing.mode == Mode::Write {
        let (opened, recovered) = Stage::open(&root, repo.as_ref())?;
        if !recovered.finished.is_empty() {
            report_recovery(&recovered);
            source = Source::open(&settings.view, &settings.directory, &settings.paths)?;
        }
        stage = Some(opened);
    }
    let examined = scan::examine(&source, &mut settings, host)?;
    for error in &examined.finished.errors {
        complain(error);
    }
    let scene = Scene { source: &source, examined: &examined, settings: &settings, host };
    let mut plan = Plan::of(&scene, fixing);
    if fixing.mode == Mode::Write && plan.corrects_configs() {
        plan.leave_files_for_later();
    }
    plan.report_refusals();
    let fixed = Fixed {
        changes: plan.size(),
        refused: plan.refusals.len(),
        unread: examined.finished.errors.len(),
        ..plan.rest
    };
    let out = &mut BufWriter::new(io::stdout().lock());
    match (fixing.mode, stage.as_mut()) {
        (Mode::Diff, _) => plan.show(out).map_err(CommandError::stdout)?,
        (Mode::Write, Some(stage)) => {
            // A commit is refused for one file, and then nothing should have happened to the others.
            if settings.view != View::Staged || plan.refusals.is_empty() {
                plan.write(stage, settings.view == View::Staged)?;
                plan.list(out, "").map_err(CommandError::stdout)?;
                out.flush().map_err(CommandError::stdout)?;
                if let Some(repo) = &repo {
                    plan.report_remains(repo);
                    plan.report_staged(repo);
                }
            }
        }
        _ => plan.list(out, "would have ").map_err(CommandError::stdout)?,
    }
    out.flush().map_err(CommandError::stdout)?;
    Ok(fixed)
}

fn report_recovery(recovered: &Recovered) {
    let number = recovered.finished.len();
    let files = if number == 1 { "file" } else { "files" };
    remark(&format!("a fix that was interrupted was finished: {number} {files} of the work tree"));
}

/// Everything that is to be done, worked out.
#[derive(Debug, Default)]
struct Plan {
    changes: Vec<Change>,
    renames: Vec<(RepoPath, RepoPath)>,
    ignores: Vec<RepoPath>,
    refusals: Vec<Refusal>,
    /// What is not done.
    rest: Fixed,
}

/// What a plan is made from.
struct Scene<'s> {
    source: &'s Source,
    examined: &'s Examined,
    settings: &'s Settings,
    host: &'s Host,
}

impl Plan {
    fn of(scene: &Scene<'_>, fixing: Fixing) -> Self {
        let Scene { source, examined, settings, .. } = *scene;
        let allowed = Some(&settings.file.fix_allow).filter(|_| fixing.scope == Scope::Allowed);
        let mut plan = Self::default();
        let mut plaintext: Vec<&RepoPath> = Vec::new();
        let mut edits: BTreeMap<&RepoPath, Vec<Edit>> = BTreeMap::new();
        for finding in &examined.finished.report.findings {
            let Some(fix) = &finding.fix else {
                plan.leave(finding);
                continue;
            };
            let path = &finding.place.path;
            match &fix.remedy {
                Remedy::Encrypt => {
                    if allowed.is_none_or(|allowed| allowed.covers(path.as_str())) {
                        plaintext.push(path);
                    }
                }
                // What is staged may not be what stands in the work tree.
                _ if settings.view != View::WorkTree => {}
                _ if !(fix.safe || fixing.takes_unsafe) => plan.rest.held_back += 1,
                Remedy::Edit(edit) => edits.entry(path).or_default().push(edit.clone()),
                Remedy::Rename(to) if !source.exists(to) => {
                    plan.renames.push((path.clone(), to.clone()));
                }
                Remedy::Ignore if !is_ignored(source, path) => plan.ignores.push(path.clone()),
                Remedy::Rename(_) | Remedy::Ignore => plan.leave(finding),
            }
        }
        plaintext.dedup();
        plan.configs(examined, edits);
        plan.encrypt(scene, &plaintext);
        plan
    }

    fn leave(&mut self, finding: &Finding) {
        self.rest.left += 1;
        self.rest.errors += usize::from(finding.level == Level::Error);
    }

    fn corrects_configs(&self) -> bool {
        !self.renames.is_empty() || self.changes.iter().any(|change| !change.was_plaintext)
    }

    /// Who governs a file, and how, is another matter once the configs are corrected.
    fn leave_files_for_later(&mut self) {
        self.changes.retain(|change| !change.was_plaintext);
        self.refusals.clear();
        self.ignores.clear();
        self.rest.is_halfway = true;
    }

    fn configs(&mut self, examined: &Examined, edits: BTreeMap<&RepoPath, Vec<Edit>>) {
        for (path, mut edits) in edits {
            edits.sort_by_key(|edit| edit.span);
            edits.dedup();
            let Some(config) = examined.policy.config(path) else { continue };
            match config::correct(path, &config.bytes, edits) {
                Ok(change) => self.changes.push(change),
                Err(refusal) => self.refusals.push(refusal),
            }
        }
    }

    /// Files are encrypted as the corrected configs demand.
    fn encrypt(&mut self, scene: &Scene<'_>, paths: &[&RepoPath]) {
        let Scene { source, examined, settings, host } = *scene;
        let directories = examined.listing.config_directories.iter().map(String::as_str);
        let policy = Policy::load(directories, |path| {
            let corrected = self.changes.iter().find(|change| change.path == *path);
            corrected.map(|change| change.new.0.clone()).or_else(|| source.read_config(path))
        });
        let public_keys = PublicKeys::new(host.clone());
        let files = &examined.listing.files;
        for path in &examined.with_certificates {
            if let Some(input) = scan::read_listed(source, files, path) {
                public_keys.add(input.bytes());
            }
        }
        let exists = |path: &RepoPath| source.exists(path);
        let twins = files.iter().filter_map(|file| traces::plain_name(&file.path)).collect();
        let means = encrypt::Means {
            surroundings: Surroundings {
                policy: &policy,
                exists: &exists,
                encrypted_names: settings.file.encrypted_names.as_ref(),
                twins: &twins,
                before: None,
                is_gone: false,
                ring: None,
                today: host.today(),
            },
            public_keys: &public_keys,
            now: host.now(),
            dice: &Host::random,
        };
        let results: Vec<Result<Change, Refusal>> = scan::in_parallel(settings.threads, || {
            let inputs = paths.par_iter().filter_map(|path| scan::read_listed(source, files, path));
            inputs.map(|input| encrypt::encrypt(&input, means)).collect()
        });
        for result in results {
            match result {
                Ok(change) => self.changes.push(change),
                Err(refusal) => self.refusals.push(refusal),
            }
        }
    }

    fn size(&self) -> usize {
        self.changes.len() + self.renames.len() + self.ignores.len()
    }

    fn write(&self, stage: &mut Stage<'_>, is_staged: bool) -> Result<(), CommandError> {
        if is_staged {
            stage.write_staged(&self.changes)?;
        } else {
            stage.write(&self.changes)?;
        }
        for (from, to) in &self.renames {
            stage.rename(from, to)?;
        }
        for path in &self.ignores {
            stage.add_line(&RepoPath::from(".gitignore"), &ignore_line(path))?;
        }
        Ok(())
    }

    /// One line for everything that was done, or `would have` been.
    fn list(&self, out: &mut dyn Write, mood: &str) -> io::Result<()> {
        for Change { path, done, was_plaintext, .. } in &self.changes {
            let verb = if *was_plaintext { format!("{mood}encrypted ") } else { mood.to_owned() };
            writeln!(out, "{path}: {verb}{}", clean_path(done))?;
        }
        for (from, to) in &self.renames {
            writeln!(out, "{from}: {mood}renamed to {to}")?;
        }
        for path in &self.ignores {
            writeln!(
                out,
                "{path}: {mood}added to .gitignore; `git rm --cached` takes it out of git"
            )?;
        }
        Ok(())
    }

    fn show(&self, out: &mut dyn Write) -> io::Result<()> {
        for change in &self.changes {
            writeln!(out, "--- a/{0}\n+++ b/{0}", change.path)?;
            let lines = diff::lines(change);
            if lines.is_empty() {
                writeln!(out, "the whole file becomes another")?;
            }
            for line in lines {
                match line {
                    diff::Line::Hunk(text) => writeln!(out, "{text}")?,
                    diff::Line::Same(text) => writeln!(out, " {text}")?,
                    diff::Line::Old(text) => writeln!(out, "-{text}")?,
                    diff::Line::New(text) => writeln!(out, "+{text}")?,
                }
            }
        }
        for (from, to) in &self.renames {
            writeln!(out, "rename {from}\nrename to {to}")?;
        }
        for path in &self.ignores {
            writeln!(out, "+++ b/.gitignore\n+{}", clean(&ignore_line(path)))?;
        }
        Ok(())
    }

    fn report_refusals(&self) {
        for Refusal { path, line, reason, help } in &self.refusals {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            complain(&format!("{path}{line} was left as it is: {reason}"));
            advise(help);
        }
    }

    /// Encrypting takes nothing back: what git has of the plaintext, the worst of it first.
    fn report_remains(&self, repo: &Repo) {
        let plaintext = self.changes.iter().filter(|change| change.was_plaintext);
        let mut files: Vec<_> =
            plaintext.map(|change| (&change.path, repo.blob_of(&change.old.0))).collect();
        let advice =
            "change its values, they are known: to encrypt the file does not undo the push";
        let found = repo.brought_in_plaintext("--remotes", &files);
        report_brought(&mut files, found, "pushed", advice);
        let advice = "rewrite that commit before you push, with `git commit --amend` or `git rebase -i`, or change its values";
        let found = repo.brought_in_plaintext("HEAD", &files);
        report_brought(&mut files, found, "committed", advice);
        files.retain(|(_, blob)| repo.holds(*blob));
        if !files.is_empty() {
            remark(
                "what was staged in plaintext stays in .git until `git gc --prune=now` removes it",
            );
        }
    }

    /// Files of which git would still commit the plaintext.
    fn report_staged(&self, repo: &Repo) {
        let Ok(index) = repo.index() else { return };
        let is_staged = |change: &&Change| {
            let entry = index.entry(change.path.as_str());
            change.was_plaintext
                && entry.is_some_and(|entry| entry.blob == repo.blob_of(&change.old.0))
        };
        match &self.changes.iter().filter(is_staged).collect::<Vec<_>>()[..] {
            [] => {}
            [change] => remark(&format!(
                "git has the plaintext staged or committed: run `git add {}`",
                quoted(change.path.as_str())
            )),
            [first, others @ ..] => remark(&format!(
                "git has the plaintext of {} and {} more staged or committed: `git add` them",
                first.path,
                others.len()
            )),
        }
    }
}

/// Names the files that commits hold in plaintext, and leaves the others.
fn report_brought(
    files: &mut Vec<(&RepoPath, ObjectId)>,
    found: Vec<InPlaintext>,
    verb: &str,
    advice: &str,
) {
    const SHOWN: usize = 10;
    let mut known = Vec::new();
    let mut found = found.into_iter();
    files.retain(|(path, _)| match found.next() {
        None | Some(InPlaintext::Never) => true,
        Some(InPlaintext::Same(commit)) => {
            known.push(format!("{path} was {verb} with commit {commit}"));
            false
        }
        Some(InPlaintext::Other(commit)) => {
            known.push(format!("{path} was {verb} in plaintext with commit {commit}"));
            false
        }
    });
    for known in known.iter().take(SHOWN) {
        remark(&format!("{known}: {advice}"));
    }
    if known.len() > SHOWN {
        let more = known.len() - SHOWN;
        remark(&format!("{more} more were {verb} in plaintext: the same goes for them"));
    }
}

/// Whether `.gitignore` has the line for a file, or could not have it.
fn is_ignored(source: &Source, path: &RepoPath) -> bool {
    let line = ignore_line(path);
    let text = source.read_config(&RepoPath::from(".gitignore")).unwrap_or_default();
    line.contains(['\n', '\r'])
        || text.split(|byte| *byte == b'\n').any(|one| one == line.as_bytes())
}

/// The pattern for one file alone.
fn ignore_line(path: &RepoPath) -> String {
    let escaped: String = path
        .as_str()
        .chars()
        .flat_map(|c| if "*?[]\\!# ".contains(c) { vec!['\\', c] } else { vec![c] })
        .collect();
    format!("/{escaped}")
}
