//! A command that a person pastes into a shell.

use super::reader::Reader;
use crate::path::RepoPath;
use crate::text::printable;

/// A command, one word after the other. The files in it are known as such, so that it can be written for
/// readers in any directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// A word that is the same everywhere.
    Text(String),
    /// A file of the tree.
    File(RepoPath),
    /// The config that sops has to use: two words, but none in the directory of the config.
    Config(RepoPath),
}

impl Command {
    /// Creates a command of words without blanks: `git rm --cached`.
    pub fn new(words: &str) -> Self {
        Self { words: Vec::new() }.words(words)
    }

    /// Adds words without blanks.
    #[must_use]
    pub fn words(mut self, words: &str) -> Self {
        let words = words.split_ascii_whitespace();
        self.words.extend(words.map(|word| Word::Text(word.to_owned())));
        self
    }

    /// Adds one word, whatever is in it.
    #[must_use]
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.words.push(Word::Text(word.into()));
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, path: &RepoPath) -> Self {
        self.words.push(Word::File(path.clone()));
        self
    }

    /// Adds the option that makes sops use a config.
    #[must_use]
    pub fn config(mut self, path: &RepoPath) -> Self {
        self.words.push(Word::Config(path.clone()));
        self
    }

    /// Returns the line to paste into a POSIX shell.
    pub fn line(&self, reader: &Reader) -> String {
        if let Reader::Outside(root) = reader {
            // git and sops look for their settings from where they run.
            let root = quoted(&root.to_string_lossy());
            return format!("(cd {root} && {})", self.line(&Reader::at_root()));
        }
        let words: Vec<String> = self.argv_for(reader).iter().map(|word| quoted(word)).collect();
        words.join(" ")
    }

    /// Returns the words for a program that runs the command at the root of the tree.
    pub fn argv(&self) -> Vec<String> {
        self.argv_for(&Reader::at_root())
    }

    /// Returns the same command with another file in the place of `path`.
    pub(super) fn about(&self, path: &RepoPath, other: &RepoPath) -> Self {
        let replaced = |word: &Word| match word {
            Word::File(file) if file == path => Word::File(other.clone()),
            word => word.clone(),
        };
        Self { words: self.words.iter().map(replaced).collect() }
    }

    fn argv_for(&self, reader: &Reader) -> Vec<String> {
        let mut argv = Vec::with_capacity(self.words.len());
        for word in &self.words {
            match word {
                Word::Text(text) => argv.push(text.clone()),
                Word::File(path) => argv.push(operand(&reader.path(path))),
                Word::Config(path) if is_found(path, reader) => {}
                Word::Config(path) => {
                    argv.extend(["--config".to_owned(), operand(&reader.path(path))]);
                }
            }
        }
        argv
    }
}

/// Returns true if sops finds the config before all others from where the reader is.
fn is_found(config: &RepoPath, reader: &Reader) -> bool {
    matches!(reader, Reader::Inside(directory) if *directory == config.parent())
}

/// Returns a path that no program takes for an option, and git for nothing but a path.
fn operand(path: &str) -> String {
    if path.starts_with(['-', ':']) { format!("./{path}") } else { path.to_owned() }
}

/// Returns one word of a POSIX shell. Hostile characters are replaced.
fn quoted(word: &str) -> String {
    let word = printable::clean_path(word);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn line(command: &Command, directory: &str) -> String {
        command.line(&Reader::new(Path::new("/home/shop"), Path::new(directory)))
    }

    #[test]
    fn a_command_is_written_for_its_reader() {
        let config = RepoPath::from("apps/.sops.yaml");
        let command =
            Command::new("sops").config(&config).words("edit").file(&"apps/db.yaml".into());
        assert_eq!(line(&command, "/home/shop"), "sops --config apps/.sops.yaml edit apps/db.yaml");
        assert_eq!(line(&command, "/home/shop/apps"), "sops edit db.yaml");
        assert_eq!(
            line(&command, "/home/shop/a"),
            "sops --config ../apps/.sops.yaml edit ../apps/db.yaml"
        );
        let outside = "(cd shop && sops --config apps/.sops.yaml edit apps/db.yaml)";
        assert_eq!(line(&command, "/home"), outside);
        let argv = ["sops", "--config", "apps/.sops.yaml", "edit", "apps/db.yaml"];
        assert_eq!(command.argv(), argv);
    }

    #[test]
    fn odd_names_are_one_word_and_no_option() {
        for (name, expected) in [
            ("it's a.yaml", r"'it'\''s a.yaml'"),
            ("-rf.yaml", "./-rf.yaml"),
            (":(top)a", "'./:(top)a'"),
            ("$(x)\u{7}", r"'$(x)\u{7}'"),
        ] {
            let command = Command::new("git add").file(&name.into());
            assert_eq!(line(&command, "/home/shop"), format!("git add {expected}"));
        }
    }
}
