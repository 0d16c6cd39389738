//! A next step in words and commands.

use std::ops::Add;

use super::command::Command;
use super::reader::Reader;
use crate::path::RepoPath;

/// A sentence without a full stop, and the commands in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Command(Command),
}

impl Advice {
    /// Returns the text for a reader, with the commands in backticks.
    pub fn text(&self, reader: &Reader) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Command(command) => format!("`{}`", command.line(reader)),
        };
        self.parts.iter().map(text).collect()
    }

    /// Returns the commands, in the order of the text.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Command(command) => Some(command),
        })
    }

    /// Returns the text without the name of a file, which is the same for all files with the same cause.
    pub fn template(&self, path: &RepoPath) -> String {
        const PLACEHOLDER: &str = "FILE";
        let text = |part: &Part| match part {
            Part::Text(text) => text.replace(path.as_str(), PLACEHOLDER),
            Part::Command(command) => {
                command.about(path, &PLACEHOLDER.into()).line(&Reader::at_root())
            }
        };
        self.parts.iter().map(text).collect()
    }
}

impl From<&str> for Advice {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Advice {
    fn from(text: String) -> Self {
        Self { parts: vec![Part::Text(text)] }
    }
}

impl From<Command> for Advice {
    fn from(command: Command) -> Self {
        Self { parts: vec![Part::Command(command)] }
    }
}

impl<A: Into<Advice>> Add<A> for Advice {
    type Output = Self;

    fn add(mut self, other: A) -> Self {
        self.parts.extend(other.into().parts);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_same_for_every_file() {
        let advice = |path: &str| {
            let edit = Command::new("sops edit").file(&path.into());
            Advice::from(format!("restore {path}, then run ")) + edit + ", twice"
        };
        let one = advice("apps/a.yaml");
        assert_eq!(
            one.text(&Reader::at_root()),
            "restore apps/a.yaml, then run `sops edit apps/a.yaml`, twice"
        );
        assert_eq!(one.commands().count(), 1);
        assert_eq!(
            one.template(&"apps/a.yaml".into()),
            advice("b.yaml").template(&"b.yaml".into())
        );
    }
}
