//! A repository for the targets that read files of git.

use std::path::PathBuf;

/// An empty repository in a directory of this process.
pub struct Repository {
    /// The top of its work tree.
    pub root: PathBuf,
    /// The directory `.git` in it.
    pub git: PathBuf,
}

impl Repository {
    /// Makes a repository, in memory if possible.
    pub fn new(name: &str) -> Self {
        let memory = PathBuf::from("/dev/shm");
        let directory = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let root = directory.join(format!("sops-lint-fuzz-{name}-{}", std::process::id()));
        let git = root.join(".git");
        for name in ["objects/pack", "refs"] {
            std::fs::create_dir_all(git.join(name)).expect("directories can be made");
        }
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("files can be written");
        Self { root, git }
    }
}
