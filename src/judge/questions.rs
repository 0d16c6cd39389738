//! The only way from judging one file to the rest of the tree. It writes down every answer.

use std::cell::RefCell;

use super::context::{Context, Scope};
use crate::input::Input;
use crate::path::RepoPath;
use crate::policy::{CONFIG_NAME, Config, Governing};
use crate::tree::Dependency;

/// The questions about one file.
pub(super) struct Questions<'c> {
    context: Context<'c>,
    path: &'c RepoPath,
    answers: RefCell<Vec<Dependency>>,
}

impl<'c> Questions<'c> {
    /// Begins with no answer.
    pub(super) fn new(context: Context<'c>, path: &'c RepoPath) -> Self {
        Self { context, path, answers: RefCell::default() }
    }

    /// Returns the nearest config above the file and what it decides.
    pub(super) fn governing(&self) -> Governing<'c> {
        let governing = self.context.policy.governing(self.path);
        let nearest = governing.config().map(|config| (config.path.clone(), config.digest));
        self.note(Dependency::NearestConfig(nearest));
        governing
    }

    /// Returns the config at the root of the tree.
    pub(super) fn root_config(&self) -> Option<&'c Config> {
        let path = RepoPath::from(CONFIG_NAME);
        let config = self.context.policy.config(&path);
        self.note(Dependency::Config(path, config.map(|config| config.digest)));
        config
    }

    /// Returns the configs above the nearest one, which sops uses if it is run there. The nearest come first.
    pub(super) fn configs_above(&self, nearest: &Config) -> Vec<&'c Config> {
        let above =
            nearest.path.ancestors().skip(1).map(|place| RepoPath::from(place).join(CONFIG_NAME));
        let find = |path: RepoPath| {
            let config = self.context.policy.config(&path);
            self.note(Dependency::Config(path, config.map(|config| config.digest)));
            config
        };
        above.filter_map(find).collect()
    }

    /// Reports whether there is a file at a path.
    pub(super) fn exists(&self, path: &RepoPath) -> bool {
        let exists = self.context.tree.exists(path);
        self.note(Dependency::Exists(path.clone(), exists));
        exists
    }

    /// Reports whether an encrypted file is named after this one.
    pub(super) fn has_encrypted_twin(&self) -> bool {
        let has_twin = self.context.tree.has_encrypted_twin(self.path);
        self.note(Dependency::EncryptedTwin(has_twin));
        has_twin
    }

    /// Returns the file before the change that is judged.
    pub(super) fn earlier(&self) -> Option<Input> {
        if self.context.scope != Scope::Everything {
            return None;
        }
        let earlier = self.context.tree.earlier(self.path);
        self.note(Dependency::Earlier(earlier.as_ref().map(|input| input.content.digest())));
        earlier
    }

    /// Returns the earlier versions of the file with the same data key.
    pub(super) fn same_key(&self) -> Vec<Input> {
        if self.context.scope != Scope::Everything {
            return Vec::new();
        }
        let versions = self.context.tree.same_key(self.path);
        let digests = versions.iter().map(|input| input.content.digest()).collect();
        self.note(Dependency::SameKey(digests));
        versions
    }

    /// Returns the answers in the order of the questions.
    pub(super) fn into_answers(self) -> Vec<Dependency> {
        self.answers.into_inner()
    }

    fn note(&self, answer: Dependency) {
        self.answers.borrow_mut().push(answer);
    }
}
