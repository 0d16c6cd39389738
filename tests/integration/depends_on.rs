//! The result for a file depends on its bytes and on the answers that it names, and on nothing else.
//!
//! Every file of the fixtures and of the corpus is judged twice: once in its tree, and once in a tree
//! that knows only those answers and panics at any other question. Both results are the same.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use sops_lint::input::{Content, Input};
use sops_lint::judge::{self, Context, Scope};
use sops_lint::path::RepoPath;
use sops_lint::policy::{CONFIG_NAME, Policy};
use sops_lint::source::{Files, Source, View};
use sops_lint::tree::{Dependency, Tree, read_config};

use crate::corpus::corpus;
use crate::rules::stage_on_base;
use crate::support::{copy_of, directories, fixtures, name};

const TODAY: u32 = 20_634;

#[test]
fn every_fixture_is_judged_by_the_answers_that_it_names() {
    let mut asked = BTreeSet::new();
    let mut files = 0;
    for rule in directories(&fixtures().join("rules")) {
        for case in directories(&rule) {
            let copy = copy_of(&case, &["findings.txt", "base"]);
            let is_change = case.join("base").is_dir();
            if is_change {
                stage_on_base(&case, copy.path());
            }
            let view = if is_change { View::Staged } else { View::WorkTree };
            files += judge_twice(copy.path(), &view, &mut asked);
        }
    }
    for directory in ["demo", "hostile", "neighbours", "vectors", "keys"] {
        let copy = copy_of(&fixtures().join(directory), &[]);
        files += judge_twice(copy.path(), &View::WorkTree, &mut asked);
    }
    assert!(files > 500, "only {files} files were judged");
    let kinds = ["Config", "Earlier", "EncryptedTwin", "Exists", "NearestConfig", "SameKey"];
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), kinds, "a question was never asked");
}

#[test]
fn every_file_of_the_corpus_is_judged_by_the_answers_that_it_names() {
    let Some(corpus) = corpus() else { return };
    let mut asked = BTreeSet::new();
    let repositories = directories(&corpus);
    let files: usize = repositories
        .iter()
        .map(|repository| {
            let files = judge_twice(repository, &View::WorkTree, &mut asked);
            assert!(files > 0, "{} has no files", name(repository));
            files
        })
        .sum();
    assert!(files > 2_000, "only {files} files were judged");
}

/// Returns the number of files.
fn judge_twice(directory: &Path, view: &View, asked: &mut BTreeSet<&'static str>) -> usize {
    let source = Source::open(view, directory, &[]).expect("a tree");
    let files = Files::new(&source, source.list(directory, &[], 2).expect("a listing"));
    let directories = files.listing.config_directories.iter().map(String::as_str);
    let policy = Policy::load(directories, |path| read_config(&source, path));
    for listed in &files.listing.files {
        let input = files.read_listed(listed).expect("readable");
        let context = Context {
            policy: &policy,
            tree: &files,
            encrypted_names: None,
            scope: Scope::Everything,
            ring: None,
            today: TODAY,
        };
        let outcome = judge::file(&input, context);
        asked.extend(outcome.depends_on.iter().map(kind));
        let known = Known { tree: &files, path: &input.path, answers: &outcome.depends_on };
        let policy = known.policy();
        let again = judge::file(&input, Context { policy: &policy, tree: &known, ..context });
        assert_eq!(format!("{outcome:?}"), format!("{again:?}"), "{}", input.path);
    }
    files.listing.files.len()
}

fn kind(answer: &Dependency) -> &'static str {
    match answer {
        Dependency::NearestConfig(_) => "NearestConfig",
        Dependency::Config(..) => "Config",
        Dependency::Exists(..) => "Exists",
        Dependency::EncryptedTwin(_) => "EncryptedTwin",
        Dependency::Earlier(_) => "Earlier",
        Dependency::SameKey(_) => "SameKey",
    }
}

/// A tree that knows only some answers. Contents come from the real one, if their digest is known.
struct Known<'k> {
    tree: &'k dyn Tree,
    path: &'k RepoPath,
    answers: &'k [Dependency],
}

impl Known<'_> {
    /// The configs that may be read.
    fn policy(&self) -> Policy {
        let mut directories: Vec<String> = Vec::new();
        for answer in self.answers {
            match answer {
                Dependency::NearestConfig(None) => {
                    directories.extend(self.path.ancestors().map(str::to_owned));
                }
                Dependency::NearestConfig(Some((nearest, _))) => {
                    let below = self.path.ancestors();
                    let nearest = nearest.parent();
                    directories.extend(
                        below.take_while(|one| *one != nearest.as_str()).map(str::to_owned),
                    );
                    directories.push(nearest.as_str().to_owned());
                }
                Dependency::Config(config, _) => {
                    directories.push(config.parent().as_str().to_owned());
                }
                _ => {}
            }
        }
        Policy::load(directories.iter().map(String::as_str), |path| read_config(self, path))
    }

    /// Reports whether the answers say that there is no config at this path.
    fn lacks(&self, path: &RepoPath) -> bool {
        let is_above = path.file_name() == CONFIG_NAME
            && self.path.ancestors().any(|directory| directory == path.parent().as_str());
        let is_nearer =
            |nearest: &RepoPath| path.parent().as_str().len() > nearest.parent().as_str().len();
        self.answers.iter().any(|answer| match answer {
            Dependency::NearestConfig(None) => is_above,
            Dependency::NearestConfig(Some((nearest, _))) => is_above && is_nearer(nearest),
            Dependency::Config(config, None) => config == path,
            _ => false,
        })
    }
}

impl Tree for Known<'_> {
    fn read(&self, path: &RepoPath) -> io::Result<Content> {
        if self.lacks(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let digest = self.answers.iter().find_map(|answer| match answer {
            Dependency::NearestConfig(Some((config, digest)))
            | Dependency::Config(config, Some(digest))
                if config == path =>
            {
                Some(*digest)
            }
            _ => None,
        });
        let digest = digest.unwrap_or_else(|| panic!("{} asked for {path}", self.path));
        let content = self.tree.read(path).expect("it was there");
        assert_eq!(content.digest(), digest, "{path}");
        Ok(content)
    }

    fn exists(&self, path: &RepoPath) -> bool {
        let answer = self.answers.iter().find_map(|answer| match answer {
            Dependency::Exists(other, exists) if other == path => Some(*exists),
            _ => None,
        });
        answer.unwrap_or_else(|| panic!("{} asked whether {path} exists", self.path))
    }

    fn has_encrypted_twin(&self, path: &RepoPath) -> bool {
        assert_eq!(path, self.path);
        let answer = self.answers.iter().find_map(|answer| match answer {
            Dependency::EncryptedTwin(has_twin) => Some(*has_twin),
            _ => None,
        });
        answer.unwrap_or_else(|| panic!("{path} asked whether it has an encrypted twin"))
    }

    fn same_key(&self, path: &RepoPath) -> Vec<Input> {
        assert_eq!(path, self.path);
        let is_named = self.answers.iter().any(|answer| matches!(answer, Dependency::SameKey(_)));
        assert!(is_named, "{path} asked for its earlier versions");
        self.tree.same_key(path)
    }

    fn earlier(&self, path: &RepoPath) -> Option<Input> {
        assert_eq!(path, self.path);
        let answer = self.answers.iter().find_map(|answer| match answer {
            Dependency::Earlier(digest) => Some(*digest),
            _ => None,
        });
        let digest = answer.unwrap_or_else(|| panic!("{path} asked for what it was"))?;
        let earlier = self.tree.earlier(path).expect("it was there");
        assert_eq!(earlier.content.digest(), digest, "{path}");
        Some(earlier)
    }
}

#[test]
#[should_panic(expected = "asked whether other.yaml exists")]
fn a_question_that_is_not_named_is_noticed() {
    let source = Source::open(&View::Nothing, &fixtures(), &[]).expect("a tree");
    let path = RepoPath::from("a.yaml");
    let known = Known { tree: &source, path: &path, answers: &[] };
    known.exists(&RepoPath::from("other.yaml"));
}
