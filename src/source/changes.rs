//! The effect of a change: the files that are judged, and those in which findings are reported.

use std::collections::HashSet;

use super::blobs::Blobs;
use crate::git::{Change, File};
use crate::path::RepoPath;
use crate::policy::CONFIG_NAME;
use crate::traces::{self, KUSTOMIZATIONS};

/// Lists the files that changed, in order, with those that a finding may depend on: everything below a
/// config that changed, kustomizations above, and encrypted twins.
pub(super) fn around(blobs: &Blobs, changes: &[Change]) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut neighbourhoods: HashSet<String> = HashSet::new();
    for Change { path, now } in changes {
        let parent = path.parent();
        if path.file_name() == CONFIG_NAME {
            files.extend(blobs.below(parent.as_str()));
        }
        files.extend(now.map(|blob| File { path: path.clone(), blob }));
        neighbourhoods.insert(parent.as_str().to_owned());
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

/// The files in which findings are reported.
pub(super) struct Reported<'c> {
    blobs: &'c Blobs,
    changed: HashSet<&'c RepoPath>,
    /// The directories of configs that changed.
    configs: HashSet<RepoPath>,
}

impl<'c> Reported<'c> {
    /// Selects the files that changed and the files whose config changed.
    pub(super) fn by(changes: &'c [Change], blobs: &'c Blobs) -> Self {
        let is_config = |change: &&Change| change.path.file_name() == CONFIG_NAME;
        Self {
            blobs,
            changed: changes.iter().map(|change| &change.path).collect(),
            configs: changes.iter().filter(is_config).map(|c| c.path.parent()).collect(),
        }
    }

    /// Reports whether a file changed, or the config that governs it.
    pub(super) fn has(&self, path: &RepoPath) -> bool {
        if self.changed.contains(path) {
            return true;
        }
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
