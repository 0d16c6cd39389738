//! The effect of a change: the files that are judged, and those in which findings are reported.

use std::collections::HashSet;

use super::blobs::Blobs;
use crate::git::{Change, File};
use crate::path::RepoPath;
use crate::policy::CONFIG_NAME;
use crate::traces::{self, KUSTOMIZATIONS};

/// The name of the settings file. It decides what is reported in all files.
pub const SETTINGS_NAME: &str = ".sops-lint.yaml";

/// The file of a Helm chart. Without it, what is below `templates` is no template.
const CHART: &str = "Chart.yaml";

/// The names of files that decide about others. Their removal is a change.
pub(super) const DECISIVE: [&str; 3] = [CONFIG_NAME, CHART, SETTINGS_NAME];

/// Lists the files that changed, in order, with those that a finding may depend on: all that
/// [`Reported`] has, kustomizations above, and encrypted twins.
pub(super) fn around(blobs: &Blobs, changes: &[Change]) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut neighbourhoods: HashSet<String> = HashSet::new();
    for change in changes {
        let Change { path, now } = change;
        files.extend(now.map(|blob| File { path: path.clone(), blob }));
        files.extend(decided(change).iter().flat_map(|decided| decided.files(blobs)));
        neighbourhoods.insert(path.parent().as_str().to_owned());
    }
    let changed: HashSet<&RepoPath> = changes.iter().map(|change| &change.path).collect();
    let is_changed_kustomization =
        |place: &RepoPath| KUSTOMIZATIONS.iter().any(|name| changed.contains(&place.join(name)));
    for directory in neighbourhoods {
        let place = RepoPath::from(&*directory);
        // A kustomization names sources below it, too.
        let above = place.ancestors().map(RepoPath::from).chain([place.clone()]);
        let kustomizations = above.flat_map(|place| KUSTOMIZATIONS.map(|name| place.join(name)));
        files.extend(kustomizations.filter_map(|path| {
            let blob = blobs.blob(path.as_str())?;
            Some(File { path, blob })
        }));
        if is_changed_kustomization(&place) {
            files.extend(blobs.below(&directory));
        }
        let prefix = directory.len() + usize::from(!directory.is_empty());
        let is_neighbour = |file: &File| {
            let is_near = !file.path.as_str()[prefix..].contains('/');
            let plain = traces::plain_name(&file.path);
            is_near
                && file.path.file_name() != CONFIG_NAME
                && plain.is_some_and(|plain| changed.contains(&plain))
        };
        files.extend(blobs.below(&directory).filter(is_neighbour));
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup();
    files
}

/// Files that a change decides about, although they did not change.
enum Decided {
    /// Those that a config below a directory governs.
    Governed(RepoPath),
    /// All files below a directory.
    Below(RepoPath),
    /// All files, in which other findings are suppressed now.
    All,
    /// One file.
    One(RepoPath),
}

impl Decided {
    fn files(&self, blobs: &Blobs) -> Vec<File> {
        match self {
            Self::All => blobs.below("").collect(),
            Self::Governed(directory) | Self::Below(directory) => {
                blobs.below(directory.as_str()).collect()
            }
            Self::One(path) => {
                let blob = blobs.blob(path.as_str());
                blob.map(|blob| File { path: path.clone(), blob }).into_iter().collect()
            }
        }
    }
}

fn decided(Change { path, now }: &Change) -> Option<Decided> {
    match path.file_name() {
        CONFIG_NAME => Some(Decided::Governed(path.parent())),
        _ if path.as_str() == SETTINGS_NAME => Some(Decided::All),
        CHART if now.is_none() => Some(Decided::Below(path.parent().join("templates"))),
        // Next to an encrypted file, one with its plain name is a copy in plaintext.
        _ => now.and_then(|_| traces::plain_name(path)).map(Decided::One),
    }
}

/// The files in which findings are reported.
pub(super) struct Reported<'c> {
    blobs: &'c Blobs,
    /// The files that changed, and single files that a change decides about.
    changed: HashSet<RepoPath>,
    /// The directories of configs that changed.
    configs: HashSet<RepoPath>,
    /// The directories whose files a change decides about.
    directories: HashSet<RepoPath>,
}

impl<'c> Reported<'c> {
    /// Selects the files that changed and those that a change decides about.
    pub(super) fn by(changes: &[Change], blobs: &'c Blobs) -> Self {
        let (configs, directories) = (HashSet::new(), HashSet::new());
        let changed = changes.iter().map(|change| change.path.clone()).collect();
        let mut reported = Self { blobs, changed, configs, directories };
        for decided in changes.iter().filter_map(decided) {
            match decided {
                Decided::Governed(directory) => reported.configs.insert(directory),
                Decided::Below(directory) => reported.directories.insert(directory),
                Decided::One(path) => reported.changed.insert(path),
                // Only the settings before the change tell in which of them.
                Decided::All => false,
            };
        }
        reported
    }

    /// Reports whether a file is one of them.
    pub(super) fn has(&self, path: &RepoPath) -> bool {
        self.changed.contains(path) || self.is_below(path) || self.is_governed(path)
    }

    fn is_below(&self, path: &RepoPath) -> bool {
        !self.directories.is_empty()
            && path
                .ancestors()
                .any(|directory| self.directories.contains(&RepoPath::from(directory)))
    }

    /// Reports whether the config that governs a file changed.
    fn is_governed(&self, path: &RepoPath) -> bool {
        if self.configs.is_empty() {
            return false;
        }
        let mut directories = path.ancestors().map(RepoPath::from);
        let nearest = directories.find(|directory| {
            self.configs.contains(directory)
                || self.blobs.blob(directory.join(CONFIG_NAME).as_str()).is_some()
        });
        nearest.is_some_and(|directory| self.configs.contains(&directory))
    }
}
