//! `sops-lint baseline`: writes today's findings to a file, so that only new ones are reported.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::{CommandError, Exit};
use super::say::{advise, complain};
use crate::cli;
use crate::finding::Finding;
use crate::host::Host;
use crate::path::RepoPath;
use crate::session::Session;
use crate::settings::baseline::{BASELINE_NAME, Baseline};
use crate::settings::{BaselineChoice, Options, SETTINGS_NAME};
use crate::shell::{Command, Reader};
use crate::source::{WorkTree, worktree};
use crate::text::printable::clean_path;
use crate::text::words::count;

/// Writes the findings of all levels, except those that the settings ignore. If paths are given, the entries
/// of other files stay.
pub fn run(
    args: cli::Baseline,
    style: cli::StyleOptions,
    host: &Host,
) -> Result<Exit, CommandError> {
    // The settings may already name the baseline that is written here for the first time.
    let baseline = BaselineChoice::Nothing;
    let options = Options::new(args.settings, style, host).with_run(&args.run);
    let options = Options { paths: args.paths, baseline, ..options };
    let session = Session::new(options, host);
    let source = session.open()?;
    let settings = session.settings(&source);
    let ring = session.key_ring(&settings);
    let finished = session.examine(&source, &settings, ring.as_ref())?.finished;
    for error in &finished.errors {
        complain(error);
    }
    if !finished.errors.is_empty() {
        // The findings in files that could not be read would be missing from it.
        complain("no baseline was written");
        return Ok(Exit::Failed);
    }
    let findings = &finished.report.findings;
    let root = source.root();
    let named = settings.file.baseline.as_ref().map(|path| path.in_root(root));
    let path = match args.output {
        Some(path) => host.directory.join(path),
        None => named.clone().unwrap_or_else(|| root.join(BASELINE_NAME)),
    };
    let name = path.strip_prefix(&host.directory).unwrap_or(&path).display().to_string();
    let earlier = match earlier(&path) {
        Err(reason) if !session.options.paths.is_empty() => {
            complain(&format!("cannot read the entries of other files in {name}: {reason}"));
            advise("correct it, or write all entries anew: `sops-lint baseline` without paths");
            return Ok(Exit::Failed);
        }
        earlier => earlier.ok().flatten(),
    };
    let new = earlier.as_ref().map(|earlier| earlier.count_new(findings));
    let earlier = earlier.unwrap_or_default();
    let text = Baseline::write(findings, &earlier, others(&session, root, findings));
    host.write_whole(&path, text.as_bytes(), root)
        .map_err(|source| CommandError::Output { what: name.clone(), source })?;
    let (name, next) = (clean_path(&name), next_step(root, &path, named.as_deref(), &name));
    writeln!(io::stdout(), "{}{next}", written(findings, &name, new))
        .map_err(CommandError::stdout)?;
    Ok(Exit::Clean)
}

/// Returns the baseline that is rewritten; `None` if there is no file.
fn earlier(path: &Path) -> Result<Option<Baseline>, String> {
    match worktree::read_whole(path) {
        Ok(bytes) => Baseline::read(&bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns a test for the files whose entries stay: those that were not scanned.
fn others(
    session: &Session<'_>,
    root: &Path,
    findings: &[Finding],
) -> impl Fn(&RepoPath) -> bool + use<> {
    let Options { directory, paths, .. } = &session.options;
    let inside = |path: &PathBuf| {
        let path = WorkTree::canonical(&directory.join(path)).ok()?;
        RepoPath::new(path.strip_prefix(root).ok()?)
    };
    let scanned: Vec<RepoPath> = paths.iter().filter_map(inside).collect();
    let found: HashSet<RepoPath> =
        findings.iter().map(|finding| finding.place.path.clone()).collect();
    move |path| {
        let is_scanned = |one: &RepoPath| one == path || path.below(one.as_str()).is_some();
        !scanned.is_empty() && !scanned.iter().any(is_scanned) && !found.contains(path)
    }
}

/// Says how to use the baseline that was written.
fn next_step(root: &Path, path: &Path, named: Option<&Path>, name: &str) -> String {
    if named == Some(path) {
        return "The settings name it already.".to_owned();
    }
    if let Some(inside) = path.strip_prefix(root).ok().and_then(RepoPath::new) {
        return format!(
            "To suppress them everywhere, hooks included, add this line to {SETTINGS_NAME}:\n  baseline: {inside}"
        );
    }
    let command = Command::new("sops-lint scan --baseline").word(name);
    format!("To suppress them:\n  {}", command.line(&Reader::at_root()))
}

/// Says how many findings of each rule were written, most first. `new`: those that an earlier baseline lacks.
fn written(findings: &[Finding], name: &str, new: Option<usize>) -> String {
    let mut counts: Vec<(&str, usize)> = Baseline::counts(findings).into_iter().collect();
    counts.sort_by_key(|(_, number)| Reverse(*number));
    let all = counts.iter().map(|(_, number)| number).sum();
    let end = if all == 0 { "." } else { ":" };
    let new = new.map(|new| format!(", {new} of them new")).filter(|_| all > 0);
    let new = new.unwrap_or_default();
    let mut text = format!("Wrote {} to {name}{new}{end}\n", count(all, "finding"));
    for (rule, number) in counts {
        let _ = writeln!(text, "{number:6} {rule}");
    }
    text
}
